//! A sensor: readings that are delivered, whatever the network does meanwhile.
//!
//! `cargo run --bin sensor -- URL ID KEY CHANNEL`, with the URL of any wire: `manywire gateway` prints some.

use std::time::Duration;

use manywire::{Client, Credentials};
use manywire_senml::{Pack, Record};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, id, key, channel] = arguments.as_slice() else {
        return Err("usage: sensor URL ID KEY CHANNEL".into());
    };
    // In the background: what is published before there is a connection waits for it.
    let client = Client::builder(url)?
        .credentials(Credentials::thing(id.as_str(), key.as_str()))
        .connect_in_background()?;
    let temperature = client.channel(channel)?.subtopic("bedroom/temperature")?;

    // The bedroom cools down by a tenth of a degree a second.
    for tenths in (200..=215).rev() {
        let value = manywire_senml::Number::decimal(tenths, -1)?;
        let record = Record::new("bedroom:temperature")
            .with_unit("Cel")
            .with_value(value)?;
        let receipt = temperature.publish(&Pack::from_records([record])?).await?;
        println!("{value} Cel, {}", receipt.guarantee());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    client.close(Duration::from_secs(5)).await?;
    Ok(())
}
