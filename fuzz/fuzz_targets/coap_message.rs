//! CoAP messages never panic and say themselves again in the same bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manywire_fuzz::coap::message(bytes));
