//! Channels, subtopics and filters of SuperMQ, Magistrala and Mainflux, in every protocol's form.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

mod channel;
mod cursor;
mod dialect;
mod error;
mod filter;
#[cfg(feature = "alloc")]
mod filter_set;
mod health;
mod layout;
mod level;
mod mqtt;
#[cfg(feature = "alloc")]
mod owned;
mod platform;
mod print;
mod scan;
mod swar;
mod topic;

pub use channel::Channel;
pub use dialect::{Dialect, Form};
pub use error::{Error, ErrorKind};
pub use filter::{Filter, Part, Parts};
#[cfg(feature = "alloc")]
pub use filter_set::{FilterSet, Matches};
pub use health::Health;
pub use level::{Level, Levels, Subtopic};
pub use mqtt::{mqtt_matches, split_share};
#[cfg(feature = "alloc")]
pub use owned::{ChannelBuf, FilterBuf, TopicBuf};
pub use platform::{Action, AsPlatform, PlatformSubtopic, parse_as_platform};
pub use print::Printed;
pub use topic::Topic;

/// The most levels a subtopic may have; mosquitto stops at 200, and nobody is known to need ten.
pub const MAX_LEVELS: usize = 128;
