//! From one form to another and back: the same topic, or a refusal; never a different one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use manywire_topics::{Action, Channel, Dialect, Filter, Form, Topic, parse_as_platform};
use proptest::prelude::*;

const DIALECTS: [Dialect; 3] = [Dialect::Channels, Dialect::Domains, Dialect::FluxMq];

/// Text with everything that has a meaning somewhere.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "[a-c]{1,3}",
        6 => Just("/".to_owned()),
        2 => Just(".".to_owned()),
        2 => prop_oneof![Just("*"), Just("+"), Just(">"), Just("#"), Just("/*"), Just("/+"), Just("/>"), Just("/#")]
            .prop_map(str::to_owned),
        1 => prop_oneof![Just("%2F"), Just("%2e"), Just("%20"), Just("%25"), Just("%2B"), Just("%C3%A9"), Just("%")]
            .prop_map(str::to_owned),
        1 => prop_oneof![Just(" "), Just("?"), Just("é"), Just("\u{a0}"), Just("$"), Just("~"), Just("\u{1F600}")]
            .prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(&DIALECTS[..])
}

fn form() -> impl Strategy<Value = Form> {
    prop::sample::select(&Form::ALL[..])
}

fn channel(dialect: Dialect) -> Channel<'static> {
    Channel::new(dialect, dialect.has_domains().then_some("d"), "ch").unwrap()
}

