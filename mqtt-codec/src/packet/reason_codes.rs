use core::fmt;

use crate::error::ErrorKind;
use crate::packet::PacketType;
use crate::reason::ReasonCode;
use crate::version::Version;
use crate::writer::Writer;

/// The reason codes of a SUBACK or UNSUBACK, one for each filter in its order.
#[derive(Clone, Copy)]
pub struct ReasonCodes<'a>(List<'a>);

#[derive(Clone, Copy)]
enum List<'a> {
    Wire(&'a [u8]),
    Codes(&'a [ReasonCode]),
}

impl<'a> ReasonCodes<'a> {
    pub(crate) const fn from_checked(bytes: &'a [u8]) -> Self {
        Self(List::Wire(bytes))
    }

    /// The bytes of a list that was decoded.
    pub(crate) const fn wire(self) -> &'a [u8] {
        match self.0 {
            List::Wire(bytes) => bytes,
            List::Codes(_) => &[],
        }
    }

    /// The codes in order.
    pub fn iter(self) -> ReasonCodeIter<'a> {
        ReasonCodeIter(self.0)
    }

    /// How many there are.
    pub const fn len(self) -> usize {
        match self.0 {
            List::Wire(bytes) => bytes.len(),
            List::Codes(codes) => codes.len(),
        }
    }

    /// Whether there are none, as in an UNSUBACK before 5.0.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether each code is one that the packet defines.
    pub(crate) fn check(self, packet: PacketType, version: Version) -> Result<(), ErrorKind> {
        match self.iter().all(|code| code.is_of(packet, version)) {
            true => Ok(()),
            false if version == Version::V5 => Err(ErrorKind::InvalidReasonCode),
            false => Err(ErrorKind::NotInVersion),
        }
    }

    pub(crate) fn write(self, writer: &mut Writer<'_>) {
        match self.0 {
            List::Wire(bytes) => writer.bytes(bytes),
            List::Codes(codes) => codes.iter().for_each(|code| writer.u8(code.byte())),
        }
    }
}

impl<'a> From<&'a [ReasonCode]> for ReasonCodes<'a> {
    fn from(codes: &'a [ReasonCode]) -> Self {
        Self(List::Codes(codes))
    }
}

impl<'a, const N: usize> From<&'a [ReasonCode; N]> for ReasonCodes<'a> {
    fn from(codes: &'a [ReasonCode; N]) -> Self {
        Self(List::Codes(codes))
    }
}

impl<'a> IntoIterator for ReasonCodes<'a> {
    type Item = ReasonCode;
    type IntoIter = ReasonCodeIter<'a>;

    fn into_iter(self) -> ReasonCodeIter<'a> {
        self.iter()
    }
}

impl PartialEq for ReasonCodes<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for ReasonCodes<'_> {}

impl fmt::Debug for ReasonCodes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Reason codes in order.
#[derive(Clone)]
pub struct ReasonCodeIter<'a>(List<'a>);

impl Iterator for ReasonCodeIter<'_> {
    type Item = ReasonCode;

    fn next(&mut self) -> Option<ReasonCode> {
        match &mut self.0 {
            List::Wire(bytes) => {
                let (&byte, rest) = bytes.split_first()?;
                *bytes = rest;
                ReasonCode::from_byte(byte)
            }
            List::Codes(codes) => {
                let (&code, rest) = codes.split_first()?;
                *codes = rest;
                Some(code)
            }
        }
    }
}

impl fmt::Debug for ReasonCodeIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
