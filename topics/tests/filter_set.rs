//! A `FilterSet` finds what trying each filter finds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use manywire_topics::{Channel, Dialect, Filter, FilterBuf, FilterSet, Form, Topic, TopicBuf};
use proptest::prelude::*;

fn channel(id: &str) -> Channel<'_> {
    Channel::new(Dialect::Channels, None, id).unwrap()
}

/// The plain way: every filter is tried.
#[derive(Default)]
struct Naive(Vec<(FilterBuf, u8, u32)>);

impl Naive {
    fn position(&self, filter: &FilterBuf, key: u8) -> Option<usize> {
        self.0
            .iter()
            .position(|entry| entry.0 == *filter && entry.1 == key)
    }

    fn insert(&mut self, filter: &FilterBuf, key: u8, value: u32) -> Option<u32> {
        match self.position(filter, key) {
            Some(at) => Some(std::mem::replace(&mut self.0[at].2, value)),
            None => {
                self.0.push((filter.clone(), key, value));
                None
            }
        }
    }

    fn remove(&mut self, filter: &FilterBuf, key: u8) -> Option<u32> {
        self.position(filter, key).map(|at| self.0.remove(at).2)
    }

    fn matches(&self, topic: Topic<'_>) -> Vec<(u8, u32)> {
        let mut found: Vec<_> = self
            .0
            .iter()
            .filter(|entry| entry.0.matches(topic))
            .map(|entry| (entry.1, entry.2))
            .collect();
        found.sort_unstable();
        found
    }
}

fn found(set: &FilterSet<u8, u32>, topic: Topic<'_>) -> Vec<(u8, u32)> {
    let mut found: Vec<_> = set.matches(topic).map(|(key, value)| (*key, *value)).collect();
    found.sort_unstable();
    found
}

fn level() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("a"),
        Just("b"),
        Just("a-level-that-is-longer-than-a-node-can-hold"),
        Just("c d")
    ]
}

fn filter() -> impl Strategy<Value = FilterBuf> {
    let part = prop_oneof![3 => level(), 2 => Just("*")];
    let tail = prop_oneof![2 => Just(""), 1 => Just("/>"), 1 => Just("/#")];
    (
        prop_oneof![Just("1"), Just("2")],
        prop::collection::vec(part, 0..5),
        tail,
    )
        .prop_map(|(id, parts, tail)| {
            Filter::new(channel(id), &format!("{}{tail}", parts.join("/")))
                .unwrap()
                .to_buf()
        })
}

fn topic() -> impl Strategy<Value = TopicBuf> {
    (
        prop_oneof![Just("1"), Just("2"), Just("3")],
        prop::collection::vec(level(), 0..6),
    )
        .prop_map(|(id, levels)| Topic::new(channel(id), &levels.join("/")).unwrap().to_buf())
}

