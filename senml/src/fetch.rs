//! FETCH: which records of a pack somebody wants. (RFC 8790 §3.1)

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::fields::{Fields, ReadMode};
use crate::label::Label;
use crate::resolve::Context;
use crate::source::Source;
use crate::{Error, ErrorKind, Extensions, Format, Number, Pack, ReadingBuf, Strictness, Time};

/// A FETCH pack: the records it asks for, by name and perhaps time and unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    selectors: Vec<Selector>,
}

/// One resolved fetch or patch record: what a target has to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) name: String,
    /// Any time if none; there is no default here.
    pub(crate) time: Option<Time>,
    pub(crate) unit: Option<String>,
}

impl Selector {
    pub(crate) fn matches(&self, reading: &ReadingBuf) -> bool {
        self.name == reading.name
            && self.time.is_none_or(|time| time == reading.time)
            && (self.unit.is_none() || self.unit == reading.unit)
    }
}

impl Fetch {
    /// Reads a FETCH pack.
    ///
    /// # Errors
    /// [`ErrorKind::FetchField`] for any field but names, times and units, [`ErrorKind::FetchName`] for a record without
    /// a name, [`ErrorKind::EmptyPack`], or what makes any pack wrong.
    pub fn from_slice(bytes: &[u8], format: Format) -> Result<Self, Error> {
        const ALLOWED: u32 = Label::Name.bit()
            | Label::BaseName.bit()
            | Label::Time.bit()
            | Label::BaseTime.bit()
            | Label::Unit.bit()
            | Label::BaseUnit.bit();
        let rules = Strictness::DEFAULT.empty_packs(false);
        let mut source = Source::new(bytes, format, rules, ReadMode::Resolve)?;
        let mut fields = Fields::EMPTY;
        let mut tracker = Tracker::new(rules);
        let mut selectors = Vec::new();
        while source.next(&mut fields)? {
            let wrong = |error: Error| error.in_record(selectors.len()).at_byte(source.record_at());
            if fields.present & !ALLOWED != 0 || fields.extended {
                return Err(wrong(Error::new(ErrorKind::FetchField)));
            }
            // A value makes it a record that can be resolved.
            fields.present |= Label::Value.bit();
            fields.value = Number::ZERO;
            selectors.push(tracker.next(&fields).map_err(wrong)?.0);
        }
        Ok(Self { selectors })
    }

    /// The records of `pack` that are asked for, resolved, each once, in the order of `pack`; none is an answer too.
    ///
    /// # Errors
    /// None for a pack whose records were checked, which they are.
    pub fn apply(&self, pack: &Pack) -> Result<Pack, Error> {
        let readings = pack.readings()?;
        let wanted = readings
            .iter()
            .filter(|reading| self.selectors.iter().any(|selector| selector.matches(reading)));
        let mut answer = Pack::with_strictness(*pack.strictness());
        for reading in wanted {
            answer.push_or_spoil(reading.to_record())?;
        }
        Ok(answer)
    }
}

/// Resolves fetch and patch records, and remembers whether a time and a unit were ever said.
pub(crate) struct Tracker {
    context: Context,
    has_time: bool,
    has_unit: bool,
}

impl Tracker {
    pub(crate) fn new(rules: Strictness) -> Self {
        Self {
            context: Context::new(rules),
            has_time: false,
            has_unit: false,
        }
    }

    /// What the record matches, and what it would mean as a record of a pack.
    pub(crate) fn next(&mut self, fields: &Fields<'_>) -> Result<(Selector, ReadingBuf), Error> {
        self.has_time |= fields.has(Label::BaseTime);
        self.has_unit |= fields.has(Label::BaseUnit);
        let missing_name = |error: Error| match error.kind() {
            ErrorKind::EmptyName => Error::new(ErrorKind::FetchName),
            _ => error,
        };
        let reading = self.context.resolve(fields).map_err(missing_name)?;
        let reading = ReadingBuf::from(reading.ok_or(Error::new(ErrorKind::NoValue))?);
        let selector = Selector {
            name: reading.name.clone(),
            time: (self.has_time || fields.has(Label::Time)).then_some(reading.time),
            unit: reading.unit.as_deref().map(ToOwned::to_owned),
        };
        Ok((selector, reading))
    }
}

impl Pack {
    /// The readings in the order of the pack.
    pub(crate) fn readings(&self) -> Result<Vec<ReadingBuf>, Error> {
        let mut context = Context::new(*self.strictness());
        let mut readings = Vec::with_capacity(self.len());
        for record in self.records() {
            if let Some(mut reading) = context.resolve(&record.fields())? {
                reading.extensions = Extensions::kept(record.extensions());
                readings.push(reading.into());
            }
        }
        Ok(readings)
    }
}
