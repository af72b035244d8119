//! What a request asks for, and the answer.

use std::sync::Arc;

use bytes::Bytes;
use manywire_coap::{Code, ContentFormat, Message as CoapMessage, OptionNumber};
use manywire_topics::{Dialect, FilterBuf, Form, TopicBuf};

use crate::broker::{BrokerError, Inbox, SubscribeOptions};
use crate::hub::Hub;
use crate::identity::{Action, Credentials, Denied, Thing};
use crate::message::{Message, Protocol};
use crate::{ContentType, metrics::WireMetrics};

/// What becomes of a request.
pub(super) enum Outcome {
    /// It is answered.
    Respond(CoapMessage),
    /// It subscribes: the first time, or again.
    Observe(Subscription),
    /// It ends a subscription.
    Deregister,
}

/// Who observes what.
pub(super) struct Subscription {
    pub(super) thing: Thing,
    pub(super) filter: FilterBuf,
    /// `None` if the observer is there already, and only renews its registration.
    pub(super) inbox: Option<Inbox>,
}

/// Why a request is not carried out.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    Path(manywire_topics::Error),
    Denied(Denied),
    /// GET without Observe, or with a value that means nothing.
    NotObserving,
    Method,
    Broker,
}

/// Carries a request out. `renews` is the filter that the same token observes already.
pub(super) async fn handle(hub: Arc<Hub>, request: CoapMessage, renews: Option<FilterBuf>) -> Outcome {
    let outcome = match request.code() {
        Code::GET => observe(&hub, &request, renews).await,
        // FluxMQ publishes whatever the method; its clients are told to POST.
        Code::POST => publish(&hub, request).await,
        _ => Err(Refusal::Method),
    };
    outcome.unwrap_or_else(|refusal| {
        refusal.count(&hub.metrics().coap);
        Outcome::Respond(refusal.response(hub.dialect()))
    })
}

async fn publish(hub: &Hub, request: CoapMessage) -> Result<Outcome, Refusal> {
    let dialect = hub.dialect();
    let topic = TopicBuf::parse(dialect, Form::Path, &path(&request)).map_err(Refusal::Path)?;
    let credentials = credentials(&request, dialect);
    let thing = hub
        .authenticate(credentials.as_ref())
        .await
        .map_err(Refusal::Denied)?;
    hub.authorize(&thing, Action::Publish, topic.channel())
        .await
        .map_err(Refusal::Denied)?;
    let content_type = content_type(&request);
    let payload = Bytes::from(request.into_payload());
    let mut message = Message::new(topic, payload, Arc::clone(thing.id()), Protocol::Coap);
    message.content_type = content_type;
    hub.publish(message).await.map_err(unavailable)?;
    Ok(Outcome::Respond(match dialect {
        Dialect::FluxMq => CoapMessage::new(Code::CHANGED).with_payload(b"ok".to_vec()),
        Dialect::Channels | Dialect::Domains => CoapMessage::new(Code::CREATED),
    }))
}

async fn observe(hub: &Hub, request: &CoapMessage, renews: Option<FilterBuf>) -> Result<Outcome, Refusal> {
    let dialect = hub.dialect();
    let filter = FilterBuf::parse(dialect, Form::Path, &path(request)).map_err(Refusal::Path)?;
    let credentials = credentials(request, dialect);
    let thing = hub
        .authenticate(credentials.as_ref())
        .await
        .map_err(Refusal::Denied)?;
    // RFC 7641 §2: 0 registers, 1 deregisters. There is nothing to read once: channels keep no state.
    let register = match request.uint(OptionNumber::OBSERVE) {
        Some(0) if dialect != Dialect::FluxMq => true,
        Some(1) if dialect != Dialect::FluxMq => false,
        _ => return Err(Refusal::NotObserving),
    };
    if !register {
        return Ok(Outcome::Deregister);
    }
    hub.authorize(&thing, Action::Subscribe, filter.channel())
        .await
        .map_err(Refusal::Denied)?;
    let inbox = if renews.as_ref() == Some(&filter) {
        None
    } else {
        let inbox = hub.inbox();
        inbox
            .subscribe(filter.clone(), SubscribeOptions::default())
            .await
            .map_err(unavailable)?;
        Some(inbox)
    };
    Ok(Outcome::Observe(Subscription { thing, filter, inbox }))
}

/// The notification that carries a message.
pub(super) fn notification(message: &Message) -> CoapMessage {
    let notification = CoapMessage::new(Code::CONTENT).with_payload(message.payload.to_vec());
    let format = message
        .content_type
        .as_ref()
        .and_then(|it| ContentFormat::from_media_type(it.as_str()));
    match format {
        Some(format) => notification.with_content_format(format),
        None => notification,
    }
}

