//! An HTTP/1.1 server that answers every POST 202.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// Accepts for ever.
pub fn serve() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    super::say(listener.local_addr().expect("the listener is bound").port());
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || connection(stream));
    }
}

fn connection(mut stream: TcpStream) {
    stream.set_nodelay(true).ok();
    let mut input = Vec::new();
    let mut buffer = [0; 8 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        input.extend_from_slice(&buffer[..read]);
        while let Some(length) = request_length(&input) {
            input.drain(..length);
            if stream
                .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
                .is_err()
            {
                return;
            }
        }
    }
}

/// The length of the first request, if it is there.
fn request_length(input: &[u8]) -> Option<usize> {
    let head = input.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&input[..head]).ok()?;
    let body = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    let length = head + body.unwrap_or_default();
    (input.len() >= length).then_some(length)
}
