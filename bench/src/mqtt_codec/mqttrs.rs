//! mqttrs: borrowed packets, MQTT 3.1.1 only.

use bytes::{Buf, BytesMut};
use mqttrs::{Packet, Publish, QosPid, decode_slice, encode_slice};

use super::codec::{Codec, Tally};
use super::packets::Message;

pub struct V311 {
    buffer: BytesMut,
}

impl Codec for V311 {
    const WHO: &'static str = "mqttrs";
    type Packet<'a> = Packet<'a>;

    fn new(capacity: usize) -> Self {
        Self {
            buffer: BytesMut::with_capacity(capacity),
        }
    }

    fn whole(&mut self, mut stream: &[u8], mut visit: impl FnMut(&Packet<'_>)) {
        while let Some(packet) = decode_slice(stream).expect("the stream is valid") {
            visit(&packet);
            stream = &stream[frame_length(stream)..];
        }
    }

    fn chunk(&mut self, chunk: &[u8], mut visit: impl FnMut(&Packet<'_>)) {
        self.buffer.extend_from_slice(chunk);
        while let Some(packet) = decode_slice(&self.buffer).expect("the stream is valid") {
            visit(&packet);
            self.buffer.advance(frame_length(&self.buffer));
        }
    }

    fn tally(packet: &Packet<'_>) -> Tally {
        match packet {
            Packet::Publish(publish) => Tally::packet(publish.topic_name.len(), publish.payload.len()),
            Packet::Subscribe(subscribe) => Tally::packet(
                subscribe.topics.iter().map(|topic| topic.topic_path.len()).sum(),
                0,
            ),
            Packet::Connect(connect) => {
                let will = connect.last_will.as_ref().expect("there is a will");
                let username = connect.username.expect("there is a user name");
                let password = connect.password.expect("there is a password");
                let text = connect.client_id.len() + will.topic.len() + username.len();
                Tally::packet(text, will.message.len() + password.len())
            }
            _ => Tally::packet(0, 0),
        }
    }
}

/// `decode_slice` does not say how much it read, so its users scan the length themselves.
fn frame_length(stream: &[u8]) -> usize {
    let mut length = 0;
    for (index, &byte) in stream[1..].iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return 2 + index + length;
        }
    }
    unreachable!("decode_slice accepted the length")
}

/// Builds and encodes scenario a.
pub fn encode_small(message: &Message, buffer: &mut [u8]) -> usize {
    let publish = Publish {
        dup: false,
        qospid: QosPid::AtMostOnce,
        retain: false,
        topic_name: message.topic,
        payload: message.payload,
    };
    encode_slice(&publish.into(), buffer).expect("the packet is valid")
}
