//! Reading and resolving in one pass.

use super::{Context, Resolved};
use crate::fields::{Fields, ReadMode};
use crate::source::Source;
use crate::{Error, Format, Nanos, Reading, Strictness};

/// Reads packs and lends what their records mean, one by one, in the order of the pack. Keep one per connection: after
/// the first few packs it allocates nothing, not even per pack.
///
/// ```
/// use manywire_senml::{Format, Nanos, Resolver};
///
/// let mut resolver = Resolver::new();
/// resolver.set_now(Nanos::from_seconds(1_700_000_000));
/// let mut readings = resolver.read(br#"[{"bn":"a:","n":"b","t":-5,"v":1.5},{"n":"c","v":2}]"#, Format::Json)?;
/// let mut sum = 0.0;
/// while let Some(reading) = readings.next()? {
///     assert!(reading.time.since_1970().is_some());
///     sum += reading.value.and_then(|value| value.as_number()).map_or(0.0, |number| number.to_f64());
/// }
/// assert_eq!(sum, 3.5);
/// # Ok::<(), manywire_senml::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Resolver {
    context: Context,
}

impl Resolver {
    /// A resolver that does not know what now is: relative times stay relative.
    #[must_use]
    pub fn new() -> Self {
        Self::with_strictness(Strictness::DEFAULT)
    }

    /// A resolver that accepts what `strictness` says.
    #[must_use]
    pub fn with_strictness(strictness: Strictness) -> Self {
        Self {
            context: Context::new(strictness),
        }
    }

    /// What relative times are relative to, for the packs read from here on: when the pack was received.
    /// (RFC 8428 §4.5.3)
    pub fn set_now(&mut self, now: impl Into<Option<Nanos>>) {
        self.context.now = now.into();
    }

    /// Begins to read a pack.
    ///
    /// # Errors
    /// If `bytes` do not begin like a pack, or are not text in JSON.
    pub fn read<'r, 'a>(&'r mut self, bytes: &'a [u8], format: Format) -> Result<Readings<'r, 'a>, Error> {
        let source = Source::new(bytes, format, self.context.rules, ReadMode::Resolve)?;
        self.context.restart();
        Ok(Readings {
            context: &mut self.context,
            source,
            fields: Fields::EMPTY,
        })
    }
}

impl Default for Resolver {
    fn default() -> Self {
        Self::new()
    }
}

/// The readings of one pack, lent one by one.
#[derive(Debug)]
pub struct Readings<'r, 'a> {
    context: &'r mut Context,
    source: Source<'a>,
    fields: Fields<'a>,
}

impl Readings<'_, '_> {
    /// The next reading, valid until this is called again; none at the end of the pack.
    ///
    /// # Errors
    /// Says which rule is broken, in which record, at which byte. A pack of which one record is wrong is wrong as a
    /// whole; whoever used readings before decides what becomes of them.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Result<Option<Reading<'_>>, Error> {
        loop {
            if !self.source.next(&mut self.fields)? {
                return Ok(None);
            }
            match self.context.begin(&self.fields) {
                Ok(true) => break,
                Ok(false) => {}
                Err(kind) => return Err(self.context.error(kind, self.source.record_at())),
            }
        }
        let (at, record) = (self.source.record_at(), self.context.last_record());
        match self.context.reading(&self.fields) {
            Ok(mut reading) => {
                if self.fields.extended {
                    reading.extensions = self.source.last_extensions();
                }
                Ok(Some(reading))
            }
            Err(kind) => Err(Error::new(kind).in_record(record).at_byte(at)),
        }
    }

    /// Calls `each` with every reading that is left.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn for_each(mut self, mut each: impl FnMut(Reading<'_>)) -> Result<(), Error> {
        while let Some(reading) = self.next()? {
            each(reading);
        }
        Ok(())
    }

    /// The readings that are left, in chronological order.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn collect(self) -> Result<Resolved, Error> {
        let mut resolved = Resolved::with_capacity(0, self.context.rules);
        self.for_each(|reading| resolved.push(reading))?;
        resolved.sort();
        Ok(resolved)
    }
}
