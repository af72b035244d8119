//! How much memory a server takes for connections that have nothing to do.

use super::load::Client;
use super::{contestants, process, run_local};
use crate::report::Report;

/// How many connections are to be held.
const CONNECTIONS: usize = 10_000;

/// The case `idle-10000`: KiB of the server's resident memory per connection, and how many connections answer when all are there.
pub fn run(report: &mut Report) {
    let case = "idle-10000";
    if !report.wants(case) {
        return;
    }
    // Started after this, the servers may have as many.
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_default();
    let connections = CONNECTIONS.min(usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(100));
    if connections < CONNECTIONS {
        eprintln!("{case}: only {files} files may be open here, so there are {connections} connections");
    }
    for contestant in contestants() {
        let (port, pid) = (contestant.server.port, contestant.server.pid());
        let (kib, held) = run_local(async {
            // What is allocated once for all is not counted.
            let mut clients = Vec::new();
            for number in 0..WARM_UP {
                clients.push(Client::connect(port, &format!("warm-up-{number}")).await);
            }
            let before = process::resident(pid);
            for number in 0..connections {
                clients.push(Client::connect(port, &format!("idle-{number}")).await);
            }
            let kib = (process::resident(pid) - before) / connections as f64;
            let mut held = 0;
            for client in &mut clients {
                client.ping().await;
                held += 1;
            }
            (kib, held - WARM_UP)
        });
        report.figures(case, contestant.who, vec![("kib", kib), ("held", held as f64)]);
    }
}

/// Connections before those that count.
const WARM_UP: usize = 50;
