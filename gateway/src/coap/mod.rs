//! CoAP: POST publishes, GET with Observe subscribes.
//!
//! One task serves the socket. The exchange layer ([`manywire_coap::Endpoint`]) does what RFC 7252, 7641 and 7959 ask
//! for; this adapter authenticates, authorises, and turns requests into messages and messages into notifications.
//!
//! | request | answer |
//! |---|---|
//! | POST | 2.01, when the broker has the message |
//! | GET, Observe 0 | 2.05 with Observe; then a notification per message |
//! | GET, Observe 1 | 2.05; no more notifications |
//! | GET without Observe | 4.02 |
//! | another method | 4.05 |
//! | a malformed path | 4.00 |
//! | no key, a wrong one, or not as the first query `auth=<key>` | 4.01 |
//! | a channel that the thing may not use, or that does not exist | 4.01; 4.03 in the newer generations |
//! | a body larger than a message may be | 4.13 |
//!
//! Notifications are confirmable, one at a time to an observer: what it has not acknowledged waits in its inbox, and
//! only a full inbox loses something, which ends the observation with 5.03. An observer that answers with Reset, or not
//! at all, is gone. Content-Format is the publisher's, where it has a number; the platform's clients ignore it.

mod random;
mod request;
pub(crate) mod secure;
mod server;
mod settings;
mod wire;

pub(crate) use self::server::serve;
pub use self::settings::CoapSettings;
