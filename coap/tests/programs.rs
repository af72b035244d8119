//! Servers that are not ours: libcoap's, with loss of its own making, and aiocoap.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod network;

use std::{
    io::{BufRead, BufReader},
    net::UdpSocket,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use manywire_coap::{Code, Ended, Endpoint, Event, Failure, Message, OptionNumber, Parameters};

/// How long anything may take before a test has failed: most is waiting for retransmissions of what was lost on purpose.
const PATIENCE: Duration = Duration::from_secs(60);

struct Server {
    process: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn missing(what: &str) -> Option<Server> {
    // Not `eprintln`, which is only seen when a test fails.
    let text = format!("MISSING: {what}: this test has tested nothing\n");
    std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()).unwrap();
    None
}

/// A port that is free now: these servers cannot be asked for any free one.
fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn libcoap(arguments: &[&str]) -> Option<Server> {
    let port = free_port();
    for name in [
        "coap-server-openssl",
        "coap-server-gnutls",
        "coap-server-notls",
        "coap-server",
    ] {
        let started = Command::new(name)
            .args(["-A", "127.0.0.1", "-p", &port.to_string(), "-d", "100"])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        if let Ok(process) = started {
            return Some(Server { process, port });
        }
    }
    missing("libcoap's server (apt-get install libcoap3-bin)")
}

const AIOCOAP: &str = r#"
import asyncio, sys
import aiocoap, aiocoap.resource as resource

class Echo(resource.Resource):
    async def render_post(self, request):
        return aiocoap.Message(code=aiocoap.CHANGED, payload=request.payload)

class Slow(resource.Resource):
    async def render_get(self, request):
        await asyncio.sleep(2)
        return aiocoap.Message(payload=b"slow")

class Clock(resource.ObservableResource):
    count = 0
    def update_observation_count(self, number):
        if number:
            self.handle = asyncio.get_running_loop().call_later(0.2, self.tick)
    def tick(self):
        self.count += 1
        self.updated_state()
        self.handle = asyncio.get_running_loop().call_later(0.2, self.tick)
    async def render_get(self, request):
        return aiocoap.Message(payload=str(self.count).encode())

async def main():
    root = resource.Site()
    root.add_resource(["echo"], Echo())
    root.add_resource(["slow"], Slow())
    root.add_resource(["clock"], Clock())
    await aiocoap.Context.create_server_context(root, bind=("127.0.0.1", int(sys.argv[1])), transports=["udp6"])
    print("ready", flush=True)
    await asyncio.get_running_loop().create_future()

asyncio.run(main())
"#;

fn aiocoap() -> Option<Server> {
    let port = free_port();
    let started = Command::new("python3")
        .args(["-c", AIOCOAP, &port.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut process) = started else {
        return missing("python3");
    };
    let mut line = String::new();
    let output = process.stdout.take().unwrap();
    BufReader::new(output).read_line(&mut line).unwrap();
    let server = Server { process, port };
    if line.trim() == "ready" {
        Some(server)
    } else {
        missing("aiocoap for python3 (pip install aiocoap)")
    }
}

struct Client {
    socket: UdpSocket,
    endpoint: Endpoint<()>,
    origin: Instant,
}

impl Client {
    fn new(server: &Server) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(("127.0.0.1", server.port)).unwrap();
        let seed = std::process::id().into();
        let mut parameters = Parameters::default();
        parameters.nstart = 4;
        // The round trip on this machine is known.
        parameters.ack_timeout = Duration::from_millis(300);
        let endpoint = Endpoint::new(parameters, Box::new(network::random(seed)));
        let mut client = Self {
            socket,
            endpoint,
            origin: Instant::now(),
        };
        client.until_it_answers();
        client
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn until_it_answers(&mut self) {
        let latest = Instant::now() + PATIENCE;
        loop {
            let now = self.now();
            let ping = self.endpoint.ping(now, ()).unwrap();
            let answered = self.until(|event| match event {
                Event::Pong { ping: answered } => Some(answered == ping),
                Event::PingLost { .. } => Some(false),
                _ => None,
            });
            if answered {
                return;
            }
            assert!(Instant::now() < latest, "the server does not answer");
        }
    }

    /// Asks, and asks again: at 30 % loss one request in 400 loses all its five answers.
    fn ask(&mut self, request: Message) -> Message {
        loop {
            let now = self.now();
            let asked = self.endpoint.request(now, (), request.clone()).unwrap();
            let outcome = self.until(|event| match event {
                Event::Response { request, message } if request == asked => Some(Ok(message)),
                Event::Failed { request, failure } if request == asked => Some(Err(failure)),
                _ => None,
            });
            match outcome {
                Ok(message) => return message,
                Err(failure) => assert_eq!(failure, Failure::Timeout),
            }
        }
    }

    fn until<T>(&mut self, mut wanted: impl FnMut(Event<()>) -> Option<T>) -> T {
        let latest = Instant::now() + PATIENCE;
        let mut buffer = [0; 2048];
        loop {
            while let Some(transmit) = self.endpoint.poll_transmit() {
                // Until the server listens, the kernel refuses.
                let _ = self.socket.send(&transmit.datagram);
            }
            while let Some(event) = self.endpoint.poll_event() {
                if let Some(found) = wanted(event) {
                    return found;
                }
            }
            assert!(Instant::now() < latest, "nothing happened in time");
            let timeout = self
                .endpoint
                .poll_timeout()
                .map_or(PATIENCE, |at| at.saturating_sub(self.now()));
            self.socket
                .set_read_timeout(Some(timeout.max(Duration::from_millis(1))))
                .unwrap();
            if let Ok(length) = self.socket.recv(&mut buffer) {
                let now = self.now();
                self.endpoint.handle_datagram(now, (), &buffer[..length]);
            }
            let now = self.now();
            self.endpoint.handle_timeout(now);
        }
    }

    /// So many notifications of a resource, then its end.
    fn observe(&mut self, path: &str, count: usize) -> Vec<Vec<u8>> {
        let now = self.now();
        let observation = self.endpoint.observe(now, (), to(Code::GET, path)).unwrap();
        let mut got = Vec::new();
        self.until(|event| {
            match event {
                Event::Registered { message, .. } | Event::Notification { message, .. } => {
                    got.push(message.into_payload());
                }
                Event::Ended { cause, .. } => panic!("{cause:?}"),
                _ => {}
            }
            (got.len() >= count).then_some(())
        });
        let now = self.now();
        self.endpoint.cancel_observation(now, observation);
        self.until(|event| {
            matches!(
                event,
                Event::Ended {
                    cause: Ended::Cancelled,
                    ..
                }
            )
            .then_some(())
        });
        got
    }
}

fn to(method: Code, path: &str) -> Message {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let request = path.split('/').fold(Message::new(method), |request, segment| {
        request.with_option(OptionNumber::URI_PATH, segment.as_bytes())
    });
    if query.is_empty() {
        request
    } else {
        request.with_option(OptionNumber::URI_QUERY, query.as_bytes())
    }
}

fn body(size: usize) -> Vec<u8> {
    (0..size).map(|index| (index % 251) as u8).collect()
}

#[test]
fn libcoap_serves_requests_blocks_slow_answers_and_observations() {
    let Some(server) = libcoap(&[]) else { return };
    let mut client = Client::new(&server);
    assert_eq!(client.ask(to(Code::GET, "time")).code(), Code::CONTENT);
    assert_eq!(client.ask(to(Code::GET, "nowhere")).code(), Code::NOT_FOUND);
    let stored = client.ask(to(Code::PUT, "stored").with_payload(body(10_000)));
    assert_eq!(stored.code(), Code::CREATED);
    assert_eq!(client.ask(to(Code::GET, "stored")).payload(), body(10_000));
    assert_eq!(
        client.ask(to(Code::GET, "async?1")).code(),
        Code::CONTENT,
        "a separate response"
    );
    let ticks = client.observe("time", 3);
    assert!(ticks.windows(2).all(|pair| pair[0] != pair[1]), "{ticks:?}");
}

#[test]
fn libcoap_that_loses_a_third_of_its_answers_still_serves() {
    let Some(server) = libcoap(&["-l", "30%"]) else {
        return;
    };
    let mut client = Client::new(&server);
    for number in 0..20_u8 {
        let stored = client.ask(to(Code::PUT, "stored").with_payload(vec![number; 100]));
        assert!(stored.code().is_success(), "{}", stored.code());
        assert_eq!(client.ask(to(Code::GET, "stored")).payload(), [number; 100]);
    }
    // Down only: libcoap 4.3.1 does not recognise the repetition of a last block whose answer was lost, and stores that
    // block as the whole.
    assert_eq!(client.ask(to(Code::GET, "example_data")).payload().len(), 1500);
}

#[test]
fn aiocoap_serves_requests_blocks_slow_answers_and_observations() {
    let Some(server) = aiocoap() else { return };
    let mut client = Client::new(&server);
    for size in [10, 1024, 1025, 20_000] {
        let echoed = client.ask(to(Code::POST, "echo").with_payload(body(size)));
        assert_eq!(
            (echoed.code(), echoed.payload()),
            (Code::CHANGED, &body(size)[..])
        );
    }
    assert_eq!(client.ask(to(Code::GET, "slow")).payload(), b"slow");
    let ticks = client.observe("clock", 4);
    assert!(ticks.windows(2).all(|pair| pair[0] != pair[1]), "{ticks:?}");
}
