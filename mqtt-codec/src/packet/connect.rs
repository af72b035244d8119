use core::fmt;

use super::tail;
use crate::delivery::QoS;
use crate::error::ErrorKind;
use crate::policy::Policy;
use crate::property::{Properties, PropertyScope};
use crate::reader::{Fault, Reader};
use crate::text::{LONGEST, Text, TopicName};
use crate::version::Version;
use crate::writer::Writer;

/// CONNECT: the first packet of a connection.
///
/// It carries its version itself, so it is decoded by its own, whatever version the decoder was told. It is a view of
/// the packet or of [`ConnectFields`]; [`fields`](Self::fields) gives all of it at once.
#[derive(Clone, Copy)]
pub struct Connect<'a>(Form<'a>);

#[derive(Clone, Copy)]
enum Form<'a> {
    /// What follows the fixed header.
    Wire {
        body: &'a [u8],
        version: Version,
    },
    Fields(&'a ConnectFields<'a>),
}

/// What a CONNECT says: to be read, or to be filled in and sent.
///
/// ```
/// use manywire_mqtt_codec::{Connect, ConnectFields, Packet, Text, Version};
/// let fields = ConnectFields { keep_alive: 30, ..ConnectFields::new(Version::V311, Text::new("sensor-7")?) };
/// let mut buffer = [0; 64];
/// let len = Packet::from(Connect::from(&fields)).encode(Version::V311, &mut buffer)?;
/// assert_eq!(&buffer[..len], b"\x10\x14\0\x04MQTT\x04\x02\0\x1e\0\x08sensor-7");
/// # Ok::<(), manywire_mqtt_codec::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ConnectFields<'a> {
    /// The version that the client speaks.
    pub version: Version,
    /// Whether bit 7 of the protocol level is set, as bridges of mosquitto set it.
    pub bridge: bool,
    /// Clean Session, in 5.0 Clean Start: whether a session that the server may still hold is thrown away.
    pub clean_start: bool,
    /// In seconds; 0 turns it off.
    pub keep_alive: u16,
    /// Empty in 5.0 to be given one, in 3.1.1 only with `clean_start`, never in 3.1.
    pub client_id: Text<'a>,
    /// Empty in 3.1 and 3.1.1.
    pub properties: Properties<'a>,
    /// What the server publishes when the connection is lost.
    pub will: Option<Will<'a>>,
    /// It may be empty, which is not the same as none.
    pub user_name: Option<Text<'a>>,
    /// At most 65,535 bytes; before 5.0 only beside a user name.
    pub password: Option<&'a [u8]>,
}

/// The message a server publishes when a connection is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Will<'a> {
    /// Where it is published.
    pub topic: TopicName<'a>,
    /// The message: at most 65,535 bytes.
    pub payload: &'a [u8],
    /// The quality of service it is published with.
    pub qos: QoS,
    /// Whether it is retained.
    pub retain: bool,
    /// Empty in 3.1 and 3.1.1.
    pub properties: Properties<'a>,
}

impl<'a> Will<'a> {
    /// A will with QoS 0, not retained, without properties.
    pub const fn new(topic: TopicName<'a>, payload: &'a [u8]) -> Self {
        Self {
            topic,
            payload,
            qos: QoS::AtMostOnce,
            retain: false,
            properties: Properties::EMPTY,
        }
    }
}

const CLEAN_START: u8 = 0b0000_0010;
const WILL: u8 = 0b0000_0100;
const WILL_QOS: u8 = 0b0001_1000;
const WILL_RETAIN: u8 = 0b0010_0000;
const PASSWORD: u8 = 0b0100_0000;
const USER_NAME: u8 = 0b1000_0000;
const BRIDGE: u8 = 0x80;

impl<'a> ConnectFields<'a> {
    /// A clean start without keep-alive, will, user name and password.
    pub const fn new(version: Version, client_id: Text<'a>) -> Self {
        Self {
            version,
            bridge: false,
            clean_start: true,
            keep_alive: 0,
            client_id,
            properties: Properties::EMPTY,
            will: None,
            user_name: None,
            password: None,
        }
    }

    fn decode(reader: &mut Reader<'a>, policy: &Policy) -> Result<Self, Fault> {
        let (version, bridge) = version(reader, policy)?;
        let flags = flags(reader, version)?;
        let keep_alive = reader.u16()?;
        let properties = block(reader, PropertyScope::Connect, version, policy)?;
        let client_id = client_id(reader, version, flags)?;
        let will = match flags & WILL != 0 {
            true => Some(will(reader, version, flags, policy)?),
            false => None,
        };
        // 3.1: a server allows for a user name or password that is announced and missing.
        let given =
            |reader: &Reader<'_>, flag| flags & flag != 0 && !(version == Version::V31 && reader.is_empty());
        let user_name = if given(reader, USER_NAME) {
            Some(reader.text()?)
        } else {
            None
        };
        let password = if given(reader, PASSWORD) {
            Some(reader.binary()?)
        } else {
            None
        };
        let clean_start = flags & CLEAN_START != 0;
        Ok(Self {
            version,
            bridge,
            clean_start,
            keep_alive,
            client_id,
            properties,
            will,
            user_name,
            password,
        })
    }

