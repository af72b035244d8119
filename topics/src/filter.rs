//! What one subscribes to.

use core::fmt;

use crate::channel::Channel;
use crate::dialect::{Dialect, Form};
use crate::error::Error;
use crate::layout;
use crate::level::{Level, Levels, Subtopic, Syntax};
use crate::print::Printed;
use crate::scan::{self, Rules, Tail};
use crate::topic::Topic;

/// What one subscribes to: a channel and a subtopic that may hold wildcards.
///
/// | wildcard | stands for | known to |
/// |---|---|---|
/// | `*` or `+` | exactly one level | NATS and AMQP; MQTT |
/// | `>` | one or more levels, last | NATS |
/// | `#` | any number of levels, none included, last | MQTT and AMQP |
///
/// A text a person writes ([`Filter::new`]) and, except on [`Dialect::FluxMq`], an MQTT filter may use them all.
/// Two filters are equal when they match the same topics: `+/#` is `>`.
///
/// ```
/// use manywire_topics::{Channel, Dialect, Filter, Form, Topic};
///
/// let channel = Channel::new(Dialect::Channels, None, "1")?;
/// let filter = Filter::new(channel, "bedroom/>")?;
/// assert!(filter.matches(Topic::new(channel, "bedroom/temperature")?));
/// assert!(!filter.matches(Topic::new(channel, "bedroom")?));
/// assert_eq!(filter.display(Form::Mqtt)?.to_string(), "channels/1/messages/bedroom/+/#");
/// # Ok::<(), manywire_topics::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Filter<'a> {
    channel: Channel<'a>,
    /// The levels before the tail; a level `*` or `+` is a wildcard.
    body: Body<'a>,
    tail: Tail,
}

impl<'a> Filter<'a> {
    /// Reads a filter in one of its forms. A shared subscription is split first: [`split_share`](crate::split_share).
    pub const fn parse(dialect: Dialect, form: Form, text: &'a str) -> Result<Self, Error> {
        let address = match layout::split(dialect, form, text) {
            Ok(address) => address,
            Err(error) => return Err(error),
        };
        Self::read(address.channel, Some(form), address.subtopic, address.subtopic_at)
    }

    /// A channel and a subtopic as a person writes it: levels separated by `/` (and, except on
    /// [`Dialect::FluxMq`], by `.`), nothing escaped, any of the wildcards.
    pub const fn new(channel: Channel<'a>, subtopic: &'a str) -> Result<Self, Error> {
        if subtopic.len() > layout::MAX_BYTES {
            return Err(Error::new(crate::ErrorKind::TooLong, layout::MAX_BYTES));
        }
        Self::read(channel, None, subtopic, 0)
    }

    const fn read(
        channel: Channel<'a>,
        form: Option<Form>,
        subtopic: &'a str,
        at: usize,
    ) -> Result<Self, Error> {
        let rules = Rules {
            dialect: channel.dialect(),
            form,
            filter: true,
        };
        match scan::scan(subtopic, rules, at) {
            Ok(scanned) => Ok(Self::known(channel, scanned.body, scanned.syntax, scanned.tail)),
            Err(error) => Err(error),
        }
    }

    /// A filter whose levels were valid before.
    pub(crate) const fn known(channel: Channel<'a>, text: &'a str, syntax: Syntax, tail: Tail) -> Self {
        let body = Body(Subtopic {
            text,
            syntax,
            dialect: channel.dialect(),
        });
        Self { channel, body, tail }
    }

