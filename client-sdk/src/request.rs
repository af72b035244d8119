//! Requests and their answers (MQTT 5.0 §4.10).

use std::{
    collections::HashMap,
    fmt,
    future::{IntoFuture, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use futures_core::Stream;
use manywire_topics::TopicBuf;

use crate::{
    channel::Subtopic,
    client::Handle,
    error::{Error, ErrorKind},
    message::ContentType,
    payload::IntoPayload,
    properties::Properties,
    publish::Publish,
    qos::QoS,
    subscription::{Delivery, Subscription},
    transport::BoxFuture,
};

/// Sends requests, and receives their answers over one subscription. Cheap to clone; made by
/// [`Channel::requester`](crate::Channel::requester).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use manywire::Client;
///
/// let client = Client::builder("memory://requests")?.connect().await?; // or `mqtt://`, with a server of MQTT 5
/// let channel = client.channel("garden")?;
/// let mut requests = channel.subscribe("pump/commands").await?;
/// let requester = channel.requester("answers/operator-7").await?;
///
/// let answering = async {
///     let request = requests.next().await.ok_or("the client was closed")?;
///     client.respond(&request, "is on").await?;
///     Ok::<_, Box<dyn std::error::Error>>(())
/// };
/// let commands = channel.subtopic("pump/commands")?;
/// let asking = async { Ok::<_, Box<dyn std::error::Error>>(requester.request(&commands, "on").await?) };
/// let ((), answer) = futures_util::future::try_join(answering, asking).await?;
/// assert_eq!(&answer.payload()[..], b"is on");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Requester {
    handle: Handle,
    topic: TopicBuf,
    answers: Arc<Answers>,
}

impl Requester {
    /// `messages` are those of `topic`.
    pub(crate) fn new(handle: Handle, topic: TopicBuf, messages: Subscription) -> Self {
        Self {
            handle,
            topic,
            answers: Arc::new(Answers(Mutex::new(State {
                messages,
                waiting: HashMap::new(),
            }))),
        }
    }

    /// The topic on which answers come.
    #[must_use]
    pub const fn topic(&self) -> &TopicBuf {
        &self.topic
    }

    /// A request to whoever subscribes to this topic: await it for the answer.
    pub fn request(&self, to: &Subtopic, payload: impl IntoPayload) -> Request {
        let correlation = Bytes::copy_from_slice(&fastrand::u128(..).to_be_bytes());
        let properties = Properties::new()
            .with_response_topic(self.topic.clone())
            .with_correlation_data(correlation.clone());
        Request {
            handle: self.handle.clone(),
            answers: Arc::clone(&self.answers),
            correlation,
            publish: to.publish(payload).properties(properties),
            timeout: Duration::from_secs(30),
        }
    }
}

/// One request. Await it for the answer; dropping the future does not take the request back.
#[derive(Debug)]
#[must_use = "nothing is asked until this is awaited"]
pub struct Request {
    handle: Handle,
    answers: Arc<Answers>,
    correlation: Bytes,
    publish: Publish,
    timeout: Duration,
}

impl Request {
    /// How long to wait for the answer; 30 s unless set. The platform forgets the request after this time too. When it has
    /// passed, the error [is a timeout](Error::is_timeout).
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends the request with this guarantee.
    pub fn qos(mut self, qos: QoS) -> Self {
        self.publish = self.publish.qos(qos);
        self
    }

    /// Says what the payload is.
    pub fn content_type(mut self, content_type: ContentType) -> Self {
        self.publish = self.publish.content_type(content_type);
        self
    }

    /// Adds a name and a value of the application's own.
    pub fn user_property(mut self, name: impl Into<Box<str>>, value: impl Into<Box<str>>) -> Self {
        self.publish = self.publish.user_property(name, value);
        self
    }

    async fn ask(self) -> Result<Delivery, Error> {
        let timer = &self.handle.shared().timer;
        let mut timeout = timer.sleep_until(timer.now() + self.timeout);
        let place = Place::new(self.answers, self.correlation);
        let mut sent = self.publish.expires_after(self.timeout).into_future();
        let mut is_sent = false;
        poll_fn(|context| {
            // A refused request has no answer; an accepted one may have it before its receipt.
            if !is_sent && let Poll::Ready(outcome) = sent.as_mut().poll(context) {
                outcome?;
                is_sent = true;
            }
            if let Poll::Ready(answer) = place.poll(context) {
                return Poll::Ready(answer);
            }
            timeout
                .as_mut()
                .poll(context)
                .map(|()| Err(Error::because(ErrorKind::Expired, "no answer came in time")))
        })
        .await
    }
}

impl IntoFuture for Request {
    type Output = Result<Delivery, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.ask())
    }
}

/// The subscription that all requests share. Whoever waits reads it, for everybody.
struct Answers(Mutex<State>);

struct State {
    messages: Subscription,
    /// By correlation data.
    waiting: HashMap<Bytes, Waiting>,
}

#[derive(Default)]
struct Waiting {
    answer: Option<Delivery>,
    waker: Option<Waker>,
}

impl Answers {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Hands over the next message to the request it answers; an answer that nobody waits for any more is dropped.
    fn sort(&mut self, message: Delivery) {
        let correlation = message.properties().correlation_data();
        if let Some(waiting) = correlation.and_then(|data| self.waiting.get_mut(data)) {
            waiting.answer = Some(message);
            waiting.wake();
        }
    }
}

impl Waiting {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.lock().waiting.len();
        f.debug_struct("Answers").field("waiting", &waiting).finish()
    }
}

/// A request's place among those that wait; given up when it is dropped.
struct Place {
    answers: Arc<Answers>,
    correlation: Bytes,
}

impl Place {
    fn new(answers: Arc<Answers>, correlation: Bytes) -> Self {
        let waiting = Waiting::default();
        answers.lock().waiting.insert(correlation.clone(), waiting);
        Self { answers, correlation }
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Result<Delivery, Error>> {
        let mut state = self.answers.lock();
        loop {
            let Some(own) = state.waiting.get_mut(&self.correlation) else {
                return Poll::Ready(Err(Error::new(ErrorKind::Closed)));
            };
            if let Some(answer) = own.answer.take() {
                return Poll::Ready(Ok(answer));
            }
            own.waker = Some(context.waker().clone());
            match Pin::new(&mut state.messages).poll_next(context) {
                Poll::Ready(Some(message)) => state.sort(message),
                Poll::Ready(None) => {
                    let reason = state.messages.error();
                    return Poll::Ready(Err(reason.unwrap_or_else(|| Error::new(ErrorKind::Closed))));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Drop for Place {
    /// The subscription knows only who read last: the others read it from now on.
    fn drop(&mut self) {
        let mut state = self.answers.lock();
        state.waiting.remove(&self.correlation);
        state.waiting.values_mut().for_each(Waiting::wake);
    }
}
