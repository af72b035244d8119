//! A gateway's settings in a file.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::{fs, io};

use manywire_topics::Dialect;
use serde::Deserialize;
use thiserror::Error;

use crate::identity::{Registry, RegistryError, Thing};
use crate::{CoapSettings, Limits, Tls, TlsError};

/// A gateway's settings, as a TOML file has them. What is left out has its default.
///
/// ```
/// # let text = r#"
/// dialect = "channels"               # or "domains", "fluxmq"
/// data = "data"                      # keeps what is to survive a restart; by default nothing is kept
///
/// [listen]                           # by default free ports of the loopback interface
/// http = "127.0.0.1:8008"            # also WebSocket, and MQTT over WebSocket
/// mqtt = "127.0.0.1:1883"            # or false
/// coap = "127.0.0.1:5683"            # or false
/// coaps = "127.0.0.1:5684"           # CoAP in DTLS; off unless it is named, and needs the feature `coaps`
///
/// [coap]
/// keep_alive = 43_200                # seconds between signs of life that observers are asked for
///
/// [coap.pre_shared_keys]             # who may come in over DTLS without a certificate
/// sensor-1 = "another secret"
///
/// [limits]
/// connections = 10_000
///
/// [[thing]]
/// id = "sensor-1"
/// key = "c02ff576-ccd5-40f6-ba5f-c85377aad529"
/// channels = ["30315311-56ba-484d-b500-c1e08305511f"]
///
/// [[thing]]
/// id = "dashboard"
/// key_sha256 = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
/// subscribe = ["30315311-56ba-484d-b500-c1e08305511f"]   # and `publish`
/// # "#;
/// # let config = manywire_gateway::Config::parse(text)?;
/// # assert_eq!(config.registry().len(), 2);
/// # Ok::<(), manywire_gateway::ConfigError>(())
/// ```
///
/// ```toml
/// [tls]                              # every TCP listener speaks TLS, and `coaps` DTLS
/// certificate = "server.crt"         # PEM; the server's certificate first
/// key = "server.key"
/// client_authority = "ca.crt"        # mutual TLS: clients need a certificate of this authority
/// ```
///
/// Paths are relative to the file. A channel is `<id>`, `<domain>/<id>` in the dialects with domains, or `*` for every channel.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub(crate) dialect: Dialect,
    pub(crate) listen: Listen,
    pub(crate) limits: Limits,
    pub(crate) coap: CoapSettings,
    pub(crate) registry: Registry,
    pub(crate) tls: Option<Tls>,
    pub(crate) data: Option<PathBuf>,
    /// Where it was read, to follow its changes.
    pub(crate) file: Option<PathBuf>,
}

/// Why settings cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The text is not TOML, or not these settings.
    #[error("cannot understand the settings")]
    Toml(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A channel of a thing is not one.
    #[error("thing {thing:?}: {channel:?} is not a channel")]
    Channel {
        /// Whose channel.
        thing: String,
        /// What it says.
        channel: String,
        /// Why.
        source: manywire_topics::Error,
    },
    /// A thing needs `key` or `key_sha256`, and only one of them.
    #[error("thing {thing:?} needs either key or key_sha256")]
    Key {
        /// Which thing.
        thing: String,
    },
    /// `key_sha256` is not 64 hexadecimal digits.
    #[error("thing {thing:?}: key_sha256 is not 64 hexadecimal digits")]
    Digest {
        /// Which thing.
        thing: String,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Two things cannot be told apart.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl Config {
    /// Reads a file. A gateway with these settings looks at the file every second and takes over its things
    /// when it changes: connections of things that are gone end, subscriptions no longer allowed are cut. The
    /// other settings are taken at the start only.
    ///
    /// # Errors
    /// The file cannot be read, or its text cannot be used.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let base = path.parent().unwrap_or(Path::new(""));
        Ok(Self {
            file: Some(path.to_owned()),
            ..Self::parse_at(&text, base)?
        })
    }

    /// Reads a text.
    ///
    /// # Errors
    /// It is not TOML, not these settings, or a thing or a certificate in it cannot be used.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::parse_at(text, Path::new(""))
    }

    /// Reads a text whose paths are relative to a directory.
    fn parse_at(text: &str, base: &Path) -> Result<Self, ConfigError> {
        let file: File = toml::from_str(text).map_err(|error| ConfigError::Toml(Box::new(error)))?;
        let registry = Registry::new();
        for entry in file.thing {
            entry.register(&registry)?;
        }
        Ok(Self {
            dialect: file.dialect.unwrap_or(DialectName::Channels).into(),
            listen: file.listen,
            limits: file.limits,
            coap: file.coap,
            registry,
            tls: file.tls.map(|tls| tls.read(base)).transpose()?,
            data: file.data.map(|data| base.join(data)),
            file: None,
        })
    }

    /// The things.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The bounds on what clients may take.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}

/// Where to listen.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Listen {
    pub(crate) http: Option<SocketAddr>,
    pub(crate) mqtt: Endpoint,
    pub(crate) coap: Endpoint,
    pub(crate) coaps: Endpoint,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            http: None,
            mqtt: Endpoint::Wanted(true),
            coap: Endpoint::Wanted(true),
            coaps: Endpoint::Wanted(false),
        }
    }
}

