//! The rules of subtopics: one pass over the text that says where it breaks one, or how to read it.
//!
//! Rules of the platform that make two texts one topic are followed; those that make one text two topics are traps,
//! and refused.

use crate::MAX_LEVELS;
use crate::cursor::{Coding, Cursor, Unit};
use crate::dialect::{Dialect, Form};
use crate::error::{Error, ErrorKind};
use crate::level::{Separators, Syntax};
use crate::swar;

/// What is being read: which rules hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) dialect: Dialect,
    /// None for the text a person writes, in which nothing is escaped and every protocol's wildcards are known.
    pub(crate) form: Option<Form>,
    pub(crate) filter: bool,
}

/// How a filter ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Tail {
    /// With its last level.
    Exact,
    /// With `>`: one or more further levels.
    OneOrMore,
    /// With the `#` of MQTT: any number of further levels.
    ZeroOrMore,
}

/// A subtopic that keeps the rules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scanned<'a> {
    /// The levels before the tail.
    pub(crate) body: &'a str,
    pub(crate) syntax: Syntax,
    pub(crate) tail: Tail,
}

/// What one character means.
enum Meaning {
    Separator,
    Ordinary,
    One,
    Rest(Tail),
}

/// Reads `text`, which stands at byte `at` of what the caller was given.
pub(crate) const fn scan<'a>(text: &'a str, rules: Rules, at: usize) -> Result<Scanned<'a>, Error> {
    if let Some(scanned) = scan_ordinary(text, rules) {
        return Ok(scanned);
    }
    let syntax = rules.syntax();
    let mut scan = Scan {
        rules,
        cursor: Cursor::new(text, syntax.coding),
        ..Scan::START
    };
    let length = text.len();
    loop {
        let here = length - scan.cursor.rest.len();
        let done = match scan.cursor.next() {
            Ok(Some(unit)) => scan.take(unit, here),
            Ok(None) => break,
            Err(kind) => Err(kind),
        };
        if let Err(kind) = done {
            return Err(Error::new(kind, at + here));
        }
    }
    if let Err(kind) = scan.finish(length) {
        return Err(Error::new(kind, at + length));
    }
    let (tail, end) = scan.body(length);
    let body = match text.split_at_checked(end) {
        Some((body, _)) => body,
        None => text,
    };
    Ok(Scanned { body, syntax, tail })
}

/// The short way: letters, digits, `_`, `-` and one separator only, which mean the same in every dialect.
const fn scan_ordinary<'a>(text: &'a str, rules: Rules) -> Option<Scanned<'a>> {
    let (separators, separator) = match rules.syntax().separators {
        Separators::Dot => (Separators::Dot, b'.'),
        // Where both separate, this text has none but slashes.
        Separators::Slash | Separators::Both => (Separators::Slash, b'/'),
    };
    // So short a text cannot have too many levels, and so is not counted.
    if text.len() > 2 * MAX_LEVELS - 1 {
        return None;
    }
    let (mut rest, mut before, mut empty) = (text.as_bytes(), 0, false);
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        let (fine, found) = swar::all_of_levels(u64::from_le_bytes(*chunk), separator);
        if !fine {
            return None;
        }
        empty |= found & (found << 8 | before) != 0;
        before = found >> 56;
        rest = tail;
    }
    while let [byte, tail @ ..] = rest {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => before = 0,
            byte if *byte == separator => {
                empty |= before != 0;
                before = 0x80;
            }
            _ => return None,
        }
        rest = tail;
    }
    let dotted = separator == b'.';
    let at_an_end = dotted && (before != 0 || matches!(text.as_bytes(), [b'.', ..]));
    let vanishing = rules.dialect.is(Dialect::Channels) && !dotted;
    if at_an_end || (empty && !vanishing) {
        return None;
    }
    Some(Scanned {
        body: text,
        syntax: Syntax {
            separators,
            coding: Coding::Plain,
        },
        tail: Tail::Exact,
    })
}

impl Rules {
    const fn syntax(self) -> Syntax {
        let dotted = match self.form {
            Some(form) => form.is_dotted(self.dialect),
            None => false,
        };
        let separators = match self.dialect {
            _ if dotted => Separators::Dot,
            Dialect::FluxMq => Separators::Slash,
            _ => Separators::Both,
        };
        let coding = match (self.form, self.dialect) {
            (Some(Form::Path), Dialect::Channels) => Coding::Query,
            (Some(Form::Path), _) => Coding::Percent,
            _ => Coding::Plain,
        };
        Syntax { separators, coding }
    }

