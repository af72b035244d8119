//! WebSocket on a channel: every row of docs/compatibility.md.

use futures_util::{SinkExt as _, StreamExt as _};
use manywire_gateway::Running;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::started::{
    CHANNEL, KEY, OTHER_CHANNEL, PACK, PUBLISHER_KEY, SECOND_KEY, STRANGER_KEY, SUBSCRIBER_KEY,
};
use crate::started::{choose_cryptography, gateway, gateway_with, messages, soon};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A handshake at a path with an `Authorization` header, if any.
fn request(gateway: &Running, path: &str, authorization: &str) -> Request {
    let mut request = format!("{}{path}", gateway.urls().ws)
        .into_client_request()
        .unwrap();
    if !authorization.is_empty() {
        request
            .headers_mut()
            .insert("authorization", authorization.parse().unwrap());
    }
    request
}

async fn open(gateway: &Running, path: &str, authorization: &str) -> Socket {
    soon(connect_async(request(gateway, path, authorization)))
        .await
        .unwrap()
        .0
}

/// The status and the body of a handshake that must fail.
async fn refused(request: Request) -> (u16, String) {
    match soon(connect_async(request)).await {
        Err(Error::Http(answer)) => {
            let body = answer.body().clone().unwrap_or_default();
            (answer.status().as_u16(), String::from_utf8(body).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

async fn next(socket: &mut Socket) -> Message {
    soon(socket.next()).await.unwrap().unwrap()
}

/// The code and the reason of the close frame that must come next.
async fn closed(socket: &mut Socket) -> (u16, String) {
    loop {
        match next(socket).await {
            Message::Close(Some(frame)) => return (frame.code.into(), frame.reason.to_string()),
            Message::Text(_) | Message::Binary(_) | Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_message_reaches_the_other_sockets_but_not_its_own() {
    let gateway = gateway().await;
    let path = messages("");
    let mut own = open(&gateway, &path, KEY).await;
    let mut sibling = open(&gateway, &path, KEY).await;
    let mut other = open(&gateway, &path, SECOND_KEY).await;
    own.send(Message::text(PACK)).await.unwrap();
    assert_eq!(next(&mut sibling).await, Message::text(PACK));
    assert_eq!(next(&mut other).await, Message::text(PACK));
    other.send(Message::text("answer")).await.unwrap();
    assert_eq!(
        next(&mut own).await,
        Message::text("answer"),
        "not its own message"
    );
}

#[tokio::test]
async fn every_way_to_show_the_key_opens_a_socket() {
    let gateway = gateway().await;
    let path = messages("");
    let basic = format!(
        "Basic {}",
        data_encoding::BASE64.encode(format!(":{KEY}").as_bytes())
    );
    for header in [KEY, &format!("Thing {KEY}"), &format!("Client {KEY}"), &basic] {
        let mut socket = open(&gateway, &path, header).await;
        socket.close(None).await.unwrap();
    }
    for query in [
        format!("authorization={KEY}"),
        format!("authorization=Thing%20{KEY}"),
    ] {
        let mut socket = open(&gateway, &format!("{path}?{query}"), "").await;
        socket
            .send(Message::text("still open after a publication"))
            .await
            .unwrap();
        socket.send(Message::Ping("x".into())).await.unwrap();
        assert_eq!(next(&mut socket).await, Message::Pong("x".into()));
    }
}

#[tokio::test]
async fn every_refused_handshake_says_which_it_is() {
    let gateway = gateway().await;
    let path = messages("");
    let other = format!("/channels/{OTHER_CHANNEL}/messages");
    let rows = [
        (request(&gateway, &path, ""), 401, "missing credentials"),
        (request(&gateway, &path, "wrong"), 401, "wrong credentials"),
        (
            request(&gateway, &path, STRANGER_KEY),
            401,
            "not allowed on the channel",
        ),
        (
            request(&gateway, &path, PUBLISHER_KEY),
            401,
            "not allowed on the channel",
        ),
        (request(&gateway, &other, KEY), 401, "not allowed on the channel"),
        (
            request(&gateway, "/channels/nobody-knows/messages", KEY),
            401,
            "unknown channel",
        ),
        (
            request(&gateway, &messages("/a*b"), KEY),
            400,
            "malformed subtopic",
        ),
        (
            request(&gateway, &format!("/channels/{CHANNEL}"), KEY),
            400,
            "malformed topic",
        ),
    ];
    for (number, (request, status, error)) in rows.into_iter().enumerate() {
        let (got, body) = refused(request).await;
        assert_eq!(got, status, "row {number}: {body}");
        assert!(
            body.contains(&format!("\"error\":\"{error}\"")),
            "row {number}: {body}"
        );
    }
}

#[tokio::test]
async fn a_handshake_as_firefox_sends_it_works_and_a_plain_get_does_not() {
    let gateway = gateway().await;
    let mut firefox = request(&gateway, &messages(""), KEY);
    firefox
        .headers_mut()
        .insert("connection", "keep-alive, Upgrade".parse().unwrap());
    soon(connect_async(firefox)).await.unwrap();
    let mut old = request(&gateway, &messages(""), KEY);
    old.headers_mut()
        .insert("sec-websocket-version", "8".parse().unwrap());
    assert_eq!(refused(old).await.0, 426);
    let mut odd = request(&gateway, &messages(""), KEY);
    odd.headers_mut()
        .insert("sec-websocket-key", "short".parse().unwrap());
    assert_eq!(refused(odd).await.0, 400);
    let plain = soon(reqwest::get(format!("{}/mqtt", gateway.urls().http)))
        .await
        .unwrap();
    assert_eq!(plain.status().as_u16(), 426);
    assert_eq!(plain.headers()["upgrade"], "websocket");
}

#[tokio::test]
async fn filters_with_the_wildcards_of_nats_and_of_mqtt_work() {
    let gateway = gateway().await;
    let mut sender = open(&gateway, &messages("/bedroom/temperature"), KEY).await;
    for (subtopic, matches) in [
        ("/bedroom/temperature", true),
        ("/bedroom.temperature", true),
        ("/bedroom/*", true),
        ("/bedroom/+", true),
        ("/bedroom/%2B", true),
        ("/*/temperature", true),
        ("/%3E", true),
        ("/%23", true),
        ("/bedroom/%23", true),
        ("/bedroom", false),
        ("", false),
        ("/bedroom/temperature/*", false),
        ("/kitchen/*", false),
    ] {
        let mut socket = open(&gateway, &messages(subtopic), SECOND_KEY).await;
        sender.send(Message::text("21")).await.unwrap();
        if matches {
            assert_eq!(next(&mut socket).await, Message::text("21"), "{subtopic}");
        } else {
            // The sender's ping is answered after its message has been handed out.
            sender.send(Message::Ping("done".into())).await.unwrap();
            assert_eq!(next(&mut sender).await, Message::Pong("done".into()));
            socket.send(Message::Ping("first".into())).await.unwrap();
            assert_eq!(
                next(&mut socket).await,
                Message::Pong("first".into()),
                "{subtopic}"
            );
        }
    }
}

#[tokio::test]
async fn publishing_on_a_path_with_wildcards_closes_with_a_reason() {
    let gateway = gateway().await;
    let mut socket = open(&gateway, &messages("/bedroom/*"), KEY).await;
    socket.send(Message::text("21")).await.unwrap();
    let (code, reason) = closed(&mut socket).await;
    assert_eq!(code, 1008);
    assert!(reason.contains("wildcards"), "{reason}");
}

#[tokio::test]
async fn publishing_without_the_right_closes_with_a_reason() {
    let gateway = gateway().await;
    let mut socket = open(&gateway, &messages(""), SUBSCRIBER_KEY).await;
    socket.send(Message::text("21")).await.unwrap();
    let (code, reason) = closed(&mut socket).await;
    assert_eq!(code, 1008);
    assert!(reason.contains("may not publish"), "{reason}");
}

#[tokio::test]
async fn bytes_come_out_as_they_went_in() {
    let gateway = gateway().await;
    let path = messages("");
    let mut sender = open(&gateway, &path, KEY).await;
    let mut receiver = open(&gateway, &path, SECOND_KEY).await;
    let cbor: Vec<u8> = vec![
        0x81, 0xa2, 0x00, 0x61, 0x74, 0x02, 0xfb, 0x40, 0x35, 0, 0, 0, 0, 0, 0,
    ];
    for (sent, received) in [
        (Message::text("[]"), Message::text("[]")),
        (Message::binary("[]"), Message::text("[]")),
        (Message::binary(cbor.clone()), Message::binary(cbor)),
        (Message::text(""), Message::text("")),
    ] {
        sender.send(sent).await.unwrap();
        assert_eq!(next(&mut receiver).await, received);
    }
    // What is called CBOR is binary, even where it happens to be UTF-8.
    let called_cbor = format!("{path}?content-type=application/senml+cbor");
    let mut sender = open(&gateway, &called_cbor, KEY).await;
    sender.send(Message::binary(vec![0x01])).await.unwrap();
    assert_eq!(next(&mut receiver).await, Message::binary(vec![0x01]));
}

#[tokio::test]
async fn what_is_too_large_closes_with_a_reason_and_reaches_nobody() {
    let gateway = gateway_with(|limits| limits.payload = 64).await;
    let path = messages("");
    let mut receiver = open(&gateway, &path, SECOND_KEY).await;
    let mut sender = open(&gateway, &path, KEY).await;
    sender.send(Message::text("x".repeat(65))).await.unwrap();
    assert_eq!(closed(&mut sender).await.0, 1009);
    let mut sender = open(&gateway, &path, KEY).await;
    sender.send(Message::text("y".repeat(64))).await.unwrap();
    assert_eq!(next(&mut receiver).await, Message::text("y".repeat(64)));
}

#[tokio::test]
async fn a_stop_says_goodbye() {
    let gateway = gateway().await;
    let mut socket = open(&gateway, &messages(""), KEY).await;
    let goodbye = tokio::spawn(async move { closed(&mut socket).await.0 });
    soon(gateway.stop()).await;
    assert_eq!(soon(goodbye).await.unwrap(), 1001);
}

#[tokio::test]
async fn a_silent_peer_is_pinged_and_a_dead_one_is_dropped() {
    let gateway = gateway_with(|limits| limits.idle_timeout = std::time::Duration::from_millis(50)).await;
    let mut alive = open(&gateway, &messages(""), KEY).await;
    assert!(matches!(next(&mut alive).await, Message::Ping(_)));
    // tungstenite answers; being there still after several more pings shows that the answers count.
    for _ in 0..4 {
        assert!(matches!(next(&mut alive).await, Message::Ping(_)));
    }
    let metrics = gateway.hub().metrics();
    let _dead = open(&gateway, &messages(""), SECOND_KEY).await;
    soon(async {
        while metrics.websocket.connections.value() != 2 {
            tokio::task::yield_now().await;
        }
        // Nobody reads from the dead one, so no ping is answered.
        while metrics.websocket.connections.value() != 1 {
            assert!(matches!(next(&mut alive).await, Message::Ping(_)));
        }
    })
    .await;
}

#[tokio::test]
async fn where_mqtt_is_off_there_is_no_path_for_it() {
    choose_cryptography();
    let gateway = manywire_gateway::Gateway::builder()
        .mqtt(None)
        .start()
        .await
        .unwrap();
    assert_eq!(gateway.urls().mqtt_ws, None);
    assert_eq!(refused(request(&gateway, "/mqtt", "")).await.0, 404);
}
