//! A gateway that runs.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::hub::Hub;
use crate::mqtt::MqttAdapter;
use crate::shutdown::ShutdownControl;

/// A gateway that runs. Dropping it ends everything at once; [`stop`](Self::stop) lets connections finish.
#[derive(Debug)]
#[must_use = "dropping it ends the gateway"]
pub struct Running {
    pub(crate) hub: Arc<Hub>,
    pub(crate) addresses: Addresses,
    pub(crate) control: ShutdownControl,
    /// The listeners; they own the tasks of their connections.
    pub(crate) listeners: JoinSet<()>,
    /// What serves no connection and simply ends.
    pub(crate) background: JoinSet<()>,
    /// The sessions of MQTT clients: the last to let them go, after what is on disk is safe from that.
    pub(crate) mqtt: MqttAdapter,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) http: SocketAddr,
    pub(crate) mqtt: Option<SocketAddr>,
    pub(crate) coap: Option<SocketAddr>,
    pub(crate) coaps: Option<SocketAddr>,
}

/// Where each wire is reached: what to give a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Urls {
    /// HTTP.
    pub http: String,
    /// WebSocket on a channel: the same port.
    pub ws: String,
    /// MQTT, where it is on.
    pub mqtt: Option<String>,
    /// MQTT over WebSocket, where MQTT is on: the port of HTTP.
    pub mqtt_ws: Option<String>,
    /// CoAP, where it is on.
    pub coap: Option<String>,
    /// CoAP in DTLS, where it is on.
    pub coaps: Option<String>,
}

impl Urls {
    /// All there are.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let always = [Some(&self.http), Some(&self.ws)];
        let perhaps = [&self.mqtt, &self.mqtt_ws, &self.coap, &self.coaps].map(Option::as_ref);
        always.into_iter().chain(perhaps).flatten().map(String::as_str)
    }
}

impl Running {
    /// The address of HTTP, WebSocket and MQTT over WebSocket.
    pub fn http_address(&self) -> SocketAddr {
        self.addresses.http
    }

    /// The address of MQTT, where it is on.
    pub fn mqtt_address(&self) -> Option<SocketAddr> {
        self.addresses.mqtt
    }

    /// The address of CoAP, where it is on.
    pub fn coap_address(&self) -> Option<SocketAddr> {
        self.addresses.coap
    }

    /// The address of CoAP in DTLS, where it is on.
    pub fn coaps_address(&self) -> Option<SocketAddr> {
        self.addresses.coaps
    }

    /// Where each wire is reached, with TLS (`https`, `wss`, …) if there is a certificate. A listener on every interface (`0.0.0.0`, `::`) is named as the loopback
    /// interface.
    pub fn urls(&self) -> Urls {
        let Addresses {
            http,
            mqtt,
            coap,
            coaps,
        } = self.addresses;
        let [http, mqtt, coap, coaps] = [Some(http), mqtt, coap, coaps].map(|address| address.map(reachable));
        let http = http.unwrap_or(self.addresses.http);
        let s = if self.hub.admission().has_tls() { "s" } else { "" };
        Urls {
            http: format!("http{s}://{http}"),
            ws: format!("ws{s}://{http}"),
            mqtt: mqtt.map(|address| format!("mqtt{s}://{address}")),
            mqtt_ws: mqtt.map(|_| format!("mqtt+ws{s}://{http}/mqtt")),
            coap: coap.map(|address| format!("coap://{address}")),
            coaps: coaps.map(|address| format!("coaps://{address}")),
        }
    }

    /// What the adapters share, for publishing and subscribing inside this process, and for its counters.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Stops: no new connections; those there are finish their request, are told that the gateway goes
    /// away, and after [`drain_timeout`](crate::Limits::drain_timeout) are cut.
    pub async fn stop(mut self) {
        self.control.request();
        self.background.abort_all();
        let listeners = &mut self.listeners;
        let drained = async { while listeners.join_next().await.is_some() {} };
        if tokio::time::timeout(self.hub.limits().drain_timeout, drained)
            .await
            .is_err()
        {
            tracing::warn!("connections did not finish in time and are cut");
        }
        self.listeners.shutdown().await;
        self.background.shutdown().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(store) = self.hub.store() {
            store.freeze();
        }
        // The broker has the sessions, and they have the broker.
        self.mqtt.let_go();
    }
}

fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
