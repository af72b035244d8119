//! What the platform itself makes of an address, traps included.

use core::fmt;

use crate::channel::foreign_byte;
use crate::cursor::{Coding, Cursor};
use crate::dialect::{Dialect, Form};
use crate::error::{Error, ErrorKind};
use crate::layout::{cut, strip};
use crate::level::{Levels, Separators, Syntax};
use crate::print::is_unreserved;

/// What one wants with an address: the platform has a parser for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Sending messages there.
    Publish,
    /// Receiving the messages that come there.
    Subscribe,
}

/// Reads an address as the platform's own parser does, with every meaning it gives by accident.
///
/// The text is what reaches that parser: an MQTT topic, or a URL path still percent-encoded. Use it to find out what a
/// deployed platform does with an address that [`Topic`](crate::Topic) and [`Filter`](crate::Filter) refuse as a trap.
///
/// One thing is refused that the platform's parser takes: escapes that do not make UTF-8, because the envelope that
/// the platform then builds refuses them.
///
/// ```
/// use manywire_topics::{Action, Dialect, parse_as_platform};
///
/// // A message meant for a level called `+` goes to the channel itself.
/// let address = parse_as_platform(Dialect::Domains, Action::Publish, "m/d/c/ch/+")?;
/// assert_eq!(address.subtopic().to_string(), "");
/// // A domain may swallow what follows it.
/// let address = parse_as_platform(Dialect::Domains, Action::Publish, "m/d/x/c/ch")?;
/// assert_eq!(address.domain(), Some("d/x"));
/// # Ok::<(), manywire_topics::Error>(())
/// ```
pub fn parse_as_platform(dialect: Dialect, action: Action, text: &str) -> Result<AsPlatform<'_>, Error> {
    let mut address = match dialect {
        Dialect::Channels => split_channels(text)?,
        _ => split_domains(dialect, text)?,
    };
    let at = text.len() - address.tail_len;
    let subtopic = &mut address.subtopic;
    subtopic.action = action;
    subtopic.swapped = dialect == Dialect::Domains && action == Action::Subscribe;
    let length = subtopic.raw.len();
    let checked = match dialect {
        Dialect::Channels => subtopic.check_elements(),
        _ => subtopic.trim().and_then(|()| subtopic.check(action)),
    };
    checked.map_err(|(kind, left)| Error::new(kind, at + length.saturating_sub(left)))?;
    Ok(address)
}

/// An address as the platform understands it.
#[derive(Debug, Clone, Copy)]
pub struct AsPlatform<'a> {
    domain: &'a str,
    channel: &'a str,
    subtopic: PlatformSubtopic<'a>,
    /// The length of everything from the subtopic on.
    tail_len: usize,
}

impl<'a> AsPlatform<'a> {
    /// The domain, in the dialects that have domains. Nothing is known of its characters.
    pub fn domain(&self) -> Option<&'a str> {
        self.subtopic.dialect.has_domains().then_some(self.domain)
    }

    /// The channel; none for a health topic.
    pub fn channel(&self) -> Option<&'a str> {
        (!self.channel.is_empty()).then_some(self.channel)
    }

    /// The subtopic as the platform keeps it.
    pub fn subtopic(&self) -> PlatformSubtopic<'a> {
        self.subtopic
    }

    /// Where the platform's own services and bridges put a message for this address, or look for one.
    ///
    /// None where they have no such place: a health topic goes nowhere, and there is no NATS on FluxMQ.
    pub fn display(&self, form: Form) -> Option<impl fmt::Display + use<'a>> {
        let flux = self.subtopic.dialect == Dialect::FluxMq;
        let nowhere = match form {
            Form::Nats => flux || self.channel.is_empty(),
            Form::Amqp => self.channel.is_empty(),
            Form::Path | Form::Mqtt => false,
        };
        (!nowhere).then_some(PlatformPrinted { address: *self, form })
    }
}

/// A subtopic as the platform keeps it; `Display` writes it, possibly with empty levels and wildcards.
#[derive(Debug, Clone, Copy)]
pub struct PlatformSubtopic<'a> {
    dialect: Dialect,
    raw: &'a str,
    action: Action,
    /// `+` and `#` are read as `*` and `>` unless they are escaped.
    swapped: bool,
}

/// What is wrong, and how many raw bytes were left when it was met.
type Fault = (ErrorKind, usize);

impl<'a> PlatformSubtopic<'a> {
    fn coding(&self) -> Coding {
        match self.dialect {
            Dialect::FluxMq => Coding::Percent,
            // What is left of `+` after swapping cannot be a space any more.
            Dialect::Domains if self.swapped => Coding::Percent,
            _ => Coding::Query,
        }
    }

