//! Time in whole nanoseconds.

use core::fmt;
use core::time::Duration;

use crate::number::{POWERS_OF_TEN, Repr, narrowed};
use crate::{Error, Number};

/// Sums of base time and time below this many seconds are relative to now. (RFC 8428 §4.5.3)
const ABSOLUTE_FROM_SECONDS: i128 = 1 << 28;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// Where times saturate, in nanoseconds: 10^29 seconds.
const FURTHEST: i128 = 10i128.pow(38);

/// A number of nanoseconds. Times further away than 292 years are kept to 18 digits, and saturate after 10^29 seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(i128);

impl Nanos {
    /// That many nanoseconds.
    #[must_use]
    pub const fn new(nanoseconds: i128) -> Self {
        Self(nanoseconds)
    }

    /// That many whole seconds.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds as i128 * NANOS_PER_SECOND)
    }

    /// The nanoseconds.
    #[must_use]
    pub const fn get(self) -> i128 {
        self.0
    }

    /// The nanoseconds, if they fit: about 292 years either way.
    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        i64::try_from(self.0).ok()
    }

    /// The seconds: an exact decimal unless it needs more than 18 digits.
    #[must_use]
    pub fn to_seconds(self) -> Number {
        let (mantissa, exponent) = narrowed(self.0, -9);
        match i64::try_from(mantissa) {
            Ok(mantissa) => Number::from_repr(Repr::Decimal { mantissa, exponent }),
            Err(_) => Number::from_repr(Repr::Float(self.0 as f64 / 1e9)),
        }
    }

    const fn saturating_add(self, other: Self) -> Self {
        Self::rounded(self.0.saturating_add(other.0))
    }

    /// To 18 digits where there are more than fit 64 bits, so that the seconds always are an exact decimal.
    const fn rounded(nanos: i128) -> Self {
        if nanos as i64 as i128 == nanos {
            Self(nanos)
        } else {
            Self::rounded_slowly(nanos)
        }
    }

    #[cold]
    const fn rounded_slowly(nanos: i128) -> Self {
        let magnitude = nanos.unsigned_abs();
        if magnitude >= FURTHEST as u128 {
            return Self(if nanos < 0 { -FURTHEST } else { FURTHEST });
        }
        let unit = 10i128.pow(magnitude.ilog10() - 17);
        Self(nanos / unit * unit)
    }
}

/// Nanoseconds since 1970 from `SystemTime::now().duration_since(UNIX_EPOCH)`.
impl From<Duration> for Nanos {
    fn from(since_1970: Duration) -> Self {
        Self(since_1970.as_nanos() as i128)
    }
}

/// Seconds, rounded to the nearest nanosecond.
impl From<Number> for Nanos {
    fn from(seconds: Number) -> Self {
        exact_nanos(seconds).map_or_else(
            || rounded_sum(seconds, Number::ZERO),
            |nanos| Self::rounded(nanos.0),
        )
    }
}

/// When something was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Time {
    /// So long before (negative) or after now, where now is when the pack was received.
    Relative(Nanos),
    /// So long after 1970-01-01T00:00Z, without leap seconds.
    Absolute(Nanos),
}

impl Time {
    /// About now: the time of a record that says none.
    pub const NOW: Self = Self::Relative(Nanos(0));

    /// The time that the sum `seconds` of base time and time means. (RFC 8428 §4.5.3)
    #[must_use]
    pub fn from_seconds(seconds: Number) -> Self {
        Self::from_nanos(seconds.into())
    }

    #[inline]
    pub(crate) fn from_nanos(sum: Nanos) -> Self {
        // The test is on the sum, not on its parts.
        if sum.0 < ABSOLUTE_FROM_SECONDS * NANOS_PER_SECOND {
            Self::Relative(sum)
        } else {
            Self::Absolute(sum)
        }
    }

    /// The absolute time, for somebody whose now is `now`.
    #[must_use]
    pub const fn resolve(self, now: Nanos) -> Self {
        match self {
            Self::Relative(offset) => Self::Absolute(now.saturating_add(offset)),
            Self::Absolute(_) => self,
        }
    }

    /// Nanoseconds since 1970, if the time is absolute.
    #[must_use]
    pub const fn since_1970(self) -> Option<Nanos> {
        match self {
            Self::Absolute(nanos) => Some(nanos),
            Self::Relative(_) => None,
        }
    }

    /// The nanoseconds, whichever they count from; what chronological order is by.
    #[must_use]
    pub const fn nanos(self) -> Nanos {
        match self {
            Self::Absolute(nanos) | Self::Relative(nanos) => nanos,
        }
    }

