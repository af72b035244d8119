//! SenML in CBOR. (RFC 8428 §6)

mod extension;
mod item;
mod number;
mod reader;

pub(crate) use item::chunks;
pub(crate) use reader::Reader;
