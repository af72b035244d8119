//! Levels: the parts of a subtopic, read lazily from whatever form it was given in.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use crate::cursor::{Coding, Cursor};
use crate::dialect::Dialect;
use crate::swar;

/// Which characters separate levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Separators {
    Slash,
    Dot,
    Both,
}

/// How a text is cut into levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Syntax {
    pub(crate) separators: Separators,
    pub(crate) coding: Coding,
}

impl Syntax {
    /// How owned texts are written: decoded levels between slashes.
    pub(crate) const CANONICAL: Self = Self {
        separators: Separators::Slash,
        coding: Coding::Plain,
    };

    pub(crate) const fn separates(self, byte: u8) -> bool {
        match self.separators {
            Separators::Slash => byte == b'/',
            Separators::Dot => byte == b'.',
            Separators::Both => byte == b'/' || byte == b'.',
        }
    }
}

/// One level of a subtopic: never empty, never a wildcard.
///
/// Two levels are equal when their decoded text is: `caf%C3%A9` from a path equals `café` from MQTT.
#[derive(Clone, Copy)]
pub struct Level<'a> {
    raw: &'a str,
    coding: Coding,
}

impl<'a> Level<'a> {
    /// The level as text, if it was given without escapes; [`bytes`](Self::bytes) and `Display` always work.
    pub fn as_str(&self) -> Option<&'a str> {
        let escaped = match self.coding {
            Coding::Plain => false,
            Coding::Percent => self.raw.bytes().any(|byte| byte == b'%'),
            Coding::Query => self.raw.bytes().any(|byte| byte == b'%' || byte == b'+'),
        };
        (!escaped).then_some(self.raw)
    }

    /// The level's text in UTF-8, escapes decoded.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + use<'a> {
        let mut cursor = Cursor::new(self.raw, self.coding);
        core::iter::from_fn(move || cursor.byte().ok().flatten())
    }

    /// The level's characters, escapes decoded.
    pub fn chars(&self) -> impl Iterator<Item = char> + use<'a> {
        let mut cursor = Cursor::new(self.raw, self.coding);
        core::iter::from_fn(move || cursor.next().ok().flatten().map(|unit| unit.char))
    }

    /// The raw text, when it can be compared and hashed as it stands.
    pub(crate) fn plain(&self) -> Option<&'a str> {
        self.coding.is_plain().then_some(self.raw)
    }

    pub(crate) fn is_one(&self) -> bool {
        match self.plain() {
            Some(raw) => raw == "*" || raw == "+",
            None => *self == *"*" || *self == *"+",
        }
    }
}

impl PartialEq<str> for Level<'_> {
    fn eq(&self, other: &str) -> bool {
        match self.plain() {
            Some(raw) => raw == other,
            None => self.bytes().eq(other.bytes()),
        }
    }
}

impl PartialEq<&str> for Level<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl PartialEq for Level<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.plain(), other.plain()) {
            (Some(left), Some(right)) => left == right,
            _ => self.bytes().eq(other.bytes()),
        }
    }
}

impl Eq for Level<'_> {}

impl Ord for Level<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.plain(), other.plain()) {
            (Some(left), Some(right)) => left.cmp(right),
            _ => self.bytes().cmp(other.bytes()),
        }
    }
}

impl PartialOrd for Level<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Level<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().for_each(|byte| state.write_u8(byte));
        state.write_u8(0xFF);
    }
}

impl fmt::Display for Level<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        match self.as_str() {
            Some(text) => formatter.write_str(text),
            None => self.chars().try_for_each(|char| formatter.write_char(char)),
        }
    }
}

