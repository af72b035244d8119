//! The envelope.

use core::fmt;
use core::str;

use manywire_topics::{self as topics, Channel, Dialect, Topic};

use crate::error::{Error, ErrorKind};
use crate::wire::{Buffer, Counter, Reader, Sink, Value, put_bytes, put_number};

/// One message as the platform's services exchange it: `messaging.Message` of its protobuf schema.
///
/// The fields hold whatever is in the bytes; [`topic`](Self::topic) says whether they are an address. What a dialect
/// has no field for is not written.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The id of the channel.
    pub channel: &'a str,
    /// The id of the domain, in the dialects that have domains.
    pub domain: &'a str,
    /// The subtopic, as [`Subtopic`](topics::Subtopic) displays it; may be empty.
    pub subtopic: &'a str,
    /// The id of the thing or client that published it.
    pub publisher: &'a str,
    /// The wire it came on: `http`, `websocket`, `mqtt` or `coap`.
    pub protocol: &'a str,
    /// The payload as it was published.
    pub payload: &'a [u8],
    /// When the platform accepted it, in nanoseconds since 1970.
    pub created: i64,
    /// The client id of the connection it came on; on FluxMQ only.
    pub client_id: &'a str,
}

impl<'a> Envelope<'a> {
    /// Reads an envelope, borrowing from it. Fields that are not known are passed over, as protobuf demands.
    ///
    /// # Errors
    /// The bytes are no protobuf message, or a text is not UTF-8.
    pub fn decode(dialect: Dialect, bytes: &'a [u8]) -> Result<Self, Error> {
        let mut envelope = Self::default();
        let mut reader = Reader::new(bytes);
        while let Some((number, value)) = reader.field()? {
            envelope.set(dialect, number, value)?;
        }
        Ok(envelope)
    }

    /// How many bytes [`encode`](Self::encode) writes.
    pub fn encoded_len(&self, dialect: Dialect) -> usize {
        let mut counter = Counter(0);
        // A counter takes everything.
        let _ = self.put(dialect, &mut counter);
        counter.0
    }

    /// Writes the envelope to the front of a buffer. Returns how many bytes were written.
    ///
    /// # Errors
    /// The buffer is too small; what is in it then is not an envelope.
    pub fn encode(&self, dialect: Dialect, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut buffer = Buffer {
            rest: buffer,
            written: 0,
        };
        self.put(dialect, &mut buffer)?;
        Ok(buffer.written)
    }

    /// Appends the envelope to a vector, which grows at most once.
    #[cfg(feature = "alloc")]
    pub fn encode_to_vec(&self, dialect: Dialect, vec: &mut alloc::vec::Vec<u8>) {
        vec.reserve(self.encoded_len(dialect));
        // A vector takes everything.
        let _ = self.put(dialect, vec);
    }

    /// Where the message was published.
    ///
    /// # Errors
    /// The fields are no address of this dialect: the platform is less strict about what it publishes.
    pub fn topic(&self, dialect: Dialect) -> Result<Topic<'a>, topics::Error> {
        let domain = dialect.has_domains().then_some(self.domain);
        Topic::new(Channel::new(dialect, domain, self.channel)?, self.subtopic)
    }

    fn set(&mut self, dialect: Dialect, number: u32, value: Value<'a>) -> Result<(), Error> {
        let Some(field) = Field::of(dialect, number) else {
            return Ok(());
        };
        match (field, value) {
            (Field::Created, Value::Varint(value)) => self.created = value.cast_signed(),
            (Field::Payload, Value::Bytes(bytes, _)) => self.payload = bytes,
            (Field::Payload | Field::Created, _) => {}
            (field, Value::Bytes(bytes, at)) => {
                let text = str::from_utf8(bytes)
                    .map_err(|error| Error::new(ErrorKind::Utf8, at + error.valid_up_to()))?;
                *self.text(field) = text;
            }
            // A known number with another type is an unknown field, as to protobuf's own readers.
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, field: Field) -> &mut &'a str {
        match field {
            Field::Channel => &mut self.channel,
            Field::Domain => &mut self.domain,
            Field::Subtopic => &mut self.subtopic,
            Field::Publisher => &mut self.publisher,
            Field::Protocol => &mut self.protocol,
            Field::Payload | Field::Created | Field::ClientId => &mut self.client_id,
        }
    }

    fn put(&self, dialect: Dialect, sink: &mut impl Sink) -> Result<(), Error> {
        // In the order of their numbers, as protobuf's own writers do.
        let shift = u8::from(dialect.has_domains());
        put_bytes(sink, 1, self.channel.as_bytes())?;
        if dialect.has_domains() {
            put_bytes(sink, 2, self.domain.as_bytes())?;
        }
        put_bytes(sink, 2 + shift, self.subtopic.as_bytes())?;
        put_bytes(sink, 3 + shift, self.publisher.as_bytes())?;
        put_bytes(sink, 4 + shift, self.protocol.as_bytes())?;
        put_bytes(sink, 5 + shift, self.payload)?;
        put_number(sink, 6 + shift, self.created.cast_unsigned())?;
        if dialect == Dialect::FluxMq {
            put_bytes(sink, 8, self.client_id.as_bytes())?;
        }
        Ok(())
    }
}

/// Without the payload, which may be long and may be private.
impl fmt::Debug for Envelope<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Envelope")
            .field("channel", &self.channel)
            .field("domain", &self.domain)
            .field("subtopic", &self.subtopic)
            .field("publisher", &self.publisher)
            .field("protocol", &self.protocol)
            .field("payload", &format_args!("{} bytes", self.payload.len()))
            .field("created", &self.created)
            .field("client_id", &self.client_id)
            .finish()
    }
}

#[derive(Clone, Copy)]
enum Field {
    Channel,
    Domain,
    Subtopic,
    Publisher,
    Protocol,
    Payload,
    Created,
    ClientId,
}

impl Field {
    fn of(dialect: Dialect, number: u32) -> Option<Self> {
        // Domains came in as field 2 and moved the others up.
        let number = match number {
            2 if dialect.has_domains() => return Some(Self::Domain),
            8 if dialect == Dialect::FluxMq => return Some(Self::ClientId),
            3.. if dialect.has_domains() => number - 1,
            other => other,
        };
        Some(match number {
            1 => Self::Channel,
            2 => Self::Subtopic,
            3 => Self::Publisher,
            4 => Self::Protocol,
            5 => Self::Payload,
            6 => Self::Created,
            _ => return None,
        })
    }
}
