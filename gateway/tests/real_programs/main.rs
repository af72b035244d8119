//! Real programs, not ours, against the gateway: curl, mosquitto, libcoap, npm `ws` and MQTT.js, Python's paho-mqtt,
//! Chromium, with the commands of the platform's documentation.
//!
//! A program that is not installed is reported on standard error and its test passes; `.ci/run` installs all of them.
//! npm packages are looked for in `$MANYWIRE_PEERS/node_modules` (by default `target/peers`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod browser;
mod curl;
mod libcoap;
mod mosquitto;
mod node;
mod paho;
mod program;

use manywire_gateway::{Gateway, Running, Thing};

/// The pack of the platform's documentation, exactly.
const PACK: &str = r#"[{"bn":"some-base-name:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},{"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3}]"#;

const CHANNEL: &str = "30315311-56ba-484d-b500-c1e08305511f";
const OTHER_CHANNEL: &str = "08676a76-101d-439c-b62e-d4bb3b014337";
const ID: &str = "14d6c682-fb5a-4d28-b670-ee565ab5866c";
const KEY: &str = "ec82f341-d4b5-4c77-ae05-34877a62428f";

/// A gateway with one thing on [`CHANNEL`]; [`OTHER_CHANNEL`] exists, and is another thing's.
async fn gateway() -> Running {
    let thing = Thing::new(ID).uses(CHANNEL).unwrap();
    let other = Thing::new("another-thing").uses(OTHER_CHANNEL).unwrap();
    Gateway::builder()
        .thing(thing, KEY)
        .thing(other, "another-key")
        .start()
        .await
        .expect("the gateway starts on free ports")
}