fn address(dialect: Dialect, form: Form, subtopic: &str) -> String {
    let dotted = Topic::new(channel(dialect), "x")
        .unwrap()
        .display(form)
        .unwrap()
        .to_string();
    let bare = dotted.strip_suffix('x').unwrap();
    if subtopic.is_empty() {
        bare[..bare.len() - 1].to_owned()
    } else {
        format!("{bare}{subtopic}")
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn agree(topic: Topic<'_>, address: &str) {
    let dialect = topic.channel().dialect();
    let platform = parse_as_platform(dialect, Action::Publish, address).unwrap();
    assert_eq!(platform.domain(), topic.channel().domain());
    assert_eq!(platform.channel(), Some(topic.channel().id()));
    assert_eq!(
        platform.subtopic().to_string(),
        topic.subtopic().to_string(),
        "{address:?}"
    );
}

fn round_trip_topic(topic: Topic<'_>, form: Form) {
    let dialect = topic.channel().dialect();
    let Ok(printed) = topic.display(form) else { return };
    let text = printed.to_string();
    assert_eq!(printed.encoded_len(), text.len());
    let back =
        Topic::parse(dialect, form, &text).unwrap_or_else(|error| panic!("{topic:?} {text:?} {error}"));
    assert_eq!(back, topic, "{text:?}");
    assert_eq!(hash(back), hash(topic));
    assert_eq!(back.to_buf(), topic.to_buf());
    assert_eq!(back.cmp(&topic), std::cmp::Ordering::Equal);
    assert_eq!(
        back.display(form).unwrap().to_string(),
        text,
        "one topic is written in one way"
    );
}

fn round_trip_filter(filter: Filter<'_>, form: Form) {
    let dialect = filter.channel().dialect();
    let Ok(printed) = filter.display(form) else { return };
    let text = printed.to_string();
    let back =
        Filter::parse(dialect, form, &text).unwrap_or_else(|error| panic!("{filter:?} {text:?} {error}"));
    match filter.also(form) {
        None => assert_eq!(back, filter, "{text:?}"),
        Some(also) => {
            // What is written and what is left out are the whole filter again.
            let parent = filter.subtopic().to_string();
            let parent = parent.strip_suffix('#').unwrap();
            assert_eq!(
                back,
                Filter::new(filter.channel(), &format!("{parent}>")).unwrap()
            );
            assert_eq!(
                also,
                Filter::new(filter.channel(), parent.trim_end_matches(['.', '/'])).unwrap()
            );
        }
    }
    assert_eq!(back.to_buf().as_filter(), back);
    assert_eq!(hash(back.to_buf()), hash(back));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn every_pair_of_forms_keeps_the_topic(dialect in dialect(), from in form(), to in form(), text in text()) {
        let address = address(dialect, from, &text);
        if let Ok(topic) = Topic::parse(dialect, from, &address) {
            for level in topic.levels() {
                let level = level.to_string();
                prop_assert!(!level.is_empty() && !level.contains(['*', '+', '>', '#', '/']), "{address:?}");
            }
            round_trip_topic(topic, from);
            round_trip_topic(topic, to);
            round_trip_topic(topic.to_buf().as_topic(), to);
        }
    }

    #[test]
    fn every_pair_of_forms_keeps_the_filter(dialect in dialect(), from in form(), to in form(), text in text()) {
        let address = address(dialect, from, &text);
        if let Ok(filter) = Filter::parse(dialect, from, &address) {
            round_trip_filter(filter, from);
            round_trip_filter(filter, to);
            round_trip_filter(filter.to_buf().as_filter(), to);
        }
    }

    #[test]
    fn the_platform_agrees_on_every_topic_that_is_taken(
        dialect in dialect(), from in form(), to in prop_oneof![Just(Form::Path), Just(Form::Mqtt)], text in text(),
    ) {
        let address = address(dialect, from, &text);
        let Ok(topic) = Topic::parse(dialect, from, &address) else { return Ok(()) };
        if from == Form::Path || from == Form::Mqtt {
            agree(topic, &address);
        }
        if let Ok(printed) = topic.display(to) {
            agree(topic, &printed.to_string());
        }
    }

    #[test]
    fn the_platform_agrees_on_every_filter_that_is_written_as_a_path(dialect in dialect(), text in text()) {
        let Ok(filter) = Filter::new(channel(dialect), &text) else { return Ok(()) };
        let Ok(path) = filter.display(Form::Path) else { return Ok(()) };
        let platform = parse_as_platform(dialect, Action::Subscribe, &path.to_string()).unwrap().subtopic().to_string();
        let ours = filter.subtopic().to_string();
        if dialect == Dialect::FluxMq {
            prop_assert_eq!(platform, ours.replace('>', "+/#").replace('*', "+"));
        } else {
            prop_assert_eq!(platform, ours.replace('#', ">"));
        }
    }

    #[test]
    fn a_topic_is_a_filter_without_wildcards(dialect in dialect(), form in form(), text in text()) {
        let address = address(dialect, form, &text);
        let (topic, filter) = (Topic::parse(dialect, form, &address), Filter::parse(dialect, form, &address));
        match (topic, filter) {
            (Ok(topic), filter) => {
                prop_assert_eq!(Filter::from(topic), filter.unwrap());
                prop_assert_eq!(filter.unwrap().as_topic(), Some(topic));
                prop_assert!(filter.unwrap().matches(topic));
            }
            (Err(_), Ok(filter)) => prop_assert_eq!(filter.as_topic(), None),
            (Err(_), Err(_)) => {}
        }
    }

    #[test]
    fn what_a_person_writes_keeps_its_meaning(dialect in dialect(), form in form(), text in text()) {
        if let Ok(topic) = Topic::new(channel(dialect), &text) {
            round_trip_topic(topic, form);
        }
        if let Ok(filter) = Filter::new(channel(dialect), &text) {
            round_trip_filter(filter, form);
            let subtopic = filter.subtopic().to_string();
            prop_assert_eq!(Filter::new(channel(dialect), &subtopic).unwrap(), filter);
        }
    }

    #[test]
    fn nothing_panics_and_errors_point_into_the_text(dialect in dialect(), form in form(), text in any::<String>()) {
        for result in [
            Topic::parse(dialect, form, &text).map(|_| ()),
            Filter::parse(dialect, form, &text).map(|_| ()),
            Topic::new(channel(dialect), &text).map(|_| ()),
        ] {
            if let Err(error) = result {
                prop_assert!(error.at() <= text.len());
                prop_assert!(!error.rule().is_empty());
            }
        }
    }
}

#[test]
fn a_routing_key_has_room_for_255_bytes() {
    let fits = "a".repeat(255 - "channels.ch.".len());
    let topic = Topic::new(channel(Dialect::Channels), &fits).unwrap();
    assert_eq!(topic.display(Form::Amqp).unwrap().encoded_len(), 255);
    let longer = format!("{fits}a");
    let topic = Topic::new(channel(Dialect::Channels), &longer).unwrap();
    assert!(topic.display(Form::Amqp).is_err());
    assert!(topic.display(Form::Nats).is_ok());
}
