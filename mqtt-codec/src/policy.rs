/// The two sides of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The side that sends CONNECT.
    Client,
    /// The side that answers CONNACK.
    Server,
}

/// What a decoder lets through: a value, not a cargo feature, and [`Policy::STRICT`] unless said otherwise.
///
/// Strict means that every packet a normative statement forbids is refused and every packet the standards allow is
/// taken, also where they advise against it. Each switch moves one of those lines.
///
/// ```
/// use manywire_mqtt_codec::{Policy, Role};
/// let policy = Policy::STRICT.with_sender(Role::Client).with_max_packet_size(64 * 1024);
/// assert_eq!(policy.sender(), Some(Role::Client));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Policy {
    pub(crate) max_packet_size: u32,
    pub(crate) sender: Option<Role>,
    pub(crate) refuse_control_characters: bool,
    pub(crate) allow_dup_at_most_once: bool,
    pub(crate) allow_bridge_level: bool,
    pub(crate) allow_v3_replies: bool,
    pub(crate) allow_long_lengths: bool,
    pub(crate) report_filters: bool,
}

impl Policy {
    /// The largest packet that the remaining length can describe, fixed header included: 268,435,460 bytes.
    pub const LARGEST_PACKET: u32 = 268_435_455 + 5;

    /// Everything the standards forbid is refused, everything they allow is taken.
    pub const STRICT: Self = Self {
        max_packet_size: Self::LARGEST_PACKET,
        sender: None,
        refuse_control_characters: false,
        allow_dup_at_most_once: false,
        allow_bridge_level: false,
        allow_v3_replies: false,
        allow_long_lengths: false,
        report_filters: false,
    };

    /// Refuses packets of more than `bytes` bytes, fixed header included, as soon as the fixed header is there.
    pub const fn with_max_packet_size(mut self, bytes: u32) -> Self {
        self.max_packet_size = bytes;
        self
    }

    /// The size above which a packet is refused, in bytes, fixed header included.
    pub const fn max_packet_size(&self) -> u32 {
        self.max_packet_size
    }

    /// Says who sends the packets that are decoded, so that those it may not send are refused: packet types, and in
    /// 5.0 reason codes and properties.
    pub const fn with_sender(mut self, sender: Role) -> Self {
        self.sender = Some(sender);
        self
    }

    /// Who sends the packets that are decoded; `None`, the default, allows both directions.
    pub const fn sender(&self) -> Option<Role> {
        self.sender
    }

    /// Refuses strings with control characters (U+0001 to U+001F, U+007F to U+009F) and non-characters, which a
    /// sender SHOULD NOT use and on which a receiver may close the connection (1.5.4, in 3.1.1 1.5.3).
    pub const fn refuse_control_characters(mut self) -> Self {
        self.refuse_control_characters = true;
        self
    }

    /// Takes a PUBLISH with DUP and QoS 0, which `[MQTT-3.3.1-2]` forbids.
    pub const fn allow_dup_at_most_once(mut self) -> Self {
        self.allow_dup_at_most_once = true;
        self
    }

    /// Takes a CONNECT whose protocol level has bit 7 set, as mosquitto's bridges send it.
    pub const fn allow_bridge_level(mut self) -> Self {
        self.allow_bridge_level = true;
        self
    }

    /// In 5.0, takes CONNACK, SUBACK and UNSUBACK in the form of 3.1.1, as some servers send them.
    pub const fn allow_v3_replies(mut self) -> Self {
        self.allow_v3_replies = true;
        self
    }

    /// In 3.1 and 3.1.1, takes a remaining length written with more bytes than it needs. 5.0 forbids it by
    /// `[MQTT-1.5.5-1]`, the older versions only by implication.
    pub const fn allow_long_lengths(mut self) -> Self {
        self.allow_long_lengths = true;
        self
    }

    /// Takes a SUBSCRIBE or UNSUBSCRIBE with malformed filters, so that a server can answer each of them by itself
    /// (5.0: reason code 0x8F) instead of closing; see [`Subscriptions::results`](crate::Subscriptions::results).
    pub const fn report_filters(mut self) -> Self {
        self.report_filters = true;
        self
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::STRICT
    }
}
