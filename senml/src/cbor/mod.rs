//! SenML in CBOR. (RFC 8428 §6)

mod chunk;

pub(crate) use chunk::chunks;
