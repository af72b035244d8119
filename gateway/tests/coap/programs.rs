//! Programs that are not ours, with the commands of the platform's documentation.

use std::process::Stdio;
use std::time::Duration;

use manywire_coap::Code;
use tokio::process::Command;

use crate::device::{CHANNEL, Device, gateway, to_channel};

/// libcoap's client, under the names it is packaged with.
const LIBCOAP: [&str; 4] = [
    "coap-client-openssl",
    "coap-client-gnutls",
    "coap-client-notls",
    "coap-client",
];

const PATIENCE: Duration = Duration::from_secs(30);

/// Whether there is such a program; says so if not.
pub(crate) async fn installed(name: &str) -> bool {
    let found = is_installed(name).await;
    if !found {
        missing(name);
    }
    found
}

async fn is_installed(name: &str) -> bool {
    let mut program = Command::new(name);
    program.stdout(Stdio::null()).stderr(Stdio::null());
    program.status().await.is_ok()
}

fn missing(name: &str) {
    // Not `eprintln`, which is only seen when a test fails.
    let text = format!("MISSING: {name} (apt-get install libcoap3-bin): this test has tested nothing\n");
    std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()).unwrap();
}

async fn libcoap() -> Option<&'static str> {
    for name in LIBCOAP {
        if is_installed(name).await {
            return Some(name);
        }
    }
    missing("coap-client");
    None
}

pub(crate) async fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).kill_on_drop(true).output();
    let output = tokio::time::timeout(PATIENCE, output)
        .await
        .expect("it hangs")
        .unwrap();
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[tokio::test]
async fn libcoap_publishes_as_the_documentation_says() {
    let Some(client) = libcoap().await else { return };
    let gateway = gateway().await;
    let mut observer = Device::new(&gateway).await;
    observer.observe(to_channel(Code::GET, "bedroom/>")).await;
    let url = format!(
        "{}/channels/{CHANNEL}/messages/bedroom/temperature?auth=k3y",
        gateway.urls().coap.unwrap()
    );
    for kind in [&[][..], &["-N"]] {
        let arguments = [
            &["-B", "10", "-v", "7", "-m", "post", "-e", "21.5", "-t", "110"][..],
            kind,
            &[&url],
        ]
        .concat();
        let said = run(client, &arguments).await;
        assert!(said.contains("c:2.01"), "{said}");
        assert_eq!(observer.notification().await.payload(), b"21.5");
    }
    let wrong = run(
        client,
        &[
            "-B",
            "10",
            "-v",
            "7",
            "-m",
            "post",
            "-e",
            "x",
            &url.replace("k3y", "no"),
        ],
    )
    .await;
    assert!(wrong.contains("c:4.01"), "{wrong}");
    gateway.stop().await;
}

#[tokio::test]
async fn libcoap_observes() {
    let Some(client) = libcoap().await else { return };
    let gateway = gateway().await;
    let mut sender = Device::new(&gateway).await;
    let url = format!(
        "{}/channels/{CHANNEL}/messages/bedroom/temperature?auth=k3y",
        gateway.urls().coap.unwrap()
    );
    let arguments = ["-B", "10", "-s", "3", "-w", "-v", "7", &url];
    let observing = run(client, &arguments);
    let publishing = async {
        while gateway.hub().metrics().coap.subscriptions.value() == 0 {
            sender.ask(to_channel(Code::POST, "elsewhere")).await;
        }
        for number in 0..3 {
            let publish = to_channel(Code::POST, "bedroom/temperature");
            sender
                .ask(publish.with_payload(format!("reading {number}").into_bytes()))
                .await;
        }
        let large = to_channel(Code::POST, "bedroom/temperature").with_payload(vec![b'y'; 3000]);
        sender.ask(large).await;
    };
    let (said, ()) = tokio::join!(observing, publishing);
    for number in 0..3 {
        assert!(said.contains(&format!("reading {number}")), "{said}");
    }
    let last_block = said
        .lines()
        .any(|line| line.contains("Block2:2/_/1024") && !line.contains("Observe"));
    assert!(last_block, "the large one is fetched in blocks: {said}");
    assert_eq!(said.matches(&"y".repeat(1024)).count() / 2, 2, "{said}");
    // It deregisters when its time is over, and does not wait for the answer.
    let deregistered = async {
        while gateway.hub().metrics().coap.subscriptions.value() > 0 {
            sender.ask(to_channel(Code::POST, "elsewhere")).await;
        }
    };
    tokio::time::timeout(PATIENCE, deregistered)
        .await
        .expect("it is still registered");
    gateway.stop().await;
}

#[tokio::test]
async fn libcoap_publishes_64_kib_in_blocks() {
    let Some(client) = libcoap().await else { return };
    let gateway = gateway().await;
    let mut observer = Device::new(&gateway).await;
    observer.observe(to_channel(Code::GET, "")).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let body: Vec<u8> = (0..65_536_u32).map(|index| (index % 251) as u8).collect();
    std::fs::write(file.path(), &body).unwrap();
    let url = format!(
        "{}/channels/{CHANNEL}/messages?auth=k3y",
        gateway.urls().coap.unwrap()
    );
    let path = file.path().to_str().unwrap();
    for size in ["1024", "256"] {
        let said = run(
            client,
            &["-B", "20", "-v", "7", "-m", "post", "-b", size, "-f", path, &url],
        )
        .await;
        assert!(
            said.contains("c:2.01"),
            "{}",
            said.lines().rev().take(5).collect::<String>()
        );
        assert_eq!(observer.notification().await.payload(), body);
    }
    gateway.stop().await;
}

#[tokio::test]
async fn libcoap_gets_through_when_it_loses_a_third_of_its_datagrams() {
    let Some(client) = libcoap().await else { return };
    let gateway = gateway().await;
    let url = format!(
        "{}/channels/{CHANNEL}/messages?auth=k3y",
        gateway.urls().coap.unwrap()
    );
    let said = run(
        client,
        &[
            "-B", "25", "-l", "1,3", "-v", "7", "-m", "post", "-e", "21.5", &url,
        ],
    )
    .await;
    assert!(said.contains("c:2.01"), "{said}");
    assert_eq!(gateway.hub().metrics().coap.received.value(), 1, "published once");
    gateway.stop().await;
}
