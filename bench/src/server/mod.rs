//! Servers that cost as little as servers can, each in a process of its own, so that the CPU time measured here is the
//! client's alone.

mod flood;
mod http;
mod mosquitto;
mod mqtt;
mod websocket;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

pub use mosquitto::mosquitto;

/// What a process of ours can be started as instead of the bench.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Role {
    /// An MQTT server that swallows what it gets, acknowledges in batches and floods who subscribes.
    Mqtt,
    /// Publishes to an MQTT server on the port that it reads from its input, as often as the line says.
    Flood,
    /// A WebSocket server that swallows what it gets.
    Websocket,
    /// An HTTP server that answers every POST 202.
    Http,
}

/// Serves until the input ends, which it does when the process that started this one is gone.
pub fn serve(role: Role) {
    if let Role::Flood = role {
        flood::run();
        return;
    }
    std::thread::spawn(move || match role {
        Role::Mqtt => mqtt::serve(),
        Role::Websocket => websocket::serve(),
        Role::Http => http::serve(),
        Role::Flood => {}
    });
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
}

/// A server in a process of its own, which ends with this value.
pub struct Server {
    pub port: u16,
    process: Child,
}

impl Server {
    /// Gives the server a line to read.
    pub fn tell(&mut self, line: &str) {
        use std::io::Write;

        let input = self.process.stdin.as_mut().expect("the input is piped");
        writeln!(input, "{line}").expect("the server reads");
    }

    /// Starts this program again in another role and waits until it says its port.
    pub fn start(role: Role) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let role = clap::ValueEnum::to_possible_value(&role).expect("every role has a name");
        let mut process = Command::new(program)
            .args(["--serve", role.get_name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be started again");
        let mut line = String::new();
        let output = process.stdout.take().expect("the output is piped");
        BufReader::new(output)
            .read_line(&mut line)
            .expect("the server says its port");
        Self {
            port: line.trim().parse().expect("the server says its port"),
            process,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Says the port to the process that waits for it.
fn say(port: u16) {
    println!("{port}");
}

/// Reads and drops everything; ends when the other side does.
fn swallow(mut from: impl Read) {
    let mut buffer = vec![0; 64 * 1024];
    while from.read(&mut buffer).is_ok_and(|read| read > 0) {}
}
