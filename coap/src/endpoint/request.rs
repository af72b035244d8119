use core::time::Duration;

use super::{
    Endpoint, Timer, download::Download, observe::Observation, receive::Reception, transmission::Purpose,
    upload::Upload,
};
use crate::{
    code::Code,
    error::Error,
    event::{Event, Failure, RequestId},
    message::{Kind, Message, Token},
    option::OptionNumber,
};

/// A request of ours, or an observation, until it is over.
#[derive(Debug)]
pub(super) struct Pending<P> {
    pub(super) peer: P,
    /// As the application gave it: what every round is made from.
    pub(super) message: Message,
    pub(super) round: Option<Round>,
    pub(super) upload: Option<Upload>,
    pub(super) download: Option<Download>,
    pub(super) observation: Option<Observation>,
}

/// One exchange of possibly several: a block, a registration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) token: Token,
    /// The confirmable message that is not acknowledged yet.
    message_id: Option<u16>,
}

impl<P: Copy + Ord> Endpoint<P> {
    /// Sends a request: in blocks if its payload is longer than one. The answer comes as [`Event::Response`] or
    /// [`Event::Failed`]. Any number may be under way; to one peer, NSTART of them travel at a time.
    ///
    /// # Errors
    /// [`Error::Class`] if it is no request, [`Error::TooLarge`], [`Error::Busy`].
    pub fn request(&mut self, now: Duration, peer: P, message: Message) -> Result<RequestId, Error> {
        let request = self.begin(now, peer, message, None)?;
        Ok(RequestId(request))
    }

    /// Forgets a request. An answer that still comes is rejected.
    pub fn cancel(&mut self, now: Duration, request: RequestId) {
        self.finish(now, request.0);
    }

    pub(super) fn begin(
        &mut self,
        now: Duration,
        peer: P,
        message: Message,
        observation: Option<Observation>,
    ) -> Result<u64, Error> {
        if !message.code().is_request() || matches!(message.kind(), Kind::Acknowledgement | Kind::Reset) {
            return Err(Error::Class);
        }
        if self.requests.len() >= self.parameters.max_exchanges {
            return Err(Error::Busy);
        }
        let upload = self.plan_upload(&message)?;
        self.meet(now, peer)?;
        let id = self.fresh_id();
        let pending = Pending {
            peer,
            message,
            round: None,
            upload,
            download: None,
            observation,
        };
        self.requests.insert(id, pending);
        if !self.must_wait_for_upload(id) {
            self.next_round(now, id);
        }
        Ok(id)
    }

    /// Sends the message that is due next: the request itself, a block of it, or the request for a block.
    pub(super) fn next_round(&mut self, now: Duration, id: u64) {
        self.end_round(now, id);
        let fresh = Token::from(self.random.next());
        let Some(pending) = self.requests.get_mut(&id) else {
            return;
        };
        let peer = pending.peer;
        let mut token = fresh;
        let mut message = if let Some(download) = &pending.download {
            download.request(&pending.message)
        } else if let Some(upload) = &mut pending.upload {
            upload.request(&pending.message)
        } else if let Some(observation) = &pending.observation {
            token = observation.token;
            observation.request(&pending.message)
        } else {
            // The usual case: the message itself goes, and comes back for a second round that is rarely needed.
            core::mem::replace(&mut pending.message, Message::new(Code::EMPTY))
        };
        let lent = pending.message.code() == Code::EMPTY;
        message.set_token(token);
        pending.round = Some(Round {
            token,
            message_id: None,
        });
        self.tokens.insert((peer, token), id);
        let outcome = self.originate_lent(now, peer, &mut message, Purpose::Request(id));
        if let Some(pending) = self.requests.get_mut(&id).filter(|_| lent) {
            pending.message = message;
        }
        if outcome.is_err() {
            self.request_failed(now, id, Failure::Timeout);
        }
    }

    /// The confirmable message of a round was sent for the first time.
    pub(super) fn request_started(&mut self, id: u64, message_id: u16) {
        if let Some(round) = self
            .requests
            .get_mut(&id)
            .and_then(|pending| pending.round.as_mut())
        {
            round.message_id = Some(message_id);
        }
    }

