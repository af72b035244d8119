//! What several test files use.
#![allow(dead_code)] // each file uses a part of it

use manywire_mqtt_codec::{
    Error, Outcome, Packet, PacketId, Policy, TopicFilter, TopicName, Version, decode,
};

/// Bytes from hexadecimal digits; everything else between them is for the reader.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    assert!(digits.len().is_multiple_of(2), "half a byte in {text}");
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

pub(crate) fn id(id: u16) -> PacketId {
    PacketId::new(id).unwrap()
}

pub(crate) fn topic(name: &str) -> TopicName<'_> {
    TopicName::new(name).unwrap()
}

pub(crate) fn filter(filter: &str) -> TopicFilter<'_> {
    TopicFilter::new(filter).unwrap()
}

/// The packet of these bytes, all of them, under a policy.
pub(crate) fn accepted_by<'a>(bytes: &'a [u8], version: Version, policy: &Policy) -> Packet<'a> {
    match decode(bytes, version, policy) {
        Ok(Outcome::Complete((packet, len))) => {
            assert_eq!(len, bytes.len(), "bytes are left of {bytes:02x?}");
            packet
        }
        other => panic!("a valid packet is not taken: {bytes:02x?} {other:?}"),
    }
}

/// The packet of these bytes, all of them, under the strict policy.
pub(crate) fn accepted(bytes: &[u8], version: Version) -> Packet<'_> {
    accepted_by(bytes, version, &Policy::STRICT)
}

/// The error of these bytes under a policy.
pub(crate) fn refused_by(bytes: &[u8], version: Version, policy: &Policy) -> Error {
    match decode(bytes, version, policy) {
        Err(error) => error,
        other => panic!("a broken packet is taken: {bytes:02x?} {other:?}"),
    }
}

/// The error of these bytes under the strict policy.
pub(crate) fn refused(bytes: &[u8], version: Version) -> Error {
    refused_by(bytes, version, &Policy::STRICT)
}

/// Tests that packets are refused: `name: Kind "statement" [("hexadecimal", offset), …];`.
#[macro_export]
macro_rules! refuses {
    ($version:ident; $($name:ident: $kind:ident $statement:literal $cases:expr;)*) => {
        $(
            #[test]
            fn $name() {
                for (text, at) in $cases {
                    let error = support::refused(&support::hex(text), Version::$version);
                    let statement = Some($statement).filter(|statement| !statement.is_empty());
                    assert_eq!((error.kind(), error.at()), (ErrorKind::$kind, at), "{text}");
                    assert_eq!(error.statement(), statement, "{text}");
                }
            }
        )*
    };
}
