//! HTTP on reqwest: publishing only.

use std::{
    collections::{HashMap, VecDeque},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::Stream;
use futures_sink::Sink;
use futures_util::stream::FuturesUnordered;
use manywire_topics::{Dialect, TopicBuf};
use reqwest::{
    Client,
    header::{AUTHORIZATION, CONTENT_TYPE},
    redirect::Policy,
};

use crate::{
    binding::http as binding,
    credentials::Credentials,
    endpoint::Endpoint,
    error::{Refusal, RefusalKind},
    message::Message,
    net,
    qos::QoS,
    tls::Tls,
    transport::{
        BoxFuture, Capabilities, ConnectContext, Connected, Event, Op, OpId, Transport, TransportError,
        TransportErrorKind,
    },
};

/// Publishes by POST. There is no connection to speak of: a wrong address or key shows at the first message.
///
/// Messages of one topic are sent one after the other, so that they arrive in order; those of different topics, up to 32,
/// at the same time.
#[derive(Debug)]
pub struct HttpTransport {
    endpoint: Endpoint,
    tls: Tls,
}

impl HttpTransport {
    /// A transport to this endpoint; its path comes before the platform's own.
    #[must_use]
    pub const fn new(endpoint: Endpoint, tls: Tls) -> Self {
        Self { endpoint, tls }
    }

    fn open(&self, context: &ConnectContext<'_>) -> Result<Connected, TransportError> {
        let client = Client::builder()
            .tls_backend_preconfigured(net::client_config(&self.tls)?)
            .connect_timeout(context.timeout)
            .timeout(ANSWER_TIMEOUT)
            .tcp_nodelay(true)
            // A redirect would turn the POST into a GET, or send the key elsewhere.
            .redirect(Policy::none())
            .build()
            .map_err(|error| TransportError::new(TransportErrorKind::Unsupported).caused_by(error))?;
        let scheme = if self.endpoint.is_secure() {
            "https"
        } else {
            "http"
        };
        let poster = Poster {
            client,
            base: format!("{scheme}://{}{}", self.endpoint.authority(), self.endpoint.path()),
            credentials: context.credentials.cloned(),
        };
        let session = HttpSession {
            poster: Arc::new(poster),
            queues: HashMap::new(),
            requests: FuturesUnordered::new(),
            answers: VecDeque::new(),
            failure: None,
        };
        Ok(Connected::new(session, capabilities(context.dialect)))
    }
}

impl Transport for HttpTransport {
    fn capabilities(&self) -> Capabilities {
        capabilities(Dialect::FluxMq)
    }

    fn connect<'a>(
        &'a self,
        context: &'a ConnectContext<'a>,
    ) -> BoxFuture<'a, Result<Connected, TransportError>> {
        Box::pin(async move { self.open(context) })
    }
}

/// The newest generation can keep a message; no generation confirms more than having taken it.
const fn capabilities(dialect: Dialect) -> Capabilities {
    Capabilities {
        retain: matches!(dialect, Dialect::FluxMq),
        max_in_flight: MAX_REQUESTS,
        ..Capabilities::publish_only(QoS::AtLeastOnce)
    }
}

struct Poster {
    client: Client,
    base: String,
    credentials: Option<Credentials>,
}

/// What became of one request.
struct Answer {
    id: OpId,
    topic: TopicBuf,
    outcome: Result<(), Problem>,
}

enum Problem {
    Refused(Refusal),
    Lost(TransportError),
}

impl Poster {
    async fn post(self: Arc<Self>, id: OpId, message: Message) -> Answer {
        let outcome = self.try_post(&message).await;
        Answer {
            id,
            topic: message.topic,
            outcome,
        }
    }

    async fn try_post(&self, message: &Message) -> Result<(), Problem> {
        let request = binding::publish(message, self.credentials.as_ref())
            .map_err(|error| Problem::Refused(Refusal::new(RefusalKind::Topic).because(error.rule())))?;
        let mut post = self
            .client
            .post(format!("{}{}", self.base, request.target))
            .header(CONTENT_TYPE, request.content_type.as_str())
            .body(message.payload.clone());
        if let Some(authorization) = request.authorization {
            post = post.header(AUTHORIZATION, authorization);
        }
        let mut answer = post.send().await.map_err(lost)?;
        let mut body = Vec::new();
        while body.len() < LONGEST_REASON
            && let Some(chunk) = answer.chunk().await.map_err(lost)?
        {
            body.extend_from_slice(&chunk);
        }
        binding::outcome(answer.status().as_u16(), &body).map_err(|refusal| match refusal.kind() {
            RefusalKind::Busy => {
                let kind = TransportErrorKind::Refused(RefusalKind::Busy);
                Problem::Lost(TransportError::new(kind).because(refusal.reason().unwrap_or_default()))
            }
            _ => Problem::Refused(refusal),
        })
    }
}

