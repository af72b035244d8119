//! What DTLS is made of: the certificate of the gateway, and pre-shared keys.

use std::net::SocketAddr;

use manywire_coap::dtls::Listener;

use super::CoapSettings;
use crate::{Limits, StartError, Tls};

/// A listener for DTLS with these settings.
#[cfg(feature = "coaps")]
pub(crate) fn listener(
    tls: Option<&Tls>,
    settings: &CoapSettings,
    limits: &Limits,
) -> Result<Listener<SocketAddr>, StartError> {
    use std::sync::Arc;
    use std::time::Instant;

    use manywire_coap::dtls::{DtlsError, DtlsServer, PreSharedKeys};

    let keys: Option<PreSharedKeys> = (!settings.pre_shared_keys.is_empty()).then(|| {
        let keys = settings.pre_shared_keys.clone();
        let find = move |identity: &[u8]| {
            let key = keys.get(str::from_utf8(identity).ok()?)?;
            Some(key.expose().as_bytes().to_vec())
        };
        Arc::new(find) as PreSharedKeys
    });
    let failed = |error: DtlsError| StartError::Dtls(error.to_string());
    let server = match (tls, keys) {
        (Some(tls), keys) => tls.dtls(keys).map_err(failed)?,
        (None, Some(keys)) => DtlsServer::with_pre_shared_keys(keys).map_err(failed)?,
        (None, None) => {
            let needed = "it needs a certificate or pre-shared keys";
            return Err(StartError::Dtls(needed.to_owned()));
        }
    };
    let mut bounds = manywire_coap::dtls::Limits::default();
    bounds.handshakes = settings.handshakes;
    bounds.associations = limits.connections;
    // Observers are asked for a sign of life this often: who is still there has been heard of.
    bounds.idle = settings.keep_alive.saturating_mul(2);
    let origin = Instant::now();
    Ok(Listener::new(bounds, move || server.associate(origin)))
}

/// A listener for DTLS, which is not compiled in.
#[cfg(not(feature = "coaps"))]
pub(crate) fn listener(
    _tls: Option<&Tls>,
    _settings: &CoapSettings,
    _limits: &Limits,
) -> Result<Listener<SocketAddr>, StartError> {
    Err(StartError::Dtls("the feature `coaps` is not enabled".to_owned()))
}
