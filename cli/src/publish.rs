//! `manywire pub`: one message, and its receipt.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use manywire::{ContentType, Payload, QoS};
use tokio::io::AsyncReadExt as _;

use crate::connection::Connection;
use crate::report::failure;

/// Publish one message; exits with 0 when its guarantee is reached.
#[derive(Args)]
pub(crate) struct PublishArgs {
    #[command(flatten)]
    connection: Connection,
    /// The subtopic, such as bedroom/temperature.
    #[arg(long, default_value = "")]
    subtopic: String,
    #[command(flatten)]
    source: Source,
    /// At most once (0), at least once (1) or exactly once (2); the best the wire can do, up to 1, if not given.
    #[arg(long, value_parser = parse_qos)]
    qos: Option<QoS>,
    /// Ask the platform to keep the message for later subscribers (MQTT).
    #[arg(long)]
    retain: bool,
    /// What the message is; guessed from its first byte if not given.
    #[arg(long)]
    content_type: Option<String>,
    /// How long to wait for the guarantee, in seconds.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    timeout: u64,
}

/// Where the message comes from.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// The message.
    #[arg(long, short)]
    message: Option<String>,
    /// The file that holds the message.
    #[arg(long, short)]
    file: Option<PathBuf>,
    /// `-` reads the message from standard input.
    #[arg(value_parser = ["-"])]
    input: Option<String>,
}

pub(crate) async fn run(arguments: PublishArgs) -> ExitCode {
    let bytes = match arguments.source.read().await {
        Ok(bytes) => bytes,
        Err(error) => return failure("cannot read the message", &error),
    };
    let timeout = Duration::from_secs(arguments.timeout);
    match tokio::time::timeout(timeout, publish(arguments, bytes)).await {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => failure("not published", error.as_ref()),
        Err(elapsed) => failure("no receipt", &elapsed),
    }
}

async fn publish(arguments: PublishArgs, bytes: Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {
    let content_type = match arguments.content_type {
        Some(text) => ContentType::new(text),
        None => guess(&bytes),
    };
    let (client, channel) = arguments.connection.open().await?;
    let payload = Payload::new(bytes).content_type(content_type);
    let mut publish = channel
        .subtopic(&arguments.subtopic)?
        .publish(payload)
        .retain(arguments.retain);
    if let Some(qos) = arguments.qos {
        publish = publish.qos(qos);
    }
    let receipt = publish.await?;
    eprintln!("published: {}", receipt.guarantee());
    // The receipt is in hand; what is left is to say goodbye.
    let _ = client.close(Duration::from_secs(1)).await;
    Ok(())
}

impl Source {
    async fn read(&self) -> io::Result<Vec<u8>> {
        if let Some(message) = &self.message {
            return Ok(message.clone().into_bytes());
        }
        if let Some(file) = &self.file {
            return tokio::fs::read(file).await;
        }
        let mut bytes = Vec::new();
        tokio::io::stdin().read_to_end(&mut bytes).await?;
        Ok(bytes)
    }
}

/// SenML is an array: `[` in JSON, major type 4 (0x80 to 0x9f) in CBOR (RFC 8428 §5, §6). The platform takes nothing
/// but these and JSON over HTTP.
fn guess(bytes: &[u8]) -> ContentType {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'[') => ContentType::SENML_JSON,
        Some(0x80..=0x9f) => ContentType::SENML_CBOR,
        _ => ContentType::JSON,
    }
}

/// `0`, `1` or `2`.
pub(crate) fn parse_qos(text: &str) -> Result<QoS, String> {
    text.parse()
        .ok()
        .and_then(QoS::from_level)
        .ok_or_else(|| "0, 1 or 2".to_owned())
}