    /// The decoded characters with the raw bytes before and after each.
    fn units(&self) -> impl Iterator<Item = Result<(char, usize, usize), Fault>> + use<'a> {
        let (length, swapped) = (self.raw.len(), self.swapped);
        let mut cursor = Cursor::new(self.raw, self.coding());
        core::iter::from_fn(move || {
            let left = cursor.rest.len();
            let unit = match cursor.next() {
                Ok(unit) => unit?,
                Err(kind) => return Some(Err((kind, left))),
            };
            let char = match (unit.char, unit.raw) {
                ('+', b'+') if swapped => '*',
                ('#', b'#') if swapped => '>',
                (char, _) => char,
            };
            Some(Ok((char, length - left, length - cursor.rest.len())))
        })
    }

    /// The characters as the platform keeps them, for dialects with domains.
    fn chars(&self) -> impl Iterator<Item = char> + use<'a> {
        let dots = self.dialect != Dialect::FluxMq;
        let chars = self.units().map_while(|unit| unit.ok());
        chars.map(move |(char, _, _)| if dots && char == '/' { '.' } else { char })
    }

    fn levels(&self) -> Levels<'a> {
        Levels::new(
            self.raw,
            Syntax {
                separators: Separators::Both,
                coding: Coding::Query,
            },
        )
    }

    /// The rules of `channels/<id>/messages`: a longer element holds no wildcard, nothing else is checked.
    fn check_elements(&self) -> Result<(), Fault> {
        for unit in self.units() {
            unit?;
        }
        for level in self.levels() {
            let wild = level.bytes().any(|byte| matches!(byte, b'*' | b'>'));
            if wild && level.bytes().nth(1).is_some() {
                return Err((ErrorKind::PartialWildcard, self.raw.len()));
            }
        }
        Ok(())
    }

    /// Takes one `/` off each end, then white space off both.
    fn trim(&mut self) -> Result<(), Fault> {
        let (mut start, mut end) = (0, self.raw.len());
        for unit in self.units() {
            let (char, from, to) = unit?;
            if from == 0 && char == '/' {
                start = to;
            }
            if to == self.raw.len() && char == '/' {
                end = from.max(start);
            }
        }
        let (mut first, mut last) = (end, start);
        for unit in self.units() {
            let (char, from, to) = unit?;
            if from >= start && to <= end && !char.is_whitespace() {
                first = first.min(from);
                last = to;
            }
        }
        self.raw = self.raw.get(first..last).unwrap_or("");
        Ok(())
    }

    /// The rules of `m/<domain>/c/<channel>`.
    fn check(&self, action: Action) -> Result<(), Fault> {
        let (separator, others, foreign) = match (self.dialect, action) {
            (Dialect::FluxMq, Action::Publish) => ('/', "", "+#*>"),
            (Dialect::FluxMq, Action::Subscribe) => ('/', "+#", "*>"),
            (_, Action::Publish) => ('.', "", "+#*>"),
            (_, Action::Subscribe) => ('.', "*>", "+#"),
        };
        let fault = |kind| Err((kind, self.raw.len()));
        let (mut bytes, mut wild, mut before) = (0, false, None);
        for char in self.chars() {
            match char {
                ' ' => return fault(ErrorKind::Space),
                _ if foreign.contains(char) => return fault(ErrorKind::Wildcard),
                _ if char == separator && before == Some(separator) => return fault(ErrorKind::EmptyLevel),
                _ if char == separator => (bytes, wild) = (0, false),
                _ => {
                    bytes += char.len_utf8();
                    wild |= others.contains(char);
                    if wild && bytes > 1 {
                        return fault(ErrorKind::PartialWildcard);
                    }
                }
            }
            before = Some(char);
        }
        Ok(())
    }
}

impl fmt::Display for PlatformSubtopic<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        if self.dialect != Dialect::Channels {
            return self.chars().try_for_each(|char| out.write_char(char));
        }
        let mut joiner = "";
        for level in self.levels() {
            write!(out, "{joiner}{level}")?;
            joiner = ".";
        }
        Ok(())
    }
}

/// An address in the form that the platform's services write.
struct PlatformPrinted<'a> {
    address: AsPlatform<'a>,
    form: Form,
}

