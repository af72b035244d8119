//! Numbers that stay what was written: exact decimals, or doubles where there is no decimal.

mod decimal;
mod parse;
#[cfg(feature = "alloc")]
mod wide;

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::num::NonZeroI32;
use core::str::FromStr;

use crate::encode::{self, Buffer};
use crate::{Error, ErrorKind};
pub(crate) use decimal::{POWERS_OF_TEN, narrowed};
pub(crate) use parse::scan;
#[cfg(feature = "alloc")]
pub(crate) use parse::scan_usual;

/// A finite number, as exact as its source: `23.10` read from JSON or from a CBOR decimal fraction is the decimal 23.1,
/// not the double next to it.
///
/// A double stands for the shortest decimal that reads back as the same double (what JSON would write), so equality,
/// order and sums are those of decimals: `0.1 + 0.2 == 0.3`.
#[derive(Clone, Copy)]
pub struct Number {
    /// The mantissa, or the bits of the double.
    bits: i64,
    /// The exponent and [`EXPONENT_ZERO`], or [`FLOAT`].
    ///
    /// Two words without padding, and never zero: a number and an optional number go through registers, where an enum
    /// would go through memory.
    scale: NonZeroI32,
}

/// What the `scale` of a number with exponent 0 is.
const EXPONENT_ZERO: i32 = 40_000;

/// The `scale` that marks a double.
const FLOAT: NonZeroI32 = NonZeroI32::MIN;

/// What a number is. Invariant: a `Float` is finite, a `Decimal` fits a finite double.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Repr {
    Decimal { mantissa: i64, exponent: i16 },
    Float(f64),
}

impl Number {
    /// Zero.
    pub const ZERO: Self = Self::integer(0);

    /// The double, which must be finite: SenML has no word for NaN or infinity. (RFC 8428 §5)
    ///
    /// # Errors
    /// [`ErrorKind::NotFinite`].
    pub const fn new(value: f64) -> Result<Self, Error> {
        if value.is_finite() {
            Ok(Self::from_repr(Repr::Float(value)))
        } else {
            Err(Error::new(ErrorKind::NotFinite))
        }
    }

    /// `mantissa × 10^exponent`.
    ///
    /// # Errors
    /// [`ErrorKind::NotFinite`] if that is more than a double can hold.
    pub fn decimal(mantissa: i64, exponent: i16) -> Result<Self, Error> {
        if exponent > 289 && mantissa != 0 && decimal::to_f64(mantissa, exponent).is_infinite() {
            return Err(Error::new(ErrorKind::NotFinite));
        }
        if exponent < decimal::LEAST_EXPONENT || mantissa == 0 {
            return Ok(Self::ZERO);
        }
        Ok(Self::from_repr(Repr::Decimal { mantissa, exponent }))
    }

    /// A whole number.
    #[must_use]
    pub const fn integer(value: i64) -> Self {
        Self::from_repr(Repr::Decimal {
            mantissa: value,
            exponent: 0,
        })
    }

