//! A pack: records that mean something together.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::fields::{Fields, ReadMode};
use crate::resolve::Context;
use crate::source::Source;
use crate::{Error, Extensions, Format, Nanos, Record, Resolved, Strictness};

/// An array of records. Every record was checked when it came in, so a pack that exists can be resolved and written.
///
/// ```
/// use manywire_senml::{Format, Nanos, Pack, Record};
///
/// let mut pack = Pack::new();
/// pack.push(Record::new("current").with_base_name("dev1:").with_base_time(1_700_000_000).with_value(1.2)?)?;
/// pack.push(Record::new("current").with_time(1).with_value(1.3)?)?;
/// let bytes = manywire_senml::to_vec(&pack, Format::Cbor)?;
/// assert_eq!(manywire_senml::from_slice(&bytes, Format::Cbor)?, pack);
///
/// let resolved = pack.resolve(None)?;
/// let last = resolved.iter().last().ok_or("two readings")?;
/// assert_eq!((last.name, last.time.since_1970()), ("dev1:current", Some(Nanos::from_seconds(1_700_000_001))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pack {
    records: Vec<Record>,
    /// The base fields in effect after the last record.
    context: Box<Context>,
}

impl Pack {
    /// A pack without records.
    #[must_use]
    pub fn new() -> Self {
        Self::with_strictness(Strictness::DEFAULT)
    }

    /// A pack without records, whose records are checked as `strictness` says.
    #[must_use]
    pub fn with_strictness(strictness: Strictness) -> Self {
        Self {
            records: Vec::new(),
            context: Box::new(Context::new(strictness)),
        }
    }

    /// The pack of these records.
    ///
    /// # Errors
    /// That of the first record that [`push`](Self::push) refuses.
    pub fn from_records(records: impl IntoIterator<Item = Record>) -> Result<Self, Error> {
        let mut pack = Self::new();
        for record in records {
            pack.push(record)?;
        }
        Ok(pack)
    }

    /// Adds a record, if it makes sense after those that are there.
    ///
    /// # Errors
    /// Says which rule it breaks; the pack is as before. (Costs a look at every record then.)
    pub fn push(&mut self, record: Record) -> Result<(), Error> {
        self.push_or_spoil(record).inspect_err(|_| self.restore_context())
    }

    /// The base fields as the records leave them, worked out anew.
    fn restore_context(&mut self) {
        self.context.restart();
        for record in &self.records {
            let checked_before = self.context.resolve(&record.fields()).is_ok();
            debug_assert!(checked_before);
        }
    }

    /// As [`push`](Self::push); after an error the pack is not to be used.
    pub(crate) fn push_or_spoil(&mut self, record: Record) -> Result<(), Error> {
        self.context.resolve(&record.fields())?;
        self.records.push(record);
        Ok(())
    }

    /// The records.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The records, taken out.
    #[must_use]
    pub fn into_records(self) -> Vec<Record> {
        self.records
    }

    /// How many records there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is no record.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How the records were checked.
    #[must_use]
    pub const fn strictness(&self) -> &Strictness {
        &self.context.rules
    }

    /// What every record means on its own, in chronological order (records of the same time keep theirs). Relative times
    /// become absolute if `now` says when now is. (RFC 8428 §4.6)
    ///
    /// # Errors
    /// None for a pack whose records were checked, which they are.
    pub fn resolve(&self, now: impl Into<Option<Nanos>>) -> Result<Resolved, Error> {
        let mut context = Context::new(self.context.rules);
        context.now = now.into();
        let mut resolved = Resolved::with_capacity(self.records.len(), self.context.rules);
        for record in &self.records {
            if let Some(mut reading) = context.resolve(&record.fields())? {
                reading.extensions = Extensions::kept(record.extensions());
                resolved.push(reading);
            }
        }
        resolved.sort();
        Ok(resolved)
    }

    /// Reads a pack.
    ///
    /// # Errors
    /// Says which rule of the standard the bytes break, in which record, at which byte.
    pub fn from_slice(bytes: &[u8], format: Format, strictness: Strictness) -> Result<Self, Error> {
        let mut pack = Self::with_strictness(strictness);
        let mut source = Source::new(bytes, format, strictness, ReadMode::Keep)?;
        let mut fields = Fields::EMPTY;
        while source.next(&mut fields)? {
            pack.context
                .resolve(&fields)
                .map_err(|error| error.at_byte(source.record_at()))?;
            pack.records.push(source.record(&fields, &strictness)?);
        }
        Ok(pack)
    }
}

impl Default for Pack {
    fn default() -> Self {
        Self::new()
    }
}

/// Packs are equal if their records are.
impl PartialEq for Pack {
    fn eq(&self, other: &Self) -> bool {
        self.records == other.records
    }
}

impl Eq for Pack {}

impl<'a> IntoIterator for &'a Pack {
    type Item = &'a Record;
    type IntoIter = core::slice::Iter<'a, Record>;

    fn into_iter(self) -> Self::IntoIter {
        self.records.iter()
    }
}

impl IntoIterator for Pack {
    type Item = Record;
    type IntoIter = alloc::vec::IntoIter<Record>;

    fn into_iter(self) -> Self::IntoIter {
        self.records.into_iter()
    }
}
