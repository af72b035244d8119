//! Ours: a session of the client's CoAP transport.

use std::{
    net::SocketAddr,
    pin::Pin,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use manywire::{
    CoapTransport, Credentials, Dialect, Endpoint, Message, TopicBuf,
    transport::{ConnectContext, Event, Op, OpId, Session, Transport},
};
use tokio::runtime::Runtime;

use super::{CHANNEL, Client, KEY, PAYLOAD};

struct Ours {
    session: Pin<Box<dyn Session>>,
    message: Message,
    last: u64,
}

pub fn connect(runtime: &Runtime, server: SocketAddr, at_once: usize) -> Box<dyn Client> {
    let endpoint = Endpoint::parse(&format!("coap://{server}")).expect("a url");
    let transport = CoapTransport::new(endpoint).in_flight(at_once);
    let credentials = Credentials::thing("id", KEY);
    let mut context = ConnectContext::new(Dialect::Channels);
    context.credentials = Some(&credentials);
    let connected = runtime.block_on(transport.connect(&context)).expect("a session");
    let path = format!("channels/{CHANNEL}/messages");
    let topic = TopicBuf::parse(Dialect::Channels, manywire_topics::Form::Path, &path).expect("a topic");
    let message = Message::new(topic, PAYLOAD.to_vec());
    Box::new(Ours {
        session: connected.session,
        message,
        last: 0,
    })
}

impl Client for Ours {
    fn post(&mut self, runtime: &Runtime, requests: usize, at_once: usize) -> Vec<Duration> {
        runtime.block_on(async {
            let mut latencies = Vec::with_capacity(requests);
            let mut begun = vec![Instant::now(); requests];
            let (first, mut next) = (self.last, 0);
            while latencies.len() < requests {
                while next < requests && next - latencies.len() < at_once {
                    begun[next] = Instant::now();
                    let op = Op::Publish {
                        id: OpId(first + next as u64),
                        message: self.message.clone(),
                        number: None,
                    };
                    self.session.feed(op).await.expect("room");
                    next += 1;
                }
                self.session.flush().await.expect("a flush");
                match self.session.next().await {
                    Some(Ok(Event::Published(id))) => {
                        latencies.push(begun[(id.0 - first) as usize].elapsed())
                    }
                    other => panic!("{other:?}"),
                }
            }
            self.last += requests as u64;
            latencies
        })
    }
}
