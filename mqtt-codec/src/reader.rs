use crate::delivery::PacketId;
use crate::error::ErrorKind;
use crate::policy::Policy;
use crate::text::{self, Text, TextFault, TopicFilter, TopicName};

/// A broken rule, placed by how many bytes follow it: the offset is worked out once, where the packet's length is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: ErrorKind,
    pub(crate) behind: u32,
}

impl Fault {
    pub(crate) fn new(kind: ErrorKind, behind: usize) -> Self {
        Self {
            kind,
            behind: u32::try_from(behind).unwrap_or(u32::MAX),
        }
    }

    /// The same fault seen from an outer block that goes on for `more` bytes.
    pub(crate) fn followed_by(self, more: usize) -> Self {
        Self::new(self.kind, (self.behind as usize).saturating_add(more))
    }
}

/// The fields of a packet, taken from the front.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    refuse_controls: bool,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8], policy: &Policy) -> Self {
        Self {
            rest: bytes,
            refuse_controls: policy.refuse_control_characters,
        }
    }

    /// A reader of bytes whose strings were checked before.
    pub(crate) const fn of_checked(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            refuse_controls: false,
        }
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// A fault at the next byte.
    #[cold]
    pub(crate) fn fault(&self, kind: ErrorKind) -> Fault {
        Fault::new(kind, self.rest.len())
    }

    /// A fault `back` bytes before the next byte.
    #[cold]
    pub(crate) fn fault_before(&self, kind: ErrorKind, back: usize) -> Fault {
        Fault::new(kind, self.rest.len().saturating_add(back))
    }

    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| self.fault(ErrorKind::Truncated))?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Fault> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or_else(|| self.fault(ErrorKind::Truncated))?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8, Fault> {
        let &[byte] = self.array()?;
        Ok(byte)
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Result<u16, Fault> {
        Ok(u16::from_be_bytes(*self.array()?))
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Result<u32, Fault> {
        Ok(u32::from_be_bytes(*self.array()?))
    }

    #[inline]
    pub(crate) fn packet_id(&mut self) -> Result<PacketId, Fault> {
        let id = self.u16()?;
        // [MQTT-2.3.1-1], in 5.0 [MQTT-2.2.1-3] and [MQTT-2.2.1-4]
        PacketId::new(id).ok_or_else(|| self.fault_before(ErrorKind::ZeroPacketId, 2))
    }

    /// A variable byte integer in its shortest form.
    #[inline]
    pub(crate) fn variable_byte_integer(&mut self) -> Result<u32, Fault> {
        match self.rest.split_first() {
            Some((&byte, rest)) if byte < 0x80 => {
                self.rest = rest;
                Ok(u32::from(byte))
            }
            _ => self.long_variable_byte_integer(),
        }
    }

    fn long_variable_byte_integer(&mut self) -> Result<u32, Fault> {
        let start = *self;
        let mut value = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.u8()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                // [MQTT-1.5.5-1] the shortest form.
                if byte == 0 && shift > 0 {
                    return Err(start.fault(ErrorKind::InvalidVariableByteInteger));
                }
                return Ok(value);
            }
        }
        Err(start.fault(ErrorKind::InvalidVariableByteInteger))
    }

    #[inline]
    pub(crate) fn binary(&mut self) -> Result<&'a [u8], Fault> {
        let len = self.u16()?;
        self.take(usize::from(len))
    }

    #[inline]
    fn checked(&mut self, check: impl Fn(&[u8], bool) -> Result<(), TextFault>) -> Result<&'a [u8], Fault> {
        let bytes = self.binary()?;
        match check(bytes, self.refuse_controls) {
            Ok(()) => Ok(bytes),
            Err((kind, at)) => Err(self.fault_before(kind, bytes.len().saturating_sub(at))),
        }
    }

    #[inline]
    pub(crate) fn text(&mut self) -> Result<Text<'a>, Fault> {
        Ok(Text::from_checked(self.checked(text::check_text)?))
    }

    #[inline]
    pub(crate) fn topic_name(&mut self) -> Result<TopicName<'a>, Fault> {
        Ok(TopicName::from_checked(self.checked(text::check_topic_name)?))
    }

    #[inline]
    pub(crate) fn topic_filter(&mut self) -> Result<TopicFilter<'a>, Fault> {
        Ok(TopicFilter::from_checked(self.checked(text::check_topic_filter)?))
    }

    /// The fault of bytes that are left over, if there are any.
    #[inline]
    pub(crate) fn finish(&self) -> Result<(), Fault> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.fault(ErrorKind::TrailingBytes))
        }
    }
}
