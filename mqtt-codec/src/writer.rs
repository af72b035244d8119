use core::mem;

use crate::delivery::PacketId;

/// Fields written to the front of a buffer whose length was checked: what does not fit is not written.
pub(crate) struct Writer<'b> {
    rest: &'b mut [u8],
}

impl<'b> Writer<'b> {
    pub(crate) const fn new(buffer: &'b mut [u8]) -> Self {
        Self { rest: buffer }
    }

    #[inline]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        if let Some((space, rest)) = mem::take(&mut self.rest).split_at_mut_checked(bytes.len()) {
            space.copy_from_slice(bytes);
            self.rest = rest;
        }
    }

    #[inline]
    pub(crate) fn u8(&mut self, byte: u8) {
        if let Some((space, rest)) = mem::take(&mut self.rest).split_first_mut() {
            *space = byte;
            self.rest = rest;
        }
    }

    #[inline]
    pub(crate) fn u16(&mut self, value: u16) {
        if let Some((space, rest)) = mem::take(&mut self.rest).split_first_chunk_mut() {
            *space = value.to_be_bytes();
            self.rest = rest;
        }
    }

    #[inline]
    pub(crate) fn u32(&mut self, value: u32) {
        if let Some((space, rest)) = mem::take(&mut self.rest).split_first_chunk_mut() {
            *space = value.to_be_bytes();
            self.rest = rest;
        }
    }

    #[inline]
    pub(crate) fn packet_id(&mut self, id: PacketId) {
        self.u16(id.get());
    }

    #[inline]
    pub(crate) fn variable_byte_integer(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.u8(value as u8);
    }

    /// A field behind its length in two bytes; no field that is written is longer than that.
    #[inline]
    pub(crate) fn field(&mut self, bytes: &[u8]) {
        self.u16(bytes.len() as u16);
        self.bytes(bytes);
    }
}

/// How many bytes a variable byte integer takes: 1 to 4.
#[inline]
pub(crate) const fn variable_byte_integer_len(value: usize) -> usize {
    match value {
        0..=0x7f => 1,
        0x80..=0x3fff => 2,
        0x4000..=0x1f_ffff => 3,
        _ => 4,
    }
}
