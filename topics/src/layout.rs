//! The layout of an address: where channel and subtopic stand in each dialect and form.

use crate::channel::Channel;
use crate::dialect::{Dialect, Form};
use crate::error::{Error, ErrorKind};
use crate::swar;

/// The most bytes an address may have: those of an MQTT string.
pub(crate) const MAX_BYTES: usize = 65_535;

/// An address cut into its parts: the channel is valid, the subtopic is not read yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address<'a> {
    pub(crate) channel: Channel<'a>,
    pub(crate) subtopic: &'a str,
    pub(crate) subtopic_at: usize,
}

/// Cuts an address into channel and subtopic.
pub(crate) const fn split(dialect: Dialect, form: Form, text: &str) -> Result<Address<'_>, Error> {
    if text.len() > MAX_BYTES {
        return Err(Error::new(ErrorKind::TooLong, MAX_BYTES));
    }
    let mut rest = text;
    if let Some(after) = strip(text, "/") {
        match (form, dialect) {
            (Form::Mqtt, Dialect::Channels | Dialect::FluxMq) => {
                return Err(Error::new(ErrorKind::LeadingSlash, 0));
            }
            (Form::Path, _) | (Form::Mqtt, _) => rest = after,
            _ => return Err(Error::new(ErrorKind::Layout, 0)),
        }
    }
    if matches!(form, Form::Amqp)
        && dialect.is(Dialect::FluxMq)
        && let Some(after) = strip(rest, "$queue/")
    {
        rest = after;
    }
    let dotted = form.is_dotted(dialect);
    match dialect {
        Dialect::Channels if dotted => split_channels_subject(text),
        Dialect::Channels => split_channels(text, rest, form),
        _ => split_domains(dialect, text, rest, if dotted { b'.' } else { b'/' }),
    }
}

/// `channels/<id>/messages[/<subtopic>][?<query>]`.
const fn split_channels<'a>(text: &'a str, rest: &'a str, form: Form) -> Result<Address<'a>, Error> {
    let Some(rest) = strip(rest, "channels/") else {
        return Err(Error::new(ErrorKind::Layout, 0));
    };
    let id_at = text.len() - rest.len();
    let (id, after) = cut(rest, b'/');
    let channel = match Channel::at(Dialect::Channels, "", 0, id, id_at) {
        Ok(channel) => channel,
        Err(error) => return Err(error),
    };
    let messages_at = id_at + id.len();
    let Some(after) = after else {
        return Err(Error::new(ErrorKind::Layout, messages_at));
    };
    let Some(mut rest) = strip(after, "messages") else {
        return Err(Error::new(ErrorKind::Layout, messages_at));
    };
    let rest_at = text.len() - rest.len();
    // A query is no part of a path, and this platform's pattern leaves it out too.
    if matches!(form, Form::Path) {
        rest = cut(rest, b'?').0;
    }
    match rest.as_bytes() {
        [] => Ok(Address {
            channel,
            subtopic: "",
            subtopic_at: rest_at,
        }),
        [b'/', ..] => match strip(rest, "/") {
            Some(subtopic) => Ok(Address {
                channel,
                subtopic,
                subtopic_at: rest_at + 1,
            }),
            None => Err(Error::new(ErrorKind::Layout, rest_at)),
        },
        [b'?', ..] => Err(Error::new(ErrorKind::CutAtQuery, rest_at)),
        _ => Err(Error::new(ErrorKind::Layout, rest_at)),
    }
}

/// `channels.<id>[.<subtopic>]`.
const fn split_channels_subject(text: &str) -> Result<Address<'_>, Error> {
    let Some(rest) = strip(text, "channels.") else {
        return Err(Error::new(ErrorKind::Layout, 0));
    };
    let id_at = text.len() - rest.len();
    let (id, after) = cut(rest, b'.');
    match Channel::at(Dialect::Channels, "", 0, id, id_at) {
        Ok(channel) => with_subtopic(channel, after, text.len(), true),
        Err(error) => Err(error),
    }
}

