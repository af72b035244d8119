//! Associations without sockets: who gets in, what loss does, and what a stranger can do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use manywire_coap::dtls::{
    Association, Certificate, DtlsClient, DtlsError, DtlsServer, Limits, Listener, ListenerEvent, OVERHEAD,
    Output, PreSharedKeys, SecurePeer, Verify,
};

/// A server and its clients, whose addresses are their indices, under virtual time.
struct Net {
    origin: Instant,
    now: Duration,
    listener: Listener<usize>,
    clients: Vec<Client>,
    /// Messages at the server, and associations that ended there.
    received: Vec<(SecurePeer<usize>, Vec<u8>)>,
    closed: Vec<SecurePeer<usize>>,
    /// Every datagram in either direction, for as many turns as it is asked: whether it is lost.
    lose: Box<dyn FnMut() -> bool>,
    longest: usize,
}

struct Client {
    association: Box<dyn Association>,
    address: usize,
    connected: bool,
    received: Vec<Vec<u8>>,
    error: Option<DtlsError>,
}

impl Net {
    fn new(server: DtlsServer, limits: Limits) -> Self {
        let origin = Instant::now();
        Self {
            origin,
            now: Duration::from_secs(1),
            listener: Listener::new(limits, move || server.associate(origin)),
            clients: Vec::new(),
            received: Vec::new(),
            closed: Vec::new(),
            lose: Box::new(|| false),
            longest: 0,
        }
    }

    fn client(&mut self, client: &DtlsClient, address: usize) -> usize {
        self.clients.push(Client {
            association: client.associate(self.origin),
            address,
            connected: false,
            received: Vec::new(),
            error: None,
        });
        self.clients.len() - 1
    }

    /// Moves datagrams until nobody has any.
    fn settle(&mut self) {
        loop {
            let mut moved = false;
            for client in self.clients.iter_mut().filter(|client| client.error.is_none()) {
                loop {
                    match client.association.poll() {
                        Ok(Some(Output::Transmit(datagram))) => {
                            moved = true;
                            self.longest = self.longest.max(datagram.len());
                            if !(self.lose)() {
                                self.listener.handle_datagram(self.now, client.address, &datagram);
                            }
                        }
                        Ok(Some(Output::Connected)) => client.connected = true,
                        Ok(Some(Output::Received(message))) => client.received.push(message),
                        Ok(Some(_)) => client.connected = false,
                        Ok(None) => break,
                        Err(error) => {
                            client.error = Some(error);
                            break;
                        }
                    }
                }
            }
            while let Some(event) = self.listener.poll() {
                match event {
                    ListenerEvent::Transmit { address, datagram } => {
                        moved = true;
                        self.longest = self.longest.max(datagram.len());
                        let lost = (self.lose)();
                        // Of several with one address only the last is still there.
                        let client = self.clients.iter_mut().rfind(|client| client.address == address);
                        if let Some(client) = client.filter(|client| !lost && client.error.is_none())
                            && let Err(error) = client.association.handle_datagram(self.now, &datagram)
                        {
                            client.error = Some(error);
                        }
                    }
                    ListenerEvent::Received { peer, message } => self.received.push((peer, message)),
                    ListenerEvent::Closed { peer } => self.closed.push(peer),
                    _ => {}
                }
            }
            if !moved {
                return;
            }
        }
    }

    /// Settles, and lets the time of the next timer come, until `done` or `until`.
    fn run(&mut self, until: Duration, mut done: impl FnMut(&Self) -> bool) {
        for client in &mut self.clients {
            let _ = client.association.handle_timeout(self.now);
        }
        self.settle();
        while !done(self) {
            let of_clients = self.clients.iter().filter(|client| client.error.is_none());
            let timeout = of_clients
                .filter_map(|client| client.association.poll_timeout())
                .chain(self.listener.poll_timeout())
                .min();
            let Some(next) = timeout.filter(|next| *next <= until) else {
                self.now = until;
                return;
            };
            self.now = next.max(self.now);
            self.listener.handle_timeout(self.now);
            for client in &mut self.clients {
                if client.error.is_none()
                    && let Err(error) = client.association.handle_timeout(self.now)
                {
                    client.error = Some(error);
                }
            }
            self.settle();
        }
    }

    fn say(&mut self, client: usize, message: &[u8]) {
        self.clients[client].association.send(message).unwrap();
        self.settle();
    }
}

