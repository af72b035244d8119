//! Plain WebSocket: a handshake names one topic or filter, and every message on the socket is a payload as it is.

use manywire_topics::{Dialect, Error as TopicError, Filter, Form, Topic};

use crate::credentials::Credentials;

/// The path of the handshake for publishing to a topic, with a slash in front.
///
/// # Errors
///
/// A topic that a path cannot hold.
pub fn publish(topic: Topic<'_>) -> Result<String, TopicError> {
    Ok(format!("/{}", topic.display(Form::Path)?))
}

/// The paths of the handshakes for subscribing to a filter: two for a filter that means a topic and all below it, which
/// a path has no one sign for.
///
/// # Errors
///
/// A filter that a path cannot hold.
pub fn subscribe(filter: Filter<'_>) -> Result<Vec<String>, TopicError> {
    let mut paths = vec![format!("/{}", filter.display(Form::Path)?)];
    if let Some(also) = filter.also(Form::Path) {
        paths.push(format!("/{}", also.display(Form::Path)?));
    }
    Ok(paths)
}

/// The value of the header `Authorization`: the secret alone for a thing.
///
/// With `Thing <key>` the oldest generation accepts the handshake and then closes the socket; with `Client <secret>` the
/// newer one closes it after the first publish. The bare secret works on both.
#[must_use]
pub fn authorization(credentials: &Credentials) -> String {
    match credentials.id() {
        Some(_) => credentials.secret().to_owned(),
        None => format!("Bearer {}", credentials.secret()),
    }
}

/// Whether the generation has plain WebSocket at all.
#[must_use]
pub const fn is_offered(dialect: Dialect) -> bool {
    !matches!(dialect, Dialect::FluxMq)
}
