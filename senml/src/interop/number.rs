//! Numbers through serde, CBOR's tagged ones among them.

use alloc::vec::Vec;
use core::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error as _, SeqAccess, VariantAccess, Visitor,
};

use super::deserialize::Nested;
use crate::{ErrorKind, ExtensionValue, Number};

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor::PLAIN)
    }
}

/// Takes every form a number has in the formats of serde; integers and decimal fractions stay exact.
pub(super) struct NumberVisitor {
    /// Whether tag 1 (a time) may stand around it.
    tagged_time: bool,
}

impl NumberVisitor {
    pub(super) const PLAIN: Self = Self { tagged_time: false };
    pub(super) const TIME: Self = Self { tagged_time: true };
}

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_i64<E>(self, value: i64) -> Result<Number, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Number, E> {
        Ok(value.into())
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Number, E> {
        Number::from_wide(value, 0).map_err(E::custom)
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Number, E> {
        match i128::try_from(value) {
            Ok(value) => self.visit_i128(value),
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Number, E> {
        Number::new(value).map_err(E::custom)
    }

    /// ciborium's way to say that there is a tag.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Number, A::Error> {
        let ((), contents) = tagged.variant_seed(AnyVariant)?;
        contents.tuple_variant(2, TaggedNumber(self))
    }
}

/// The variant says nothing that the tag after it does not.
struct AnyVariant;

impl<'de> DeserializeSeed<'de> for AnyVariant {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| ())
    }
}

/// A tag, and the number that the item after it makes with it. (RFC 8949 §3.4.3, §3.4.4)
struct TaggedNumber(NumberVisitor);

impl<'de> Visitor<'de> for TaggedNumber {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tagged number")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Number, A::Error> {
        let wrong = || A::Error::custom(ErrorKind::WrongType);
        let tag = pair.next_element::<u64>()?.ok_or_else(wrong)?;
        let number = match tag {
            1 if self.0.tagged_time => return pair.next_element::<Number>()?.ok_or_else(wrong),
            2 | 3 => {
                let bytes = pair.next_element::<Bytes>()?.ok_or_else(wrong)?;
                Number::from_bignum(tag == 3, &bytes.0)
            }
            4 | 5 => {
                let (exponent, mantissa) = pair.next_element::<(i64, Integer)>()?.ok_or_else(wrong)?;
                if tag == 4 {
                    Number::from_wide(mantissa.0, exponent)
                } else {
                    Number::from_binary(mantissa.0, exponent)
                }
            }
            _ => return Err(wrong()),
        };
        number.map_err(A::Error::custom)
    }
}

/// A tagged value in a field that is not known.
pub(super) fn tagged_value<'de, A: EnumAccess<'de>>(
    tagged: A,
    inside: Nested,
) -> Result<ExtensionValue, A::Error> {
    let ((), contents) = tagged.variant_seed(AnyVariant)?;
    contents.tuple_variant(2, TaggedValue(inside))
}

struct TaggedValue(Nested);

impl<'de> Visitor<'de> for TaggedValue {
    type Value = ExtensionValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tagged value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<ExtensionValue, A::Error> {
        let tag = pair.next_element::<u64>()?.unwrap_or_default();
        let value = pair.next_element_seed(self.0)?.unwrap_or(ExtensionValue::Null);
        Ok(ExtensionValue::tagged(tag, value))
    }
}

/// A byte string.
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_any(super::deserialize::BytesVisitor)
            .map(Self)
    }
}

/// An integer of up to 128 bits.
struct Integer(i128);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i128(IntegerVisitor).map(Self)
    }
}

struct IntegerVisitor;

impl Visitor<'_> for IntegerVisitor {
    type Value = i128;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }

    fn visit_i64<E>(self, value: i64) -> Result<i128, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<i128, E> {
        Ok(value.into())
    }

    fn visit_i128<E>(self, value: i128) -> Result<i128, E> {
        Ok(value)
    }
}
