//! The command `manywire`: publish, subscribe, run a gateway, look inside topics, packets and packs.

mod connection;
mod dialect;
mod gateway;
mod packet;
mod publish;
mod report;
mod senml;
mod subscribe;
mod topic;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Publish, subscribe, run a gateway: the channels of SuperMQ, Magistrala and Mainflux from a shell.
#[derive(Parser)]
#[command(name = "manywire", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Subcommand)]
enum Command {
    /// Run the platform's messaging in this process and print how to use it.
    ///
    /// HTTP, WebSocket, MQTT, MQTT over WebSocket and CoAP. Without --config there is one thing and one channel, made up at the start
    /// unless they are given. What is said on the command line goes before what the file says.
    Gateway(Box<gateway::GatewayArgs>),
    /// Publish one message.
    Pub(publish::PublishArgs),
    /// Subscribe and print one line per message.
    Sub(subscribe::SubscribeArgs),
    /// Decode MQTT packets, one per line in hexadecimal, to JSON.
    Packet(packet::PacketArgs),
    /// Take a topic apart and print it in every protocol's form, or say why it is refused.
    Topic(topic::TopicArgs),
    /// Resolve, compact, convert or check a SenML pack from standard input.
    Senml(senml::SenmlArgs),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Gateway(arguments) => with_runtime(gateway::run(*arguments)),
        Command::Pub(arguments) => with_runtime(publish::run(arguments)),
        Command::Sub(arguments) => with_runtime(subscribe::run(arguments)),
        Command::Packet(arguments) => packet::run(&arguments),
        Command::Topic(arguments) => topic::run(&arguments),
        Command::Senml(arguments) => senml::run(&arguments),
    }
}

/// Runs a command that talks to a network.
fn with_runtime(command: impl Future<Output = ExitCode>) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(command);
            // A read of standard input or a lookup of a name may still block a thread; nobody waits for it.
            runtime.shutdown_background();
            code
        }
        Err(error) => report::failure("cannot start", &error),
    }
}
