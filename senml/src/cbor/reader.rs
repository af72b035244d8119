//! Records from CBOR bytes, one by one, without allocating.

use alloc::vec::Vec;

use super::item::{ARRAY, BREAK, BYTES, Cursor, Head, MAP, NEGATIVE, TEXT, UNSIGNED};
use super::{extension, number};
use crate::fields::{Data, Fields, MAX_EXTENSIONS, ReadMode, Text};
use crate::label::Label;
use crate::{Error, ErrorKind, Extension, Number, Strictness, Version, strictness, swar};

/// Reads one record after the other into [`Fields`] that borrow from the bytes.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    pub(super) cursor: Cursor<'a>,
    /// How many records are still to come; none if a break ends them.
    left: Option<u64>,
    /// Where the record that was read last begins.
    record_at: usize,
    records: usize,
    pub(super) rules: Strictness,
    mode: ReadMode,
    /// Short texts that came before, by their bytes in a word, two in each place.
    recent: [[(u64, &'a str); 2]; 8],
    /// Labels of this record that are not known, as they were encoded.
    unknown: Vec<&'a [u8]>,
    pub(crate) extensions: Vec<Extension>,
}

impl<'a> Reader<'a> {
    /// A reader at the first record of a pack.
    pub(crate) fn new(input: &'a [u8], rules: Strictness, mode: ReadMode) -> Result<Self, Error> {
        let mut reader = Self::of_records(input, rules, mode);
        let head = reader.cursor.head()?;
        if head.major != ARRAY {
            return Err(Error::new(ErrorKind::NotAnArray));
        }
        if head.is_indefinite() {
            rules.allow(strictness::INDEFINITE_LENGTHS, ErrorKind::IndefiniteLength)?;
        } else {
            reader.left = Some(head.argument);
        }
        Ok(reader)
    }

    /// A reader of bytes that begin with a record, not with a pack.
    pub(crate) fn of_records(input: &'a [u8], rules: Strictness, mode: ReadMode) -> Self {
        Self {
            cursor: Cursor { bytes: input, at: 0 },
            left: None,
            record_at: 0,
            records: 0,
            rules,
            mode,
            recent: [[(0, ""); 2]; 8],
            unknown: Vec::new(),
            extensions: Vec::new(),
        }
    }

    /// Byte offset of the record that was read last.
    pub(crate) const fn record_at(&self) -> usize {
        self.record_at
    }

    /// The bytes of the record that was read last.
    pub(crate) fn last_record(&self) -> &'a [u8] {
        self.cursor
            .bytes
            .get(self.record_at..self.cursor.at)
            .unwrap_or_default()
    }

    /// Reads the next record; false at the end of the pack, after which nothing may follow.
    #[inline]
    pub(crate) fn next(&mut self, fields: &mut Fields<'a>) -> Result<bool, Error> {
        match &mut self.left {
            Some(0) => return self.finish(),
            Some(left) => *left -= 1,
            None if self.cursor.peek()? == BREAK => {
                self.cursor.at += 1;
                return self.finish();
            }
            None => {}
        }
        self.record(fields)
            .map_err(|error| error.in_record(self.records))?;
        self.records += 1;
        Ok(true)
    }

    #[cold]
    fn finish(&mut self) -> Result<bool, Error> {
        if self.cursor.at < self.cursor.bytes.len() {
            return Err(self
                .cursor
                .wrong(ErrorKind::TrailingBytes)
                .in_record(self.records));
        }
        if self.records == 0 {
            self.rules.allow(strictness::EMPTY_PACKS, ErrorKind::EmptyPack)?;
        }
        Ok(false)
    }

    /// Reads one map.
    #[inline]
    pub(crate) fn record(&mut self, fields: &mut Fields<'a>) -> Result<(), Error> {
        self.record_at = self.cursor.at;
        fields.clear();
        let head = self.cursor.head()?;
        if head.major != MAP {
            return Err(Error::new(ErrorKind::NotARecord).at_byte(self.record_at));
        }
        if head.is_indefinite() {
            return self.indefinite_record(fields);
        }
        let mut at = self.cursor.at;
        // In a register, and not in memory, as long as all is as usual.
        let mut present = 0;
        for _ in 0..head.argument {
            at = match self.usual_member(at, fields, &mut present) {
                Some(end) => end,
                None => {
                    (self.cursor.at, fields.present) = (at, present);
                    self.member(fields)?;
                    present = fields.present;
                    self.cursor.at
                }
            };
        }
        (self.cursor.at, fields.present) = (at, present);
        Ok(())
    }

    /// Reads one of the four fields that nearly every record has, in a form that is usual: where it ends, or nothing if it
    /// is anything else.
    #[inline(always)]
    fn usual_member(&mut self, at: usize, fields: &mut Fields<'a>, present: &mut u32) -> Option<usize> {
        let label = *self.cursor.bytes.get(at)?;
        // A field that comes twice is left to the slow path, which refuses it.
        let (bit, end) = match label {
            0 => {
                let (text, end) = self.usual_text(at + 1)?;
                fields.name = Text::Plain(text);
                (Label::Name.bit(), end)
            }
            1 => {
                let (text, end) = self.usual_text(at + 1)?;
                fields.unit = Text::Plain(text);
                (Label::Unit.bit(), end)
            }
            2 => {
                let (number, end) = number::read_usual(self.cursor.bytes, at + 1)?;
                fields.value = number;
                (Label::Value.bit(), end)
            }
            6 => {
                let (number, end) = number::read_usual(self.cursor.bytes, at + 1)?;
                fields.time = number;
                (Label::Time.bit(), end)
            }
            _ => return None,
        };
        if *present & bit != 0 {
            return None;
        }
        *present |= bit;
        Some(end)
    }

    /// A text of less than 256 bytes whose head is at `at`, and where it ends.
    #[inline(always)]
    fn usual_text(&mut self, at: usize) -> Option<(&'a str, usize)> {
        let bytes = self.cursor.bytes;
        let (start, length) = match bytes.get(at..)? {
            [head @ 0x60..=0x77, ..] => (at + 1, usize::from(head & 0x1f)),
            [0x78, length, ..] => (at + 2, usize::from(*length)),
            _ => return None,
        };
        let text = bytes.get(start..start + length)?;
        let word = match swar::load(bytes, start) {
            Some(word) if length <= 8 => word & swar::first_bytes(length),
            _ => return Some((core::str::from_utf8(text).ok()?, start + length)),
        };
        // Names and units repeat: what was found to be text once need not be looked at again.
        let place = (word.wrapping_mul(SPREAD) >> 61) as usize;
        let [first, second] = self.recent.get_mut(place)?;
        let known = |slot: &(u64, &'a str)| slot.0 == word && slot.1.len() == length;
        if known(first) {
            return Some((first.1, start + length));
        }
        if !known(second) {
            *second = *first;
            *first = (word, core::str::from_utf8(text).ok()?);
            return Some((first.1, start + length));
        }
        Some((second.1, start + length))
    }

    #[cold]
    fn indefinite_record(&mut self, fields: &mut Fields<'a>) -> Result<(), Error> {
        let at = self.record_at;
        let allowed = self
            .rules
            .allow(strictness::INDEFINITE_LENGTHS, ErrorKind::IndefiniteLength);
        allowed.map_err(|error| error.at_byte(at))?;
        while self.cursor.peek()? != BREAK {
            self.member(fields)?;
        }
        self.cursor.at += 1;
        Ok(())
    }

    #[inline(never)]
    fn member(&mut self, fields: &mut Fields<'a>) -> Result<(), Error> {
        let label_at = self.cursor.at;
        match LABELS.get(usize::from(self.cursor.peek()?)) {
            Some(Some(label)) => {
                self.cursor.at += 1;
                self.known_member(*label, label_at, fields)
            }
            _ => self.unusual_member(label_at, fields),
        }
    }

    fn known_member(&mut self, label: Label, label_at: usize, fields: &mut Fields<'a>) -> Result<(), Error> {
        if fields.has(label) {
            return Err(Error::new(ErrorKind::DuplicateLabel).at_byte(label_at));
        }
        fields.present |= label.bit();
        match label {
            Label::Name => fields.name = self.text()?,
            Label::Unit => fields.unit = self.text()?,
            Label::Value => fields.value = self.value_number(fields)?,
            Label::Time => fields.time = self.time()?,
            Label::Sum => fields.sum = self.number()?,
            Label::StringValue => fields.text = self.text()?,
            Label::BooleanValue => fields.boolean = self.boolean()?,
            Label::DataValue => fields.data = self.data()?,
            Label::UpdateTime => fields.update_time = self.number()?,
            Label::BaseName => fields.base_name = self.text()?,
            Label::BaseTime => fields.base_time = self.time()?,
            Label::BaseUnit => fields.base_unit = self.text()?,
            Label::BaseValue => fields.base_value = self.number()?,
            Label::BaseSum => fields.base_sum = self.number()?,
            Label::BaseVersion => fields.version = self.version()?,
            Label::ContentFormat => fields.content_format = self.text()?,
            Label::BaseContentFormat => fields.base_content_format = self.text()?,
            Label::ObjectLink => fields.object_link = self.text()?,
        }
        Ok(())
    }

    /// A label that is text, a long integer, or not known.
    #[cold]
    fn unusual_member(&mut self, label_at: usize, fields: &mut Fields<'a>) -> Result<(), Error> {
        let head = self.cursor.head()?;
        let name = match head.major {
            UNSIGNED | NEGATIVE => {
                if let Some(label) = integer_label(head) {
                    return self.known_member(label, label_at, fields);
                }
                None
            }
            TEXT => Some(self.text_after(head)?.to_cow()),
            _ => return Err(Error::new(ErrorKind::WrongType).at_byte(label_at)),
        };
        let refused = |kind| Err(Error::new(kind).at_byte(label_at));
        if let Some(label) = name.as_deref().and_then(Label::from_text) {
            if label.integer().is_some() && !self.rules.accepts(strictness::TEXT_LABELS) {
                return refused(ErrorKind::LabelForm);
            }
            return self.known_member(label, label_at, fields);
        }
        let text = name.as_deref().unwrap_or_default();
        // RFC 8428 §4.4; a patch carries whatever its target shall have. RFC 8790 §5
        if text.ends_with('_') && self.mode != ReadMode::Patch {
            return refused(ErrorKind::MustUnderstand);
        }
        if text.starts_with('b') && !self.rules.accepts(strictness::UNKNOWN_BASE_FIELDS) {
            return refused(ErrorKind::NotResolvable);
        }
        self.note_unknown(label_at, fields)?;
        match name {
            Some(label) if self.mode != ReadMode::Resolve => {
                let value = extension::read(&mut self.cursor, &self.rules, self.rules.nesting_limit())?;
                self.extensions.push(Extension {
                    label: label.into_owned(),
                    value,
                });
                Ok(())
            }
            _ => extension::skip(&mut self.cursor, &self.rules, self.rules.nesting_limit()),
        }
    }

    /// Remembers a label that is not known, to notice when it comes again.
    fn note_unknown(&mut self, label_at: usize, fields: &mut Fields<'a>) -> Result<(), Error> {
        if !fields.extended {
            fields.extended = true;
            self.unknown.clear();
            self.extensions.clear();
        }
        let label = self
            .cursor
            .bytes
            .get(label_at..self.cursor.at)
            .unwrap_or_default();
        let kind = if self.unknown.contains(&label) {
            ErrorKind::DuplicateLabel
        } else if self.unknown.len() == MAX_EXTENSIONS {
            ErrorKind::TooManyFields
        } else {
            self.unknown.push(label);
            return Ok(());
        };
        Err(Error::new(kind).at_byte(label_at))
    }

    #[inline]
    fn text(&mut self) -> Result<Text<'a>, Error> {
        let at = self.cursor.at;
        let head = self.cursor.head()?;
        if head.major != TEXT {
            return Err(Error::new(ErrorKind::WrongType).at_byte(at));
        }
        self.text_after(head)
    }

    #[inline]
    fn text_after(&mut self, head: Head) -> Result<Text<'a>, Error> {
        if head.is_indefinite() {
            return self.cursor.take_chunks(TEXT, &self.rules).map(Text::Chunked);
        }
        let at = self.cursor.at;
        match core::str::from_utf8(self.cursor.take(head.argument)?) {
            Ok(text) => Ok(Text::Plain(text)),
            Err(_) => Err(Error::new(ErrorKind::NotUtf8).at_byte(at)),
        }
    }

    fn data(&mut self) -> Result<Data<'a>, Error> {
        let at = self.cursor.at;
        let head = self.cursor.head()?;
        match head.major {
            BYTES if head.is_indefinite() => self.cursor.take_chunks(BYTES, &self.rules).map(Data::Chunked),
            BYTES => self.cursor.take(head.argument).map(Data::Bytes),
            _ => Err(Error::new(ErrorKind::WrongType).at_byte(at)),
        }
    }

    #[inline]
    fn number(&mut self) -> Result<Number, Error> {
        number::read(&mut self.cursor, &self.rules, false)
    }

    #[inline]
    fn time(&mut self) -> Result<Number, Error> {
        number::read(&mut self.cursor, &self.rules, true)
    }

    /// The number of `v`; null in a patch. (RFC 8790 §3.2)
    #[inline]
    fn value_number(&mut self, fields: &mut Fields<'a>) -> Result<Number, Error> {
        if self.mode == ReadMode::Patch && self.cursor.peek()? == 0xf6 {
            self.cursor.at += 1;
            fields.null_value = true;
            return Ok(Number::ZERO);
        }
        self.number()
    }

    fn boolean(&mut self) -> Result<bool, Error> {
        let value = match self.cursor.peek()? {
            0xf4 => false,
            0xf5 => true,
            _ => return Err(self.cursor.wrong(ErrorKind::WrongType)),
        };
        self.cursor.at += 1;
        Ok(value)
    }

    /// Only an unsigned integer will do. (RFC 8428 §6)
    fn version(&mut self) -> Result<Version, Error> {
        let at = self.cursor.at;
        let head = self.cursor.head()?;
        let version = if head.major == UNSIGNED {
            Version::new(head.argument)
        } else {
            Err(ErrorKind::WrongType.into())
        };
        version.map_err(|error| error.at_byte(at))
    }
}

/// Spreads the bits of a word over the highest three. (Knuth's multiplicative hash)
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The known label that an integer head says.
const fn integer_label(head: Head) -> Option<Label> {
    if head.argument > 8 {
        return None;
    }
    let argument = head.argument as i64;
    Label::from_integer(if head.major == NEGATIVE {
        -1 - argument
    } else {
        argument
    })
}

/// The label that each first byte is, if that byte is the whole label.
const LABELS: [Option<Label>; 256] = {
    let mut labels = [None; 256];
    let mut rest: &mut [Option<Label>] = &mut labels;
    let mut byte = 0u8;
    while let [slot, tail @ ..] = rest {
        let (major, short) = (byte >> 5, byte & 0x1f);
        if major <= NEGATIVE && short < 24 {
            *slot = integer_label(Head {
                major,
                short,
                argument: short as u64,
            });
        }
        byte = byte.wrapping_add(1);
        rest = tail;
    }
    labels
};