fn keys() -> PreSharedKeys {
    Arc::new(|identity| (identity == b"sensor").then(|| b"secret".to_vec()))
}

fn with_key(key: &str) -> DtlsClient {
    DtlsClient::with_pre_shared_key("sensor", key).unwrap()
}

fn own(name: &str) -> (Certificate, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let der = made.cert.der().to_vec();
    let certificate = Certificate::new(der.clone(), made.signing_key.serialize_der()).unwrap();
    (certificate, der)
}

/// Trusts this certificate and no other.
fn only(der: Vec<u8>) -> Verify {
    Arc::new(move |presented| {
        if presented == der {
            Ok(())
        } else {
            Err("another certificate".into())
        }
    })
}

fn minute() -> Duration {
    Duration::from_secs(60)
}

#[test]
fn a_key_that_both_know_lets_messages_through_both_ways() {
    let mut net = Net::new(
        DtlsServer::with_pre_shared_keys(keys()).unwrap(),
        Limits::default(),
    );
    let client = net.client(&with_key("secret"), 7);
    net.run(minute(), |net| net.clients[0].connected);
    assert!(net.clients[client].connected);
    let message = [b'x'; 1152];
    net.longest = 0;
    net.say(client, &message);
    let (peer, received) = net.received.pop().unwrap();
    assert_eq!((peer.address, &received[..]), (7, &message[..]));
    assert!(net.longest <= message.len() + OVERHEAD, "{}", net.longest);
    net.listener.send(net.now, peer, b"back");
    net.settle();
    assert_eq!(net.clients[client].received, [b"back"]);
}

#[test]
fn a_wrong_key_and_an_unknown_identity_get_nowhere() {
    for client in [
        with_key("wrong"),
        DtlsClient::with_pre_shared_key("nobody", "secret").unwrap(),
    ] {
        let mut net = Net::new(
            DtlsServer::with_pre_shared_keys(keys()).unwrap(),
            Limits::default(),
        );
        let client = net.client(&client, 1);
        net.run(minute(), |net| net.clients[0].error.is_some());
        assert!(!net.clients[client].connected);
        assert!(matches!(net.clients[client].error, Some(DtlsError::Handshake(_))));
        net.run(minute() * 3, |_| false);
        assert_eq!(net.listener.len(), (0, 0), "nothing is kept of it");
    }
}

#[test]
fn certificates_are_looked_at_on_both_sides() {
    let ((server, server_der), (client, client_der), (stranger, _)) =
        (own("server"), own("client"), own("stranger"));
    let serving = || {
        DtlsServer::with_certificate(server.clone(), Some(only(client_der.clone())), Some(keys())).unwrap()
    };
    let connecting =
        |own: Option<&Certificate>, verify| DtlsClient::with_certificates(own.cloned(), verify).unwrap();
    let trusted = || only(server_der.clone());
    for (who, client, lets_in) in [
        ("the right one", connecting(Some(&client), trusted()), true),
        ("a stranger", connecting(Some(&stranger), trusted()), false),
        ("nobody", connecting(None, trusted()), false),
        (
            "who trusts another",
            connecting(Some(&client), only(Vec::new())),
            false,
        ),
        ("one with a key", with_key("secret"), true),
    ] {
        let mut net = Net::new(serving(), Limits::default());
        net.client(&client, 1);
        net.run(minute(), |net| net.listener.len().0 > 0);
        assert_eq!(net.listener.len().0 == 1, lets_in, "{who}");
        if lets_in {
            net.run(net.now + minute(), |net| net.clients[0].connected);
            net.say(0, b"hello");
        }
        assert_eq!(net.received.len(), usize::from(lets_in), "{who}");
    }
}

#[test]
fn a_handshake_outlives_the_loss_of_every_third_datagram() {
    for offset in 0..3 {
        let mut net = Net::new(
            DtlsServer::with_pre_shared_keys(keys()).unwrap(),
            Limits::default(),
        );
        let mut count = offset;
        net.lose = Box::new(move || {
            count += 1;
            count % 3 == 0
        });
        let client = net.client(&with_key("secret"), 1);
        net.run(minute(), |net| {
            net.clients[0].connected && net.listener.len().0 == 1
        });
        assert!(
            net.clients[client].connected,
            "{offset}: {:?}",
            net.clients[client].error
        );
    }
}

