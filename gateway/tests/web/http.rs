//! Publishing over HTTP: every row of docs/compatibility.md.

use manywire_gateway::broker::{Inbox, SubscribeOptions};
use manywire_gateway::{ContentType, Message, Protocol, Running};
use manywire_topics::{Dialect, Filter, Form};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;

use crate::started::{CHANNEL, KEY, OTHER_CHANNEL, PACK, STRANGER_KEY, SUBSCRIBER_KEY};
use crate::started::{gateway, gateway_with, messages, raw, soon};

const SENML: &str = "application/senml+json";

async fn inbox(gateway: &Running, subtopic: &str) -> Inbox {
    let inbox = gateway.hub().inbox();
    let filter = format!("channels/{CHANNEL}/messages{subtopic}");
    let filter = Filter::parse(Dialect::Channels, Form::Path, &filter)
        .unwrap()
        .to_buf();
    inbox
        .subscribe(filter, SubscribeOptions::default())
        .await
        .unwrap();
    inbox
}

async fn received(inbox: &mut Inbox) -> Message {
    let received = soon(inbox.receive()).await.unwrap();
    Message::clone(&received.message)
}

fn post(gateway: &Running, path: &str) -> RequestBuilder {
    Client::new()
        .post(format!("{}{path}", gateway.urls().http))
        .header("content-type", SENML)
        .header("authorization", format!("Thing {KEY}"))
        .body(PACK)
}

