//! The command `manywire`.

mod packet;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Messaging for things: look inside what goes over the wire.
#[derive(Debug, Parser)]
#[command(name = "manywire", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Packet(packet::PacketArgs),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Packet(args) => packet::run(&args),
    }
}
