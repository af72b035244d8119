//! The crossing: a gateway, subscribers on every wire that can subscribe, publishers on every wire.

use std::error::Error;
use std::time::{Duration, Instant};

use bytes::Bytes;
use manywire::{Client, ContentType, Credentials, Payload, Subscription};
use manywire_gateway::{Gateway, Running, Thing};
use manywire_senml::{Format, Nanos, Value};

use crate::report::{Cell, Reading, Report};

/// The pack of the platform's documentation.
const PACK: &str = r#"[{"bn":"some-base-name:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},{"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3}]"#;

const CHANNEL: &str = "30315311-56ba-484d-b500-c1e08305511f";
const THING: &str = "14d6c682-fb5a-4d28-b670-ee565ab5866c";
const KEY: &str = "ec82f341-d4b5-4c77-ae05-34877a62428f";

/// Where the pack is published: the channel itself, and a subtopic.
const TOPICS: [&str; 2] = ["", "bedroom/temperature"];

/// What is subscribed on every wire, and which of [`TOPICS`] each filter matches.
const FILTERS: [(&str, [bool; 2]); 4] = [
    ("", [true, false]),
    ("bedroom/temperature", [false, true]),
    ("bedroom/*", [false, true]),
    (">", [false, true]),
];

/// Every wire of the platform, in the order of the matrix.
const WIRES: [&str; 5] = ["http", "mqtt", "mqtt+ws", "ws", "coap"];

/// How long one delivery may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(10);

type Failure = Box<dyn Error + Send + Sync>;

/// A wire and the client on it.
struct Wire {
    name: &'static str,
    client: Client,
}

/// A subscriber: its wire, its filter and the stream.
struct Subscriber {
    wire: &'static str,
    filter: &'static str,
    wants: [bool; 2],
    subscription: Subscription,
}

/// One message of the tour: where it goes and what it is.
struct Shipment {
    topic: usize,
    payload: Payload,
    bytes: Bytes,
}

/// Runs the whole tour.
pub(crate) async fn cross() -> Result<Report, Failure> {
    let start = Instant::now();
    let thing = Thing::new(THING).uses(CHANNEL)?;
    let gateway = Gateway::builder().thing(thing, KEY).start().await?;
    let urls = urls(&gateway);
    let receivers = connect(&urls, |name| name != "http").await?;
    let publishers = connect(&urls, |_| true).await?;
    let mut subscribers = subscribe(&receivers).await?;
    let shipments = shipments()?;

    let mut report = Report {
        urls,
        channel: CHANNEL.to_owned(),
        readings: readings(&shipments)?,
        ..Report::default()
    };
    for publisher in &publishers {
        let mut cells = empty_cells(publisher.name, &receivers, &shipments);
        for shipment in &shipments {
            ship(
                publisher,
                shipment,
                &mut subscribers,
                &mut cells,
                &mut report.failures,
            )
            .await?;
        }
        report.cells.append(&mut cells);
    }
    nothing_more(&mut subscribers, &mut report.failures);
    drop(subscribers);
    for wire in publishers.into_iter().chain(receivers) {
        wire.client.close(Duration::from_secs(2)).await?;
    }
    gateway.stop().await;
    report.elapsed = start.elapsed();
    Ok(report)
}

/// Where each wire is reached, in the order of the matrix.
fn urls(gateway: &Running) -> Vec<(String, String)> {
    let urls = gateway.urls();
    let reached = [Some(urls.http), urls.mqtt, urls.mqtt_ws, Some(urls.ws), urls.coap];
    WIRES
        .into_iter()
        .zip(reached)
        .filter_map(|(name, url)| Some((name.to_owned(), url?)))
        .collect()
}

/// A client on each wire that is wanted.
async fn connect(urls: &[(String, String)], wanted: impl Fn(&str) -> bool) -> Result<Vec<Wire>, Failure> {
    let mut wires = Vec::new();
    for name in WIRES.into_iter().filter(|name| wanted(name)) {
        let (_, url) = urls
            .iter()
            .find(|(wire, _)| wire == name)
            .ok_or_else(|| format!("no {name} here"))?;
        let client = Client::builder(url)?
            .credentials(Credentials::thing(THING, KEY))
            .connect()
            .await?;
        wires.push(Wire { name, client });
    }
    Ok(wires)
}

/// Every filter on every wire.
async fn subscribe(receivers: &[Wire]) -> Result<Vec<Subscriber>, Failure> {
    let mut subscribers = Vec::new();
    for wire in receivers {
        let channel = wire.client.channel(CHANNEL)?;
        for (filter, wants) in FILTERS {
            let subscription = channel.subscribe(filter).await?;
            subscribers.push(Subscriber {
                wire: wire.name,
                filter,
                wants,
                subscription,
            });
        }
    }
    Ok(subscribers)
}

