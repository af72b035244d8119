//! One POST after the other, against reqwest, on which our HTTP wire stands.

use std::time::Instant;

use bytes::Bytes;
use manywire::{Client, ContentType, Credentials, Payload};

use super::{CHANNEL, PAYLOAD, TURNS, runtime};
use crate::measure::{Sample, Samples};
use crate::report::Report;
use crate::server::{Role, Server};

const MESSAGES: usize = 5_000;

/// The case `http-post`.
pub fn run(report: &mut Report) {
    if !report.wants("http-post") {
        return;
    }
    // reqwest wants one even where nothing is encrypted; if another is installed already, that will do.
    rustls::crypto::ring::default_provider().install_default().ok();
    let server = Server::start(Role::Http);
    let mut all: [Samples; 2] = Default::default();
    for _ in 0..TURNS {
        let [ours, theirs] = &mut all;
        ours.push(runtime().block_on(manywire(server.port)));
        theirs.push(runtime().block_on(reqwest(server.port)));
    }
    for (who, samples) in ["manywire", "reqwest"].into_iter().zip(&all) {
        report.figures("http-post", who, samples.figures());
    }
}

async fn manywire(port: u16) -> Sample {
    let client = Client::builder(&format!("http://127.0.0.1:{port}"))
        .expect("the url is valid")
        .credentials(Credentials::thing("thing", "key"))
        .connect()
        .await
        .expect("the server answers");
    let channel = client.channel(CHANNEL).expect("the channel is valid");
    let topic = channel.subtopic("load").expect("the subtopic is valid");
    let payload = Payload::new(Bytes::from_static(PAYLOAD)).content_type(ContentType::SENML_JSON);
    topic.publish(payload.clone()).await.expect("the server answers");
    let mut sample = Sample::start(MESSAGES);
    for _ in 0..MESSAGES {
        let start = Instant::now();
        topic
            .publish(payload.clone())
            .await
            .expect("the message is delivered");
        sample.latencies.push(start.elapsed());
    }
    sample.stop();
    sample
}

async fn reqwest(port: u16) -> Sample {
    let client = reqwest::Client::new();
    let url = format!("http://127.0.0.1:{port}/channels/{CHANNEL}/messages/load");
    let post = || {
        let request = client.post(&url).header("authorization", "Thing key");
        request
            .header("content-type", "application/senml+json")
            .body(Bytes::from_static(PAYLOAD))
            .send()
    };
    post().await.expect("the server answers");
    let mut sample = Sample::start(MESSAGES);
    for _ in 0..MESSAGES {
        let start = Instant::now();
        let answer = post().await.expect("the server answers");
        assert_eq!(answer.status(), reqwest::StatusCode::ACCEPTED);
        sample.latencies.push(start.elapsed());
    }
    sample.stop();
    sample
}
