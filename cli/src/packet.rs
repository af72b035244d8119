//! `manywire packet`: MQTT packets in hexadecimal, one to a line, as JSON.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use manywire_mqtt_codec::{
    Ack, Connack, Connect, Outcome, Packet, Policy, Properties, Property, Publish, ReasonCodes, Role,
    Subscribe, Version, Will, decode,
};
use serde_json::{Map, Value, json};

/// Decodes MQTT packets: one to a line in hexadecimal on standard input, one JSON object to a line out.
///
/// Blanks, colons, commas and `0x` between the digits are skipped, so that a capture can be pasted.
#[derive(Debug, Args)]
#[command(disable_version_flag = true)]
pub(crate) struct PacketArgs {
    /// The protocol level that packets are decoded by: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0. A CONNECT says it itself.
    #[arg(long, value_parser = level)]
    version: Version,
    /// Who sent the packets; refuses those that this side may not send.
    #[arg(long)]
    from: Option<Side>,
    /// Refuse packets of more than this many bytes, fixed header included.
    #[arg(long, default_value_t = Policy::LARGEST_PACKET)]
    max_packet_size: u32,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Side {
    Client,
    Server,
}

fn level(text: &str) -> Result<Version, String> {
    text.parse()
        .ok()
        .and_then(Version::from_level)
        .ok_or_else(|| String::from("3, 4 or 5 is expected"))
}

/// Reads all of standard input; fails only if it or standard output does.
pub(crate) fn run(args: &PacketArgs) -> ExitCode {
    match convert(args, io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("manywire packet: {error}");
            ExitCode::FAILURE
        }
    }
}

fn convert(args: &PacketArgs, input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut policy = Policy::STRICT.with_max_packet_size(args.max_packet_size);
    policy = match args.from {
        Some(Side::Client) => policy.with_sender(Role::Client),
        Some(Side::Server) => policy.with_sender(Role::Server),
        None => policy,
    };
    for line in input.lines() {
        let object = match bytes(&line?) {
            Ok(bytes) => describe(&bytes, args.version, &policy),
            Err(at) => json!({"ok": false, "kind": "NotHexadecimal", "at": at, "statement": null}),
        };
        writeln!(output, "{object}")?;
        output.flush()?;
    }
    Ok(())
}

/// The bytes of a line, or the position of the first character that is neither a digit nor skipped.
fn bytes(line: &str) -> Result<Vec<u8>, usize> {
    let mut bytes = Vec::with_capacity(line.len() / 2);
    let mut high = None;
    let mut characters = line.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if high.is_none()
            && character == '0'
            && characters
                .next_if(|(_, next)| matches!(next, 'x' | 'X'))
                .is_some()
        {
            continue;
        }
        match (high, character.to_digit(16)) {
            (None, None) if character.is_whitespace() || matches!(character, ':' | ',') => {}
            (_, None) => return Err(at),
            (None, Some(digit)) => high = Some(digit),
            (Some(first), Some(digit)) => {
                bytes.push((first << 4 | digit) as u8);
                high = None;
            }
        }
    }
    match high {
        Some(_) => Err(line.len()),
        None => Ok(bytes),
    }
}

fn describe(bytes: &[u8], version: Version, policy: &Policy) -> Value {
    match decode(bytes, version, policy) {
        Ok(Outcome::Complete((packet, consumed))) => {
            json!({"ok": true, "consumed": consumed, "packet": packet_value(&packet)})
        }
        Ok(Outcome::Need(need)) => json!({"need": need}),
        Err(error) => json!({
            "ok": false,
            "kind": format!("{:?}", error.kind()),
            "at": error.at(),
            "statement": error.statement(),
            "packet": error.packet().map(|packet| packet.name()),
            "reason_code": error.reason_code().byte(),
            "message": error.kind().to_string(),
        }),
    }
}

fn packet_value(packet: &Packet<'_>) -> Value {
    let mut value = match packet {
        Packet::Connect(connect) => connect_value(connect),
        Packet::Connack(Connack {
            session_present,
            reason,
            properties,
        }) => json!({
            "session_present": session_present,
            "reason": reason_value(*reason),
            "properties": properties_value(*properties),
        }),
        Packet::Publish(publish) => publish_value(publish),
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            ack_value(ack)
        }
        Packet::Subscribe(subscribe) => subscribe_value(subscribe),
        Packet::Suback(suback) => json!({
            "packet_id": suback.packet_id.get(),
            "reasons": reasons_value(suback.reasons),
            "properties": properties_value(suback.properties),
        }),
        Packet::Unsubscribe(unsubscribe) => json!({
            "packet_id": unsubscribe.packet_id.get(),
            "filters": unsubscribe.filters.iter().map(|filter| filter.as_str()).collect::<Vec<_>>(),
            "properties": properties_value(unsubscribe.properties),
        }),
        Packet::Unsuback(unsuback) => json!({
            "packet_id": unsuback.packet_id.get(),
            "reasons": reasons_value(unsuback.reasons),
            "properties": properties_value(unsuback.properties),
        }),
        Packet::Pingreq | Packet::Pingresp => json!({}),
        Packet::Disconnect(disconnect) => json!({
            "reason": reason_value(disconnect.reason),
            "properties": properties_value(disconnect.properties),
        }),
        Packet::Auth(auth) => json!({
            "reason": reason_value(auth.reason),
            "properties": properties_value(auth.properties),
        }),
    };
    let mut object = Map::new();
    object.insert(String::from("type"), json!(packet.packet_type().name()));
    object.append(value.as_object_mut().unwrap_or(&mut Map::new()));
    Value::Object(object)
}

