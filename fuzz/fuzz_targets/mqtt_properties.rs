//! The builder of properties takes only what its packet may carry.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manywire_fuzz::mqtt_codec::properties(bytes));
