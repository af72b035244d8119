//! SenML packs in JSON and CBOR (RFC 8428): exact, resolved in one pass, `no_std`.
//!
//! ```
//! use manywire_senml::{Format, Nanos};
//!
//! let bytes = br#"[{"bn":"room:","bt":1276020076,"n":"temp","u":"Cel","v":23.1},{"n":"open","t":-5,"vb":true}]"#;
//! let pack = manywire_senml::from_slice(bytes, Format::Json)?;
//! let resolved = pack.resolve(None)?;
//! let first = resolved.iter().next().ok_or("two readings")?;
//! assert_eq!(first.name, "room:open");
//! assert_eq!(first.time.since_1970(), Some(Nanos::from_seconds(1_276_020_071)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With the feature `serde` a `Pack` works with `serde_json`, `ciborium` and other self-describing formats, and the tests
//! and fuzz targets hold the readers of this crate against those two. The readers are its own, for unknown fields and rare
//! forms of numbers too: that keeps `no_std`, exact decimals, byte offsets in errors, limits of depth, and skipping without
//! allocation.
#![no_std]
// Without `alloc` there are no readers, and what only they use is unused.
#![cfg_attr(not(feature = "alloc"), allow(dead_code, unused_imports))]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod base64url;
#[cfg(feature = "alloc")]
mod batch;
#[cfg(feature = "alloc")]
mod cbor;
#[cfg(feature = "alloc")]
mod compact;
mod content_format;
mod encode;
mod error;
#[cfg(feature = "alloc")]
mod export;
#[cfg(feature = "alloc")]
mod extension;
#[cfg(feature = "alloc")]
mod fetch;
mod fields;
mod format;
mod fragment;
#[cfg(feature = "serde")]
mod interop;
#[cfg(feature = "alloc")]
mod json;
mod label;
mod name;
mod number;
#[cfg(feature = "alloc")]
mod pack;
#[cfg(feature = "alloc")]
mod patch;
mod reading;
#[cfg(feature = "alloc")]
mod record;
#[cfg(feature = "alloc")]
mod resolve;
#[cfg(feature = "alloc")]
mod source;
#[cfg(feature = "alloc")]
mod split;
mod stream;
mod strictness;
mod swar;
mod time;
#[cfg(feature = "alloc")]
mod transfer;
mod unit;
mod value;
mod version;

#[cfg(feature = "alloc")]
pub use batch::Batch;
pub use encode::{Decimals, Encoder, RecordRef};
pub use error::{Error, ErrorKind};
#[cfg(feature = "alloc")]
pub use extension::{Extension, ExtensionValue, Extensions};
#[cfg(feature = "alloc")]
pub use fetch::Fetch;
pub use format::{Format, MediaType};
pub use fragment::Fragment;
pub use number::Number;
#[cfg(feature = "alloc")]
pub use pack::Pack;
#[cfg(feature = "alloc")]
pub use patch::Patch;
pub use reading::Reading;
#[cfg(feature = "alloc")]
pub use reading::ReadingBuf;
#[cfg(feature = "alloc")]
pub use record::Record;
#[cfg(feature = "alloc")]
pub use resolve::{Readings, Resolved, Resolver};
#[cfg(feature = "alloc")]
pub use stream::StreamDecoder;
pub use stream::StreamEncoder;
pub use strictness::Strictness;
pub use time::{Nanos, Time};
#[cfg(feature = "alloc")]
pub use transfer::{from_slice, to_vec};
pub use unit::Unit;
pub use value::Value;
#[cfg(feature = "alloc")]
pub use value::ValueBuf;
pub use version::Version;

/// The examples of README.md are run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
