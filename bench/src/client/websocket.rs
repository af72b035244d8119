//! One way over the platform's plain WebSocket, against tokio-tungstenite with one `send` per message.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use manywire::{Client, Credentials, QoS};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use super::{CHANNEL, PAYLOAD, TURNS, runtime};
use crate::measure::{Sample, Samples};
use crate::report::Report;
use crate::server::{Role, Server};

const MESSAGES: usize = 100_000;

/// The case `ws-one-way`.
pub fn run(report: &mut Report) {
    if !report.wants("ws-one-way") {
        return;
    }
    let server = Server::start(Role::Websocket);
    let mut all: [Samples; 2] = Default::default();
    for _ in 0..TURNS {
        let [ours, theirs] = &mut all;
        ours.push(runtime().block_on(manywire(server.port)));
        theirs.push(runtime().block_on(tungstenite(server.port)));
    }
    for (who, samples) in ["manywire", "tokio-tungstenite"].into_iter().zip(&all) {
        report.figures("ws-one-way", who, samples.figures());
    }
}

async fn manywire(port: u16) -> Sample {
    let client = Client::builder(&format!("ws://127.0.0.1:{port}"))
        .expect("the url is valid")
        .credentials(Credentials::thing("thing", "key"))
        .connect()
        .await
        .expect("the server answers");
    let channel = client.channel(CHANNEL).expect("the channel is valid");
    let topic = channel.subtopic("load").expect("the subtopic is valid");
    let payload = Bytes::from_static(PAYLOAD);
    // The connection is made for the first message.
    topic
        .publish(payload.clone())
        .qos(QoS::AtMostOnce)
        .await
        .expect("the server answers");
    let mut sample = Sample::start(MESSAGES);
    let mut last = None;
    for _ in 0..MESSAGES {
        last = Some(
            topic
                .publish(payload.clone())
                .qos(QoS::AtMostOnce)
                .enqueue()
                .await
                .expect("there is room"),
        );
    }
    // Messages leave in order, and this one is done when it has left.
    last.expect("there are messages")
        .await
        .expect("the message is sent");
    sample.stop();
    sample
}

async fn tungstenite(port: u16) -> Sample {
    let (mut socket, _) = connect_async(format!("ws://127.0.0.1:{port}"))
        .await
        .expect("the server answers");
    let payload = Bytes::from_static(PAYLOAD);
    let mut sample = Sample::start(MESSAGES);
    for _ in 0..MESSAGES {
        socket
            .send(Message::Binary(payload.clone()))
            .await
            .expect("the connection holds");
    }
    sample.stop();
    socket
        .send(Message::text("seen?"))
        .await
        .expect("the connection holds");
    socket
        .next()
        .await
        .expect("the server answers")
        .expect("the server answers");
    sample
}
