//! Subscription identifiers (5.0): which subscription a message came through.

use std::{collections::HashMap, num::NonZeroU32};

use crate::transport::{OpId, SubscriptionId};

/// What an identifier stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) subscription: SubscriptionId,
    /// The SUBSCRIBE that carried it.
    pub(super) asked: OpId,
}

/// The identifiers of one session. The server keeps them as long as it keeps the session.
#[derive(Debug, Default)]
pub(super) struct Identifiers {
    last: u32,
    named: HashMap<u32, Named>,
}

impl Identifiers {
    /// Counts from here. Begun anywhere, an identifier that an earlier process left in a kept session is hardly ever taken
    /// for one of this process.
    pub(super) fn starting_at(start: u32) -> Self {
        Self {
            last: start % LARGEST,
            named: HashMap::new(),
        }
    }

    /// An identifier for one SUBSCRIBE.
    pub(super) fn name(&mut self, named: Named) -> NonZeroU32 {
        self.last = self.last % LARGEST + 1;
        self.named.insert(self.last, named);
        NonZeroU32::new(self.last).unwrap_or(NonZeroU32::MIN)
    }

    pub(super) fn get(&self, identifier: NonZeroU32) -> Option<Named> {
        self.named.get(&identifier.get()).copied()
    }

    /// A SUBSCRIBE was granted: it replaced those before it [MQTT-3.8.4-3].
    pub(super) fn handle_granted(&mut self, granted: Named) {
        self.named.retain(|_, named| {
            named.subscription != granted.subscription || named.asked.0 >= granted.asked.0
        });
    }

    /// A SUBSCRIBE was refused.
    pub(super) fn handle_refused(&mut self, refused: Named) {
        self.named.retain(|_, named| *named != refused);
    }

    /// The server confirmed that nothing more comes.
    pub(super) fn handle_unsubscribed(&mut self, subscription: SubscriptionId) {
        self.named.retain(|_, named| named.subscription != subscription);
    }

    /// The server forgot the session.
    pub(super) fn handle_session_lost(&mut self) {
        self.named.clear();
    }
}

/// The largest identifier: what a Variable Byte Integer holds [MQTT-3.3.4-3].
const LARGEST: u32 = 268_435_455;
