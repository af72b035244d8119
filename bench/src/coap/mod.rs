//! Confirmable POSTs to one server, one by one and 32 in flight.
//!
//! Every client runs on a tokio runtime of this thread only, so that the CPU time of the thread is its cost, the kernel's
//! part included. The server is a thread that answers with an acknowledgement put together by hand. `coap-lite` is the
//! bare exchange: build, send, receive, read, and nothing that would survive a lost datagram.
//!
//! `libcoap` is not here: its client sends one request per process, or one a second.

mod coap_crate;
mod coap_lite;
mod manywire;
mod server;

use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use tokio::runtime::Runtime;

use crate::report::Report;

/// Requests of one turn.
const REQUESTS: usize = 2_000;
/// How often each client has its turn.
const TURNS: usize = 15;

/// The path of a channel, the key, and what is published.
pub const CHANNEL: &str = "30315311-56ba-484d-b500-c1e08305511f";
pub const KEY: &str = "c02ff576-ccd5-40f6-ba5f-c85377aad529";
pub const PAYLOAD: [u8; 64] =
    *b" [{\"n\":\"temperature\",\"u\":\"Cel\",\"v\":21.5,\"t\":1276020076.001}]    ";

/// A client that is connected: posts so many times, with so many at once, and says how long each took.
pub trait Client {
    fn post(&mut self, runtime: &Runtime, requests: usize, at_once: usize) -> Vec<Duration>;
}

struct Contestant {
    who: &'static str,
    client: Box<dyn Client>,
    cpu_us: Vec<f64>,
    rate: Vec<f64>,
    latencies: Vec<Duration>,
}

/// Runs the suite.
pub fn run(report: &mut Report) {
    for (case, at_once) in [("con-sequential", 1), ("con-32", 32)] {
        if !report.wants(case) {
            continue;
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let server = server::start();
        let contestant = |who, client| Contestant {
            who,
            client,
            cpu_us: vec![],
            rate: vec![],
            latencies: vec![],
        };
        let mut contestants = [
            contestant("manywire", manywire::connect(&runtime, server, at_once)),
            contestant("coap", coap_crate::connect(&runtime, server)),
            contestant("coap-lite", coap_lite::connect(&runtime, server)),
        ];
        for turn in 0..=TURNS {
            for contestant in &mut contestants {
                let (wall, cpu) = (Instant::now(), ThreadTime::now());
                let latencies = contestant.client.post(&runtime, REQUESTS, at_once);
                let (wall, cpu) = (wall.elapsed(), cpu.elapsed());
                assert_eq!(latencies.len(), REQUESTS, "{}", contestant.who);
                // The first turn warms up.
                if turn > 0 {
                    contestant.cpu_us.push(cpu.as_secs_f64() * 1e6 / REQUESTS as f64);
                    contestant.rate.push(REQUESTS as f64 / wall.as_secs_f64());
                    contestant.latencies.extend(latencies);
                }
            }
        }
        for contestant in &mut contestants {
            report_one(report, case, contestant);
        }
    }
}

/// CPU and rate are the median turn's, the latencies of all turns.
fn report_one(report: &mut Report, case: &str, contestant: &mut Contestant) {
    contestant.cpu_us.sort_by(f64::total_cmp);
    contestant.rate.sort_by(f64::total_cmp);
    contestant.latencies.sort_unstable();
    let at =
        |share: usize| contestant.latencies[contestant.latencies.len() * share / 100].as_secs_f64() * 1e6;
    let figures = vec![
        ("cpu_us", contestant.cpu_us[TURNS / 2]),
        ("p50_us", at(50)),
        ("p99_us", at(99)),
        ("rate", contestant.rate[TURNS / 2]),
    ];
    report.figures(case, contestant.who, figures);
}
