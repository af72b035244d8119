//! A client that sends exactly the packets it is told, and says what it gets in words.

use manywire_gateway::Running;
use manywire_mqtt_codec::{
    Ack, ConnectFields, Delivery, Outcome, Packet, PacketId, Policy, Properties, Publish, QoS, Role, Suback,
    Subscribe, Subscription, Text, TopicFilter, TopicName, Unsuback, Unsubscribe, Version, decode,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::started::{CHANNEL, KEY, soon};

/// A client on a stream of bytes.
pub(crate) struct Peer<S = TcpStream> {
    pub(crate) stream: S,
    unread: Vec<u8>,
    pub(crate) version: Version,
}

/// The topic of a subtopic.
pub(crate) fn topic(subtopic: &str) -> String {
    format!("channels/{CHANNEL}/messages{subtopic}")
}

pub(crate) fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

/// The same in 5.0.
pub(crate) fn fields5(client_id: &str) -> ConnectFields<'_> {
    ConnectFields {
        version: Version::V5,
        ..fields(client_id)
    }
}

/// A CONNECT of the thing that may do everything.
pub(crate) fn fields(client_id: &str) -> ConnectFields<'_> {
    ConnectFields {
        user_name: Some(Text::new("thing").unwrap()),
        password: Some(KEY.as_bytes()),
        ..ConnectFields::new(Version::V311, Text::new(client_id).unwrap())
    }
}