/// An address, or whether to listen at all.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Endpoint {
    Address(SocketAddr),
    Wanted(bool),
}

impl Endpoint {
    /// Where to listen, if at all; a free port of the loopback interface if nothing is said.
    pub(crate) fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Address(address) => Some(address),
            Self::Wanted(wanted) => wanted.then_some(LOOPBACK),
        }
    }
}

/// A free port of the loopback interface.
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    dialect: Option<DialectName>,
    listen: Listen,
    limits: Limits,
    coap: CoapSettings,
    thing: Vec<Entry>,
    tls: Option<TlsFiles>,
    data: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsFiles {
    certificate: PathBuf,
    key: PathBuf,
    client_authority: Option<PathBuf>,
}

impl TlsFiles {
    fn read(&self, base: &Path) -> Result<Tls, TlsError> {
        let authority = self.client_authority.as_ref().map(|path| base.join(path));
        Tls::read(
            &base.join(&self.certificate),
            &base.join(&self.key),
            authority.as_deref(),
        )
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DialectName {
    Channels,
    Domains,
    FluxMq,
}

impl From<DialectName> for Dialect {
    fn from(name: DialectName) -> Self {
        match name {
            DialectName::Channels => Self::Channels,
            DialectName::Domains => Self::Domains,
            DialectName::FluxMq => Self::FluxMq,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    key: Option<String>,
    key_sha256: Option<String>,
    #[serde(default)]
    channels: Vec<String>,
    #[serde(default)]
    publish: Vec<String>,
    #[serde(default)]
    subscribe: Vec<String>,
}

impl Entry {
    fn register(self, registry: &Registry) -> Result<(), ConfigError> {
        let thing = self.thing()?;
        match (self.key, self.key_sha256) {
            (Some(key), None) => registry.add(thing, key)?,
            (None, Some(digest)) => {
                let digest = parse_digest(&digest).ok_or(ConfigError::Digest { thing: self.id })?;
                registry.add_digest(thing, digest)?;
            }
            _ => return Err(ConfigError::Key { thing: self.id }),
        }
        Ok(())
    }

    fn thing(&self) -> Result<Thing, ConfigError> {
        type Grant = fn(Thing, &str) -> Result<Thing, manywire_topics::Error>;
        let lists: [(&[String], Grant); 3] = [
            (&self.channels, Thing::uses),
            (&self.publish, Thing::publishes_to),
            (&self.subscribe, Thing::subscribes_to),
        ];
        let mut thing = Thing::new(self.id.as_str());
        for (channels, grant) in lists {
            for channel in channels {
                thing = grant(thing, channel).map_err(|source| ConfigError::Channel {
                    thing: self.id.clone(),
                    channel: channel.clone(),
                    source,
                })?;
            }
        }
        Ok(thing)
    }
}

fn parse_digest(text: &str) -> Option<[u8; 32]> {
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_its_default() {
        let config = Config::parse("").unwrap();
        assert_eq!(config.dialect, Dialect::Channels);
        assert!(config.registry.is_empty() && config.listen.http.is_none());
        assert!(matches!(config.listen.mqtt, Endpoint::Wanted(true)));
        assert_eq!(config.limits.payload, Limits::default().payload);
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let say = |text: &str| Config::parse(text).unwrap_err().to_string();
        assert_eq!(
            say("[[thing]]\nid = 'a'"),
            "thing \"a\" needs either key or key_sha256"
        );
        let both = "[[thing]]\nid = 'a'\nkey = 'k'\nkey_sha256 = ''";
        assert_eq!(say(both), "thing \"a\" needs either key or key_sha256");
        let digest = "[[thing]]\nid = 'a'\nkey_sha256 = 'abc'";
        assert_eq!(
            say(digest),
            "thing \"a\": key_sha256 is not 64 hexadecimal digits"
        );
        let channel = "[[thing]]\nid = 'a'\nkey = 'k'\nchannels = ['a b']";
        assert_eq!(say(channel), "thing \"a\": \"a b\" is not a channel");
        let twice = "[[thing]]\nid = 'a'\nkey = 'k'\n[[thing]]\nid = 'a'\nkey = 'l'";
        assert_eq!(say(twice), "two things have the id \"a\"");
        assert!(matches!(
            Config::parse("[limits]\nspeed = 1"),
            Err(ConfigError::Toml(_))
        ));
    }
}
