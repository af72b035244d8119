//! A dashboard: every reading of a channel, resolved, one line each.
//!
//! `cargo run --bin dashboard -- URL ID KEY CHANNEL`; anything but HTTP can subscribe.

use std::time::SystemTime;

use manywire::{Client, Credentials};
use manywire_senml::{Nanos, Value};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, id, key, channel] = arguments.as_slice() else {
        return Err("usage: dashboard URL ID KEY CHANNEL".into());
    };
    let client = Client::builder(url)?
        .credentials(Credentials::thing(id.as_str(), key.as_str()))
        .connect()
        .await?;
    let mut readings = client.channel(channel)?.subscribe(">").await?;
    while let Some(delivery) = readings.next().await {
        let topic = delivery
            .topic()
            .map(|topic| topic.subtopic().to_string())
            .unwrap_or_default();
        let pack = match delivery.senml() {
            Ok(pack) => pack,
            Err(error) => {
                eprintln!("{topic}: {error}");
                continue;
            }
        };
        // A time below 2^28 is relative to now (RFC 8428 §4.5.3); now is when the pack arrived.
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)?
            .as_nanos();
        for reading in pack.resolve(Nanos::new(i128::try_from(now)?))?.iter() {
            let value = match reading.value {
                Some(Value::Number(number)) => number.to_string(),
                other => format!("{other:?}"),
            };
            println!(
                "{topic} {} {value} {}",
                reading.name,
                reading.unit.unwrap_or_default()
            );
        }
    }
    Ok(())
}