/// An error with words for a human (RFC 7252 §5.5.2).
pub(super) fn error(code: Code, words: &str) -> CoapMessage {
    CoapMessage::new(code).with_payload(words.as_bytes().to_vec())
}

/// The segments joined as they are, as the platform does: what they are encoded with is decoded afterwards.
fn path(request: &CoapMessage) -> String {
    let mut path = String::new();
    for segment in request.values(OptionNumber::URI_PATH) {
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(&String::from_utf8_lossy(segment));
    }
    path
}

/// `auth=<key>` as the first query, and nothing else: the platform looks nowhere else, and cuts a key with `=` in it.
fn credentials(request: &CoapMessage, dialect: Dialect) -> Option<Credentials> {
    let mut queries = request
        .values(OptionNumber::URI_QUERY)
        .filter_map(|query| str::from_utf8(query).ok());
    if dialect == Dialect::FluxMq {
        let (mut username, mut password) = ("", None);
        for (name, value) in queries.filter_map(|query| query.split_once('=')) {
            match name {
                "username" => username = value,
                "password" | "authorization" => password = Some(value),
                _ => {}
            }
        }
        return password.map(|password| Credentials::id_and_key(username, password));
    }
    let key = queries.next()?.strip_prefix("auth=")?;
    (!key.is_empty() && !key.contains('=')).then(|| Credentials::key(key))
}

fn content_type(request: &CoapMessage) -> Option<ContentType> {
    request.content_format()?.media_type().map(ContentType::parse)
}

/// Which of the broker's troubles it is makes no difference to a device: it tries again.
fn unavailable(error: BrokerError) -> Refusal {
    tracing::debug!(%error, "the broker refuses a CoAP request");
    Refusal::Broker
}

impl Refusal {
    fn response(self, dialect: Dialect) -> CoapMessage {
        match self {
            Self::Path(reason) => error(Code::BAD_REQUEST, reason.rule()),
            // The first generation says 4.01 to everyone who may not, and its clients know nothing else.
            Self::Denied(Denied::UnknownChannel) if dialect == Dialect::Channels => {
                error(Code::UNAUTHORIZED, "unknown channel")
            }
            Self::Denied(Denied::NotAllowed) if dialect == Dialect::Channels => {
                error(Code::UNAUTHORIZED, "not allowed on the channel")
            }
            Self::Denied(Denied::UnknownChannel) => error(Code::FORBIDDEN, "unknown channel"),
            Self::Denied(Denied::NotAllowed) => error(Code::FORBIDDEN, "not allowed on the channel"),
            Self::Denied(Denied::Unavailable) => error(Code::SERVICE_UNAVAILABLE, "try again later"),
            Self::Denied(Denied::MissingCredentials) => {
                error(Code::UNAUTHORIZED, "the first query must be auth=<key>")
            }
            Self::Denied(_) => error(Code::UNAUTHORIZED, "wrong key"),
            Self::NotObserving => error(Code::BAD_OPTION, "a channel can only be observed"),
            Self::Method => error(Code::METHOD_NOT_ALLOWED, "POST or GET with Observe"),
            Self::Broker => error(Code::SERVICE_UNAVAILABLE, "try again later"),
        }
    }

    fn count(self, metrics: &WireMetrics) {
        match self {
            Self::Denied(_) => metrics.denied.add(1),
            _ => metrics.rejected.add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(queries: &[&str]) -> CoapMessage {
        queries
            .iter()
            .fold(CoapMessage::new(Code::GET), |request, query| {
                request.with_option(OptionNumber::URI_QUERY, query.as_bytes())
            })
    }

    #[test]
    fn the_key_is_the_first_query_or_none() {
        let key = |queries: &[&str]| credentials(&get(queries), Dialect::Channels);
        assert_eq!(key(&["auth=k3y"]), Some(Credentials::key("k3y")));
        assert_eq!(key(&["auth=k3y", "x=1"]), Some(Credentials::key("k3y")));
        for refused in [
            &["x=1", "auth=k3y"][..],
            &["authorization=k3y"],
            &["auth=k=3"],
            &["auth="],
            &[],
        ] {
            assert_eq!(key(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn fluxmq_has_names_and_passwords_in_any_order() {
        let request = get(&["password=k3y", "username=id"]);
        assert_eq!(
            credentials(&request, Dialect::FluxMq),
            Some(Credentials::id_and_key("id", "k3y"))
        );
        assert_eq!(credentials(&get(&["auth=k3y"]), Dialect::FluxMq), None);
    }
}
