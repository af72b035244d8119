//! The names of streams, consumers, exchanges and queues, as the platform's services make them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use manywire_envelope::{amqp, nats};
use manywire_topics::{Dialect, Filter, Form, Topic};

#[test]
fn every_address_is_a_subject_of_the_stream_of_its_dialect() {
    for (dialect, path, subject) in [
        (Dialect::Channels, "channels/1/messages/a/b", "channels.1.a.b"),
        (Dialect::Domains, "m/d/c/ch/a/b", "m.d.c.ch.a.b"),
        (Dialect::FluxMq, "m/d/c/ch/a/b", "m.d.c.ch.a.b"),
    ] {
        let topic = Topic::parse(dialect, Form::Mqtt, path).unwrap();
        assert_eq!(topic.display(Form::Nats).unwrap().to_string(), subject);
        let prefix = nats::all_subjects(dialect).strip_suffix('>').unwrap();
        assert_eq!(prefix.strip_suffix('.'), Some(nats::stream(dialect)));
        assert!(subject.starts_with(prefix));
        assert_eq!(amqp::all_keys(dialect), format!("{prefix}#"));
    }
}

#[test]
fn durable_consumers_and_queues_are_named_as_the_platform_names_them() {
    let filter = Filter::parse(Dialect::Channels, Form::Mqtt, "channels/1/messages/+/b/#").unwrap();
    let subject = filter.display(Form::Nats).unwrap().to_string();
    assert_eq!(
        nats::durable_name(&subject, "rules").to_string(),
        "channels_1___b__-rules"
    );
    assert_eq!(
        nats::durable_name("m.>", "postgres writer").to_string(),
        "m__-postgres writer"
    );
    assert_eq!(
        amqp::queue_name(&subject, "rules").to_string(),
        "channels.1.*.b.>-rules"
    );
}
