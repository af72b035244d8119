//! The command as a process, and what it prints.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_manywire");
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that is killed when the test is done with it, and what it has printed.
pub(crate) struct Process {
    pub(crate) child: Child,
    stdout: mpsc::Receiver<String>,
    stderr: mpsc::Receiver<String>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout: ChildStdout = child.stdout.take().unwrap();
        let stderr: ChildStderr = child.stderr.take().unwrap();
        Self {
            child,
            stdout: lines(stdout),
            stderr: lines(stderr),
        }
    }

    /// A line of `shell` as a person would paste it; `exec` keeps the process that is killed the one that runs.
    pub(crate) fn shell(line: &str) -> Self {
        Self::start(Command::new("sh").arg("-c").arg(format!("exec {line}")))
    }

    pub(crate) fn stdout_line(&self) -> String {
        self.stdout
            .recv_timeout(PATIENCE)
            .expect("a line on standard output")
    }

    pub(crate) fn stderr_line_with(&self, text: &str) {
        while !self
            .stderr
            .recv_timeout(PATIENCE)
            .expect("a line on standard error")
            .contains(text)
        {}
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            if sender.send(line.unwrap()).is_err() {
                break;
            }
        }
    });
    receiver
}

pub(crate) fn shell(line: &str) -> Output {
    Command::new("sh").arg("-c").arg(line).output().unwrap()
}

/// A gateway, and the lines it printed: wire, `publish` or `subscribe` or `or`, line to paste.
pub(crate) fn gateway(arguments: &[&str]) -> (Process, Vec<(String, String, String)>) {
    let process = Process::start(Command::new(BINARY).arg("gateway").args(arguments));
    let (mut wire, mut printed) = (String::new(), Vec::new());
    loop {
        let line = process.stdout_line();
        if line.starts_with("Ctrl-C") {
            return (process, printed);
        }
        match line.trim_start().split_once(' ') {
            Some((name, _)) if !line.starts_with(' ') => wire = name.to_owned(),
            Some((what, rest)) => printed.push((wire.clone(), what.to_owned(), rest.trim().to_owned())),
            None => {}
        }
    }
}

/// The line of this wire that does this.
pub(crate) fn line(printed: &[(String, String, String)], wire: &str, what: &str) -> String {
    let found = printed.iter().find(|(on, which, _)| on == wire && which == what);
    found.unwrap_or_else(|| panic!("{wire} {what}")).2.clone()
}
