//! The codec asks the allocator for nothing: counted, for every type of packet, in both directions.
//!
//! Here and not beside the codec, because an allocator is `unsafe` and the codec's package forbids that.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use manywire_mqtt_codec::{Outcome, OwnedPacket, Policy, StreamDecoder, Version, decode, frame};

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to `System` unchanged; the counter is a plain thread-local cell without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `work` asked for memory.
fn allocations<T>(work: impl FnOnce() -> T) -> u64 {
    let before = COUNT.with(Cell::get);
    black_box(work());
    COUNT.with(Cell::get) - before
}

/// Every valid vector of the codec: name, version, bytes.
fn vectors() -> Vec<(&'static str, Version, Vec<u8>)> {
    let text = include_str!("../../mqtt-codec/tests/vectors/valid.txt");
    let vector = |line: &'static str| {
        let (name, digits) = line.split_once(": ").unwrap();
        let version = match name.split(' ').next() {
            Some("3.1") => Version::V31,
            Some("3.1.1") => Version::V311,
            _ => Version::V5,
        };
        let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        (name, version, digits.chunks(2).map(byte).collect())
    };
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(vector)
        .collect()
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| vec![1_u8]), 1);
}

#[test]
fn every_packet_is_decoded_and_encoded_without_allocating() {
    let mut buffer = [0; 1024];
    for (name, version, bytes) in vectors() {
        let count = allocations(|| {
            let (packet, _) = decode(&bytes, version, &Policy::STRICT)
                .unwrap()
                .complete()
                .unwrap();
            packet.encode(version, &mut buffer).unwrap()
        });
        assert_eq!(count, 0, "{name}");
        let count = allocations(|| {
            let owned = OwnedPacket::decode(&bytes[..], version, &Policy::STRICT)
                .unwrap()
                .complete()
                .unwrap();
            owned.packet().encoded_len(version)
        });
        assert_eq!(count, 0, "{name}, owned");
    }
}

#[test]
fn a_broken_packet_is_refused_without_allocating() {
    for (name, version, bytes) in vectors() {
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 0xff;
            let count = allocations(|| decode(&broken, version, &Policy::STRICT).map(|_| ()).is_err());
            assert_eq!(count, 0, "{name}, byte {at}");
        }
    }
}

#[test]
fn a_header_that_claims_256_megabytes_allocates_nothing() {
    let bomb = [0x30, 0xff, 0xff, 0xff, 0x7f];
    assert_eq!(allocations(|| frame(&bomb, Version::V5, &Policy::STRICT)), 0);
    assert_eq!(
        allocations(|| decode(&bomb, Version::V311, &Policy::STRICT).is_ok()),
        0
    );
    let mut decoder = StreamDecoder::new(Version::V311, Policy::STRICT);
    let asked = allocations(|| decoder.feed(&bomb).next().unwrap().is_none());
    assert!(asked <= 1, "{asked} allocations");
    assert_eq!(
        decoder.buffered(),
        5,
        "what was received is kept, what was claimed is not"
    );
}

#[test]
fn a_stream_allocates_only_for_its_first_split_packets() {
    let stream: Vec<u8> = vectors()
        .into_iter()
        .filter(|(_, version, bytes)| *version == Version::V5 && bytes[0] != 0x10)
        .flat_map(|(_, _, bytes)| bytes)
        .collect();
    let mut decoder = StreamDecoder::new(Version::V5, Policy::STRICT);
    let mut read = |chunk: usize| {
        for chunk in stream.chunks(chunk) {
            let mut packets = decoder.feed(chunk);
            while packets.next().unwrap().is_some() {}
        }
    };
    assert_eq!(allocations(|| read(stream.len())), 0, "whole");
    read(11);
    assert_eq!(
        allocations(|| read(11)),
        0,
        "in chunks, once the buffer has grown"
    );
}

#[test]
fn a_payload_in_pieces_is_never_gathered() {
    let mut decoder = StreamDecoder::new(Version::V311, Policy::STRICT);
    let head = [0x30, 0x83, 0x80, 0x80, 0x01, 0x00, 0x01, b't'];
    let chunk = [0x55; 4096];
    let count = allocations(|| {
        let mut received = 0;
        let mut packets = decoder.feed(&head);
        assert!(packets.next_piece(1024).unwrap().is_some());
        drop(packets);
        while received < 0x20_0000 {
            let mut packets = decoder.feed(&chunk);
            while let Some(manywire_mqtt_codec::Piece::Payload { bytes, .. }) =
                packets.next_piece(1024).unwrap()
            {
                received += bytes.len();
            }
        }
    });
    assert_eq!(count, 0);
    assert!(
        matches!(decode(&head, Version::V311, &Policy::STRICT), Ok(Outcome::Need(need)) if need.get() == 0x20_0000)
    );
}