#[test]
fn who_begins_anew_from_the_same_address_is_somebody_else() {
    let mut net = Net::new(
        DtlsServer::with_pre_shared_keys(keys()).unwrap(),
        Limits::default(),
    );
    let first = net.client(&with_key("secret"), 1);
    net.run(minute(), |net| net.clients[0].connected);
    net.say(first, b"first");
    let second = net.client(&with_key("secret"), 1);
    net.run(net.now + minute(), |net| net.clients[1].connected);
    net.say(second, b"second");
    let [(before, _), (after, message)] = &net.received[..] else {
        panic!("{:?}", net.received)
    };
    assert_eq!((before.address, &message[..]), (after.address, &b"second"[..]));
    assert_eq!(net.closed, [*before]);
    assert_ne!(before, after);
    // What is still meant for the old one goes nowhere.
    let before = *before;
    net.listener.send(net.now, before, b"too late");
    net.settle();
    assert!(net.clients[second].received.is_empty());
}

#[test]
fn forged_datagrams_end_nothing() {
    let mut net = Net::new(
        DtlsServer::with_pre_shared_keys(keys()).unwrap(),
        Limits::default(),
    );
    let client = net.client(&with_key("secret"), 1);
    net.run(minute(), |net| net.clients[0].connected);
    let mut forger = with_key("wrong").associate(net.origin);
    forger.handle_timeout(net.now).unwrap();
    let Ok(Some(Output::Transmit(hello))) = forger.poll() else {
        panic!("no hello")
    };
    let record = |kind: u8, epoch: u8, body: &[u8]| {
        let mut record = vec![kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 9, 0, body.len() as u8];
        record.extend_from_slice(body);
        record
    };
    for forged in [
        hello,
        record(21, 0, &[2, 40]),
        record(21, 1, &[2, 40]),
        record(20, 0, &[1]),
        record(22, 0, &[16, 0, 0, 4, 0, 9, 0, 0, 0, 0, 0, 4, 0, 2, b'm', b'e']),
        record(22, 0, &[0; 12]),
        record(23, 1, &[0; 40]),
        vec![],
        vec![0xff; 100],
    ] {
        net.listener.handle_datagram(net.now, 1, &forged);
        net.settle();
        net.say(client, b"still here");
        assert_eq!(
            net.received.pop().map(|(_, message)| message),
            Some(b"still here".to_vec()),
            "{forged:x?}"
        );
    }
    assert!(net.closed.is_empty());
}

#[test]
fn a_flood_of_hellos_keeps_within_bounds_and_is_not_amplified() {
    let mut limits = Limits::default();
    limits.handshakes = 8;
    let mut net = Net::new(DtlsServer::with_pre_shared_keys(keys()).unwrap(), limits);
    let hello = |net: &Net| {
        let mut association = with_key("wrong").associate(net.origin);
        association.handle_timeout(net.now).unwrap();
        let Ok(Some(Output::Transmit(hello))) = association.poll() else {
            panic!("no hello")
        };
        hello
    };
    let (mut heard, mut said) = (0, 0);
    for address in 100..200 {
        let hello = hello(&net);
        heard += hello.len();
        net.listener.handle_datagram(net.now, address, &hello);
        while let Some(event) = net.listener.poll() {
            if let ListenerEvent::Transmit { datagram, .. } = event {
                said += datagram.len();
            }
        }
    }
    assert!(said <= heard, "{said} bytes for {heard}");
    assert_eq!(net.listener.len(), (0, 8));
    // Who answers gets through in spite of them.
    net.client(&with_key("secret"), 1);
    net.run(minute(), |net| net.clients[0].connected);
    assert!(net.clients[0].connected);
}

#[test]
fn the_one_not_heard_of_for_longest_makes_room_and_the_silent_are_forgotten() {
    let mut limits = Limits::default();
    limits.associations = 2;
    limits.idle = Duration::from_secs(600);
    let mut net = Net::new(DtlsServer::with_pre_shared_keys(keys()).unwrap(), limits);
    for (client, address) in [(0, 1), (1, 2), (2, 3)] {
        net.client(&with_key("secret"), address);
        net.run(net.now + minute(), move |net| net.clients[client].connected);
        net.now += Duration::from_secs(1);
        if client > 0 {
            net.say(client, b"hello");
        }
    }
    assert_eq!(
        net.closed.iter().map(|peer| peer.address).collect::<Vec<_>>(),
        [1]
    );
    assert!(!net.clients[0].connected, "it was told");
    net.run(Duration::from_secs(700), |_| false);
    assert_eq!(net.closed.len(), 3);
    assert_eq!(net.listener.len(), (0, 0));
}
