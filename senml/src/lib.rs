//! SenML packs in JSON and CBOR (RFC 8428): exact, resolved in one pass, no_std.
#![no_std]
