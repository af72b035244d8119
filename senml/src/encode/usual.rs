//! The usual record (a short name, a unit, a number, a time) in a few machine words.
//!
//! Writes what [`Writer`](super::Writer) would write: a law that the tests check.

use super::{Buffer, Decimals, cbor, number_text};
use crate::number::Repr;
use crate::{Format, Number, Record, ValueBuf, swar};

/// The parts of a usual record.
struct Usual<'a> {
    name: &'a str,
    unit: Option<&'a str>,
    value: Number,
    time: Option<Number>,
}

impl<'a> Usual<'a> {
    #[inline(always)]
    fn of(record: &'a Record) -> Option<Self> {
        let Some(ValueBuf::Number(value)) = record.value else {
            return None;
        };
        let plain = record.base.is_none()
            && record.sum.is_none()
            && record.update_time.is_none()
            && record.content_format.is_none()
            && record.extensions.is_empty();
        let (name, unit) = (record.name.as_deref()?, record.unit.as_deref());
        (plain && name.len() <= 80 && unit.is_none_or(|unit| unit.len() < 24)).then_some(Self {
            name,
            unit,
            value,
            time: record.time,
        })
    }
}

/// Bytes that any usual record fits, with some to spare: stores are eight bytes wide, or as wide as a number can be,
/// whatever they hold.
const ROOM: usize = 256;

impl Buffer<'_> {
    /// Writes the record if it is usual and there is plenty of room; says whether it did.
    #[inline]
    pub(crate) fn put_usual(&mut self, record: &Record, format: Format, decimals: Decimals) -> bool {
        let written = Usual::of(record).zip(self.room()).and_then(|(usual, bytes)| {
            let room = Room { bytes, at: 0 };
            match format {
                Format::Json => room.json(&usual),
                Format::Cbor => room.cbor(&usual, decimals),
            }
        });
        written.inspect(|length| self.advance(*length)).is_some()
    }
}

/// Room that is large enough for anything written here.
struct Room<'b> {
    bytes: &'b mut [u8; ROOM],
    at: usize,
}

impl Room<'_> {
    #[inline(always)]
    fn cbor(mut self, usual: &Usual<'_>, decimals: Decimals) -> Option<usize> {
        let members = 2 + u8::from(usual.unit.is_some()) + u8::from(usual.time.is_some());
        let (members, name) = (u64::from(members), usual.name.len() as u64);
        // The head of the map, and the label and the head of the name.
        if name < 24 {
            self.put(0xa0 | members | (0x60 | name) << 16, 3)?;
        } else {
            self.put(0xa0 | members | 0x78 << 16 | name << 24, 4)?;
        }
        self.copy(usual.name)?;
        if let Some(unit) = usual.unit {
            self.put(1 | (0x60 | unit.len() as u64) << 8, 2)?;
            self.copy(unit)?;
        }
        self.cbor_member(2, usual.value, decimals)?;
        if let Some(time) = usual.time {
            self.cbor_member(6, time, decimals)?;
        }
        Some(self.at)
    }

    #[inline(always)]
    fn cbor_member(&mut self, label: u8, number: Number, decimals: Decimals) -> Option<()> {
        match cbor_number(number) {
            Some((word, length)) if decimals == Decimals::Fractions => {
                self.put(word << 8 | u64::from(label), length + 1)
            }
            _ => {
                self.put(u64::from(label), 1)?;
                self.at = any_in_cbor(self.bytes, self.at, number, decimals)?;
                Some(())
            }
        }
    }

    #[inline(always)]
    fn json(mut self, usual: &Usual<'_>) -> Option<usize> {
        // A name of a pack was checked when its record came in, and has nothing to escape.
        let unit = usual.unit.unwrap_or_default();
        if !swar::is_plain(unit.as_bytes()) {
            return None;
        }
        self.put(word(b"{\"n\":\"\0\0"), 6)?;
        self.copy(usual.name)?;
        if usual.unit.is_some() {
            self.put(word(b"\",\"u\":\"\0"), 7)?;
            self.copy(unit)?;
        }
        self.put(word(b"\",\"v\":\0\0"), 6)?;
        self.json_number(usual.value)?;
        if let Some(time) = usual.time {
            self.put(word(b",\"t\":\0\0\0"), 5)?;
            self.json_number(time)?;
        }
        self.put(word(b"}\0\0\0\0\0\0\0"), 1)?;
        Some(self.at)
    }

    #[inline(always)]
    fn json_number(&mut self, number: Number) -> Option<()> {
        match json_number(number) {
            Some((word, length)) => self.put(word, length),
            None => {
                self.at = any_in_json(self.bytes, self.at, number)?;
                Some(())
            }
        }
    }

    /// Writes the `length` lowest bytes of a word, and rubbish after them that is overwritten next. (Not an array: putting
    /// one together byte by byte, to read it back as a word, stalls.)
    #[inline(always)]
    fn put(&mut self, word: u64, length: usize) -> Option<()> {
        *self.bytes.get_mut(self.at..)?.first_chunk_mut()? = word.to_le_bytes();
        self.at += length;
        Some(())
    }

    #[inline(always)]
    fn copy(&mut self, text: &str) -> Option<()> {
        let end = self.at + text.len();
        swar::copy(self.bytes.get_mut(self.at..end)?, text.as_bytes());
        self.at = end;
        Some(())
    }
}

