//! Who holds a key, and what they may do.

mod credentials;
mod registry;
mod thing;

use std::future;
use std::pin::Pin;

use manywire_topics::Channel;
use thiserror::Error;

pub use self::credentials::{Credentials, Secret};
pub use self::registry::{Registry, RegistryError};
pub use self::thing::{Action, Thing};

/// The future a method of [`Identity`] returns.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where the gateway asks who someone is. [`Registry`] is the built-in one; a service of one's own needs
/// only [`identify`](Self::identify).
pub trait Identity: Send + Sync + 'static {
    /// Finds the thing that holds the credentials, with what it may do.
    ///
    /// Called once for every HTTP and CoAP request and once for every MQTT and WebSocket connection.
    /// Compare keys in constant time.
    fn identify<'a>(&'a self, credentials: &'a Credentials) -> Answer<'a, Result<Thing, Denied>>;

    /// Decides about a channel that the thing's own rights do not allow: for services that cannot list a
    /// thing's channels beforehand. Refuses by default.
    fn authorize<'a>(
        &'a self,
        thing: &'a Thing,
        action: Action,
        channel: Channel<'a>,
    ) -> Answer<'a, Result<(), Denied>> {
        let _ = (thing, action, channel);
        Box::pin(future::ready(Err(Denied::NotAllowed)))
    }

    /// Finds the thing again after a change of rights: an error ends its connections, a thing with fewer
    /// rights loses the subscriptions it may no longer have. Keeps everything by default.
    fn refresh<'a>(&'a self, thing: &'a Thing) -> Answer<'a, Result<Thing, Denied>> {
        Box::pin(future::ready(Ok(thing.clone())))
    }

    /// Waits until the version of the rights is another than `since` (0 at the start) and returns it.
    /// Never, by default.
    fn changed(&self, since: u64) -> Answer<'_, u64> {
        let _ = since;
        Box::pin(future::pending())
    }
}

/// Why someone may not do what they asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Denied {
    /// No credentials were given.
    #[error("missing credentials")]
    MissingCredentials,
    /// No thing has this key, or the thing has another key.
    #[error("wrong credentials")]
    WrongCredentials,
    /// There is no such channel.
    #[error("unknown channel")]
    UnknownChannel,
    /// The thing may not do this on the channel.
    #[error("not allowed on the channel")]
    NotAllowed,
    /// It could not be found out; asking again later may help.
    #[error("the identity service does not answer")]
    Unavailable,
}
