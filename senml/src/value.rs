//! The value of a record: one of five kinds, so that a record with two values cannot be written down.

#[cfg(feature = "alloc")]
use alloc::{borrow::ToOwned, string::String, vec::Vec};

use crate::{Error, Number};

/// A value, borrowed. (RFC 8428 §4.2)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// `v`
    Number(Number),
    /// `vs`
    Text(&'a str),
    /// `vb`
    Boolean(bool),
    /// `vd`, decoded
    Data(&'a [u8]),
    /// `vlo`, a link to an instance of a LwM2M object, like `66:0`; registered by LwM2M 1.1
    ObjectLink(&'a str),
}

impl Value<'_> {
    /// The number, if it is one.
    #[must_use]
    pub const fn as_number(self) -> Option<Number> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }
}

impl From<Number> for Value<'_> {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Data(value)
    }
}

impl TryFrom<f64> for Value<'_> {
    type Error = Error;

    fn try_from(value: f64) -> Result<Self, Error> {
        Number::new(value).map(Self::Number)
    }
}

macro_rules! from_integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Value<'_> {
            fn from(value: $integer) -> Self {
                Self::Number(value.into())
            }
        }
    )*};
}
from_integers!(i8 i16 i32 i64 u8 u16 u32 u64);

/// A value, owned.
#[cfg(feature = "alloc")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueBuf {
    /// `v`
    Number(Number),
    /// `vs`
    Text(String),
    /// `vb`
    Boolean(bool),
    /// `vd`, decoded
    Data(Vec<u8>),
    /// `vlo`
    ObjectLink(String),
}

#[cfg(feature = "alloc")]
impl ValueBuf {
    /// The same value, borrowed.
    #[must_use]
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Self::Number(number) => Value::Number(*number),
            Self::Text(text) => Value::Text(text),
            Self::Boolean(value) => Value::Boolean(*value),
            Self::Data(data) => Value::Data(data),
            Self::ObjectLink(link) => Value::ObjectLink(link),
        }
    }
}

#[cfg(feature = "alloc")]
impl From<Value<'_>> for ValueBuf {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Number(number) => Self::Number(number),
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Boolean(value) => Self::Boolean(value),
            Value::Data(data) => Self::Data(data.to_owned()),
            Value::ObjectLink(link) => Self::ObjectLink(link.to_owned()),
        }
    }
}
