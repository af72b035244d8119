//! Ours.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use manywire::{Credentials, QoS, Subtopic};

use super::{CHANNEL, Client, PAYLOAD, Qos, WINDOW};
use crate::measure::Latencies;

pub struct Manywire {
    client: manywire::Client,
    topic: Subtopic,
}

impl Client for Manywire {
    const WHO: &'static str = "manywire";

    async fn connect(port: u16) -> Self {
        let client = manywire::Client::builder(&format!("mqtt://127.0.0.1:{port}"))
            .expect("the url is valid")
            .credentials(Credentials::thing("thing", "key"))
            .connect()
            .await
            .expect("the server answers");
        let channel = client.channel(CHANNEL).expect("the channel is valid");
        let topic = channel.subtopic("load").expect("the subtopic is valid");
        Self { client, topic }
    }

    async fn send(&mut self, qos: Qos, messages: usize) {
        let payload = Bytes::from_static(PAYLOAD);
        let quality = if qos == Qos::AtMostOnce {
            QoS::AtMostOnce
        } else {
            QoS::AtLeastOnce
        };
        let mut pending = VecDeque::with_capacity(WINDOW);
        for _ in 0..messages {
            if pending.len() == WINDOW {
                let oldest: Option<manywire::Pending> = pending.pop_front();
                oldest
                    .expect("the window is full")
                    .await
                    .expect("the message is delivered");
            }
            pending.push_back(
                self.topic
                    .publish(payload.clone())
                    .qos(quality)
                    .enqueue()
                    .await
                    .expect("there is room"),
            );
        }
        for pending in pending {
            pending.await.expect("the message is delivered");
        }
        if qos == Qos::AtMostOnce {
            self.topic
                .publish(payload)
                .qos(QoS::AtLeastOnce)
                .await
                .expect("the message is delivered");
        }
    }

    async fn send_awaiting(&mut self, messages: usize) -> Latencies {
        let payload = Bytes::from_static(PAYLOAD);
        let mut latencies = Latencies::default();
        for _ in 0..messages {
            let start = Instant::now();
            self.topic
                .publish(payload.clone())
                .qos(QoS::AtLeastOnce)
                .await
                .expect("the message is delivered");
            latencies.push(start.elapsed());
        }
        latencies
    }

    async fn receive(&mut self, topic: &str, messages: usize, subscribed: &mut dyn FnMut()) {
        let filter = topic
            .rsplit_once("/messages/")
            .map_or("", |(_, subtopic)| subtopic);
        let channel = self.client.channel(CHANNEL).expect("the channel is valid");
        // At most once, what the application is too slow for is dropped; the flood is faster than any application, so
        // here all of it may wait.
        let subscribe = channel.subscribe(filter).qos(QoS::AtMostOnce).capacity(messages);
        let mut subscription = subscribe.await.expect("the server answers");
        subscribed();
        for _ in 0..messages {
            let delivery = subscription.next().await.expect("the subscription goes on");
            assert_eq!(delivery.payload().len(), PAYLOAD.len());
        }
        assert_eq!(subscription.dropped(), 0, "nothing is lost");
    }
}
