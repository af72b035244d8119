//! SensML: records as they come, without an end. (RFC 8428 §4.8)

#[cfg(feature = "alloc")]
mod boundary;
#[cfg(feature = "alloc")]
mod decoder;
mod encoder;

#[cfg(feature = "alloc")]
pub use decoder::StreamDecoder;
pub use encoder::StreamEncoder;
