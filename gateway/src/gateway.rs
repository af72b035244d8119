//! Building and starting a gateway.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use manywire_coap::dtls::Listener;
use manywire_topics::Dialect;
use thiserror::Error;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

use crate::broker::{Broker, MemoryBroker};
use crate::coap::{CoapSettings, secure};
use crate::config::{Endpoint, LOOPBACK, Listen};
use crate::http::HttpAdapter;
use crate::hub::{Hub, Parts};
use crate::identity::{Identity, Registry, RegistryError, Secret, Thing};
use crate::listener::accept;
use crate::mqtt::MqttAdapter;
use crate::running::{Addresses, Running};
use crate::shutdown::{Shutdown, ShutdownControl};
use crate::store::{Store, StoreError};
use crate::{Config, Limits, Tls, reload};

/// The platform's messaging in one process; see the documentation of the crate.
#[derive(Clone, Copy, Debug)]
pub struct Gateway;

impl Gateway {
    /// Settings with their defaults: free ports of the loopback interface, nobody who may connect.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// The settings of a gateway that is to be started.
#[derive(Default)]
#[must_use = "a gateway runs after `start`"]
pub struct Builder {
    dialect: Dialect,
    listen: Listen,
    limits: Limits,
    coap_settings: CoapSettings,
    registry: Registry,
    things: Vec<(Thing, Secret)>,
    identity: Option<Arc<dyn Identity>>,
    broker: Option<Arc<dyn Broker>>,
    file: Option<PathBuf>,
    tls: Option<Tls>,
    data: Option<PathBuf>,
}

/// Why a gateway does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen for {protocol} on {address}")]
    Listen {
        /// For which protocol.
        protocol: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A thing cannot be registered.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// CoAP in DTLS is wanted, but not with these settings.
    #[error("cannot serve coaps: {0}")]
    Dtls(String),
    /// The data directory cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Builder {
    /// Takes over all settings of a file, with its things.
    pub fn config(mut self, config: Config) -> Self {
        self.dialect = config.dialect;
        self.listen = config.listen;
        self.limits = config.limits;
        self.coap_settings = config.coap;
        self.registry = config.registry;
        self.file = config.file;
        self.tls = config.tls;
        self.data = config.data;
        self
    }

    /// The generation of the platform to speak.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// What one client, and all of them, may take.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// One more thing, and its key.
    pub fn thing(mut self, thing: Thing, key: impl Into<Secret>) -> Self {
        self.things.push((thing, key.into()));
        self
    }

    /// Where to ask who someone is, instead of the things of [`thing`](Self::thing) and
    /// [`config`](Self::config). Give it a [`Registry`] to change the rights while the gateway runs.
    pub fn identity(mut self, identity: impl Identity) -> Self {
        self.identity = Some(Arc::new(identity));
        self
    }

    /// What carries the messages, instead of a [`MemoryBroker`].
    pub fn broker(mut self, broker: impl Broker) -> Self {
        self.broker = Some(Arc::new(broker));
        self
    }

    /// Where to listen for HTTP, WebSocket and MQTT over WebSocket.
    pub fn http(mut self, address: SocketAddr) -> Self {
        self.listen.http = Some(address);
        self
    }

    /// Where to listen for MQTT; `None` is nowhere, also for MQTT over WebSocket.
    pub fn mqtt(mut self, address: impl Into<Option<SocketAddr>>) -> Self {
        self.listen.mqtt = address.into().map_or(Endpoint::Wanted(false), Endpoint::Address);
        self
    }

    /// Where to listen for CoAP; `None` is nowhere.
    pub fn coap(mut self, address: impl Into<Option<SocketAddr>>) -> Self {
        self.listen.coap = address.into().map_or(Endpoint::Wanted(false), Endpoint::Address);
        self
    }

    /// Where to listen for CoAP in DTLS, which is off unless this is said; `None` is nowhere. It needs the feature
    /// `coaps`, and a certificate ([`tls`](Self::tls)) or [`pre_shared_keys`](CoapSettings::pre_shared_keys).
    pub fn coaps(mut self, address: impl Into<Option<SocketAddr>>) -> Self {
        self.listen.coaps = address.into().map_or(Endpoint::Wanted(false), Endpoint::Address);
        self
    }

    /// Speaks TLS on every TCP listener, and nothing else.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Keeps in this directory what is to survive a restart or a crash: retained messages, and the sessions of
    /// MQTT clients with what waits for them. A message with a QoS above 0 is acknowledged when it is on disk. The
    /// directory is made if it is not there, and belongs to one gateway at a time. A broker of one's own keeps what it keeps.
    pub fn data_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data = Some(directory.into());
        self
    }

