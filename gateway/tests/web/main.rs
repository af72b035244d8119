//! HTTP and WebSocket, as clients see them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod dialects;
mod hostile;
mod http;
mod rights;
mod started;
mod tls;
mod websocket;
