use core::fmt;

use super::tail;
use crate::delivery::{PacketId, QoS};
use crate::error::{Error, ErrorKind};
use crate::packet::PacketType;
use crate::policy::Policy;
use crate::property::{Properties, PropertyScope};
use crate::reader::{Fault, Reader};
use crate::text::{self, TopicFilter};
use crate::version::Version;
use crate::writer::Writer;

/// SUBSCRIBE: filters to be told about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// What the SUBACK will repeat.
    pub packet_id: PacketId,
    /// At least one.
    pub subscriptions: Subscriptions<'a>,
    /// Empty in 3.1 and 3.1.1.
    pub properties: Properties<'a>,
}

/// A filter and how its messages are to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription<'a> {
    /// Which topics.
    pub filter: TopicFilter<'a>,
    /// The highest quality of service the messages shall have.
    pub qos: QoS,
    /// 5.0: not the messages one has sent oneself.
    pub no_local: bool,
    /// 5.0: whether messages keep the retain flag they were published with.
    pub retain_as_published: bool,
    /// 5.0: when retained messages are sent.
    pub retain_handling: RetainHandling,
}

impl<'a> Subscription<'a> {
    /// With the options that 3.1 and 3.1.1 have: none.
    pub const fn new(filter: TopicFilter<'a>, qos: QoS) -> Self {
        Self {
            filter,
            qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::AtSubscribe,
        }
    }

    const fn options(&self) -> u8 {
        self.qos.bits()
            | (self.no_local as u8) << 2
            | (self.retain_as_published as u8) << 3
            | (self.retain_handling as u8) << 4
    }
}

/// When retained messages are sent to a subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RetainHandling {
    /// At every subscribe; the only way before 5.0.
    #[default]
    AtSubscribe = 0,
    /// At a subscribe that makes the subscription, not at one that repeats it.
    AtNewSubscribe = 1,
    /// Never.
    Never = 2,
}

/// The filters of a SUBSCRIBE with their options: read from the packet, or lent to be sent.
#[derive(Clone, Copy)]
pub struct Subscriptions<'a>(List<'a>);

#[derive(Clone, Copy)]
enum List<'a> {
    Wire {
        bytes: &'a [u8],
        version: Version,
        may_be_malformed: bool,
    },
    Slice(&'a [Subscription<'a>]),
}

impl<'a> Subscriptions<'a> {
    /// The subscriptions in order. Malformed filters, which only
    /// [`Policy::report_filters`](crate::Policy::report_filters) lets in, are left out.
    pub const fn iter(self) -> SubscriptionIter<'a> {
        SubscriptionIter(self.0)
    }

    /// The subscriptions in order, an error in place of one whose filter is malformed: one for each reason code of the
    /// SUBACK. The offset of such an error is that in its filter.
    pub fn results(self) -> impl Iterator<Item = Result<Subscription<'a>, Error>> {
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
        SubscriptionIter(all).map(move |subscription| {
            if may_be_malformed {
                check_filter(subscription.filter, version).map_err(|(kind, at)| {
                    Error::new(kind, at as u32, Some(PacketType::Subscribe), version)
                })?;
            }
            Ok(subscription)
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
        for subscription in self.results() {
            let subscription = subscription.map_err(Error::kind)?;
            check(&subscription, version)?;
            len += 2 + subscription.filter.as_bytes().len() + 1;
        }
        if len == 0 {
            Err(ErrorKind::EmptyList)
        } else {
            Ok(len)
        }
    }
}

impl<'a> From<&'a [Subscription<'a>]> for Subscriptions<'a> {
    fn from(subscriptions: &'a [Subscription<'a>]) -> Self {
        Self(List::Slice(subscriptions))
    }
}

impl<'a, const N: usize> From<&'a [Subscription<'a>; N]> for Subscriptions<'a> {
    fn from(subscriptions: &'a [Subscription<'a>; N]) -> Self {
        Self(List::Slice(subscriptions))
    }
}

impl<'a> IntoIterator for Subscriptions<'a> {
    type Item = Subscription<'a>;
    type IntoIter = SubscriptionIter<'a>;

    fn into_iter(self) -> SubscriptionIter<'a> {
        self.iter()
    }
}

impl PartialEq for Subscriptions<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.results().eq(other.results())
    }
}

impl Eq for Subscriptions<'_> {}

impl fmt::Debug for Subscriptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.results()).finish()
    }
}

/// Subscriptions in order.
#[derive(Clone)]
pub struct SubscriptionIter<'a>(List<'a>);

impl<'a> Iterator for SubscriptionIter<'a> {
    type Item = Subscription<'a>;

    fn next(&mut self) -> Option<Subscription<'a>> {
        match &mut self.0 {
            List::Slice(subscriptions) => {
                let (&subscription, rest) = subscriptions.split_first()?;
                *subscriptions = rest;
                Some(subscription)
            }
            List::Wire {
                bytes,
                version,
                may_be_malformed,
            } => loop {
                let mut reader = Reader::of_checked(bytes);
                let subscription = subscription(&mut reader)?;
                *bytes = reader.rest();
                if !*may_be_malformed || check_filter(subscription.filter, *version).is_ok() {
                    return Some(subscription);
                }
            },
        }
    }
}

