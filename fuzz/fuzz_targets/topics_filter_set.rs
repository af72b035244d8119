#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manywire_fuzz::topics::filter_set(bytes));
