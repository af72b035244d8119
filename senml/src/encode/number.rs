//! Numbers as text. (RFC 8428 §5)

use super::Buffer;
use crate::number::Repr;
use crate::{Error, Number};

/// Room for the text of any number: sign, 19 digits, point, zeros or exponent.
pub(crate) const NUMBER_LENGTH: usize = 32;

/// Whole numbers below this are written without an exponent.
const PLAIN: u64 = 1_000_000_000_000_000;

/// Writes the fewest digits.
///
/// Whole numbers up to 15 digits and fractions down to 0.00001 are written plainly, others with an exponent.
#[inline]
pub(crate) fn number_text(out: &mut Buffer<'_>, number: Number) -> Result<(), Error> {
    let (mantissa, exponent) = match number.repr() {
        Repr::Decimal {
            mantissa,
            exponent: 0,
        } if mantissa.unsigned_abs() < PLAIN => (mantissa, 0),
        Repr::Decimal { mantissa, exponent } if mantissa % 10 != 0 => (mantissa, exponent),
        Repr::Float(value) if value.to_bits() == (-0.0f64).to_bits() => return out.put(b"-0"),
        _ => number.to_decimal(),
    };
    if mantissa < 0 {
        out.put_byte(b'-')?;
    }
    let magnitude = mantissa.unsigned_abs();
    let length = magnitude.checked_ilog10().map_or(1, |log| log as usize + 1);
    if exponent == 0 {
        fill(out.reserve(length)?, magnitude);
        return Ok(());
    }
    let places = usize::from(exponent.unsigned_abs());
    if exponent < 0 && places < length {
        let (whole, fraction) = out.reserve(length + 1)?.split_at_mut(length - places);
        if let [point, fraction @ ..] = fraction {
            *point = b'.';
            fill(whole, fill(fraction, magnitude));
        }
        return Ok(());
    }
    unusual_text(out, magnitude, length, exponent)
}

/// Very large and very small numbers.
fn unusual_text(out: &mut Buffer<'_>, magnitude: u64, length: usize, exponent: i16) -> Result<(), Error> {
    let places = usize::from(exponent.unsigned_abs());
    if exponent < 0 && places < length + 5 {
        out.put(b"0.")?;
        fill(out.reserve(places)?, magnitude);
        return Ok(());
    }
    fill(out.reserve(length)?, magnitude);
    // Otherwise whichever is shorter.
    if exponent > 0 && (length + places <= 15 || places <= 2) {
        fill(out.reserve(places)?, 0);
        return Ok(());
    }
    out.put(if exponent < 0 { b"e-" } else { b"e" })?;
    let length = places.checked_ilog10().map_or(1, |log| log as usize + 1);
    fill(out.reserve(length)?, places as u64);
    Ok(())
}

/// Fills `room` with the last digits of `number`, and gives back the digits before them. Two digits at a time.
#[inline(always)]
fn fill(room: &mut [u8], mut number: u64) -> u64 {
    let mut pairs = room.rchunks_exact_mut(2);
    for pair in &mut pairs {
        let digits = PAIRS.get((number % 100) as usize).copied().unwrap_or_default();
        pair.copy_from_slice(&digits);
        number /= 100;
    }
    if let [digit] = pairs.into_remainder() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    number
}

/// `00` to `99`.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut rest: &mut [[u8; 2]] = &mut pairs;
    let mut number = 0;
    while let [pair, tail @ ..] = rest {
        *pair = [b'0' + number / 10, b'0' + number % 10];
        number += 1;
        rest = tail;
    }
    pairs
};
