//! TLS and mutual TLS, for HTTP and WebSocket.

use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use manywire_gateway::{Gateway, Running, Thing, Tls, TlsError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::{Certificate, Client, Identity};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use crate::started::{CHANNEL, KEY, PACK, choose_cryptography, messages, rest, soon};

/// An authority, and what it signs.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, as PEM texts.
struct Pair {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn sign(&self, name: &str) -> Pair {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap().pem();
        Pair {
            certificate,
            key: key.serialize_pem(),
        }
    }

    fn pem(&self) -> String {
        self.0.pem()
    }
}

async fn gateway(tls: Tls) -> Running {
    let thing = Thing::new("thing").uses(CHANNEL).unwrap();
    Gateway::builder()
        .thing(thing, KEY)
        .tls(tls)
        .start()
        .await
        .unwrap()
}

fn client(authority: &Authority, identity: Option<&Pair>) -> Client {
    choose_cryptography();
    let root = Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    let mut builder = Client::builder().tls_certs_only([root]);
    if let Some(Pair { certificate, key }) = identity {
        builder = builder.identity(Identity::from_pem(format!("{certificate}{key}").as_bytes()).unwrap());
    }
    builder.build().unwrap()
}

async fn publish(client: &Client, gateway: &Running) -> Result<u16, reqwest::Error> {
    let request = client.post(format!("{}{}", gateway.urls().http, messages("")));
    let request = request
        .header("authorization", KEY)
        .header("content-type", "application/json")
        .body(PACK);
    Ok(soon(request.send()).await?.status().as_u16())
}

#[tokio::test]
async fn http_and_websocket_over_tls() {
    let authority = Authority::new();
    let server = authority.sign("127.0.0.1");
    let tls = Tls::from_pem(server.certificate.as_bytes(), server.key.as_bytes(), None).unwrap();
    let gateway = gateway(tls).await;
    let urls = gateway.urls();
    assert!(urls.http.starts_with("https://") && urls.ws.starts_with("wss://"));

    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(gateway.http_address()).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = soon(tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream))
        .await
        .unwrap();
    let url = format!("{}{}?authorization={KEY}", urls.ws, messages(""));
    let (mut socket, _) = soon(client_async(url, stream)).await.unwrap();

    assert_eq!(publish(&client(&authority, None), &gateway).await.unwrap(), 202);
    assert_eq!(soon(socket.next()).await.unwrap().unwrap(), Message::text(PACK));
    socket.send(Message::Ping("x".into())).await.unwrap();
    assert_eq!(
        soon(socket.next()).await.unwrap().unwrap(),
        Message::Pong("x".into())
    );
    assert!(
        publish(&client(&Authority::new(), None), &gateway).await.is_err(),
        "another authority"
    );
}

#[tokio::test]
async fn with_mutual_tls_a_client_needs_a_certificate_and_a_key() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = authority.sign("127.0.0.1");
    let tls = Tls::from_pem(
        server.certificate.as_bytes(),
        server.key.as_bytes(),
        Some(clients.pem().as_bytes()),
    );
    let gateway = gateway(tls.unwrap()).await;
    let device = clients.sign("device");
    assert_eq!(
        publish(&client(&authority, Some(&device)), &gateway)
            .await
            .unwrap(),
        202
    );
    assert!(publish(&client(&authority, None), &gateway).await.is_err());
    let forged = Authority::new().sign("device");
    assert!(
        publish(&client(&authority, Some(&forged)), &gateway)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn what_is_not_tls_is_closed_and_what_is_unusable_is_named() {
    let authority = Authority::new();
    let (server, other) = (authority.sign("127.0.0.1"), authority.sign("127.0.0.1"));
    let certificate = server.certificate.as_bytes();
    let tls = Tls::from_pem(certificate, server.key.as_bytes(), None).unwrap();
    let gateway = gateway(tls).await;
    let mut plain = TcpStream::connect(gateway.http_address()).await.unwrap();
    plain
        .write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert!(!rest(&mut plain).await.contains("200"));

    let unfit = Tls::from_pem(certificate, other.key.as_bytes(), None).unwrap_err();
    assert!(matches!(unfit, TlsError::Certificate(_)), "{unfit:?}");
    let no_key = Tls::from_pem(certificate, b"", None).unwrap_err();
    assert!(matches!(no_key, TlsError::Pem { what: "key", .. }), "{no_key:?}");
    let no_certificate = Tls::from_pem(b"", server.key.as_bytes(), None).unwrap_err();
    assert!(
        matches!(
            no_certificate,
            TlsError::Pem {
                what: "certificate",
                ..
            }
        ),
        "{no_certificate:?}"
    );
}
