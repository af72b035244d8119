use manywire_mqtt_codec::{Delivery, Packet, QoS};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::peer::{Peer, fields, id};
use crate::started::{gateway, soon};

use futures_util::{SinkExt as _, StreamExt as _};

/// Bytes of a WebSocket's binary frames: the test's own, a pump between the socket and a pipe.
fn bytes_of(mut socket: WebSocketStream<TcpStream>, split: usize) -> tokio::io::DuplexStream {
    let (near, mut far) = tokio::io::duplex(1 << 16);
    tokio::spawn(async move {
        let mut buffer = vec![0; 1 << 16];
        loop {
            tokio::select! {
                read = far.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => break,
                    Ok(read) => for part in buffer[..read].chunks(split) {
                        socket.send(Message::Binary(part.to_vec().into())).await.unwrap();
                    },
                },
                frame = socket.next() => match frame {
                    Some(Ok(Message::Binary(bytes))) => far.write_all(&bytes).await.unwrap(),
                    Some(Ok(_)) => {}
                    _ => break,
                },
            }
        }
    });
    near
}

#[tokio::test]
async fn mqtt_runs_inside_a_websocket_with_each_subprotocol_and_any_framing() {
    let gateway = gateway().await;
    let mut over_tcp = Peer::connected(&gateway, "tcp").await;
    over_tcp.subscribe(1, &[("/#", QoS::AtLeastOnce)]).await;
    for (subprotocol, split) in [("mqtt", 1 << 16), ("mqttv3.1", 1), ("x, mqtt", 3)] {
        let stream = TcpStream::connect(gateway.http_address()).await.unwrap();
        let mut request = format!("ws://{}/mqtt", gateway.http_address())
            .into_client_request()
            .unwrap();
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", subprotocol.parse().unwrap());
        let (socket, response) = soon(client_async(request, stream)).await.unwrap();
        let chosen = response.headers()["Sec-WebSocket-Protocol"].to_str().unwrap();
        assert!(subprotocol.ends_with(chosen), "{chosen}");
        let mut peer = Peer::on(bytes_of(socket, split));
        peer.send(Packet::Connect((&fields("inside")).into())).await;
        assert_eq!(peer.receive().await, "CONNACK Success");
        peer.subscribe(1, &[("/back", QoS::AtMostOnce)]).await;
        peer.publish("/there", "hello", Delivery::AtLeastOnce(id(1)))
            .await;
        assert_eq!(peer.receive().await, "PUBACK 1");
        let there = over_tcp.receive().await;
        assert!(there.ends_with("q1 /there `hello`"), "{there}");
        over_tcp
            .puback(there.split(' ').nth(1).unwrap().parse().unwrap())
            .await;
        over_tcp.publish("/back", "hi", Delivery::AtMostOnce).await;
        assert_eq!(peer.receive().await, "PUBLISH q0 /back `hi`");
        let echo = over_tcp.receive().await;
        assert_eq!(echo, "PUBLISH q0 /back `hi`");
    }
}

#[tokio::test]
async fn text_frames_end_the_connection() {
    let gateway = gateway().await;
    let stream = TcpStream::connect(gateway.http_address()).await.unwrap();
    let request = format!("ws://{}/mqtt", gateway.http_address());
    let (mut socket, _) = soon(client_async(request, stream)).await.unwrap();
    socket.send(Message::Text("CONNECT".into())).await.unwrap();
    soon(async { while let Some(Ok(_)) = socket.next().await {} }).await;
}
