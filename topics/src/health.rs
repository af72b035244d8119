//! The health topic of a domain.

use core::fmt;

use crate::channel::check_name;
use crate::dialect::{Dialect, Form};
use crate::error::{Error, ErrorKind};
use crate::layout::strip;

/// `hc/<domain>`: what one sends to so as to find out whether the platform answers for a domain. Nobody receives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Health<'a> {
    domain: &'a str,
}

impl<'a> Health<'a> {
    /// The health topic of a domain, given by its id or route.
    pub const fn new(domain: &'a str) -> Result<Self, Error> {
        Self::at(domain, 0)
    }

    /// Reads a health topic. Only the dialects with domains have it, and only as a URL path and in MQTT.
    pub const fn parse(dialect: Dialect, form: Form, text: &'a str) -> Result<Self, Error> {
        if !dialect.has_domains() || !matches!(form, Form::Path | Form::Mqtt) {
            return Err(Error::new(ErrorKind::Layout, 0));
        }
        let rest = match strip(text, "/") {
            Some(_) if matches!(form, Form::Mqtt) && dialect.is(Dialect::FluxMq) => {
                return Err(Error::new(ErrorKind::LeadingSlash, 0));
            }
            Some(rest) => rest,
            None => text,
        };
        match strip(rest, "hc/") {
            Some(domain) => Self::at(domain, text.len() - domain.len()),
            None => Err(Error::new(ErrorKind::Layout, 0)),
        }
    }

    const fn at(domain: &'a str, at: usize) -> Result<Self, Error> {
        match check_name(domain, ErrorKind::Domain, at) {
            Ok(()) => Ok(Self { domain }),
            Err(error) => Err(error),
        }
    }

    /// The id or route of the domain.
    pub const fn domain(&self) -> &'a str {
        self.domain
    }
}

/// Writes it as a path and as an MQTT topic, which are the same.
impl fmt::Display for Health<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "hc/{}", self.domain)
    }
}
