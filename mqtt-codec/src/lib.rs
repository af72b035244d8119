//! Bytes to MQTT 3.1, 3.1.1 and 5.0 packets and back: no_std, no allocation, strict.
#![no_std]
