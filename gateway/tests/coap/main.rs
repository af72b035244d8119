//! CoAP, as clients see it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod answers;
mod blocks;
mod device;
mod observers;
mod programs;
mod secure;
