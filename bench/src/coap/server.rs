//! A server that costs as little as possible: 2.01 in the acknowledgement, from the header and the token it received.

use std::net::{SocketAddr, UdpSocket};

pub fn start() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let address = socket.local_addr().expect("an address");
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
            let token = usize::from(buffer[0] & 15);
            if length < 4 + token {
                continue;
            }
            let answer = if buffer[1] == 0 {
                // A ping.
                buffer[0] = 0x70;
                &buffer[..4]
            } else {
                buffer[0] = 0x60 | token as u8;
                buffer[1] = 0x41;
                &buffer[..4 + token]
            };
            if socket.send_to(answer, peer).is_err() {
                return;
            }
        }
    });
    address
}
