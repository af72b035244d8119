//! Packs mean the same however they are written.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manywire_fuzz::senml::same_meaning(bytes));
