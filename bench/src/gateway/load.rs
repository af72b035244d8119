//! Clients that cost little: raw sockets, our codec, one thread. All servers get the same ones.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use manywire_mqtt_codec::{
    Ack, ConnectFields, Delivery, Packet, PacketId, Policy, Properties, Publish, QoS, StreamDecoder,
    Subscribe, Subscription, Text, TopicFilter, TopicName, Version,
};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::{KEY, PAYLOAD, THING};

/// A connected client.
pub struct Client {
    stream: TcpStream,
    decoder: StreamDecoder,
}

/// Counts what has arrived, and wakes who waits for it.
#[derive(Default)]
pub struct Seen {
    count: Cell<usize>,
    changed: Notify,
}

impl Seen {
    fn add(&self, more: usize) {
        if more > 0 {
            self.count.set(self.count.get() + more);
            self.changed.notify_waiters();
        }
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.count.get()
    }

    /// Waits until there are so many.
    pub async fn reaches(&self, count: usize) {
        while self.count.get() < count {
            self.changed.notified().await;
        }
    }
}

impl Client {
    /// Connects with a session that ends with the connection.
    pub async fn connect(port: u16, client_id: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("the server listens");
        stream.set_nodelay(true).expect("the socket takes the option");
        let mut client = Self {
            stream,
            decoder: StreamDecoder::new(Version::V311, Policy::STRICT),
        };
        let fields = ConnectFields {
            user_name: Text::new(THING).ok(),
            password: Some(KEY.as_bytes()),
            ..ConnectFields::new(Version::V311, Text::new(client_id).expect("a text"))
        };
        client.send(&Packet::Connect((&fields).into())).await;
        client.expect("CONNACK").await;
        client
    }

    /// Subscribes to a filter.
    pub async fn subscribe(&mut self, filter: &str, qos: QoS) {
        self.subscribe_counting(filter, qos, &mut 0).await;
    }

    /// Subscribes to a filter and counts the retained messages that come with the answer, or before it.
    pub async fn subscribe_counting(&mut self, filter: &str, qos: QoS, publications: &mut usize) {
        let subscriptions = [Subscription::new(
            TopicFilter::new(filter).expect("a filter"),
            qos,
        )];
        let subscribe = Subscribe {
            packet_id: PacketId::FIRST,
            subscriptions: (&subscriptions).into(),
            properties: Properties::EMPTY,
        };
        self.send(&subscribe.into()).await;
        let mut subscribed = false;
        while !subscribed {
            self.read(|packet| match packet {
                Packet::Suback(suback) => subscribed = suback.reasons.iter().all(|reason| !reason.is_error()),
                Packet::Publish(_) => *publications += 1,
                packet => panic!("{packet:?} instead of SUBACK"),
            })
            .await;
        }
    }

    /// Asks for a sign of life and waits for it.
    pub async fn ping(&mut self) {
        self.send(&Packet::Pingreq).await;
        self.expect("PINGRESP").await;
    }

    /// Sends one packet.
    pub async fn send(&mut self, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        packet
            .append(Version::V311, &mut bytes)
            .expect("the packet is whole");
        self.stream.write_all(&bytes).await.expect("the server reads");
    }

    /// Waits for the next packet, which must be this one. What comes with it is for nobody.
    pub async fn expect(&mut self, name: &str) {
        let mut found = false;
        while !found {
            self.read(|packet| {
                assert!(
                    found || packet.packet_type().name() == name,
                    "{packet:?} instead of {name}"
                );
                found = true;
            })
            .await;
        }
    }

    /// Counts the publications that come, and acknowledges them, for as long as the server serves.
    pub async fn drain(mut self, seen: Rc<Seen>) {
        let mut output = Vec::new();
        loop {
            let mut arrived = 0;
            self.read(|packet| {
                if let Packet::Publish(publish) = packet {
                    arrived += 1;
                    if let Delivery::AtLeastOnce(id) = publish.delivery {
                        append(&Packet::Puback(Ack::new(id)), &mut output);
                    }
                }
            })
            .await;
            if !output.is_empty() {
                self.stream.write_all(&output).await.expect("the server reads");
                output.clear();
            }
            seen.add(arrived);
        }
    }

    /// Publishes so many messages with QoS 0, never more than `window` before `seen`, where each counts `copies` times.
    pub async fn pour(&mut self, topic: &str, messages: usize, window: usize, seen: &Seen, copies: usize) {
        let packet = publication(topic, Delivery::AtMostOnce);
        let (start, mut sent) = (seen.count(), 0);
        while sent < messages {
            let arrived = (seen.count() - start) / copies;
            let batch = (arrived + window).min(messages) - sent;
            if batch == 0 {
                seen.reaches(start + (arrived + 1) * copies).await;
                continue;
            }
            let block = packet.repeat(batch.min(64 * 1024 / packet.len()));
            self.stream.write_all(&block).await.expect("the server reads");
            sent += block.len() / packet.len();
        }
        seen.reaches(start + messages * copies).await;
    }

    /// Publishes so many messages with QoS 1, never more than `window` unacknowledged.
    pub async fn pour_acknowledged(&mut self, topic: &str, messages: usize, window: usize) {
        let (mut sent, mut acknowledged) = (0, 0);
        let mut id = PacketId::FIRST;
        let mut output = Vec::new();
        while acknowledged < messages {
            let batch = (acknowledged + window).min(messages) - sent;
            for _ in 0..batch {
                output.extend(publication(topic, Delivery::AtLeastOnce(id)));
                id = id.next();
            }
            sent += batch;
            self.stream.write_all(&output).await.expect("the server reads");
            output.clear();
            self.read(|packet| acknowledged += usize::from(matches!(packet, Packet::Puback(_))))
                .await;
        }
    }

    /// Reads once and lends every whole packet.
    pub async fn read(&mut self, mut take: impl FnMut(&Packet<'_>)) {
        loop {
            self.stream.readable().await.expect("the server serves");
            let read = BUFFER.with_borrow_mut(|buffer| {
                let read = self.stream.try_read(buffer)?;
                assert_ne!(read, 0, "the server has closed the connection");
                let mut packets = self.decoder.feed(&buffer[..read]);
                while let Some(packet) = packets.next().expect("the server speaks MQTT") {
                    take(&packet);
                }
                Ok::<_, std::io::Error>(())
            });
            match read {
                Ok(()) => return,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => panic!("the server is gone: {error}"),
            }
        }
    }
}

/// A PUBLISH of [`PAYLOAD`].
fn publication(topic: &str, delivery: Delivery) -> Vec<u8> {
    let mut packet = Vec::new();
    let publish = Publish {
        delivery,
        ..Publish::new(TopicName::new(topic).expect("a topic"), PAYLOAD)
    };
    append(&publish.into(), &mut packet);
    packet
}

fn append(packet: &Packet<'_>, output: &mut Vec<u8>) {
    packet.append(Version::V311, output).expect("the packet is whole");
}

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 64 * 1024]);
}
