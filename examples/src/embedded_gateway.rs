//! A gateway inside an application: things in code, and a tap on everything that is published.
//!
//! `cargo run --bin embedded_gateway`, then publish to the URLs it prints.

use manywire_gateway::broker::SubscribeOptions;
use manywire_gateway::{Gateway, Thing};
use manywire_topics::{Channel, Dialect, Filter};

const CHANNEL: &str = "30315311-56ba-484d-b500-c1e08305511f";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sensor = Thing::new("sensor").publishes_to(CHANNEL)?;
    let dashboard = Thing::new("dashboard").subscribes_to(CHANNEL)?;
    let gateway = Gateway::builder()
        .thing(sensor, "the-sensor-s-key")
        .thing(dashboard, "the-dashboard-s-key")
        .start()
        .await?;
    for url in gateway.urls().iter() {
        println!("{url}");
    }
    // MQTT's `#` is the channel and every subtopic below it.
    let everything = Filter::new(Channel::new(Dialect::Channels, None, CHANNEL)?, "#")?;
    let mut inbox = gateway.hub().inbox();
    inbox
        .subscribe(everything.to_buf(), SubscribeOptions::default())
        .await?;
    loop {
        match inbox.receive().await {
            Ok(received) => println!("{:?}", received.message),
            Err(lagged) => eprintln!("{lagged}"),
        }
    }
}
