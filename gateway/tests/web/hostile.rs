//! Clients that break rules, are slow, or want too much: each is refused, and nobody else notices.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use manywire_gateway::Running;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::started::{KEY, gateway, gateway_with, messages, raw, rest, soon};

/// Whether somebody else is still served.
async fn serves_others(gateway: &Running) {
    let others = format!("{}/health", gateway.urls().http);
    assert_eq!(soon(reqwest::get(others)).await.unwrap().status().as_u16(), 200);
}

/// Opens a WebSocket by hand, for frames that no library sends.
async fn raw_socket(gateway: &Running) -> TcpStream {
    let mut stream = TcpStream::connect(gateway.http_address()).await.unwrap();
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: {KEY}\r\n\r\n",
        messages("")
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon(stream.read_u8()).await.unwrap());
    }
    assert!(
        head.starts_with(b"HTTP/1.1 101"),
        "{}",
        String::from_utf8_lossy(&head)
    );
    stream
}

/// The close code in the bytes that come until the end.
async fn close_code(mut stream: TcpStream) -> Option<u16> {
    let mut bytes = Vec::new();
    let _ = soon(stream.read_to_end(&mut bytes)).await;
    let close = bytes.iter().position(|byte| *byte == 0x88)?;
    let code = bytes.get(close + 2..close + 4)?;
    Some(u16::from_be_bytes([code[0], code[1]]))
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let gateway = gateway().await;
    let long_line = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(64 << 10));
    let long_header = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(1 << 20));
    let many_headers = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(1000));
    for (request, status) in [
        ("\0\0\0\0\r\n\r\n", "400"),
        ("POST / HTTP/9.9\r\n\r\n", "400"),
        ("\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400"),
        (
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "400",
        ),
        (&long_line, "4"),
        (&long_header, "431"),
        (&many_headers, "431"),
    ] {
        let answer = raw(&gateway, request).await;
        let line = answer.lines().next().unwrap_or_default();
        assert!(
            line.starts_with(&format!("HTTP/1.1 {status}")) || line.is_empty(),
            "{line}"
        );
        serves_others(&gateway).await;
    }
}

#[tokio::test]
async fn frames_that_break_the_rules_close_with_the_code_for_it() {
    let gateway = gateway().await;
    for (frame, code) in [
        // Not masked; RFC 6455 §5.1.
        (&b"\x81\x01x"[..], 1002),
        // A reserved opcode; §5.2.
        (b"\x83\x80\0\0\0\0", 1002),
        // A reserved bit; §5.2.
        (b"\xc1\x80\0\0\0\0", 1002),
        // A ping in fragments; §5.5.
        (b"\x09\x80\0\0\0\0", 1002),
        // A continuation of nothing; §5.4.
        (b"\x80\x80\0\0\0\0", 1002),
        // Text that is not UTF-8; §8.1.
        (b"\x81\x81\0\0\0\0\xff", 1007),
        // 2^62 bytes announced.
        (b"\x82\xff\x40\0\0\0\0\0\0\0\0\0\0\0", 1009),
    ] {
        let mut stream = raw_socket(&gateway).await;
        stream.write_all(frame).await.unwrap();
        assert_eq!(close_code(stream).await, Some(code), "{frame:x?}");
        serves_others(&gateway).await;
    }
}

#[tokio::test]
async fn an_unfinished_head_and_an_idle_connection_are_closed_in_time() {
    let gateway = gateway_with(|limits| limits.head_timeout = Duration::from_millis(100)).await;
    for unfinished in ["", "POST / HTTP/1.1\r\nX: "] {
        let mut stream = TcpStream::connect(gateway.http_address()).await.unwrap();
        stream.write_all(unfinished.as_bytes()).await.unwrap();
        rest(&mut stream).await;
    }
    serves_others(&gateway).await;
}

#[tokio::test]
async fn an_unfinished_body_is_given_up_in_time() {
    let gateway = gateway_with(|limits| limits.body_timeout = Duration::from_millis(100)).await;
    let answer = raw(
        &gateway,
        format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: {KEY}\r\nContent-Type: application/json\r\n\
             Content-Length: 100\r\n\r\n[1,",
            messages("")
        ),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(gateway.hub().metrics().http.received.value(), 0);
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_there_is_room_again_later() {
    let gateway = gateway_with(|limits| limits.connections = 2).await;
    let mut first = raw_socket(&gateway).await;
    let second = raw_socket(&gateway).await;
    let mut third = TcpStream::connect(gateway.http_address()).await.unwrap();
    assert_eq!(rest(&mut third).await, "");
    assert_eq!(gateway.hub().metrics().refused_connections.value(), 1);
    // A ping is answered: those that are connected do not notice.
    first.write_all(b"\x89\x80\0\0\0\0").await.unwrap();
    assert_eq!(soon(first.read_u16()).await.unwrap(), 0x8a00);
    drop(second);
    soon(async {
        while gateway.hub().metrics().websocket.connections.value() != 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    soon(async {
        let health = format!("{}/health", gateway.urls().http);
        while reqwest::get(&health).await.is_err() {}
    })
    .await;
}

#[tokio::test]
async fn connections_per_second_are_bounded() {
    let gateway = gateway_with(|limits| limits.connections_per_second = 3).await;
    let mut refused = 0;
    for _ in 0..10 {
        let mut stream = TcpStream::connect(gateway.http_address()).await.unwrap();
        let _ = stream
            .write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await;
        refused += u32::from(rest(&mut stream).await.is_empty());
    }
    assert!(refused >= 4, "{refused}");
}

#[tokio::test]
async fn a_subscriber_that_does_not_read_is_told_so_and_stops_nobody() {
    let gateway = gateway_with(|limits| {
        limits.queued_messages = 16;
        limits.write_timeout = Duration::from_millis(200);
    })
    .await;
    let url = format!("{}{}?authorization={KEY}", gateway.urls().ws, messages(""));
    let mut slow = raw_socket(&gateway).await;
    let (mut reader, _) = soon(connect_async(&url)).await.unwrap();
    let (mut sender, _) = soon(connect_async(&url)).await.unwrap();
    let payload = "x".repeat(256 << 10);
    let lost = &gateway.hub().metrics().websocket.lost;
    let mut sent = 0_u32;
    while lost.value() == 0 && gateway.hub().metrics().websocket.connections.value() == 3 {
        soon(sender.send(Message::text(payload.clone()))).await.unwrap();
        assert_eq!(
            soon(reader.next()).await.unwrap().unwrap(),
            Message::text(payload.clone())
        );
        sent += 1;
        assert!(sent < 10_000, "the slow subscriber is never noticed");
    }
    let mut bytes = vec![0; 1 << 16];
    soon(async { while slow.read(&mut bytes).await.is_ok_and(|read| read > 0) {} }).await;
    soon(sender.send(Message::text("after"))).await.unwrap();
    assert_eq!(
        soon(reader.next()).await.unwrap().unwrap(),
        Message::text("after")
    );
}