impl fmt::Display for PlatformPrinted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AsPlatform {
            domain,
            channel,
            subtopic,
            ..
        } = self.address;
        let dialect = subtopic.dialect;
        let dotted = self.form.is_dotted(dialect);
        match (dialect, dotted) {
            _ if channel.is_empty() => return write!(out, "hc/{domain}"),
            (Dialect::Channels, false) => write!(out, "channels/{channel}/messages")?,
            (Dialect::Channels, true) => write!(out, "channels.{channel}")?,
            (Dialect::FluxMq, _) if self.form == Form::Amqp => write!(out, "$queue/m/{domain}/c/{channel}")?,
            (_, false) => write!(out, "m/{domain}/c/{channel}")?,
            (_, true) => write!(out, "m.{domain}.c.{channel}")?,
        }
        let mut separate = !subtopic.raw.is_empty();
        if dialect == Dialect::Channels {
            separate &= subtopic.levels().next().is_some();
        }
        if separate {
            out.write_str(if dotted { "." } else { "/" })?;
        }
        fmt::write(
            &mut Bridge {
                out,
                dialect,
                form: self.form,
                action: subtopic.action,
            },
            format_args!("{subtopic}"),
        )
    }
}

/// Turns the platform's subtopic into the characters of a form.
struct Bridge<'f, 'o> {
    out: &'f mut fmt::Formatter<'o>,
    dialect: Dialect,
    form: Form,
    action: Action,
}

impl fmt::Write for Bridge<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let dots = self.dialect != Dialect::FluxMq;
        let rabbit = dots && self.form == Form::Amqp;
        let wild = dots && self.form == Form::Mqtt && self.action == Action::Subscribe;
        for char in text.chars() {
            match (char, self.form) {
                ('.', Form::Path | Form::Mqtt) if dots => self.out.write_char('/')?,
                ('>', _) if rabbit || wild => self.out.write_char('#')?,
                ('*', _) if wild => self.out.write_char('+')?,
                ('/', Form::Path) => self.out.write_char('/')?,
                (_, Form::Path) => {
                    let mut buffer = [0; 4];
                    for byte in char.encode_utf8(&mut buffer).bytes() {
                        if is_unreserved(byte) {
                            self.out.write_char(byte.into())?;
                        } else {
                            write!(self.out, "%{byte:02X}")?;
                        }
                    }
                }
                _ => self.out.write_char(char)?,
            }
        }
        Ok(())
    }
}

/// `^/?channels/([\w-]+)/messages(/[^?]*)?(\?.*)?$`.
fn split_channels(text: &str) -> Result<AsPlatform<'_>, Error> {
    let malformed = Error::new(ErrorKind::Layout, 0);
    let rest = strip(text, "/").unwrap_or(text);
    let (channel, Some(rest)) = cut(strip(rest, "channels/").ok_or(malformed)?, b'/') else {
        return Err(malformed);
    };
    let rest = strip(rest, "messages").ok_or(malformed)?;
    let (raw, query) = cut(rest, b'?');
    let slash = raw.is_empty() || raw.starts_with('/');
    if foreign_byte(channel.as_bytes()).is_some() || !slash || query.is_some_and(|query| query.contains('\n'))
    {
        return Err(malformed);
    }
    let subtopic = PlatformSubtopic {
        dialect: Dialect::Channels,
        raw,
        action: Action::Publish,
        swapped: false,
    };
    Ok(AsPlatform {
        domain: "",
        channel,
        subtopic,
        tail_len: rest.len(),
    })
}

/// `m/<domain>/c/<channel>[/<subtopic>]` or `hc/<domain>`, without a look at the characters of the names.
fn split_domains(dialect: Dialect, text: &str) -> Result<AsPlatform<'_>, Error> {
    let malformed = Error::new(ErrorKind::Layout, 0);
    let subtopic = |raw| PlatformSubtopic {
        dialect,
        raw,
        action: Action::Publish,
        swapped: false,
    };
    let rest = strip(text, "/").unwrap_or(text);
    if rest.len() > 3 && rest.starts_with("hc") {
        // The byte after `hc` is not looked at: it need not be a slash.
        let domain = rest
            .get(3..)
            .filter(|domain| !domain.contains('/'))
            .ok_or(malformed)?;
        return Ok(AsPlatform {
            domain,
            channel: "",
            subtopic: subtopic(""),
            tail_len: 0,
        });
    }
    let rest = strip(rest, "m/").ok_or(malformed)?;
    let (domain, rest) = rest.split_once("/c/").ok_or(malformed)?;
    let (channel, raw) = rest.split_once('/').unwrap_or((rest, ""));
    if domain.is_empty() || channel.is_empty() {
        return Err(malformed);
    }
    Ok(AsPlatform {
        domain,
        channel,
        subtopic: subtopic(raw),
        tail_len: raw.len(),
    })
}