/// The pack, as JSON exactly as it is documented and as CBOR, to each topic.
fn shipments() -> Result<Vec<Shipment>, Failure> {
    let json = Bytes::from_static(PACK.as_bytes());
    let pack = manywire_senml::from_slice(PACK.as_bytes(), Format::Json)?;
    let cbor = Bytes::from(manywire_senml::to_vec(&pack, Format::Cbor)?);
    let forms = [(json, ContentType::SENML_JSON), (cbor, ContentType::SENML_CBOR)];
    let mut shipments = Vec::new();
    for topic in 0..TOPICS.len() {
        for (bytes, content_type) in &forms {
            let payload = Payload::new(bytes.clone()).content_type(content_type.clone());
            shipments.push(Shipment {
                topic,
                payload,
                bytes: bytes.clone(),
            });
        }
    }
    Ok(shipments)
}

/// A cell for each wire received on, with the deliveries it must show.
fn empty_cells(published_on: &'static str, receivers: &[Wire], shipments: &[Shipment]) -> Vec<Cell> {
    let expected = shipments
        .iter()
        .map(|shipment| {
            FILTERS
                .iter()
                .filter(|(_, wants)| wants.get(shipment.topic) == Some(&true))
                .count()
        })
        .sum();
    receivers
        .iter()
        .map(|wire| Cell {
            published_on,
            received_on: wire.name,
            expected,
            latencies: Vec::new(),
        })
        .collect()
}

/// Publishes one message and awaits it at every subscriber that should get it.
async fn ship(
    publisher: &Wire,
    shipment: &Shipment,
    subscribers: &mut [Subscriber],
    cells: &mut [Cell],
    failures: &mut Vec<String>,
) -> Result<(), Failure> {
    let subtopic = TOPICS.get(shipment.topic).copied().unwrap_or_default();
    let channel = publisher.client.channel(CHANNEL)?;
    let start = Instant::now();
    let receipt = channel
        .subtopic(subtopic)?
        .publish(shipment.payload.clone())
        .enqueue()
        .await?;
    let arrivals = subscribers
        .iter_mut()
        .filter(|subscriber| subscriber.wants.get(shipment.topic) == Some(&true))
        .map(|subscriber| arrive(subscriber, start, &shipment.bytes));
    for (wire, arrival) in futures_util::future::join_all(arrivals).await {
        match arrival {
            Ok(latency) => cells
                .iter_mut()
                .filter(|cell| cell.received_on == wire)
                .for_each(|cell| cell.latencies.push(latency)),
            Err(what) => failures.push(format!("{} to {subtopic:?}, {what}", publisher.name)),
        }
    }
    let receipt = receipt.await?;
    if receipt.attempts() != 1 {
        failures.push(format!(
            "{} to {subtopic:?} took {} attempts",
            publisher.name,
            receipt.attempts()
        ));
    }
    Ok(())
}

/// The next message of a subscriber: its latency, or what is wrong with it.
async fn arrive(
    subscriber: &mut Subscriber,
    start: Instant,
    bytes: &Bytes,
) -> (&'static str, Result<Duration, String>) {
    let who = format!("received on {} through {:?}", subscriber.wire, subscriber.filter);
    let outcome = match tokio::time::timeout(PATIENCE, subscriber.subscription.next()).await {
        Err(_) => Err(format!("{who}: nothing arrived")),
        Ok(None) => Err(format!("{who}: the subscription ended")),
        Ok(Some(delivery)) if delivery.payload() != bytes => Err(format!("{who}: other bytes arrived")),
        Ok(Some(_)) => Ok(start.elapsed()),
    };
    (subscriber.wire, outcome)
}

/// After every message has been awaited, nothing more may be waiting: that would be a message twice, or one that the
/// filter does not match.
fn nothing_more(subscribers: &mut [Subscriber], failures: &mut Vec<String>) {
    for subscriber in subscribers {
        if let Some(Some(_)) = futures_util::FutureExt::now_or_never(subscriber.subscription.next()) {
            failures.push(format!(
                "a message too many was received on {} through {:?}",
                subscriber.wire, subscriber.filter
            ));
        }
    }
}

/// The pack resolved (RFC 8428 §4.6), from the CBOR that crossed the wires; the JSON must say the same.
fn readings(shipments: &[Shipment]) -> Result<Vec<Reading>, Failure> {
    let mut forms = Vec::new();
    for (shipment, format) in shipments.iter().zip([Format::Json, Format::Cbor]) {
        forms.push(manywire_senml::from_slice(&shipment.bytes, format)?.resolve(None)?);
    }
    let resolved = forms.pop().ok_or("no pack was sent")?;
    if forms.iter().any(|form| form.as_slice() != resolved.as_slice()) {
        return Err("JSON and CBOR do not say the same".into());
    }
    Ok(resolved
        .iter()
        .map(|reading| Reading {
            name: reading.name.to_owned(),
            value: match reading.value {
                Some(Value::Number(number)) => number.to_string(),
                other => format!("{other:?}"),
            },
            unit: reading.unit.unwrap_or_default().to_owned(),
            time: reading.time.since_1970().map(Nanos::get).unwrap_or_default(),
        })
        .collect())
}
