//! libcoap's client: POST, and GET with Observe.

use std::net::SocketAddr;

use tokio::process::Command;

use crate::program::{Outcome, find, run, start};
use crate::{CHANNEL, KEY, OTHER_CHANNEL, PACK, gateway};

/// Debian suffixes the binaries with the TLS library they use.
const CLIENT: &[&str] = &[
    "coap-client-openssl",
    "coap-client-gnutls",
    "coap-client-notls",
    "coap-client",
];

fn url(address: SocketAddr, channel: &str, subtopic: &str, key: &str) -> String {
    format!("coap://{address}/channels/{channel}/messages{subtopic}?auth={key}")
}

/// libcoap's client, which shows every PDU with `-v 7` and gives up after five seconds.
async fn client(arguments: &[&str]) -> Option<Outcome> {
    Some(
        run(Command::new(find(CLIENT)?)
            .args(["-v", "7", "-B", "5"])
            .args(arguments))
        .await,
    )
}

fn said(outcome: &Outcome) -> String {
    format!("{}{}", outcome.text(), outcome.stderr)
}

#[tokio::test(flavor = "multi_thread")]
async fn libcoap_posts_and_is_answered() {
    let gateway = gateway().await;
    let address = gateway.coap_address().unwrap();
    let cases = [
        ("a publish", url(address, CHANNEL, "", KEY), "post", "2.01"),
        (
            "a publish on a subtopic",
            url(address, CHANNEL, "/bedroom/temperature", KEY),
            "post",
            "2.01",
        ),
        ("a wrong key", url(address, CHANNEL, "", "wrong"), "post", "4.01"),
        (
            "a channel of others",
            url(address, OTHER_CHANNEL, "", KEY),
            "post",
            "4.01",
        ),
        (
            "a malformed subtopic",
            url(address, CHANNEL, "/a.b*c.d", KEY),
            "post",
            "4.00",
        ),
        (
            "a GET without Observe",
            url(address, CHANNEL, "", KEY),
            "get",
            "4.02",
        ),
    ];
    for (what, url, method, expected) in cases {
        let Some(outcome) = client(&["-m", method, "-t", "110", "-e", PACK, &url]).await else {
            return;
        };
        assert!(
            said(&outcome).contains(&format!("c:{expected}")),
            "{what}: {}",
            said(&outcome)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn libcoap_observes_what_is_posted() {
    let gateway = gateway().await;
    let address = gateway.coap_address().unwrap();
    let Some(program) = find(CLIENT) else { return };
    let observed = url(address, CHANNEL, "/bedroom/*", KEY);
    let mut observer = start(
        Command::new("stdbuf")
            .arg("-oL")
            .arg(program)
            .args(["-v", "7", "-s", "20", "-m", "get", &observed]),
    );
    observer.line_with("c:2.05").await;
    let posted = url(address, CHANNEL, "/bedroom/temperature", KEY);
    for payload in ["first", "second"] {
        client(&["-m", "post", "-e", payload, &posted]).await.unwrap();
        observer.line_with(payload).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn libcoap_posts_block_wise() {
    let gateway = gateway().await;
    let address = gateway.coap_address().unwrap();
    let payload = "0123456789abcdef".repeat(512);
    let Some(outcome) = client(&[
        "-m",
        "post",
        "-b",
        "256",
        "-e",
        &payload,
        &url(address, CHANNEL, "/large", KEY),
    ])
    .await
    else {
        return;
    };
    assert!(said(&outcome).contains("c:2.01"), "{}", said(&outcome));
}