    /// The channel.
    pub const fn channel(&self) -> Channel<'a> {
        self.channel
    }

    /// The parts of the subtopic; `Display` writes it as one reads it, wildcards as `*`, `>` and `#`.
    pub const fn subtopic(&self) -> Parts<'a> {
        Parts {
            levels: self.body.0.levels(),
            tail: Some(self.tail),
            dialect: self.channel.dialect(),
        }
    }

    /// The levels before a final `>` or `#`, wildcards for one level among them.
    pub(crate) const fn body(&self) -> Levels<'a> {
        self.body.0.levels()
    }

    #[cfg(feature = "alloc")]
    pub(crate) const fn tail(&self) -> Tail {
        self.tail
    }

    /// The one topic that this filter matches, if it has no wildcard.
    pub fn as_topic(&self) -> Option<Topic<'a>> {
        let exact = self.tail == Tail::Exact && !self.body().any(|level| level.is_one());
        exact.then(|| Topic::known(self.channel, self.body.0.text, self.body.0.syntax))
    }

    /// Whether a message on `topic` is one this filter asks for. Allocates nothing.
    #[inline]
    pub fn matches(&self, topic: Topic<'_>) -> bool {
        if self.channel != topic.channel() {
            return false;
        }
        let (ours, theirs) = (self.body.0, topic.subtopic());
        // The text of a topic has no wildcard, so neither has a filter's that equals it.
        if ours.text == theirs.text && ours.syntax == theirs.syntax {
            return self.tail != Tail::OneOrMore;
        }
        let mut levels = theirs.levels();
        for wanted in self.body() {
            match levels.next() {
                Some(level) if wanted.is_one() || wanted == level => {}
                _ => return false,
            }
        }
        match self.tail {
            Tail::Exact => levels.next().is_none(),
            Tail::OneOrMore => levels.next().is_some(),
            Tail::ZeroOrMore => true,
        }
    }

    /// The filter in one of its forms; reading it back gives this filter again, with one exception: NATS and URL
    /// paths (of the dialects on NATS) have no `#`. There it is written as `>`, and [`also`](Self::also) is the topic
    /// that this leaves out.
    pub fn display(&self, form: Form) -> Result<Printed<'a>, Error> {
        Printed::filter(*self, form)
    }

    /// The second filter one has to subscribe to in this form, if one does not say it all.
    pub fn also(&self, form: Form) -> Option<Filter<'a>> {
        let lacking = match form {
            Form::Nats => true,
            Form::Path => self.channel.dialect() != Dialect::FluxMq,
            Form::Mqtt | Form::Amqp => false,
        };
        (lacking && self.tail == Tail::ZeroOrMore).then_some(Self {
            tail: Tail::Exact,
            ..*self
        })
    }
}

impl<'a> From<Topic<'a>> for Filter<'a> {
    fn from(topic: Topic<'a>) -> Self {
        let subtopic = topic.subtopic();
        Self {
            channel: topic.channel(),
            body: Body(subtopic),
            tail: Tail::Exact,
        }
    }
}

impl fmt::Debug for Filter<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Filter({:?} {})", self.channel, self.subtopic())
    }
}

/// The levels of a filter, `+` and `*` being one.
#[derive(Clone, Copy)]
struct Body<'a>(Subtopic<'a>);

impl<'a> Body<'a> {
    fn parts(&self) -> impl Iterator<Item = Part<'a>> + use<'a> {
        self.0.levels().map(Part::of)
    }
}

impl PartialEq for Body<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.parts().eq(other.parts())
    }
}

impl Eq for Body<'_> {}

impl Ord for Body<'_> {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.parts().cmp(other.parts())
    }
}

impl PartialOrd for Body<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl core::hash::Hash for Body<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.parts().for_each(|part| part.hash(state));
        state.write_u8(0xFE);
    }
}

/// One part of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part<'a> {
    /// This level.
    Level(Level<'a>),
    /// Any one level: `*`, or `+` on MQTT.
    One,
    /// One or more levels: `>`.
    OneOrMore,
    /// Any number of levels, or none: `#`.
    ZeroOrMore,
}

impl<'a> Part<'a> {
    fn of(level: Level<'a>) -> Self {
        if level.is_one() {
            Self::One
        } else {
            Self::Level(level)
        }
    }
}

/// The parts of a filter's subtopic, one by one.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    levels: Levels<'a>,
    tail: Option<Tail>,
    dialect: Dialect,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        if let Some(level) = self.levels.next() {
            return Some(Part::of(level));
        }
        match self.tail.take()? {
            Tail::Exact => None,
            Tail::OneOrMore => Some(Part::OneOrMore),
            Tail::ZeroOrMore => Some(Part::ZeroOrMore),
        }
    }
}

impl fmt::Display for Parts<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut joiner = "";
        for part in *self {
            formatter.write_str(joiner)?;
            match part {
                Part::Level(level) => write!(formatter, "{level}")?,
                Part::One => formatter.write_str("*")?,
                Part::OneOrMore => formatter.write_str(">")?,
                Part::ZeroOrMore => formatter.write_str("#")?,
            }
            joiner = Subtopic::joiner(self.dialect);
        }
        Ok(())
    }
}

impl fmt::Debug for Parts<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(*self).finish()
    }
}
