//! SenML in JSON. (RFC 8428 §5)

mod escape;
mod extension;
mod label;
mod reader;

pub(crate) use escape::unescape;
pub(crate) use reader::Reader;
