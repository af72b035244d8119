//! A thing and its rights.

use std::fmt;
use std::sync::Arc;

use manywire_topics::{Channel, ChannelBuf, Dialect, Error};

/// What one may want to do on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Send messages.
    Publish,
    /// Receive messages.
    Subscribe,
}

/// Someone who may connect: a thing (a client, in newer platforms) and the channels it may use.
///
/// Cheap to clone.
#[derive(Clone)]
pub struct Thing {
    id: Arc<str>,
    rights: Arc<Rights>,
    /// The digest of the key it was identified by, so that changing the key ends its connections.
    pub(super) proof: [u8; 32],
}

#[derive(Clone, Debug, Default)]
struct Rights {
    /// On every channel: publish, subscribe.
    everywhere: (bool, bool),
    /// Sorted by domain and id.
    channels: Vec<Right>,
}

#[derive(Clone, Debug)]
struct Right {
    channel: ChannelBuf,
    publish: bool,
    subscribe: bool,
}

impl Thing {
    /// A thing that may not do anything yet.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self {
            id: id.into(),
            rights: Arc::default(),
            proof: [0; 32],
        }
    }

    /// Lets it publish and subscribe on the channel: `<id>`, `<domain>/<id>` in the dialects with domains, or
    /// `*` for every channel.
    ///
    /// # Errors
    /// The text is not a channel.
    pub fn uses(self, channel: &str) -> Result<Self, Error> {
        self.grant(channel, true, true)
    }

    /// Lets it publish on the channel.
    ///
    /// # Errors
    /// The text is not a channel.
    pub fn publishes_to(self, channel: &str) -> Result<Self, Error> {
        self.grant(channel, true, false)
    }

    /// Lets it subscribe on the channel.
    ///
    /// # Errors
    /// The text is not a channel.
    pub fn subscribes_to(self, channel: &str) -> Result<Self, Error> {
        self.grant(channel, false, true)
    }

    /// Its id: the user name of MQTT, and the publisher of its messages.
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Whether its own rights allow it. [`Hub::authorize`](crate::Hub::authorize) also asks the identity
    /// service.
    pub fn may(&self, action: Action, channel: Channel<'_>) -> bool {
        let right = match self.rights.find(key(channel)) {
            Ok(at) => self.rights.channels.get(at),
            Err(_) => None,
        };
        match action {
            Action::Publish => self.rights.everywhere.0 || right.is_some_and(|right| right.publish),
            Action::Subscribe => self.rights.everywhere.1 || right.is_some_and(|right| right.subscribe),
        }
    }

    /// The channels that are named in its rights.
    pub(super) fn channels(&self) -> impl Iterator<Item = Channel<'_>> {
        self.rights
            .channels
            .iter()
            .map(|right| right.channel.as_channel())
    }

    fn grant(mut self, text: &str, publish: bool, subscribe: bool) -> Result<Self, Error> {
        if text == "*" {
            let rights = Arc::make_mut(&mut self.rights);
            rights.everywhere.0 |= publish;
            rights.everywhere.1 |= subscribe;
            return Ok(self);
        }
        let channel = match text.rsplit_once('/') {
            None => Channel::new(Dialect::Channels, None, text)?,
            Some((domain, id)) => Channel::new(Dialect::Domains, Some(domain), id)?,
        };
        let rights = Arc::make_mut(&mut self.rights);
        match rights.find(key(channel)) {
            Ok(at) => {
                if let Some(right) = rights.channels.get_mut(at) {
                    right.publish |= publish;
                    right.subscribe |= subscribe;
                }
            }
            Err(at) => rights.channels.insert(
                at,
                Right {
                    channel: channel.to_buf(),
                    publish,
                    subscribe,
                },
            ),
        }
        Ok(self)
    }
}

impl Rights {
    fn find(&self, wanted: (Option<&str>, &str)) -> Result<usize, usize> {
        self.channels
            .binary_search_by(|right| key(right.channel.as_channel()).cmp(&wanted))
    }
}

impl fmt::Debug for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thing")
            .field("id", &self.id)
            .field("rights", &self.rights)
            .finish_non_exhaustive()
    }
}

/// What identifies a channel, whatever dialect it was written in.
pub(super) fn key(channel: Channel<'_>) -> (Option<&str>, &str) {
    (channel.domain(), channel.id())
}
