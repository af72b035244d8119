//! `manywire gateway`: the platform's messaging in this process, and how to use it.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use manywire_gateway::{Config, Gateway, Running, Thing};

use crate::dialect::DialectName;
use crate::report::failure;

/// Run the platform's messaging in this process: HTTP, WebSocket, MQTT over WebSocket, MQTT and CoAP.
///
/// Without --config there is one thing and one channel, made up at the start unless they are given.
#[derive(Args)]
pub(crate) struct GatewayArgs {
    /// Settings and things in a TOML file.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Where to listen for HTTP, WebSocket and MQTT over WebSocket; a free port of 127.0.0.1 if not given.
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// Where to listen for MQTT.
    #[arg(long, value_name = "ADDRESS")]
    mqtt: Option<SocketAddr>,
    /// Where to listen for CoAP.
    #[arg(long, value_name = "ADDRESS")]
    coap: Option<SocketAddr>,
    /// The generation of the platform to speak.
    #[arg(long, value_enum)]
    dialect: Option<DialectName>,
    /// The id of the thing.
    #[arg(long, conflicts_with = "config")]
    id: Option<String>,
    /// The key of the thing.
    #[arg(long, conflicts_with = "config", env = "MANYWIRE_KEY", hide_env_values = true)]
    key: Option<String>,
    /// The channel that the thing may use.
    #[arg(long, conflicts_with = "config")]
    channel: Option<String>,
}

/// Who the printed lines speak for.
struct Who {
    id: String,
    key: String,
    channel: String,
}

pub(crate) async fn run(arguments: GatewayArgs) -> ExitCode {
    let (gateway, who) = match start(arguments).await {
        Ok(started) => started,
        Err(error) => return failure("the gateway does not start", error.as_ref()),
    };
    print!("{}", usage(&gateway, &who));
    if let Err(error) = stop_signal().await {
        return failure("cannot wait for a signal", &error);
    }
    gateway.stop().await;
    ExitCode::SUCCESS
}

async fn start(arguments: GatewayArgs) -> Result<(Running, Who), Box<dyn std::error::Error>> {
    let mut builder = Gateway::builder();
    let who = if let Some(path) = &arguments.config {
        builder = builder.config(Config::read(path)?);
        Who {
            id: "<thing_id>".into(),
            key: "<thing_key>".into(),
            channel: "<channel_id>".into(),
        }
    } else {
        let who = Who {
            id: arguments.id.map_or_else(random_uuid, Ok)?,
            key: arguments.key.map_or_else(random_uuid, Ok)?,
            channel: arguments.channel.map_or_else(random_uuid, Ok)?,
        };
        builder = builder.thing(Thing::new(who.id.as_str()).uses(&who.channel)?, who.key.as_str());
        who
    };
    if let Some(dialect) = arguments.dialect {
        builder = builder.dialect(dialect.into());
    }
    if let Some(address) = arguments.http {
        builder = builder.http(address);
    }
    if let Some(address) = arguments.mqtt {
        builder = builder.mqtt(address);
    }
    if let Some(address) = arguments.coap {
        builder = builder.coap(address);
    }
    Ok((builder.start().await?, who))
}

/// The URLs, and for each wire a line that publishes and one that subscribes, ready to paste.
fn usage(gateway: &Running, who: &Who) -> String {
    let (urls, Who { id, key, channel }) = (gateway.urls(), who);
    let me = command();
    let message = r#"'[{"n":"temperature","u":"Cel","v":21.5}]'"#;
    let as_thing = format!("--id {id} --key {key} --channel {channel}");
    let publish =
        |url: &str| format!("{me} pub {url} {as_thing} --subtopic bedroom/temperature --message {message}");
    let subscribe = |url: &str| format!("{me} sub {url} {as_thing} --subtopic 'bedroom/*'");
    let mut text = String::new();
    let mut wire = |name: &str, url: &str, lines: &[(&str, String)]| {
        let _ = writeln!(text, "{name:<8} {url}");
        for (what, line) in lines {
            let _ = writeln!(text, "  {what:<10} {line}");
        }
        text.push('\n');
    };
    let curl = format!(
        "curl -s -S -i -X POST -H 'Content-Type: application/senml+json' -H 'Authorization: Thing {key}' \
         {}/channels/{channel}/messages/bedroom/temperature -d {message}",
        urls.http
    );
    wire(
        "http",
        &urls.http,
        &[("publish", publish(&urls.http)), ("or", curl)],
    );
    if let (Some(url), Some(address)) = (&urls.mqtt, gateway.mqtt_address()) {
        let tool = |name: &str| {
            format!(
                "{name} -h {} -p {} -u {id} -P {key}",
                address.ip(),
                address.port()
            )
        };
        let topic = format!("channels/{channel}/messages/bedroom");
        wire(
            "mqtt",
            url,
            &[
                ("publish", publish(url)),
                (
                    "or",
                    format!("{} -t {topic}/temperature -m {message}", tool("mosquitto_pub")),
                ),
                ("subscribe", subscribe(url)),
                ("or", format!("{} -t '{topic}/+'", tool("mosquitto_sub"))),
            ],
        );
    }
    for (name, url) in [
        ("mqtt+ws", urls.mqtt_ws.as_ref()),
        ("ws", Some(&urls.ws)),
        ("coap", urls.coap.as_ref()),
    ] {
        if let Some(url) = url {
            wire(
                name,
                url,
                &[("publish", publish(url)), ("subscribe", subscribe(url))],
            );
        }
    }
    text.push_str("Ctrl-C stops it.\n");
    text
}

/// How this command was called, so that the printed lines can be pasted.
fn command() -> String {
    let called = std::env::args().next().unwrap_or_else(|| "manywire".to_owned());
    if called.contains(' ') {
        format!("'{called}'")
    } else {
        called
    }
}

/// A random UUID, version 4 (RFC 9562 §5.4): how the platform names things, keys and channels.
fn random_uuid() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    let bits = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let parts =
        [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default().to_owned());
    Ok(parts.join("-"))
}

/// Ctrl-C or, where there is one, SIGTERM.
async fn stop_signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
