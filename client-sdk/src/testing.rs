//! The contract of a transport, as a test that any transport can be put to.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use manywire::{ClientBuilder, memory::MemoryBroker, testing};
//!
//! let broker = MemoryBroker::new();
//! let report = testing::transport_contract(
//!     || ClientBuilder::with_transport(broker.transport()),
//!     || ClientBuilder::with_transport(broker.transport()),
//!     "a-channel",
//! )
//! .await?;
//! assert!(report.skipped.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{error::Error as StdError, fmt, future::IntoFuture, time::Duration};

use bytes::Bytes;
use futures_util::future::join_all;

use crate::{
    builder::ClientBuilder,
    channel::Channel,
    client::Client,
    error::{Error, ErrorKind},
    qos::QoS,
    subscription::Subscription,
};

/// Which clauses of the contract were tried.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Report {
    /// Clauses that hold.
    pub passed: Vec<&'static str>,
    /// Clauses that are about something the transport says it cannot do, or that its standard leaves to the server.
    pub skipped: Vec<&'static str>,
}

/// A clause that does not hold.
#[derive(Debug)]
pub struct Failure {
    clause: &'static str,
    what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.clause, self.what)
    }
}

impl StdError for Failure {}

/// Puts a transport to the test, by publishing over one client and receiving over another.
///
/// `sender` uses the transport; `receiver` may use the same or, for a transport that cannot subscribe, another one to the
/// same platform. Both must be allowed to use `channel`, which nobody else may use meanwhile.
///
/// # Errors
///
/// The first clause that does not hold.
pub async fn transport_contract(
    sender: impl Fn() -> ClientBuilder,
    receiver: impl Fn() -> ClientBuilder,
    channel: &str,
) -> Result<Report, Failure> {
    let sending = connect("it connects", &sender).await?;
    let receiving = connect("it connects", &receiver).await?;
    let pair = Pair {
        to: open(&sending, channel)?,
        from: open(&receiving, channel)?,
        sending,
        receiving,
    };
    let mut report = Report::default();
    pair.every_guarantee(&mut report).await?;
    pair.every_byte(&mut report).await?;
    pair.root_is_not_below(&mut report).await?;
    pair.wildcards(&mut report).await?;
    pair.order(&mut report).await?;
    pair.many_at_once(&mut report).await?;
    pair.impossible_calls(&mut report).await?;
    pair.retained(&mut report).await?;
    pair.subscribers_share(&mut report).await?;
    pair.closing(&mut report).await?;
    Ok(report)
}

struct Pair {
    sending: Client,
    receiving: Client,
    to: Channel,
    from: Channel,
}

