//! Records from JSON text, one by one, without allocating.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::label::{NAME, TIME, UNIT, VALUE, usual_label};
use super::{escape, extension};
use crate::fields::{Data, Fields, MAX_EXTENSIONS, ReadMode, Text};
use crate::label::Label;
use crate::{Error, ErrorKind, Extension, Number, Strictness, Version, number, strictness, swar};

/// Reads one record after the other into [`Fields`] that borrow from the text.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    /// Where the record that was read last begins.
    record_at: usize,
    records: usize,
    pub(super) rules: Strictness,
    mode: ReadMode,
    /// Labels of this record that are not known, to notice when one comes twice.
    unknown: Vec<Text<'a>>,
    pub(crate) extensions: Vec<Extension>,
}

impl<'a> Reader<'a> {
    /// A reader at the first record of a pack.
    pub(crate) fn new(input: &'a [u8], rules: Strictness, mode: ReadMode) -> Result<Self, Error> {
        let text = match core::str::from_utf8(input) {
            Ok(text) => text,
            Err(error) => return Err(not_utf8(error)),
        };
        let mut reader = Self::of_records(text, rules, mode);
        reader.at = reader.skip_space(0);
        match reader.peek()? {
            b'[' => reader.at += 1,
            _ => return Err(reader.wrong(ErrorKind::NotAnArray)),
        }
        Ok(reader)
    }