/// The status and the `error` of the answer.
async fn outcome(request: RequestBuilder) -> (u16, String) {
    let answer = soon(request.send()).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.bytes().await.unwrap();
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    if status >= 400 {
        assert!(
            json["message"]
                .as_str()
                .unwrap()
                .ends_with("nothing was published"),
            "{json}"
        );
    }
    (status, json["error"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_message_is_accepted_and_comes_out_byte_for_byte() {
    let gateway = gateway().await;
    let mut inbox = inbox(&gateway, "").await;
    let answer = soon(post(&gateway, &messages("")).send()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert!(answer.bytes().await.unwrap().is_empty());
    let message = received(&mut inbox).await;
    assert_eq!(message.payload, PACK);
    assert_eq!(&*message.publisher, "thing");
    assert_eq!(message.protocol, Protocol::Http);
    assert_eq!(message.content_type, Some(ContentType::SenmlJson));
}

#[tokio::test]
async fn every_form_of_the_key_is_taken() {
    let gateway = gateway().await;
    let basic = data_encoding::BASE64.encode(format!("whoever:{KEY}").as_bytes());
    let forms = [
        format!("Thing {KEY}"),
        format!("Client {KEY}"),
        KEY.to_owned(),
        format!("Basic {basic}"),
    ];
    for form in forms {
        let request = Client::new().post(format!("{}{}", gateway.urls().http, messages("")));
        let request = request
            .header("content-type", SENML)
            .header("authorization", &form)
            .body("[]");
        assert_eq!(outcome(request).await, (202, String::new()), "{form}");
    }
    let in_query = format!("{}{}?authorization={KEY}", gateway.urls().http, messages(""));
    let request = Client::new()
        .post(in_query)
        .header("content-type", SENML)
        .body("[]");
    assert_eq!(outcome(request).await, (202, String::new()));
}

#[tokio::test]
async fn the_query_never_becomes_a_part_of_the_topic() {
    let gateway = gateway().await;
    let mut inbox = inbox(&gateway, "/s").await;
    assert_eq!(outcome(post(&gateway, &messages("/s?x=y"))).await.0, 202);
    assert_eq!(received(&mut inbox).await.payload, PACK);
}

#[tokio::test]
async fn every_refusal_says_which_it_is_and_publishes_nothing() {
    let gateway = gateway().await;
    let mut everything = inbox(&gateway, "/%3E").await;
    let mut root = inbox(&gateway, "").await;
    let path = messages("/s");
    let with_key = |key: &str| post(&gateway, &path).header("x", "y").headers(key_header(key));
    let typed = |content_type: &str| {
        let request = Client::new()
            .post(format!("{}{path}", gateway.urls().http))
            .body(PACK);
        let request = request.header("authorization", KEY);
        if content_type.is_empty() {
            request
        } else {
            request.header("content-type", content_type)
        }
    };
    let at = |path: &str| post(&gateway, path);
    let other = format!("/channels/{OTHER_CHANNEL}/messages");
    let rows = [
        (
            Client::new()
                .post(format!("{}{path}", gateway.urls().http))
                .body("x"),
            401,
            "missing credentials",
        ),
        (with_key("Thing wrong"), 401, "wrong credentials"),
        (with_key(&format!("Bearer {KEY}")), 401, "wrong credentials"),
        (with_key(SUBSCRIBER_KEY), 401, "not allowed on the channel"),
        (with_key(STRANGER_KEY), 401, "not allowed on the channel"),
        (at(&other), 401, "not allowed on the channel"),
        (at("/channels/nobody-knows/messages"), 401, "unknown channel"),
        (typed("text/plain"), 415, "unsupported content type"),
        (typed(""), 415, "unsupported content type"),
        (at(&messages("/a*b")), 400, "malformed subtopic"),
        (at(&messages("/*")), 400, "malformed subtopic"),
        (at(&messages("/a/%3E")), 400, "malformed subtopic"),
        (at(&messages("/%zz")), 400, "malformed subtopic"),
        (at("/channels/a b/messages"), 400, "malformed topic"),
        (
            at(&format!("/channels/{CHANNEL}/message")),
            400,
            "malformed topic",
        ),
        (at("/channels/"), 400, "malformed topic"),
        (at(&path).body(""), 400, "empty message"),
        (at("/"), 404, "no such path"),
        (at("/things"), 404, "no such path"),
        (
            at(&path).body(vec![b'x'; (1 << 20) + 1]),
            413,
            "message too large",
        ),
    ];
    for (number, (request, status, error)) in rows.into_iter().enumerate() {
        assert_eq!(outcome(request).await, (status, error.to_owned()), "row {number}");
    }
    assert!(everything.try_receive().is_none() && root.try_receive().is_none());
}

fn key_header(key: &str) -> reqwest::header::HeaderMap {
    std::iter::once((reqwest::header::AUTHORIZATION, key.parse().unwrap())).collect()
}

#[tokio::test]
async fn other_methods_are_refused_before_anything_is_published() {
    let gateway = gateway().await;
    let mut inbox = inbox(&gateway, "").await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let url = format!("{}{}", gateway.urls().http, messages(""));
        let request = Client::new()
            .request(method, url)
            .header("authorization", KEY)
            .body(PACK);
        let answer = soon(request.header("content-type", SENML).send()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.headers()["allow"], "POST");
    }
    assert!(inbox.try_receive().is_none());
}

#[tokio::test]
async fn subtopics_are_read_as_the_platform_reads_them() {
    let gateway = gateway().await;
    let mut inbox = inbox(&gateway, "/a/b").await;
    for subtopic in ["/a/b", "/a.b", "/a///b", "//a/b/", "/a%2Fb", "/a%2Eb"] {
        assert_eq!(
            outcome(post(&gateway, &messages(subtopic))).await.0,
            202,
            "{subtopic}"
        );
        assert_eq!(received(&mut inbox).await.payload, PACK);
    }
    // Published elsewhere: a level more, a level less, another case.
    for subtopic in ["/a", "/a/b/c", "/A/b"] {
        assert_eq!(outcome(post(&gateway, &messages(subtopic))).await.0, 202);
    }
    assert!(inbox.try_receive().is_none());
}

#[tokio::test]
async fn the_prefixes_of_the_reverse_proxy_work() {
    let gateway = gateway().await;
    let mut inbox = inbox(&gateway, "").await;
    for prefix in ["/http", "/ws"] {
        assert_eq!(
            outcome(post(&gateway, &format!("{prefix}{}", messages(""))))
                .await
                .0,
            202
        );
        assert_eq!(received(&mut inbox).await.payload, PACK);
    }
}

#[tokio::test]
async fn a_content_type_may_have_parameters_and_any_case() {
    let gateway = gateway().await;
    let mut inbox = inbox(&gateway, "").await;
    let types = [
        "application/json; charset=utf-8",
        "Application/SenML+JSON",
        "application/senml+cbor",
    ];
    for content_type in types {
        let request = Client::new().post(format!("{}{}", gateway.urls().http, messages("")));
        let request = request
            .header("authorization", KEY)
            .header("content-type", content_type)
            .body("[]");
        assert_eq!(outcome(request).await.0, 202, "{content_type}");
    }
    assert_eq!(received(&mut inbox).await.content_type, Some(ContentType::Json));
    assert_eq!(
        received(&mut inbox).await.content_type,
        Some(ContentType::SenmlJson)
    );
    assert_eq!(
        received(&mut inbox).await.content_type,
        Some(ContentType::SenmlCbor)
    );
}

#[tokio::test]
async fn one_connection_carries_many_requests_in_order() {
    let gateway = gateway().await;
    let mut inbox = inbox(&gateway, "").await;
    let path = messages("");
    let one = |body: &str, last: bool| {
        let connection = if last { "close" } else { "keep-alive" };
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {KEY}\r\nContent-Type: {SENML}\r\n\
             Connection: {connection}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let requests: String = (0..10).map(|n| one(&format!("[{n}]"), n == 9)).collect();
    let answers = raw(&gateway, requests).await;
    assert_eq!(answers.matches("HTTP/1.1 202").count(), 10, "{answers}");
    for n in 0..10 {
        assert_eq!(received(&mut inbox).await.payload, format!("[{n}]"));
    }
}

#[tokio::test]
async fn health_and_metrics_are_open_to_everyone() {
    let gateway = gateway().await;
    assert_eq!(outcome(post(&gateway, &messages(""))).await.0, 202);
    let http = gateway.urls().http;
    let health = soon(reqwest::get(format!("{http}/health"))).await.unwrap();
    assert_eq!(health.headers()["content-type"], "application/health+json");
    let health: Value = serde_json::from_slice(&health.bytes().await.unwrap()).unwrap();
    assert_eq!(health["status"], "pass");
    for field in ["version", "commit", "description", "build_time", "instance_id"] {
        assert!(health[field].is_string(), "{field}");
    }
    let metrics = soon(reqwest::get(format!("{http}/metrics")))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        metrics.contains("manywire_messages_received_total{protocol=\"http\"} 1\n"),
        "{metrics}"
    );
    // A subtopic of that name is an ordinary subtopic, not a way around the key.
    assert_eq!(outcome(post(&gateway, &messages("/room/health/x"))).await.0, 202);
    let wrong = post(&gateway, &messages("/health")).headers(key_header("wrong"));
    assert_eq!(outcome(wrong).await.0, 401);
}

#[tokio::test]
async fn the_limit_of_the_body_holds_without_a_content_length_too() {
    let gateway = gateway_with(|limits| limits.payload = 8).await;
    let chunked = |body: &str| {
        format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: {KEY}\r\nContent-Type: {SENML}\r\n\
             Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            messages(""),
            body.len()
        )
    };
    assert!(
        raw(&gateway, chunked("12345678"))
            .await
            .starts_with("HTTP/1.1 202")
    );
    assert!(
        raw(&gateway, chunked("123456789"))
            .await
            .starts_with("HTTP/1.1 413")
    );
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_is_told_to_go_on() {
    let gateway = gateway().await;
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: {KEY}\r\nContent-Type: {SENML}\r\n\
         Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n[]",
        messages("")
    );
    let answer = raw(&gateway, request).await;
    assert!(answer.starts_with("HTTP/1.1 100"), "{answer}");
    assert!(answer.contains("HTTP/1.1 202"), "{answer}");
}

#[tokio::test]
async fn who_sends_all_of_a_large_body_before_reading_gets_the_answer() {
    let gateway = gateway().await;
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: {KEY}\r\nContent-Type: {SENML}\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n",
        messages(""),
        16 << 20
    );
    let mut request = head.into_bytes();
    request.resize(request.len() + (16 << 20), b'x');
    assert!(raw(&gateway, request).await.starts_with("HTTP/1.1 413"));
}