    /// The seconds as SenML writes them.
    #[must_use]
    pub fn to_seconds(self) -> Number {
        self.nanos().to_seconds()
    }
}

/// `+1.5s` and `-5s` for relative times, the seconds since 1970 for absolute ones.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.to_seconds();
        match self {
            Self::Relative(Nanos(offset)) if *offset < 0 => write!(f, "{seconds}s"),
            Self::Relative(_) => write!(f, "+{seconds}s"),
            Self::Absolute(_) => write!(f, "{seconds}"),
        }
    }
}

/// A base time, kept as it was written and as nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BaseTime {
    seconds: Number,
    /// The nanoseconds, if they are whole and fit: as good as always.
    nanos: Option<i64>,
}

impl BaseTime {
    /// No base time.
    pub(crate) const ZERO: Self = Self {
        seconds: Number::ZERO,
        nanos: Some(0),
    };

    pub(crate) fn new(seconds: Number) -> Self {
        Self {
            seconds,
            nanos: exact_nanos(seconds).and_then(Nanos::to_i64),
        }
    }

    /// Base time + time, added exactly and rounded once. (RFC 8428 §4.5.3)
    #[inline(always)]
    pub(crate) fn plus(&self, time: Option<Number>) -> Nanos {
        let Some(time) = time else {
            return self.plus_any(Number::ZERO);
        };
        match self.plus_usual(time) {
            Some(nanos) => Nanos(i128::from(nanos)),
            None => self.plus_any(time),
        }
    }

    /// The sum, if all of it fits 64 bits.
    #[inline(always)]
    fn plus_usual(&self, time: Number) -> Option<i64> {
        let offset = match time.repr() {
            Repr::Decimal { mantissa, exponent } => {
                let power = POWERS_OF_TEN.get(usize::try_from(exponent + 9).ok()?)?;
                mantissa.checked_mul(i64::try_from(*power).ok()?)?
            }
            Repr::Float(value) => usual_float(value)?,
        };
        self.nanos?.checked_add(offset)
    }

    #[inline(never)]
    fn plus_any(&self, time: Number) -> Nanos {
        match (exact_nanos(self.seconds), exact_nanos(time)) {
            (Some(base), Some(offset)) => base.saturating_add(offset),
            _ => rounded_sum(self.seconds, time),
        }
    }
}

/// The nanoseconds of a decimal that has no more than nine places; everything else is none.
#[inline]
fn exact_nanos(seconds: Number) -> Option<Nanos> {
    let (mantissa, exponent) = match seconds.repr() {
        Repr::Decimal { mantissa, exponent } => (mantissa, exponent),
        Repr::Float(value) => match usual_float(value) {
            Some(nanos) => return Some(Nanos(i128::from(nanos))),
            None => seconds.to_decimal(),
        },
    };
    let places = usize::try_from(exponent.checked_add(9)?).ok()?;
    match POWERS_OF_TEN.get(places) {
        // 63 + 64 bits: cannot overflow.
        Some(power) => Some(Nanos(i128::from(mantissa) * i128::from(*power))),
        None => Some(far_away(mantissa, places)),
    }
}

/// `mantissa × 10^places` nanoseconds, or so far away that it does not matter.
#[cold]
fn far_away(mantissa: i64, places: usize) -> Nanos {
    let power = u32::try_from(places)
        .ok()
        .and_then(|places| 10i128.checked_pow(places));
    let nanos = power.and_then(|power| power.checked_mul(mantissa.into()));
    Nanos(nanos.unwrap_or(i128::from(mantissa.signum()) * i128::MAX))
}

/// The nanoseconds of a double that is a decimal of at most 15 digits: one with nine places below 10^6 seconds, one with
/// three above. No two such decimals are the same double, so the one that is found is the one meant.
#[inline(always)]
fn usual_float(value: f64) -> Option<i64> {
    // Whole seconds and eighths of them, which is what short floats say: without the division.
    let eighths = value * 8.0;
    let whole = eighths as i64;
    if whole as f64 == eighths && whole.unsigned_abs() < 1 << 36 {
        return Some(whole * 125_000_000);
    }
    nanos_by_dividing(value)
}

#[inline]
fn nanos_by_dividing(value: f64) -> Option<i64> {
    let (scale, nanos) = if value.abs() < 1e6 {
        (1e9, 1)
    } else {
        (1e3, 1_000_000)
    };
    let scaled = value * scale;
    let rounded = (scaled + if scaled < 0.0 { -0.5 } else { 0.5 }) as i64;
    let exact = scaled.abs() < 1e15 && rounded as f64 / scale == value;
    if exact { rounded.checked_mul(nanos) } else { None }
}

