//! Writing addresses, in the form of each protocol.

use core::fmt::{self, Write};

use crate::channel::Channel;
use crate::dialect::{Dialect, Form};
use crate::error::{Error, ErrorKind};
use crate::filter::{Filter, Part, Parts};
use crate::layout::MAX_BYTES;
use crate::level::Level;
use crate::topic::Topic;

/// An address in one form, ready to be written.
#[derive(Clone, Copy)]
pub struct Printed<'a> {
    channel: Channel<'a>,
    parts: Parts<'a>,
    form: Form,
    /// Whether it names what one publishes to.
    topic: bool,
}

impl<'a> Printed<'a> {
    pub(crate) fn topic(topic: Topic<'a>, form: Form) -> Result<Self, Error> {
        let filter = Filter::from(topic);
        Self {
            channel: topic.channel(),
            parts: filter.subtopic(),
            form,
            topic: true,
        }
        .checked()
    }

    pub(crate) fn filter(filter: Filter<'a>, form: Form) -> Result<Self, Error> {
        Self {
            channel: filter.channel(),
            parts: filter.subtopic(),
            form,
            topic: false,
        }
        .checked()
    }

    /// How many bytes it takes.
    pub fn encoded_len(&self) -> usize {
        struct Count(usize);
        impl Write for Count {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0 += text.len();
                Ok(())
            }
        }
        let mut count = Count(0);
        // Counting cannot fail, and neither can writing an address.
        let _ = write!(count, "{self}");
        count.0
    }

    fn checked(self) -> Result<Self, Error> {
        let mut at = 0;
        for part in self.parts {
            if let Part::Level(level) = part {
                let mut only_dots = true;
                for char in level.chars() {
                    if let Some(kind) = self.refusal(char) {
                        return Err(Error::new(kind, at));
                    }
                    only_dots &= char == '.';
                    at += char.len_utf8();
                }
                if only_dots && self.form == Form::Path && (level == "." || level == "..") {
                    return Err(Error::new(ErrorKind::DotSegment, at));
                }
            }
            at += 1;
        }
        let room = if self.form == Form::Amqp { 255 } else { MAX_BYTES };
        let shortest = at + self.channel.id().len() + self.channel.domain_text().len() + 20;
        if shortest > room / 3 && self.encoded_len() > room {
            return Err(Error::new(ErrorKind::TooLong, at));
        }
        Ok(self)
    }

    /// Why a level with this character has no place in this form.
    fn refusal(&self, char: char) -> Option<ErrorKind> {
        let channels = self.channel.dialect() == Dialect::Channels;
        match (self.form, char) {
            (Form::Mqtt, '%') => Some(ErrorKind::EscapeOnMqtt),
            (Form::Mqtt, '?') if channels => Some(ErrorKind::CutAtQuery),
            (Form::Nats, ' ') => Some(ErrorKind::Space),
            (form, '.') if form.is_dotted(self.channel.dialect()) => Some(ErrorKind::DotInLevel),
            _ => None,
        }
    }

    /// Writes one part, and the separator before it.
    fn write_part(&self, out: &mut fmt::Formatter<'_>, part: Part<'_>, separator: &str) -> fmt::Result {
        let flux = self.channel.dialect() == Dialect::FluxMq;
        let wildcard = match (part, self.form) {
            (Part::Level(level), Form::Path) => {
                out.write_str(separator)?;
                return write_segment(out, level);
            }
            (Part::Level(level), _) => return write!(out, "{separator}{level}"),
            (Part::One, Form::Mqtt) => "+",
            (Part::One, Form::Path | Form::Amqp) if flux => "+",
            (Part::One, _) => "*",
            (Part::OneOrMore, Form::Mqtt) => "+/#",
            (Part::OneOrMore, Form::Path) if flux => "+/%23",
            (Part::OneOrMore, Form::Amqp) if flux => "+/#",
            (Part::OneOrMore, Form::Amqp) => "*.#",
            (Part::OneOrMore | Part::ZeroOrMore, Form::Nats) => ">",
            (Part::ZeroOrMore, Form::Path) if flux => "%23",
            (Part::OneOrMore | Part::ZeroOrMore, Form::Path) => "%3E",
            (Part::ZeroOrMore, Form::Mqtt | Form::Amqp) => "#",
        };
        write!(out, "{separator}{wildcard}")
    }
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dialect = self.channel.dialect();
        let dotted = self.form.is_dotted(dialect);
        let (domain, id) = (self.channel.domain_text(), self.channel.id());
        let separator = if dotted { "." } else { "/" };
        if self.topic && self.form == Form::Amqp && dialect == Dialect::FluxMq {
            out.write_str("$queue/")?;
        }
        match (dialect, dotted) {
            (Dialect::Channels, false) => write!(out, "channels/{id}/messages")?,
            (Dialect::Channels, true) => write!(out, "channels.{id}")?,
            (_, false) => write!(out, "m/{domain}/c/{id}")?,
            (_, true) => write!(out, "m.{domain}.c.{id}")?,
        }
        for part in self.parts {
            self.write_part(out, part, separator)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Printed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}({self})", self.form)
    }
}

/// Writes a level as one segment of a URL path: what RFC 3986 §2.3 calls unreserved stays, the rest is escaped, so
/// that path and query unescaping both give the level back.
fn write_segment(out: &mut impl Write, level: Level<'_>) -> fmt::Result {
    let mut run = level.as_str().unwrap_or("");
    if level.as_str().is_some() {
        while let Some(at) = run.bytes().position(|byte| !is_unreserved(byte)) {
            let Some((before, rest)) = run.split_at_checked(at) else {
                break;
            };
            let Some(char) = rest.chars().next() else { break };
            out.write_str(before)?;
            let mut buffer = [0; 4];
            for byte in char.encode_utf8(&mut buffer).bytes() {
                write!(out, "%{byte:02X}")?;
            }
            run = rest.get(char.len_utf8()..).unwrap_or("");
        }
        return out.write_str(run);
    }
    for byte in level.bytes() {
        if is_unreserved(byte) {
            out.write_char(byte as char)?
        } else {
            write!(out, "%{byte:02X}")?
        }
    }
    Ok(())
}

pub(crate) fn is_unreserved(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~')
}