    /// The server has the request; the response follows.
    pub(super) fn request_acknowledged(&mut self, now: Duration, id: u64) {
        if let Some(round) = self
            .requests
            .get_mut(&id)
            .and_then(|pending| pending.round.as_mut())
        {
            round.message_id = None;
            self.timers
                .set(Timer::Response(id), now + self.parameters.response_timeout);
        }
    }

    pub(super) fn response_timed_out(&mut self, now: Duration, id: u64) {
        self.request_failed(now, id, Failure::Timeout);
    }

    /// Whether the round under way has this peer and token.
    pub(super) fn awaits(&self, id: u64, peer: P, token: Token) -> bool {
        let pending = self.requests.get(&id).filter(|pending| pending.peer == peer);
        pending
            .and_then(|pending| pending.round)
            .is_some_and(|round| round.token == token)
    }

    /// Takes a response in, whatever message it came in.
    pub(super) fn handle_response(&mut self, now: Duration, peer: P, message: Message) -> Reception {
        let token = message.token();
        let Some(&id) = self.tokens.get(&(peer, token)) else {
            return Reception::Unknown;
        };
        let current = self.awaits(id, peer, token);
        let observation = self
            .requests
            .get(&id)
            .and_then(|pending| pending.observation.as_ref());
        let observed = observation.is_some();
        if observation.is_some_and(|observation| observation.overtakes_cancellation(&message)) {
            return Reception::Taken;
        }
        // RFC 7252 §5.4.1. Request options that the platform echoes, the path and the query with the secret, are
        // critical but known: they mean nothing here and are let pass.
        if message.has_unknown_critical() {
            if current {
                self.end_round(now, id);
                self.request_failed(now, id, Failure::CriticalOption);
            }
            return Reception::Unknown;
        }
        if current {
            self.end_round(now, id);
        }
        let Some(pending) = self.requests.get_mut(&id) else {
            return Reception::Unknown;
        };
        if current && pending.download.is_some() {
            self.downloaded(now, id, message);
        } else if current && pending.upload.is_some() {
            self.uploaded(now, id, message);
        } else if observed {
            return self.observed(now, id, message, current);
        } else {
            self.received_whole_or_first(now, id, message);
        }
        Reception::Taken
    }

    pub(super) fn request_failed(&mut self, now: Duration, id: u64, failure: Failure) {
        self.end_round(now, id);
        let Some(pending) = self.requests.get_mut(&id) else {
            return;
        };
        if pending.observation.is_some() {
            self.observation_failed(now, id, failure);
        } else {
            self.finish(now, id);
            self.events.push_back(Event::Failed {
                request: RequestId(id),
                failure,
            });
        }
    }

    /// A request has its response.
    pub(super) fn complete(&mut self, now: Duration, id: u64, mut message: Message) {
        message.remove_option(OptionNumber::BLOCK2);
        self.finish(now, id);
        self.events.push_back(Event::Response {
            request: RequestId(id),
            message,
        });
    }

    /// Ends the exchange under way: nothing is retransmitted, its token is free unless an observation keeps it.
    pub(super) fn end_round(&mut self, now: Duration, id: u64) {
        let Some(pending) = self.requests.get_mut(&id) else {
            return;
        };
        let Some(round) = pending.round.take() else { return };
        let peer = pending.peer;
        let kept = pending
            .observation
            .as_ref()
            .is_some_and(|observation| observation.token == round.token);
        if !kept {
            self.tokens.remove(&(peer, round.token));
        }
        self.timers.clear(Timer::Response(id));
        match round.message_id {
            // RFC 7252 §5.2.2: a response that overtakes the acknowledgement stands for it.
            Some(message_id) => {
                self.settle(now, peer, message_id);
            }
            None => self.forget_waiting(peer, Purpose::Request(id)),
        }
    }

    /// Forgets a request or an observation.
    pub(super) fn finish(&mut self, now: Duration, id: u64) {
        self.end_round(now, id);
        let Some(pending) = self.requests.remove(&id) else {
            return;
        };
        self.timers.clear(Timer::Reregister(id));
        if let Some(observation) = pending.observation {
            self.tokens.remove(&(pending.peer, observation.token));
        }
        if pending.upload.is_some() {
            self.start_waiting_upload(now, pending.peer);
        }
    }
}
