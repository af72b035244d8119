//! Whom to trust, and what to prove oneself with, in TLS.

use std::{fmt, sync::Arc};

/// Settings for `mqtts`, `mqtt+wss`, `wss` and `https`. The default trusts what the operating system trusts.
#[derive(Clone, Default)]
pub struct Tls {
    pub(crate) roots: Vec<Arc<[u8]>>,
    pub(crate) identity: Option<Identity>,
    pub(crate) accept_invalid: bool,
}

/// A certificate chain and its private key, in PEM.
#[derive(Clone)]
#[cfg_attr(
    not(any(feature = "http", feature = "ws", all(feature = "mqtt", feature = "tokio"))),
    expect(dead_code, reason = "only these speak TLS")
)]
pub(crate) struct Identity {
    pub(crate) chain: Arc<[u8]>,
    pub(crate) key: Arc<[u8]>,
}

impl Tls {
    /// Trusts the operating system's certificate authorities.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the authorities in this PEM text, and no others: once a root is given, the operating system's do not count.
    #[must_use]
    pub fn root_pem(mut self, pem: impl Into<Arc<[u8]>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Proves itself with this certificate chain and private key, both in PEM.
    #[must_use]
    pub fn identity_pem(mut self, chain: impl Into<Arc<[u8]>>, key: impl Into<Arc<[u8]>>) -> Self {
        self.identity = Some(Identity {
            chain: chain.into(),
            key: key.into(),
        });
        self
    }

    /// Accepts any certificate, which makes TLS worthless against an active attacker: for a laboratory only.
    #[must_use]
    pub fn danger_accept_invalid_certs(mut self) -> Self {
        self.accept_invalid = true;
        self
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("roots", &self.roots.len())
            .field("identity", &self.identity.is_some())
            .field("accept_invalid", &self.accept_invalid)
            .finish()
    }
}
