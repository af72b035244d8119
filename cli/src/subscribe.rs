//! `manywire sub`: one line per message.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use data_encoding::BASE64;
use manywire::{Delivery, QoS, Subscription};
use manywire_topics::Form;
use serde_json::{Map, Value, json};

use crate::connection::Connection;
use crate::publish::parse_qos;
use crate::report::failure;

/// Subscribe and print one line per message: its topic and its payload.
#[derive(Args)]
pub(crate) struct SubscribeArgs {
    #[command(flatten)]
    connection: Connection,
    /// The subtopics wanted, wildcards included: `bedroom/*`, `>`; the channel itself if not given.
    #[arg(long, default_value = "")]
    subtopic: String,
    /// The strongest guarantee to receive with: 0, 1 or 2.
    #[arg(long, value_parser = parse_qos, default_value = "1")]
    qos: QoS,
    /// One JSON object per line, with the payload as text or as base64.
    #[arg(long)]
    json: bool,
    /// Exit after this many messages.
    #[arg(long, value_name = "N")]
    count: Option<u64>,
}

pub(crate) async fn run(arguments: SubscribeArgs) -> ExitCode {
    tokio::select! {
        outcome = subscribe(&arguments) => match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failure("subscription", error.as_ref()),
        },
        _ = tokio::signal::ctrl_c() => ExitCode::SUCCESS,
    }
}

async fn subscribe(arguments: &SubscribeArgs) -> Result<(), Box<dyn std::error::Error>> {
    let (client, channel) = arguments.connection.open().await?;
    let mut subscription = channel.subscribe(&arguments.subtopic).qos(arguments.qos).await?;
    eprintln!("subscribed: {}", subscription.qos());
    let mut left = arguments.count.unwrap_or(u64::MAX);
    while left > 0 {
        let Some(delivery) = subscription.next().await else {
            break;
        };
        let line = if arguments.json {
            to_json(&delivery, &subscription).to_string()
        } else {
            format!(
                "{} {}",
                topic(&delivery, &subscription).unwrap_or_else(|| "-".into()),
                text(delivery.payload())
            )
        };
        // Whoever reads the lines may have gone away, as `head` does.
        if writeln!(io::stdout(), "{line}").is_err() {
            break;
        }
        left -= 1;
    }
    if let Some(error) = subscription.error() {
        return Err(error.into());
    }
    drop(subscription);
    client.close(Duration::from_secs(1)).await?;
    Ok(())
}

/// What the message was published to: as the protocol says or, without wildcards, as the filter says.
fn topic(delivery: &Delivery, subscription: &Subscription) -> Option<String> {
    let exact = || {
        subscription
            .filter()
            .as_filter()
            .as_topic()
            .map(|topic| topic.to_buf())
    };
    let topic = delivery.topic().cloned().or_else(exact)?;
    topic.display(Form::Mqtt).ok().map(|printed| printed.to_string())
}

/// The payload on one line: text as it is, with control characters escaped; anything else in hexadecimal.
fn text(payload: &[u8]) -> String {
    match std::str::from_utf8(payload) {
        Ok(text) => text
            .chars()
            .map(|char| {
                if char.is_control() {
                    char.escape_default().to_string()
                } else {
                    char.to_string()
                }
            })
            .collect(),
        Err(_) => payload
            .iter()
            .fold("0x".to_owned(), |hex, byte| hex + &format!("{byte:02x}")),
    }
}

fn to_json(delivery: &Delivery, subscription: &Subscription) -> Value {
    let mut object = Map::new();
    object.insert("topic".into(), json!(topic(delivery, subscription)));
    object.insert(
        "subtopic".into(),
        json!(delivery.topic().map(|topic| topic.subtopic().to_string())),
    );
    match std::str::from_utf8(delivery.payload()) {
        Ok(text) => object.insert("payload".into(), json!(text)),
        Err(_) => object.insert("payload_base64".into(), json!(BASE64.encode(delivery.payload()))),
    };
    object.insert("bytes".into(), json!(delivery.payload().len()));
    object.insert("qos".into(), json!(delivery.qos().level()));
    object.insert("retain".into(), json!(delivery.is_retained()));
    object.insert(
        "content_type".into(),
        json!(delivery.content_type().map(ToString::to_string)),
    );
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_one_line_whatever_it_holds() {
        assert_eq!(text(b"[{\"n\":\"a\"}]"), "[{\"n\":\"a\"}]");
        assert_eq!(text(b"a\nb\x1b"), "a\\nb\\u{1b}");
        assert_eq!(text("21 °C".as_bytes()), "21 °C");
        assert_eq!(text(&[0x81, 0xa2, 0xff]), "0x81a2ff");
    }
}
