//! Numbers wider than a decimal: what CBOR's bignums and bigfloats may hold. (RFC 8949 §3.4)

use super::Number;
use super::decimal::{self, narrowed};
use crate::Error;

impl Number {
    /// `mantissa × 10^exponent`: a decimal if it fits, else the nearest double.
    pub(crate) fn from_wide(mantissa: i128, exponent: i64) -> Result<Self, Error> {
        if let (Ok(mantissa), Ok(exponent)) = (i64::try_from(mantissa), i16::try_from(exponent))
            && exponent.unsigned_abs() <= decimal::LEAST_EXPONENT.unsigned_abs()
        {
            return Self::decimal(mantissa, exponent);
        }
        let exponent = i16::try_from(exponent.clamp(-1000, 1000)).unwrap_or_default();
        let (narrow, narrow_exponent) = narrowed(mantissa, exponent);
        match i64::try_from(narrow) {
            Ok(mantissa) => Self::decimal(mantissa, narrow_exponent),
            Err(_) => Self::new(decimal::wide_to_f64(mantissa, exponent)),
        }
    }

    /// An unsigned integer of any length, most significant byte first; or minus one minus it.
    pub(crate) fn from_bignum(negative: bool, bytes: &[u8]) -> Result<Self, Error> {
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        let bytes = bytes.get(zeros..).unwrap_or_default();
        let (head, tail) = bytes.split_at(bytes.len().min(15));
        let head = head
            .iter()
            .fold(0i128, |value, &byte| value << 8 | i128::from(byte));
        if tail.is_empty() {
            return Self::from_wide(if negative { -1 - head } else { head }, 0);
        }
        // Whatever is cut off only matters as being not zero.
        let sticky = i128::from(tail.iter().any(|&byte| byte != 0));
        let bits = i64::try_from(tail.len() * 8).unwrap_or(i64::MAX);
        Self::from_binary(if negative { -(head | sticky) } else { head | sticky }, bits)
    }

    /// `mantissa × 2^exponent` as the nearest double.
    pub(crate) fn from_binary(mantissa: i128, exponent: i64) -> Result<Self, Error> {
        let mut value = mantissa as f64;
        let mut exponent = exponent.clamp(-4000, 4000);
        while exponent != 0 && value != 0.0 {
            let step = exponent.clamp(-1000, 1000);
            value *= f64::from_bits((1023 + step).unsigned_abs() << 52);
            exponent -= step;
        }
        Self::new(value)
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn wide_numbers_are_exact_or_the_nearest_double() {
        assert_eq!(Number::from_bignum(false, &[1, 0]).unwrap(), Number::integer(256));
        assert_eq!(
            Number::from_bignum(true, &[0, 0, 9]).unwrap(),
            Number::integer(-10)
        );
        let large = Number::from_bignum(false, &[0xff; 9]).unwrap();
        assert_eq!(large.to_f64(), 2f64.powi(72));
        assert_eq!(
            Number::from_bignum(false, &[0xff; 129]).unwrap_err().kind(),
            ErrorKind::NotFinite
        );
        assert_eq!(Number::from_binary(3, -1).unwrap().to_string(), "1.5");
        assert_eq!(
            Number::from_wide(1 << 100, -30).unwrap().to_f64(),
            1.2676506002282294
        );
    }
}
