//! Finds what a server answers by closing the connection, so that it is not tried for ever.
//!
//! A 3.1.1 server has no other way to refuse a message. The session ends, nothing that was under way is answered, and all of
//! it would be sent again to the same end. After two such sessions one thing is sent at a time: that shows which one it is.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::transport::{OpId, SubscriptionId, TransportError, TransportErrorKind};

/// What may be to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suspect {
    Publish(OpId),
    Subscribe(SubscriptionId),
}

/// The sessions that ended right after something was sent, and what was alone under way in them.
#[derive(Debug, Default)]
pub(crate) struct Suspicion {
    /// How many publishes may be under way at once; no limit without a suspicion.
    window: Option<usize>,
    /// How many sessions in a row ended so.
    fruitless: u32,
    suspect: Option<Suspect>,
    /// In how many sessions in a row the suspect was sent alone, and the connection closed.
    tries: u32,
    /// In this session, whatever was sent last.
    last_sent: Option<Instant>,
    /// In this session, subscribes and unsubscribes that are not answered.
    asked: HashMap<OpId, Option<SubscriptionId>>,
    /// In this session, something was sent that nothing answers: it may be to blame as well.
    unanswerable: bool,
    /// In this session, something was answered.
    progress: bool,
}

impl Suspicion {
    /// Whether one thing is sent at a time.
    pub(crate) fn is_careful(&self) -> bool {
        self.window == Some(1)
    }

    /// How many publishes may be under way at once.
    pub(crate) fn window(&self, allowed: usize) -> usize {
        self.window.map_or(allowed, |window| window.min(allowed)).max(1)
    }

    /// Whether a subscribe or unsubscribe is under way.
    pub(crate) fn is_asking(&self) -> bool {
        !self.asked.is_empty()
    }

    pub(crate) fn handle_session_start(&mut self, now: Instant) {
        self.last_sent = Some(now);
        self.asked.clear();
        self.unanswerable = false;
        self.progress = false;
    }

    /// A publish that is answered was sent.
    pub(crate) fn handle_sent(&mut self, now: Instant) {
        self.last_sent = Some(now);
    }

    /// A publish that nothing answers was sent.
    pub(crate) fn handle_unanswerable(&mut self) {
        self.unanswerable = true;
    }

    /// A subscribe or an unsubscribe was sent.
    pub(crate) fn handle_asked(&mut self, id: OpId, subscription: Option<SubscriptionId>, now: Instant) {
        self.last_sent = Some(now);
        self.asked.insert(id, subscription);
    }

    /// The server answered: not by closing. The window opens again, doubling with each answer, because there may be more
    /// behind it.
    pub(crate) fn handle_answer(&mut self, id: OpId, allowed: usize) {
        self.progress = true;
        self.fruitless = 0;
        self.suspect = None;
        self.tries = 0;
        if !self.asked.is_empty() {
            self.asked.remove(&id);
        }
        if let Some(window) = self.window {
            self.window = Some(window * 2).filter(|window| *window < allowed);
        }
    }

    /// The session ended. `alone` is the publish under way, if there was just one of the `in_flight`. Returns what is given
    /// up.
    pub(crate) fn handle_session_end(
        &mut self,
        error: &TransportError,
        in_flight: usize,
        alone: Option<OpId>,
        now: Instant,
    ) -> Option<Suspect> {
        let sent = self.last_sent.take()?;
        let closed = matches!(
            error.kind(),
            TransportErrorKind::Closed | TransportErrorKind::Protocol
        );
        let nothing_sent = in_flight == 0 && self.asked.is_empty();
        let late = now.saturating_duration_since(sent) > RIGHT_AFTER;
        if self.progress || !closed || nothing_sent || late {
            return None;
        }
        self.fruitless += 1;
        if self.fruitless > 1 {
            // Once is an accident.
            self.window = Some(1);
        }
        let subscribing = self.asked.values().next().copied().flatten();
        let suspect = match (alone, subscribing) {
            (Some(id), _) if self.asked.is_empty() => Suspect::Publish(id),
            (None, Some(subscription)) if in_flight == 0 && self.asked.len() == 1 => {
                Suspect::Subscribe(subscription)
            }
            _ => return None,
        };
        if self.unanswerable {
            return None;
        }
        if self.suspect.replace(suspect) != Some(suspect) {
            self.tries = 0;
        }
        self.tries += 1;
        if self.tries < TRIES {
            return None;
        }
        self.tries = 0;
        self.suspect.take()
    }
}

/// How often a server may close the connection on the same message before that is taken for its answer.
pub(crate) const TRIES: u32 = 5;
/// A connection that ends later than this after the last thing sent ended for another reason.
const RIGHT_AFTER: Duration = Duration::from_secs(10);
