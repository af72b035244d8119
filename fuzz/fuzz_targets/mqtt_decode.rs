//! Bytes are a packet, an error or too few, and a packet comes back from its bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manywire_fuzz::mqtt_codec::decode_and_encode(bytes));
