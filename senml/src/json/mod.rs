//! SenML in JSON. (RFC 8428 §5)

mod escape;

pub(crate) use escape::unescape;
