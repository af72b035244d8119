//! The three guarantees of MQTT, used as the words for every transport.

use core::fmt;

/// The guarantee a message is sent or received with.
///
/// The words are MQTT's (MQTT 3.1.1 section 4.3); a transport that cannot give one says so in its
/// [`Capabilities`](crate::transport::Capabilities), and asking for it fails before anything is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QoS {
    /// Sent once and not confirmed: it may be lost.
    AtMostOnce,
    /// Confirmed by the platform and repeated until it is: it may arrive twice.
    #[default]
    AtLeastOnce,
    /// Confirmed in two steps: it arrives once.
    ExactlyOnce,
}

impl QoS {
    /// The number MQTT gives it: 0, 1 or 2.
    #[must_use]
    pub const fn level(self) -> u8 {
        match self {
            Self::AtMostOnce => 0,
            Self::AtLeastOnce => 1,
            Self::ExactlyOnce => 2,
        }
    }

    /// The guarantee of an MQTT level, or `None` when the number is not 0, 1 or 2.
    #[must_use]
    pub const fn from_level(level: u8) -> Option<Self> {
        match level {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }
}

impl fmt::Display for QoS {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AtMostOnce => "at most once",
            Self::AtLeastOnce => "at least once",
            Self::ExactlyOnce => "exactly once",
        })
    }
}
