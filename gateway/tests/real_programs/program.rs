//! Finding and running a program that may not be installed.

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// No program here needs longer; one that does is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a finished program said.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Outcome {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// The first of these programs that is on the PATH. Says so loudly when none is.
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|candidate| candidate.is_file());
    if found.is_none() {
        missing(&format!("{} is not installed", names.join(" or ")));
    }
    found
}

/// Not `eprintln`, which is only seen when a test fails.
pub(crate) fn missing(what: &str) {
    let text = format!("MISSING: {what}, so a test has tested nothing\n");
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

/// The folder above `node_modules` that holds an npm package. Says so loudly when there is none.
pub(crate) fn npm(package: &str) -> Option<PathBuf> {
    find(&["node"])?;
    let folder = std::env::var_os("MANYWIRE_PEERS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/peers"),
        PathBuf::from,
    );
    if folder.join("node_modules").join(package).is_dir() {
        return folder.canonicalize().ok();
    }
    missing(&format!("npm package {package} is not in {}", folder.display()));
    None
}

/// Runs a program to its end.
pub(crate) async fn run(command: &mut Command) -> Outcome {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, child.output())
        .await
        .unwrap_or_else(|_| panic!("{command:?} did not end"))
        .expect("the program starts");
    Outcome {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A program that goes on while the test does, read line by line.
pub(crate) struct Running {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

/// Starts a program that is spoken with line by line; it is killed when the value is dropped.
pub(crate) fn start(command: &mut Command) -> Running {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let input = child.stdin.take();
    Running { child, input, lines }
}

impl Running {
    /// Writes a line to its standard input.
    pub(crate) async fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("its input is open");
        input
            .write_all(format!("{line}\n").as_bytes())
            .await
            .expect("it listens");
    }

    /// Ends its standard input.
    pub(crate) fn hear_no_more(&mut self) {
        self.input = None;
    }

    /// The next line of its output, without the line break.
    pub(crate) async fn line(&mut self) -> String {
        tokio::time::timeout(PATIENCE, self.lines.next_line())
            .await
            .expect("the program says something")
            .expect("its output can be read")
            .expect("the program has not ended")
    }

    /// Waits until a line contains `text`, and returns that line.
    pub(crate) async fn line_with(&mut self, text: &str) -> String {
        loop {
            let line = self.line().await;
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits for its end and returns its exit code.
    pub(crate) async fn end(&mut self) -> Option<i32> {
        while tokio::time::timeout(PATIENCE, self.lines.next_line())
            .await
            .expect("it ends")
            .unwrap()
            .is_some()
        {}
        tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .expect("the program ends")
            .unwrap()
            .code()
    }
}
