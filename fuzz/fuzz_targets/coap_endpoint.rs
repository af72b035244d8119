//! Two CoAP endpoints never panic, never grow without bound, and end every request once.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manywire_fuzz::coap::endpoint(bytes));
