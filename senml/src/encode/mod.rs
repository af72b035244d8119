//! Writing records: into a buffer that somebody else owns, without allocating.

mod buffer;
mod cbor;
mod encoder;
#[cfg(feature = "alloc")]
mod extension;
mod json;
mod number;
#[cfg(feature = "alloc")]
mod usual;
mod writer;

pub(crate) use buffer::Buffer;
pub(crate) use encoder::Guard;
pub use encoder::{Encoder, RecordRef};
pub(crate) use number::{NUMBER_LENGTH, number_text};
pub use writer::Decimals;
pub(crate) use writer::Writer;
