//! The forms of a number in CBOR. (RFC 8428 §6, RFC 8949 §3.4)

use alloc::borrow::Cow;

use super::item::{ARRAY, BYTES, Cursor, Head, NEGATIVE, SIMPLE, TAG, UNSIGNED, chunks};
use crate::number::Repr;
use crate::{Error, ErrorKind, Number, Strictness, strictness};

/// Reads a number at `at` in a usual form: a float, an integer of up to 32 bits, or a decimal fraction of such. Where it
/// ends, or nothing if it is anything else.
#[inline(always)]
pub(super) fn read_usual(bytes: &[u8], at: usize) -> Option<(Number, usize)> {
    let float = match bytes.get(at..)? {
        [0xfb, rest @ ..] => (f64::from_bits(u64::from_be_bytes(*rest.first_chunk()?)), at + 9),
        [0xfa, rest @ ..] => (
            f64::from(f32::from_bits(u32::from_be_bytes(*rest.first_chunk()?))),
            at + 5,
        ),
        [0xf9, high, low, ..] => (half_to_f64(u16::from_be_bytes([*high, *low])), at + 3),
        [0xc4, 0x82, exponent @ 0x20..=0x2b, ..] => {
            let (mantissa, end) = usual_integer(bytes, at + 3)?;
            let exponent = -1 - i16::from(exponent & 0x1f);
            return Some((Number::from_repr(Repr::Decimal { mantissa, exponent }), end));
        }
        _ => return usual_integer(bytes, at).map(|(integer, end)| (Number::integer(integer), end)),
    };
    Some((Number::new(float.0).ok()?, float.1))
}

/// An integer of up to 32 bits, and where it ends.
#[inline(always)]
fn usual_integer(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let (magnitude, end) = match bytes.get(at..)? {
        [head @ (0..=0x17 | 0x20..=0x37), ..] => (i64::from(head & 0x1f), at + 1),
        [0x18 | 0x38, byte, ..] => (i64::from(*byte), at + 2),
        [0x19 | 0x39, rest @ ..] => (i64::from(u16::from_be_bytes(*rest.first_chunk()?)), at + 3),
        [0x1a | 0x3a, rest @ ..] => (i64::from(u32::from_be_bytes(*rest.first_chunk()?)), at + 5),
        _ => return None,
    };
    let negative = *bytes.get(at)? >= 0x20;
    Some((if negative { -1 - magnitude } else { magnitude }, end))
}

/// Reads an integer, a float or a decimal fraction; around times also tag 1.
#[inline]
pub(super) fn read(cursor: &mut Cursor<'_>, rules: &Strictness, is_time: bool) -> Result<Number, Error> {
    let at = cursor.at;
    let head = cursor.head()?;
    match head.major {
        UNSIGNED => Ok(Number::from(head.argument)),
        NEGATIVE => Ok(negative(head.argument)),
        SIMPLE => float(head)
            .ok_or(ErrorKind::WrongType)
            .and_then(|float| Number::new(float).map_err(|e| e.kind())),
        TAG => return tagged(cursor, head.argument, rules, is_time).map_err(|error| placed(error, at)),
        _ => Err(ErrorKind::WrongType),
    }
    .map_err(|kind| Error::new(kind).at_byte(at))
}

#[inline]
fn negative(argument: u64) -> Number {
    match i64::try_from(argument) {
        Ok(argument) => Number::integer(-1 - argument),
        Err(_) => Number::from_wide(-1 - i128::from(argument), 0).unwrap_or_default(),
    }
}

#[inline]
pub(super) fn float(head: Head) -> Option<f64> {
    match head.short {
        25 => Some(half_to_f64(head.argument as u16)),
        26 => Some(f64::from(f32::from_bits(head.argument as u32))),
        27 => Some(f64::from_bits(head.argument)),
        _ => None,
    }
}

