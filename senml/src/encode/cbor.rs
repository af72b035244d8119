//! Values in CBOR, each in its shortest form. (RFC 8428 §6, RFC 8949 §4.2)

use super::{Buffer, Decimals};
use crate::label::Label;
use crate::number::Repr;
use crate::{Error, Number};

const UNSIGNED: u8 = 0x00;
const NEGATIVE: u8 = 0x20;
const BYTES: u8 = 0x40;
pub(super) const TEXT: u8 = 0x60;
pub(super) const ARRAY: u8 = 0x80;
pub(super) const MAP: u8 = 0xa0;

/// Writes a head with the shortest argument.
#[inline(always)]
pub(super) fn head(out: &mut Buffer<'_>, major: u8, argument: u64) -> Result<(), Error> {
    if argument < 24 {
        out.put_byte(major | argument as u8)
    } else {
        long_head(out, major, argument)
    }
}

#[inline]
fn long_head(out: &mut Buffer<'_>, major: u8, argument: u64) -> Result<(), Error> {
    let (major, bits) = (u64::from(major), argument.swap_bytes());
    match argument {
        ..0x100 => out.put_word(major | 24 | argument << 8, 2),
        0x100..0x1_0000 => out.put_word(major | 25 | bits >> 48 << 8, 3),
        0x1_0000..0x1_0000_0000 => out.put_word(major | 26 | bits >> 32 << 8, 5),
        _ => {
            out.put_word(major | 27, 1)?;
            out.put_word(bits, 8)
        }
    }
}

