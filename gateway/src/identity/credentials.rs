//! What a client shows to say who it is.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A key, which is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// The key itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl From<&str> for Secret {
    fn from(key: &str) -> Self {
        Self(key.into())
    }
}

impl From<String> for Secret {
    fn from(key: String) -> Self {
        Self(key.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a client shows to say who it is: a key, on some wires with the thing's id.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credentials {
    /// The id of the thing, which must then be the one that has the key.
    pub id: Option<Box<str>>,
    /// The key of the thing.
    pub key: Secret,
}

impl Credentials {
    /// A key alone, as over HTTP, WebSocket and CoAP.
    pub fn key(key: impl Into<Secret>) -> Self {
        Self {
            id: None,
            key: key.into(),
        }
    }

    /// An id and a key, as over MQTT. An empty id counts as none.
    pub fn id_and_key(id: &str, key: impl Into<Secret>) -> Self {
        Self {
            id: (!id.is_empty()).then(|| id.into()),
            key: key.into(),
        }
    }
}
