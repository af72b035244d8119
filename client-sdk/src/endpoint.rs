//! Where the platform is: a URL taken apart.

use std::{fmt, str::FromStr};

use url::Url;

use crate::error::{Error, ErrorKind};

/// The protocols of the URLs this family knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `mqtt`, `mqtts`: MQTT over TCP.
    Mqtt,
    /// `mqtt+ws`, `mqtt+wss`: MQTT over WebSocket.
    MqttWebSocket,
    /// `ws`, `wss`: the platform's plain WebSocket.
    WebSocket,
    /// `http`, `https`: publishing only.
    Http,
    /// `coap`, `coaps`: CoAP over UDP.
    Coap,
    /// `memory`: within this process.
    Memory,
}

/// A version of MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MqttVersion {
    /// 3.1.1, the OASIS standard of 2014.
    V3_1_1,
    /// 5.0, that of 2019.
    V5,
}

impl fmt::Display for MqttVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V3_1_1 => "3.1.1",
            Self::V5 => "5",
        })
    }
}

/// A host, a port, a path, and how to speak there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    scheme: Scheme,
    secure: bool,
    host: String,
    port: u16,
    path: String,
    mqtt_version: Option<MqttVersion>,
}

impl Endpoint {
    /// Takes a URL apart. A missing port is the protocol's registered one.
    ///
    /// A URL of MQTT may say the version: `mqtt://host?version=3.1.1`, `mqtts://host?version=5`. Without it, the newest that the
    /// server speaks is found out at the first connection.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Url`] when it is no URL, its scheme is unknown, it has no host, or it carries credentials
    /// (they would end up in logs: give them to the builder instead).
    pub fn parse(text: &str) -> Result<Self, Error> {
        let url = Url::parse(text).map_err(|error| Error::caused_by(ErrorKind::Url, error))?;
        let (scheme, secure, default_port) = known(url.scheme())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::because(
                ErrorKind::Url,
                "credentials belong to the builder, not into the url",
            ));
        }
        let mqtt_version = match (url.query(), url.fragment(), scheme) {
            (None, None, _) => None,
            (Some("version=3.1.1"), None, Scheme::Mqtt | Scheme::MqttWebSocket) => Some(MqttVersion::V3_1_1),
            (Some("version=5"), None, Scheme::Mqtt | Scheme::MqttWebSocket) => Some(MqttVersion::V5),
            _ => {
                return Err(Error::because(
                    ErrorKind::Url,
                    "no query or fragment has a meaning, but `?version=3.1.1` and `?version=5` in mqtt",
                ));
            }
        };
        let host = match scheme {
            Scheme::Memory if !url.has_host() => url.path(),
            _ => url.host_str().unwrap_or_default(),
        };
        if host.is_empty() && scheme != Scheme::Memory {
            return Err(Error::because(ErrorKind::Url, "no host"));
        }
        Ok(Self {
            scheme,
            secure,
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: url.port().unwrap_or(default_port),
            path: url.path().trim_end_matches('/').to_owned(),
            mqtt_version,
        })
    }

    /// The protocol.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether TLS (or DTLS) is asked for.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host name or address, an IPv6 address without its brackets; the name in a `memory` URL.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The path before the channel's own, such as `/http` behind a proxy, or the path of an MQTT WebSocket;
    /// without a slash at its end, empty for none.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The version of MQTT that the URL asks for.
    #[must_use]
    pub const fn mqtt_version(&self) -> Option<MqttVersion> {
        self.mqtt_version
    }

    /// Host and port as they stand in a URL or a `Host` header.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Whether the host is this machine, where a secret in clear does no harm.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.scheme == Scheme::Memory
            || self.host == "localhost"
            || self
                .host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match (self.scheme, self.secure) {
            (Scheme::Mqtt, false) => "mqtt",
            (Scheme::Mqtt, true) => "mqtts",
            (Scheme::MqttWebSocket, false) => "mqtt+ws",
            (Scheme::MqttWebSocket, true) => "mqtt+wss",
            (Scheme::WebSocket, false) => "ws",
            (Scheme::WebSocket, true) => "wss",
            (Scheme::Http, false) => "http",
            (Scheme::Http, true) => "https",
            (Scheme::Coap, false) => "coap",
            (Scheme::Coap, true) => "coaps",
            (Scheme::Memory, _) => return write!(f, "memory://{}", self.host),
        };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)?;
        match self.mqtt_version {
            Some(version) => write!(f, "?version={version}"),
            None => Ok(()),
        }
    }
}

/// Scheme, whether it is over TLS, and the registered port.
fn known(scheme: &str) -> Result<(Scheme, bool, u16), Error> {
    Ok(match scheme {
        "mqtt" => (Scheme::Mqtt, false, 1883),
        "mqtts" => (Scheme::Mqtt, true, 8883),
        "mqtt+ws" => (Scheme::MqttWebSocket, false, 80),
        "mqtt+wss" => (Scheme::MqttWebSocket, true, 443),
        "ws" => (Scheme::WebSocket, false, 80),
        "wss" => (Scheme::WebSocket, true, 443),
        "http" => (Scheme::Http, false, 80),
        "https" => (Scheme::Http, true, 443),
        "coap" | "coap+udp" => (Scheme::Coap, false, 5683),
        "coaps" => (Scheme::Coap, true, 5684),
        "memory" => (Scheme::Memory, false, 0),
        "coap+tcp" | "coaps+tcp" | "coap+ws" | "coaps+ws" => {
            return Err(Error::because(
                ErrorKind::Url,
                format!("`{scheme}` (RFC 8323) is not spoken by the platform; use `coap`"),
            ));
        }
        other => {
            return Err(Error::because(
                ErrorKind::Url,
                format!("unknown scheme `{other}`"),
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_has_its_registered_port() {
        for (text, port) in [
            ("mqtt://h", 1883),
            ("mqtts://h", 8883),
            ("mqtt+ws://h/mqtt", 80),
            ("mqtt+wss://h/mqtt", 443),
            ("ws://h", 80),
            ("wss://h/ws", 443),
            ("http://h", 80),
            ("https://h/http", 443),
            ("coap://h", 5683),
            ("coaps://h", 5684),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().port(), port, "{text}");
        }
    }

    #[test]
    fn it_prints_as_it_was_written() {
        for text in [
            "mqtt+ws://h:9001/mqtt",
            "http://h:8185/http",
            "coap://[::1]:5683",
            "wss://h:443",
            "mqtt://h:1884?version=5",
            "mqtt+wss://h:443/mqtt?version=3.1.1",
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        for text in [
            "ftp://h",
            "coap+tcp://h",
            "nonsense",
            "mqtt://id:key@h",
            "http://h?authorization=key",
            "http://h?version=5",
            "mqtt://h?version=4",
            "mqtt://h?version=5#key",
        ] {
            let error = Endpoint::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Url, "{text}");
            assert!(!format!("{error} {error:?}").contains("key"), "{text}: {error:?}");
        }
    }

    #[test]
    fn loopback_is_known() {
        for text in ["mqtt://localhost", "mqtt://127.0.0.1", "mqtt://[::1]"] {
            assert!(Endpoint::parse(text).unwrap().is_loopback(), "{text}");
        }
        assert!(!Endpoint::parse("mqtt://192.0.2.1").unwrap().is_loopback());
    }
}
