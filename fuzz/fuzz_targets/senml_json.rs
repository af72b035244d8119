//! The JSON reader takes and finds what serde_json does.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manywire_fuzz::senml::json(bytes));
