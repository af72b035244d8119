//! Laws of addresses.

use manywire_topics::{
    Action, Channel, Dialect, Error, Filter, FilterBuf, FilterSet, Form, Health, Topic, TopicBuf,
    mqtt_matches, parse_as_platform, split_share,
};

const DIALECTS: [Dialect; 3] = [Dialect::Channels, Dialect::Domains, Dialect::FluxMq];

/// Nothing panics on any text; an error points into it; what is taken as a topic, the platform takes as the same.
pub fn parse(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let within = |error: Error| assert!(error.at() <= text.len() && !error.rule().is_empty());
    for dialect in DIALECTS {
        for form in Form::ALL {
            let topic = Topic::parse(dialect, form, text);
            match topic {
                Ok(topic) => levels_hold(topic),
                Err(error) => within(error),
            }
            if let (Ok(topic), Form::Path | Form::Mqtt) = (topic, form) {
                let platform =
                    parse_as_platform(dialect, Action::Publish, text).expect("the platform takes it too");
                assert_eq!(platform.domain(), topic.channel().domain());
                assert_eq!(platform.channel(), Some(topic.channel().id()));
                assert_eq!(platform.subtopic().to_string(), topic.subtopic().to_string());
            }
            let _ = Filter::parse(dialect, form, text).map_err(within);
            let _ = Health::parse(dialect, form, text).map_err(within);
        }
        for action in [Action::Publish, Action::Subscribe] {
            match parse_as_platform(dialect, action, text) {
                Ok(address) => Form::ALL.into_iter().for_each(|form| {
                    let _ = address.display(form).map(|printed| printed.to_string());
                }),
                Err(error) => within(error),
            }
        }
    }
    let _ = split_share(text).map_err(within);
    mqtt_matches(text, text);
}

fn levels_hold(topic: Topic<'_>) {
    for level in topic.levels() {
        let level = level.to_string();
        assert!(
            !level.is_empty() && !level.contains(['*', '+', '>', '#', '/']),
            "{level:?}"
        );
    }
}

/// From any form to any other and back, a topic and a filter stay what they are, or are refused.
pub fn round_trip(bytes: &[u8]) {
    let [choice, bytes @ ..] = bytes else { return };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let dialect = DIALECTS[usize::from(*choice) % DIALECTS.len()];
    let channel = channel(dialect, "ch");
    let (topic, filter) = (Topic::new(channel, text), Filter::new(channel, text));
    for form in Form::ALL {
        let parsed = (
            Topic::parse(dialect, form, text),
            Filter::parse(dialect, form, text),
        );
        topic
            .iter()
            .chain(&parsed.0)
            .for_each(|topic| topic_survives(*topic));
        filter
            .iter()
            .chain(&parsed.1)
            .for_each(|filter| filter_survives(*filter));
    }
}

fn topic_survives(topic: Topic<'_>) {
    let dialect = topic.channel().dialect();
    assert_eq!(topic.to_buf().as_topic(), topic);
    for form in Form::ALL {
        let Ok(printed) = topic.display(form) else {
            continue;
        };
        let text = printed.to_string();
        assert_eq!(Topic::parse(dialect, form, &text), Ok(topic), "{text:?}");
        assert_eq!(
            topic.to_buf().display(form).map(|printed| printed.to_string()),
            Ok(text)
        );
    }
}

fn filter_survives(filter: Filter<'_>) {
    let dialect = filter.channel().dialect();
    assert_eq!(filter.to_buf().as_filter(), filter);
    for form in Form::ALL {
        let Ok(printed) = filter.display(form) else {
            continue;
        };
        let text = printed.to_string();
        let back = Filter::parse(dialect, form, &text).expect("what was printed is read");
        // Where `#` is written as `>`, the topic that this leaves out is said separately.
        assert_eq!(back == filter, filter.also(form).is_none(), "{text:?}");
    }
}

/// After any sequence of inserts and removes, a set finds what trying each filter finds.
///
/// A byte below 0x60 inserts a filter, one below 0x80 removes it, one below 0xA0 removes the newest; any other looks
/// a topic up. The bytes after it spell filter or topic.
pub fn filter_set(bytes: &[u8]) {
    let mut set = FilterSet::with_seed(bytes.len() as u64);
    let mut all: Vec<(FilterBuf, u8, usize)> = Vec::new();
    for (step, spelled) in bytes.chunks(4).take(64).enumerate() {
        let [code, letters @ ..] = spelled else { continue };
        let key = code & 1;
        match code {
            0x00..0x60 => {
                let filter = filter_of(letters);
                let old = all.iter_mut().find(|entry| entry.0 == filter && entry.1 == key);
                let expected = old.map(|entry| std::mem::replace(&mut entry.2, step));
                assert_eq!(set.insert(filter.as_filter(), key, step), expected);
                if expected.is_none() {
                    all.push((filter, key, step));
                }
            }
            0x60..0x80 => {
                let filter = filter_of(letters);
                let at = all.iter().position(|entry| entry.0 == filter && entry.1 == key);
                assert_eq!(
                    set.remove(filter.as_filter(), &key),
                    at.map(|at| all.remove(at).2)
                );
            }
            0x80..0xA0 => {
                if let Some((filter, key, value)) = all.pop() {
                    assert_eq!(set.remove(filter.as_filter(), &key), Some(value));
                }
            }
            _ => agree(&set, &all, &topic_of(letters)),
        }
        assert_eq!(set.len(), all.len());
    }
    for topic in [&b""[..], b"a", b"ab", b"bab"] {
        agree(&set, &all, &topic_of(topic));
    }
}

fn agree(set: &FilterSet<u8, usize>, all: &[(FilterBuf, u8, usize)], topic: &TopicBuf) {
    let mut found: Vec<_> = set
        .matches(topic.as_topic())
        .map(|(key, value)| (*key, *value))
        .collect();
    let matching = all.iter().filter(|entry| entry.0.matches(topic.as_topic()));
    let mut expected: Vec<_> = matching.map(|entry| (entry.1, entry.2)).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected, "{topic:?}");
}

fn filter_of(letters: &[u8]) -> FilterBuf {
    const PARTS: [&str; 5] = ["a", "b", "*", "a-level-that-is-longer-than-a-node-can-hold", "*"];
    let mut text = String::new();
    for letter in letters {
        text.push('/');
        text.push_str(PARTS[usize::from(letter & 0x0F) % PARTS.len()]);
    }
    match letters.last().map(|letter| letter >> 6) {
        Some(1) => text.push_str("/>"),
        Some(2) => text.push_str("/#"),
        _ => {}
    }
    FilterBuf::new(channel(Dialect::Channels, "1"), &text).expect("a filter of whole parts")
}

fn topic_of(letters: &[u8]) -> TopicBuf {
    const PARTS: [&str; 3] = ["a", "b", "a-level-that-is-longer-than-a-node-can-hold"];
    let parts: Vec<_> = letters
        .iter()
        .map(|letter| PARTS[usize::from(*letter) % PARTS.len()])
        .collect();
    TopicBuf::new(channel(Dialect::Channels, "1"), &parts.join("/")).expect("a topic of whole levels")
}

fn channel(dialect: Dialect, id: &str) -> Channel<'_> {
    Channel::new(dialect, dialect.has_domains().then_some("d"), id).expect("a channel of plain names")
}
