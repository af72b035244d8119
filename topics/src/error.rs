/// Why an address was refused, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{} (at byte {at})", kind.rule())]
pub struct Error {
    kind: ErrorKind,
    at: u32,
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind, at: usize) -> Self {
        Self {
            kind,
            at: if at > u32::MAX as usize {
                u32::MAX
            } else {
                at as u32
            },
        }
    }

    /// What is wrong.
    pub const fn kind(self) -> ErrorKind {
        self.kind
    }

    /// The byte of the given text at which it is wrong; for an error of printing, of the subtopic.
    pub const fn at(self) -> usize {
        self.at as usize
    }

    /// The rule that is broken, as a sentence.
    pub const fn rule(self) -> &'static str {
        self.kind.rule()
    }

    /// Whether the platform itself would have taken the text, with a meaning that its writer hardly had in mind.
    ///
    /// [`parse_as_platform`](crate::parse_as_platform) says which meaning that is.
    pub const fn is_trap(self) -> bool {
        use ErrorKind as K;
        matches!(
            self.kind,
            K::CutAtQuery
                | K::DotSegment
                | K::DomainWithSlash
                | K::EscapeOnMqtt
                | K::HashIsLiteral
                | K::LeadingSlash
                | K::PercentTwice
                | K::PlusIsSpace
                | K::QuerySwallowed
                | K::RestNotLast
                | K::SpaceTrimmed
        )
    }
}

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Control characters.
    Control,
    /// A trap: `?` on MQTT, where the platform cuts the topic and the MQTT broker does not.
    CutAtQuery,
    /// A trap: `.` or `..` as a URL path segment.
    DotSegment,
    /// A trap: a domain with a `/` in it.
    DomainWithSlash,
    /// A `.` inside a level, which dotted forms cannot carry.
    DotInLevel,
    /// An empty level where the dialect or the form has none.
    EmptyLevel,
    /// A broken percent escape.
    Escape,
    /// A trap: a percent sign on MQTT.
    EscapeOnMqtt,
    /// A wildcard of another protocol.
    ForeignWildcard,
    /// A trap: `#` in a path of [`Dialect::Channels`](crate::Dialect::Channels).
    HashIsLiteral,
    /// `hc/<domain>`, which is not a channel.
    Health,
    /// The channel is missing or has a character that ids do not have.
    Id,
    /// A channel or domain that is neither a UUID nor a route.
    IdOrRoute,
    /// The text does not have the layout of the dialect.
    Layout,
    /// A trap: a leading `/` on MQTT.
    LeadingSlash,
    /// The domain is missing, or given to a dialect without domains.
    Domain,
    /// A wildcard character inside a longer level.
    PartialWildcard,
    /// A trap: a percent sign where the platform decodes twice.
    PercentTwice,
    /// A trap: `+` in a path.
    PlusIsSpace,
    /// A trap: `?` in a path.
    QuerySwallowed,
    /// A trap: `>` or `#` before the end.
    RestNotLast,
    /// `/` inside a level of a dotted form.
    SlashInLevel,
    /// `$share` without a group or without a filter.
    Share,
    /// A space where the dialect or the form has none.
    Space,
    /// A trap: white space at an end of the subtopic.
    SpaceTrimmed,
    /// More bytes than the protocol can carry.
    TooLong,
    /// More than [`MAX_LEVELS`](crate::MAX_LEVELS) levels.
    TooManyLevels,
    /// Escapes that do not make UTF-8.
    Utf8,
    /// A wildcard in a topic.
    Wildcard,
}

impl ErrorKind {
    /// The rule that is broken, as a sentence.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Control => "control characters are not allowed in a topic",
            Self::CutAtQuery => {
                "trap: the platform drops everything from `?` on, MQTT subscribers see it: they would be two topics"
            }
            Self::DotSegment => {
                "trap: URL software removes the path segments `.` and `..`, so the message would go elsewhere"
            }
            Self::DomainWithSlash => {
                "trap: the platform takes everything up to the first `/c/` as the domain, slashes included"
            }
            Self::DotInLevel => "a `.` inside a level separates levels in this form, so it has no place here",
            Self::EmptyLevel => "a level must not be empty here",
            Self::Escape => "`%` must be followed by two hexadecimal digits",
            Self::EscapeOnMqtt => {
                "trap: the platform decodes `%` escapes in MQTT topics, MQTT subscribers do not: they would be two topics"
            }
            Self::ForeignWildcard => "this wildcard belongs to another protocol and is refused here",
            Self::HashIsLiteral => {
                "trap: in a path this platform takes `#` as an ordinary character; the wildcard is `>`"
            }
            Self::Health => "hc/<domain> is the health topic of a domain, not a channel",
            Self::Id => "a channel id is one or more of A-Z a-z 0-9 _ -",
            Self::IdOrRoute => {
                "neither a lower-case UUID nor a route (a letter, then up to 35 of A-Z a-z 0-9 _ -, \
                 without `__` and `--`): the platform could never resolve it"
            }
            Self::Layout => "not an address of this dialect: the prefix or a part is missing",
            Self::LeadingSlash => {
                "trap: a leading `/` makes it another topic for MQTT subscribers, though not for the platform"
            }
            Self::Domain => "this dialect needs a domain, or has none",
            Self::PartialWildcard => "a wildcard must be a whole level",
            Self::PercentTwice => {
                "trap: this platform decodes some paths twice, so a literal `%` does not survive"
            }
            Self::PlusIsSpace => {
                "trap: in a path the platform reads `+` as a space (a lone one may even publish to the channel's root)"
            }
            Self::QuerySwallowed => "trap: this platform takes `?` and what follows as part of the topic",
            Self::RestNotLast => {
                "trap: `>` and `#` must come last; the platform accepts it and its broker refuses it"
            }
            Self::SlashInLevel => "a `/` has no place in a dotted form",
            Self::Share => "a shared subscription is $share/<group>/<filter>",
            Self::Space => "a space is not allowed here",
            Self::SpaceTrimmed => "trap: the platform trims white space at both ends of the subtopic",
            Self::TooLong => "longer than the protocol can carry",
            Self::TooManyLevels => "more than 128 levels",
            Self::Utf8 => "the escapes do not make UTF-8, which the platform's envelope needs",
            Self::Wildcard => "a topic one publishes to must not hold a wildcard",
        }
    }
}
