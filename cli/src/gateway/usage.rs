//! The lines that a gateway prints at its start, ready to paste.

use std::fmt::Write as _;

use manywire_gateway::Running;
use manywire_topics::Dialect;

/// Who the printed lines speak for.
pub(super) struct Who {
    pub(super) id: String,
    pub(super) key: String,
    /// `<channel>`, or `<domain>/<channel>` in the dialects with domains.
    pub(super) channel: String,
}

impl Who {
    /// Somebody with what is given, and for the rest something that nobody can guess.
    pub(super) fn new(
        id: Option<String>,
        key: Option<String>,
        channel: Option<String>,
        has_domain: bool,
    ) -> Result<Self, getrandom::Error> {
        Ok(Self {
            id: id.map_or_else(random_uuid, Ok)?,
            key: key.map_or_else(random_uuid, Ok)?,
            channel: match channel {
                Some(channel) => channel,
                None if has_domain => format!("{}/{}", random_uuid()?, random_uuid()?),
                None => random_uuid()?,
            },
        })
    }

    /// Somebody of the settings file: only its writer knows their keys.
    pub(super) fn of_the_file() -> Self {
        Self {
            id: "<thing_id>".into(),
            key: "<thing_key>".into(),
            channel: "<channel_id>".into(),
        }
    }

    /// The URLs, and for each wire a line that publishes and one that subscribes.
    pub(super) fn usage(&self, gateway: &Running) -> String {
        let urls = gateway.urls();
        let mut text = String::new();
        let mut wire = |name: &str, url: Option<&String>, lines: &[(&str, String)]| {
            if let Some(url) = url {
                let _ = writeln!(text, "{name:<8} {url}");
                for (what, line) in lines {
                    let _ = writeln!(text, "  {what:<10} {line}");
                }
                text.push('\n');
            }
        };
        let ours = |url: &String| {
            [
                ("publish", self.publish(gateway, url)),
                ("subscribe", self.subscribe(gateway, url)),
            ]
        };
        let [publish, _] = ours(&urls.http);
        wire(
            "http",
            Some(&urls.http),
            &[publish, ("or", self.curl(gateway, &urls.http))],
        );
        if let Some(url) = &urls.mqtt {
            let [publish, subscribe] = ours(url);
            let [mosquitto_pub, mosquitto_sub] = self.mosquitto(gateway, url);
            wire(
                "mqtt",
                Some(url),
                &[publish, ("or", mosquitto_pub), subscribe, ("or", mosquitto_sub)],
            );
        }
        wire(
            "mqtt+ws",
            urls.mqtt_ws.as_ref(),
            &urls.mqtt_ws.as_ref().map(ours).unwrap_or_default(),
        );
        // FluxMQ has no WebSocket of its own, and takes no observers.
        let is_fluxmq = gateway.hub().dialect() == Dialect::FluxMq;
        if !is_fluxmq {
            wire("ws", Some(&urls.ws), &ours(&urls.ws));
        }
        if let Some(url) = &urls.coap {
            let lines = ours(url);
            let lines = if is_fluxmq { lines.get(..1) } else { lines.get(..) };
            wire("coap", Some(url), lines.unwrap_or_default());
        }
        if let Some(url) = &urls.coaps {
            wire("coaps", Some(url), &[("or", self.libcoap(gateway, url))]);
        }
        text.push_str("Ctrl-C stops it.\n");
        text
    }

    fn publish(&self, gateway: &Running, url: &str) -> String {
        let flags = self.flags(gateway, url);
        format!(
            "{} pub {url} {flags} --subtopic bedroom/temperature --message {MESSAGE}",
            command()
        )
    }

    fn subscribe(&self, gateway: &Running, url: &str) -> String {
        let flags = self.flags(gateway, url);
        format!("{} sub {url} {flags} --subtopic 'bedroom/*'", command())
    }

    /// What `pub` and `sub` need beside the URL.
    fn flags(&self, gateway: &Running, url: &str) -> String {
        let Self { id, key, channel } = self;
        let mut flags = format!("--id {id} --key {key}");
        let _ = match self.domain_and_channel(gateway) {
            (Some(domain), channel) => write!(
                flags,
                " --dialect {} --domain {domain} --channel {channel}",
                name(gateway)
            ),
            (None, _) => write!(flags, " --channel {channel}"),
        };
        flags + &trust(url, "--cacert")
    }

    fn curl(&self, gateway: &Running, url: &str) -> String {
        let scheme = if gateway.hub().dialect().has_domains() {
            "Client"
        } else {
            "Thing"
        };
        let topic = self.topic(gateway);
        let trust = trust(url, "--cacert");
        format!(
            "curl -s -S -i{trust} -X POST -H 'Content-Type: application/senml+json' -H 'Authorization: {scheme} {}' \
             {url}/{topic}/bedroom/temperature -d {MESSAGE}",
            self.key
        )
    }

    fn mosquitto(&self, gateway: &Running, url: &str) -> [String; 2] {
        let Self { id, key, .. } = self;
        let (host, port) = gateway
            .mqtt_address()
            .map(|address| (address.ip(), address.port()))
            .unzip();
        let (host, port) = (
            host.map(|host| host.to_string()).unwrap_or_default(),
            port.unwrap_or_default(),
        );
        let (topic, trust) = (self.topic(gateway), trust(url, "--cafile"));
        let tool = |name: &str| format!("{name} -h {host} -p {port}{trust} -u {id} -P {key}");
        [
            format!(
                "{} -t {topic}/bedroom/temperature -m {MESSAGE}",
                tool("mosquitto_pub")
            ),
            format!("{} -t '{topic}/bedroom/+'", tool("mosquitto_sub")),
        ]
    }

    /// libcoap's client, whose own lack of a certificate is no hindrance unless the gateway asks for one.
    fn libcoap(&self, gateway: &Running, url: &str) -> String {
        let (topic, trust) = (self.topic(gateway), trust(url, "-C"));
        format!(
            "coap-client-openssl -m post -t 110{trust} -e {MESSAGE} '{url}/{topic}/bedroom/temperature?auth={}'",
            self.key
        )
    }

    /// The topic of the channel, in the dialect of the gateway.
    fn topic(&self, gateway: &Running) -> String {
        match self.domain_and_channel(gateway) {
            (Some(domain), channel) => format!("m/{domain}/c/{channel}"),
            (None, channel) => format!("channels/{channel}/messages"),
        }
    }

    fn domain_and_channel(&self, gateway: &Running) -> (Option<&str>, &str) {
        match self.channel.split_once('/') {
            Some((domain, channel)) => (Some(domain), channel),
            None if gateway.hub().dialect().has_domains() => (Some("<domain_id>"), &self.channel),
            None => (None, &self.channel),
        }
    }
}

/// What says whom to trust, where the URL has TLS.
fn trust(url: &str, flag: &str) -> String {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    match scheme {
        "https" | "mqtts" | "mqtt+wss" | "wss" | "coaps" => format!(" {flag} <authority.pem>"),
        _ => String::new(),
    }
}

/// How the dialect is said on the command line.
fn name(gateway: &Running) -> &'static str {
    match gateway.hub().dialect() {
        Dialect::Channels => "channels",
        Dialect::Domains => "domains",
        Dialect::FluxMq => "fluxmq",
    }
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

/// What the printed lines publish.
const MESSAGE: &str = r#"'[{"n":"temperature","u":"Cel","v":21.5}]'"#;
