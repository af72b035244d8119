//! Units: the registry of RFC 8428 §12.1 and RFC 8798, read from `data/units.tsv` when the crate is compiled.

use core::fmt;

use crate::number::{POWERS_OF_TEN, narrowed};
use crate::{Error, Number};

/// A registered unit.
///
/// ```
/// use manywire_senml::{Number, Unit};
///
/// let unit = Unit::parse("km/h").ok_or("registered")?;
/// assert_eq!(unit.to_primary(Number::integer(36))?, Number::integer(10));
/// assert_eq!(unit.primary().symbol(), "m/s");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Unit(u8);

#[derive(Clone, Copy)]
struct Entry {
    symbol: &'static str,
    name: &'static str,
    usage: u8,
    primary: &'static str,
    numerator: i64,
    denominator: i64,
    offset: i64,
}

impl Unit {
    /// The unit with this symbol; case matters.
    #[must_use]
    pub fn parse(symbol: &str) -> Option<Self> {
        let index = UNITS.iter().position(|entry| entry.symbol == symbol)?;
        u8::try_from(index).ok().map(Self)
    }

    /// All registered units, in the order of the registry.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).take(UNITS.len()).map(Self)
    }

    /// What stands in `u`.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        self.entry().symbol
    }

    /// What it is in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// Whether this is a secondary unit, which only packs with the feature may use. (RFC 8798 §3)
    #[must_use]
    pub fn is_secondary(self) -> bool {
        self.entry().usage == b'S'
    }

    /// Whether producers should use it: some are registered for old data only.
    #[must_use]
    pub fn is_for_producers(self) -> bool {
        self.entry().usage != b'N'
    }

    /// The primary unit of the same quantity; itself if it is primary.
    #[must_use]
    pub fn primary(self) -> Self {
        if self.is_secondary() {
            Self::parse(self.entry().primary).unwrap_or(self)
        } else {
            self
        }
    }

    /// `value` of this unit in the primary unit: exact wherever the result is a decimal of at most 18 digits, else the
    /// nearest double.
    ///
    /// # Errors
    /// [`ErrorKind::NotFinite`](crate::ErrorKind::NotFinite) if it leaves the range of doubles.
    pub fn to_primary(self, value: Number) -> Result<Number, Error> {
        let scaled = self.scale_to_primary(value)?;
        scaled.checked_add(Number::integer(self.entry().offset))
    }

    /// As [`to_primary`](Self::to_primary) for a difference, rate or sum: without the offset.
    ///
    /// # Errors
    /// [`ErrorKind::NotFinite`](crate::ErrorKind::NotFinite) if it leaves the range of doubles.
    pub fn scale_to_primary(self, value: Number) -> Result<Number, Error> {
        let entry = self.entry();
        scale(value, entry.numerator, entry.denominator)
    }

    fn entry(self) -> &'static Entry {
        UNITS.get(usize::from(self.0)).unwrap_or(&Entry::NONE)
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unit({})", self.symbol())
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.symbol())
    }
}

impl AsRef<str> for Unit {
    fn as_ref(&self) -> &str {
        self.symbol()
    }
}

/// `value × numerator / denominator`.
fn scale(value: Number, numerator: i64, denominator: i64) -> Result<Number, Error> {
    let (mantissa, mut exponent) = value.to_decimal();
    let mut product = i128::from(mantissa) * i128::from(numerator);
    let denominator = i128::from(denominator);
    // Each factor 2 or 5 of the denominator costs at most one decimal place; other factors have to cancel.
    for _ in 0..POWERS_OF_TEN.len() {
        if product % denominator == 0 {
            let (mantissa, exponent) = narrowed(product / denominator, exponent);
            if let Ok(mantissa) = i64::try_from(mantissa) {
                return Number::decimal(mantissa, exponent);
            }
            break;
        }
        let Some(next) = product.checked_mul(10) else {
            break;
        };
        product = next;
        exponent -= 1;
    }
    Number::new(value.to_f64() * numerator as f64 / denominator as f64)
}

