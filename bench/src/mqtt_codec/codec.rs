//! What a contestant has to do, and the stage that `BytesMut` decoders perform on.

use std::hint::black_box;
use std::ops::AddAssign;

use bytes::{Buf, BytesMut};

use crate::race::{Contestant, contestant};

/// A codec of one MQTT version under test.
pub trait Codec: Sized {
    /// `manywire` or the name of the crate.
    const WHO: &'static str;
    /// What it makes of a packet.
    type Packet<'a>;

    /// A decoder with a buffer that can hold `capacity` bytes.
    fn new(capacity: usize) -> Self;

    /// Decodes every packet of a stream that lies in memory whole.
    fn whole(&mut self, stream: &[u8], visit: impl FnMut(&Self::Packet<'_>));

    /// Decodes every packet that is complete with this chunk.
    fn chunk(&mut self, chunk: &[u8], visit: impl FnMut(&Self::Packet<'_>));

    /// What the packet says, so that nobody wins by not reading.
    fn tally(packet: &Self::Packet<'_>) -> Tally;
}

/// How much was read: packets, bytes of text (topics, filters, user properties, identifiers) and bytes of payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub packets: usize,
    pub text: usize,
    pub payload: usize,
}

impl Tally {
    /// One packet with this much text and payload.
    pub fn packet(text: usize, payload: usize) -> Self {
        Self {
            packets: 1,
            text,
            payload,
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.text += other.text;
        self.payload += other.payload;
    }
}

/// The contestant that decodes `stream` in one piece, after it has shown that it reads all of it.
pub fn whole<C: Codec + 'static>(stream: &[u8], expected: Tally) -> Contestant<'_> {
    let mut codec = C::new(stream.len());
    let mut tally = Tally::default();
    codec.whole(stream, |packet| tally += C::tally(packet));
    assert_eq!(tally, expected, "{} reads something else", C::WHO);
    contestant(C::WHO, move || {
        codec.whole(black_box(stream), |packet| _ = black_box(packet))
    })
}

/// The contestant that decodes `stream` in chunks of 1,400 bytes, after it has shown that it reads all of it.
pub fn chunked<C: Codec + 'static>(stream: &[u8], expected: Tally) -> Contestant<'_> {
    const CHUNK: usize = 1_400;
    let mut codec = C::new(4 * CHUNK);
    let mut tally = Tally::default();
    for chunk in stream.chunks(CHUNK) {
        codec.chunk(chunk, |packet| tally += C::tally(packet));
    }
    assert_eq!(tally, expected, "{} reads something else", C::WHO);
    contestant(C::WHO, move || {
        for chunk in stream.chunks(CHUNK) {
            codec.chunk(black_box(chunk), |packet| _ = black_box(packet));
        }
    })
}

/// A decoder that takes packets off the front of a `BytesMut`, as tokio's `Decoder` does.
pub trait Decoder: Default {
    /// The name of the crate.
    const WHO: &'static str;
    /// Its packet, which owns what it holds.
    type Packet;

    /// The next packet, or nothing when the buffer does not hold all of it.
    fn next(&mut self, buffer: &mut BytesMut) -> Option<Self::Packet>;

    /// See [`Codec::tally`].
    fn tally(packet: &Self::Packet) -> Tally;
}

/// A [`Decoder`] with the buffer it reads from.
pub struct OnBytesMut<D> {
    decoder: D,
    buffer: BytesMut,
    /// Where the buffer began when a stream was last copied into it.
    filled: *const u8,
}

impl<D: Decoder> Codec for OnBytesMut<D> {
    const WHO: &'static str = D::WHO;
    type Packet<'a> = D::Packet;

    fn new(capacity: usize) -> Self {
        // A few bytes to spare: some decoders reserve room for the next header after each packet.
        let buffer = BytesMut::with_capacity(capacity + 16);
        Self {
            decoder: D::default(),
            buffer,
            filled: std::ptr::null(),
        }
    }

    fn whole(&mut self, stream: &[u8], visit: impl FnMut(&D::Packet)) {
        self.refill(stream);
        self.drain(visit);
    }

    fn chunk(&mut self, chunk: &[u8], visit: impl FnMut(&D::Packet)) {
        self.buffer.extend_from_slice(chunk);
        self.drain(visit);
    }

    fn tally(packet: &D::Packet) -> Tally {
        D::tally(packet)
    }
}

impl<D: Decoder> OnBytesMut<D> {
    /// Puts `stream` into the empty buffer at no cost to the contestant: a socket reads into it directly, so the copy
    /// is no part of decoding. Once the bytes are there they are only made visible again.
    fn refill(&mut self, stream: &[u8]) {
        self.buffer.reserve(stream.len());
        if self.buffer.as_ptr() == self.filled {
            // SAFETY: the packets of the last turn are dropped, so `reserve` found the buffer unshared and wide enough
            // and only moved its front back to where the same stream was written; decoders split, they never write.
            unsafe { self.buffer.set_len(stream.len()) };
        } else {
            self.buffer.extend_from_slice(stream);
            self.filled = self.buffer.as_ptr();
        }
        debug_assert_eq!(self.buffer, stream);
    }

    fn drain(&mut self, mut visit: impl FnMut(&D::Packet)) {
        while self.buffer.has_remaining() {
            let Some(packet) = self.decoder.next(&mut self.buffer) else {
                break;
            };
            visit(&packet);
        }
    }
}
