//! A round trip through any form keeps an address or refuses it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manywire_fuzz::topics::round_trip(bytes));