    /// How CoAP is served.
    pub fn coap_settings(mut self, settings: CoapSettings) -> Self {
        self.coap_settings = settings;
        self
    }

    /// Opens every listener, then starts to serve. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// An address cannot be listened on, or a thing cannot be registered.
    pub async fn start(self) -> Result<Running, StartError> {
        for (thing, key) in &self.things {
            self.registry.add(thing.clone(), key.clone())?;
        }
        let file = self.file.filter(|_| self.identity.is_none());
        let identity = self.identity.unwrap_or_else(|| Arc::new(self.registry.clone()));
        let store = self.data.as_deref().map(Store::open).transpose()?.map(Arc::new);
        let broker = match (self.broker, &store) {
            (Some(broker), _) => broker,
            (None, None) => Arc::new(MemoryBroker::new(&self.limits)),
            (None, Some(store)) => Arc::new(MemoryBroker::with_store(
                &self.limits,
                Arc::clone(store),
                self.dialect,
            )?),
        };
        let secure = match self.listen.coaps.address() {
            Some(address) => {
                let listener = secure::listener(self.tls.as_ref(), &self.coap_settings, &self.limits)?;
                Some((address, listener))
            }
            None => None,
        };
        let (dialect, limits, tls) = (self.dialect, self.limits, self.tls);
        let hub = Arc::new(Hub::new(Parts {
            dialect,
            identity,
            broker,
            limits,
            tls,
            store,
        }));
        let (control, shutdown) = ShutdownControl::new();
        let (mut listeners, mut background) = (JoinSet::new(), JoinSet::new());

        let (addresses, mqtt) = open(
            self.listen,
            secure,
            self.coap_settings,
            &hub,
            &shutdown,
            &mut listeners,
        )
        .await?;
        background.spawn(Arc::clone(&hub).watch_rights());
        if let Some(file) = file {
            background.spawn(reload::follow(file, self.registry, self.things, Arc::clone(&hub)));
        }
        Ok(Running {
            hub,
            addresses,
            control,
            listeners,
            background,
            mqtt,
        })
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("dialect", &self.dialect)
            .field("listen", &self.listen)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Opens every listener that is wanted, and starts to serve it.
async fn open(
    wanted: Listen,
    secure: Option<(SocketAddr, Listener<SocketAddr>)>,
    coap_settings: CoapSettings,
    hub: &Arc<Hub>,
    shutdown: &Shutdown,
    listeners: &mut JoinSet<()>,
) -> Result<(Addresses, MqttAdapter), StartError> {
    let adapter = MqttAdapter::new(Arc::clone(hub));
    // Before anybody publishes: what comes from now on waits for the clients of these sessions too.
    adapter.restore().await?;
    let (http, http_address) = listen("HTTP", wanted.http.unwrap_or(LOOPBACK)).await?;
    let clear = wanted.coap.address().map(|address| (address, None));
    let secure = secure.map(|(address, listener)| (address, Some(listener)));
    let mut serve_coap = async |wanted: Option<(SocketAddr, Option<Listener<SocketAddr>>)>| match wanted {
        Some((address, secure)) => {
            let (socket, address) = bind(address).await?;
            let (hub, settings) = (Arc::clone(hub), coap_settings.clone());
            listeners.spawn(crate::coap::serve(
                socket,
                secure,
                hub,
                settings,
                shutdown.clone(),
            ));
            Ok(Some(address))
        }
        None => Ok::<_, StartError>(None),
    };
    let coap_address = serve_coap(clear).await?;
    let coaps_address = serve_coap(secure).await?;
    let (mqtt, mqtt_address) = match wanted.mqtt.address() {
        Some(address) => {
            let (listener, address) = listen("MQTT", address).await?;
            listeners.spawn(accept(
                listener,
                adapter.clone(),
                Arc::clone(hub),
                shutdown.clone(),
            ));
            (Some(adapter.clone()), Some(address))
        }
        None => (None, None),
    };
    listeners.spawn(accept(
        http,
        HttpAdapter { mqtt },
        Arc::clone(hub),
        shutdown.clone(),
    ));
    let addresses = Addresses {
        http: http_address,
        mqtt: mqtt_address,
        coap: coap_address,
        coaps: coaps_address,
    };
    Ok((addresses, adapter))
}

async fn listen(
    protocol: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen {
        protocol,
        address,
        source,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

async fn bind(address: SocketAddr) -> Result<(UdpSocket, SocketAddr), StartError> {
    let failed = |source| StartError::Listen {
        protocol: "CoAP",
        address,
        source,
    };
    let socket = UdpSocket::bind(address).await.map_err(failed)?;
    let address = socket.local_addr().map_err(failed)?;
    Ok((socket, address))
}
