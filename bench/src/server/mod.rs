//! Servers that cost as little as servers can, each in a process of its own, so that the CPU time measured here is the
//! client's alone.

mod flood;
mod gateway;
mod http;
mod mosquitto;
mod mqtt;
mod nats;
mod websocket;

use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub use mosquitto::mosquitto;
pub use nats::nats;

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
    /// Our gateway.
    Gateway,
}

/// Serves until the input ends, which it does when the process that started this one is gone.
pub fn serve(role: Role) {
    match role {
        Role::Flood => return flood::run(),
        Role::Gateway => return gateway::serve(),
        _ => {}
    }
    std::thread::spawn(move || match role {
        Role::Mqtt => mqtt::serve(),
        Role::Websocket => websocket::serve(),
        Role::Http => http::serve(),
        Role::Flood | Role::Gateway => {}
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
        let input = self.process.stdin.as_mut().expect("the input is piped");
        writeln!(input, "{line}").expect("the server reads");
    }

    /// Starts this program again in another role and waits until it says its port.
    pub fn start(role: Role) -> Self {
        Self::start_told(role, None)
    }

    /// Our gateway, with a data directory or without.
    pub fn gateway(directory: Option<&Path>) -> Self {
        let directory = directory.map(|directory| directory.display().to_string());
        Self::start_told(Role::Gateway, Some(directory.unwrap_or_default()))
    }

    /// The process that serves.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Ends the server in order, so that it writes what it keeps.
    pub fn stop(mut self) {
        match self.process.stdin.take() {
            // Ours ends with its input.
            Some(input) => drop(input),
            None => {
                Command::new("kill").arg(self.pid().to_string()).status().ok();
            }
        }
        self.process.wait().ok();
    }

    /// Starts this program again in another role, tells it a line if there is one, and waits until it says its port.
    fn start_told(role: Role, line: Option<String>) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let role = clap::ValueEnum::to_possible_value(&role).expect("every role has a name");
        let mut process = Command::new(program)
            .args(["--serve", role.get_name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be started again");
        if let (Some(line), Some(input)) = (line, process.stdin.as_mut()) {
            writeln!(input, "{line}").expect("the server reads");
        }
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

/// The first of these programs that is there, once it answers on its port; or says why not.
fn started(name: &str, port: u16, programs: &[&str], set_up: impl Fn(&mut Command)) -> Option<Server> {
    let process = programs.iter().find_map(|program| {
        let mut command = Command::new(program);
        set_up(&mut command);
        let command = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.spawn().ok()
    });
    let Some(process) = process else {
        eprintln!("MISSING: {name} is not installed, so its figures are left out");
        return None;
    };
    let server = Server { port, process };
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > deadline {
            eprintln!("MISSING: {name} does not answer, so its figures are left out");
            return None;
        }
        std::thread::yield_now();
    }
    Some(server)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("the listener is bound").port()
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