/// The error without the URL, which may name a channel, and with the cause that says more.
fn lost(error: reqwest::Error) -> Problem {
    let kind = if error.is_timeout() {
        TransportErrorKind::TimedOut
    } else if error.is_connect() {
        TransportErrorKind::Unreachable
    } else if error.is_builder() {
        TransportErrorKind::Unsupported
    } else {
        TransportErrorKind::Closed
    };
    Problem::Lost(TransportError::new(kind).caused_by(error.without_url()))
}

struct HttpSession {
    poster: Arc<Poster>,
    /// Topics with a request under way, and what waits behind it.
    queues: HashMap<TopicBuf, VecDeque<(OpId, Message)>>,
    requests: FuturesUnordered<BoxFuture<'static, Answer>>,
    answers: VecDeque<Event>,
    /// Set when the platform cannot be reached: what is under way is waited for, nothing new is begun.
    failure: Option<TransportError>,
}

impl HttpSession {
    fn begin(&mut self, id: OpId, message: Message) {
        if let Some(queue) = self.queues.get_mut(&message.topic) {
            queue.push_back((id, message));
            return;
        }
        self.queues.insert(message.topic.clone(), VecDeque::new());
        self.requests
            .push(Box::pin(Arc::clone(&self.poster).post(id, message)));
    }

    fn handle(&mut self, answer: Answer) -> Option<Event> {
        let event = match answer.outcome {
            Ok(()) => Some(Event::Published(answer.id)),
            Err(Problem::Refused(refusal)) => Some(Event::Refused {
                id: answer.id,
                refusal,
            }),
            Err(Problem::Lost(error)) => {
                self.failure.get_or_insert(error);
                None
            }
        };
        let next = self.queues.get_mut(&answer.topic).and_then(VecDeque::pop_front);
        match next {
            Some((id, message)) if self.failure.is_none() => {
                self.requests
                    .push(Box::pin(Arc::clone(&self.poster).post(id, message)));
            }
            _ => drop(self.queues.remove(&answer.topic)),
        }
        event
    }

    fn waiting(&self) -> usize {
        self.requests.len() + self.queues.values().map(VecDeque::len).sum::<usize>()
    }
}

impl Stream for HttpSession {
    type Item = Result<Event, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.answers.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            match Pin::new(&mut self.requests).poll_next(context) {
                Poll::Ready(Some(answer)) => {
                    if let Some(event) = self.handle(answer) {
                        return Poll::Ready(Some(Ok(event)));
                    }
                }
                Poll::Ready(None) => {
                    return match self.failure.take() {
                        Some(error) => Poll::Ready(Some(Err(error))),
                        None => Poll::Pending,
                    };
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Sink<Op> for HttpSession {
    type Error = TransportError;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        // The reading half wakes the task when a request is done.
        if self.failure.is_some() || self.waiting() >= 2 * MAX_REQUESTS {
            Poll::Pending
        } else {
            Poll::Ready(Ok(()))
        }
    }

    fn start_send(mut self: Pin<&mut Self>, op: Op) -> Result<(), TransportError> {
        match op {
            Op::Publish { id, message, .. } => self.begin(id, message),
            Op::Subscribe { id, .. } => {
                let refusal = Refusal::new(RefusalKind::Unsupported);
                self.answers.push_back(Event::Refused { id, refusal });
            }
            Op::Unsubscribe { id, .. } => self.answers.push_back(Event::Unsubscribed(id)),
            Op::Acknowledge(_) | Op::Release(_) => {}
        }
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        while ready!(Pin::new(&mut self.requests).poll_next(context)).is_some() {}
        Poll::Ready(Ok(()))
    }
}

/// Requests at the same time.
const MAX_REQUESTS: usize = 32;
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How much of a refusal's text is read.
const LONGEST_REASON: usize = 4096;
