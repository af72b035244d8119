//! A gateway with the things that the tests are about.

use std::time::Duration;

use manywire_gateway::{Gateway, Limits, Running, Thing};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const CHANNEL: &str = "30315311-56ba-484d-b500-c1e08305511f";
pub(crate) const OTHER_CHANNEL: &str = "5a21bbcb-4c9a-4bb4-af31-9982d00f7a6e";

/// The key of a thing that may do everything on [`CHANNEL`].
pub(crate) const KEY: &str = "c02ff576-ccd5-40f6-ba5f-c85377aad529";
/// The key of another such thing.
pub(crate) const SECOND_KEY: &str = "second-key";
/// The key of a thing that may only publish.
pub(crate) const PUBLISHER_KEY: &str = "publisher-key";
/// The key of a thing that may only subscribe.
pub(crate) const SUBSCRIBER_KEY: &str = "subscriber-key";
/// The key of a thing that may only use [`OTHER_CHANNEL`].
pub(crate) const STRANGER_KEY: &str = "stranger-key";

/// The pack of the platform's documentation.
pub(crate) const PACK: &str = r#"[{"bn":"some-base-name:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},{"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3}]"#;

pub(crate) async fn gateway() -> Running {
    gateway_with(|_| {}).await
}

pub(crate) async fn gateway_with(change: impl FnOnce(&mut Limits)) -> Running {
    choose_cryptography();
    let mut limits = Limits::default();
    change(&mut limits);
    Gateway::builder()
        .limits(limits)
        .thing(Thing::new("thing").uses(CHANNEL).unwrap(), KEY)
        .thing(Thing::new("second").uses(CHANNEL).unwrap(), SECOND_KEY)
        .thing(
            Thing::new("publisher").publishes_to(CHANNEL).unwrap(),
            PUBLISHER_KEY,
        )
        .thing(
            Thing::new("subscriber").subscribes_to(CHANNEL).unwrap(),
            SUBSCRIBER_KEY,
        )
        .thing(Thing::new("stranger").uses(OTHER_CHANNEL).unwrap(), STRANGER_KEY)
        .start()
        .await
        .unwrap()
}

/// reqwest leaves this choice to the program, also where it never speaks TLS.
pub(crate) fn choose_cryptography() {
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
}

/// The path of a channel's messages, with what follows.
pub(crate) fn messages(subtopic: &str) -> String {
    format!("/channels/{CHANNEL}/messages{subtopic}")
}

/// Awaits something that must come soon.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what)
        .await
        .expect("it takes too long")
}

/// Sends bytes over TCP and returns everything that comes until the end of the connection.
pub(crate) async fn raw(gateway: &Running, request: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(gateway.http_address()).await.unwrap();
    // The gateway may close before it has read everything.
    let _ = stream.write_all(request.as_ref()).await;
    rest(&mut stream).await
}

/// What comes until the end of the connection.
pub(crate) async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = soon(stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}