impl Pair {
    async fn every_guarantee(&self, report: &mut Report) -> Result<(), Failure> {
        const CLAUSE: &str = "each guarantee it offers comes with a receipt";
        let topic = subtopic(CLAUSE, &self.to, "contract/guarantee")?;
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            if qos > self.sending.capabilities().max_qos {
                continue;
            }
            let receipt = within(CLAUSE, topic.publish(JSON).qos(qos)).await?;
            holds(CLAUSE, receipt.guarantee() == qos, || {
                format!("{qos}: {receipt:?}")
            })?;
        }
        report.passed.push(CLAUSE);
        Ok(())
    }

    async fn every_byte(&self, report: &mut Report) -> Result<(), Failure> {
        const CLAUSE: &str = "a payload arrives byte for byte";
        let topic = subtopic(CLAUSE, &self.to, "contract/bytes")?;
        let mut messages = subscribe(CLAUSE, &self.from, "contract/bytes").await?;
        let every_byte: Vec<u8> = (0..=255).collect();
        let large: Vec<u8> = (0..40_000_u32).map(|number| (number % 251) as u8).collect();
        for payload in [JSON.as_bytes().to_vec(), every_byte, large] {
            let limit = self.sending.capabilities().max_payload;
            if limit.is_some_and(|limit| payload.len() > limit) {
                continue;
            }
            within(CLAUSE, topic.publish(payload.clone())).await?;
            let got = next(CLAUSE, &mut messages).await?;
            holds(CLAUSE, got == payload, || {
                format!("{} bytes became {}", payload.len(), got.len())
            })?;
        }
        report.passed.push(CLAUSE);
        Ok(())
    }

    async fn root_is_not_below(&self, report: &mut Report) -> Result<(), Failure> {
        const CLAUSE: &str = "a channel without a subtopic means only itself";
        let below = subtopic(CLAUSE, &self.to, "contract/below")?;
        let mut messages = subscribe(CLAUSE, &self.from, "").await?;
        within(CLAUSE, below.publish("\"below\"")).await?;
        within(CLAUSE, self.to.publish("\"root\"")).await?;
        let got = next(CLAUSE, &mut messages).await?;
        holds(CLAUSE, got == "\"root\"", || format!("{got:?}"))?;
        report.passed.push(CLAUSE);
        Ok(())
    }

    async fn wildcards(&self, report: &mut Report) -> Result<(), Failure> {
        const CLAUSE: &str = "wildcards mean the same on every wire";
        // A server of MQTT 3.1.1 may send a copy for each filter that matches [MQTT-3.3.5-1], and cannot say which is for which.
        const ONE_COPY: &str = "filters that overlap do not multiply a message";
        let mut copies = 0;
        if !self.receiving.capabilities().wildcards {
            report.skipped.push(CLAUSE);
            return Ok(());
        }
        let mut one = subscribe(CLAUSE, &self.from, "contract/wild/*").await?;
        let mut below = subscribe(CLAUSE, &self.from, "contract/wild/>").await?;
        let mut all = subscribe(CLAUSE, &self.from, "contract/wild/#").await?;
        let topics = [
            "contract/wild",
            "contract/wild/a/b",
            "contract/other/a",
            "contract/wild/a",
        ];
        for name in topics {
            let topic = subtopic(CLAUSE, &self.to, name)?;
            within(CLAUSE, topic.publish(format!("\"{name}\""))).await?;
        }
        for (messages, expected) in [
            (&mut one, &["contract/wild/a"][..]),
            (&mut below, &["contract/wild/a/b", "contract/wild/a"][..]),
            (
                &mut all,
                &["contract/wild", "contract/wild/a/b", "contract/wild/a"][..],
            ),
        ] {
            // Different topics may overtake each other.
            let mut wanted: Vec<String> = expected.iter().map(|name| format!("\"{name}\"")).collect();
            let mut seen = Vec::new();
            while !wanted.is_empty() {
                let got = next(CLAUSE, messages).await?;
                if let Some(at) = wanted.iter().position(|name| got == *name) {
                    wanted.swap_remove(at);
                    seen.push(got);
                } else {
                    holds(CLAUSE, seen.contains(&got), || {
                        format!("{got:?} is not of {expected:?}")
                    })?;
                    copies += 1;
                }
            }
        }
        report.passed.push(CLAUSE);
        if copies == 0 {
            report.passed.push(ONE_COPY);
        } else {
            report.skipped.push(ONE_COPY);
        }
        Ok(())
    }

    async fn order(&self, report: &mut Report) -> Result<(), Failure> {
        const CLAUSE: &str = "messages of one topic keep their order";
        let topic = subtopic(CLAUSE, &self.to, "contract/order")?;
        let mut messages = subscribe(CLAUSE, &self.from, "contract/order").await?;
        let mut pending = Vec::new();
        for number in 0..100 {
            pending.push(within(CLAUSE, topic.enqueue(number.to_string())).await?);
        }
        for number in 0..100 {
            let got = next(CLAUSE, &mut messages).await?;
            holds(CLAUSE, got == number.to_string(), || {
                format!("{number} became {got:?}")
            })?;
        }
        for outcome in join_all(pending).await {
            outcome.map_err(|error| failure(CLAUSE, error))?;
        }
        report.passed.push(CLAUSE);
        Ok(())
    }

    async fn many_at_once(&self, report: &mut Report) -> Result<(), Failure> {
        const CLAUSE: &str = "each of many messages has its own outcome";
        let mut pending = Vec::new();
        for number in 0..200 {
            let topic = subtopic(CLAUSE, &self.to, &format!("contract/many/{}", number % 4))?;
            pending.push(within(CLAUSE, topic.enqueue(number.to_string())).await?);
        }
        let outcomes = within(CLAUSE, async { Ok(join_all(pending).await) }).await?;
        let failed = outcomes.into_iter().find_map(Result::err);
        holds(CLAUSE, failed.is_none(), || format!("{failed:?}"))?;
        holds(CLAUSE, self.sending.unfinished() == 0, || {
            "messages are left".to_owned()
        })?;
        report.passed.push(CLAUSE);
        Ok(())
    }

    async fn impossible_calls(&self, report: &mut Report) -> Result<(), Failure> {
        const CLAUSE: &str = "what it cannot do fails before anything is sent";
        let can = self.sending.capabilities();
        let topic = subtopic(CLAUSE, &self.to, "contract/impossible")?;
        let mut outcomes = Vec::new();
        if can.max_qos < QoS::ExactlyOnce {
            outcomes.push(topic.publish(JSON).qos(QoS::ExactlyOnce).try_enqueue().err());
        }
        if !can.retain {
            outcomes.push(topic.publish(JSON).retain(true).try_enqueue().err());
        }
        if !can.subscribe {
            outcomes.push(within(CLAUSE, async { Ok(self.to.subscribe("").await.err()) }).await?);
        }
        for error in outcomes {
            let kind = error.as_ref().map(Error::kind);
            holds(CLAUSE, kind == Some(ErrorKind::Unsupported), || {
                format!("{error:?}")
            })?;
        }
        report.passed.push(CLAUSE);
        Ok(())
    }

    async fn retained(&self, report: &mut Report) -> Result<(), Failure> {
        const CLAUSE: &str = "a retained message reaches a later subscriber";
        if !self.sending.capabilities().retain {
            report.skipped.push(CLAUSE);
            return Ok(());
        }
        let topic = subtopic(CLAUSE, &self.to, "contract/retained")?;
        within(CLAUSE, topic.publish(JSON).retain(true)).await?;
        let mut messages = subscribe(CLAUSE, &self.from, "contract/retained").await?;
        let got = next(CLAUSE, &mut messages).await?;
        holds(CLAUSE, got == JSON, || format!("{got:?}"))?;
        within(CLAUSE, topic.publish("").retain(true)).await?;
        report.passed.push(CLAUSE);
        Ok(())
    }

    async fn subscribers_share(&self, report: &mut Report) -> Result<(), Failure> {
        const CLAUSE: &str = "subscribers of one filter each receive everything, until they leave";
        let topic = subtopic(CLAUSE, &self.to, "contract/shared")?;
        let mut first = subscribe(CLAUSE, &self.from, "contract/shared").await?;
        let mut second = subscribe(CLAUSE, &self.from, "contract.shared").await?;
        within(CLAUSE, topic.publish("1")).await?;
        for messages in [&mut first, &mut second] {
            let got = next(CLAUSE, messages).await?;
            holds(CLAUSE, got == "1", || format!("{got:?}"))?;
        }
        drop(first);
        within(CLAUSE, topic.publish("2")).await?;
        let got = next(CLAUSE, &mut second).await?;
        holds(CLAUSE, got == "2", || format!("{got:?}"))?;
        drop(second);
        let mut third = subscribe(CLAUSE, &self.from, "contract/shared").await?;
        within(CLAUSE, topic.publish("3")).await?;
        let got = next(CLAUSE, &mut third).await?;
        holds(CLAUSE, got == "3", || format!("{got:?}"))?;
        report.passed.push(CLAUSE);
        Ok(())
    }

    async fn closing(self, report: &mut Report) -> Result<(), Failure> {
        const CLAUSE: &str = "closing delivers what was accepted";
        let topic = subtopic(CLAUSE, &self.to, "contract/close")?;
        let mut messages = subscribe(CLAUSE, &self.from, "contract/close").await?;
        for number in 0..10 {
            within(CLAUSE, topic.enqueue(number.to_string())).await?;
        }
        self.sending
            .close(LIMIT)
            .await
            .map_err(|error| failure(CLAUSE, error))?;
        for number in 0..10 {
            let got = next(CLAUSE, &mut messages).await?;
            holds(CLAUSE, got == number.to_string(), || {
                format!("{number} became {got:?}")
            })?;
        }
        let late = topic.try_publish(JSON).err().map(|error| error.kind());
        holds(CLAUSE, late == Some(ErrorKind::Closed), || {
            format!("publishing after it: {late:?}")
        })?;
        self.receiving
            .close(LIMIT)
            .await
            .map_err(|error| failure(CLAUSE, error))?;
        report.passed.push(CLAUSE);
        Ok(())
    }
}

