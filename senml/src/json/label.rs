//! Labels as they stand in JSON text, as words to compare.

use crate::label::Label;

/// A known label as nearly every sender writes it: quote, one to three letters, quote, colon. All of it is compared at
/// once.
#[inline(always)]
pub(super) fn usual_label(bytes: &[u8]) -> Option<(Label, usize)> {
    let word = u64::from_le_bytes(*bytes.first_chunk()?);
    let label = match word as u32 {
        NAME => Label::Name,
        UNIT => Label::Unit,
        VALUE => Label::Value,
        TIME => Label::Time,
        SUM => Label::Sum,
        _ => return longer_label(word),
    };
    Some((label, 4))
}

#[inline]
fn longer_label(word: u64) -> Option<(Label, usize)> {
    const MASK: u64 = 0xff_ffff_ffff;
    let label = match word & MASK {
        STRING_VALUE => Label::StringValue,
        BOOLEAN_VALUE => Label::BooleanValue,
        DATA_VALUE => Label::DataValue,
        UPDATE_TIME => Label::UpdateTime,
        BASE_NAME => Label::BaseName,
        BASE_TIME => Label::BaseTime,
        BASE_UNIT => Label::BaseUnit,
        BASE_VALUE => Label::BaseValue,
        BASE_SUM => Label::BaseSum,
        CONTENT_FORMAT => Label::ContentFormat,
        _ => return None,
    };
    Some((label, 5))
}

pub(super) const NAME: u32 = u32::from_le_bytes(*b"\"n\":");
pub(super) const UNIT: u32 = u32::from_le_bytes(*b"\"u\":");
pub(super) const VALUE: u32 = u32::from_le_bytes(*b"\"v\":");
pub(super) const TIME: u32 = u32::from_le_bytes(*b"\"t\":");
const SUM: u32 = u32::from_le_bytes(*b"\"s\":");
const STRING_VALUE: u64 = u64::from_le_bytes(*b"\"vs\":\0\0\0");
const BOOLEAN_VALUE: u64 = u64::from_le_bytes(*b"\"vb\":\0\0\0");
const DATA_VALUE: u64 = u64::from_le_bytes(*b"\"vd\":\0\0\0");
const UPDATE_TIME: u64 = u64::from_le_bytes(*b"\"ut\":\0\0\0");
const BASE_NAME: u64 = u64::from_le_bytes(*b"\"bn\":\0\0\0");
const BASE_TIME: u64 = u64::from_le_bytes(*b"\"bt\":\0\0\0");
const BASE_UNIT: u64 = u64::from_le_bytes(*b"\"bu\":\0\0\0");
const BASE_VALUE: u64 = u64::from_le_bytes(*b"\"bv\":\0\0\0");
const BASE_SUM: u64 = u64::from_le_bytes(*b"\"bs\":\0\0\0");
const CONTENT_FORMAT: u64 = u64::from_le_bytes(*b"\"ct\":\0\0\0");
