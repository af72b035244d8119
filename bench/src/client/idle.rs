//! How much memory a connected client takes that has nothing to do.

use std::fs;

use super::manywire::Manywire;
use super::rumqttc::Rumqttc;
use super::{Client, runtime};
use crate::report::Report;
use crate::server::{Role, Server};

const CLIENTS: usize = 200;

/// The case `idle-memory`: KiB of resident memory per client. Ours comes first; what a peer finds freed by ours does
/// not count against it.
pub fn run(report: &mut Report) {
    if !report.wants("idle-memory") {
        return;
    }
    let sink = Server::start(Role::Mqtt);
    report.figures(
        "idle-memory",
        Manywire::WHO,
        vec![("kib", idle::<Manywire>(sink.port))],
    );
    report.figures(
        "idle-memory",
        Rumqttc::WHO,
        vec![("kib", idle::<Rumqttc>(sink.port))],
    );
}

fn idle<C: Client>(port: u16) -> f64 {
    runtime().block_on(async {
        // What is allocated once for all clients is not counted.
        let mut clients = vec![C::connect(port).await];
        let before = resident();
        for _ in 0..CLIENTS {
            clients.push(C::connect(port).await);
        }
        (resident() - before) / CLIENTS as f64
    })
}

/// The resident memory of this process in KiB.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(f64::NAN)
}
