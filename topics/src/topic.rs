//! What one publishes to.

use core::fmt;

use crate::channel::Channel;
use crate::dialect::{Dialect, Form};
use crate::error::Error;
use crate::layout;
use crate::level::{Levels, Subtopic, Syntax};
use crate::print::Printed;
use crate::scan::{self, Rules};

/// What one publishes to: a channel and a concrete subtopic. It cannot hold a wildcard.
///
/// It borrows the text it was parsed from and decodes it lazily; parsing allocates nothing. Two topics are equal when
/// they mean the same, whatever form they came from.
///
/// ```
/// use manywire_topics::{Dialect, Form, Topic};
///
/// let topic = Topic::parse(Dialect::Channels, Form::Path, "channels/1/messages/bedroom/temperature")?;
/// assert_eq!(topic.channel().id(), "1");
/// assert_eq!(topic.subtopic().to_string(), "bedroom.temperature");
/// assert_eq!(topic, Topic::parse(Dialect::Channels, Form::Nats, "channels.1.bedroom.temperature")?);
/// assert_eq!(topic.display(Form::Mqtt)?.to_string(), "channels/1/messages/bedroom/temperature");
/// # Ok::<(), manywire_topics::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic<'a> {
    channel: Channel<'a>,
    subtopic: Subtopic<'a>,
}

impl<'a> Topic<'a> {
    /// Reads an address in one of its forms.
    pub const fn parse(dialect: Dialect, form: Form, text: &'a str) -> Result<Self, Error> {
        let address = match layout::split(dialect, form, text) {
            Ok(address) => address,
            Err(error) => return Err(error),
        };
        Self::read(address.channel, Some(form), address.subtopic, address.subtopic_at)
    }

    /// A channel and a subtopic as a person writes it: levels separated by `/` (and, except on
    /// [`Dialect::FluxMq`], by `.`), nothing escaped.
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
        let dialect = channel.dialect();
        match scan::scan(
            subtopic,
            Rules {
                dialect,
                form,
                filter: false,
            },
            at,
        ) {
            Ok(scanned) => {
                let subtopic = Subtopic {
                    text: scanned.body,
                    syntax: scanned.syntax,
                    dialect,
                };
                Ok(Self { channel, subtopic })
            }
            Err(error) => Err(error),
        }
    }

    /// A topic whose levels were valid before, written with slashes between them.
    pub(crate) const fn known(channel: Channel<'a>, text: &'a str, syntax: Syntax) -> Self {
        let subtopic = Subtopic {
            text,
            syntax,
            dialect: channel.dialect(),
        };
        Self { channel, subtopic }
    }

    /// The channel.
    pub const fn channel(&self) -> Channel<'a> {
        self.channel
    }

    /// The subtopic, which may be empty.
    pub const fn subtopic(&self) -> Subtopic<'a> {
        self.subtopic
    }

    /// The levels of the subtopic.
    pub const fn levels(&self) -> Levels<'a> {
        self.subtopic.levels()
    }

    /// The address in one of its forms; reading it back gives this topic again.
    ///
    /// Refused when this form cannot carry the topic, or would carry another: a `%` on MQTT, a space in NATS, more
    /// bytes than the protocol has room for.
    pub fn display(&self, form: Form) -> Result<Printed<'a>, Error> {
        Printed::topic(*self, form)
    }
}

impl fmt::Debug for Topic<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Topic({:?} {:?})", self.channel, self.subtopic)
    }
}
