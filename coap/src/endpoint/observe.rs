use core::time::Duration;

use super::{Endpoint, Timer, receive::Reception, transmission::Purpose};
use crate::{
    code::Code,
    error::Error,
    event::{ConfirmId, Ended, Event, Failure, ObservationId},
    message::{Kind, Message, Token},
    option::{OptionNumber, encode_uint},
};

/// A resource of a server that we observe (RFC 7641 §3).
#[derive(Debug)]
pub(super) struct Observation {
    /// The same from the first registration to the end: the platform names its consumer after it.
    pub(super) token: Token,
    phase: Phase,
    /// Sequence number and time of the freshest notification.
    freshest: Option<(u32, Duration)>,
    /// What the last notification said about its life.
    max_age: Duration,
    /// Whether the last registration failed, so that notifications may have been missed.
    gap: bool,
    /// Whether the server ever numbered a registration response, and did not merely echo our zero.
    numbers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    First,
    Established,
    Again,
    Cancelling,
}

impl Observation {
    pub(super) fn request(&self, whole: &Message) -> Message {
        let mut message = whole.clone();
        message.set_kind(Kind::Confirmable);
        let value = u32::from(self.phase == Phase::Cancelling);
        message.set_option(OptionNumber::OBSERVE, encode_uint(value));
        message
    }

    /// Whether a registration response's number can come from the server that sent the freshest notification, in the
    /// same run: a little ahead of it, or just there.
    fn follows(&self, number: u32) -> bool {
        self.freshest
            .is_none_or(|(last, _)| number.wrapping_sub(last) & 0x00ff_ffff < PLAUSIBLE_STEP)
    }

    /// Whether a message that comes while we wait for the answer to a cancellation is a notification on its way.
    pub(super) fn overtakes_cancellation(&self, message: &Message) -> bool {
        self.phase == Phase::Cancelling
            && message.kind() != Kind::Acknowledgement
            && message.code().is_success()
            && message
                .uint(OptionNumber::OBSERVE)
                .is_some_and(|number| number != 1)
    }

    /// RFC 7641 §3.4: newer by sequence number, or by more than 128 seconds.
    fn is_fresher(&self, number: u32, now: Duration) -> bool {
        const HALF: u32 = 1 << 23;
        let Some((last, at)) = self.freshest else {
            return true;
        };
        (last < number && number - last < HALF)
            || (last > number && last - number > HALF)
            || now > at + ORDER_EXPIRES
    }
}