impl fmt::Debug for Level<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{self}`")
    }
}

/// The levels of a subtopic, one by one; copying it is free.
#[derive(Clone, Copy)]
pub struct Levels<'a> {
    rest: &'a str,
    syntax: Syntax,
}

impl<'a> Levels<'a> {
    pub(crate) const fn new(text: &'a str, syntax: Syntax) -> Self {
        Self { rest: text, syntax }
    }

    /// How many raw bytes are behind the level that was read last.
    #[cfg(feature = "alloc")]
    pub(crate) fn bytes_left(&self) -> usize {
        self.rest.len()
    }

    /// The levels in the last `count` raw bytes.
    #[cfg(feature = "alloc")]
    pub(crate) fn last_bytes(self, count: usize) -> Self {
        let start = self.rest.len().saturating_sub(count);
        Self {
            rest: self.rest.get(start..).unwrap_or(""),
            ..self
        }
    }

    /// Cuts the next level off a text whose separators may be escaped.
    fn next_coded(&mut self) -> Option<Level<'a>> {
        let coding = self.syntax.coding;
        loop {
            let mut cursor = Cursor::new(self.rest, coding);
            let mut end = 0;
            let after = loop {
                match cursor.byte().ok().flatten() {
                    None => break self.rest.len(),
                    Some(byte) if self.syntax.separates(byte) => break self.rest.len() - cursor.rest.len(),
                    Some(_) => end = self.rest.len() - cursor.rest.len(),
                }
            };
            let (raw, _) = self.rest.split_at_checked(end)?;
            let (_, rest) = self.rest.split_at_checked(after)?;
            self.rest = rest;
            if !raw.is_empty() {
                return Some(Level { raw, coding });
            }
            if rest.is_empty() {
                return None;
            }
        }
    }
}

impl<'a> Iterator for Levels<'a> {
    type Item = Level<'a>;

    #[inline]
    fn next(&mut self) -> Option<Level<'a>> {
        if !self.syntax.coding.is_plain() {
            return self.next_coded();
        }
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let bytes = self.rest.as_bytes();
            let end = match self.syntax.separators {
                Separators::Slash => swar::find(bytes, b'/'),
                Separators::Dot => swar::find(bytes, b'.'),
                Separators::Both => bytes.iter().position(|byte| matches!(byte, b'/' | b'.')),
            };
            let (raw, rest) = self.rest.split_at_checked(end.unwrap_or(self.rest.len()))?;
            self.rest = rest.get(1..).unwrap_or("");
            if !raw.is_empty() {
                return Some(Level {
                    raw,
                    coding: Coding::Plain,
                });
            }
        }
    }
}

impl fmt::Debug for Levels<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(*self).finish()
    }
}

/// The subtopic of a topic: its levels, possibly none.
///
/// `Display` writes it as the platform keeps it: levels joined by `.`, or by `/` on [`Dialect::FluxMq`].
/// Equality, order and hash are those of the levels, whatever form they came from.
#[derive(Clone, Copy)]
pub struct Subtopic<'a> {
    pub(crate) text: &'a str,
    pub(crate) syntax: Syntax,
    pub(crate) dialect: Dialect,
}

impl<'a> Subtopic<'a> {
    /// The levels, one by one.
    pub const fn levels(&self) -> Levels<'a> {
        Levels::new(self.text, self.syntax)
    }

    /// Whether there is no level at all: the channel itself.
    pub fn is_empty(&self) -> bool {
        self.levels().next().is_none()
    }

    pub(crate) const fn joiner(dialect: Dialect) -> &'static str {
        if dialect.is(Dialect::FluxMq) { "/" } else { "." }
    }
}

impl PartialEq for Subtopic<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.syntax == other.syntax && self.text == other.text) || self.levels().eq(other.levels())
    }
}

impl Eq for Subtopic<'_> {}

impl Ord for Subtopic<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.levels().cmp(other.levels())
    }
}

impl PartialOrd for Subtopic<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Subtopic<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.levels().for_each(|level| level.hash(state));
        state.write_u8(0xFE);
    }
}

impl fmt::Display for Subtopic<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut joiner = "";
        for level in self.levels() {
            write!(formatter, "{joiner}{level}")?;
            joiner = Self::joiner(self.dialect);
        }
        Ok(())
    }
}

impl fmt::Debug for Subtopic<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.levels(), formatter)
    }
}