/// The sum to the nearest nanosecond, halves to even, saturating.
#[cold]
fn rounded_sum(base: Number, offset: Number) -> Nanos {
    if let Some((mantissa, exponent)) = exact_sum(base.to_decimal(), offset.to_decimal()) {
        return Nanos::rounded(rounded_nanos(mantissa, exponent));
    }
    // Too many digits apart for both to matter: the smaller one rounds away.
    let sum: Result<Number, Error> = base.checked_add(offset);
    let (mantissa, exponent) = sum.unwrap_or(base).to_decimal();
    Nanos::rounded(rounded_nanos(mantissa.into(), exponent))
}

/// `mantissa × 10^exponent`, if 128 bits hold every digit of the sum.
fn exact_sum(base: (i64, i16), offset: (i64, i16)) -> Option<(i128, i16)> {
    let exponent = base.1.min(offset.1);
    let shifted = |(mantissa, from): (i64, i16)| {
        let power = 10i128.checked_pow(u32::try_from(i32::from(from) - i32::from(exponent)).ok()?)?;
        power.checked_mul(mantissa.into())
    };
    Some((shifted(base)?.checked_add(shifted(offset)?)?, exponent))
}

/// `mantissa × 10^exponent` seconds in nanoseconds: the nearest, halves to even, or so far away that it does not matter.
fn rounded_nanos(mantissa: i128, exponent: i16) -> i128 {
    let places = i32::from(exponent) + 9;
    let Some(power) = 10i128.checked_pow(places.unsigned_abs()) else {
        // 10^39 is more than any mantissa.
        return if places < 0 {
            0
        } else {
            mantissa.signum() * i128::MAX
        };
    };
    if places >= 0 {
        return mantissa.saturating_mul(power);
    }
    let (quotient, remainder) = (mantissa / power, (mantissa % power).unsigned_abs());
    let half = power.unsigned_abs() / 2;
    let up = remainder > half || (remainder == half && quotient % 2 != 0);
    quotient + if up { mantissa.signum() } else { 0 }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn a_sum_beyond_64_bits_is_exact_however_its_parts_are_written() {
        let time = number("9223372037");
        for base in ["-0.001314701", "-0.001314701000", "-1314701000e-12"] {
            let nanos = BaseTime::new(number(base)).plus(Some(time));
            assert_eq!(nanos, Nanos(9_223_372_036_998_685_290), "{base}");
        }
        let half = BaseTime::new(number("0.0000000005"));
        assert_eq!(half.plus(Some(number("1"))), Nanos(1_000_000_000));
        assert_eq!(half.plus(Some(number("0.000000001"))), Nanos(2));
        assert_eq!(half.plus(Some(number("-1e-20"))), Nanos(0));
    }

    #[test]
    fn base_time_plus_time_is_the_direct_parse() {
        let base = BaseTime::new(number("1.276020076001e+09"));
        assert_eq!(
            base.plus(Some(number("-5"))),
            Nanos::new(1_276_020_071_001_000_000)
        );
        assert_eq!(base.plus(None).to_seconds().to_string(), "1276020076.001");
        let double = BaseTime::new(Number::new(1_276_020_076.001).unwrap());
        assert_eq!(
            double.plus(Some(number("-5"))),
            Nanos::new(1_276_020_071_001_000_000)
        );
    }

    #[test]
    fn less_than_a_nanosecond_is_rounded_after_adding() {
        let base = BaseTime::new(number("0.0000000004"));
        assert_eq!(base.plus(Some(number("0.0000000004"))), Nanos::new(1));
        assert_eq!(Nanos::from(number("0.0000000005")), Nanos::new(0));
        assert_eq!(Nanos::from(number("-0.0000000016")), Nanos::new(-2));
        assert_eq!(Nanos::from(number("1e-300")), Nanos::new(0));
    }

    #[test]
    fn the_whole_range_of_doubles_is_taken() {
        assert_eq!(Nanos::from(number("1e300")), Nanos::new(FURTHEST));
        assert_eq!(Nanos::from(number("-1e300")), Nanos::new(-FURTHEST));
        assert_eq!(
            BaseTime::new(number("1e300")).plus(Some(number("-1"))),
            Nanos::new(FURTHEST)
        );
        assert_eq!(Nanos::from(number("1e20")), Nanos::new(10i128.pow(29)));
    }
}
