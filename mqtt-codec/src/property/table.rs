use crate::error::ErrorKind;
use crate::policy::{Policy, Role};
use crate::reader::{Fault, Reader};

/// Where a property block stands; decides which properties it may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs)] // the packets' own names
pub enum PropertyScope {
    /// The properties of a will, inside CONNECT.
    Will,
    Connect,
    Connack,
    Publish,
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
    Subscribe,
    Suback,
    Unsubscribe,
    Unsuback,
    Disconnect,
    Auth,
}

impl PropertyScope {
    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

/// How a property's value is written, and its range.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Unknown,
    /// One byte, 0 or 1.
    Flag,
    /// One byte, 0 or 1: Maximum QoS.
    Byte,
    TwoBytes,
    TwoBytesNotZero,
    FourBytes,
    FourBytesNotZero,
    /// A variable byte integer that is not zero: Subscription Identifier.
    Variable,
    Text,
    Topic,
    Binary,
    Pair,
}

#[derive(Clone, Copy)]
struct Row {
    wire: Wire,
    scopes: u16,
}

const ANY: u16 = 0x3fff;

/// Table 2-4 of the standard.
const TABLE: [Row; 43] = {
    let mut table = [Row {
        wire: Wire::Unknown,
        scopes: 0,
    }; 43];
    let mut id = 0;
    while id < table.len() {
        let rows: &mut [Row] = &mut table;
        if let Some(row) = rows.split_at_mut(id).1.first_mut() {
            *row = row_of(id as u8);
        }
        id += 1;
    }
    table
};

const fn row_of(id: u8) -> Row {
    use PropertyScope::{Auth, Connack, Connect, Disconnect, Publish, Subscribe, Will};
    const ONLY_ANSWERS: u16 = ANY
        & !(Will.bit() | Connect.bit() | Publish.bit() | Subscribe.bit() | PropertyScope::Unsubscribe.bit());
    let message = Publish.bit() | Will.bit();
    let (wire, scopes) = match id {
        0x01 => (Wire::Flag, message),
        0x02 => (Wire::FourBytes, message),
        0x03 => (Wire::Text, message),
        0x08 => (Wire::Topic, message),
        0x09 => (Wire::Binary, message),
        0x0b => (Wire::Variable, Publish.bit() | Subscribe.bit()),
        0x11 => (Wire::FourBytes, Connect.bit() | Connack.bit() | Disconnect.bit()),
        0x12 => (Wire::Text, Connack.bit()),
        0x13 => (Wire::TwoBytes, Connack.bit()),
        0x15 => (Wire::Text, Connect.bit() | Connack.bit() | Auth.bit()),
        0x16 => (Wire::Binary, Connect.bit() | Connack.bit() | Auth.bit()),
        0x17 => (Wire::Flag, Connect.bit()),
        0x18 => (Wire::FourBytes, Will.bit()),
        0x19 => (Wire::Flag, Connect.bit()),
        0x1a => (Wire::Text, Connack.bit()),
        0x1c => (Wire::Text, Connack.bit() | Disconnect.bit()),
        0x1f => (Wire::Text, ONLY_ANSWERS),
        0x21 => (Wire::TwoBytesNotZero, Connect.bit() | Connack.bit()),
        0x22 => (Wire::TwoBytes, Connect.bit() | Connack.bit()),
        0x23 => (Wire::TwoBytesNotZero, Publish.bit()),
        0x24 => (Wire::Byte, Connack.bit()),
        0x25 => (Wire::Flag, Connack.bit()),
        0x26 => (Wire::Pair, ANY),
        0x27 => (Wire::FourBytesNotZero, Connect.bit() | Connack.bit()),
        0x28..=0x2a => (Wire::Flag, Connack.bit()),
        _ => (Wire::Unknown, 0),
    };
    Row { wire, scopes }
}

pub(super) fn wire(id: u8) -> Wire {
    TABLE.get(usize::from(id)).map_or(Wire::Unknown, |row| row.wire)
}

const TOPIC_ALIAS: u8 = 0x23;
const SUBSCRIPTION_IDENTIFIER: u8 = 0x0b;
const AUTHENTICATION_METHOD: u8 = 0x15;
const AUTHENTICATION_DATA: u8 = 0x16;
const SESSION_EXPIRY_INTERVAL: u8 = 0x11;
const SERVER_REFERENCE: u8 = 0x1c;

/// Checks a block that came in.
#[inline]
pub(crate) fn check(block: &[u8], scope: PropertyScope, policy: &Policy) -> Result<Seen, Fault> {
    if block.is_empty() {
        return Ok(Seen(0));
    }
    check_block::<true>(block, scope, policy)
}

/// Checks that a block which was built or decoded elsewhere is one of this scope; its strings were checked then.
#[inline]
pub(crate) fn check_encoded(block: &[u8], scope: PropertyScope) -> Result<Seen, ErrorKind> {
    if block.is_empty() {
        return Ok(Seen(0));
    }
    check_block::<false>(block, scope, &Policy::STRICT).map_err(|fault| fault.kind)
}

/// The identifiers of a block, as bits.
#[derive(Clone, Copy)]
pub(crate) struct Seen(u64);

