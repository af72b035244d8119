//! mosquitto, where it is installed.

use std::path::Path;
use std::process::Command;

use super::{Server, free_port, started};

/// Starts mosquitto set up as its documentation advises for throughput, or says why not. With a directory, it keeps there what survives.
pub fn mosquitto(directory: Option<&Path>) -> Option<Server> {
    let port = free_port();
    let temporary = std::env::temp_dir().join(format!("manywire-bench-{}", std::process::id()));
    let settings_in = directory.unwrap_or(&temporary);
    std::fs::create_dir_all(settings_in).ok()?;
    let persistence = match directory {
        // With a slash at its end, or the last part is taken for the beginning of a name.
        Some(directory) => format!(
            "persistence true\npersistence_location {}/\n",
            directory.display()
        ),
        None => "persistence false\n".to_owned(),
    };
    let settings = settings_in.join("mosquitto.conf");
    let text = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\n{persistence}set_tcp_nodelay true\n\
         max_inflight_messages 1000\nmax_queued_messages 0\nlog_type error\nuser root\n"
    );
    std::fs::write(&settings, text).ok()?;
    let program = ["mosquitto", "/usr/sbin/mosquitto"];
    started("mosquitto", port, &program, |command: &mut Command| {
        command.arg("-c").arg(&settings);
    })
}