/// `m/<domain>/c/<channel>[/<subtopic>]`, with `.` for `/` in dotted forms.
const fn split_domains<'a>(
    dialect: Dialect,
    text: &'a str,
    rest: &'a str,
    separator: u8,
) -> Result<Address<'a>, Error> {
    if let Some((prefix, _)) = rest.split_at_checked(3)
        && matches!(prefix.as_bytes(), [b'h', b'c', last] if *last == separator)
    {
        return Err(Error::new(ErrorKind::Health, text.len() - rest.len()));
    }
    let Some(after) = skip(rest, b'm', separator) else {
        return Err(Error::new(ErrorKind::Layout, 0));
    };
    let domain_at = text.len() - after.len();
    let (domain, after) = cut(after, separator);
    let Some(after) = after else {
        return Err(Error::new(ErrorKind::Layout, text.len()));
    };
    let c_at = text.len() - after.len();
    let Some(after) = skip(after, b'c', separator) else {
        let kind = if separator == b'/' && has_later_c(after) {
            ErrorKind::DomainWithSlash
        } else {
            ErrorKind::Layout
        };
        return Err(Error::new(kind, c_at));
    };
    let id_at = text.len() - after.len();
    let (id, after) = cut(after, separator);
    if let Some(at) = swar::find(id.as_bytes(), b'?') {
        return Err(Error::new(ErrorKind::QuerySwallowed, id_at + at));
    }
    match Channel::at(dialect, domain, domain_at, id, id_at) {
        Ok(channel) => with_subtopic(channel, after, text.len(), separator == b'.'),
        Err(error) => Err(error),
    }
}

const fn with_subtopic<'a>(
    channel: Channel<'a>,
    after: Option<&'a str>,
    length: usize,
    dotted: bool,
) -> Result<Address<'a>, Error> {
    match after {
        None => Ok(Address {
            channel,
            subtopic: "",
            subtopic_at: length,
        }),
        Some(subtopic) if dotted && subtopic.is_empty() => Err(Error::new(ErrorKind::EmptyLevel, length)),
        Some(subtopic) => Ok(Address {
            channel,
            subtopic,
            subtopic_at: length - subtopic.len(),
        }),
    }
}

/// Whether a `/c/` follows later, so that the platform would take all before it as the domain.
const fn has_later_c(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let [_, tail @ ..] = rest {
        if matches!(rest, [b'/', b'c', b'/', _, ..]) {
            return true;
        }
        rest = tail;
    }
    false
}

/// What follows a prefix.
pub(crate) const fn strip<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let Some((start, rest)) = text.split_at_checked(prefix.len()) else {
        return None;
    };
    let (mut left, mut right) = (start.as_bytes(), prefix.as_bytes());
    while let ([a, left_rest @ ..], [b, right_rest @ ..]) = (left, right) {
        if *a != *b {
            return None;
        }
        (left, right) = (left_rest, right_rest);
    }
    Some(rest)
}

/// What follows a level of this one letter and its separator.
const fn skip(text: &str, letter: u8, separator: u8) -> Option<&str> {
    match text.split_at_checked(2) {
        Some((start, rest)) if matches!(start.as_bytes(), [a, b] if *a == letter && *b == separator) => {
            Some(rest)
        }
        _ => None,
    }
}

/// What stands before and after the first `separator`, an ASCII character.
pub(crate) const fn cut(text: &str, separator: u8) -> (&str, Option<&str>) {
    let Some(at) = swar::find(text.as_bytes(), separator) else {
        return (text, None);
    };
    match text.split_at_checked(at) {
        Some((before, rest)) => match rest.split_at_checked(1) {
            Some((_, after)) => (before, Some(after)),
            None => (before, None),
        },
        None => (text, None),
    }
}
