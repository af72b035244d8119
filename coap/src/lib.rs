//! The CoAP exchange layer (RFC 7252, 7641, 7959): sans-I/O, right on a bad network.
//!
//! [`Endpoint`] is both ends of CoAP over datagrams. It owns no socket and no clock: datagrams and the time go in with
//! `handle_*`, datagrams and events come out with `poll_*`. Time is the [`Duration`](core::time::Duration) since an
//! origin of the caller's choice and must not run backwards; randomness is a [`Random`] handed in at the start.
//!
//! ```
//! use core::time::Duration;
//! use manywire_coap::{Code, Endpoint, Event, Message, Parameters};
//!
//! # let mut seed = 0_u64;
//! # let mut random = move || { seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407); seed };
//! # let random_too = random.clone();
//! let mut client = Endpoint::new(Parameters::default(), Box::new(random));
//! # let random = random_too;
//! let mut parameters = Parameters::default();
//! parameters.serve = true;
//! let mut server = Endpoint::new(parameters, Box::new(random));
//!
//! let now = Duration::ZERO;
//! let request = client.request(now, "server", Message::new(Code::POST).with_payload(b"21.5".to_vec()))?;
//! server.handle_datagram(now, "client", &client.poll_transmit().unwrap().datagram);
//! let Some(Event::Request { exchange, message, .. }) = server.poll_event() else { unreachable!() };
//! assert_eq!(message.payload(), b"21.5");
//! server.respond(now, exchange, Message::new(Code::CREATED))?;
//!
//! client.handle_datagram(now, "server", &server.poll_transmit().unwrap().datagram);
//! let Some(Event::Response { request: answered, message }) = client.poll_event() else { unreachable!() };
//! assert_eq!((answered, message.code()), (request, Code::CREATED));
//! # Ok::<(), manywire_coap::Error>(())
//! ```
//!
//! Messages are read and written by `coap-lite`; what it accepts against the standard, [`Message::decode`] refuses.
#![no_std]

extern crate alloc;
#[cfg(feature = "dtls")]
extern crate std;

mod block;
mod code;
mod content_format;
pub mod dtls;
mod duplicates;
mod endpoint;
mod error;
mod event;
mod message;
mod option;
mod parameters;
mod random;
mod timers;

pub use block::Block;
pub use code::Code;
pub use content_format::ContentFormat;
pub use endpoint::Endpoint;
pub use error::Error;
pub use event::{
    ConfirmId, Ended, Event, ExchangeId, Failure, Gone, ObservationId, ObserverId, PingId, RequestId,
    Transmit,
};
pub use message::{Kind, Message, Token};
pub use option::{OptionNumber, decode_uint, encode_uint};
pub use parameters::Parameters;
pub use random::Random;

/// The examples of README.md are run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