impl Seen {
    const fn has(self, id: u8) -> bool {
        self.0 >> id & 1 != 0
    }

    pub(crate) const fn has_topic_alias(self) -> bool {
        self.has(TOPIC_ALIAS)
    }

    pub(crate) const fn has_authentication_method(self) -> bool {
        self.has(AUTHENTICATION_METHOD)
    }

    /// Whether `id`, after the properties seen before, may stand in the block; adds it.
    pub(super) fn admit(self, id: u8, scope: PropertyScope) -> Result<(Self, Wire), ErrorKind> {
        let row = match TABLE.get(usize::from(id)) {
            Some(row) if row.wire != Wire::Unknown => row,
            _ => return Err(ErrorKind::UnknownProperty),
        };
        if row.scopes & scope.bit() == 0 {
            return Err(ErrorKind::MisplacedProperty);
        }
        let repeats =
            row.wire == Wire::Pair || (row.wire == Wire::Variable && scope == PropertyScope::Publish);
        if self.has(id) && !repeats {
            return Err(ErrorKind::DuplicateProperty);
        }
        Ok((Self(self.0 | 1 << id), row.wire))
    }

    pub(super) const fn none() -> Self {
        Self(0)
    }

    /// Authentication Data goes with an Authentication Method.
    pub(super) const fn lacks_authentication_method(self) -> bool {
        self.has(AUTHENTICATION_DATA) && !self.has(AUTHENTICATION_METHOD)
    }
}

fn check_block<const STRINGS: bool>(
    block: &[u8],
    scope: PropertyScope,
    policy: &Policy,
) -> Result<Seen, Fault> {
    let mut seen = Seen(0);
    let mut reader = Reader::new(block, policy);
    while !reader.is_empty() {
        let start = reader;
        let id = reader.u8()?;
        let (with, wire) = match seen.admit(id, scope) {
            Ok(admitted) => admitted,
            Err(kind) => return Err(start.fault(kind)),
        };
        seen = with;
        check_value::<STRINGS>(id, wire, &mut reader)?;
    }
    if seen.lacks_authentication_method() {
        return Err(Fault::new(ErrorKind::MissingAuthenticationMethod, block.len()));
    }
    match policy
        .sender
        .map_or(Ok(()), |sender| check_sender(seen, scope, sender))
    {
        Ok(()) => Ok(seen),
        Err(kind) => Err(Fault::new(kind, block.len())),
    }
}

#[inline]
fn check_value<const STRINGS: bool>(id: u8, wire: Wire, reader: &mut Reader<'_>) -> Result<(), Fault> {
    let start = *reader;
    let in_range = match wire {
        Wire::Flag | Wire::Byte => reader.u8()? <= 1,
        Wire::TwoBytes => reader.u16().map(|_| true)?,
        // [MQTT-3.3.2-8] a Topic Alias is not 0; nor is a Receive Maximum.
        Wire::TwoBytesNotZero => reader.u16()? != 0,
        Wire::FourBytes => reader.u32().map(|_| true)?,
        Wire::FourBytesNotZero => reader.u32()? != 0,
        Wire::Variable => reader.variable_byte_integer()? != 0,
        Wire::Text if STRINGS => reader.text().map(|_| true)?,
        // [MQTT-3.3.2-14] a Response Topic holds no wildcards.
        Wire::Topic if STRINGS => match reader.topic_name() {
            Err(fault) if fault.kind == ErrorKind::WildcardInTopicName => {
                return Err(Fault {
                    kind: ErrorKind::WildcardInResponseTopic,
                    ..fault
                });
            }
            topic => topic.map(|_| true)?,
        },
        Wire::Text | Wire::Topic | Wire::Binary => reader.binary().map(|_| true)?,
        Wire::Pair if STRINGS => reader.text().and_then(|_| reader.text()).map(|_| true)?,
        Wire::Pair => reader.binary().and_then(|_| reader.binary()).map(|_| true)?,
        Wire::Unknown => false,
    };
    match in_range {
        true => Ok(()),
        false if id == TOPIC_ALIAS => Err(start.fault(ErrorKind::ZeroTopicAlias)),
        false => Err(start.fault(ErrorKind::InvalidPropertyValue)),
    }
}

/// Whether the sender may send these properties.
fn check_sender(seen: Seen, scope: PropertyScope, sender: Role) -> Result<(), ErrorKind> {
    match (scope, sender) {
        // [MQTT-3.3.4-6]
        (PropertyScope::Publish, Role::Client) if seen.has(SUBSCRIPTION_IDENTIFIER) => {
            Err(ErrorKind::SubscriptionIdentifierFromClient)
        }
        // [MQTT-3.14.2-2]
        (PropertyScope::Disconnect, Role::Server) if seen.has(SESSION_EXPIRY_INTERVAL) => {
            Err(ErrorKind::SessionExpiryIntervalFromServer)
        }
        // 3.14.2.2.5: the server sends it.
        (PropertyScope::Disconnect, Role::Client) if seen.has(SERVER_REFERENCE) => {
            Err(ErrorKind::WrongDirection)
        }
        _ => Ok(()),
    }
}