    fn check(&self) -> Result<(), ErrorKind> {
        if !client_id_is_allowed(self.client_id, self.version, self.clean_start) {
            return Err(ErrorKind::InvalidClientIdentifier);
        }
        // [MQTT-3.1.2-22]
        if self.version != Version::V5 && self.password.is_some() && self.user_name.is_none() {
            return Err(ErrorKind::PasswordWithoutUserName);
        }
        if self.will.is_some_and(|will| will.topic.is_aliased()) {
            return Err(ErrorKind::EmptyTopicName);
        }
        let longest = self
            .will
            .map_or(0, |will| will.payload.len())
            .max(self.password.map_or(0, <[u8]>::len));
        if longest > LONGEST {
            Err(ErrorKind::FieldTooLong)
        } else {
            Ok(())
        }
    }

    fn remaining_len(&self) -> Result<usize, ErrorKind> {
        self.check()?;
        let mut len = 2 + self.version.protocol_name().len() + 1 + 1 + 2;
        len += tail::checked_block_len(self.properties, PropertyScope::Connect, self.version)?;
        len += 2 + self.client_id.as_bytes().len();
        if let Some(will) = &self.will {
            len += tail::checked_block_len(will.properties, PropertyScope::Will, self.version)?;
            len += 4 + will.topic.as_bytes().len() + will.payload.len();
        }
        len += self
            .user_name
            .map_or(0, |user_name| 2 + user_name.as_bytes().len());
        len += self.password.map_or(0, |password| 2 + password.len());
        Ok(len)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.field(self.version.protocol_name().as_bytes());
        writer.u8(self.version.level() | if self.bridge { BRIDGE } else { 0 });
        writer.u8(self.flags());
        writer.u16(self.keep_alive);
        if self.version == Version::V5 {
            tail::write_block(self.properties, writer);
        }
        writer.field(self.client_id.as_bytes());
        if let Some(will) = &self.will {
            if self.version == Version::V5 {
                tail::write_block(will.properties, writer);
            }
            writer.field(will.topic.as_bytes());
            writer.field(will.payload);
        }
        if let Some(user_name) = self.user_name {
            writer.field(user_name.as_bytes());
        }
        if let Some(password) = self.password {
            writer.field(password);
        }
    }

    fn flags(&self) -> u8 {
        let mut flags = if self.clean_start { CLEAN_START } else { 0 };
        if let Some(will) = &self.will {
            flags |= WILL | will.qos.bits() << 3 | if will.retain { WILL_RETAIN } else { 0 };
        }
        flags |= if self.user_name.is_some() { USER_NAME } else { 0 };
        flags | if self.password.is_some() { PASSWORD } else { 0 }
    }
}

impl<'a> Connect<'a> {
    /// The version that the client speaks.
    pub const fn version(&self) -> Version {
        match self.0 {
            Form::Wire { version, .. } => version,
            Form::Fields(fields) => fields.version,
        }
    }

    /// Everything the packet says; one walk over its fields, without checking them again.
    pub fn fields(&self) -> ConnectFields<'a> {
        match self.0 {
            Form::Fields(fields) => *fields,
            Form::Wire { body, version } => {
                let allow = Policy::STRICT.allow_bridge_level();
                ConnectFields::decode(&mut Reader::of_checked(body), &allow)
                    .unwrap_or(ConnectFields::new(version, Text::default()))
            }
        }
    }

    /// The body of a packet that was decoded before.
    pub(crate) const fn from_checked(body: &'a [u8], version: Version) -> Self {
        Self(Form::Wire { body, version })
    }

    /// What follows the fixed header, of a packet that was decoded.
    pub(crate) const fn body(&self) -> &'a [u8] {
        match self.0 {
            Form::Wire { body, .. } => body,
            Form::Fields(_) => &[],
        }
    }

    pub(crate) fn decode(mut reader: Reader<'a>, policy: &Policy) -> Result<Self, Fault> {
        let body = reader.rest();
        let fields = ConnectFields::decode(&mut reader, policy)?;
        reader.finish()?;
        Ok(Self(Form::Wire {
            body,
            version: fields.version,
        }))
    }

    pub(crate) fn remaining_len(&self) -> Result<usize, ErrorKind> {
        self.fields().remaining_len()
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        self.fields().write(writer);
    }
}

impl<'a> From<&'a ConnectFields<'a>> for Connect<'a> {
    fn from(fields: &'a ConnectFields<'a>) -> Self {
        Self(Form::Fields(fields))
    }
}

