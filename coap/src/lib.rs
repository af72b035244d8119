//! The CoAP exchange layer (RFC 7252, 7641, 7959): sans-I/O, right on a bad network.
#![no_std]
