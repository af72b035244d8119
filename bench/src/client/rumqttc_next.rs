//! rumqttc-v4-next: the fork of rumqttc, its event loop polled as its documentation shows.

use std::time::Instant;

use rumqttc_next::{AsyncClient, Event, EventLoop, MqttOptions, NetworkOptions, Packet, PublishOptions, QoS};

use super::{Client, PAYLOAD, Qos, TOPIC, WINDOW};
use crate::measure::Latencies;

pub struct RumqttcNext {
    client: AsyncClient,
    events: EventLoop,
}

impl RumqttcNext {
    /// Polls until a packet comes for which `wanted` holds.
    async fn until(&mut self, wanted: impl Fn(&Packet) -> bool) {
        loop {
            if let Event::Incoming(packet) = self.events.poll().await.expect("the connection holds")
                && wanted(&packet)
            {
                return;
            }
        }
    }

    async fn acknowledgements(&mut self, messages: usize) {
        for _ in 0..messages {
            self.until(|packet| matches!(packet, Packet::PubAck(_))).await;
        }
    }
}

impl Client for RumqttcNext {
    const WHO: &'static str = "rumqttc-v4-next";

    async fn connect(port: u16) -> Self {
        let mut options = MqttOptions::new("bench-rumqttc-next", ("127.0.0.1", port));
        options.set_inflight(WINDOW as u16);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        let (client, mut events) = AsyncClient::builder(options).capacity(WINDOW).build();
        events.set_network_options(network);
        let mut connected = Self { client, events };
        connected
            .until(|packet| matches!(packet, Packet::ConnAck(_)))
            .await;
        connected
    }

    async fn send(&mut self, qos: Qos, messages: usize) {
        let client = self.client.clone();
        tokio::spawn(async move {
            let quality = if qos == Qos::AtMostOnce {
                QoS::AtMostOnce
            } else {
                QoS::AtLeastOnce
            };
            for _ in 0..messages {
                let options = PublishOptions::new(quality);
                client
                    .publish(TOPIC, *PAYLOAD, options)
                    .await
                    .expect("the event loop is polled");
            }
            if qos == Qos::AtMostOnce {
                let options = PublishOptions::new(QoS::AtLeastOnce);
                client
                    .publish(TOPIC, *PAYLOAD, options)
                    .await
                    .expect("the event loop is polled");
            }
        });
        self.acknowledgements(if qos == Qos::AtMostOnce { 1 } else { messages })
            .await;
    }

    async fn send_awaiting(&mut self, messages: usize) -> Latencies {
        let mut latencies = Latencies::default();
        for _ in 0..messages {
            let start = Instant::now();
            let options = PublishOptions::new(QoS::AtLeastOnce);
            self.client
                .publish(TOPIC, *PAYLOAD, options)
                .await
                .expect("the event loop is polled");
            self.acknowledgements(1).await;
            latencies.push(start.elapsed());
        }
        latencies
    }

    async fn receive(&mut self, topic: &str, messages: usize, subscribed: &mut dyn FnMut()) {
        self.client
            .subscribe(topic, QoS::AtMostOnce)
            .await
            .expect("the event loop is polled");
        self.until(|packet| matches!(packet, Packet::SubAck(_))).await;
        subscribed();
        for _ in 0..messages {
            self.until(|packet| matches!(packet, Packet::Publish(_))).await;
        }
    }
}
