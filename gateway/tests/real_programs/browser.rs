//! The page `examples/live_page` in headless Chromium: what a sensor publishes is seen in the table, and what the page
//! publishes is received, with the Paho JavaScript client and with MQTT.js over MQTT over WebSocket.

use std::path::{Path, PathBuf};

use manywire_gateway::Running as Gateway;
use tokio::process::Command;

use crate::program::{Running, find, npm, run, start};
use crate::{CHANNEL, ID, KEY, PACK, gateway};

/// What the page publishes.
const FROM_PAGE: &str = r#"[{"n":"door","vb":true}]"#;

/// The page beside the libraries it loads, as `npm install` would leave it.
fn page(peers: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/live_page");
    for name in ["index.html", "live.js", "connection.js", "senml.js"] {
        std::fs::copy(source.join(name), folder.path().join(name)).unwrap();
    }
    std::os::unix::fs::symlink(peers.join("node_modules"), folder.path().join("node_modules")).unwrap();
    folder
}

/// The browser and the folder of packages, or `None` (said loudly) when one of them is not there.
fn installed() -> Option<(PathBuf, PathBuf)> {
    let chromium = find(&["chromium"])?;
    npm("playwright-core")?;
    npm("mqtt")?;
    Some((chromium, npm("paho-mqtt")?))
}

/// The page, opened and told to connect.
fn open(chromium: &Path, peers: &Path, page: &Path, gateway: &Gateway, library: &str, key: &str) -> Running {
    let address = format!(
        "url={}/mqtt&id={ID}&key={key}&channel={CHANNEL}&filter=%23&library={library}",
        gateway.urls().ws
    );
    start(
        Command::new("node")
            .env("MANYWIRE_PEERS", peers)
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/real_programs/browser.cjs"
            ))
            .arg(chromium)
            .arg(page.join("index.html"))
            .args([&address, "bedroom/door", FROM_PAGE]),
    )
}

async fn shows_and_publishes(library: &str) {
    let Some((chromium, peers)) = installed() else {
        return;
    };
    let gateway = gateway().await;
    let folder = page(&peers);
    let mut browser = open(&chromium, &peers, folder.path(), &gateway, library, KEY);
    let state = browser.line().await;
    assert_eq!(
        state,
        format!("state connected with {library}, subscribed to channels/{CHANNEL}/messages/#")
    );

    let url = format!(
        "{}/channels/{CHANNEL}/messages/bedroom/current",
        gateway.urls().http
    );
    let authorization = format!("Authorization: Thing {KEY}");
    let arguments = [
        "-sS",
        "-f",
        "-H",
        "Content-Type: application/senml+json",
        "-H",
        &authorization,
    ];
    let outcome = run(Command::new(find(&["curl"]).unwrap())
        .args(arguments)
        .args(["-d", PACK, &url]))
    .await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let mut rows = Vec::new();
    while !rows.iter().any(|row: &String| row.contains("|1.3|A|")) {
        rows.push(browser.line_with("row ").await);
    }
    assert!(
        rows.contains(
            &"row bedroom/current|some-base-name:voltage|120.1|V|2010-06-08 18:01:16.001".to_owned()
        ),
        "{rows:?}"
    );

    browser.say("publish").await;
    let row = browser.line_with("row bedroom/door").await;
    assert!(row.starts_with("row bedroom/door|door|true||"), "{row}");
    browser.hear_no_more();
    assert_eq!(browser.end().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_page_shows_and_publishes_with_paho() {
    shows_and_publishes("paho").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_page_shows_and_publishes_with_mqtt_js() {
    shows_and_publishes("mqtt.js").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_page_says_that_the_key_is_wrong() {
    let Some((chromium, peers)) = installed() else {
        return;
    };
    let gateway = gateway().await;
    let folder = page(&peers);
    for (library, said) in [
        ("paho", "refused: "),
        (
            "mqtt.js",
            "refused: Connection refused: Bad User Name or Password",
        ),
    ] {
        let mut browser = open(&chromium, &peers, folder.path(), &gateway, library, "wrong");
        let state = browser.line().await;
        assert!(state.starts_with(&format!("state {said}")), "{state}");
        browser.hear_no_more();
        assert_eq!(browser.end().await, Some(0));
    }
}
