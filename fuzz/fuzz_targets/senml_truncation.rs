//! No part of a pack is a pack, and a stream is the same however it is cut.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manywire_fuzz::senml::truncation(bytes));
