//! A WebSocket server that swallows what it gets.

use std::net::{TcpListener, TcpStream};

use tokio_tungstenite::tungstenite::{Message, accept};

/// Accepts for ever.
pub fn serve() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    super::say(listener.local_addr().expect("the listener is bound").port());
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || connection(stream));
    }
}

/// A text message is answered: it is how a client learns that everything before it has arrived.
fn connection(stream: TcpStream) {
    let Ok(mut socket) = accept(stream) else { return };
    while let Ok(message) = socket.read() {
        if message.is_text() && socket.send(Message::text("seen")).is_err() {
            return;
        }
    }
}
