//! Messages that a kept session delivers before their subscriber is there.
//!
//! An application that starts again connects first and subscribes then. What the platform kept for it arrives in between:
//! it waits here, unacknowledged, for a moment.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use manywire_topics::Filter;

use crate::{
    engine::inbox::{Inbox, Item, Serial},
    transport::Received,
};

/// What nobody has claimed yet. The platform's own window bounds it, since none of it is acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Unclaimed {
    until: Option<Instant>,
    items: Vec<(Arc<Received>, Serial)>,
}

impl Unclaimed {
    /// The first session of this process is one that the platform had kept.
    pub(crate) fn handle_resumed(&mut self, now: Instant) {
        self.until = now.checked_add(GRACE);
    }

    /// Keeps a message that nobody wants yet; whether it does.
    pub(crate) fn keep(&mut self, received: &Arc<Received>, serial: Serial) -> bool {
        if self.until.is_some() {
            self.items.push((Arc::clone(received), serial));
        }
        self.until.is_some()
    }

    /// A subscriber came: it gets what is its own.
    pub(crate) fn claim(&mut self, filter: Filter<'_>, inbox: &Inbox) {
        self.items.retain(|(received, serial)| {
            let matches = received
                .topic
                .as_ref()
                .is_some_and(|topic| filter.matches(topic.as_topic()));
            if matches {
                inbox.put(Item {
                    received: Arc::clone(received),
                    delivery: Some(*serial),
                });
            }
            !matches
        });
    }

    /// When the waiting ends.
    pub(crate) const fn poll_timeout(&self) -> Option<Instant> {
        self.until
    }

    /// Time has passed: what nobody claimed is given up, to be acknowledged.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Vec<Serial> {
        if self.until.is_none_or(|until| now < until) {
            return Vec::new();
        }
        self.until = None;
        std::mem::take(&mut self.items)
            .into_iter()
            .map(|(_, serial)| serial)
            .collect()
    }

    /// The session ended: the platform delivers it all again.
    pub(crate) fn handle_session_end(&mut self) {
        self.items.clear();
    }
}

/// How long subscribers may take.
const GRACE: Duration = Duration::from_secs(10);