impl<P: Copy + Ord> Endpoint<P> {
    /// Observes a resource: `message` is the GET without Observe. Until cancelled or ended by the server it is kept up:
    /// registered again when its notifications have outlived their Max-Age, after 5 to 15 s more (RFC 7641 §3.3.1), and
    /// again and again if that fails.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub fn observe(&mut self, now: Duration, peer: P, message: Message) -> Result<ObservationId, Error> {
        let token = Token::from(self.random.next());
        let observation = Observation {
            token,
            phase: Phase::First,
            freshest: None,
            max_age: DEFAULT_MAX_AGE,
            gap: false,
            numbers: false,
        };
        let id = self.begin(now, peer, message, Some(observation))?;
        if let Some(period) = self.parameters.keep_alive {
            self.timers.set(Timer::KeepAlive(peer), now + period);
        }
        Ok(ObservationId(id))
    }

    /// Tells the server to stop, with the same token and Observe 1. Notifications that still come are acknowledged and
    /// dropped until it has answered; then [`Event::Ended`] is reported, and notifications are rejected.
    pub fn cancel_observation(&mut self, now: Duration, observation: ObservationId) {
        let id = observation.0;
        let Some(pending) = self.requests.get_mut(&id) else {
            return;
        };
        let Some(observation) = &mut pending.observation else {
            return;
        };
        if observation.phase == Phase::Cancelling {
            return;
        }
        observation.phase = Phase::Cancelling;
        pending.download = None;
        self.timers.clear(Timer::Reregister(id));
        self.next_round(now, id);
    }

    /// Acknowledges a notification: the application has it ([`Parameters::acknowledge_by_hand`]). The server repeats it
    /// until then, and gives the observation up after MAX_TRANSMIT_WAIT.
    ///
    /// [`Parameters::acknowledge_by_hand`]: crate::Parameters::acknowledge_by_hand
    pub fn confirm(&mut self, confirm: ConfirmId) {
        if let Some((peer, message_id)) = self.unacknowledged.remove(&confirm.0) {
            self.reply(peer, &Message::empty(Kind::Acknowledgement, message_id));
        }
    }

    /// Forgets an observation without a word: the next notification is rejected with Reset, which tells the server too.
    pub fn forget_observation(&mut self, now: Duration, observation: ObservationId) {
        self.finish(now, observation.0);
    }

    /// Registers an observation anew at once, as after a sign that the server may have forgotten it.
    pub fn renew_observation(&mut self, now: Duration, observation: ObservationId) {
        self.reregister(now, observation.0);
    }

    pub(super) fn is_observing_or_observed(&self, peer: P) -> bool {
        self.requests
            .values()
            .any(|pending| pending.peer == peer && pending.observation.is_some())
            || self
                .observer_tokens
                .range((peer, Token::default())..)
                .next()
                .is_some_and(|((other, _), _)| *other == peer)
    }

    /// A message with an observation's token. `answers` says whether a registration was due its answer.
    pub(super) fn observed(&mut self, now: Duration, id: u64, message: Message, answers: bool) -> Reception {
        let lenient = self.parameters.observe_without_option;
        let Some(observation) = self
            .requests
            .get_mut(&id)
            .and_then(|pending| pending.observation.as_mut())
        else {
            return Reception::Unknown;
        };
        if observation.phase == Phase::Cancelling {
            if answers {
                self.end_observation(now, id, Ended::Cancelled);
            }
            return Reception::Taken;
        }
        let number = message
            .uint(OptionNumber::OBSERVE)
            .map(|number| number & 0x00ff_ffff);
        let registering = answers && observation.phase != Phase::Established;
        // RFC 7641 §3.2, §4.2: an error, or a response without Observe, ends it.
        if !message.code().is_success() || (number.is_none() && !(lenient && registering)) {
            self.end_observation(now, id, Ended::Response(message));
            return Reception::Taken;
        }
        observation.max_age = message
            .uint(OptionNumber::MAX_AGE)
            .map_or(DEFAULT_MAX_AGE, |seconds| Duration::from_secs(u64::from(seconds)));
        if registering {
            self.registered(now, id, message, number);
            return Reception::Taken;
        }
        let Some(number) = number else {
            return Reception::Taken;
        };
        if message.code() == Code::VALID || !observation.is_fresher(number, now) {
            return Reception::Taken;
        }
        observation.freshest = Some((number, now));
        self.schedule_reregistration(now, id);
        self.deliver(now, id, message)
    }

    /// A notification whose body came in blocks is whole.
    pub(super) fn notification_whole(&mut self, id: u64, mut message: Message) {
        message.remove_option(OptionNumber::BLOCK2);
        self.events.push_back(Event::Notification {
            observation: ObservationId(id),
            message,
            confirm: None,
        });
    }

    /// A registration, a cancellation or the fetching of a body was not answered.
    pub(super) fn observation_failed(&mut self, now: Duration, id: u64, failure: Failure) {
        let Some(pending) = self.requests.get_mut(&id) else {
            return;
        };
        if pending.download.take().is_some() {
            self.events.push_back(Event::Gap {
                observation: ObservationId(id),
            });
            return;
        }
        let Some(observation) = &mut pending.observation else {
            return;
        };
        match observation.phase {
            Phase::First => self.end_observation(now, id, Ended::Failed(failure)),
            Phase::Cancelling => self.end_observation(now, id, Ended::Cancelled),
            Phase::Again | Phase::Established => {
                observation.gap = true;
                let wait = self.jitter(REREGISTER_AFTER.0, REREGISTER_AFTER.1);
                self.timers.set(Timer::Reregister(id), now + wait);
                self.events.push_back(Event::Stale {
                    observation: ObservationId(id),
                });
            }
        }
    }

    pub(super) fn reregister(&mut self, now: Duration, id: u64) {
        let Some(pending) = self.requests.get_mut(&id) else {
            return;
        };
        let Some(observation) = &mut pending.observation else {
            return;
        };
        if !matches!(observation.phase, Phase::Established | Phase::Again) {
            return;
        }
        if pending.download.is_some() {
            self.timers.set(Timer::Reregister(id), now + REREGISTER_AFTER.0);
            return;
        }
        observation.phase = Phase::Again;
        self.timers.clear(Timer::Reregister(id));
        self.next_round(now, id);
    }

    /// Says something to a peer that would take us for gone.
    pub(super) fn keep_alive(&mut self, now: Duration, peer: P) {
        let Some(period) = self.parameters.keep_alive else {
            return;
        };
        let observing = |pending: &super::Pending<P>| pending.peer == peer && pending.observation.is_some();
        if !self.requests.values().any(observing) {
            return;
        }
        let last = self
            .peers
            .get(&peer)
            .map_or(Duration::ZERO, |known| known.last_sent);
        let due = last + period;
        if due <= now {
            // Only a peer that is known can be busy, and then it hears from us anyway.
            let _ = self.originate(
                now,
                peer,
                Message::empty(Kind::Confirmable, 0),
                Purpose::KeepAlive,
            );
            self.timers.set(Timer::KeepAlive(peer), now + period);
        } else {
            self.timers.set(Timer::KeepAlive(peer), due);
        }
    }

    /// A peer does not answer any more: what is observed there has to be registered anew.
    pub(super) fn peer_lost(&mut self, now: Duration, peer: P) {
        let ids: alloc::vec::Vec<u64> = self
            .requests
            .iter()
            .filter(|(_, pending)| pending.peer == peer && pending.observation.is_some())
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            if let Some(observation) = self
                .requests
                .get_mut(&id)
                .and_then(|pending| pending.observation.as_mut())
            {
                observation.gap = true;
            }
            self.reregister(now, id);
        }
    }

    fn registered(&mut self, now: Duration, id: u64, mut message: Message, number: Option<u32>) {
        let Some(pending) = self.requests.get_mut(&id) else {
            return;
        };
        let Some(observation) = &mut pending.observation else {
            return;
        };
        let first = observation.phase == Phase::First;
        observation.phase = Phase::Established;
        // A server that numbers its registration responses and is not where it was has lost the observation between.
        let forgotten =
            !first && observation.numbers && number.is_some_and(|number| !observation.follows(number));
        let gap = core::mem::take(&mut observation.gap) || forgotten;
        observation.numbers |= number.is_some_and(|number| number != 0);
        observation.freshest = number.map(|number| (number, now));
        self.schedule_reregistration(now, id);
        let observation = ObservationId(id);
        if let Some(block) = message.block(OptionNumber::BLOCK2).filter(|block| block.more()) {
            let head = message.clone().into_parts().0;
            self.events.push_back(Event::Registered {
                observation,
                message: head,
                gap,
            });
            return self.begin_download(now, id, block, message);
        }
        message.remove_option(OptionNumber::BLOCK2);
        self.events.push_back(Event::Registered {
            observation,
            message,
            gap,
        });
    }

    fn deliver(&mut self, now: Duration, id: u64, message: Message) -> Reception {
        let Some(pending) = self.requests.get_mut(&id) else {
            return Reception::Taken;
        };
        let peer = pending.peer;
        // RFC 7959 §3.4: a newer notification ends the transfer of an older one.
        if pending.download.take().is_some() {
            self.end_round(now, id);
            self.events.push_back(Event::Gap {
                observation: ObservationId(id),
            });
        }
        if let Some(block) = message.block(OptionNumber::BLOCK2).filter(|block| block.more()) {
            self.begin_download(now, id, block, message);
            return Reception::Taken;
        }
        let by_hand = self.parameters.acknowledge_by_hand && message.kind() == Kind::Confirmable;
        if !by_hand || self.unacknowledged.len() >= self.parameters.max_notifications {
            self.notification_whole(id, message);
            return Reception::Taken;
        }
        let confirm = self.fresh_id();
        self.unacknowledged.insert(confirm, (peer, message.id()));
        let (observation, confirm) = (ObservationId(id), Some(ConfirmId(confirm)));
        self.events.push_back(Event::Notification {
            observation,
            message,
            confirm,
        });
        Reception::Held
    }

    fn schedule_reregistration(&mut self, now: Duration, id: u64) {
        let Some(max_age) = self
            .requests
            .get(&id)
            .and_then(|pending| pending.observation.as_ref())
            .map(|o| o.max_age)
        else {
            return;
        };
        let wait = self.jitter(REREGISTER_AFTER.0, REREGISTER_AFTER.1);
        self.timers.set(Timer::Reregister(id), now + max_age + wait);
    }

    fn end_observation(&mut self, now: Duration, id: u64, cause: Ended) {
        self.finish(now, id);
        self.events.push_back(Event::Ended {
            observation: ObservationId(id),
            cause,
        });
    }
}

/// Max-Age where none is given (RFC 7252 §5.10.5).
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(60);

/// RFC 7641 §3.4: sequence numbers older than this say nothing.
const ORDER_EXPIRES: Duration = Duration::from_secs(128);

/// RFC 7641 §3.3.1: how long after Max-Age to register anew, at random between the two.
const REREGISTER_AFTER: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(15));

/// How many notifications a server may number between two that arrive here before we take it for restarted.
const PLAUSIBLE_STEP: u32 = 1 << 12;
