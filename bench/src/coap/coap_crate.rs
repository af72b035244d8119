//! The client of the crate `coap`. It makes no tokens, and mixes up requests that have none: we give it some.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use coap::{
    UdpCoAPClient,
    client::CoAPClient,
    request::{Method, RequestBuilder},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::runtime::Runtime;

use super::{CHANNEL, Client, KEY, PAYLOAD};

struct Theirs {
    client: UdpCoAPClient,
    last: u64,
}

pub fn connect(runtime: &Runtime, server: SocketAddr) -> Box<dyn Client> {
    let client = runtime.block_on(UdpCoAPClient::new(server)).expect("a client");
    Box::new(Theirs { client, last: 0 })
}

async fn post<T: coap::client::ClientTransport + 'static>(client: CoAPClient<T>, token: u64) -> Duration {
    let begun = Instant::now();
    let path = format!("channels/{CHANNEL}/messages");
    let request = RequestBuilder::new(&path, Method::Post)
        .queries(vec![format!("auth={KEY}").into_bytes()])
        .token(Some(token.to_be_bytes().to_vec()))
        .data(Some(PAYLOAD.to_vec()))
        .confirmable(true)
        .build();
    let answer = client.send(request).await.expect("an answer");
    assert_eq!(answer.message.get_token(), token.to_be_bytes());
    begun.elapsed()
}

impl Client for Theirs {
    fn post(&mut self, runtime: &Runtime, requests: usize, at_once: usize) -> Vec<Duration> {
        runtime.block_on(async {
            let mut latencies = Vec::with_capacity(requests);
            let mut open = FuturesUnordered::new();
            let mut next = 0;
            while latencies.len() < requests {
                while next < requests && open.len() < at_once {
                    next += 1;
                    self.last += 1;
                    open.push(post(self.client.clone(), self.last));
                }
                latencies.extend(open.next().await);
            }
            latencies
        })
    }
}
