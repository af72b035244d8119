//! A filter set finds what trying each filter finds.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manywire_fuzz::topics::filter_set(bytes));
