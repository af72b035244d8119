//! Units brought to the primary one of each quantity. (RFC 8798 §3)

use crate::{Error, Reading, ReadingBuf, Resolved, Unit, ValueBuf, Version};

/// The feature that secondary units are. (RFC 9100 §5)
const SECONDARY_UNITS: u64 = 1 << 4;

impl Resolved {
    /// The readings with every secondary unit converted: exactly, wherever the result is a decimal.
    ///
    /// # Errors
    /// [`ErrorKind::NotFinite`](crate::ErrorKind::NotFinite) if a value leaves the range of doubles.
    pub fn to_primary_units(&self) -> Result<Self, Error> {
        let mut converted = self.clone();
        for (index, reading) in converted.as_mut_slice().iter_mut().enumerate() {
            reading.convert().map_err(|error| error.in_record(index))?;
        }
        Ok(converted)
    }
}

impl ReadingBuf {
    fn convert(&mut self) -> Result<(), Error> {
        let without_feature = self.version.number() & !SECONDARY_UNITS;
        self.version = Version::new(without_feature).unwrap_or(self.version);
        let Some(unit) = self
            .unit
            .as_deref()
            .and_then(Unit::parse)
            .filter(|unit| unit.is_secondary())
        else {
            return Ok(());
        };
        if let Some(ValueBuf::Number(number)) = &mut self.value {
            *number = unit.to_primary(*number)?;
        }
        // A sum is in unit × seconds: an offset of the unit means nothing to it.
        self.sum = self.sum.map(|sum| unit.scale_to_primary(sum)).transpose()?;
        self.unit = Some(unit.primary().symbol().into());
        Ok(())
    }
}

impl Reading<'_> {
    /// The registered unit.
    #[must_use]
    pub fn registered_unit(&self) -> Option<Unit> {
        self.unit.and_then(Unit::parse)
    }
}