    /// A reader of text that begins with a record, not with a pack.
    pub(crate) fn of_records(text: &'a str, rules: Strictness, mode: ReadMode) -> Self {
        let (unknown, extensions) = (Vec::new(), Vec::new());
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            record_at: 0,
            records: 0,
            rules,
            mode,
            unknown,
            extensions,
        }
    }

    /// Byte offset of the record that was read last.
    pub(crate) const fn record_at(&self) -> usize {
        self.record_at
    }

    /// The bytes of the record that was read last.
    pub(crate) fn last_record(&self) -> &'a [u8] {
        self.bytes.get(self.record_at..self.at).unwrap_or_default()
    }

    /// Reads the next record; false at the end of the pack, after which nothing but white space may follow.
    #[inline]
    pub(crate) fn next(&mut self, fields: &mut Fields<'a>) -> Result<bool, Error> {
        self.at = self.skip_space(self.at);
        match self.peek()? {
            b',' if self.records > 0 => self.at = self.skip_space(self.at + 1),
            b']' => return self.finish(),
            _ if self.records > 0 => return Err(self.wrong(ErrorKind::JsonSyntax)),
            _ => {}
        }
        self.record(fields)?;
        self.records += 1;
        Ok(true)
    }

    #[cold]
    fn finish(&mut self) -> Result<bool, Error> {
        let end = self.skip_space(self.at + 1);
        if end < self.bytes.len() {
            self.at = end;
            return Err(self.wrong(ErrorKind::TrailingBytes));
        }
        if self.records == 0 {
            self.rules.allow(strictness::EMPTY_PACKS, ErrorKind::EmptyPack)?;
        }
        Ok(false)
    }

    /// Reads one object.
    #[inline]
    pub(crate) fn record(&mut self, fields: &mut Fields<'a>) -> Result<(), Error> {
        self.record_at = self.at;
        fields.clear();
        if self.peek()? != b'{' {
            return Err(self.wrong(ErrorKind::NotARecord));
        }
        let mut at = self.skip_space(self.at + 1);
        if self.bytes.get(at) == Some(&b'}') {
            self.at = at + 1;
            return Ok(());
        }
        // In a register, and not in memory, as long as all is as usual.
        let mut present = 0;
        loop {
            at = match self.usual_member(at, fields, &mut present) {
                Some(end) => end,
                None => {
                    fields.present = present;
                    let end = self.member(at, fields)?;
                    present = fields.present;
                    end
                }
            };
            match self.bytes.get(at) {
                Some(b',') => at += 1,
                Some(b'}') => break,
                _ => {
                    self.at = self.skip_space(at);
                    match self.peek()? {
                        b',' => at = self.at + 1,
                        b'}' => {
                            at = self.at;
                            break;
                        }
                        _ => return Err(self.wrong(ErrorKind::JsonSyntax)),
                    }
                }
            }
        }
        fields.present = present;
        self.at = at + 1;
        Ok(())
    }

    /// Reads one of the four fields that nearly every record has, written as nearly every sender writes it: where it ends,
    /// or nothing if it is anything else.
    #[inline(always)]
    fn usual_member(&self, at: usize, fields: &mut Fields<'a>, present: &mut u32) -> Option<usize> {
        let label = swar::load(self.bytes, at)? as u32;
        let at = at + 4;
        // A field that comes twice is left to the slow path, which refuses it.
        let (bit, end) = match label {
            NAME => {
                let (text, end) = self.usual_name(at)?;
                fields.name = Text::Plain(text);
                fields.clean_name = true;
                (Label::Name.bit(), end)
            }
            UNIT => {
                let (text, end) = self.usual_string(at)?;
                fields.unit = Text::Plain(text);
                (Label::Unit.bit(), end)
            }
            TIME => {
                let (number, end) = number::scan_usual(self.bytes, at)?;
                fields.time = number;
                (Label::Time.bit(), end)
            }
            VALUE => {
                let (number, end) = number::scan_usual(self.bytes, at)?;
                fields.value = number;
                (Label::Value.bit(), end)
            }
            _ => return None,
        };
        if *present & bit != 0 {
            return None;
        }
        *present |= bit;
        Some(end)
    }

    /// A string of nothing but name characters that begins at `at`, and where it ends.
    #[inline(always)]
    fn usual_name(&self, at: usize) -> Option<(&'a str, usize)> {
        if *self.bytes.get(at)? != b'"' {
            return None;
        }
        let mut end = at + 1;
        loop {
            let named = swar::leading_name_bytes(swar::load(self.bytes, end)?);
            end += named;
            if named < 8 {
                break;
            }
        }
        if *self.bytes.get(end)? != b'"' {
            return None;
        }
        Some((self.text.get(at + 1..end)?, end + 1))
    }

    /// A string without escapes that begins at `at`, and where it ends.
    #[inline(always)]
    fn usual_string(&self, at: usize) -> Option<(&'a str, usize)> {
        if *self.bytes.get(at)? != b'"' {
            return None;
        }
        let mut end = at + 1;
        loop {
            let plain = swar::plain_bytes(swar::load(self.bytes, end)?);
            end += plain;
            if plain < 8 {
                break;
            }
        }
        if *self.bytes.get(end)? != b'"' {
            return None;
        }
        Some((self.text.get(at + 1..end)?, end + 1))
    }

    /// Reads a label and its value from `at` on, however they are written.
    #[inline(never)]
    fn member(&mut self, at: usize, fields: &mut Fields<'a>) -> Result<usize, Error> {
        self.at = self.skip_space(at);
        match self.bytes.get(self.at..).and_then(usual_label) {
            Some((label, length)) => {
                self.at = self.skip_space(self.at + length);
                self.known_member(label, fields)?;
            }
            None => self.unusual_member(fields)?,
        }
        Ok(self.at)
    }

    fn known_member(&mut self, label: Label, fields: &mut Fields<'a>) -> Result<(), Error> {
        if fields.has(label) {
            return Err(self.wrong(ErrorKind::DuplicateLabel));
        }
        fields.present |= label.bit();
        match label {
            Label::Name => fields.name = self.string()?,
            Label::Unit => fields.unit = self.string()?,
            Label::Value => fields.value = self.value_number(fields)?,
            Label::Time => fields.time = self.number()?,
            Label::Sum => fields.sum = self.number()?,
            Label::StringValue => fields.text = self.string()?,
            Label::BooleanValue => fields.boolean = self.boolean()?,
            Label::DataValue => fields.data = Data::Base64(self.string()?),
            Label::UpdateTime => fields.update_time = self.number()?,
            Label::BaseName => fields.base_name = self.string()?,
            Label::BaseTime => fields.base_time = self.number()?,
            Label::BaseUnit => fields.base_unit = self.string()?,
            Label::BaseValue => fields.base_value = self.number()?,
            Label::BaseSum => fields.base_sum = self.number()?,
            Label::BaseVersion => fields.version = self.version()?,
            Label::ContentFormat => fields.content_format = self.string()?,
            Label::BaseContentFormat => fields.base_content_format = self.string()?,
            Label::ObjectLink => fields.object_link = self.string()?,
        }
        Ok(())
    }

    /// A label with white space or escapes around it, or one that is not known.
    #[cold]
    fn unusual_member(&mut self, fields: &mut Fields<'a>) -> Result<(), Error> {
        let label_at = self.at;
        if self.peek()? != b'"' {
            return Err(self.wrong(ErrorKind::JsonSyntax));
        }
        let label = self.string()?;
        self.at = self.skip_space(self.at);
        if self.peek()? != b':' {
            return Err(self.wrong(ErrorKind::JsonSyntax));
        }
        self.at = self.skip_space(self.at + 1);
        let text = label.to_cow();
        if let Some(label) = Label::from_text(&text) {
            return self.known_member(label, fields);
        }
        let refused = |kind| Err(Error::new(kind).in_record(self.records).at_byte(label_at));
        // RFC 8428 §4.4; a patch carries whatever its target shall have. RFC 8790 §5
        if text.ends_with('_') && self.mode != ReadMode::Patch {
            return refused(ErrorKind::MustUnderstand);
        }
        if text.starts_with('b') && !self.rules.accepts(strictness::UNKNOWN_BASE_FIELDS) {
            return refused(ErrorKind::NotResolvable);
        }
        if !fields.extended {
            fields.extended = true;
            self.unknown.clear();
            self.extensions.clear();
        }
        if self.unknown.iter().any(|earlier| earlier.to_cow() == text) {
            return refused(ErrorKind::DuplicateLabel);
        }
        if self.unknown.len() == MAX_EXTENSIONS {
            return refused(ErrorKind::TooManyFields);
        }
        self.unknown.push(label);
        self.extension(text)
    }

    fn extension(&mut self, label: Cow<'a, str>) -> Result<(), Error> {
        if self.mode == ReadMode::Resolve {
            return extension::skip(self, self.rules.nesting_limit());
        }
        let value = extension::read(self, self.rules.nesting_limit())?;
        self.extensions.push(Extension {
            label: label.into_owned(),
            value,
        });
        Ok(())
    }

    /// The number of `v`; `null` in a patch. (RFC 8790 §3.2)
    #[inline]
    fn value_number(&mut self, fields: &mut Fields<'a>) -> Result<Number, Error> {
        if self.mode == ReadMode::Patch && self.peek()? == b'n' {
            self.word("null")?;
            fields.null_value = true;
            return Ok(Number::ZERO);
        }
        self.number()
    }

    #[inline]
    pub(super) fn number(&mut self) -> Result<Number, Error> {
        match number::scan(
            self.bytes,
            self.at,
            self.rules.accepts(strictness::UPPER_CASE_EXPONENTS),
        ) {
            Ok((number, end)) => {
                self.at = end;
                Ok(number)
            }
            Err(error) => Err(self.not_a_number(error)),
        }
    }

    #[cold]
    fn not_a_number(&self, error: Error) -> Error {
        let starts_as_number = matches!(self.bytes.get(self.at), Some(b'-' | b'0'..=b'9') | None);
        let kind = if starts_as_number {
            error.kind()
        } else {
            self.type_error()
        };
        Error::new(kind)
            .in_record(self.records)
            .at_byte(error.at().max(self.at))
    }

    /// What is wrong where a value of another type was expected.
    fn type_error(&self) -> ErrorKind {
        match self.bytes.get(self.at) {
            None => ErrorKind::Truncated,
            Some(b'"' | b'{' | b'[' | b't' | b'f' | b'n' | b'-' | b'0'..=b'9') => ErrorKind::WrongType,
            Some(_) => ErrorKind::JsonSyntax,
        }
    }

    /// A version is a whole number, however JSON writes it. (RFC 8428 §4.1)
    fn version(&mut self) -> Result<Version, Error> {
        let at = self.at;
        let version = self
            .number()?
            .to_i64()
            .and_then(|number| u64::try_from(number).ok());
        let version = version
            .ok_or(Error::new(ErrorKind::Version))
            .and_then(Version::new);
        version.map_err(|error| error.in_record(self.records).at_byte(at))
    }

    fn boolean(&mut self) -> Result<bool, Error> {
        let truth = self.peek()? == b't';
        self.word(if truth { "true" } else { "false" })?;
        Ok(truth)
    }

    /// Takes `word`, which must be what follows.
    pub(super) fn word(&mut self, word: &str) -> Result<(), Error> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        let kind = if word.as_bytes().starts_with(rest) {
            ErrorKind::Truncated
        } else {
            self.type_error()
        };
        Err(self.wrong(kind))
    }

    /// Reads a string, its opening quote first.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Text<'a>, Error> {
        if self.bytes.get(self.at) != Some(&b'"') {
            return Err(self.wrong(self.type_error()));
        }
        let start = self.at + 1;
        let end = find_special(self.bytes, start);
        if self.bytes.get(end) != Some(&b'"') {
            return self.unusual_string(start, end);
        }
        self.at = end + 1;
        Ok(Text::Plain(self.text.get(start..end).unwrap_or_default()))
    }

    /// A string with escapes from `at` on, or none at all.
    #[cold]
    fn unusual_string(&mut self, start: usize, mut at: usize) -> Result<Text<'a>, Error> {
        loop {
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at = find_special(self.bytes, at + 2),
                Some(_) => {
                    return Err(Error::new(ErrorKind::JsonSyntax)
                        .in_record(self.records)
                        .at_byte(at));
                }
                None => {
                    return Err(Error::new(ErrorKind::Truncated)
                        .in_record(self.records)
                        .at_byte(self.bytes.len()));
                }
            }
        }
        let text = self.text.get(start..at).unwrap_or_default();
        if let Err(wrong) = escape::check(text) {
            return Err(Error::new(ErrorKind::JsonSyntax)
                .in_record(self.records)
                .at_byte(start + wrong));
        }
        self.at = at + 1;
        Ok(Text::Escaped(text))
    }

    #[inline(always)]
    pub(super) fn peek(&self) -> Result<u8, Error> {
        self.bytes
            .get(self.at)
            .copied()
            .ok_or_else(|| self.wrong(ErrorKind::Truncated))
    }

    #[inline(always)]
    pub(super) fn skip_space(&self, at: usize) -> usize {
        match self.bytes.get(at) {
            Some(&byte) if byte > b' ' => at,
            _ => skip_space_slowly(self.bytes, at),
        }
    }

    #[cold]
    pub(super) fn wrong(&self, kind: ErrorKind) -> Error {
        Error::new(kind).in_record(self.records).at_byte(self.at)
    }
}

fn skip_space_slowly(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// Text cut in the middle of a character is cut; anything else is not text.
#[cold]
fn not_utf8(error: core::str::Utf8Error) -> Error {
    let kind = if error.error_len().is_none() {
        ErrorKind::Truncated
    } else {
        ErrorKind::NotUtf8
    };
    Error::new(kind).at_byte(error.valid_up_to())
}

/// Where the next quote, backslash or control character stands, or the end.
fn find_special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = swar::load(bytes, at) {
        let plain = swar::plain_bytes(word);
        at += plain;
        if plain < 8 {
            return at;
        }
    }
    while let Some(&byte) = bytes.get(at)
        && byte != b'"'
        && byte != b'\\'
        && byte >= 0x20
    {
        at += 1;
    }
    at
}
