//! The platform's names and limits on NATS.
//!
//! Its adapters publish to a JetStream stream, and a subscription is a durable pull consumer of it with explicit
//! acknowledgement, whose name says what is subscribed to and by whom. The stream's configuration must be the
//! platform's to the letter: creating a stream that exists is a success only if nothing differs.

use core::fmt::{self, Write};
use core::time::Duration;

use manywire_topics::Dialect;

/// How many messages of one subject the stream keeps; the oldest give way.
pub const MAX_MESSAGES_PER_SUBJECT: i64 = 1_000_000;

/// How long the stream keeps a message.
pub const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// The most bytes a message in the stream may have, the envelope included.
pub const MAX_MESSAGE_SIZE: i32 = 1024 * 1024;

/// The name of the stream.
pub const fn stream(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Channels => "channels",
        Dialect::Domains | Dialect::FluxMq => "m",
    }
}

/// The subjects of the stream, and the filter of a subscriber to everything.
pub const fn all_subjects(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Channels => "channels.>",
        Dialect::Domains | Dialect::FluxMq => "m.>",
    }
}

/// The name of the durable consumer with which the subscriber `id` reads what matches `filter`, a subject that may
/// have wildcards.
///
/// ```
/// use manywire_envelope::nats;
///
/// assert_eq!(nats::durable_name("channels.>", "writer").to_string(), "channels__-writer");
/// ```
pub const fn durable_name<'a>(filter: &'a str, id: &'a str) -> DurableName<'a> {
    DurableName { filter, id }
}

/// The name of a durable consumer; see [`durable_name`].
#[derive(Clone, Copy, Debug)]
pub struct DurableName<'a> {
    filter: &'a str,
    id: &'a str,
}

impl fmt::Display for DurableName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.filter.chars() {
            formatter.write_char(match character {
                ' ' | '.' | '*' | '>' | '/' | '\\' => '_',
                other => other,
            })?;
        }
        write!(formatter, "-{}", self.id)
    }
}
