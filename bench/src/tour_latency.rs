//! How long a reading takes from one wire to another: published on each wire, received on the same wire and on MQTT,
//! through the embedded gateway, one message at a time.

use std::error::Error;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use manywire::{Client, ContentType, Credentials, Payload, Subscription};
use manywire_gateway::{Gateway, Thing};
use tokio::sync::oneshot;

use crate::measure::Latencies;
use crate::report::Report;

/// The pack that crosses.
const PACK: &[u8] = br#"[{"bn":"urn:dev:7:","n":"voltage","u":"V","v":120.1,"t":-3.25}]"#;
const CHANNEL: &str = "30315311-56ba-484d-b500-c1e08305511f";
const THING: &str = "14d6c682-fb5a-4d28-b670-ee565ab5866c";
const KEY: &str = "ec82f341-d4b5-4c77-ae05-34877a62428f";

/// Messages before those that count.
const WARM_UP: usize = 200;
/// Messages that count.
const MESSAGES: usize = 2_000;
/// How long one message may take before the run is given up.
const PATIENCE: Duration = Duration::from_secs(10);

type Failure = Box<dyn Error + Send + Sync>;

/// Runs every case of the suite: `<published on>-to-<received on>`.
pub fn run(report: &mut Report) {
    let (urls, _stop) = start_gateway();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    for (published_on, _) in &urls {
        for (received_on, _) in &urls {
            let case = format!("{published_on}-to-{received_on}");
            let is_case = *received_on == "mqtt" || (received_on == published_on && *received_on != "http");
            if !is_case || !report.wants(&case) {
                continue;
            }
            let latencies = runtime.block_on(cross(url(&urls, published_on), url(&urls, received_on)));
            let latencies = latencies.unwrap_or_else(|error| panic!("{case}: {error}"));
            let figures = vec![
                ("p50_us", latencies.percentile(50)),
                ("p99_us", latencies.percentile(99)),
            ];
            report.figures(&case, "manywire", figures);
        }
    }
}

type Urls = Vec<(&'static str, String)>;

fn url<'a>(urls: &'a Urls, wire: &str) -> &'a str {
    urls.iter()
        .find(|(name, _)| *name == wire)
        .map_or("", |(_, url)| url)
}

/// A gateway on a thread and a runtime of its own; it ends when the sender is dropped.
fn start_gateway() -> (Urls, oneshot::Sender<()>) {
    let (started, urls) = mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let thing = Thing::new(THING).uses(CHANNEL).expect("the thing is valid");
            let gateway = Gateway::builder()
                .thing(thing, KEY)
                .start()
                .await
                .expect("the gateway starts");
            let urls = gateway.urls();
            let all = [
                ("http", Some(urls.http)),
                ("mqtt", urls.mqtt),
                ("mqtt+ws", urls.mqtt_ws),
                ("ws", Some(urls.ws)),
                ("coap", urls.coap),
            ];
            let all: Urls = all
                .into_iter()
                .filter_map(|(name, url)| Some((name, url?)))
                .collect();
            started.send(all).expect("the suite waits");
            stopped.await.ok();
            gateway.stop().await;
        });
    });
    (urls.recv().expect("the gateway starts"), stop)
}

/// Publishes on one wire and awaits every message on another.
async fn cross(publish_to: &str, receive_from: &str) -> Result<Latencies, Failure> {
    let receiver = connect(receive_from).await?;
    let publisher = connect(publish_to).await?;
    let mut subscription = receiver
        .channel(CHANNEL)?
        .subscribe("bedroom/temperature")
        .await?;
    let topic = publisher.channel(CHANNEL)?.subtopic("bedroom/temperature")?;
    let payload = Payload::new(Bytes::from_static(PACK)).content_type(ContentType::SENML_JSON);
    let mut latencies = Latencies::default();
    for count in 0..WARM_UP + MESSAGES {
        let start = Instant::now();
        let receipt = topic.publish(payload.clone()).enqueue().await?;
        arrive(&mut subscription).await?;
        if count >= WARM_UP {
            latencies.push(start.elapsed());
        }
        receipt.await?;
    }
    for client in [publisher, receiver] {
        client.close(PATIENCE).await?;
    }
    Ok(latencies)
}

async fn connect(url: &str) -> Result<Client, Failure> {
    let builder = Client::builder(url)?;
    Ok(builder
        .credentials(Credentials::thing(THING, KEY))
        .connect()
        .await?)
}

/// The next message, which must be the pack.
async fn arrive(subscription: &mut Subscription) -> Result<(), Failure> {
    let delivery = tokio::time::timeout(PATIENCE, subscription.next()).await?;
    let delivery = delivery.ok_or("the subscription ended")?;
    if &delivery.payload()[..] != PACK {
        return Err("other bytes arrived".into());
    }
    Ok(())
}