fn failure(clause: &'static str, what: impl fmt::Display) -> Failure {
    Failure {
        clause,
        what: what.to_string(),
    }
}

fn holds(clause: &'static str, condition: bool, what: impl FnOnce() -> String) -> Result<(), Failure> {
    if condition {
        Ok(())
    } else {
        Err(Failure { clause, what: what() })
    }
}

async fn within<T>(
    clause: &'static str,
    future: impl IntoFuture<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(outcome) => outcome.map_err(|error| Failure {
            clause,
            what: format!("{error:?}"),
        }),
        Err(_elapsed) => Err(failure(clause, "it took too long")),
    }
}

async fn connect(clause: &'static str, make: impl Fn() -> ClientBuilder) -> Result<Client, Failure> {
    within(clause, make().connect()).await
}

fn open(client: &Client, channel: &str) -> Result<Channel, Failure> {
    client
        .channel(channel)
        .map_err(|error| failure("the channel exists", error))
}

fn subtopic(
    clause: &'static str,
    channel: &Channel,
    name: &str,
) -> Result<crate::channel::Subtopic, Failure> {
    channel.subtopic(name).map_err(|error| failure(clause, error))
}

async fn subscribe(clause: &'static str, channel: &Channel, filter: &str) -> Result<Subscription, Failure> {
    within(clause, channel.subscribe(filter)).await
}

async fn next(clause: &'static str, messages: &mut Subscription) -> Result<Bytes, Failure> {
    let next = async {
        let message = messages.next().await;
        message
            .map(|message| message.payload().clone())
            .ok_or_else(|| Error::new(ErrorKind::Closed))
    };
    within(clause, next).await
}

/// How long one step may take.
const LIMIT: Duration = Duration::from_secs(20);
/// A payload that every content type of the platform allows.
const JSON: &str = r#"[{"n":"contract","v":1}]"#;
