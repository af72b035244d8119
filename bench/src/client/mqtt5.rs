//! mqtt5: its publish returns when the message is acknowledged, so the window is that many publishes at once.

use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream;
use mqtt5::{MqttClient, SubscribeOptions};
use tokio::sync::Notify;

use super::{Client, PAYLOAD, Qos, TOPIC, WINDOW};
use crate::measure::Latencies;

pub struct Mqtt5 {
    client: MqttClient,
}

impl Client for Mqtt5 {
    const WHO: &'static str = "mqtt5";

    async fn connect(port: u16) -> Self {
        let client = MqttClient::new("bench-mqtt5");
        client
            .connect(&format!("mqtt://127.0.0.1:{port}"))
            .await
            .expect("the server answers");
        Self { client }
    }

    async fn send(&mut self, qos: Qos, messages: usize) {
        let client = &self.client;
        if qos == Qos::AtLeastOnce {
            let sent = (0..messages).map(|_| client.publish_qos1(TOPIC, *PAYLOAD));
            let mut sent = stream::iter(sent).buffer_unordered(WINDOW);
            while let Some(sent) = sent.next().await {
                sent.expect("the message is delivered");
            }
            return;
        }
        for _ in 0..messages {
            client
                .publish_qos0(TOPIC, *PAYLOAD)
                .await
                .expect("the connection holds");
        }
        client
            .publish_qos1(TOPIC, *PAYLOAD)
            .await
            .expect("the message is delivered");
    }

    async fn send_awaiting(&mut self, messages: usize) -> Latencies {
        let mut latencies = Latencies::default();
        for _ in 0..messages {
            let start = Instant::now();
            self.client
                .publish_qos1(TOPIC, *PAYLOAD)
                .await
                .expect("the message is delivered");
            latencies.push(start.elapsed());
        }
        latencies
    }

    async fn receive(&mut self, topic: &str, messages: usize, subscribed: &mut dyn FnMut()) {
        use std::sync::atomic::{AtomicUsize, Ordering};

        let (arrived, all) = (AtomicUsize::new(0), Arc::new(Notify::new()));
        let done = Arc::clone(&all);
        let count = move |message: mqtt5::Message| {
            assert_eq!(message.payload.len(), PAYLOAD.len());
            if arrived.fetch_add(1, Ordering::Relaxed) + 1 == messages {
                done.notify_one();
            }
        };
        let options = SubscribeOptions {
            qos: mqtt5::QoS::AtMostOnce,
            ..SubscribeOptions::default()
        };
        self.client
            .subscribe_with_options(topic, options, count)
            .await
            .expect("the server answers");
        subscribed();
        all.notified().await;
    }
}
