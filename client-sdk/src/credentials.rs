//! What a client proves itself with, and where it gets it from.

use std::{error::Error as StdError, fmt, future::Future, sync::Arc};

use crate::transport::BoxFuture;

/// An id and a secret, or a user's token. The secret is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    kind: Kind,
    secret: Arc<str>,
}

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Thing(Arc<str>),
    Token,
}

impl Credentials {
    /// A device: the id and the key of a thing (a "client" in the newer platforms).
    pub fn thing(id: impl Into<Arc<str>>, secret: impl Into<Arc<str>>) -> Self {
        Self {
            kind: Kind::Thing(id.into()),
            secret: secret.into(),
        }
    }

    /// A user: the access token that the platform's user service issued.
    pub fn token(token: impl Into<Arc<str>>) -> Self {
        Self {
            kind: Kind::Token,
            secret: token.into(),
        }
    }

    /// The thing's id; `None` for a user's token.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match &self.kind {
            Kind::Thing(id) => Some(id),
            Kind::Token => None,
        }
    }

    /// The key or the token in clear: for a binding that puts it on the wire, and nobody else.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("id", &self.id())
            .field("secret", &"***")
            .finish()
    }
}

/// What a [`CredentialsSource`] fails with.
pub type CredentialsError = Box<dyn StdError + Send + Sync>;

/// Where the credentials of the next connection come from.
///
/// It is asked anew at every attempt to connect, so a rotated key or a short-lived token needs no new client.
/// [`Credentials`] are their own source; so is any function that returns a future of them.
pub trait CredentialsSource: Send + Sync + 'static {
    /// The credentials to connect with now. An error counts as a failed attempt and is tried again later.
    fn credentials(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>>;
}

impl CredentialsSource for Credentials {
    fn credentials(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        let credentials = self.clone();
        Box::pin(async move { Ok(credentials) })
    }
}

impl<F, Answer> CredentialsSource for F
where
    F: Fn() -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Result<Credentials, CredentialsError>> + Send + 'static,
{
    fn credentials(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        Box::pin(self())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_not_in_debug() {
        let text = format!(
            "{:?} {:?}",
            Credentials::thing("id", "hidden"),
            Credentials::token("hidden")
        );
        assert!(!text.contains("hidden"), "{text}");
        assert!(text.contains("id"), "{text}");
    }
}