impl Peer {
    /// A connection without CONNECT.
    pub(crate) async fn raw(gateway: &Running) -> Self {
        let stream = TcpStream::connect(gateway.mqtt_address().unwrap()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self::on(stream)
    }

    /// A connection with CONNECT, and what the CONNACK said.
    pub(crate) async fn connect(gateway: &Running, fields: &ConnectFields<'_>) -> (Self, String) {
        let mut peer = Self::raw(gateway).await;
        peer.version = fields.version;
        peer.send(Packet::Connect(fields.into())).await;
        let answer = peer.receive().await;
        (peer, answer)
    }

    /// The thing that may do everything, with a clean session.
    pub(crate) async fn connected(gateway: &Running, client_id: &str) -> Self {
        let (peer, answer) = Self::connect(gateway, &fields(client_id)).await;
        assert_eq!(answer, "CONNACK Success");
        peer
    }

    /// The same with a session that outlives the connection, which `present` says to be there already.
    pub(crate) async fn resumed(gateway: &Running, client_id: &str, present: bool) -> Self {
        let fields = ConnectFields {
            clean_start: false,
            ..fields(client_id)
        };
        let (peer, answer) = Self::connect(gateway, &fields).await;
        assert_eq!(
            answer,
            if present {
                "CONNACK Success, session present"
            } else {
                "CONNACK Success"
            }
        );
        peer
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(crate) fn on(stream: S) -> Self {
        Self {
            stream,
            unread: Vec::new(),
            version: Version::V311,
        }
    }

    pub(crate) async fn send(&mut self, packet: Packet<'_>) {
        let mut bytes = Vec::new();
        packet.append(self.version, &mut bytes).unwrap();
        self.send_bytes(&bytes).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    pub(crate) async fn publish(&mut self, subtopic: &str, payload: &str, delivery: Delivery) {
        self.publish_with(subtopic, payload, |publish| publish.delivery = delivery)
            .await;
    }

    pub(crate) async fn publish_with<'p>(
        &mut self,
        subtopic: &str,
        payload: &'p str,
        change: impl FnOnce(&mut Publish<'p>),
    ) {
        let topic: &'static str = topic(subtopic).leak();
        let mut publish = Publish::new(TopicName::new(topic).unwrap(), payload.as_bytes());
        change(&mut publish);
        self.send(publish.into()).await;
    }

    pub(crate) async fn subscribe(&mut self, packet_id: u16, filters: &[(&str, QoS)]) -> String {
        let filters: Vec<_> = filters
            .iter()
            .map(|(filter, qos)| (topic(filter), *qos))
            .collect();
        let subscriptions: Vec<_> = filters
            .iter()
            .map(|(filter, qos)| Subscription::new(TopicFilter::new(filter).unwrap(), *qos))
            .collect();
        let subscriptions = subscriptions.as_slice().into();
        self.send(
            Subscribe {
                packet_id: id(packet_id),
                subscriptions,
                properties: Properties::EMPTY,
            }
            .into(),
        )
        .await;
        self.receive().await
    }

    pub(crate) async fn unsubscribe(&mut self, packet_id: u16, filter: &str) -> String {
        let filter = topic(filter);
        let filters = [TopicFilter::new(&filter).unwrap()];
        let packet = Unsubscribe {
            packet_id: id(packet_id),
            filters: (&filters).into(),
            properties: Properties::EMPTY,
        };
        self.send(packet.into()).await;
        self.receive().await
    }

    pub(crate) async fn puback(&mut self, packet_id: u16) {
        self.send(Packet::Puback(Ack::new(id(packet_id)))).await;
    }

    pub(crate) async fn pubrec(&mut self, packet_id: u16) {
        self.send(Packet::Pubrec(Ack::new(id(packet_id)))).await;
    }

    pub(crate) async fn pubrel(&mut self, packet_id: u16) {
        self.send(Packet::Pubrel(Ack::new(id(packet_id)))).await;
    }

    pub(crate) async fn pubcomp(&mut self, packet_id: u16) {
        self.send(Packet::Pubcomp(Ack::new(id(packet_id)))).await;
    }

    /// The next packet, in words; `closed` when the gateway has closed the connection.
    pub(crate) async fn receive(&mut self) -> String {
        soon(async {
            loop {
                let policy = Policy::STRICT.with_sender(Role::Server);
                let decoded = decode(&self.unread, self.version, &policy).unwrap();
                if let Outcome::Complete((packet, len)) = decoded {
                    let words = describe(&packet);
                    self.unread.drain(..len);
                    return words;
                }
                match self.stream.read_buf(&mut self.unread).await {
                    Ok(0) | Err(_) => return "closed".to_owned(),
                    Ok(_) => {}
                }
            }
        })
        .await
    }

    /// What the next packet, a CONNACK, says beside its reason.
    pub(crate) async fn receive_raw(&mut self) -> Vec<u8> {
        soon(async {
            loop {
                match decode(&self.unread, self.version, &Policy::STRICT).unwrap() {
                    Outcome::Complete((_, len)) => return self.unread.drain(..len).collect(),
                    Outcome::Need(_) => assert_ne!(self.stream.read_buf(&mut self.unread).await.unwrap(), 0),
                }
            }
        })
        .await
    }

    /// Nothing waits: the next thing that comes is the answer to a ping.
    pub(crate) async fn has_nothing(&mut self) {
        self.send(Packet::Pingreq).await;
        assert_eq!(self.receive().await, "PINGRESP");
    }
}

fn describe(packet: &Packet<'_>) -> String {
    let name = packet.packet_type().name();
    match packet {
        Packet::Connack(connack) => {
            let present = if connack.session_present {
                ", session present"
            } else {
                ""
            };
            format!("{name} {}{present}", connack.reason)
        }
        Packet::Publish(publish) => {
            let id = publish
                .delivery
                .packet_id()
                .map(|id| format!(" {id}"))
                .unwrap_or_default();
            let dup = if publish.dup { " dup" } else { "" };
            let retain = if publish.retain { " retain" } else { "" };
            let subtopic = publish.topic.as_str().strip_prefix(&topic("")).unwrap();
            let payload = String::from_utf8_lossy(publish.payload);
            let properties: Vec<_> = publish
                .properties
                .iter()
                .map(|property| format!(" {property:?}"))
                .collect();
            let qos = publish.delivery.qos().bits();
            format!(
                "{name}{id} q{qos}{dup}{retain} {subtopic} `{payload}`{}",
                properties.concat()
            )
        }
        Packet::Suback(Suback {
            packet_id, reasons, ..
        })
        | Packet::Unsuback(Unsuback {
            packet_id, reasons, ..
        }) if !reasons.is_empty() => {
            let codes: Vec<_> = reasons.iter().map(|code| code.byte().to_string()).collect();
            format!("{name} {packet_id} [{}]", codes.join(", "))
        }
        Packet::Puback(ack) | Packet::Pubrec(ack) if ack.reason.is_error() => {
            format!("{name} {} {}", ack.packet_id, ack.reason)
        }
        Packet::Disconnect(disconnect) => format!("{name} {}", disconnect.reason),
        packet => {
            let id = packet.packet_id().map(|id| format!(" {id}")).unwrap_or_default();
            format!("{name}{id}")
        }
    }
}