/// The registry.
static UNITS: [Entry; entries(TABLE)] = parse(TABLE);

const TABLE: &[u8] = include_bytes!("../data/units.tsv");

impl Entry {
    const NONE: Self = Self {
        symbol: "",
        name: "",
        usage: b'P',
        primary: "",
        numerator: 1,
        denominator: 1,
        offset: 0,
    };
}

const fn entries(mut table: &[u8]) -> usize {
    let mut count = 0;
    while !table.is_empty() {
        let (line, rest) = split(table, b'\n');
        if !matches!(line, [b'#', ..] | []) {
            count += 1;
        }
        table = rest;
    }
    count
}

const fn parse<const COUNT: usize>(mut table: &'static [u8]) -> [Entry; COUNT] {
    let mut units = [Entry::NONE; COUNT];
    let mut slots: &mut [Entry] = &mut units;
    while !table.is_empty() {
        let (line, rest) = split(table, b'\n');
        table = rest;
        if matches!(line, [b'#', ..] | []) {
            continue;
        }
        if let [slot, others @ ..] = slots {
            *slot = entry(line);
            slots = others;
        } else {
            break;
        }
    }
    units
}

const fn entry(line: &'static [u8]) -> Entry {
    let (symbol, rest) = split(line, b'\t');
    let (usage, rest) = split(rest, b'\t');
    let (primary, rest) = split(rest, b'\t');
    let (numerator, rest) = split(rest, b'\t');
    let (denominator, rest) = split(rest, b'\t');
    let (offset, name) = split(rest, b'\t');
    Entry {
        symbol: text(symbol),
        name: text(name),
        usage: match usage {
            [usage, ..] => *usage,
            [] => b'P',
        },
        primary: text(primary),
        numerator: integer(numerator),
        denominator: integer(denominator),
        offset: integer(offset),
    }
}

/// What stands before the first `separator`, and what after it.
const fn split(text: &[u8], separator: u8) -> (&[u8], &[u8]) {
    let mut at = 0;
    while at < text.len() {
        if let (before, [byte, after @ ..]) = text.split_at(at)
            && *byte == separator
        {
            return (before, after);
        }
        at += 1;
    }
    (text, &[])
}

const fn text(bytes: &[u8]) -> &str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}

const fn integer(mut digits: &[u8]) -> i64 {
    let mut sign = 1;
    let mut value = 0;
    while let [digit, rest @ ..] = digits {
        if *digit == b'-' {
            sign = -1;
        } else {
            value = value * 10 + (*digit - b'0') as i64;
        }
        digits = rest;
    }
    sign * value
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn the_table_is_the_registry() {
        assert_eq!(Unit::all().filter(|unit| !unit.is_secondary()).count(), 58 + 8);
        assert_eq!(Unit::all().filter(|unit| unit.is_secondary()).count(), 33);
        for unit in Unit::all() {
            assert_eq!(Unit::parse(unit.symbol()), Some(unit));
            assert!(!unit.primary().is_secondary(), "{unit} has a primary unit");
        }
    }

    #[test]
    fn conversion_is_exact_where_there_is_a_decimal() {
        let convert = |symbol: &str, text: &str| {
            Unit::parse(symbol)
                .unwrap()
                .to_primary(text.parse().unwrap())
                .unwrap()
                .to_string()
        };
        assert_eq!(convert("km/h", "36"), "10");
        assert_eq!(convert("km/h", "0.9"), "0.25");
        assert_eq!(convert("dBm", "-30.1"), "-60.1");
        assert_eq!(convert("Wh/km", "150"), "540");
        assert_eq!(convert("ug/m3", "12.5"), "125e-10");
        assert_eq!(convert("KiB", "0.5"), "512");
        assert_eq!(convert("km/h", "1"), "0.2777777777777778");
        assert_eq!(convert("V", "120.1"), "120.1");
    }
}