impl PartialEq for Connect<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.fields() == other.fields()
    }
}

impl Eq for Connect<'_> {}

impl fmt::Debug for Connect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connect").field(&self.fields()).finish()
    }
}

impl fmt::Debug for ConnectFields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectFields")
            .field("version", &self.version)
            .field("bridge", &self.bridge)
            .field("clean_start", &self.clean_start)
            .field("keep_alive", &self.keep_alive)
            .field("client_id", &self.client_id)
            .field("properties", &self.properties)
            .field("will", &self.will)
            .field("user_name", &self.user_name)
            .field("password", &self.password.map(|_| "(not shown)"))
            .finish()
    }
}

/// The protocol name and level; whether the level has a bridge's bit.
fn version(reader: &mut Reader<'_>, policy: &Policy) -> Result<(Version, bool), Fault> {
    let name = reader.binary()?;
    // [MQTT-3.1.2-1]
    if name != b"MQTT" && name != b"MQIsdp" {
        return Err(reader.fault_before(ErrorKind::InvalidProtocolName, name.len()));
    }
    let byte = reader.u8()?;
    let bridge = policy.allow_bridge_level && byte & BRIDGE != 0;
    let level = if bridge { byte & !BRIDGE } else { byte };
    // [MQTT-3.1.2-2]
    match Version::from_level(level) {
        Some(version) if version.protocol_name().as_bytes() == name => Ok((version, bridge)),
        _ => Err(reader.fault_before(ErrorKind::UnsupportedProtocolLevel, 1)),
    }
}

fn flags(reader: &mut Reader<'_>, version: Version) -> Result<u8, Fault> {
    let flags = reader.u8()?;
    let refuse = |kind| Err(reader.fault_before(kind, 1));
    // [MQTT-3.1.2-3]. 3.1: not used.
    if flags & 1 != 0 && version != Version::V31 {
        return refuse(ErrorKind::ReservedConnectFlag);
    }
    if flags & WILL == 0 && version != Version::V31 {
        // [MQTT-3.1.2-13], in 5.0 [MQTT-3.1.2-11]
        if flags & WILL_QOS != 0 {
            return refuse(ErrorKind::WillQosWithoutWill);
        }
        // [MQTT-3.1.2-15], in 5.0 [MQTT-3.1.2-13]
        if flags & WILL_RETAIN != 0 {
            return refuse(ErrorKind::WillRetainWithoutWill);
        }
    }
    // [MQTT-3.1.2-14], in 5.0 [MQTT-3.1.2-12]
    if flags & WILL != 0 && flags & WILL_QOS == WILL_QOS {
        return refuse(ErrorKind::InvalidQos);
    }
    // [MQTT-3.1.2-22], not in 5.0
    if flags & USER_NAME == 0 && flags & PASSWORD != 0 && version != Version::V5 {
        return refuse(ErrorKind::PasswordWithoutUserName);
    }
    Ok(flags)
}

fn client_id<'a>(reader: &mut Reader<'a>, version: Version, flags: u8) -> Result<Text<'a>, Fault> {
    let start = *reader;
    // [MQTT-3.1.3-3], [MQTT-3.1.3-4]
    let client_id = reader.text()?;
    match client_id_is_allowed(client_id, version, flags & CLEAN_START != 0) {
        true => Ok(client_id),
        false => Err(start.fault(ErrorKind::InvalidClientIdentifier)),
    }
}

fn client_id_is_allowed(client_id: Text<'_>, version: Version, clean_start: bool) -> bool {
    match version {
        Version::V31 => (1..=23).contains(&client_id.as_str().chars().count()),
        // [MQTT-3.1.3-7], [MQTT-3.1.3-8]
        Version::V311 => clean_start || !client_id.as_bytes().is_empty(),
        Version::V5 => true,
    }
}

fn will<'a>(
    reader: &mut Reader<'a>,
    version: Version,
    flags: u8,
    policy: &Policy,
) -> Result<Will<'a>, Fault> {
    let properties = block(reader, PropertyScope::Will, version, policy)?;
    Ok(Will {
        // [MQTT-3.1.3-10], in 5.0 [MQTT-3.1.3-11]
        topic: reader.topic_name()?,
        payload: reader.binary()?,
        // The flags were checked: the bits are not 3.
        qos: QoS::from_bits((flags & WILL_QOS) >> 3).unwrap_or_default(),
        retain: flags & WILL_RETAIN != 0,
        properties,
    })
}

fn block<'a>(
    reader: &mut Reader<'a>,
    scope: PropertyScope,
    version: Version,
    policy: &Policy,
) -> Result<Properties<'a>, Fault> {
    match version {
        Version::V5 => Ok(tail::properties(reader, scope, policy)?.0),
        _ => Ok(Properties::EMPTY),
    }
}
