//! A gateway with two things, and a device that speaks CoAP with it.

use std::time::Duration;

use manywire_coap::{Code, Endpoint, Event, Message, OptionNumber, Parameters};
use manywire_gateway::{Builder, Gateway, Running, Thing};
use tokio::{net::UdpSocket, time::Instant};

pub(crate) const CHANNEL: &str = "30315311-56ba-484d-b500-c1e08305511f";
pub(crate) const OTHER_CHANNEL: &str = "5ad5ad49-0b4a-4d8c-9d6a-6d6d1d0f6a3b";

/// How long anything may take before a test has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn builder() -> Builder {
    Gateway::builder()
        .thing(Thing::new("sensor").uses(CHANNEL).unwrap(), "k3y")
        .thing(Thing::new("stranger").uses(OTHER_CHANNEL).unwrap(), "other")
}

pub(crate) async fn gateway() -> Running {
    builder().start().await.unwrap()
}

pub(crate) fn message(method: Code, path: &str, key: &str) -> Message {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let request = segments.fold(Message::new(method), |request, segment| {
        request.with_option(OptionNumber::URI_PATH, segment.as_bytes())
    });
    request.with_option(OptionNumber::URI_QUERY, format!("auth={key}").as_bytes())
}

pub(crate) fn to_channel(method: Code, subtopic: &str) -> Message {
    message(method, &format!("channels/{CHANNEL}/messages/{subtopic}"), "k3y")
}

pub(crate) struct Device {
    socket: UdpSocket,
    pub(crate) endpoint: Endpoint<()>,
    origin: Instant,
    /// Whether what arrives is thrown away.
    pub(crate) deaf: bool,
    /// What arrived, undecoded.
    pub(crate) heard: Vec<Vec<u8>>,
}

impl Device {
    pub(crate) async fn new(gateway: &Running) -> Self {
        Self::with(gateway, Parameters::default()).await
    }

    pub(crate) async fn with(gateway: &Running, parameters: Parameters) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(gateway.coap_address().unwrap()).await.unwrap();
        let mut rng = fastrand::Rng::new();
        Self {
            socket,
            endpoint: Endpoint::new(parameters, Box::new(move || rng.u64(..))),
            origin: Instant::now(),
            deaf: false,
            heard: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// The response to a request.
    pub(crate) async fn ask(&mut self, request: Message) -> Message {
        let now = self.now();
        let asked = self.endpoint.request(now, (), request).unwrap();
        self.until(|event| match event {
            Event::Response { request, message } if request == asked => Some(message),
            Event::Failed { request, failure } if request == asked => panic!("{failure}"),
            _ => None,
        })
        .await
    }

    pub(crate) async fn observe(&mut self, request: Message) -> manywire_coap::ObservationId {
        let now = self.now();
        let observation = self.endpoint.observe(now, (), request).unwrap();
        self.until(|event| match event {
            Event::Registered {
                observation: registered,
                ..
            } if registered == observation => Some(()),
            Event::Ended { cause, .. } => panic!("{cause:?}"),
            _ => None,
        })
        .await;
        observation
    }

    pub(crate) async fn notification(&mut self) -> Message {
        self.until(|event| match event {
            Event::Notification { message, .. } => Some(message),
            _ => None,
        })
        .await
    }

    /// Lives until something has happened.
    pub(crate) async fn until<T>(&mut self, mut wanted: impl FnMut(Event<()>) -> Option<T>) -> T {
        let latest = Instant::now() + PATIENCE;
        loop {
            while let Some(event) = self.endpoint.poll_event() {
                if let Some(found) = wanted(event) {
                    self.send().await;
                    return found;
                }
            }
            self.step(latest).await;
            assert!(Instant::now() < latest, "nothing happened in time");
        }
    }

    /// Sends what is due, then waits for a datagram or a timer.
    async fn step(&mut self, latest: Instant) {
        self.send().await;
        let timeout = self
            .endpoint
            .poll_timeout()
            .map_or(latest, |timeout| self.origin + timeout);
        let mut buffer = [0; 2048];
        tokio::select! {
            received = self.socket.recv(&mut buffer) => {
                let Ok(length) = received else { return };
                let datagram = &buffer[..length];
                assert!(datagram.len() <= 1280, "a datagram of {} bytes", datagram.len());
                self.heard.push(datagram.to_vec());
                if !self.deaf {
                    let now = self.now();
                    self.endpoint.handle_datagram(now, (), datagram);
                }
            }
            () = tokio::time::sleep_until(timeout.min(latest)) => {}
        }
        let now = self.now();
        self.endpoint.handle_timeout(now);
    }

    async fn send(&mut self) {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            // A gateway that has stopped refuses what it is sent.
            let _ = self.socket.send(&transmit.datagram).await;
        }
    }

    /// Sends bytes as they are, and waits for one datagram.
    pub(crate) async fn raw(&mut self, datagram: &[u8]) -> Vec<u8> {
        self.socket.send(datagram).await.unwrap();
        self.receive().await
    }

    pub(crate) async fn receive(&mut self) -> Vec<u8> {
        let mut buffer = [0; 2048];
        let received = tokio::time::timeout(PATIENCE, self.socket.recv(&mut buffer)).await;
        buffer[..received.expect("nothing came in time").unwrap()].to_vec()
    }
}

impl Device {
    /// Sends bytes that nobody is to answer.
    pub(crate) async fn raw_silently(&mut self, datagram: &[u8]) {
        self.socket.send(datagram).await.unwrap();
    }
}
