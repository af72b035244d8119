//! `manywire gateway`, `pub` and `sub` as a person uses them: the lines that the gateway prints are run by a shell.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

const BINARY: &str = env!("CARGO_BIN_EXE_manywire");
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that is killed when the test is done with it, and what it has printed.
struct Process {
    child: Child,
    stdout: mpsc::Receiver<String>,
    stderr: mpsc::Receiver<String>,
}

impl Process {
    fn start(command: &mut Command) -> Self {
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
    fn shell(line: &str) -> Self {
        Self::start(Command::new("sh").arg("-c").arg(format!("exec {line}")))
    }

    fn stdout_line(&self) -> String {
        self.stdout
            .recv_timeout(PATIENCE)
            .expect("a line on standard output")
    }

    fn stderr_line_with(&self, text: &str) {
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

fn shell(line: &str) -> Output {
    Command::new("sh").arg("-c").arg(line).output().unwrap()
}

/// A gateway, and the lines it printed: wire, `publish` or `subscribe` or `or`, line to paste.
fn gateway() -> (Process, Vec<(String, String, String)>) {
    let process = Process::start(Command::new(BINARY).arg("gateway"));
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

#[test]
fn the_lines_a_gateway_prints_work_when_pasted() {
    let (_gateway, printed) = gateway();
    let line = |wire: &str, what: &str| {
        let found = printed.iter().find(|(on, which, _)| on == wire && which == what);
        found.unwrap_or_else(|| panic!("{wire} {what}")).2.clone()
    };
    let receivers = ["mqtt", "mqtt+ws", "ws", "coap"];
    let subscribers = receivers.map(|wire| Process::shell(&format!("{} --json", line(wire, "subscribe"))));
    for subscriber in &subscribers {
        subscriber.stderr_line_with("subscribed");
    }
    for wire in ["http", "mqtt", "mqtt+ws", "ws", "coap"] {
        let output = shell(&line(wire, "publish"));
        assert!(output.status.success(), "{wire}: {output:?}");
        for (subscriber, on) in subscribers.iter().zip(receivers) {
            let received: serde_json::Value = serde_json::from_str(&subscriber.stdout_line()).unwrap();
            assert_eq!(
                received["payload"], r#"[{"n":"temperature","u":"Cel","v":21.5}]"#,
                "{wire} to {on}"
            );
        }
    }
}

#[test]
fn a_message_comes_from_an_argument_a_file_or_standard_input() {
    let (_gateway, printed) = gateway();
    let publish = &printed
        .iter()
        .find(|(wire, what, _)| wire == "mqtt" && what == "publish")
        .unwrap()
        .2;
    let subscribe = &printed
        .iter()
        .find(|(wire, what, _)| wire == "mqtt" && what == "subscribe")
        .unwrap()
        .2;
    let publish = publish.split(" --message").next().unwrap();
    let mut subscriber = Process::shell(&format!("{subscribe} --count 3 --qos 2"));
    subscriber.stderr_line_with("subscribed: exactly once");

    let folder = std::env::temp_dir().join(format!("manywire-cli-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("reading.cbor");
    std::fs::write(&file, [0x81, 0xa2, 0x00, 0x61, 0x61, 0x02, 0x01]).unwrap();
    let forms = [
        format!("{publish} --qos 2 --message plain"),
        format!("{publish} --qos 2 --file {}", file.display()),
        format!("printf 'two\\nlines' | {publish} --qos 2 -"),
    ];
    for form in forms {
        let output = shell(&form);
        assert!(output.status.success(), "{form}: {output:?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
    let received: Vec<String> = (0..3).map(|_| subscriber.stdout_line()).collect();
    let payloads: Vec<&str> = received
        .iter()
        .map(|line| line.split_once(' ').unwrap().1)
        .collect();
    assert_eq!(payloads, ["plain", "0x81a20061610201", "two\\nlines"]);
    assert!(
        received
            .iter()
            .all(|line| line.contains("/messages/bedroom/temperature ")),
        "{received:?}"
    );
    assert!(subscriber.child.wait().unwrap().success(), "--count ends it");
}

#[test]
fn what_is_wrong_is_said_and_the_exit_status_is_1() {
    let (_gateway, printed) = gateway();
    for wire in ["http", "mqtt", "mqtt+ws", "ws", "coap"] {
        let publish = &printed
            .iter()
            .find(|(on, what, _)| on == wire && what == "publish")
            .unwrap()
            .2;
        let key = publish.split("--key ").nth(1).unwrap().split(' ').next().unwrap();
        let channel = publish
            .split("--channel ")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap();
        let cases = [
            ("a wrong key", publish.replace(key, "wrong")),
            (
                "a channel one may not use",
                publish.replace(channel, "another-channel"),
            ),
            (
                "a malformed subtopic",
                publish.replace("bedroom/temperature", "'a.b*c.d'"),
            ),
        ];
        for (what, line) in cases {
            let output = shell(&format!("{line} --timeout 10"));
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{what} over {wire}: {said}");
            assert!(
                said.starts_with("manywire: ") && !said.contains(key),
                "{what} over {wire}: {said}"
            );
        }
    }
    let output = shell(&format!(
        "{BINARY} pub gopher://localhost --channel c --message x"
    ));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}
