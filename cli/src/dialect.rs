//! The generation of the platform, as it is written on the command line.

use clap::ValueEnum;
use manywire_topics::Dialect;

/// A dialect as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DialectName {
    /// `channels/<id>/messages`: Mainflux, Magistrala to 0.15, SuperMQ 0.16.
    Channels,
    /// `m/<domain>/c/<channel>`: SuperMQ 0.17 to 0.19.
    Domains,
    /// The same addresses on FluxMQ: Magistrala from 0.20.
    #[value(name = "fluxmq")]
    FluxMq,
}

impl DialectName {
    /// Whether its channels lie in domains.
    pub(crate) fn has_domains(self) -> bool {
        Dialect::from(self).has_domains()
    }
}

impl From<DialectName> for Dialect {
    fn from(name: DialectName) -> Self {
        match name {
            DialectName::Channels => Self::Channels,
            DialectName::Domains => Self::Domains,
            DialectName::FluxMq => Self::FluxMq,
        }
    }
}
