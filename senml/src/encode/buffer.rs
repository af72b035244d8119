//! A buffer that is filled from its beginning.

use crate::{Error, ErrorKind, swar};

/// Bytes that somebody else owns, and how many of them are written.
#[derive(Debug)]
pub(crate) struct Buffer<'b> {
    bytes: &'b mut [u8],
    at: usize,
}

impl<'b> Buffer<'b> {
    pub(crate) const fn new(bytes: &'b mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    #[cfg(feature = "alloc")]
    /// A buffer whose first `at` bytes are written.
    pub(crate) const fn resume(bytes: &'b mut [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// How many bytes are written.
    pub(crate) const fn position(&self) -> usize {
        self.at
    }

    /// Forgets everything after the first `at` bytes.
    pub(crate) const fn rewind(&mut self, at: usize) {
        self.at = at;
    }

    #[inline(always)]
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        swar::copy(self.reserve(bytes.len())?, bytes);
        Ok(())
    }

    /// Writes the `length` lowest bytes of a word: one store where there is room for all of it.
    #[inline(always)]
    pub(crate) fn put_word(&mut self, word: u64, length: usize) -> Result<(), Error> {
        let word = word.to_le_bytes();
        match self
            .bytes
            .get_mut(self.at..)
            .and_then(|rest| rest.first_chunk_mut())
        {
            Some(room) => {
                *room = word;
                self.at += length;
                Ok(())
            }
            None => self.put(word.get(..length).unwrap_or_default()),
        }
    }

    #[inline(always)]
    pub(crate) fn put_byte(&mut self, byte: u8) -> Result<(), Error> {
        match self.bytes.get_mut(self.at) {
            Some(slot) => {
                *slot = byte;
                self.at += 1;
                Ok(())
            }
            None => Err(full(self.at)),
        }
    }

    /// The next `length` bytes, to be written.
    #[inline(always)]
    pub(crate) fn reserve(&mut self, length: usize) -> Result<&mut [u8], Error> {
        match self
            .bytes
            .get_mut(self.at..)
            .and_then(|rest| rest.get_mut(..length))
        {
            Some(room) => {
                self.at += length;
                Ok(room)
            }
            None => Err(full(self.at)),
        }
    }

    /// The next `ROOM` bytes, if there are as many. What is written there counts when [`advance`](Self::advance) says so.
    #[cfg(feature = "alloc")]
    #[inline(always)]
    pub(super) fn room<const ROOM: usize>(&mut self) -> Option<&mut [u8; ROOM]> {
        self.bytes.get_mut(self.at..)?.first_chunk_mut()
    }

    /// Counts `length` bytes more as written.
    #[cfg(feature = "alloc")]
    #[inline(always)]
    pub(super) const fn advance(&mut self, length: usize) {
        self.at += length;
    }

    /// Replaces a byte that is written.
    pub(crate) fn patch(&mut self, at: usize, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(at) {
            *slot = byte;
        }
    }

    /// Makes room for `count` bytes at `at` by moving what is written from there on.
    pub(crate) fn insert(&mut self, at: usize, count: usize) -> Result<(), Error> {
        let end = self.at;
        self.reserve(count)?;
        self.bytes.copy_within(at..end, at + count);
        Ok(())
    }

    /// What is written.
    pub(crate) fn into_written(self) -> &'b [u8] {
        let Self { bytes, at } = self;
        bytes.get(..at).unwrap_or_default()
    }
}

#[cold]
fn full(at: usize) -> Error {
    Error::new(ErrorKind::BufferFull).at_byte(at)
}
