//! WebSocket: a channel's messages both ways, and MQTT inside it.
//!
//! A WebSocket on `/channels/<id>/messages[/<filter>]` receives the messages that the filter matches, and
//! each text or binary message that it sends is published on that topic.
//!
//! * A payload that is valid UTF-8 comes as text, any other as binary, so that JSON is a string in a
//!   browser and CBOR is byte for byte what was published. What a publisher calls
//!   `application/senml+cbor` always comes as binary. In the dialects with domains all is binary.
//! * A socket does not hear what it has sent itself; other sockets of the same thing do. (The platform
//!   leaves out everything of the same thing.) In the dialects with domains it hears itself too.
//! * There are no acknowledgements in this protocol: a message that cannot be published closes the socket
//!   with a reason, and so does a subscriber that is too slow. Nothing is left out silently.

mod bytes;
mod close;
mod handshake;
mod session;

pub(crate) use self::handshake::{Upgrade, handshake, wants_upgrade};
