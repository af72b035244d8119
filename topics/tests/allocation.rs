//! Reading, comparing, printing and matching ask the allocator for nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::fmt::Write;
use std::hint::black_box;

use allocation_counter::measure;
use manywire_topics::{Channel, Dialect, Filter, FilterSet, Form, Topic, TopicBuf, parse_as_platform};

const ID: &str = "30315311-56ba-484d-b500-c1e08305511f";

fn allocations(work: impl FnOnce()) -> u64 {
    measure(work).count_total
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(black_box(Box::new(1)))), 1);
}

#[test]
fn parsing_and_printing_allocate_nothing() {
    let path = format!("/channels/{ID}/messages/living%20room/temperature");
    let mut out = String::with_capacity(200);
    let counted = allocations(|| {
        let topic = Topic::parse(Dialect::Channels, Form::Path, black_box(&path)).unwrap();
        write!(out, "{}", topic.display(Form::Mqtt).unwrap()).unwrap();
        assert!(
            Topic::parse(
                Dialect::Channels,
                Form::Path,
                black_box("channels/1/messages/a*b")
            )
            .is_err()
        );
        assert_eq!(
            topic,
            Topic::new(topic.channel(), "living room.temperature").unwrap()
        );
        let address = parse_as_platform(
            Dialect::Channels,
            manywire_topics::Action::Publish,
            black_box(&path),
        )
        .unwrap();
        write!(out, "{}", address.subtopic()).unwrap();
    });
    assert_eq!(counted, 0);
}

#[test]
fn matching_allocates_nothing() {
    let channel = Channel::new(Dialect::Channels, None, ID).unwrap();
    let mut set = FilterSet::new();
    for number in 0..1000 {
        for filter in [
            format!("room{number}/*"),
            format!("room{number}/temperature"),
            "*/*".into(),
            "#".into(),
        ] {
            set.insert(Filter::new(channel, &filter).unwrap(), number, ());
        }
    }
    let path = format!("/channels/{ID}/messages/room7%2Ftemperature");
    let deep = TopicBuf::new(channel, &["room7"; 128].join("/")).unwrap();
    let counted = allocations(|| {
        let topic = Topic::new(channel, black_box("room7/temperature")).unwrap();
        assert_eq!(set.matches(topic).count(), 2002);
        let escaped = Topic::parse(Dialect::Channels, Form::Path, black_box(&path)).unwrap();
        assert_eq!(set.matches(escaped).count(), 2002);
        assert_eq!(set.matches(deep.as_topic()).count(), 1000);
        assert!(
            Filter::new(channel, black_box("*/temperature"))
                .unwrap()
                .matches(topic)
        );
    });
    assert_eq!(counted, 0);
}

#[test]
fn an_owned_topic_is_one_allocation_and_its_clone_none() {
    let channel = Channel::new(Dialect::Channels, None, ID).unwrap();
    let topic = Topic::new(channel, "bedroom/temperature").unwrap();
    let mut kept = Vec::with_capacity(2);
    // The text is put together in a buffer of its own and then moved next to its count.
    assert!(allocations(|| kept.push(topic.to_buf())) <= 2);
    assert_eq!(allocations(|| kept.push(kept[0].clone())), 0);
}
