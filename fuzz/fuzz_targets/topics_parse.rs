//! Addresses never panic and mean to the platform what they mean here.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manywire_fuzz::topics::parse(bytes));