    /// What a wildcard character means here, or why it may not stand here.
    const fn wildcard(self, unit: Unit) -> Result<Meaning, ErrorKind> {
        use Form::{Amqp, Mqtt, Nats, Path};
        let flux = self.dialect.is(Dialect::FluxMq);
        let escaped = unit.raw == b'%';
        match (self.form, unit.char) {
            (None, '*' | '+') | (Some(Mqtt), '+') => Ok(Meaning::One),
            (None, '>') => Ok(Meaning::Rest(Tail::OneOrMore)),
            (None, '#') | (Some(Mqtt), '#') => Ok(Meaning::Rest(Tail::ZeroOrMore)),
            (Some(Mqtt | Path), '*') if !flux => Ok(Meaning::One),
            (Some(Mqtt | Path), '>') if !flux => Ok(Meaning::Rest(Tail::OneOrMore)),
            (Some(Nats), '*') => Ok(Meaning::One),
            (Some(Nats), '>') => Ok(Meaning::Rest(Tail::OneOrMore)),
            (Some(Amqp), '*') if !flux => Ok(Meaning::One),
            (Some(Amqp | Path), '+') if flux => Ok(Meaning::One),
            (Some(Amqp), '#') => Ok(Meaning::Rest(Tail::ZeroOrMore)),
            (Some(Path), '#') if flux => Ok(Meaning::Rest(Tail::ZeroOrMore)),
            // The platform turns it into the `>` of NATS, but only when it is not escaped.
            (Some(Path), '#') if self.dialect.is(Dialect::Domains) && !escaped => {
                Ok(Meaning::Rest(Tail::OneOrMore))
            }
            (Some(Path), '+') if self.dialect.is(Dialect::Domains) && !escaped => {
                if self.filter {
                    Ok(Meaning::One)
                } else {
                    Err(ErrorKind::PlusIsSpace)
                }
            }
            (Some(Path), '#') => Err(ErrorKind::HashIsLiteral),
            _ => Err(ErrorKind::ForeignWildcard),
        }
    }

    /// Whether an ordinary character may stand here.
    const fn ordinary(self, unit: Unit) -> Result<Meaning, ErrorKind> {
        let channels = self.dialect.is(Dialect::Channels);
        match (unit.char, self.form) {
            ('\0'..='\x1F' | '\x7F'..='\u{9F}', _) => Err(ErrorKind::Control),
            (' ', Some(Form::Nats)) => Err(ErrorKind::Space),
            (' ', _) if !channels => Err(ErrorKind::Space),
            ('%', Some(Form::Mqtt)) => Err(ErrorKind::EscapeOnMqtt),
            ('%', _) if !channels => Err(ErrorKind::PercentTwice),
            ('?', Some(Form::Mqtt)) if channels => Err(ErrorKind::CutAtQuery),
            ('?', Some(Form::Path)) if unit.raw == b'?' => Err(ErrorKind::QuerySwallowed),
            ('/', _) => Err(ErrorKind::SlashInLevel),
            _ => Ok(Meaning::Ordinary),
        }
    }

    const fn meaning(self, unit: Unit) -> Result<Meaning, ErrorKind> {
        if unit.char.is_ascii() && self.syntax().separates(unit.char as u8) {
            return Ok(Meaning::Separator);
        }
        match unit.char {
            '*' | '>' | '+' | '#' => self.wildcard(unit),
            _ => self.ordinary(unit),
        }
    }
}

/// The state of one pass.
struct Scan<'a> {
    rules: Rules,
    cursor: Cursor<'a>,
    levels: usize,
    /// Characters in the level that is being read.
    chars: usize,
    /// Where that level starts, and where the level before it started.
    start: usize,
    previous: usize,
    /// Whether that level, and the level before it, is a wildcard for one level.
    one: bool,
    previous_one: bool,
    /// Whether that level is a lone `+` that stands for a space.
    plus: bool,
    tail: Tail,
    /// Where the tail's level starts.
    tail_at: usize,
    /// The separator before the level, if there was one.
    before: Option<char>,
    /// Whether the URL path segment that is being read is `.` or `..` so far, and how long it is.
    dots: usize,
    segment: usize,
    /// The last character was white space.
    space: bool,
}

