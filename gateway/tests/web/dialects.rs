//! The newer generations of the platform: what their clients depend on.

use futures_util::{SinkExt as _, StreamExt as _};
use manywire_gateway::broker::{Inbox, SubscribeOptions};
use manywire_gateway::{Gateway, Running, Thing};
use manywire_mqtt_codec::QoS;
use manywire_topics::{Dialect, FilterBuf, Form};
use reqwest::{Client, RequestBuilder};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::started::{CHANNEL, KEY, OTHER_CHANNEL, PACK, STRANGER_KEY, choose_cryptography, soon};

const DOMAIN: &str = "0ff1ce00-0000-4000-8000-000000000001";

async fn gateway(dialect: Dialect) -> Running {
    choose_cryptography();
    let channel = |id: &str| format!("{DOMAIN}/{id}");
    Gateway::builder()
        .dialect(dialect)
        .thing(Thing::new("thing").uses(&channel(CHANNEL)).unwrap(), KEY)
        .thing(
            Thing::new("stranger").uses(&channel(OTHER_CHANNEL)).unwrap(),
            STRANGER_KEY,
        )
        .start()
        .await
        .unwrap()
}

fn messages(subtopic: &str) -> String {
    format!("/m/{DOMAIN}/c/{CHANNEL}{subtopic}")
}

fn basic(user: &str, key: &str) -> String {
    format!(
        "Basic {}",
        data_encoding::BASE64.encode(format!("{user}:{key}").as_bytes())
    )
}

fn post(gateway: &Running, path: &str, authorization: &str) -> RequestBuilder {
    let request = Client::new().post(format!("{}{path}", gateway.urls().http));
    let request = request
        .header("content-type", "application/senml+json")
        .body(PACK);
    if authorization.is_empty() {
        request
    } else {
        request.header("authorization", authorization)
    }
}

async fn status(request: RequestBuilder) -> u16 {
    soon(request.send()).await.unwrap().status().as_u16()
}

async fn inbox(gateway: &Running, dialect: Dialect, subtopic: &str) -> Inbox {
    let inbox = gateway.hub().inbox();
    let filter = FilterBuf::parse(dialect, Form::Path, &messages(subtopic)).unwrap();
    inbox
        .subscribe(filter, SubscribeOptions::default())
        .await
        .unwrap();
    inbox
}

#[tokio::test]
async fn domains_over_http() {
    let gateway = gateway(Dialect::Domains).await;
    let mut inbox = inbox(&gateway, Dialect::Domains, "/a/b").await;
    let path = messages("/a/b");
    let answer = soon(post(&gateway, &path, &format!("Client {KEY}")).send())
        .await
        .unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (202, &"application/json".parse().unwrap())
    );
    assert_eq!(soon(inbox.receive()).await.unwrap().message.payload, PACK);
    for (authorization, expected) in [
        (KEY.to_owned(), 202),
        (basic("thing", KEY), 202),
        (basic("", KEY), 202),
        (basic("stranger", KEY), 401),
        (format!("Thing {KEY}"), 401),
        ("Client wrong".to_owned(), 401),
        (STRANGER_KEY.to_owned(), 401),
        (String::new(), 401),
    ] {
        assert_eq!(
            status(post(&gateway, &path, &authorization)).await,
            expected,
            "{authorization}"
        );
    }
    for (path, expected) in [
        (messages("/a//b"), 400),
        (messages("/a/*"), 400),
        (format!("/m/{DOMAIN}/c/"), 400),
        (format!("/channels/{CHANNEL}/messages"), 404),
        (format!("/hc/{DOMAIN}"), 200),
    ] {
        assert_eq!(status(post(&gateway, &path, KEY)).await, expected, "{path}");
    }
    assert_eq!(
        status(post(&gateway, &format!("/hc/{DOMAIN}"), "wrong")).await,
        401
    );
    let health = Client::new().get(format!("{}/hc/{DOMAIN}", gateway.urls().http));
    assert_eq!(status(health).await, 405);
}