impl fmt::Debug for SubscriptionIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<'a> Subscribe<'a> {
    pub(crate) fn decode(mut reader: Reader<'a>, version: Version, policy: &Policy) -> Result<Self, Fault> {
        let packet_id = reader.packet_id()?;
        let properties = match version {
            Version::V5 => tail::properties(&mut reader, PropertyScope::Subscribe, policy)?.0,
            _ => Properties::EMPTY,
        };
        let bytes = reader.rest();
        // [MQTT-3.8.3-3], in 5.0 [MQTT-3.8.3-2]
        if bytes.is_empty() {
            return Err(reader.fault(ErrorKind::EmptyList));
        }
        while !reader.is_empty() {
            decode_one(&mut reader, version, policy)?;
        }
        let list = Subscriptions::from_checked(bytes, version, policy.report_filters);
        Ok(Self {
            packet_id,
            subscriptions: list,
            properties,
        })
    }

    pub(crate) fn remaining_len(&self, version: Version) -> Result<usize, ErrorKind> {
        let block = tail::checked_block_len(self.properties, PropertyScope::Subscribe, version)?;
        Ok(2 + block + self.subscriptions.remaining_len(version)?)
    }

    pub(crate) fn write(&self, version: Version, writer: &mut Writer<'_>) {
        writer.packet_id(self.packet_id);
        if version == Version::V5 {
            tail::write_block(self.properties, writer);
        }
        for subscription in self.subscriptions {
            writer.field(subscription.filter.as_bytes());
            writer.u8(subscription.options());
        }
    }
}

#[inline]
fn decode_one(reader: &mut Reader<'_>, version: Version, policy: &Policy) -> Result<(), Fault> {
    let filter = filter(reader, version, policy)?;
    let options = reader.u8()?;
    match check_options(options, filter, version) {
        Ok(()) => Ok(()),
        Err(kind) => Err(reader.fault_before(kind, 1)),
    }
}

/// A filter that is well-formed, or at least a string if malformed ones are to be reported.
#[inline]
pub(super) fn filter<'a>(
    reader: &mut Reader<'a>,
    version: Version,
    policy: &Policy,
) -> Result<TopicFilter<'a>, Fault> {
    if policy.report_filters {
        return Ok(TopicFilter::from_checked(reader.text()?.as_bytes()));
    }
    let filter = reader.topic_filter()?;
    match check_shared(filter, version) {
        Ok(()) => Ok(filter),
        Err(kind) => Err(reader.fault_before(kind, filter.as_bytes().len())),
    }
}

/// The form of a shared subscription.
#[inline]
fn check_shared(filter: TopicFilter<'_>, version: Version) -> Result<(), ErrorKind> {
    if version != Version::V5 || !filter.is_shared() || filter.shared().is_some() {
        return Ok(());
    }
    match filter.as_bytes().strip_prefix(b"$share/") {
        // [MQTT-4.8.2-1] the share name has at least one character.
        Some([] | [b'/', ..]) => Err(ErrorKind::EmptyShareName),
        // [MQTT-4.8.2-2] it holds no wildcard and is followed by a filter.
        _ => Err(ErrorKind::InvalidSharedSubscription),
    }
}

/// Everything about a filter that is not its being a string.
pub(super) fn check_filter(filter: TopicFilter<'_>, version: Version) -> Result<(), (ErrorKind, usize)> {
    text::check_topic_filter(filter.as_bytes(), false)?;
    check_shared(filter, version).map_err(|kind| (kind, 0))
}

fn check_options(options: u8, filter: TopicFilter<'_>, version: Version) -> Result<(), ErrorKind> {
    if version != Version::V5 {
        // [MQTT-3-8.3-4]
        return match options {
            0..=2 => Ok(()),
            3 => Err(ErrorKind::InvalidQos),
            _ => Err(ErrorKind::ReservedBits),
        };
    }
    if options & 0b1100_0000 != 0 {
        // [MQTT-3.8.3-5]
        Err(ErrorKind::ReservedBits)
    } else if options & 0b11 == 0b11 {
        Err(ErrorKind::InvalidQos)
    } else if options & 0b11_0000 == 0b11_0000 {
        Err(ErrorKind::InvalidRetainHandling)
    } else if options & 0b100 != 0 && filter.is_shared() {
        // [MQTT-3.8.3-4]
        Err(ErrorKind::NoLocalOnShared)
    } else {
        Ok(())
    }
}

fn check(subscription: &Subscription<'_>, version: Version) -> Result<(), ErrorKind> {
    let options = subscription.options();
    if version != Version::V5 && options != subscription.qos.bits() {
        return Err(ErrorKind::NotInVersion);
    }
    check_shared(subscription.filter, version)?;
    check_options(options, subscription.filter, version)
}

/// The next subscription of a list that was checked.
fn subscription<'a>(reader: &mut Reader<'a>) -> Option<Subscription<'a>> {
    let filter = TopicFilter::from_checked(reader.binary().ok()?);
    let options = reader.u8().ok()?;
    Some(Subscription {
        filter,
        qos: QoS::from_bits(options & 0b11)?,
        no_local: options & 0b100 != 0,
        retain_as_published: options & 0b1000 != 0,
        retain_handling: match options >> 4 & 0b11 {
            0 => RetainHandling::AtSubscribe,
            1 => RetainHandling::AtNewSubscribe,
            _ => RetainHandling::Never,
        },
    })
}