/// Writes a number that takes more than a word, and says where it ends. The position is a value and not a place, so that
/// it stays in a register where numbers are short.
#[inline(never)]
fn any_in_cbor(bytes: &mut [u8; ROOM], at: usize, number: Number, decimals: Decimals) -> Option<usize> {
    let mut out = Buffer::resume(bytes, at);
    cbor::number(&mut out, number, decimals).ok()?;
    Some(out.position())
}

/// As [`any_in_cbor`], in JSON.
#[inline(never)]
fn any_in_json(bytes: &mut [u8; ROOM], at: usize, number: Number) -> Option<usize> {
    let mut out = Buffer::resume(bytes, at);
    number_text(&mut out, number).ok()?;
    Some(out.position())
}

#[inline(always)]
const fn word(bytes: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*bytes)
}

/// A number of at most seven bytes in CBOR, the first in the lowest byte, and how many.
///
/// Integers of 16 bits, and decimal fractions with such a mantissa unless a short float is exactly them.
#[inline(always)]
fn cbor_number(number: Number) -> Option<(u64, usize)> {
    let Repr::Decimal { mantissa, exponent } = number.repr() else {
        return None;
    };
    if exponent == 0 {
        return cbor_integer(mantissa);
    }
    if !(-9..0).contains(&exponent) {
        return None;
    }
    if mantissa % 5 == 0 {
        // It may have trailing zeros, or be a binary fraction.
        return if mantissa % 10 == 0 {
            None
        } else {
            halves(mantissa, exponent)
        };
    }
    let (integer, length) = cbor_integer(mantissa)?;
    let exponent = 0x20 | u64::from(exponent.unsigned_abs() - 1);
    Some((0x82c4 | exponent << 16 | integer << 24, length + 3))
}

/// A multiple of a half, quarter or eighth as a half-precision float, which is shorter than a decimal fraction.
#[inline(always)]
fn halves(mantissa: i64, exponent: i16) -> Option<(u64, usize)> {
    let fives = match exponent {
        -1 => 5,
        -2 => 25,
        -3 => 125,
        _ => return None,
    };
    let multiple = mantissa.unsigned_abs() / fives;
    if multiple * fives != mantissa.unsigned_abs() || multiple >= 2_048 {
        return None;
    }
    let top = multiple.checked_ilog2()?;
    let float = (15 + u64::from(top)).checked_sub(u64::from(exponent.unsigned_abs()))? << 10
        | ((multiple << (10 - top)) & 0x3ff)
        | if mantissa < 0 { 0x8000 } else { 0 };
    Some((0xf9 | u64::from((float as u16).swap_bytes()) << 8, 3))
}

