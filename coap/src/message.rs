use alloc::{collections::LinkedList, vec::Vec};
use core::fmt;

use coap_lite::{CoapOption, MessageClass, MessageType, Packet};

use crate::{
    block::Block,
    code::Code,
    content_format::ContentFormat,
    error::Error,
    option::{OptionNumber, decode_uint, encode_uint},
};

/// The type of a message (RFC 7252 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// CON: repeated until acknowledged.
    Confirmable,
    /// NON: sent once.
    NonConfirmable,
    /// ACK
    Acknowledgement,
    /// RST
    Reset,
}

/// What ties a response to its request, up to eight bytes (RFC 7252 §5.3.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Token {
    bytes: [u8; 8],
    len: u8,
}

impl Token {
    /// A token of these bytes; `None` for more than eight.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut token = Self {
            bytes: [0; 8],
            len: u8::try_from(bytes.len()).ok()?,
        };
        token.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(token)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl From<u64> for Token {
    fn from(number: u64) -> Self {
        Self {
            bytes: number.to_be_bytes(),
            len: 8,
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A CoAP message: header, token, options in ascending order, payload.
///
/// An application fills in code, options and payload; type, id and token are what an [`Endpoint`](crate::Endpoint)
/// makes of it, except that a request stays non-confirmable if it was made so.
#[derive(Clone, PartialEq)]
pub struct Message {
    packet: Packet,
}

impl Message {
    /// A confirmable message with this code and nothing else.
    #[must_use]
    pub fn new(code: Code) -> Self {
        let mut packet = Packet::new();
        packet.header.code = MessageClass::from(code.byte());
        Self { packet }
    }

    /// An Empty message: an acknowledgement, a reset, or as confirmable message a ping.
    #[must_use]
    pub fn empty(kind: Kind, message_id: u16) -> Self {
        let mut message = Self::new(Code::EMPTY);
        message.set_kind(kind);
        message.set_id(message_id);
        message
    }

    /// Makes the message non-confirmable.
    #[must_use]
    pub fn non_confirmable(mut self) -> Self {
        self.set_kind(Kind::NonConfirmable);
        self
    }

    /// Adds an option value behind those of the same number.
    #[must_use]
    pub fn with_option(mut self, number: OptionNumber, value: &[u8]) -> Self {
        self.add_option(number, value.to_vec());
        self
    }

    /// Adds an integer option value.
    #[must_use]
    pub fn with_uint(mut self, number: OptionNumber, value: u32) -> Self {
        self.add_option(number, encode_uint(value));
        self
    }

    /// Adds a Content-Format.
    #[must_use]
    pub fn with_content_format(self, format: ContentFormat) -> Self {
        self.with_uint(OptionNumber::CONTENT_FORMAT, u32::from(format.0))
    }

    /// Replaces the payload.
    #[must_use]
    pub fn with_payload(mut self, payload: Vec<u8>) -> Self {
        self.packet.payload = payload;
        self
    }

    /// Reads a datagram, and refuses what `coap-lite` lets pass: another version, a marker without payload, an Empty
    /// message with anything behind the header.
    ///
    /// # Errors
    /// [`Error::Short`], [`Error::Version`], [`Error::Format`].
    pub fn decode(datagram: &[u8]) -> Result<Self, Error> {
        let &[first, code, ..] = datagram.first_chunk::<4>().ok_or(Error::Short)?;
        if first >> 6 != 1 {
            return Err(Error::Version);
        }
        // RFC 7252 §4.1: the token length of an Empty message is 0 and nothing follows the message id.
        if code == 0 && (first & 15 != 0 || datagram.len() != 4) {
            return Err(Error::Format);
        }
        let packet = Packet::from_bytes(datagram).map_err(|_| Error::Format)?;
        let message = Self { packet };
        // RFC 7252 §3: a marker followed by a zero-length payload is a format error. Options have one encoding only, so
        // a message that ends in the byte of the marker had one if it is longer than what it means.
        let suspicious = message.payload().is_empty() && datagram.last() == Some(&0xff);
        if suspicious && message.encode()?.len() != datagram.len() {
            return Err(Error::Format);
        }
        Ok(message)
    }

    /// The datagram, of any length.
    ///
    /// # Errors
    /// [`Error::Format`] if an option is longer than the format can say.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let longest = self.options().map(|(_, value)| value.len()).max().unwrap_or(0);
        if longest > LONGEST_OPTION {
            return Err(Error::Format);
        }
        self.packet.to_bytes_unlimited().map_err(|_| Error::Format)
    }

    /// The type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.packet.header.get_type() {
            MessageType::Confirmable => Kind::Confirmable,
            MessageType::NonConfirmable => Kind::NonConfirmable,
            MessageType::Acknowledgement => Kind::Acknowledgement,
            MessageType::Reset => Kind::Reset,
        }
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::from_byte(u8::from(self.packet.header.code))
    }

    /// The message id.
    #[must_use]
    pub fn id(&self) -> u16 {
        self.packet.header.message_id
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> Token {
        Token::new(self.packet.get_token()).unwrap_or_default()
    }

    /// The payload; empty means none.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.packet.payload
    }

    /// The payload, without copying it.
    #[must_use]
    pub fn into_payload(self) -> Vec<u8> {
        self.packet.payload
    }

    /// All options, in ascending order of their numbers and in wire order within one.
    pub fn options(&self) -> impl Iterator<Item = (OptionNumber, &[u8])> {
        self.packet.options().flat_map(|(number, values)| {
            values
                .iter()
                .map(|value| (OptionNumber(*number), value.as_slice()))
        })
    }

    /// The values of one option, in wire order.
    pub fn values(&self, number: OptionNumber) -> impl Iterator<Item = &[u8]> {
        self.packet
            .get_option(CoapOption::from(number.0))
            .into_iter()
            .flatten()
            .map(Vec::as_slice)
    }

    /// The first value of an option.
    #[must_use]
    pub fn value(&self, number: OptionNumber) -> Option<&[u8]> {
        self.values(number).next()
    }

    /// The first value of an integer option; `None` if there is none or it is longer than 32 bits.
    #[must_use]
    pub fn uint(&self, number: OptionNumber) -> Option<u32> {
        self.value(number).and_then(decode_uint)
    }

    /// The Content-Format.
    #[must_use]
    pub fn content_format(&self) -> Option<ContentFormat> {
        self.uint(OptionNumber::CONTENT_FORMAT)
            .and_then(|number| u16::try_from(number).ok())
            .map(ContentFormat)
    }

    /// Adds an option value behind those of the same number.
    pub fn add_option(&mut self, number: OptionNumber, value: Vec<u8>) {
        self.packet.add_option(CoapOption::from(number.0), value);
    }

    /// Replaces the values of an option by this one.
    pub fn set_option(&mut self, number: OptionNumber, value: Vec<u8>) {
        let mut values = LinkedList::new();
        values.push_back(value);
        self.packet.set_option(CoapOption::from(number.0), values);
    }

    /// Removes an option.
    pub fn remove_option(&mut self, number: OptionNumber) {
        self.packet.clear_option(CoapOption::from(number.0));
    }

    pub(crate) fn block(&self, number: OptionNumber) -> Option<Block> {
        self.value(number).and_then(Block::decode)
    }

    pub(crate) fn set_block(&mut self, number: OptionNumber, block: Option<Block>) {
        match block {
            Some(block) => self.set_option(number, block.encode()),
            None => self.remove_option(number),
        }
    }

    pub(crate) fn set_kind(&mut self, kind: Kind) {
        self.packet.header.set_type(match kind {
            Kind::Confirmable => MessageType::Confirmable,
            Kind::NonConfirmable => MessageType::NonConfirmable,
            Kind::Acknowledgement => MessageType::Acknowledgement,
            Kind::Reset => MessageType::Reset,
        });
    }

    pub(crate) fn set_id(&mut self, message_id: u16) {
        self.packet.header.message_id = message_id;
    }

    pub(crate) fn set_token(&mut self, token: Token) {
        self.packet.set_token(token.as_bytes().to_vec());
    }

    pub(crate) fn set_payload(&mut self, payload: Vec<u8>) {
        self.packet.payload = payload;
    }

    pub(crate) fn into_parts(mut self) -> (Self, Vec<u8>) {
        let payload = core::mem::take(&mut self.packet.payload);
        (self, payload)
    }

    /// How many bytes come before the payload marker, with a token of eight bytes.
    pub(crate) fn encoded_head_len(&self) -> Result<usize, Error> {
        const fn extension(number: usize) -> usize {
            if number < 13 {
                0
            } else if number < 269 {
                1
            } else {
                2
            }
        }
        let (mut len, mut previous) = (4 + 8, 0);
        for (number, value) in self.options() {
            if value.len() > LONGEST_OPTION {
                return Err(Error::TooLarge);
            }
            let delta = usize::from(number.0 - core::mem::replace(&mut previous, number.0));
            len += 1 + extension(delta) + extension(value.len()) + value.len();
        }
        Ok(len)
    }

    /// Everything but the payload.
    pub(crate) fn without_payload(&self) -> Self {
        let mut message = Self::new(self.code());
        message.set_kind(self.kind());
        for (number, value) in self.options() {
            message.add_option(number, value.to_vec());
        }
        message
    }

    /// A critical option that this layer does not know (RFC 7252 §5.4.1).
    pub(crate) fn has_unknown_critical(&self) -> bool {
        self.options()
            .any(|(number, _)| number.is_critical() && !number.is_known())
    }
}

impl fmt::Debug for Message {
    /// Leaves option values and payload out: the platform's requests carry the secret in a query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} {} id {} token {:?}",
            self.kind(),
            self.code(),
            self.id(),
            self.token()
        )?;
        self.options()
            .try_for_each(|(number, value)| write!(f, " {}:{}", number.0, value.len()))?;
        write!(f, " payload {}", self.payload().len())
    }
}

/// Longer values cannot be said in the sixteen bits of an option's extended length (RFC 7252 §3.1).
const LONGEST_OPTION: usize = 65_000;
