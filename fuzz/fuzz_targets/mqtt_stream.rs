//! A stream in chunks and in pieces is the stream as a whole.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manywire_fuzz::mqtt_codec::stream(bytes));
