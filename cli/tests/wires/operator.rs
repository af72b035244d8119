//! What an operator tells `manywire gateway`.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::process::{BINARY, Process, gateway, line, shell};

/// Writes an authority's certificate, and one it signs for `name` with its key.
fn certificates(folder: &Path, authority: &str, name: &str) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    // Of the same name as its issuer, it would be self-signed to OpenSSL.
    params.distinguished_name.push(DnType::CommonName, name);
    let certificate = params.signed_by(&key, &issuer).unwrap();
    std::fs::write(folder.join(format!("{authority}.pem")), issuer.pem()).unwrap();
    std::fs::write(folder.join(format!("{authority}-{name}.crt")), certificate.pem()).unwrap();
    std::fs::write(
        folder.join(format!("{authority}-{name}.key")),
        key.serialize_pem(),
    )
    .unwrap();
}

fn refused(arguments: &[&str]) -> String {
    let output: Output = Command::new(BINARY)
        .arg("gateway")
        .args(arguments)
        .output()
        .unwrap();
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The printed line for libcoap's client, where it is installed; it says of an error only on standard output.
fn libcoap_publishes(line: &str, subscribers: &[Process]) {
    if !shell("command -v coap-client-openssl").status.success() {
        // Not `eprintln`, which is only seen when a test fails.
        let missing = b"MISSING: coap-client-openssl is not installed, so its line is not tried\n";
        std::io::stderr().write_all(missing).unwrap();
        return;
    }
    let output = shell(line);
    for subscriber in subscribers {
        let received = subscriber.stdout_line();
        assert!(received.contains("temperature"), "{line}: {output:?}: {received}");
    }
}

#[test]
fn with_a_certificate_the_lines_say_whom_to_trust_and_work() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path(), "servers", "127.0.0.1");
    certificates(folder.path(), "clients", "device");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (path("servers-127.0.0.1.crt"), path("servers-127.0.0.1.key"));
    let tls = [
        "--tls-certificate",
        &certificate,
        "--tls-key",
        &key,
        "--coaps",
        "127.0.0.1:0",
    ];
    let clients = path("clients.pem");
    let mutual = [&tls[..], &["--tls-client-authority", &clients]].concat();
    let mine = format!(
        " --certificate {} --certificate-key {}",
        path("clients-device.crt"),
        path("clients-device.key")
    );

    for (arguments, mine) in [(&tls[..], ""), (&mutual[..], mine.as_str())] {
        let (_gateway, printed) = gateway(arguments);
        let line =
            |wire, what| line(&printed, wire, what).replace("<authority.pem>", &path("servers.pem")) + mine;
        let wires = ["mqtt", "mqtt+ws", "ws"];
        let subscribers = wires.map(|wire| Process::shell(&line(wire, "subscribe")));
        for subscriber in &subscribers {
            subscriber.stderr_line_with("subscribed");
        }
        for wire in ["http", "mqtt", "mqtt+ws", "ws"] {
            let output = shell(&line(wire, "publish"));
            assert!(output.status.success(), "{wire}: {output:?}");
            for (subscriber, on) in subscribers.iter().zip(wires) {
                let received = subscriber.stdout_line();
                assert!(received.contains("temperature"), "{wire} to {on}: {received}");
            }
        }
        if mine.is_empty() {
            libcoap_publishes(&line("coaps", "or"), &subscribers);
        }
        let stranger = line("mqtt", "publish").replace(&path("servers.pem"), &path("clients.pem"));
        assert!(!shell(&stranger).status.success(), "another authority is trusted");
    }
}

#[test]
fn a_data_directory_keeps_what_is_retained() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let arguments = [
        "--data",
        data.to_str().unwrap(),
        "--id",
        "thing",
        "--key",
        "its-key",
        "--channel",
        "channel",
    ];
    {
        let (_gateway, printed) = gateway(&arguments);
        let publish = line(&printed, "mqtt", "publish");
        let output = shell(&format!("{publish} --retain --qos 1"));
        assert!(output.status.success(), "{output:?}");
    }
    // It was killed, and all it had acknowledged is there.
    let (_gateway, printed) = gateway(&arguments);
    let subscriber = Process::shell(&line(&printed, "ws", "subscribe"));
    assert!(subscriber.stdout_line().contains("temperature"));
}

#[test]
fn every_dialect_prints_lines_that_work() {
    for dialect in ["channels", "domains", "fluxmq"] {
        let (_gateway, printed) = gateway(&["--dialect", dialect]);
        let lines = |wanted: &str| -> Vec<String> {
            let lines = printed.iter().filter(|(_, what, _)| what == wanted);
            lines.map(|(_, _, line)| line.clone()).collect()
        };
        let subscribers: Vec<_> = lines("subscribe")
            .iter()
            .map(|line| Process::shell(line))
            .collect();
        for subscriber in &subscribers {
            subscriber.stderr_line_with("subscribed");
        }
        let mut publishers = lines("publish");
        if shell("command -v curl").status.success() {
            publishers.push(line(&printed, "http", "or"));
        } else {
            // Not `eprintln`, which is only seen when a test fails.
            let missing = b"MISSING: curl is not installed, so its line is not tried\n";
            std::io::stderr().write_all(missing).unwrap();
        }
        for line in publishers {
            let output = shell(&line);
            assert!(output.status.success(), "{line}: {output:?}");
            for subscriber in &subscribers {
                assert!(subscriber.stdout_line().contains("temperature"), "{line}");
            }
        }
        let expected = if dialect == "fluxmq" { (4, 2) } else { (5, 4) };
        assert_eq!((lines("publish").len(), subscribers.len()), expected, "{dialect}");
    }
}

#[test]
fn a_wire_can_be_off_and_a_limit_be_set_beside_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    let thing = "[[thing]]\nid = 'a'\nkey = 'k'\nchannels = ['c']\n[limits]\npayload = 10";
    std::fs::write(&file, thing).unwrap();
    let arguments = [
        "--config",
        file.to_str().unwrap(),
        "--mqtt",
        "off",
        "--coap",
        "off",
    ];
    let publish = |printed: &[(String, String, String)], message: &str| {
        let line = line(printed, "http", "publish")
            .replace("<thing_id>", "a")
            .replace("<thing_key>", "k");
        let (line, _) = line.split_once(" --message").unwrap();
        let line = line.replace("<channel_id>", "c");
        shell(&format!("{line} --message {message}")).status.success()
    };
    let (_gateway, printed) = gateway(&arguments);
    let wires: Vec<&str> = printed.iter().map(|(wire, _, _)| wire.as_str()).collect();
    assert_eq!(wires, ["http", "http", "ws", "ws"]);
    assert!(publish(&printed, "123456789") && !publish(&printed, "12345678901"));
    let (_gateway, printed) = gateway(&[&arguments[..], &["--max-payload", "11"]].concat());
    assert!(publish(&printed, "12345678901") && !publish(&printed, "123456789012"));
}

#[test]
fn what_does_not_go_together_is_said() {
    assert!(refused(&["--tls-certificate", "a.crt"]).contains("--tls-key"));
    assert!(refused(&["--config", "a.toml", "--key", "k"]).contains("cannot be used with"));
    assert!(refused(&["--mqtt", "1883"]).contains("neither `off` nor an address"));
    let missing = refused(&["--tls-certificate", "missing.crt", "--tls-key", "missing.key"]);
    assert!(missing.contains("cannot read missing.crt"), "{missing}");
}
