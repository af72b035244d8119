//! How messages, and the client, end without success.

use super::{
    Engine, Link,
    lane::Leaving,
    suspicion::{Suspect, TRIES},
};
use crate::{
    error::{Error, ErrorKind, Refusal, RefusalKind},
    events::ClientEvent,
    transport::TransportError,
};

impl Engine {
    /// The message will not be delivered. One that an earlier process accepted has nobody who waits for its outcome:
    /// whoever listens to the events is told.
    pub(super) fn fail(&mut self, leaving: Leaving, error: Error) {
        if leaving.recovered {
            let (message, error) = (leaving.message.clone(), error.clone());
            self.events.emit(&ClientEvent::SetAside { message, error });
        }
        leaving.fill(error);
    }

    /// The same, with an error that carries the message.
    pub(super) fn give_back(&mut self, leaving: Leaving, kind: ErrorKind, reason: Option<Box<str>>) {
        let message = leaving.message.clone();
        self.fail(leaving, Error::with_message(kind, reason, message));
    }

    /// The server closes the connection whenever this is sent: that is its answer, and the rest goes on.
    pub(super) fn give_up(&mut self, culprit: Suspect, error: &TransportError) {
        let reason =
            format!("each of {TRIES} times it was sent, the session ended without an answer: {error}");
        match culprit {
            Suspect::Publish(id) => {
                if let Some(leaving) = self.queue.remove_given_up(id) {
                    self.given_up.push(id);
                    let kind = ErrorKind::Refused(RefusalKind::Other);
                    self.give_back(leaving, kind, Some(reason.into()));
                }
            }
            Suspect::Subscribe(subscription) => {
                let refusal = Refusal::new(RefusalKind::Other).because(reason);
                self.subscriptions.handle_ended(subscription, &refusal);
            }
        }
        self.backoff.handle_cause_found();
    }

    /// Ends everything: the outcome of every message is told, and every stream ends.
    pub(super) fn stop(&mut self, reason: Option<Error>) {
        let mut undelivered = Vec::new();
        for leaving in self.queue.remove_all() {
            undelivered.push(leaving.message.clone());
            match &reason {
                Some(error) => leaving.fill(error.clone()),
                None => {
                    let kind = if leaving.in_flight {
                        ErrorKind::Indeterminate
                    } else {
                        ErrorKind::Closed
                    };
                    let message = leaving.message.clone();
                    leaving.fill(Error::with_message(kind, None, message));
                }
            }
        }
        self.queue.wake_all_waiters();
        self.subscriptions.end_all(reason.as_ref());
        let closed = || Error::new(ErrorKind::Closed);
        self.first_attempt
            .fill(Err(reason.clone().unwrap_or_else(closed)));
        self.link = Link::Stopped(reason);
        self.events.emit(&ClientEvent::Closed);
        self.events.end();
        self.stopped.fill(undelivered);
    }

    /// The driver was dropped: nothing will move any more.
    pub(crate) fn handle_driver_gone(&mut self) {
        if !matches!(self.link, Link::Stopped(_)) {
            self.stop(None);
            self.handle_session_end();
        }
    }

    pub(super) fn closed(&self) -> Option<Error> {
        match &self.link {
            Link::Stopped(Some(error)) => Some(error.clone()),
            Link::Stopped(None) => Some(Error::new(ErrorKind::Closed)),
            _ if self.closing.is_some() => Some(Error::new(ErrorKind::Closed)),
            _ => None,
        }
    }
}
