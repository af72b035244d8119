//! What `pub` and `sub` share: where to connect, as whom, and to which channel.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use manywire::{Channel, Client, Credentials, Tls};

use crate::dialect::DialectName;

/// Where to connect, as whom, and to which channel.
#[derive(Args)]
pub(crate) struct Connection {
    /// The platform: http, https, mqtt, mqtts, mqtt+ws, mqtt+wss, ws, wss, coap.
    url: String,
    /// The id of the thing; MQTT needs it, the others know the thing by its key.
    #[arg(long, default_value = "", env = "MANYWIRE_ID")]
    id: String,
    /// The key of the thing. In the environment it is not seen in the list of processes.
    #[arg(long, env = "MANYWIRE_KEY", hide_env_values = true)]
    key: Option<String>,
    /// The channel.
    #[arg(long)]
    channel: String,
    /// The domain of the channel, in the dialects that have domains.
    #[arg(long)]
    domain: Option<String>,
    /// Which generation of the platform is spoken.
    #[arg(long, value_enum, default_value_t = DialectName::Channels)]
    dialect: DialectName,
    /// How long connecting may take, in seconds.
    #[arg(long, default_value_t = 10, value_name = "SECONDS")]
    connect_timeout: u64,
    /// Trust the authorities of this PEM file, and no others.
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// Prove oneself with the certificate of this PEM file, for mutual TLS.
    #[arg(long, value_name = "FILE", requires = "certificate_key")]
    certificate: Option<PathBuf>,
    /// The private key of the certificate.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    certificate_key: Option<PathBuf>,
}

impl Connection {
    /// Connects, and names the channel.
    pub(crate) async fn open(&self) -> Result<(Client, Channel), Box<dyn Error>> {
        let mut builder = Client::builder(&self.url)?
            .dialect(self.dialect.into())
            .tls(self.tls()?)
            .connect_timeout(Duration::from_secs(self.connect_timeout));
        if let Some(domain) = &self.domain {
            builder = builder.domain(domain.as_str());
        }
        if let Some(key) = &self.key {
            builder = builder.credentials(Credentials::thing(self.id.as_str(), key.as_str()));
        }
        let client = builder.connect().await?;
        let channel = client.channel(&self.channel)?;
        Ok((client, channel))
    }

    /// Whom to trust, and what to prove oneself with.
    fn tls(&self) -> Result<Tls, Box<dyn Error>> {
        let read = |path: &PathBuf| {
            fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
        };
        let mut tls = Tls::new();
        if let Some(authorities) = &self.cacert {
            tls = tls.root_pem(read(authorities)?);
        }
        if let (Some(certificate), Some(key)) = (&self.certificate, &self.certificate_key) {
            tls = tls.identity_pem(read(certificate)?, read(key)?);
        }
        Ok(tls)
    }
}
