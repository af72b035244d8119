//! A resolved pack.

use alloc::vec::Vec;

use crate::{Error, Pack, Reading, ReadingBuf, Strictness};

/// The readings of a pack in chronological order, each complete in itself.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    readings: Vec<ReadingBuf>,
    /// What the pack was checked by.
    rules: Strictness,
}

impl Resolved {
    pub(crate) fn with_capacity(readings: usize, rules: Strictness) -> Self {
        Self {
            readings: Vec::with_capacity(readings),
            rules,
        }
    }

    pub(crate) fn push(&mut self, reading: Reading<'_>) {
        self.readings.push(reading.into());
    }

    /// Chronological order; equal times keep the order they had. Sorted input is left alone.
    pub(crate) fn sort(&mut self) {
        if !self.readings.is_sorted_by_key(|reading| reading.time.nanos()) {
            self.readings.sort_by_key(|reading| reading.time.nanos());
        }
    }

    /// The readings.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Reading<'_>> + DoubleEndedIterator {
        self.readings.iter().map(ReadingBuf::as_reading)
    }

    /// The readings, as they are kept.
    #[must_use]
    pub fn as_slice(&self) -> &[ReadingBuf] {
        &self.readings
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [ReadingBuf] {
        &mut self.readings
    }

    /// How many readings there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.readings.len()
    }

    /// Whether there is no reading.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.readings.is_empty()
    }

    /// The pack in resolved form: full names, no base fields but a version that is not 10. (RFC 8428 §4.6)
    ///
    /// # Errors
    /// None for readings that came from a pack.
    pub fn to_pack(&self) -> Result<Pack, Error> {
        let mut pack = Pack::with_strictness(self.rules);
        for reading in &self.readings {
            pack.push_or_spoil(reading.to_record())?;
        }
        Ok(pack)
    }
}

/// Resolved packs are equal if their readings are.
impl PartialEq for Resolved {
    fn eq(&self, other: &Self) -> bool {
        self.readings == other.readings
    }
}

impl Eq for Resolved {}

impl Extend<ReadingBuf> for Resolved {
    fn extend<I: IntoIterator<Item = ReadingBuf>>(&mut self, readings: I) {
        self.readings.extend(readings);
        self.sort();
    }
}

impl<'a> FromIterator<Reading<'a>> for Resolved {
    fn from_iter<I: IntoIterator<Item = Reading<'a>>>(readings: I) -> Self {
        let mut resolved = Self::default();
        resolved
            .readings
            .extend(readings.into_iter().map(ReadingBuf::from));
        resolved.sort();
        resolved
    }
}
