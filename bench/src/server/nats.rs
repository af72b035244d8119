//! nats-server with its MQTT, where it is installed.

use std::path::Path;
use std::process::Command;

use super::{Server, free_port, started};

/// Starts nats-server as its documentation of MQTT says, with its state in `directory`, or says why not.
pub fn nats(directory: &Path) -> Option<Server> {
    let (port, mqtt) = (free_port(), free_port());
    std::fs::create_dir_all(directory).ok()?;
    let settings = directory.join("nats.conf");
    let text = format!(
        "server_name: bench\nhost: 127.0.0.1\nport: {port}\njetstream {{ store_dir: {:?} }}\nmqtt {{ host: 127.0.0.1, port: {mqtt} }}\n",
        directory.join("jetstream")
    );
    std::fs::write(&settings, text).ok()?;
    let program = ["nats-server", "/usr/sbin/nats-server"];
    started("nats-server", mqtt, &program, |command: &mut Command| {
        command.arg("-c").arg(&settings);
    })
}
