//! Bytes to MQTT 3.1, 3.1.1 and 5.0 packets and back: no_std, no allocation, strict.
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
