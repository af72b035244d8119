//! Patches happen as a whole or not at all.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manywire_fuzz::senml::patch(bytes));
