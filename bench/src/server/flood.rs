//! A publisher that is no limit to the server: for measuring how clients receive from a real one.

use std::io::{Read, Write};
use std::net::TcpStream;

use manywire_mqtt_codec::Version;

use super::mqtt::flood;

/// Each line of the input is a port, a topic and a number of messages.
pub fn run() {
    super::say(1);
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let mut words = line.split_whitespace();
        let (Some(port), Some(topic), Some(messages)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let port: u16 = port.parse().expect("the first word is a port");
        let messages = messages.parse().expect("the third word is a number");
        publish(port, topic, messages).expect("the server takes what is published");
    }
}

fn publish(port: u16, topic: &str, messages: usize) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"\x10\x11\0\x04MQTT\x04\x02\0\0\0\x05flood")?;
    stream.read_exact(&mut [0; 4])?;
    flood(&mut stream, topic, messages, Version::V311)?;
    stream.write_all(&[0xe0, 0])?;
    // The server closes when it has read everything.
    super::swallow(stream);
    Ok(())
}