/// Half precision: sign, 5 bits of exponent, 10 of fraction. (RFC 8949 appendix D)
fn half_to_f64(half: u16) -> f64 {
    let (exponent, fraction) = (half >> 10 & 0x1f, u64::from(half & 0x3ff));
    let magnitude = match exponent {
        0 => fraction as f64 / 16_777_216.0,
        31 if fraction == 0 => f64::INFINITY,
        31 => f64::NAN,
        _ => f64::from_bits((u64::from(exponent) + 1008) << 52 | fraction << 42),
    };
    if half & 0x8000 == 0 { magnitude } else { -magnitude }
}

#[cold]
fn tagged(cursor: &mut Cursor<'_>, tag: u64, rules: &Strictness, is_time: bool) -> Result<Number, Error> {
    match tag {
        1 if is_time => {
            rules.allow(strictness::TAGGED_TIMES, ErrorKind::NumberForm)?;
            read(cursor, rules, false)
        }
        4 => {
            let (exponent, mantissa) = pair(cursor, rules)?;
            Number::from_wide(mantissa, exponent)
        }
        5 => {
            rules.allow(strictness::LARGE_NUMBERS, ErrorKind::NumberForm)?;
            let (exponent, mantissa) = pair(cursor, rules)?;
            Number::from_binary(mantissa, exponent)
        }
        2 | 3 => {
            rules.allow(strictness::LARGE_NUMBERS, ErrorKind::NumberForm)?;
            let bytes = bignum_bytes(cursor, rules)?;
            Number::from_bignum(tag == 3, &bytes)
        }
        _ => Err(Error::new(ErrorKind::WrongType)),
    }
}

/// The array of exponent and mantissa after tag 4 or 5. (RFC 8949 §3.4.4)
fn pair(cursor: &mut Cursor<'_>, rules: &Strictness) -> Result<(i64, i128), Error> {
    let array = cursor.head()?;
    if array.major != ARRAY || array.is_indefinite() || array.argument != 2 {
        return Err(Error::new(ErrorKind::WrongType));
    }
    let exponent = integer(cursor.head()?).and_then(|exponent| i64::try_from(exponent).ok());
    let mantissa = cursor.head()?;
    let mantissa = match (integer(mantissa), mantissa.argument) {
        (None, tag @ (2 | 3)) if mantissa.major == TAG => {
            rules.allow(strictness::LARGE_NUMBERS, ErrorKind::NumberForm)?;
            wide(tag == 3, &bignum_bytes(cursor, rules)?)
        }
        (integer, _) => integer,
    };
    exponent.zip(mantissa).ok_or(Error::new(ErrorKind::WrongType))
}

fn integer(head: Head) -> Option<i128> {
    match head.major {
        UNSIGNED => Some(i128::from(head.argument)),
        NEGATIVE => Some(-1 - i128::from(head.argument)),
        _ => None,
    }
}

/// A bignum of at most 127 bits.
fn wide(negative: bool, bytes: &[u8]) -> Option<i128> {
    let magnitude = bytes.iter().try_fold(0i128, |value, &byte| {
        value.checked_mul(256)?.checked_add(i128::from(byte))
    })?;
    Some(if negative { -1 - magnitude } else { magnitude })
}

fn bignum_bytes<'a>(cursor: &mut Cursor<'a>, rules: &Strictness) -> Result<Cow<'a, [u8]>, Error> {
    let head = cursor.head()?;
    match head.major {
        BYTES if head.is_indefinite() => {
            let parts = cursor.take_chunks(BYTES, rules)?;
            Ok(chunks(parts).flatten().copied().collect())
        }
        BYTES => cursor.take(head.argument).map(Cow::Borrowed),
        _ => Err(Error::new(ErrorKind::WrongType)),
    }
}

/// The error, at `at` if it does not say where.
fn placed(error: Error, at: usize) -> Error {
    if error.at() == 0 { error.at_byte(at) } else { error }
}
