//! What `Dialect::Channels` takes, refuses and prints.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use manywire_topics::{Channel, Dialect, ErrorKind, Filter, Form, Topic};

const DIALECT: Dialect = Dialect::Channels;

fn channel() -> Channel<'static> {
    Channel::new(DIALECT, None, "1").unwrap()
}

fn subtopic(text: &str) -> Result<String, ErrorKind> {
    let topic = Topic::new(channel(), text).map_err(|error| error.kind())?;
    Ok(topic.subtopic().to_string())
}

fn in_path(text: &str) -> Result<String, ErrorKind> {
    let path = format!("/channels/1/messages/{text}");
    let topic = Topic::parse(DIALECT, Form::Path, &path).map_err(|error| error.kind())?;
    Ok(topic.subtopic().to_string())
}

#[test]
fn slashes_and_dots_separate_and_empty_parts_vanish() {
    assert_eq!(subtopic("a///b").unwrap(), "a.b");
    assert_eq!(subtopic("a.b").unwrap(), "a.b");
    assert_eq!(subtopic("/a/.b/").unwrap(), "a.b");
    assert_eq!(subtopic("").unwrap(), "");
    assert_eq!(subtopic("//").unwrap(), "");
    assert_eq!(Topic::new(channel(), "a///b"), Topic::new(channel(), "a.b"));
    assert_ne!(Topic::new(channel(), "ab"), Topic::new(channel(), "a.b"));
}

#[test]
fn a_topic_holds_no_wildcard() {
    for wildcard in ["*", ">", "+", "#", "a/*", "a/>/b", "+/a", "a.#"] {
        assert_eq!(subtopic(wildcard), Err(ErrorKind::Wildcard), "{wildcard}");
    }
    for part in ["a.b*c.d", "a*", ">>", "**", "a#", "+a"] {
        assert_eq!(subtopic(part), Err(ErrorKind::PartialWildcard), "{part}");
        assert_eq!(
            Filter::new(channel(), part).unwrap_err().kind(),
            ErrorKind::PartialWildcard,
            "{part}"
        );
    }
}

#[test]
fn paths_are_decoded_as_queries_are() {
    assert_eq!(in_path("a%2Fb").unwrap(), "a.b");
    assert_eq!(in_path("a%2eb").unwrap(), "a.b");
    assert_eq!(in_path("living+room/a%20b").unwrap(), "living room.a b");
    assert_eq!(in_path("caf%C3%A9").unwrap(), "café");
    assert_eq!(in_path("a?authorization=x").unwrap(), "a");
    assert_eq!(in_path("a/+/b"), Err(ErrorKind::PlusIsSpace));
    assert_eq!(in_path("%zz"), Err(ErrorKind::Escape));
    assert_eq!(in_path("a%"), Err(ErrorKind::Escape));
    assert_eq!(in_path("%FF"), Err(ErrorKind::Utf8));
    assert_eq!(in_path("%2B"), Err(ErrorKind::Wildcard));
    assert_eq!(in_path("a/../b"), Err(ErrorKind::DotSegment));
    assert_eq!(in_path("a%00"), Err(ErrorKind::Control));
}

#[test]
fn an_error_says_where() {
    let error = Topic::parse(DIALECT, Form::Path, "channels/1/messages/a/b*c").unwrap_err();
    assert_eq!((error.kind(), error.at()), (ErrorKind::PartialWildcard, 23));
    let error = Topic::parse(DIALECT, Form::Mqtt, "channels/a b/messages").unwrap_err();
    assert_eq!((error.kind(), error.at()), (ErrorKind::Id, 10));
    let error = Topic::parse(DIALECT, Form::Mqtt, "channels/1/massages").unwrap_err();
    assert_eq!((error.kind(), error.at()), (ErrorKind::Layout, 10));
}

#[test]
fn a_topic_is_printed_in_every_form() {
    let topic = Topic::new(channel(), "living room/a/b").unwrap();
    assert_eq!(
        topic.display(Form::Path).unwrap().to_string(),
        "channels/1/messages/living%20room/a/b"
    );
    assert_eq!(
        topic.display(Form::Mqtt).unwrap().to_string(),
        "channels/1/messages/living room/a/b"
    );
    assert_eq!(
        topic.display(Form::Amqp).unwrap().to_string(),
        "channels.1.living room.a.b"
    );
    assert_eq!(topic.display(Form::Nats).unwrap_err().kind(), ErrorKind::Space);
    let percent = Topic::new(channel(), "100%").unwrap();
    assert_eq!(
        percent.display(Form::Path).unwrap().to_string(),
        "channels/1/messages/100%25"
    );
    assert_eq!(
        percent.display(Form::Mqtt).unwrap_err().kind(),
        ErrorKind::EscapeOnMqtt
    );
}

#[test]
fn wildcards_keep_their_meaning_in_every_form() {
    let print = |text: &str, form| {
        Filter::new(channel(), text)
            .unwrap()
            .display(form)
            .unwrap()
            .to_string()
    };
    assert_eq!(print("a/+/b", Form::Nats), "channels.1.a.*.b");
    assert_eq!(print("a/*/b", Form::Mqtt), "channels/1/messages/a/+/b");
    assert_eq!(print("a/>", Form::Mqtt), "channels/1/messages/a/+/#");
    assert_eq!(print("a/>", Form::Amqp), "channels.1.a.*.#");
    assert_eq!(print("a/#", Form::Mqtt), "channels/1/messages/a/#");
    assert_eq!(print("a/#", Form::Nats), "channels.1.a.>");
    assert_eq!(print("a/>", Form::Path), "channels/1/messages/a/%3E");
    let filter = Filter::new(channel(), "a/#").unwrap();
    assert_eq!(
        filter.also(Form::Nats),
        Some(Filter::new(channel(), "a").unwrap())
    );
    assert_eq!(filter.also(Form::Mqtt), None);
}

#[test]
fn wildcards_match_whole_levels() {
    let matches = |filter: &str, topic: &str| {
        Filter::new(channel(), filter)
            .unwrap()
            .matches(Topic::new(channel(), topic).unwrap())
    };
    assert!(matches("bedroom/*", "bedroom/temperature"));
    assert!(!matches("bedroom/*", "bedroom"));
    assert!(!matches("bedroom/*", "bedroom/a/b"));
    assert!(matches(">", "bedroom/a/b") && !matches(">", ""));
    assert!(matches("#", "bedroom/a/b") && matches("#", ""));
    assert!(matches("a/#", "a") && matches("a/#", "a/b/c") && !matches("a/#", "b"));
    assert!(matches("*/>", "a/b") && !matches("*/>", "a"));
    assert!(matches("", "") && !matches("", "a") && !matches("a", ""));
    assert!(matches("#", "$SYS"));
    assert_eq!(
        Filter::new(channel(), "a/*/#").unwrap(),
        Filter::new(channel(), "a/>").unwrap()
    );
    for middle in ["#/a", "a/>/b", ">.>"] {
        assert_eq!(
            Filter::new(channel(), middle).unwrap_err().kind(),
            ErrorKind::RestNotLast,
            "{middle}"
        );
    }
}
