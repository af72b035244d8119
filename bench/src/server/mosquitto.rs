//! mosquitto, where it is installed.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Server;

/// Starts mosquitto set up as its documentation advises for throughput, or says why not.
pub fn mosquitto() -> Option<Server> {
    let port = free_port();
    let directory = std::env::temp_dir().join(format!("manywire-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).ok()?;
    let settings = directory.join("mosquitto.conf");
    let mut file = std::fs::File::create(&settings).ok()?;
    write!(
        file,
        "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n\
         max_inflight_messages 1000\nmax_queued_messages 0\nlog_type error\n"
    )
    .ok()?;
    let program = ["mosquitto", "/usr/sbin/mosquitto"]
        .into_iter()
        .find_map(|program| {
            let mut command = Command::new(program);
            command
                .arg("-c")
                .arg(&settings)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command.spawn().ok()
        });
    let Some(process) = program else {
        eprintln!("mosquitto is not installed, so its cases are left out");
        return None;
    };
    let server = Server { port, process };
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > deadline {
            eprintln!("mosquitto does not answer, so its cases are left out");
            return None;
        }
        std::thread::yield_now();
    }
    Some(server)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("the listener is bound").port()
}