#[derive(Debug, Clone)]
enum Step {
    Insert(FilterBuf, u8, u32),
    Remove(FilterBuf, u8),
    RemoveOne(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (filter(), 0..3_u8, any::<u32>()).prop_map(|(filter, key, value)| Step::Insert(filter, key, value)),
        1 => (filter(), 0..3_u8).prop_map(|(filter, key)| Step::Remove(filter, key)),
        2 => any::<prop::sample::Index>().prop_map(Step::RemoveOne),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn it_equals_trying_each_filter(
        steps in prop::collection::vec(step(), 0..60),
        topics in prop::collection::vec(topic(), 1..8),
        seed: u64,
    ) {
        let (mut set, mut naive) = (FilterSet::with_seed(seed), Naive::default());
        for step in steps {
            match step {
                Step::Insert(filter, key, value) => {
                    prop_assert_eq!(set.insert(filter.as_filter(), key, value), naive.insert(&filter, key, value));
                    prop_assert_eq!(set.get(filter.as_filter(), &key), Some(&value));
                }
                Step::Remove(filter, key) => {
                    prop_assert_eq!(set.remove(filter.as_filter(), &key), naive.remove(&filter, key));
                    prop_assert_eq!(set.get(filter.as_filter(), &key), None);
                }
                Step::RemoveOne(index) if !naive.0.is_empty() => {
                    let (filter, key, _) = naive.0[index.index(naive.0.len())].clone();
                    prop_assert_eq!(set.remove(filter.as_filter(), &key), naive.remove(&filter, key));
                }
                Step::RemoveOne(_) => {}
            }
            prop_assert_eq!(set.len(), naive.0.len());
            for topic in &topics {
                prop_assert_eq!(found(&set, topic.as_topic()), naive.matches(topic.as_topic()));
            }
        }
        for (filter, key, value) in std::mem::take(&mut naive.0) {
            prop_assert_eq!(set.remove(filter.as_filter(), &key), Some(value));
        }
        prop_assert!(set.is_empty());
        for topic in &topics {
            prop_assert_eq!(found(&set, topic.as_topic()), vec![]);
        }
    }
}

#[test]
fn an_escaped_topic_is_found_as_its_meaning() {
    let mut set = FilterSet::new();
    for text in [
        "living room/*",
        "living room/temperature",
        "a-level-that-is-longer-than-a-node-can-hold/>",
    ] {
        set.insert(Filter::new(channel("1"), text).unwrap(), text, ());
    }
    let look = |path: &str| {
        let path = format!("channels/1/messages/{path}");
        let mut keys: Vec<_> = set
            .matches(Topic::parse(Dialect::Channels, Form::Path, &path).unwrap())
            .map(|found| *found.0)
            .collect();
        keys.sort_unstable();
        keys
    };
    assert_eq!(
        look("living+room%2Ftemperature"),
        ["living room/*", "living room/temperature"]
    );
    assert_eq!(look("living%20room%2ehumidity"), ["living room/*"]);
    assert_eq!(look("%61-level-that-is-longer-than-a-node-can-hold/x").len(), 1);
    assert!(look("livingroom").is_empty());
}

#[test]
fn channels_of_different_dialects_and_domains_are_apart() {
    let mut set = FilterSet::new();
    let channels = [
        Channel::new(Dialect::Channels, None, "ch").unwrap(),
        Channel::new(Dialect::Domains, Some("d"), "ch").unwrap(),
        Channel::new(Dialect::Domains, Some("dc"), "h").unwrap(),
        Channel::new(Dialect::FluxMq, Some("d"), "ch").unwrap(),
    ];
    for (at, channel) in channels.into_iter().enumerate() {
        set.insert(Filter::new(channel, "#").unwrap(), at, ());
    }
    for (at, channel) in channels.into_iter().enumerate() {
        let found: Vec<_> = set
            .matches(Topic::new(channel, "a").unwrap())
            .map(|found| *found.0)
            .collect();
        assert_eq!(found, [at]);
    }
}

#[test]
fn the_deepest_topic_is_walked_with_every_wildcard_on_the_way() {
    let topic = TopicBuf::new(channel("1"), &["a"; 128].join("/")).unwrap();
    let mut set = FilterSet::new();
    for depth in 0..=128 {
        let levels = vec!["*"; depth];
        set.insert(
            Filter::new(channel("1"), &levels.join("/")).unwrap(),
            ("stars", depth),
            (),
        );
        let mut levels = vec!["a"; depth];
        levels.push("#");
        if depth < 128 {
            set.insert(
                Filter::new(channel("1"), &levels.join("/")).unwrap(),
                ("rest", depth),
                (),
            );
        }
        if depth > 0 {
            levels.pop();
            levels[depth - 1] = "*";
            set.insert(
                Filter::new(channel("1"), &levels.join("/")).unwrap(),
                ("last", depth),
                (),
            );
        }
    }
    let mut found: Vec<_> = set.matches(topic.as_topic()).map(|found| *found.0).collect();
    found.sort_unstable();
    let mut expected: Vec<_> = (0..128).map(|depth| ("rest", depth)).collect();
    expected.extend([("stars", 128), ("last", 128)]);
    expected.sort_unstable();
    assert_eq!(found, expected);
    let mut deeper = vec!["a"; 129];
    assert!(TopicBuf::new(channel("1"), &deeper.join("/")).is_err());
    deeper.pop();
    deeper.push("#");
    assert!(FilterBuf::new(channel("1"), &deeper.join("/")).is_err());
}
