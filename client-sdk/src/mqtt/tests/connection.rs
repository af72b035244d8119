//! Greeting, keep-alive and goodbye.

use super::*;

#[test]
fn r15_a_half_open_connection_is_found_within_one_interval_and_a_ping_timeout() {
    let mut bench = Bench::connected();
    let start = bench.now;
    let mut lost = None;
    for second in 1..=50 {
        bench.now = start + second * SECOND;
        // The device sends all the time and hears nothing.
        bench.publish(u64::from(second), QoS::AtMostOnce);
        if let Err(error) = bench.session.handle_timeout(bench.now) {
            lost = Some((second, error.kind()));
            break;
        }
        bench.sent();
    }
    assert_eq!(lost, Some((40, TransportErrorKind::TimedOut)));
}

#[test]
fn refused_credentials_and_a_broken_server_are_told_apart() {
    for (code, kind) in [
        (
            ReasonCode::BadUserNameOrPassword,
            TransportErrorKind::Refused(RefusalKind::Credentials),
        ),
        (
            ReasonCode::NotAuthorized,
            TransportErrorKind::Refused(RefusalKind::Credentials),
        ),
        (
            ReasonCode::ServerUnavailable,
            TransportErrorKind::Refused(RefusalKind::Busy),
        ),
        (
            ReasonCode::UnsupportedProtocolVersion,
            TransportErrorKind::Unsupported,
        ),
    ] {
        let mut session = Session::new(Dialect::Channels, 0);
        session
            .handle_connected(&ConnectFields::new(Version::V311, Text::new("c").unwrap()))
            .unwrap();
        let connack = Packet::Connack(Connack {
            reason: code,
            ..Connack::default()
        });
        assert_eq!(
            session
                .handle_packet(&connack, Instant::now())
                .unwrap_err()
                .kind(),
            kind
        );
    }
    let mut bench = Bench::connected();
    let second = Packet::Connack(Connack::default());
    let error = bench.session.handle_packet(&second, bench.now).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Protocol);
    let early = Session::new(Dialect::Channels, 0).handle_packet(&Packet::Pingresp, bench.now);
    assert_eq!(early.unwrap_err().kind(), TransportErrorKind::Protocol);
}

#[test]
fn goodbye_is_said_once() {
    let mut bench = Bench::connected();
    bench.session.handle_close();
    bench.session.handle_close();
    assert_eq!(
        bench.sent(),
        [describe(&Packet::Disconnect(Disconnect::default()))]
    );
}

#[test]
fn a_server_that_says_goodbye_says_why() {
    let (mut bench, _) = Bench::connected_as_5(&[]);
    let packet = Packet::Disconnect(Disconnect::new(ReasonCode::ServerShuttingDown));
    let error = bench.session.handle_packet(&packet, bench.now).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Closed);
    assert!(error.to_string().contains("Server shutting down"), "{error}");
}
