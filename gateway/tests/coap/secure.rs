//! CoAP in DTLS, with libcoap's client on OpenSSL and on GnuTLS.

use std::collections::HashMap;

use manywire_coap::Code;
use manywire_gateway::{CoapSettings, Running, StartError, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::{NamedTempFile, TempDir};

use crate::device::{CHANNEL, Device, builder, to_channel};
use crate::programs::{installed, run};

const CLIENTS: [&str; 2] = ["coap-client-openssl", "coap-client-gnutls"];

fn settings() -> CoapSettings {
    let mut settings = CoapSettings::default();
    settings.pre_shared_keys = HashMap::from([("sensor-1".to_owned(), "psk-of-1".into())]);
    settings
}

fn anywhere() -> std::net::SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

async fn with_keys() -> Running {
    builder()
        .coap_settings(settings())
        .coaps(anywhere())
        .start()
        .await
        .unwrap()
}

fn url(gateway: &Running, subtopic: &str) -> String {
    format!(
        "{}/channels/{CHANNEL}/messages/{subtopic}?auth=k3y",
        gateway.urls().coaps.unwrap()
    )
}

/// Certificates as files, as programs want them.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    files: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let files = TempDir::new().unwrap();
        std::fs::write(files.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, files }
    }

    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn file(&self, name: &str) -> String {
        self.files.path().join(name).to_str().unwrap().to_owned()
    }

    /// A certificate and a key in files.
    fn sign_to_files(&self, name: &str) -> [String; 2] {
        let (certificate, key) = self.sign(name);
        let paths = [format!("{name}.pem"), format!("{name}.key")].map(|name| self.file(&name));
        std::fs::write(&paths[0], certificate).unwrap();
        std::fs::write(&paths[1], key).unwrap();
        paths
    }
}

async fn with_certificate(authority: &Authority, of_clients: bool) -> Running {
    let (certificate, key) = authority.sign("localhost");
    let of_clients = of_clients.then(|| authority.issuer.pem());
    let tls = Tls::from_pem(
        certificate.as_bytes(),
        key.as_bytes(),
        of_clients.as_ref().map(String::as_bytes),
    )
    .unwrap();
    builder()
        .tls(tls)
        .coap_settings(settings())
        .coaps(anywhere())
        .start()
        .await
        .unwrap()
}

#[tokio::test]
async fn libcoap_publishes_with_a_pre_shared_key() {
    for client in CLIENTS {
        if !installed(client).await {
            continue;
        }
        let gateway = with_keys().await;
        let mut observer = Device::new(&gateway).await;
        observer.observe(to_channel(Code::GET, "")).await;
        let url = url(&gateway, "");
        let post = ["-B", "10", "-v", "7", "-m", "post"];
        let said = run(
            client,
            &[
                &post[..],
                &["-u", "sensor-1", "-k", "psk-of-1", "-e", "21.5", &url],
            ]
            .concat(),
        )
        .await;
        assert!(said.contains("c:2.01"), "{client}: {said}");
        assert_eq!(observer.notification().await.payload(), b"21.5");

        let file = NamedTempFile::new().unwrap();
        let body: Vec<u8> = (0..65_536_u32).map(|index| (index % 251) as u8).collect();
        std::fs::write(file.path(), &body).unwrap();
        let path = file.path().to_str().unwrap();
        let said = run(
            client,
            &[
                &post[..],
                &["-u", "sensor-1", "-k", "psk-of-1", "-b", "512", "-f", path, &url],
            ]
            .concat(),
        )
        .await;
        assert!(
            said.contains("c:2.01"),
            "{client}: {}",
            said.lines().last().unwrap_or("")
        );
        assert_eq!(observer.notification().await.payload(), body);
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_wrong_pre_shared_key_gets_nowhere() {
    let client = CLIENTS[0];
    if !installed(client).await {
        return;
    }
    let gateway = with_keys().await;
    let url = url(&gateway, "");
    for (identity, key) in [("sensor-1", "wrong"), ("sensor-2", "psk-of-1")] {
        let said = run(
            client,
            &[
                "-B", "2", "-v", "7", "-m", "post", "-e", "x", "-u", identity, "-k", key, &url,
            ],
        )
        .await;
        assert!(!said.contains("c:2.01"), "{said}");
    }
    assert_eq!(gateway.hub().metrics().coap.received.value(), 0);
    gateway.stop().await;
}

#[tokio::test]
async fn libcoap_observes_in_dtls_until_it_says_good_bye() {
    let client = CLIENTS[0];
    if !installed(client).await {
        return;
    }
    let gateway = with_keys().await;
    let mut sender = Device::new(&gateway).await;
    let url = url(&gateway, "bedroom");
    let arguments = [
        "-B", "10", "-s", "3", "-v", "7", "-u", "sensor-1", "-k", "psk-of-1", &url,
    ];
    let observing = run(client, &arguments);
    let publishing = async {
        while gateway.hub().metrics().coap.subscriptions.value() == 0 {
            sender.ask(to_channel(Code::POST, "elsewhere")).await;
        }
        for number in 0..3 {
            let body = format!("reading {number}").into_bytes();
            sender
                .ask(to_channel(Code::POST, "bedroom").with_payload(body))
                .await;
        }
    };
    let (said, ()) = tokio::join!(observing, publishing);
    for number in 0..3 {
        assert!(said.contains(&format!("reading {number}")), "{said}");
    }
    while gateway.hub().metrics().coap.subscriptions.value() > 0 {
        sender.ask(to_channel(Code::POST, "elsewhere")).await;
    }
    gateway.stop().await;
}

#[tokio::test]
async fn libcoap_and_the_gateway_show_each_other_their_certificates() {
    for client in CLIENTS {
        if !installed(client).await {
            continue;
        }
        let authority = Authority::new();
        let [certificate, key] = authority.sign_to_files("device");
        let (ca, gateway) = (authority.file("ca.pem"), with_certificate(&authority, true).await);
        let url = url(&gateway, "").replace("127.0.0.1", "localhost");
        let post = [
            "-B", "10", "-v", "7", "-m", "post", "-e", "21.5", "-C", &ca, "-R", &ca,
        ];
        let said = run(
            client,
            &[&post[..], &["-c", &certificate, "-j", &key, &url]].concat(),
        )
        .await;
        assert!(said.contains("c:2.01"), "{client}: {said}");

        let stranger = Authority::new();
        let [certificate, key] = stranger.sign_to_files("device");
        let said = run(
            client,
            &[&post[..], &["-B", "2", "-c", &certificate, "-j", &key, &url]].concat(),
        )
        .await;
        assert!(!said.contains("c:2.01"), "{client}: {said}");
        assert_eq!(gateway.hub().metrics().coap.received.value(), 1);
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_certificate_on_the_gateway_leaves_room_for_pre_shared_keys() {
    let client = CLIENTS[0];
    if !installed(client).await {
        return;
    }
    let gateway = with_certificate(&Authority::new(), true).await;
    let url = url(&gateway, "");
    let said = run(
        client,
        &[
            "-B", "10", "-v", "7", "-m", "post", "-e", "x", "-u", "sensor-1", "-k", "psk-of-1", &url,
        ],
    )
    .await;
    assert!(said.contains("c:2.01"), "{said}");
    gateway.stop().await;
}

#[tokio::test]
async fn without_a_certificate_or_a_key_it_does_not_start() {
    let error = builder().coaps(anywhere()).start().await.unwrap_err();
    assert!(matches!(error, StartError::Dtls(_)), "{error}");
    assert_eq!(
        error.to_string(),
        "cannot serve coaps: it needs a certificate or pre-shared keys"
    );
}
