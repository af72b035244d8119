//! The fuzz bodies: what must hold for any bytes, as plain functions.
//!
//! A body returns when its law holds and panics when it does not. Three things run the bodies:
//!
//! * `cargo test -p manywire-fuzz` replays `corpus/<target>/` and a fixed number of mutations of it, on stable Rust;
//! * `.ci/run` gives each target a few seconds of libFuzzer, with the same inputs in every run;
//! * `cargo +nightly fuzz run --features libfuzzer <target>` runs one for as long as you like.
//!
//! To add a target: write the body, add a row to [`TARGETS`], a `[[bin]]` to `Cargo.toml` and a three-line file in
//! `fuzz_targets/`, and put at least one valid input into `corpus/<target>/`.

pub mod bindings;
pub mod coap;
pub mod mqtt_codec;
pub mod senml;
pub mod topics;

/// A fuzz target: its name and what it does with the bytes it is given.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of the libFuzzer binary, of its file in `fuzz_targets/` and of its folder in `corpus/`.
    pub name: &'static str,
    /// The law. Panics when it does not hold.
    pub body: fn(&[u8]),
}

/// Every target, in alphabetical order.
pub const TARGETS: &[Target] = &[
    Target {
        name: "binding_coap",
        body: bindings::coap,
    },
    Target {
        name: "binding_http",
        body: bindings::http,
    },
    Target {
        name: "coap_endpoint",
        body: coap::endpoint,
    },
    Target {
        name: "coap_message",
        body: coap::message,
    },
    Target {
        name: "mqtt_decode",
        body: mqtt_codec::decode_and_encode,
    },
    Target {
        name: "mqtt_properties",
        body: mqtt_codec::properties,
    },
    Target {
        name: "mqtt_stream",
        body: mqtt_codec::stream,
    },
    Target {
        name: "senml_cbor",
        body: senml::cbor,
    },
    Target {
        name: "senml_json",
        body: senml::json,
    },
    Target {
        name: "senml_patch",
        body: senml::patch,
    },
    Target {
        name: "senml_same_meaning",
        body: senml::same_meaning,
    },
    Target {
        name: "senml_truncation",
        body: senml::truncation,
    },
    Target {
        name: "topics_filter_set",
        body: topics::filter_set,
    },
    Target {
        name: "topics_parse",
        body: topics::parse,
    },
    Target {
        name: "topics_round_trip",
        body: topics::round_trip,
    },
];
