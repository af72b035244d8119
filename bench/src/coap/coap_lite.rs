//! The bare exchange on coap-lite: no timers, no tokens to guess, no memory of anything.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType};
use tokio::{net::UdpSocket, runtime::Runtime};

use super::{CHANNEL, Client, KEY, PAYLOAD};

struct Bare {
    socket: UdpSocket,
    message_id: u16,
}

pub fn connect(runtime: &Runtime, server: SocketAddr) -> Box<dyn Client> {
    let socket = runtime.block_on(async {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        socket.connect(server).await.expect("a route");
        socket
    });
    Box::new(Bare {
        socket,
        message_id: 0,
    })
}

fn request(message_id: u16, number: usize) -> Vec<u8> {
    let mut packet = Packet::new();
    packet.header.code = MessageClass::Request(RequestType::Post);
    packet.header.set_type(MessageType::Confirmable);
    packet.header.message_id = message_id;
    packet.set_token((number as u64).to_be_bytes().to_vec());
    for segment in ["channels", CHANNEL, "messages"] {
        packet.add_option(CoapOption::UriPath, segment.as_bytes().to_vec());
    }
    packet.add_option(CoapOption::UriQuery, format!("auth={KEY}").into_bytes());
    packet.payload = PAYLOAD.to_vec();
    packet.to_bytes().expect("a datagram")
}

impl Client for Bare {
    fn post(&mut self, runtime: &Runtime, requests: usize, at_once: usize) -> Vec<Duration> {
        runtime.block_on(async {
            let mut latencies = Vec::with_capacity(requests);
            let mut begun = vec![Instant::now(); requests];
            let mut next = 0;
            let mut buffer = [0; 2048];
            while latencies.len() < requests {
                while next < requests && next - latencies.len() < at_once {
                    begun[next] = Instant::now();
                    self.message_id = self.message_id.wrapping_add(1);
                    self.socket
                        .send(&request(self.message_id, next))
                        .await
                        .expect("a send");
                    next += 1;
                }
                let length = self.socket.recv(&mut buffer).await.expect("an answer");
                let answer = Packet::from_bytes(&buffer[..length]).expect("a packet");
                let number = u64::from_be_bytes(answer.get_token().try_into().expect("our token"));
                latencies.push(begun[number as usize].elapsed());
            }
            latencies
        })
    }
}
