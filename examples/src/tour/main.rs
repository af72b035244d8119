//! The tour: one reading crosses every wire of the platform and comes out the same on every other.
//!
//! `cargo run --bin tour` starts the embedded gateway in this process on free loopback ports, connects subscribers over
//! MQTT, MQTT over WebSocket, WebSocket and CoAP, publishes over those and HTTP, and checks every byte that arrives.
//! It exits with 0 only if every subscriber received every message, byte for byte and once. `--json` prints the same as
//! JSON.

mod crossing;
mod print;
mod report;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let json = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--json") => true,
        Some(_) => {
            eprintln!("usage: tour [--json]");
            return ExitCode::from(2);
        }
    };
    let report = match crossing::cross().await {
        Ok(report) => report,
        Err(error) => {
            eprintln!("the tour stopped: {error}");
            return ExitCode::FAILURE;
        }
    };
    if json {
        println!("{:#}", report.to_json());
    } else {
        print::print(&report);
    }
    if report.is_complete() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
