//! Where programs, ports and folders are.

use std::io::{self, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

/// A program by its name, on the PATH or where Debian puts servers. Says so loudly when it is not there.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let servers = ["/usr/sbin", "/usr/lib/rabbitmq/bin"].map(PathBuf::from);
    // First there: /usr/sbin/rabbitmq-server is a wrapper that becomes the user `rabbitmq`.
    let [sbin, rabbitmq] = servers;
    let found = [rabbitmq]
        .into_iter()
        .chain(env::split_paths(&path))
        .chain([sbin])
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file());
    if found.is_none() {
        let text = format!("MISSING: {name} is not installed, so a test has tested nothing\n");
        // Not `eprintln`, which is only seen when a test fails.
        let _ = io::stderr().write_all(text.as_bytes());
    }
    found
}

/// A port of the loopback interface that nobody has at the moment.
///
/// # Errors
/// There is none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A number that no other server of this machine has while this process lives.
pub(crate) fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// An empty folder of one's own.
pub(crate) fn folder(unique: &str) -> io::Result<PathBuf> {
    let folder = env::temp_dir().join(format!("manywire-peer-{unique}"));
    if folder.exists() {
        // Of a process that had the same number.
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Writes a file of a folder.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, text)?;
    Ok(path)
}
