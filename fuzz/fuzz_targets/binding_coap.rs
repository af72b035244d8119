//! A CoAP request names its topic, and any answer is understood or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manywire_fuzz::bindings::coap(bytes));
