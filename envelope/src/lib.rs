//! What SuperMQ, Magistrala and Mainflux put on their message broker.
//!
//! Every adapter of the platform wraps a message in an [`Envelope`] and publishes it on NATS or RabbitMQ; its writers
//! and its rules read them there. The envelope is a small protobuf message whose field numbers changed when domains
//! came, so [`Envelope::encode`] and [`Envelope::decode`] take the [`Dialect`](manywire_topics::Dialect):
//!
//! | field | `Channels` | `Domains`, `FluxMq` |
//! |---|---|---|
//! | `channel` | 1 | 1 |
//! | `domain` | | 2 |
//! | `subtopic`, its levels separated by `.` (by `/` on `FluxMq`) | 2 | 3 |
//! | `publisher`, the id of the thing | 3 | 4 |
//! | `protocol`: `http`, `websocket`, `mqtt`, `coap` | 4 | 5 |
//! | `payload` | 5 | 6 |
//! | `created`, in nanoseconds since 1970 | 6 | 7 |
//! | `client_id`, of the connection | | 8 on `FluxMq` |
//!
//! Where a message goes is said twice, in the envelope and in the address it is published to. The address is a
//! [`Topic`](manywire_topics::Topic) printed as [`Form::Nats`](manywire_topics::Form::Nats) or
//! [`Form::Amqp`](manywire_topics::Form::Amqp); the other names are in [`nats`] and [`amqp`].
//!
//! Eight fields of three wire types are read and written here by hand: a general protobuf library would bring a code
//! generator, copy every field out of the message, and need `alloc`.
//!
//! # Features
//!
//! `alloc` (default): [`Envelope::encode_to_vec`].
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod amqp;
mod envelope;
mod error;
pub mod nats;
mod wire;

pub use envelope::Envelope;
pub use error::{Error, ErrorKind};

/// The examples of the README, tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