#[inline(always)]
fn cbor_integer(integer: i64) -> Option<(u64, usize)> {
    let (major, argument) = if integer < 0 {
        (0x20, !integer as u64)
    } else {
        (0, integer as u64)
    };
    match argument {
        0..24 => Some((major | argument, 1)),
        24..0x100 => Some((major | 24 | argument << 8, 2)),
        0x100..0x1_0000 => Some((major | 25 | u64::from((argument as u16).swap_bytes()) << 8, 3)),
        _ => None,
    }
}

/// A number of at most eight characters, the first in the lowest byte, and how many.
#[inline(always)]
fn json_number(number: Number) -> Option<(u64, usize)> {
    let Repr::Decimal { mantissa, exponent } = number.repr() else {
        return None;
    };
    let magnitude = mantissa.unsigned_abs();
    if magnitude >= 1_000_000 || (exponent != 0 && (mantissa % 10 == 0 || !(-6..0).contains(&exponent))) {
        return None;
    }
    let places = usize::from(exponent.unsigned_abs());
    // At least one digit before the point.
    let digits = (magnitude.checked_ilog10().unwrap_or(0) as usize + 1).max(places + 1);
    if digits > 6 {
        return None;
    }
    let mut text = swar::to_digits(magnitude) >> ((8 - digits) * 8);
    let mut length = digits;
    if places > 0 {
        let whole = swar::first_bytes(digits - places);
        let shift = (digits - places) * 8;
        text = (text & whole) | u64::from(b'.') << shift | (text & !whole) << 8;
        length += 1;
    }
    if mantissa < 0 {
        text = text << 8 | u64::from(b'-');
        length += 1;
    }
    Some((text, length))
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;
    use crate::encode::Writer;
    use crate::fields::Fields;

    #[test]
    fn usual_records_are_written_as_any_other() {
        let numbers = [
            0, 1, -1, 9, 10, 23, 24, 255, 256, 999, 1_000, 2_317, 65_535, 65_536, 999_999, -999_999,
            1_000_000,
        ];
        for mantissa in numbers.into_iter().chain((0..70_000).step_by(37)) {
            for exponent in -8..3 {
                let number = Number::decimal(mantissa, exponent).unwrap();
                let record = Record::new("temp").with_unit("Cel").with_value(number).unwrap();
                assert!(check(&record.with_time(number)), "it is usual");
            }
        }
        for length in (1..30).chain([79, 80, 81]) {
            let text = "a".repeat(length);
            check(&Record::new(text.clone()).with_value(1).unwrap());
            check(&Record::new(text.clone()).with_unit(text).with_value(1.5).unwrap());
        }
        check(&Record::new("a").with_unit("\"").with_value(1).unwrap());
    }

    /// Checks that the record is written as any other, and says whether it is usual in both formats.
    fn check(record: &Record) -> bool {
        let mut usual = true;
        for format in [Format::Json, Format::Cbor] {
            let mut bytes = [0; 512];
            let mut out = Buffer::new(&mut bytes);
            if !out.put_usual(record, format, Decimals::Fractions) {
                usual = false;
                continue;
            }
            let written = out.into_written();
            let mut bytes = [0; 512];
            let mut writer = Writer {
                out: Buffer::new(&mut bytes),
                format,
                decimals: Decimals::Fractions,
            };
            let mut fields = Fields::EMPTY;
            record.borrow_into(&mut fields);
            writer.record(&fields, 0, |_| Ok(())).unwrap();
            assert_eq!(written, writer.out.into_written(), "{record:?}");
        }
        usual
    }

    #[test]
    fn small_numbers_are_usual() {
        let text = |number: &str| {
            let (word, length) = json_number(number.parse().unwrap()).unwrap();
            std::string::String::from_utf8(word.to_le_bytes()[..length].to_vec()).unwrap()
        };
        for number in ["0", "7", "-5", "23.1", "0.25", "-0.001", "99999.9", "999999"] {
            assert_eq!(text(number), number.to_string());
        }
    }
}
