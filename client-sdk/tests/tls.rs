//! Every wire in TLS: whom it trusts, what it proves itself with, and what it says when it may not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::{future::IntoFuture, time::Duration};

use manywire::{
    Client, ClientBuilder, Credentials, ErrorKind, Tls, testing::transport_contract,
    transport::TransportErrorKind,
};
use manywire_gateway::{Gateway, Running, Thing};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

const CHANNEL: &str = "30315311-56ba-484d-b500-c1e08305511f";

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for this name, and its key.
    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (
            params.signed_by(&key, &self.0).unwrap().pem(),
            key.serialize_pem(),
        )
    }

    fn trusted(&self) -> Tls {
        Tls::new().root_pem(self.0.pem().into_bytes())
    }
}

async fn gateway(authority: &Authority, of_clients: Option<&Authority>) -> Running {
    let (chain, key) = authority.sign("127.0.0.1");
    let of_clients = of_clients.map(|authority| authority.0.pem());
    let of_clients = of_clients.as_ref().map(String::as_bytes);
    let tls = manywire_gateway::Tls::from_pem(chain.as_bytes(), key.as_bytes(), of_clients).unwrap();
    let thing = |id| Thing::new(id).uses(CHANNEL).unwrap();
    Gateway::builder()
        .thing(thing("sender"), "sender-key")
        .thing(thing("receiver"), "receiver-key")
        .tls(tls)
        .start()
        .await
        .unwrap()
}

fn builder(url: &str, id: &str, tls: Tls) -> ClientBuilder {
    let credentials = Credentials::thing(id, format!("{id}-key"));
    Client::builder(url).unwrap().tls(tls).credentials(credentials)
}

async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .expect("in time")
}

#[tokio::test]
async fn every_wire_keeps_the_contract_in_tls() {
    let authority = Authority::new();
    let gateway = gateway(&authority, None).await;
    let urls = gateway.urls();
    let (mqtt, mqtt_ws) = (urls.mqtt.unwrap(), urls.mqtt_ws.unwrap());
    for (sending, receiving) in [
        (&urls.http, &urls.ws),
        (&urls.ws, &urls.ws),
        (&mqtt, &mqtt_ws),
        (&mqtt_ws, &mqtt),
    ] {
        assert!(sending.contains("s://"), "{sending}");
        let sender = || builder(sending, "sender", authority.trusted());
        let receiver = || builder(receiving, "receiver", authority.trusted());
        transport_contract(sender, receiver, CHANNEL).await.unwrap();
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_not_trusted() {
    let gateway = gateway(&Authority::new(), None).await;
    let url = gateway.urls().mqtt.unwrap();
    for tls in [Tls::new(), Authority::new().trusted()] {
        let error = within(builder(&url, "sender", tls).connect()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection(TransportErrorKind::Tls));
    }
    let lab = Tls::new().danger_accept_invalid_certs();
    within(builder(&url, "sender", lab).connect()).await.unwrap();
    gateway.stop().await;
}

#[tokio::test]
async fn a_client_proves_itself_with_its_certificate() {
    let (authority, of_clients) = (Authority::new(), Authority::new());
    let gateway = gateway(&authority, Some(&of_clients)).await;
    let url = gateway.urls().mqtt.unwrap();
    assert!(
        within(builder(&url, "sender", authority.trusted()).connect())
            .await
            .is_err()
    );
    let (chain, key) = of_clients.sign("sender");
    let tls = authority
        .trusted()
        .identity_pem(chain.into_bytes(), key.into_bytes());
    assert!(!format!("{tls:?}").contains("PRIVATE"), "{tls:?}");
    let client = within(builder(&url, "sender", tls).connect()).await.unwrap();
    within(client.channel(CHANNEL).unwrap().publish("{}"))
        .await
        .unwrap();
    gateway.stop().await;
}

#[tokio::test]
async fn settings_that_cannot_work_are_told_before_anybody_is_dialled() {
    let (_, key) = Authority::new().sign("sender");
    for tls in [
        Tls::new().root_pem(&b"nonsense"[..]),
        Tls::new().identity_pem(&b"nonsense"[..], key.into_bytes()),
    ] {
        let error = within(builder("mqtts://127.0.0.1:1", "sender", tls).connect())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
    }
}
