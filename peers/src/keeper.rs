//! What keeps a server for as long as its process, and not longer.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// A shell that starts the server and waits for the end of its own input, which comes with the end of this process, whatever
/// ends it: statics are never dropped, and a killed process drops nothing.
#[derive(Debug)]
pub(crate) struct Keeper {
    shell: Child,
    input: Option<ChildStdin>,
}

impl Keeper {
    /// Runs `start`, shell commands that set `$pids` to what is to be killed in the end, and waits until the server says `ready`.
    /// The folder is removed in the end.
    pub(crate) fn start(
        folder: &Path,
        start: &str,
        environment: &[(&str, String)],
        ready: &str,
    ) -> io::Result<Self> {
        // The server has the output alone, so that it ends with the server.
        let script = format!(
            "{start}\nexec >/dev/null 2>&1\nread -r word\nkill -9 $pids $(cat pid)\nwait\n[ \"$word\" = keep ] || rm -rf \"$PWD\"\n"
        );
        let mut shell = Command::new("/bin/sh")
            .arg("-c")
            .arg(script)
            .current_dir(folder)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let input = shell.stdin.take();
        let output = shell.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut keeper = Self { shell, input };
        let (said, heard) = mpsc::channel();
        let ready = ready.to_owned();
        // It goes on reading, so that the server is never held up by what it has to say.
        thread::spawn(move || {
            let mut log = String::new();
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if line.contains(&ready) {
                    let _ = said.send(Ok(()));
                    log.clear();
                } else {
                    log.push_str(&line);
                    log.push('\n');
                }
            }
            let _ = said.send(Err(log));
        });
        match heard.recv_timeout(PATIENCE) {
            Ok(Ok(())) => Ok(keeper),
            Ok(Err(log)) => {
                keeper.stop(true)?;
                Err(io::Error::other(format!("the server ended: {log}")))
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the server does not start",
            )),
        }
    }

    /// Kills the server, which has no time to say goodbye, and waits for its end.
    pub(crate) fn stop(&mut self, keep_folder: bool) -> io::Result<()> {
        let Some(mut input) = self.input.take() else {
            return Ok(());
        };
        if keep_folder {
            input.write_all(b"keep\n")?;
        }
        drop(input);
        self.shell.wait().map(|_| ())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.stop(false);
    }
}

/// RabbitMQ takes seven seconds where nothing else runs.
const PATIENCE: Duration = Duration::from_secs(120);
