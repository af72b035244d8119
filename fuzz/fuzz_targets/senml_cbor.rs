//! The CBOR reader takes and finds what ciborium does.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manywire_fuzz::senml::cbor(bytes));
