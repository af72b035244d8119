//! PATCH and iPATCH: changes to the records of a pack, all or none. (RFC 8790 §3.2)

use alloc::vec::Vec;

use crate::fetch::{Selector, Tracker};
use crate::fields::{Fields, ReadMode};
use crate::source::Source;
use crate::{Error, ErrorKind, Format, Pack, ReadingBuf, Strictness};

/// A PATCH pack: records to add, to replace or to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    changes: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    target: Selector,
    /// What takes the place of the target; nothing removes it.
    replacement: Option<ReadingBuf>,
}

impl Patch {
    /// Reads a PATCH pack. Fields that are not known are carried into the target, even those that end in `_`.
    /// (RFC 8790 §5)
    ///
    /// # Errors
    /// [`ErrorKind::PatchValue`] for a record with neither value nor sum, [`ErrorKind::FetchName`] for one without a name,
    /// or what makes any pack wrong.
    pub fn from_slice(bytes: &[u8], format: Format) -> Result<Self, Error> {
        let rules = Strictness::DEFAULT
            .empty_packs(false)
            .base_only_records(false)
            .base_value_alone(false);
        let mut source = Source::new(bytes, format, rules, ReadMode::Patch)?;
        let mut fields = Fields::EMPTY;
        let mut tracker = Tracker::new(rules);
        let mut changes = Vec::new();
        while source.next(&mut fields)? {
            let at = source.record_at();
            let change = change(&mut source, &mut tracker, &fields, &rules);
            changes.push(change.map_err(|error| error.in_record(changes.len()).at_byte(at))?);
        }
        Ok(Self { changes })
    }

    /// Applies the changes in their order. The records of `pack` become resolved ones, in the order they had, with what was
    /// added at the end.
    ///
    /// # Errors
    /// [`ErrorKind::PatchAmbiguous`] if a change matches more than one record; `pack` then is as before.
    pub fn apply(&self, pack: &mut Pack) -> Result<(), Error> {
        let mut readings = pack.readings()?;
        for (index, change) in self.changes.iter().enumerate() {
            change
                .apply(&mut readings)
                .map_err(|kind| Error::new(kind).in_record(index))?;
        }
        let mut patched = Pack::with_strictness(*pack.strictness());
        for reading in &readings {
            patched.push_or_spoil(reading.to_record())?;
        }
        *pack = patched;
        Ok(())
    }
}

fn change(
    source: &mut Source<'_>,
    tracker: &mut Tracker,
    fields: &Fields<'_>,
    rules: &Strictness,
) -> Result<Change, Error> {
    let without_value = |error: Error| match error.kind() {
        ErrorKind::NoValue => Error::new(ErrorKind::PatchValue),
        _ => error,
    };
    let (target, mut reading) = tracker.next(fields).map_err(without_value)?;
    reading.extensions = source.record(fields, rules)?.extensions;
    Ok(Change {
        target,
        replacement: (!fields.null_value).then_some(reading),
    })
}

impl Change {
    fn apply(&self, readings: &mut Vec<ReadingBuf>) -> Result<(), ErrorKind> {
        let mut matching = (0..)
            .zip(readings.iter_mut())
            .filter(|(_, reading)| self.target.matches(reading));
        let found = matching.next();
        if matching.next().is_some() {
            return Err(ErrorKind::PatchAmbiguous);
        }
        match (found, &self.replacement) {
            (Some((_, reading)), Some(replacement)) => *reading = replacement.clone(),
            (Some((index, _)), None) => drop(readings.remove(index)),
            (None, Some(replacement)) => readings.push(replacement.clone()),
            (None, None) => {}
        }
        Ok(())
    }
}