#[tokio::test]
async fn a_websocket_with_domains_is_binary_and_hears_itself() {
    for dialect in [Dialect::Domains, Dialect::FluxMq] {
        let gateway = gateway(dialect).await;
        let url = format!("{}{}?authorization={KEY}", gateway.urls().ws, messages("/a"));
        let (mut socket, _) = soon(connect_async(url)).await.unwrap();
        socket.send(Message::text(PACK)).await.unwrap();
        assert_eq!(soon(socket.next()).await.unwrap().unwrap(), Message::binary(PACK));
    }
}

#[tokio::test]
async fn fluxmq_over_http() {
    let gateway = gateway(Dialect::FluxMq).await;
    let mut inbox = inbox(&gateway, Dialect::FluxMq, "/a/b").await;
    let path = messages("/a/b?qos=2&retain=false");
    let answer = soon(post(&gateway, &path, &format!("Client {KEY}")).send())
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.text().await.unwrap(), r#"{"status":"ok"}"#);
    assert_eq!(soon(inbox.receive()).await.unwrap().message.qos, QoS::ExactlyOnce);
    for (path, authorization, expected) in [
        (messages("/a"), basic("thing", KEY), 200),
        (messages("/a"), basic(DOMAIN, KEY), 200),
        (messages("/a"), format!("Bearer {KEY}"), 200),
        (messages("/a"), basic("stranger", KEY), 401),
        (messages("/a"), String::new(), 401),
        (messages("/a"), STRANGER_KEY.to_owned(), 403),
        (messages("/a?qos=3"), KEY.to_owned(), 400),
        (messages("/a?retain=maybe"), KEY.to_owned(), 400),
        (messages("/a/%23"), KEY.to_owned(), 400),
        (format!("/m/{DOMAIN}/x"), KEY.to_owned(), 404),
        ("/x".to_owned(), KEY.to_owned(), 404),
    ] {
        assert_eq!(
            status(post(&gateway, &path, &authorization)).await,
            expected,
            "{path} {authorization}"
        );
    }
    let by_header = |user: &str| post(&gateway, &messages("/a"), KEY).header("x-fluxmq-username", user);
    assert_eq!(status(by_header("thing")).await, 200);
    assert_eq!(status(by_header(DOMAIN)).await, 200);
    assert_eq!(status(by_header("stranger")).await, 401);
}

#[tokio::test]
async fn fluxmqs_envelope() {
    let gateway = gateway(Dialect::FluxMq).await;
    let mut inbox = inbox(&gateway, Dialect::FluxMq, "/a/b").await;
    let topic = format!("m/{DOMAIN}/c/{CHANNEL}/a/b");
    let envelope = |topic: &str, payload: &str, qos: u8| {
        serde_json::json!({"topic": topic, "payload": payload, "qos": qos, "retain": false}).to_string()
    };
    let publish = |body: String| status(post(&gateway, "/publish", &format!("Bearer {KEY}")).body(body));
    assert_eq!(publish(envelope(&topic, "aGVsbG8=", 1)).await, 200);
    let received = soon(inbox.receive()).await.unwrap();
    assert_eq!(
        (&received.message.payload[..], received.qos),
        (&b"hello"[..], QoS::AtLeastOnce)
    );
    for (body, expected) in [
        ("no JSON".to_owned(), 400),
        (r#"{"payload":"aGVsbG8="}"#.to_owned(), 400),
        (envelope(&topic, "not base64!", 1), 400),
        (envelope(&topic, "aGVsbG8=", 3), 400),
        (envelope("elsewhere", "aGVsbG8=", 1), 404),
        (
            envelope(&format!("m/{DOMAIN}/c/{OTHER_CHANNEL}"), "aGVsbG8=", 1),
            403,
        ),
    ] {
        assert_eq!(publish(body.clone()).await, expected, "{body}");
    }
    assert!(inbox.try_receive().is_none());
}
