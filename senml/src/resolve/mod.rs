//! From records to what they mean. (RFC 8428 §4.6)

mod context;
mod resolved;
mod resolver;

pub(crate) use context::Context;
pub use resolved::Resolved;
pub use resolver::{Readings, Resolver};
