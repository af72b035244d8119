//! Bytes to MQTT 3.1, 3.1.1 and 5.0 packets and back: `no_std`, no allocation, no `unsafe`, strict.
//!
//! ```text
//!        fixed header             variable header                       payload
//!   ┌────────────┬─────┐ ┌───────────────────┬───────┬────────────┐ ┌─────────────┐
//!   │ 0011 0010  │ 0c  │ │ 00 03  61 2f 62   │ 00 0a │ 02  01 01  │ │ 68 69       │
//!   └─┬──────┬───┴──┬──┘ └─┬─────────┬───────┴───┬───┴──┬───┬─────┘ └──┬──────────┘
//!   type   flags    │    length    topic    packet id   │   │         the message
//!  PUBLISH QoS 1    │    of the    "a/b"       10        │   property: payload
//!                   │    topic                           │   format indicator = 1
//!                   └ remaining length: 12 bytes follow  └ length of the properties (5.0 only)
//! ```
//!
//! Three steps, each of use alone: [`frame()`] splits a packet off after a look at 2 to 5 bytes and says exactly how many
//! are missing; [`Frame::decode`] makes it a [`Packet`] of at most 64 bytes that borrows the input; [`OwnedPacket`]
//! keeps it with its bytes. [`decode()`] does the first two at once, [`StreamDecoder`] does them for bytes that come in
//! chunks. [`Packet::encode`] goes back, from borrowed data into a slice; [`Publish::encode_head`] leaves the payload
//! where it is.
//!
//! # Decode from a slice
//!
//! ```
//! use manywire_mqtt_codec::{Outcome, Packet, Policy, Version, decode};
//!
//! let bytes = b"\x32\x0c\0\x03a/b\0\x0a\x02\x01\x01hi";
//! let Outcome::Complete((Packet::Publish(publish), 14)) = decode(bytes, Version::V5, &Policy::STRICT)? else {
//!     panic!("one whole PUBLISH");
//! };
//! assert_eq!(publish.topic, "a/b");
//! assert_eq!(publish.payload, b"hi");
//! assert_eq!(publish.delivery.packet_id().map(|id| id.get()), Some(10));
//! assert_eq!(publish.properties.payload_format_indicator(), Some(true));
//!
//! assert_eq!(decode(&bytes[..9], Version::V5, &Policy::STRICT)?.missing(), 5);
//! # Ok::<(), manywire_mqtt_codec::Error>(())
//! ```
//!
//! # Decode a stream
//!
//! ```
//! # #[cfg(feature = "alloc")] {
//! use manywire_mqtt_codec::{Packet, Policy, Role, StreamDecoder, Version};
//!
//! let policy = Policy::STRICT.with_sender(Role::Client).with_max_packet_size(1 << 20);
//! let mut decoder = StreamDecoder::new(Version::V311, policy);
//! for chunk in [&b"\xc0\0\x30\x05\0"[..], b"\x03a/b\xe0\0"] {
//!     let mut packets = decoder.feed(chunk);
//!     while let Some(packet) = packets.next()? {
//!         println!("{packet:?}");
//!     }
//! }
//! # }
//! # Ok::<(), manywire_mqtt_codec::Error>(())
//! ```
//!
//! # Encode without `alloc`
//!
//! ```
//! use manywire_mqtt_codec::{Delivery, PacketId, Publish, TopicName, Version};
//!
//! let reading = Publish {
//!     delivery: Delivery::AtLeastOnce(PacketId::FIRST),
//!     ..Publish::new(TopicName::new("bedroom/temperature")?, b"21.5")
//! };
//! let mut buffer = [0; 64];
//! let len = reading.encode(Version::V311, &mut buffer)?;
//! assert_eq!(&buffer[..len], b"\x32\x1b\0\x13bedroom/temperature\0\x0121.5");
//! # Ok::<(), manywire_mqtt_codec::Error>(())
//! ```
//!
//! # What is checked
//!
//! Everything the standards demand of one packet, when it is read and when it is written, strict unless the [`Policy`]
//! says otherwise. An [`Error`] knows the rule, the byte, the packet, the normative statement and the answer.
//!
//! | where | what | statements (5.0) |
//! |---|---|---|
//! | fixed header | type, flags, shortest length, size limit, who may send it | 2.1.3-1, 1.5.5-1 |
//! | strings | UTF-8, no U+0000; by policy no control characters | 1.5.4-1, -2, 1.5.7-1 |
//! | topic names, response topics | not empty, no wildcards | 3.3.2-2, -14, 4.7.0-1, 4.7.3-1 |
//! | filters | wildcards in their place, form of a shared subscription | 4.7.1-1, -2, 4.8.2-1, -2 |
//! | packet identifiers | there where they belong, never zero | 2.2.1-2 to -6 |
//! | CONNECT | name, level, flags, order and presence of fields, client identifier | 3.1.2-1 to -19, 3.1.3-1 to -12 |
//! | CONNACK | reserved flags, no session in a refusal | 3.2.2-1, -6, -8 |
//! | PUBLISH | QoS 3, DUP with QoS 0, topic alias, subscription identifiers | 3.3.1-2, -4, 3.3.2-8, 3.3.4-6 |
//! | SUBSCRIBE, UNSUBSCRIBE | at least one filter, options, No Local on shared | 3.8.3-2 to -5, 3.10.3-2 |
//! | reason codes | those of the packet, from the side that may send them | 3.4.2-1 … 3.15.2-1 |
//! | properties | known, of this packet, once, in range, in wire order | 2.2.2-1, table 2-4 |
//! | end of packet | no field runs past it, nothing follows the last | 3.1.4-1 |
//!
//! Each has a test of that number; what a codec cannot check, such as the order of packets, is listed with the reason in
//! `tests/untested-ids.txt`.
//!
//! # Cost
//!
//! No packet of any type allocates in either direction. Decoding is one pass; strings are kept as the bytes that were
//! checked ([`Text`], [`TopicName`], [`TopicFilter`]), and `as_str` walks them again, which is the price of having no
//! `unsafe`. `cargo run --release --manifest-path bench/Cargo.toml -- mqtt-codec` measures it beside seven other codecs;
//! on two busy shared cores it said, in nanoseconds per packet, 3.1.1 / 5.0:
//!
//! | case | here | a complete decoder with `unsafe` | rumqttc 0.25 |
//! |---|---:|---:|---:|
//! | PUBLISH, topic 20 bytes, payload 64 | 5.7 / 8.2 | 8.7 / 9.0 | 57 / 67 |
//! | PUBLISH with five properties | 24 | 38 | 199 |
//! | CONNECT with will, user name, password | 41 / 50 | 39 / 50 | 174 / 199 |
//! | SUBSCRIBE with eight filters | 99 / 104 | 110 / 117 | 236 / 250 |
//! | mixed stream, whole | 20 / 25 | 21 / 25 | 60 / 85 |
//! | build and encode the first | 7.3 | 11 | 22 |
//!
//! The limit is the scan of the strings: blocks of sixteen bytes that the compiler turns into vector instructions, about
//! two nanoseconds for a topic. What is left above it is the branches of a strict reader; CONNECT and SUBSCRIBE have the
//! most of them and come no nearer than the column with `unsafe`.
//!
//! Ratios vary less than nanoseconds. A later run of the whole suite, in the order of the table, against rumqttc:
//! 10, 7.2 to 8, 4.3, 2.4 to 2.6, 3.3 (2.2 to 2.8 when the stream comes in chunks of 1400 bytes) and 3.05 to 3.2 times as
//! fast; against mqttrs, decoding the first, 2.95 to 3.4 times.
//!
//! A program that does nothing but publish with QoS 1 needs 1.6 kB of flash on `thumbv7em-none-eabihf` and on
//! `thumbv6m-none-eabi`, code and tables, the UTF-8 check and `memcpy` included (1600 and 1638 bytes with rustc 1.96,
//! `opt-level = "z"`). It is `.ci/flash`, whose manifest says how to measure it.
//!
//! # Features
//!
//! `alloc` (default): [`StreamDecoder`], [`Packet::append`], [`Packet::to_owned`].
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

mod decode;
mod delivery;
mod encode;
mod error;
mod frame;
mod owned;
mod packet;
mod policy;
mod property;
mod reader;
mod reason;
mod statement;
#[cfg(feature = "alloc")]
mod stream;
mod text;
mod version;
mod writer;

pub use decode::decode;
pub use delivery::{Delivery, PacketId, QoS};
pub use error::{Error, ErrorKind};
pub use frame::{FixedHeader, Frame, Outcome, fixed_header, frame};
pub use owned::OwnedPacket;
pub use packet::{
    Ack, Auth, Connack, Connect, ConnectFields, Disconnect, FilterIter, Filters, Packet, PacketType, Publish,
    ReasonCodeIter, ReasonCodes, RetainHandling, Suback, Subscribe, Subscription, SubscriptionIter,
    Subscriptions, Unsuback, Unsubscribe, Will,
};
pub use policy::{Policy, Role};
pub use property::{Properties, PropertiesBuf, Property, PropertyIter, PropertyScope};
pub use reason::ReasonCode;
#[cfg(feature = "alloc")]
pub use stream::{Packets, Piece, StreamDecoder};
pub use text::{Text, TopicFilter, TopicName};
pub use version::Version;

/// The examples of README.md are run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