fn connect_value(connect: &Connect<'_>) -> Value {
    let fields = connect.fields();
    json!({
        "version": fields.version.level(),
        "clean_start": fields.clean_start,
        "keep_alive": fields.keep_alive,
        "properties": properties_value(fields.properties),
        "client_id": fields.client_id.as_str(),
        "will": fields.will.as_ref().map(will_value),
        "user_name": fields.user_name.map(|user_name| user_name.as_str()),
        "password": fields.password.map(hexadecimal),
    })
}

fn will_value(will: &Will<'_>) -> Value {
    json!({
        "topic": will.topic.as_str(),
        "payload": hexadecimal(will.payload),
        "qos": will.qos.bits(),
        "retain": will.retain,
        "properties": properties_value(will.properties),
    })
}

fn publish_value(publish: &Publish<'_>) -> Value {
    json!({
        "dup": publish.dup,
        "qos": publish.delivery.qos().bits(),
        "retain": publish.retain,
        "topic": publish.topic.as_str(),
        "packet_id": publish.delivery.packet_id().map(|id| id.get()),
        "properties": properties_value(publish.properties),
        "payload": hexadecimal(publish.payload),
        "text": std::str::from_utf8(publish.payload).ok(),
    })
}

fn ack_value(ack: &Ack<'_>) -> Value {
    json!({
        "packet_id": ack.packet_id.get(),
        "reason": reason_value(ack.reason),
        "properties": properties_value(ack.properties),
    })
}

fn subscribe_value(subscribe: &Subscribe<'_>) -> Value {
    let subscriptions = subscribe.subscriptions.iter().map(|subscription| {
        json!({
            "filter": subscription.filter.as_str(),
            "qos": subscription.qos.bits(),
            "no_local": subscription.no_local,
            "retain_as_published": subscription.retain_as_published,
            "retain_handling": subscription.retain_handling as u8,
        })
    });
    json!({
        "packet_id": subscribe.packet_id.get(),
        "properties": properties_value(subscribe.properties),
        "subscriptions": subscriptions.collect::<Vec<_>>(),
    })
}

fn reason_value(reason: manywire_mqtt_codec::ReasonCode) -> Value {
    json!({"code": reason.byte(), "name": reason.name()})
}

fn reasons_value(reasons: ReasonCodes<'_>) -> Value {
    reasons.iter().map(reason_value).collect()
}

/// The properties in the order they were sent.
fn properties_value(properties: Properties<'_>) -> Value {
    let property_value = |property: Property<'_>| {
        let (id, name) = (property.id(), property.name());
        match property {
            Property::UserProperty(key, value) => {
                json!({"id": id, "name": name, "key": key.as_str(), "value": value.as_str()})
            }
            property => json!({"id": id, "name": name, "value": single_value(property)}),
        }
    };
    properties.iter().map(property_value).collect()
}

fn single_value(property: Property<'_>) -> Value {
    match property {
        Property::PayloadFormatIndicator(flag)
        | Property::RequestProblemInformation(flag)
        | Property::RequestResponseInformation(flag)
        | Property::RetainAvailable(flag)
        | Property::WildcardSubscriptionAvailable(flag)
        | Property::SubscriptionIdentifierAvailable(flag)
        | Property::SharedSubscriptionAvailable(flag) => json!(u8::from(flag)),
        Property::MaximumQos(qos) => json!(qos.bits()),
        Property::ServerKeepAlive(value) | Property::TopicAliasMaximum(value) => json!(value),
        Property::ReceiveMaximum(value) | Property::TopicAlias(value) => json!(value),
        Property::MessageExpiryInterval(value)
        | Property::SessionExpiryInterval(value)
        | Property::WillDelayInterval(value) => json!(value),
        Property::MaximumPacketSize(value) | Property::SubscriptionIdentifier(value) => json!(value),
        Property::ContentType(text)
        | Property::AssignedClientIdentifier(text)
        | Property::AuthenticationMethod(text)
        | Property::ResponseInformation(text)
        | Property::ServerReference(text)
        | Property::ReasonString(text) => json!(text.as_str()),
        Property::ResponseTopic(topic) => json!(topic.as_str()),
        Property::CorrelationData(data) | Property::AuthenticationData(data) => json!(hexadecimal(data)),
        Property::UserProperty(_, value) => json!(value.as_str()),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