    /// The nearest double. Costs one division for usual decimals.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        match self.repr() {
            Repr::Decimal { mantissa, exponent } => decimal::to_f64(mantissa, exponent),
            Repr::Float(value) => value,
        }
    }

    /// The number as an integer, if it is one that fits.
    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        let (mantissa, exponent) = self.to_decimal();
        let power = POWERS_OF_TEN.get(usize::try_from(exponent).ok()?)?;
        mantissa.checked_mul(i64::try_from(*power).ok()?)
    }

    /// `(mantissa, exponent)` without trailing zeros in the mantissa: the number is `mantissa × 10^exponent`, exactly.
    #[must_use]
    pub fn to_decimal(self) -> (i64, i16) {
        match self.repr() {
            Repr::Decimal { mantissa, exponent } => decimal::without_trailing_zeros(mantissa, exponent),
            Repr::Float(value) => decimal::shortest(value),
        }
    }

    #[inline(always)]
    pub(crate) const fn repr(self) -> Repr {
        if self.scale.get() == FLOAT.get() {
            Repr::Float(f64::from_bits(self.bits as u64))
        } else {
            Repr::Decimal {
                mantissa: self.bits,
                exponent: (self.scale.get() - EXPONENT_ZERO) as i16,
            }
        }
    }

    #[inline(always)]
    pub(crate) const fn from_repr(repr: Repr) -> Self {
        match repr {
            Repr::Float(value) => Self {
                bits: value.to_bits() as i64,
                scale: FLOAT,
            },
            Repr::Decimal { mantissa, exponent } => match NonZeroI32::new(exponent as i32 + EXPONENT_ZERO) {
                Some(scale) => Self {
                    bits: mantissa,
                    scale,
                },
                // Not with 16 bits of exponent.
                None => Self {
                    bits: 0,
                    scale: FLOAT,
                },
            },
        }
    }

    /// The sum, as decimals add; [`ErrorKind::NotFinite`] if it leaves the range of doubles. (RFC 8428 §4.5.4)
    ///
    /// # Errors
    /// [`ErrorKind::NotFinite`].
    pub fn checked_add(self, other: Self) -> Result<Self, Error> {
        if let (
            Repr::Decimal { mantissa, exponent },
            Repr::Decimal {
                mantissa: other_mantissa,
                exponent: other_exponent,
            },
        ) = (self.repr(), other.repr())
            && exponent == other_exponent
            && let Some(sum) = mantissa.checked_add(other_mantissa)
        {
            return Self::decimal(sum, exponent);
        }
        decimal::add(self, other)
    }

    /// Whether the number is zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        match self.repr() {
            Repr::Decimal { mantissa, .. } => mantissa == 0,
            Repr::Float(value) => value == 0.0,
        }
    }
}

impl Default for Number {
    fn default() -> Self {
        Self::ZERO
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.to_decimal() == other.to_decimal()
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to_decimal().hash(state);
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        decimal::compare(self.to_decimal(), other.to_decimal())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// As JSON writes it: the fewest digits, lower-case `e`. (RFC 8428 §5)
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; encode::NUMBER_LENGTH];
        let mut buffer = Buffer::new(&mut bytes);
        encode::number_text(&mut buffer, *self).map_err(|_| fmt::Error)?;
        f.pad(core::str::from_utf8(buffer.into_written()).unwrap_or_default())
    }
}

impl Number {
    /// `mantissa × 10^exponent` for a double of at most 15 digits and 9 places, without trailing zeros.
    pub(crate) fn to_few_digits(self) -> Option<(i64, i16)> {
        let (mantissa, exponent) = decimal::few_digits(self.to_f64(), 9)?;
        Some(decimal::without_trailing_zeros(mantissa, exponent))
    }

    /// Whether the double nearest to this number stands for this number and no other.
    pub(crate) fn is_its_double(self) -> bool {
        match self.repr() {
            Repr::Decimal { mantissa, exponent } => decimal::is_its_double(mantissa, exponent),
            Repr::Float(_) => true,
        }
    }
}

impl FromStr for Number {
    type Err = Error;

    /// Reads a number as JSON writes it.
    fn from_str(text: &str) -> Result<Self, Error> {
        let (number, length) = scan(text.as_bytes(), 0, true)?;
        if length == text.len() {
            Ok(number)
        } else {
            Err(Error::new(ErrorKind::JsonSyntax).at_byte(length))
        }
    }
}

impl TryFrom<f64> for Number {
    type Error = Error;

    fn try_from(value: f64) -> Result<Self, Error> {
        Self::new(value)
    }
}

macro_rules! from_integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Number {
            fn from(value: $integer) -> Self {
                Self::integer(i64::from(value))
            }
        }
    )*};
}
from_integers!(i8 i16 i32 i64 u8 u16 u32);

/// Exact up to `i64::MAX`, the nearest double above.
impl From<u64> for Number {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::from_repr(Repr::Float(value as f64)), Self::integer)
    }
}
