//! Numbers as JSON writes them. (RFC 8259 §6)

use super::{Number, POWERS_OF_TEN, Repr, decimal};
use crate::{Error, ErrorKind, swar};

/// Reads the number at `at`: the number and where it ends.
#[inline]
pub(crate) fn scan(bytes: &[u8], at: usize, upper_case_exponent: bool) -> Result<(Number, usize), Error> {
    match scan_usual(bytes, at) {
        Some(found) => Ok(found),
        None => scan_any(bytes.get(at..).unwrap_or_default(), upper_case_exponent)
            .map(|(number, length)| (number, at + length))
            .map_err(|error| error.at_byte(at + error.at())),
    }
}

/// Reads a number of at most 15 digits before the point and 7 after it, without exponent, and eight bytes before the
/// input ends: nearly every number, in two or three words.
#[inline(always)]
pub(crate) fn scan_usual(bytes: &[u8], at: usize) -> Option<(Number, usize)> {
    let negative = *bytes.get(at)? == b'-';
    let start = at + usize::from(negative);
    let first = swar::load(bytes, start)?;
    let mut length = swar::leading_digits(first);
    let mut mantissa = 0;
    if length == 8 {
        let word = swar::load(bytes, start + 8)?;
        let count = swar::leading_digits(word);
        if count == 8 {
            return None;
        }
        mantissa = swar::digits(first, 8) * *POWERS_OF_TEN.get(count)?;
        if count > 0 {
            mantissa += swar::digits(word, count);
        }
        length += count;
    } else if length > 0 {
        mantissa = swar::digits(first, length);
    }
    // No digit at all, or a leading zero: not here.
    if length == 0 || (first as u8 == b'0' && length > 1) {
        return None;
    }
    let (mut end, mut exponent) = (start + length, 0);
    if *bytes.get(end)? == b'.' {
        let word = swar::load(bytes, end + 1)?;
        let places = swar::leading_digits(word);
        if places == 0 || places == 8 || length + places > 18 {
            return None;
        }
        mantissa = mantissa * *POWERS_OF_TEN.get(places)? + swar::digits(word, places);
        exponent = -(places as i16);
        end += places + 1;
    }
    if matches!(bytes.get(end)?, b'e' | b'E') || (negative && mantissa == 0) {
        return None;
    }
    let mantissa = if negative {
        -(mantissa as i64)
    } else {
        mantissa as i64
    };
    Some((Number::from_repr(Repr::Decimal { mantissa, exponent }), end))
}

/// Reads the number at the start of `bytes`: the number and how many bytes it took.
fn scan_any(bytes: &[u8], upper_case_exponent: bool) -> Result<(Number, usize), Error> {
    let negative = bytes.first() == Some(&b'-');
    let start = usize::from(negative);
    let mut mantissa = 0;
    let mut at = digits(bytes, start, &mut mantissa);
    let mut significant = at - start;
    if significant == 0 || (significant > 1 && bytes.get(start) == Some(&b'0')) {
        return Err(malformed(bytes, start));
    }
    let mut exponent = 0;
    if bytes.get(at) == Some(&b'.') {
        let fraction = at + 1;
        at = digits(bytes, fraction, &mut mantissa);
        if at == fraction {
            return Err(malformed(bytes, at));
        }
        exponent = fraction as i64 - at as i64;
        significant += at - fraction;
    }
    if significant > 18 || matches!(bytes.get(at), Some(b'e' | b'E')) || (mantissa == 0 && negative) {
        return scan_unusual(bytes, at, upper_case_exponent);
    }
    let mantissa = if negative {
        -(mantissa as i64)
    } else {
        mantissa as i64
    };
    // At most 18 digits: the exponent is above -18 and the value a finite double.
    Ok((
        Number::from_repr(Repr::Decimal {
            mantissa,
            exponent: exponent as i16,
        }),
        at,
    ))
}

/// Adds the digits from `at` on to `mantissa` (wrapping: the caller counts them) and says where they end.
#[inline(always)]
fn digits(bytes: &[u8], mut at: usize, mantissa: &mut u64) -> usize {
    while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0'))
        && digit <= 9
    {
        *mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    at
}

/// An exponent, very many digits, or minus zero; `at` is where integer and fraction digits end.
#[cold]
fn scan_unusual(bytes: &[u8], at: usize, upper_case_exponent: bool) -> Result<(Number, usize), Error> {
    let mut end = at;
    if let Some(e @ (b'e' | b'E')) = bytes.get(at) {
        if *e == b'E' && !upper_case_exponent {
            return Err(Error::new(ErrorKind::NumberForm).at_byte(at));
        }
        let first = at + 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        end = digits(bytes, first, &mut 0);
        if end == first {
            return Err(malformed(bytes, end));
        }
    }
    let text = bytes
        .get(..end)
        .and_then(|text| core::str::from_utf8(text).ok())
        .unwrap_or_default();
    let value = text.parse().map_err(|_| Error::new(ErrorKind::JsonSyntax))?;
    // Out of the range of doubles is not a number of SenML. RFC 8428 §5
    let float = Number::new(value)?;
    let number = if value == 0.0 {
        float
    } else {
        exact(text).unwrap_or(float)
    };
    Ok((number, end))
}

/// The decimal the text says, if its digits fit.
fn exact(text: &str) -> Option<Number> {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let mut exponent: i64 = exponent.parse().ok()?;
    let (mut mantissa, mut zeros, mut after_point) = (0i64, 0u32, false);
    for byte in digits.bytes() {
        match byte {
            b'.' => after_point = true,
            b'0' => {
                zeros += 1;
                exponent -= i64::from(after_point);
            }
            b'1'..=b'9' => {
                let scale = if mantissa == 0 {
                    1
                } else {
                    10i64.checked_pow(zeros + 1)?
                };
                mantissa = mantissa.checked_mul(scale)?.checked_add(i64::from(byte - b'0'))?;
                zeros = 0;
                exponent -= i64::from(after_point);
            }
            _ => {}
        }
    }
    let exponent = i16::try_from(exponent.checked_add(i64::from(zeros))?).ok()?;
    if exponent < decimal::LEAST_EXPONENT {
        return None;
    }
    let mantissa = if text.starts_with('-') {
        -mantissa
    } else {
        mantissa
    };
    Number::decimal(mantissa, exponent).ok()
}

#[cold]
fn malformed(bytes: &[u8], at: usize) -> Error {
    let kind = if at >= bytes.len() {
        ErrorKind::Truncated
    } else {
        ErrorKind::JsonSyntax
    };
    Error::new(kind).at_byte(at)
}
