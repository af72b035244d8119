//! Every claim of speed, side by side with the peers, in one run.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml -- --list` names the suites; `-- SUITE` prints a table,
//! `-- SUITE --json` one object per line. Compare figures of one run only: machines differ, and so do their hours.

mod allocations;
mod client;
mod coap;
mod gateway;
mod measure;
mod mqtt_codec;
mod race;
mod report;
mod senml;
mod server;
mod topics;
mod tour_latency;

use std::process::ExitCode;

use clap::Parser;
use report::Report;
use server::Role;

/// A suite: what it is called, what it shows, and how to run it.
struct Suite {
    name: &'static str,
    shows: &'static str,
    run: fn(&mut Report),
}

/// Every suite, in the order of the layers it measures.
const SUITES: &[Suite] = &[
    Suite {
        name: "mqtt-codec",
        shows: "MQTT packets: decode, streams, build and encode; ns and allocations per packet",
        run: mqtt_codec::run,
    },
    Suite {
        name: "senml",
        shows: "SenML packs: read with resolving, and write; ns, allocations and bytes per record",
        run: senml::run,
    },
    Suite {
        name: "topics",
        shows: "addresses: parse and print, match one filter, look up among up to a million",
        run: topics::run,
    },
    Suite {
        name: "tour-latency",
        shows: "one reading from each wire to itself and to MQTT, through the embedded gateway; p50 and p99",
        run: tour_latency::run,
    },
    Suite {
        name: "client",
        shows: "clients against a server that costs nothing and against mosquitto; CPU, latency, rate, idle memory",
        run: client::run,
    },
    Suite {
        name: "coap",
        shows: "confirmable POSTs, one by one and 32 in flight; CPU of the client, latency, rate",
        run: coap::run,
    },
    Suite {
        name: "gateway",
        shows: "MQTT servers, each in its own process: CPU of the server, latency, rate, memory of idle connections, start",
        run: gateway::run,
    },
];

/// What the command line says.
#[derive(Parser)]
struct Arguments {
    /// The suites to run.
    suites: Vec<String>,
    /// Name the suites and stop.
    #[arg(long)]
    list: bool,
    /// One JSON object per line instead of a table.
    #[arg(long)]
    json: bool,
    /// Run only the cases whose name contains this.
    #[arg(long, default_value = "")]
    case: String,
    /// Be one of the servers that suites measure against; they start this program so themselves.
    #[arg(long, hide = true)]
    serve: Option<Role>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(role) = arguments.serve {
        server::serve(role);
        return ExitCode::SUCCESS;
    }
    if arguments.list || arguments.suites.is_empty() {
        for suite in SUITES {
            println!("{:<14} {}", suite.name, suite.shows);
        }
        return ExitCode::SUCCESS;
    }
    for name in &arguments.suites {
        let Some(suite) = SUITES.iter().find(|suite| suite.name == name) else {
            eprintln!("no suite is called {name}; --list names them");
            return ExitCode::FAILURE;
        };
        let mut report = Report::new(suite.name, arguments.json, &arguments.case);
        (suite.run)(&mut report);
        report.finish();
    }
    ExitCode::SUCCESS
}
