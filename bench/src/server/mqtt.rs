//! An MQTT server that is no limit to its client.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use manywire_mqtt_codec::{Packet, Policy, StreamDecoder, Version};

/// The level of a filter after which the number of messages stands that its subscriber is to be flooded with.
pub const FLOOD: &str = "flood";

/// Accepts for ever.
pub fn serve() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    super::say(listener.local_addr().expect("the listener is bound").port());
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || connection(stream));
    }
}

fn connection(mut stream: TcpStream) {
    stream.set_nodelay(true).ok();
    let mut decoder = StreamDecoder::new(Version::V311, Policy::STRICT);
    let mut input = vec![0; 64 * 1024];
    let mut output = Vec::new();
    let mut version = Version::V311;
    while let Ok(read @ 1..) = stream.read(&mut input) {
        let mut packets = decoder.feed(&input[..read]);
        let mut flood = None;
        loop {
            match packets.next() {
                Ok(Some(packet)) => flood = answer(&packet, &mut version, &mut output).or(flood),
                Ok(None) => break,
                Err(error) => {
                    eprintln!("the MQTT sink was sent {error}");
                    return;
                }
            }
        }
        drop(packets);
        if stream.write_all(&output).is_err() {
            return;
        }
        output.clear();
        if let Some((topic, messages)) = flood
            && self::flood(&mut stream, &topic, messages, version).is_err()
        {
            return;
        }
    }
}

/// Writes the answer to a packet; says what to flood with if it subscribes.
fn answer(packet: &Packet<'_>, version: &mut Version, output: &mut Vec<u8>) -> Option<(String, usize)> {
    match packet {
        Packet::Connect(connect) => {
            *version = connect.version();
            match *version {
                Version::V5 => output.extend([0x20, 3, 0, 0, 0]),
                _ => output.extend([0x20, 2, 0, 0]),
            }
        }
        Packet::Publish(publish) => {
            if let Some(id) = publish.delivery.packet_id() {
                output.extend([0x40, 2]);
                output.extend(id.get().to_be_bytes());
            }
        }
        Packet::Pingreq => output.extend([0xd0, 0]),
        Packet::Subscribe(subscribe) => {
            let filter = subscribe.subscriptions.iter().next()?.filter.as_str().to_owned();
            let [high, low] = subscribe.packet_id.get().to_be_bytes();
            match *version {
                Version::V5 => output.extend([0x90, 4, high, low, 0, 0]),
                _ => output.extend([0x90, 3, high, low, 0]),
            }
            let mut levels = filter.rsplit('/');
            let messages = levels.next()?.parse().ok()?;
            return (levels.next() == Some(FLOOD)).then_some((filter, messages));
        }
        _ => {}
    }
    None
}

/// Publishes QoS 0 messages of 64 bytes, 64 KiB at a time.
pub fn flood(stream: &mut TcpStream, topic: &str, messages: usize, version: Version) -> std::io::Result<()> {
    let mut packet = vec![0x30, 0, 0, u8::try_from(topic.len()).expect("the topic is short")];
    packet.extend(topic.as_bytes());
    packet.extend(std::iter::repeat_n(0, usize::from(version == Version::V5)));
    packet.extend([b'x'; 64]);
    let remaining = packet.len() - 2;
    assert!(remaining < 16_384, "the packet is short");
    packet[1] = (remaining % 128) as u8;
    if remaining >= 128 {
        packet[1] |= 0x80;
        packet.insert(2, (remaining / 128) as u8);
    }
    let batch = 64 * 1024 / packet.len();
    let block = packet.repeat(batch);
    for start in (0..messages).step_by(batch) {
        let count = batch.min(messages - start);
        stream.write_all(&block[..count * packet.len()])?;
    }
    Ok(())
}
