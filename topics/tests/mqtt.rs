//! What MQTT says of filters in general.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use manywire_topics::{ErrorKind, mqtt_matches, split_share};
use proptest::prelude::*;

/// Section 4.7 of the standard, level by level.
fn naive(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let (filter, topic): (Vec<_>, Vec<_>) = (filter.split('/').collect(), topic.split('/').collect());
    for (at, wanted) in filter.iter().enumerate() {
        match (*wanted, topic.get(at)) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == *level => {}
            _ => return false,
        }
    }
    filter.len() == topic.len()
}

fn level() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("a"),
        Just("ab"),
        Just(""),
        Just("$x"),
        Just("a-longer-level"),
        Just("a-longer-letter")
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn matching_is_that_of_the_standard(
        filter in prop::collection::vec(prop_oneof![3 => level(), 1 => Just("+")], 0..5),
        rest: bool,
        topic in prop::collection::vec(level(), 1..5),
    ) {
        let mut filter = filter;
        if rest || filter.is_empty() {
            filter.push("#");
        }
        let (filter, topic) = (filter.join("/"), topic.join("/"));
        prop_assert_eq!(mqtt_matches(&filter, &topic), naive(&filter, &topic), "{} {}", filter, topic);
    }

    #[test]
    fn a_topic_matches_itself(topic in prop::collection::vec(level(), 1..6)) {
        let topic = topic.join("/");
        prop_assert!(mqtt_matches(&topic, &topic));
    }
}

#[test]
fn the_examples_of_the_standard_hold() {
    for (filter, topic, expected) in [
        ("sport/tennis/player1/#", "sport/tennis/player1", true),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", true),
        ("sport/#", "sport", true),
        ("sport/tennis/+", "sport/tennis/player1/ranking", false),
        ("sport/+", "sport", false),
        ("sport/+", "sport/", true),
        ("+/+", "/finance", true),
        ("/+", "/finance", true),
        ("+", "/finance", false),
        ("#", "$SYS/broker", false),
        ("+/monitor/Clients", "$SYS/monitor/Clients", false),
        ("$SYS/#", "$SYS/", true),
        ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
        ("channels/1/messages/#", "channels/1/messages/$SYS", true),
    ] {
        assert_eq!(mqtt_matches(filter, topic), expected, "{filter} {topic}");
    }
}

#[test]
fn a_shared_subscription_is_split() {
    assert_eq!(split_share("$share/group/a/+").unwrap(), (Some("group"), "a/+"));
    assert_eq!(split_share("$shared/group/a").unwrap(), (None, "$shared/group/a"));
    assert_eq!(split_share("a/$share/b").unwrap(), (None, "a/$share/b"));
    for (filter, at) in [
        ("$share", 6),
        ("$share/", 7),
        ("$share//a", 7),
        ("$share/g", 8),
        ("$share/g/", 9),
        ("$share/g+/a", 8),
    ] {
        let error = split_share(filter).unwrap_err();
        assert_eq!((error.kind(), error.at()), (ErrorKind::Share, at), "{filter}");
    }
}
