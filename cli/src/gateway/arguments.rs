//! What `manywire gateway` can be told.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use manywire_gateway::{Builder, Config, Gateway, Limits, Thing, Tls};
use tracing_subscriber::filter::LevelFilter;

use super::usage::Who;
use crate::dialect::DialectName;

/// What the gateway is told.
#[derive(Args)]
pub(crate) struct GatewayArgs {
    /// Settings, and things with their keys and channels, in a TOML file. Its things are followed as it changes.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The generation of the platform to speak.
    #[arg(long, value_enum)]
    dialect: Option<DialectName>,
    /// Keep here what is to survive a restart or a crash: retained messages, and the sessions of MQTT clients.
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
    /// What to report on standard error.
    #[arg(long, value_enum, default_value_t = LogLevel::Warn, value_name = "LEVEL")]
    log: LogLevel,
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    tls: TlsArgs,
    #[command(flatten)]
    thing: ThingArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

/// How much is reported.
#[derive(Clone, Copy, clap::ValueEnum)]
enum LogLevel {
    /// What is broken.
    Error,
    /// Also what an operator should look at.
    Warn,
    /// Also what changes.
    Info,
    /// Also why each connection ended or was refused.
    Debug,
}

#[derive(Args)]
#[command(next_help_heading = "Where to listen; free ports of 127.0.0.1 if not given")]
struct ListenArgs {
    /// HTTP, WebSocket and MQTT over WebSocket.
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// MQTT.
    #[arg(long, value_name = "ADDRESS|off")]
    mqtt: Option<Place>,
    /// CoAP.
    #[arg(long, value_name = "ADDRESS|off")]
    coap: Option<Place>,
    /// CoAP in DTLS; off if not given. It needs --tls-certificate, or pre-shared keys in the file.
    #[arg(long, value_name = "ADDRESS")]
    coaps: Option<SocketAddr>,
}

/// Where to listen, or `off`.
#[derive(Clone, Copy)]
struct Place(Option<SocketAddr>);

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self(None)),
            address => address
                .parse()
                .map(|address| Self(Some(address)))
                .map_err(|_| "this is neither `off` nor an address as 127.0.0.1:1883".to_owned()),
        }
    }
}

#[derive(Args)]
#[command(next_help_heading = "TLS on every TCP listener; PEM files")]
struct TlsArgs {
    /// The certificate of the server, and those between it and the authority.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// Its private key.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Mutual TLS: the authority whose certificate a client needs.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_client_authority: Option<PathBuf>,
}

#[derive(Args)]
#[command(next_help_heading = "The thing, without --config")]
struct ThingArgs {
    /// Its id.
    #[arg(long, conflicts_with = "config")]
    id: Option<String>,
    /// Its key. In the environment it is not seen in the list of processes.
    #[arg(long, conflicts_with = "config", env = "MANYWIRE_KEY", hide_env_values = true)]
    key: Option<String>,
    /// The channel it may use; `DOMAIN/CHANNEL` in the dialects with domains.
    #[arg(long, conflicts_with = "config")]
    channel: Option<String>,
}

#[derive(Args)]
#[command(next_help_heading = "Limits; the file has more of them")]
struct LimitArgs {
    /// TCP connections at once.
    #[arg(long, value_name = "COUNT")]
    max_connections: Option<usize>,
    /// New TCP connections in one second.
    #[arg(long, value_name = "COUNT")]
    max_connection_rate: Option<u32>,
    /// Bytes in one message.
    #[arg(long, value_name = "BYTES")]
    max_payload: Option<usize>,
    /// Subscriptions of one client.
    #[arg(long, value_name = "COUNT")]
    max_subscriptions: Option<usize>,
    /// Messages that wait for one client.
    #[arg(long, value_name = "COUNT")]
    max_queued_messages: Option<usize>,
    /// Bytes that wait for one client.
    #[arg(long, value_name = "BYTES")]
    max_queued_bytes: Option<usize>,
    /// Bytes that wait for all clients together.
    #[arg(long, value_name = "BYTES")]
    max_total_queued_bytes: Option<usize>,
    /// How long connections may take to finish when the gateway stops.
    #[arg(long, value_name = "SECONDS")]
    drain_timeout: Option<u64>,
}

impl GatewayArgs {
    /// Reports on standard error from now on.
    pub(super) fn log(&self) {
        let level = match self.log {
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
        };
        tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(std::io::stderr)
            .with_ansi(false)
            .init();
    }

    /// The gateway that is wanted, and who the printed lines are to speak for.
    pub(super) fn builder(self) -> Result<(Builder, Who), Box<dyn Error>> {
        let mut builder = Gateway::builder();
        let mut limits = Limits::default();
        let who = match &self.config {
            Some(path) => {
                let config = Config::read(path)?;
                limits = config.limits().clone();
                builder = builder.config(config);
                Who::of_the_file()
            }
            None => {
                let ThingArgs { id, key, channel } = self.thing;
                let who = Who::new(
                    id,
                    key,
                    channel,
                    self.dialect.is_some_and(DialectName::has_domains),
                )?;
                builder = builder.thing(Thing::new(who.id.as_str()).uses(&who.channel)?, who.key.as_str());
                who
            }
        };
        self.limits.change(&mut limits);
        builder = self.listen.change(self.tls.change(builder.limits(limits))?);
        if let Some(dialect) = self.dialect {
            builder = builder.dialect(dialect.into());
        }
        if let Some(directory) = self.data {
            builder = builder.data_directory(directory);
        }
        Ok((builder, who))
    }
}

impl ListenArgs {
    fn change(&self, mut builder: Builder) -> Builder {
        if let Some(address) = self.http {
            builder = builder.http(address);
        }
        if let Some(Place(address)) = self.mqtt {
            builder = builder.mqtt(address);
        }
        if let Some(Place(address)) = self.coap {
            builder = builder.coap(address);
        }
        if let Some(address) = self.coaps {
            builder = builder.coaps(address);
        }
        builder
    }
}

impl TlsArgs {
    fn change(&self, builder: Builder) -> Result<Builder, Box<dyn Error>> {
        Ok(match (&self.tls_certificate, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                builder.tls(Tls::read(certificate, key, self.tls_client_authority.as_deref())?)
            }
            _ => builder,
        })
    }
}

impl LimitArgs {
    fn change(&self, limits: &mut Limits) {
        fn set<T: Copy>(limit: &mut T, wanted: Option<T>) {
            *limit = wanted.unwrap_or(*limit);
        }
        set(&mut limits.connections, self.max_connections);
        set(&mut limits.connections_per_second, self.max_connection_rate);
        set(&mut limits.payload, self.max_payload);
        set(&mut limits.subscriptions, self.max_subscriptions);
        set(&mut limits.queued_messages, self.max_queued_messages);
        set(&mut limits.queued_bytes, self.max_queued_bytes);
        set(&mut limits.total_queued_bytes, self.max_total_queued_bytes);
        set(
            &mut limits.drain_timeout,
            self.drain_timeout.map(Duration::from_secs),
        );
    }
}
