//! Arithmetic and text of decimals.

use core::cmp::Ordering;
use core::fmt::{self, Write};

use super::Number;
use crate::Error;

/// Below this every decimal of 19 digits is zero as a double.
pub(super) const LEAST_EXPONENT: i16 = -400;

/// 10^0 to 10^19.
pub(crate) const POWERS_OF_TEN: [u64; 20] = {
    let mut powers = [1; 20];
    let mut rest: &mut [u64] = &mut powers;
    let mut power: u64 = 1;
    while let [first, tail @ ..] = rest {
        *first = power;
        power = power.wrapping_mul(10);
        rest = tail;
    }
    powers
};

/// The powers of ten that a double holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// Correctly rounded. Exact operands and one operation give the correctly rounded result (Clinger); anything else goes
/// through the text.
#[inline]
pub(super) fn to_f64(mantissa: i64, exponent: i16) -> f64 {
    if mantissa.unsigned_abs() <= 1 << 53 {
        if exponent == 0 {
            return mantissa as f64;
        }
        if let Some(power) = EXACT_POWERS.get(usize::from(exponent.unsigned_abs())) {
            return if exponent < 0 {
                mantissa as f64 / power
            } else {
                mantissa as f64 * power
            };
        }
    }
    to_f64_through_text(mantissa, exponent)
}

#[cold]
fn to_f64_through_text(mantissa: i64, exponent: i16) -> f64 {
    wide_to_f64(i128::from(mantissa), exponent)
}

/// As [`to_f64`] for a mantissa of any width.
pub(super) fn wide_to_f64(mantissa: i128, exponent: i16) -> f64 {
    let mut text = Text::default();
    let written = write!(text, "{mantissa}e{exponent}");
    debug_assert!(written.is_ok());
    text.as_str().parse().unwrap_or_default()
}

pub(super) fn without_trailing_zeros(mut mantissa: i64, mut exponent: i16) -> (i64, i16) {
    if mantissa == 0 {
        return (0, 0);
    }
    while mantissa % 10 == 0 {
        mantissa /= 10;
        exponent += 1;
    }
    (mantissa, exponent)
}

/// Whether the double nearest to the decimal stands for it: always up to 15 digits.
pub(super) fn is_its_double(mantissa: i64, exponent: i16) -> bool {
    mantissa.unsigned_abs() < 1_000_000_000_000_000
        || shortest(to_f64(mantissa, exponent)) == without_trailing_zeros(mantissa, exponent)
}

/// The shortest decimal that reads back as `value`, without trailing zeros.
pub(super) fn shortest(value: f64) -> (i64, i16) {
    match few_digits(value, 9) {
        Some((mantissa, exponent)) => without_trailing_zeros(mantissa, exponent),
        None => shortest_through_text(value),
    }
}

/// `value` as an integer of at most 15 digits over one of the powers 10^0 to 10^most, if it is one.
///
/// Of decimals with at most 15 digits no two are the same double, so the one found is the only one.
#[inline]
pub(super) fn few_digits(value: f64, most: usize) -> Option<(i64, i16)> {
    const LIMIT: f64 = 1e15;
    for (exponent, power) in (0i16..).zip(EXACT_POWERS.iter().take(most + 1)) {
        let scaled = value * power;
        if scaled.abs() >= LIMIT {
            return None;
        }
        let rounded = (scaled + if scaled < 0.0 { -0.5 } else { 0.5 }) as i64;
        if rounded as f64 / power == value {
            return Some((rounded, -exponent));
        }
    }
    None
}

#[cold]
fn shortest_through_text(value: f64) -> (i64, i16) {
    let mut text = Text::default();
    let written = write!(text, "{value:e}");
    debug_assert!(written.is_ok());
    let (digits, exponent) = text.as_str().split_once('e').unwrap_or((text.as_str(), "0"));
    let mut exponent: i16 = exponent.parse().unwrap_or_default();
    let mut mantissa: i64 = 0;
    let mut after_point = false;
    for digit in digits.bytes() {
        match digit {
            b'.' => after_point = true,
            b'0'..=b'9' => {
                // Shortest digits of a double are 17 at most, so this cannot overflow.
                mantissa = mantissa.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
                exponent -= i16::from(after_point);
            }
            _ => {}
        }
    }
    without_trailing_zeros(if value < 0.0 { -mantissa } else { mantissa }, exponent)
}

/// The sum of two numbers as decimals; a double only if it needs more than 18 digits.
#[cold]
pub(super) fn add(left: Number, right: Number) -> Result<Number, Error> {
    let ((left_mantissa, left_exponent), (right_mantissa, right_exponent)) =
        (left.to_decimal(), right.to_decimal());
    if left_mantissa == 0 {
        return Ok(right);
    }
    if right_mantissa == 0 {
        return Ok(left);
    }
    let exponent = left_exponent.min(right_exponent);
    let aligned = |mantissa: i64, own: i16| {
        let shift = usize::try_from(own - exponent).ok()?;
        i128::from(mantissa).checked_mul(i128::from(*POWERS_OF_TEN.get(shift)?))
    };
    let sum = aligned(left_mantissa, left_exponent)
        .zip(aligned(right_mantissa, right_exponent))
        .and_then(|(left, right)| left.checked_add(right));
    match sum.map(|sum| narrowed(sum, exponent)) {
        Some((mantissa, exponent)) if i64::try_from(mantissa).is_ok() => {
            Number::decimal(i64::try_from(mantissa).unwrap_or_default(), exponent)
        }
        _ => Number::new(left.to_f64() + right.to_f64()),
    }
}

/// Trailing zeros taken off a wide mantissa.
pub(crate) fn narrowed(mut mantissa: i128, mut exponent: i16) -> (i128, i16) {
    while mantissa != 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        exponent += 1;
    }
    (mantissa, exponent)
}

/// Order of two decimals without trailing zeros.
pub(super) fn compare(left: (i64, i16), right: (i64, i16)) -> Ordering {
    let by_sign = left.0.signum().cmp(&right.0.signum());
    if by_sign.is_ne() || left == right {
        return by_sign;
    }
    let magnitude = |(mantissa, exponent): (i64, i16)| {
        i32::from(exponent)
            + mantissa
                .unsigned_abs()
                .checked_ilog10()
                .map_or(0, |digits| digits as i32)
    };
    let by_magnitude = magnitude(left).cmp(&magnitude(right));
    if by_magnitude.is_ne() {
        return if left.0 < 0 {
            by_magnitude.reverse()
        } else {
            by_magnitude
        };
    }
    // Same number of digits before the point: the exponents differ by 18 at most.
    let least = left.1.min(right.1);
    let aligned = |(mantissa, exponent): (i64, i16)| {
        let shift = usize::try_from(exponent - least).unwrap_or_default();
        i128::from(mantissa) * i128::from(POWERS_OF_TEN.get(shift).copied().unwrap_or(1))
    };
    aligned(left).cmp(&aligned(right))
}

/// A little text on the stack.
struct Text {
    bytes: [u8; 64],
    length: usize,
}

impl Default for Text {
    fn default() -> Self {
        Self {
            bytes: [0; 64],
            length: 0,
        }
    }
}

impl Text {
    fn as_str(&self) -> &str {
        self.bytes
            .get(..self.length)
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes
            .get_mut(self.length..end)
            .ok_or(fmt::Error)?
            .copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
