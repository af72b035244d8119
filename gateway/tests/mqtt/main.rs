//! MQTT, as clients see it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod connecting;
mod peer;
mod publishing;
mod restart;
mod rumqttc_client;
mod sessions;
#[path = "../web/started.rs"]
#[allow(dead_code)]
mod started;
mod subscribing;
mod version_5;
mod websocket;