impl Scan<'_> {
    const START: Scan<'static> = Scan {
        rules: Rules {
            dialect: Dialect::Channels,
            form: None,
            filter: false,
        },
        cursor: Cursor::new("", Coding::Plain),
        levels: 0,
        chars: 0,
        start: 0,
        previous: 0,
        one: false,
        previous_one: false,
        plus: false,
        tail: Tail::Exact,
        tail_at: 0,
        before: None,
        dots: 0,
        segment: 0,
        space: false,
    };

    const fn take(&mut self, unit: Unit, here: usize) -> Result<(), ErrorKind> {
        if let Err(kind) = self.take_segment(unit) {
            return Err(kind);
        }
        let edge = self.levels == 0 && self.chars == 0;
        let meaning = match self.rules.meaning(unit) {
            Ok(meaning) => meaning,
            Err(ErrorKind::Space) if edge => return Err(ErrorKind::SpaceTrimmed),
            Err(ErrorKind::ForeignWildcard) if !self.rules.filter => return Err(self.wildcard_in_topic()),
            Err(kind) => return Err(kind),
        };
        if let Meaning::Separator = meaning {
            if let Err(kind) = self.end_level(Some(unit.char)) {
                return Err(kind);
            }
            self.start = here + unit.len;
            return Ok(());
        }
        if !matches!(self.tail, Tail::Exact) {
            let alone = self.tail_at == self.start;
            return Err(if alone {
                ErrorKind::PartialWildcard
            } else {
                ErrorKind::RestNotLast
            });
        }
        self.space = unit.char.is_whitespace() && !self.rules.dialect.is(Dialect::Channels);
        if self.space && edge {
            return Err(ErrorKind::SpaceTrimmed);
        }
        if self.one || (self.chars > 0 && !matches!(meaning, Meaning::Ordinary)) {
            return Err(ErrorKind::PartialWildcard);
        }
        self.plus = unit.raw == b'+' && unit.char == ' ' && self.chars == 0;
        match meaning {
            Meaning::Ordinary | Meaning::Separator => {}
            _ if !self.rules.filter => return Err(self.wildcard_in_topic()),
            Meaning::One => self.one = true,
            Meaning::Rest(tail) => {
                self.tail = tail;
                self.tail_at = self.start;
            }
        }
        self.chars += 1;
        Ok(())
    }

    /// Whether the wildcard that was just read is a level or part of one.
    const fn wildcard_in_topic(&self) -> ErrorKind {
        match self.cursor.rest {
            _ if self.chars > 0 => ErrorKind::PartialWildcard,
            [] | [b'/', ..] => ErrorKind::Wildcard,
            [b'.', ..] if !self.rules.dialect.is(Dialect::FluxMq) => ErrorKind::Wildcard,
            _ => ErrorKind::PartialWildcard,
        }
    }

    /// Ends a level at a separator, or at the end of the text.
    const fn end_level(&mut self, separator: Option<char>) -> Result<(), ErrorKind> {
        if self.plus && self.chars == 1 {
            return Err(ErrorKind::PlusIsSpace);
        }
        if self.chars == 0 {
            let first = self.levels == 0 && self.before.is_none() && matches!(separator, Some('/'));
            let last = separator.is_none() && matches!(self.before, Some('/'));
            let dotted = matches!(self.rules.syntax().separators, Separators::Dot);
            let vanishes = self.rules.dialect.is(Dialect::Channels) && !dotted;
            if !(vanishes || first || last) {
                return Err(ErrorKind::EmptyLevel);
            }
        } else {
            self.levels += 1;
            if self.levels > MAX_LEVELS {
                return Err(ErrorKind::TooManyLevels);
            }
            if matches!(self.tail, Tail::Exact) {
                self.previous = self.start;
                self.previous_one = self.one;
            }
        }
        self.before = separator;
        self.chars = 0;
        self.one = false;
        self.plus = false;
        Ok(())
    }

    const fn finish(&mut self, length: usize) -> Result<(), ErrorKind> {
        if self.is_dot_segment() {
            return Err(ErrorKind::DotSegment);
        }
        if self.space {
            return Err(ErrorKind::SpaceTrimmed);
        }
        if length == 0 { Ok(()) } else { self.end_level(None) }
    }

    /// The tail, and where the body ends: `*` and `#` at the end are one `>`.
    const fn body(&self, length: usize) -> (Tail, usize) {
        match self.tail {
            Tail::Exact => (Tail::Exact, length),
            Tail::ZeroOrMore if self.previous_one => (Tail::OneOrMore, self.previous),
            tail => (tail, self.tail_at),
        }
    }

    /// Watches the segments of a URL path, which only `/` itself separates.
    const fn take_segment(&mut self, unit: Unit) -> Result<(), ErrorKind> {
        if unit.raw == b'/' {
            if self.is_dot_segment() {
                return Err(ErrorKind::DotSegment);
            }
            self.dots = 0;
            self.segment = 0;
        } else {
            self.segment += 1;
            if unit.char == '.' {
                self.dots += 1;
            }
        }
        Ok(())
    }

    const fn is_dot_segment(&self) -> bool {
        matches!(self.rules.form, Some(Form::Path)) && self.dots == self.segment && matches!(self.dots, 1 | 2)
    }
}
