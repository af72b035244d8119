use core::fmt;

use super::subscribe::{check_filter, filter};
use super::tail;
use crate::delivery::PacketId;
use crate::error::{Error, ErrorKind};
use crate::packet::PacketType;
use crate::policy::Policy;
use crate::property::{Properties, PropertyScope};
use crate::reader::{Fault, Reader};
use crate::text::TopicFilter;
use crate::version::Version;
use crate::writer::Writer;

/// UNSUBSCRIBE: filters to be told about no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// What the UNSUBACK will repeat.
    pub packet_id: PacketId,
    /// At least one.
    pub filters: Filters<'a>,
    /// Empty in 3.1 and 3.1.1.
    pub properties: Properties<'a>,
}

/// The filters of an UNSUBSCRIBE: read from the packet, or lent to be sent.
#[derive(Clone, Copy)]
pub struct Filters<'a>(List<'a>);

#[derive(Clone, Copy)]
enum List<'a> {
    Wire {
        bytes: &'a [u8],
        version: Version,
        may_be_malformed: bool,
    },
    Slice(&'a [TopicFilter<'a>]),
}

impl<'a> Filters<'a> {
    /// The filters in order. Malformed ones, which only
    /// [`Policy::report_filters`](crate::Policy::report_filters) lets in, are left out.
    pub const fn iter(self) -> FilterIter<'a> {
        FilterIter(self.0)
    }

    /// The filters in order, an error in place of a malformed one: one for each reason code of the UNSUBACK. The offset
    /// of such an error is that in its filter.
    pub fn results(self) -> impl Iterator<Item = Result<TopicFilter<'a>, Error>> {
        let (all, version, may_be_malformed) = match self.0 {
            List::Wire {
                bytes,
                version,
                may_be_malformed,
            } => (
                List::Wire {
                    bytes,
                    version,
                    may_be_malformed: false,
                },
                version,
                may_be_malformed,
            ),
            slice => (slice, Version::V5, false),
        };
        FilterIter(all).map(move |filter| {
            if may_be_malformed {
                check_filter(filter, version).map_err(|(kind, at)| {
                    Error::new(kind, at as u32, Some(PacketType::Unsubscribe), version)
                })?;
            }
            Ok(filter)
        })
    }

    /// A list that was decoded before.
    pub(crate) const fn from_checked(bytes: &'a [u8], version: Version, may_be_malformed: bool) -> Self {
        Self(List::Wire {
            bytes,
            version,
            may_be_malformed,
        })
    }

    /// The bytes of a list that was decoded.
    pub(crate) const fn wire(self) -> (&'a [u8], Version, bool) {
        match self.0 {
            List::Wire {
                bytes,
                version,
                may_be_malformed,
            } => (bytes, version, may_be_malformed),
            List::Slice(_) => (&[], Version::V5, false),
        }
    }

    fn remaining_len(self, version: Version) -> Result<usize, ErrorKind> {
        let mut len = 0;
        for filter in self.results() {
            let filter = filter.map_err(Error::kind)?;
            check_filter(filter, version).map_err(|(kind, _)| kind)?;
            len += 2 + filter.as_bytes().len();
        }
        if len == 0 {
            Err(ErrorKind::EmptyList)
        } else {
            Ok(len)
        }
    }
}

impl<'a> From<&'a [TopicFilter<'a>]> for Filters<'a> {
    fn from(filters: &'a [TopicFilter<'a>]) -> Self {
        Self(List::Slice(filters))
    }
}

impl<'a, const N: usize> From<&'a [TopicFilter<'a>; N]> for Filters<'a> {
    fn from(filters: &'a [TopicFilter<'a>; N]) -> Self {
        Self(List::Slice(filters))
    }
}

impl<'a> IntoIterator for Filters<'a> {
    type Item = TopicFilter<'a>;
    type IntoIter = FilterIter<'a>;

    fn into_iter(self) -> FilterIter<'a> {
        self.iter()
    }
}

impl PartialEq for Filters<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.results().eq(other.results())
    }
}

impl Eq for Filters<'_> {}

impl fmt::Debug for Filters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.results()).finish()
    }
}

/// Filters in order.
#[derive(Clone)]
pub struct FilterIter<'a>(List<'a>);

impl<'a> Iterator for FilterIter<'a> {
    type Item = TopicFilter<'a>;

    fn next(&mut self) -> Option<TopicFilter<'a>> {
        match &mut self.0 {
            List::Slice(filters) => {
                let (&filter, rest) = filters.split_first()?;
                *filters = rest;
                Some(filter)
            }
            List::Wire {
                bytes,
                version,
                may_be_malformed,
            } => loop {
                let mut reader = Reader::of_checked(bytes);
                let filter = TopicFilter::from_checked(reader.binary().ok()?);
                *bytes = reader.rest();
                if !*may_be_malformed || check_filter(filter, *version).is_ok() {
                    return Some(filter);
                }
            },
        }
    }
}

impl fmt::Debug for FilterIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<'a> Unsubscribe<'a> {
    pub(crate) fn decode(mut reader: Reader<'a>, version: Version, policy: &Policy) -> Result<Self, Fault> {
        let packet_id = reader.packet_id()?;
        let properties = match version {
            Version::V5 => tail::properties(&mut reader, PropertyScope::Unsubscribe, policy)?.0,
            _ => Properties::EMPTY,
        };
        let bytes = reader.rest();
        // [MQTT-3.10.3-2]
        if bytes.is_empty() {
            return Err(reader.fault(ErrorKind::EmptyList));
        }
        while !reader.is_empty() {
            filter(&mut reader, version, policy)?;
        }
        let list = Filters::from_checked(bytes, version, policy.report_filters);
        Ok(Self {
            packet_id,
            filters: list,
            properties,
        })
    }

    pub(crate) fn remaining_len(&self, version: Version) -> Result<usize, ErrorKind> {
        let block = tail::checked_block_len(self.properties, PropertyScope::Unsubscribe, version)?;
        Ok(2 + block + self.filters.remaining_len(version)?)
    }

    pub(crate) fn write(&self, version: Version, writer: &mut Writer<'_>) {
        writer.packet_id(self.packet_id);
        if version == Version::V5 {
            tail::write_block(self.properties, writer);
        }
        for filter in self.filters {
            writer.field(filter.as_bytes());
        }
    }
}
