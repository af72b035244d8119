//! Encoded packets on their way to the operating system.

use manywire_mqtt_codec::{Error, Packet, Version};

/// Above this, an empty buffer gives its memory back.
const KEPT: usize = 64 * 1024;

/// The bytes of many packets, handed over in as few writes as the operating system takes.
///
/// Positions count every byte since the session began, so that it can be told of each packet whether it was handed over.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    /// How many of `bytes` were handed over.
    taken: usize,
    /// The position of `bytes[0]`.
    start: u64,
}

impl Outgoing {
    /// Appends a packet.
    ///
    /// # Errors
    ///
    /// What the codec refuses; nothing is appended then.
    pub(super) fn push(&mut self, packet: &Packet<'_>, version: Version) -> Result<(), Error> {
        packet.append(version, &mut self.bytes).map(|_| ())
    }

    /// What is still to be handed over.
    pub(super) fn waiting(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    /// The operating system took `count` bytes.
    pub(super) fn advance(&mut self, count: usize) {
        self.taken += count;
        if self.taken >= self.bytes.len() {
            self.start += self.bytes.len() as u64;
            self.taken = 0;
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
        }
    }

    /// The position after the last packet.
    pub(super) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// The position up to which bytes were handed over.
    pub(super) fn taken(&self) -> u64 {
        self.start + self.taken as u64
    }

    /// Forgets what was not handed over.
    pub(super) fn discard(&mut self) {
        self.start = self.taken();
        self.taken = 0;
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
    }
}
