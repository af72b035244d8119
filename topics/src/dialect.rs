/// Which generation of the platform is spoken: it decides the layout of an address and what a subtopic may hold.
///
/// | | [`Channels`](Self::Channels) | [`Domains`](Self::Domains) | [`FluxMq`](Self::FluxMq) |
/// |---|---|---|---|
/// | spoken by | Mainflux, Magistrala to 0.15, SuperMQ 0.16 | SuperMQ 0.17 to 0.19 | Magistrala from 0.20 |
/// | MQTT topic | `channels/<id>/messages[/a/b]` | `m/<domain>/c/<id>[/a/b]` | `m/<domain>/c/<id>[/a/b]` |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Dialect {
    /// `channels/<id>/messages[/<subtopic>]`.
    #[default]
    Channels,
    /// `m/<domain>/c/<channel>[/<subtopic>]`, with `.` and `/` both separating levels.
    Domains,
    /// The layout of [`Domains`](Self::Domains) on the FluxMQ broker, where `.` is an ordinary character.
    FluxMq,
}

impl Dialect {
    /// Whether a channel of this dialect lies in a domain.
    pub const fn has_domains(self) -> bool {
        !matches!(self, Self::Channels)
    }

    pub(crate) const fn is(self, other: Self) -> bool {
        self as u8 == other as u8
    }
}

/// How an address is written down: each protocol has its own separators, wildcards and escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// A URL path, percent-encoded, as HTTP, WebSocket and CoAP carry it. A leading `/` is accepted and not written.
    Path,
    /// An MQTT topic name or topic filter.
    Mqtt,
    /// A NATS subject.
    Nats,
    /// An AMQP routing key or binding key. On [`Dialect::FluxMq`] a routing key is `$queue/` and the MQTT topic,
    /// and a binding key is the MQTT filter.
    Amqp,
}

impl Form {
    /// Every form, for those who want to try them all.
    pub const ALL: [Self; 4] = [Self::Path, Self::Mqtt, Self::Nats, Self::Amqp];

    /// Whether addresses of this form are separated by `.` rather than by `/`.
    pub(crate) const fn is_dotted(self, dialect: Dialect) -> bool {
        match self {
            Self::Path | Self::Mqtt => false,
            Self::Nats => true,
            Self::Amqp => !dialect.is(Dialect::FluxMq),
        }
    }
}
