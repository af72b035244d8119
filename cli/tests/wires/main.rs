//! `manywire gateway`, `pub` and `sub` as a person uses them: the lines that the gateway prints are run by a shell.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod operator;
mod pasted;
mod process;
