//! The lines that a gateway prints, and what `pub` and `sub` say.

use crate::process::{BINARY, Process, gateway, line, shell};

#[test]
fn the_lines_a_gateway_prints_work_when_pasted() {
    let (_gateway, printed) = gateway(&[]);
    let line = |wire: &str, what: &str| line(&printed, wire, what);
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
    let (_gateway, printed) = gateway(&[]);
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
    let (_gateway, printed) = gateway(&[]);
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
