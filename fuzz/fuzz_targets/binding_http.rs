//! An HTTP request names its topic, and any answer is a success or a refusal.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manywire_fuzz::bindings::http(bytes));
