//! Channels, subtopics and filters of SuperMQ, Magistrala and Mainflux, in every protocol's form.
//!
//! A message is published to a [`Topic`]: a [`Channel`] and a concrete subtopic. A [`Filter`] is what one subscribes
//! to: a channel and a subtopic with wildcards. The same address looks different as a URL path, an MQTT topic, a NATS
//! subject and an AMQP routing key, and means different things to different generations of the platform; this crate
//! is the one place that knows how. It borrows what it reads, decodes lazily, allocates nothing, and needs no `std`.
//!
//! ```
//! use manywire_topics::{Dialect, Filter, Form, Topic};
//!
//! let topic = Topic::parse(Dialect::Channels, Form::Path, "/channels/1/messages/living%20room/temperature")?;
//! assert_eq!(topic.subtopic().to_string(), "living room.temperature");
//! assert_eq!(topic.display(Form::Mqtt)?.to_string(), "channels/1/messages/living room/temperature");
//!
//! let filter = Filter::parse(Dialect::Channels, Form::Mqtt, "channels/1/messages/+/temperature")?;
//! assert_eq!(filter.display(Form::Nats)?.to_string(), "channels.1.*.temperature");
//! assert!(filter.matches(topic));
//!
//! let error = Topic::parse(Dialect::Channels, Form::Mqtt, "channels/1/messages/a.b*c.d").unwrap_err();
//! assert_eq!((error.at(), error.rule()), (23, "a wildcard must be a whole level"));
//! # Ok::<(), manywire_topics::Error>(())
//! ```
//!
//! # Grammar
//!
//! ```text
//! channels = ["/"] "channels/" id "/messages" ["/" subtopic]         ; Dialect::Channels
//! domains  = ["/"] "m/" name "/c/" name ["/" subtopic]               ; Dialect::Domains, Dialect::FluxMq
//! health   = ["/"] "hc/" name                                        ; of these two
//! subject  = "channels." id ["." subtopic] / "m." name ".c." name ["." subtopic]
//! id       = 1*(ALPHA / DIGIT / "_" / "-")
//! name     = uuid / route             ; route: a letter, up to 35 of id's characters, no "__", no "--"
//! subtopic = level *(separator level) ; separator: "/" or "."; "/" on FluxMq; "." in a subject
//! level    = 1*character / "*" / "+" / ">" / "#"     ; wildcards in filters only, ">" and "#" at the end only
//! character: none of / * + > #, no control characters; per dialect and form, see below
//! ```
//!
//! # Dialects
//!
//! | | [`Channels`](Dialect::Channels) | [`Domains`](Dialect::Domains) | [`FluxMq`](Dialect::FluxMq) |
//! |---|---|---|---|
//! | spoken by | Mainflux, Magistrala to 0.15, SuperMQ 0.16 | SuperMQ 0.17 to 0.19 | Magistrala from 0.20 |
//! | URL path, MQTT topic | `channels/1/messages/a/b` | `m/d/c/ch/a/b` | `m/d/c/ch/a/b` |
//! | NATS subject | `channels.1.a.b` | `m.d.c.ch.a.b` | `m.d.c.ch.a.b` (not used there) |
//! | AMQP routing key | `channels.1.a.b` | `m.d.c.ch.a.b` | `$queue/m/d/c/ch/a/b` |
//! | names | an id | ids or routes | ids or routes |
//! | separators | `/` and `.` | `/` and `.` | `/` |
//! | `a///b` | `a.b` | refused | refused |
//! | `a.b` | two levels | two levels | one level |
//! | a space | allowed, but not on NATS | refused | refused |
//! | `+` in a path | a space; alone: refused | a wildcard in filters | a wildcard in filters |
//! | wildcards in a path | `*` `>` | `*` `>` `+` | `+` `#` |
//! | wildcards on MQTT | `+` `#`, and `*` `>` | `+` `#`, and `*` `>` | `+` `#` |
//! | `?` | ends a path; refused on MQTT | refused in a path | refused in a path |
//! | `%` itself | in a path (`%25`) | refused | refused |
//!
//! # Traps
//!
//! The platform takes some texts with a meaning that nobody has in mind: a `+` that publishes to the channel itself, a
//! query string that becomes part of a topic, secret included. [`Topic`] and [`Filter`] refuse these with an error
//! that names the trap ([`Error::is_trap`]); [`parse_as_platform`] says what a deployed platform makes of them.
//!
//! Printing is as careful as reading: what a form would turn into another topic it refuses to carry. A round trip
//! through any form gives the same topic or an error.
//!
//! # Constants
//!
//! Reading is `const`, so an address in the source can be checked when it is compiled:
//!
//! ```
//! use manywire_topics::{Dialect, Form, Topic};
//!
//! const ALARM: Topic<'static> = match Topic::parse(Dialect::Channels, Form::Mqtt, "channels/1/messages/alarm") {
//!     Ok(topic) => topic,
//!     Err(error) => panic!("{}", error.rule()),
//! };
//! assert_eq!(ALARM.channel().id(), "1");
//! ```
//!
//! With a `*` in it, this does not compile:
//!
//! ```compile_fail
//! use manywire_topics::{Dialect, Form, Topic};
//!
//! const ALARM: Topic<'static> = match Topic::parse(Dialect::Channels, Form::Mqtt, "channels/1/messages/*") {
//!     Ok(topic) => topic,
//!     Err(error) => panic!("{}", error.rule()),
//! };
//! assert_eq!(ALARM.channel().id(), "1");
//! ```
//!
//! # Features
//!
//! `alloc` (default): the owned twins [`ChannelBuf`], [`TopicBuf`] and [`FilterBuf`], and [`FilterSet`], which finds
//! the filters that match a topic among millions.
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

/// The examples of the README, tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