/// How many bytes the head with this argument takes.
pub(super) const fn head_length(argument: u64) -> usize {
    match argument {
        0..=23 => 1,
        24..=0xff => 2,
        0x100..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}

/// The integer of the table; text for those which have none. (RFC 8428 §6, RFC 9193 §7.1)
#[inline(always)]
pub(super) fn label(out: &mut Buffer<'_>, label: Label) -> Result<(), Error> {
    match label.integer() {
        Some(integer) if integer < 0 => out.put_byte(NEGATIVE | (-1 - integer) as u8),
        Some(integer) => out.put_byte(integer as u8),
        None => text(out, label.text()),
    }
}

#[inline]
pub(super) fn text(out: &mut Buffer<'_>, text: &str) -> Result<(), Error> {
    string(out, TEXT, text.as_bytes())
}

pub(super) fn data(out: &mut Buffer<'_>, data: &[u8]) -> Result<(), Error> {
    string(out, BYTES, data)
}

#[inline(always)]
fn string(out: &mut Buffer<'_>, major: u8, bytes: &[u8]) -> Result<(), Error> {
    head(out, major, bytes.len() as u64)?;
    out.put(bytes)
}

pub(super) fn boolean(out: &mut Buffer<'_>, value: bool) -> Result<(), Error> {
    out.put_byte(if value { 0xf5 } else { 0xf4 })
}

#[inline]
pub(super) fn unsigned(out: &mut Buffer<'_>, value: u64) -> Result<(), Error> {
    head(out, UNSIGNED, value)
}

#[inline]
fn integer(out: &mut Buffer<'_>, value: i64) -> Result<(), Error> {
    match u64::try_from(value) {
        Ok(value) => head(out, UNSIGNED, value),
        Err(_) => head(out, NEGATIVE, value.unsigned_abs() - 1),
    }
}

/// Writes a number in the fewest bytes that read back as the same number.
///
/// Whole numbers are integers unless a float is shorter. Others are the shortest of the floats that are exactly them, a
/// decimal fraction, and the double that stands for them.
#[inline]
pub(super) fn number(out: &mut Buffer<'_>, number: Number, decimals: Decimals) -> Result<(), Error> {
    if let Repr::Decimal {
        mantissa,
        exponent: 0,
    } = number.repr()
        && mantissa.unsigned_abs() <= 0xffff_ffff
    {
        return integer(out, mantissa);
    }
    match number.repr() {
        Repr::Float(value) => float(out, value, decimals),
        Repr::Decimal { mantissa, exponent } if mantissa % 10 != 0 => {
            decimal(out, mantissa, exponent, decimals)
        }
        Repr::Decimal { .. } => {
            let (mantissa, exponent) = number.to_decimal();
            decimal(out, mantissa, exponent, decimals)
        }
    }
}

/// A double: as a shorter float if it is one, as a decimal if that is shorter.
fn float(out: &mut Buffer<'_>, value: f64, decimals: Decimals) -> Result<(), Error> {
    if (value as f32) as f64 == value && !is_small_integer(value) {
        return exact_float(out, value);
    }
    let number = Number::from_repr(Repr::Float(value));
    match number.to_few_digits() {
        Some((mantissa, exponent)) => decimal(out, mantissa, exponent, decimals),
        // More than nine places before which there is a digit: more than 32 bits of mantissa.
        None if value.abs() >= 1.0 && value.abs() < 1e9 => exact_float(out, value),
        None => {
            let (mantissa, exponent) = number.to_decimal();
            decimal(out, mantissa, exponent, decimals)
        }
    }
}

fn is_small_integer(value: f64) -> bool {
    value.abs() <= 4_294_967_295.0 && value as i64 as f64 == value && value.to_bits() != (-0.0f64).to_bits()
}

/// `mantissa × 10^exponent`, where the mantissa has no trailing zeros.
#[inline]
fn decimal(out: &mut Buffer<'_>, mantissa: i64, exponent: i16, decimals: Decimals) -> Result<(), Error> {
    let number = Number::from_repr(Repr::Decimal { mantissa, exponent });
    if exponent >= 0 {
        return whole(out, number, decimals);
    }
    let places = usize::from(exponent.unsigned_abs());
    // A binary fraction only if every 5 in 10^places cancels.
    let is_binary = |power: &i64| mantissa % power == 0;
    if mantissa % 5 == 0 && POWERS_OF_FIVE.get(places).is_some_and(is_binary) {
        let value = number.to_f64();
        if (value as f32) as f64 == value && number.is_its_double() {
            return exact_float(out, value);
        }
    }
    let fraction =
        2 + head_length(u64::from(exponent.unsigned_abs()) - 1) + head_length(head_argument(mantissa));
    if decimals == Decimals::Fractions && (fraction < 9 || !number.is_its_double()) {
        return decimal_fraction(out, mantissa, exponent);
    }
    exact_float(out, number.to_f64())
}

/// A whole number: as an integer if it is one of 64 bits and no float is shorter.
fn whole(out: &mut Buffer<'_>, number: Number, decimals: Decimals) -> Result<(), Error> {
    let value = number.to_f64();
    let faithful = number.is_its_double();
    let single = faithful && (value as f32) as f64 == value;
    match number.to_i64() {
        Some(exact) if !single || exact.unsigned_abs() <= 0xffff_ffff => return integer(out, exact),
        None if decimals == Decimals::Fractions && !single => {
            let (mantissa, exponent) = number.to_decimal();
            let length =
                2 + head_length(exponent.unsigned_abs().into()) + head_length(head_argument(mantissa));
            if length < 9 || !faithful {
                return decimal_fraction(out, mantissa, exponent);
            }
        }
        _ => {}
    }
    exact_float(out, value)
}

const fn head_argument(value: i64) -> u64 {
    if value < 0 {
        value.unsigned_abs() - 1
    } else {
        value.unsigned_abs()
    }
}

/// Tag 4: an array of exponent and mantissa. (RFC 8949 §3.4.4)
#[inline]
fn decimal_fraction(out: &mut Buffer<'_>, mantissa: i64, exponent: i16) -> Result<(), Error> {
    out.put_word(0x82c4, 2)?;
    integer(out, i64::from(exponent))?;
    integer(out, mantissa)
}

/// The shortest float that is exactly this double.
fn exact_float(out: &mut Buffer<'_>, value: f64) -> Result<(), Error> {
    let single = value as f32;
    if f64::from(single) != value {
        out.put_word(0xfb, 1)?;
        return out.put_word(value.to_bits().swap_bytes(), 8);
    }
    match half(single) {
        Some(half) => out.put_word(0xf9 | u64::from(half.swap_bytes()) << 8, 3),
        None => out.put_word(0xfa | u64::from(single.to_bits().swap_bytes()) << 8, 5),
    }
}

/// The half-precision float that is exactly this one. (RFC 8949 appendix D)
fn half(value: f32) -> Option<u16> {
    let bits = value.to_bits();
    let sign = (bits >> 16 & 0x8000) as u16;
    let magnitude = f32::from_bits(bits & 0x7fff_ffff);
    let exponent = (bits >> 23 & 0xff) as i32 - 127;
    if (-14..=15).contains(&exponent) {
        return (bits & 0x1fff == 0)
            .then_some(sign | ((exponent + 15) as u16) << 10 | (bits >> 13 & 0x3ff) as u16);
    }
    // Zero and subnormal halves: multiples of 2^-24 below 2^-14.
    let multiple = magnitude * 16_777_216.0;
    let whole = multiple as u16;
    (exponent < -14 && f32::from(whole) == multiple).then_some(sign | whole)
}

/// 5^0 to 5^27, as far as they fit.
const POWERS_OF_FIVE: [i64; 28] = {
    let mut powers = [1; 28];
    let mut rest: &mut [i64] = &mut powers;
    let mut power: i64 = 1;
    while let [first, tail @ ..] = rest {
        *first = power;
        power = power.wrapping_mul(5);
        rest = tail;
    }
    powers
};
