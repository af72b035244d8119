//! SenML in CBOR. (RFC 8428 §6)

mod extension;
mod item;
mod number;
mod reader;

pub(crate) use item::{ARRAY, BREAK, BYTES, Cursor, MAP, SIMPLE, TAG, TEXT, chunks};
pub(crate) use reader::Reader;
