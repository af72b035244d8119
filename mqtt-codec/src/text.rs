use core::fmt;

use crate::error::{Error, ErrorKind};

/// The longest string or binary field: its length is two bytes.
pub(crate) const LONGEST: usize = 65_535;

/// A UTF-8 string as MQTT has it: at most 65,535 bytes, without U+0000.
///
/// It is kept as the bytes that were checked; [`as_str`](Self::as_str) makes them a `&str`, which costs another pass.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text<'a>(&'a [u8]);

/// What a message is published to: a string that is not empty and holds no wildcard.
///
/// Kept as the bytes that were checked, like [`Text`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicName<'a>(&'a [u8]);

/// What is subscribed to: a string that is not empty and whose wildcards stand where they may.
///
/// Kept as the bytes that were checked, like [`Text`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicFilter<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// Checks a string. An error says where its first fault is, in bytes.
    pub fn new(text: &'a str) -> Result<Self, Error> {
        check_text(text.as_bytes(), false).map_err(Error::bare)?;
        Ok(Self(text.as_bytes()))
    }
}

impl<'a> TopicName<'a> {
    /// The empty name of a 5.0 PUBLISH that names its topic by a Topic Alias.
    pub const ALIASED: TopicName<'static> = TopicName(&[]);

    /// Checks a topic name. An error says where its first fault is, in bytes.
    pub fn new(name: &'a str) -> Result<Self, Error> {
        check_topic_name(name.as_bytes(), false).map_err(Error::bare)?;
        Ok(Self(name.as_bytes()))
    }

    /// Whether the name is empty, as it is beside a Topic Alias.
    pub const fn is_aliased(self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> TopicFilter<'a> {
    /// Checks a filter. An error says where its first fault is, in bytes.
    ///
    /// A filter that starts with `$share/` is an ordinary one in 3.1 and 3.1.1; in 5.0 its form is checked where it
    /// becomes part of a packet.
    pub fn new(filter: &'a str) -> Result<Self, Error> {
        check_topic_filter(filter.as_bytes(), false).map_err(Error::bare)?;
        Ok(Self(filter.as_bytes()))
    }

    /// The group and the filter of a shared subscription, `$share/<group>/<filter>`; `None` if it is not one or is
    /// malformed.
    pub fn shared(self) -> Option<(Text<'a>, TopicFilter<'a>)> {
        let rest = self.0.strip_prefix(b"$share/")?;
        let at = rest.iter().position(|&byte| byte == b'/')?;
        let (group, filter) = rest.split_at_checked(at)?;
        let filter = filter.strip_prefix(b"/")?;
        let plain = !group.is_empty() && !group.iter().any(|byte| matches!(byte, b'+' | b'#'));
        (plain && !filter.is_empty()).then_some((Text(group), TopicFilter(filter)))
    }

    /// Whether 5.0 takes the filter for a shared subscription, well-formed or not.
    pub fn is_shared(self) -> bool {
        self.0.starts_with(b"$share/")
    }

    /// Whether the filter holds `+` or `#`.
    pub fn has_wildcards(self) -> bool {
        self.0.iter().any(|byte| matches!(byte, b'+' | b'#'))
    }
}

macro_rules! checked_string {
    ($name:ident) => {
        impl<'a> $name<'a> {
            /// Bytes that a packet's decoder has checked.
            pub(crate) const fn from_checked(bytes: &'a [u8]) -> Self {
                Self(bytes)
            }

            /// The bytes, which are UTF-8. Free.
            pub const fn as_bytes(self) -> &'a [u8] {
                self.0
            }

            /// The string; costs a pass over the bytes.
            pub fn as_str(self) -> &'a str {
                core::str::from_utf8(self.0).unwrap_or_default()
            }
        }

        impl AsRef<[u8]> for $name<'_> {
            fn as_ref(&self) -> &[u8] {
                self.0
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl PartialEq<str> for $name<'_> {
            fn eq(&self, other: &str) -> bool {
                self.0 == other.as_bytes()
            }
        }

        impl PartialEq<&str> for $name<'_> {
            fn eq(&self, other: &&str) -> bool {
                self.0 == other.as_bytes()
            }
        }

        impl<'a> TryFrom<&'a str> for $name<'a> {
            type Error = Error;

            fn try_from(text: &'a str) -> Result<Self, Error> {
                Self::new(text)
            }
        }
    };
}

checked_string!(Text);
checked_string!(TopicName);
checked_string!(TopicFilter);

impl<'a> From<TopicName<'a>> for Text<'a> {
    fn from(name: TopicName<'a>) -> Self {
        Self(name.0)
    }
}

impl<'a> From<TopicFilter<'a>> for Text<'a> {
    fn from(filter: TopicFilter<'a>) -> Self {
        Self(filter.0)
    }
}

/// What is wrong with a string, and at which of its bytes.
pub(crate) type TextFault = (ErrorKind, usize);

/// One pass over plain text; what is not plain is looked at closely.
#[inline]
pub(crate) fn check_text(bytes: &[u8], refuse_controls: bool) -> Result<(), TextFault> {
    if is_plain::<false>(bytes) && bytes.len() <= LONGEST {
        return Ok(());
    }
    check_unicode(bytes, refuse_controls)
}

#[inline]
pub(crate) fn check_topic_name(bytes: &[u8], refuse_controls: bool) -> Result<(), TextFault> {
    if is_plain::<true>(bytes) && bytes.len() <= LONGEST && !bytes.is_empty() {
        return Ok(());
    }
    check_unusual_topic_name(bytes, refuse_controls)
}

#[cold]
fn check_unusual_topic_name(bytes: &[u8], refuse_controls: bool) -> Result<(), TextFault> {
    // [MQTT-4.7.3-1] a topic name has at least one character.
    if bytes.is_empty() {
        return Err((ErrorKind::EmptyTopicName, 0));
    }
    check_unicode(bytes, refuse_controls)?;
    // [MQTT-3.3.2-2], [MQTT-4.7.1-1] no wildcards in a topic name.
    match bytes.iter().position(|byte| matches!(byte, b'+' | b'#')) {
        Some(at) => Err((ErrorKind::WildcardInTopicName, at)),
        None => Ok(()),
    }
}

#[inline]
pub(crate) fn check_topic_filter(bytes: &[u8], refuse_controls: bool) -> Result<(), TextFault> {
    if is_plain::<false>(bytes)
        && has_wildcards_in_place(bytes)
        && bytes.len() <= LONGEST
        && !bytes.is_empty()
    {
        return Ok(());
    }
    check_unusual_topic_filter(bytes, refuse_controls)
}

#[cold]
fn check_unusual_topic_filter(bytes: &[u8], refuse_controls: bool) -> Result<(), TextFault> {
    // [MQTT-4.7.3-1] a topic filter has at least one character.
    if bytes.is_empty() {
        return Err((ErrorKind::EmptyTopicFilter, 0));
    }
    check_unicode(bytes, refuse_controls)?;
    check_wildcards(bytes)
}

/// `[MQTT-4.7.1-2]` `#` is the last character and a level of its own, `[MQTT-4.7.1-3]` `+` is a level of its own
/// (5.0 numbers them -1 and -2).
fn check_wildcards(bytes: &[u8]) -> Result<(), TextFault> {
    let mut before = b'/';
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        let at = bytes.len() - rest.len();
        match byte {
            b'#' if before != b'/' || !after.is_empty() => {
                return Err((ErrorKind::MisplacedMultiLevelWildcard, at));
            }
            b'+' if before != b'/' || after.first().is_some_and(|&next| next != b'/') => {
                return Err((ErrorKind::MisplacedSingleLevelWildcard, at));
            }
            _ => {}
        }
        before = byte;
        rest = after;
    }
    Ok(())
}

#[cold]
fn check_unicode(bytes: &[u8], refuse_controls: bool) -> Result<(), TextFault> {
    if bytes.len() > LONGEST {
        return Err((ErrorKind::FieldTooLong, LONGEST));
    }
    // [MQTT-1.5.4-1] well-formed UTF-8 without surrogates (3.1.1: [MQTT-1.5.3-1]).
    let text = core::str::from_utf8(bytes).map_err(|error| (ErrorKind::InvalidUtf8, error.valid_up_to()))?;
    // [MQTT-1.5.4-2] no U+0000 (3.1.1: [MQTT-1.5.3-2]).
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        return Err((ErrorKind::NulCharacter, at));
    }
    if refuse_controls
        && let Some((at, _)) = text
            .char_indices()
            .find(|&(_, c)| c.is_control() || is_noncharacter(c))
    {
        return Err((ErrorKind::ControlCharacter, at));
    }
    Ok(())
}

fn is_noncharacter(c: char) -> bool {
    let c = u32::from(c);
    c & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&c)
}

/// Whether all bytes are printable ASCII and, for a `TOPIC`, none is a wildcard: then no rule can be broken.
///
/// Blocks of a fixed size become vector instructions; the last one overlaps the one before, so there is no remainder.
#[inline]
fn is_plain<const TOPIC: bool>(bytes: &[u8]) -> bool {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
        if bytes.len() <= 32 {
            return !(any_odd::<TOPIC, 16>(first) | any_odd::<TOPIC, 16>(last));
        }
        let (blocks, _) = bytes.as_chunks::<16>();
        return !(blocks.iter().any(any_odd::<TOPIC, 16>) | any_odd::<TOPIC, 16>(last));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        return !(any_odd::<TOPIC, 8>(first) | any_odd::<TOPIC, 8>(last));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return !(any_odd::<TOPIC, 4>(first) | any_odd::<TOPIC, 4>(last));
    }
    !bytes.iter().any(|&byte| is_odd::<TOPIC>(byte))
}

#[inline]
fn any_odd<const TOPIC: bool, const N: usize>(block: &[u8; N]) -> bool {
    block.iter().fold(false, |odd, &byte| odd | is_odd::<TOPIC>(byte))
}

#[inline]
const fn is_odd<const TOPIC: bool>(byte: u8) -> bool {
    // As a signed number every byte beyond ASCII is below the space too.
    (byte.cast_signed() < 0x20) | (byte == 0x7f) | (TOPIC & ((byte == b'+') | (byte == b'#')))
}

/// Whether every wildcard stands between separators and `#` stands last: looks at each byte with the one after it.
#[inline]
fn has_wildcards_in_place(bytes: &[u8]) -> bool {
    let (Some((_, after)), Some((_, before))) = (bytes.split_first(), bytes.split_last()) else {
        return true;
    };
    if let (Some(first), Some(last)) = (
        pair_of_first::<16>(before, after),
        pair_of_last::<16>(before, after),
    ) {
        if before.len() <= 32 {
            return !(any_misplaced(first) | any_misplaced(last));
        }
        let mut blocks = before.as_chunks::<16>().0.iter().zip(after.as_chunks::<16>().0);
        return !(blocks.any(any_misplaced) | any_misplaced(last));
    }
    if let (Some(first), Some(last)) = (
        pair_of_first::<8>(before, after),
        pair_of_last::<8>(before, after),
    ) {
        return !(any_misplaced(first) | any_misplaced(last));
    }
    !before
        .iter()
        .zip(after)
        .any(|(&before, &after)| is_misplaced(before, after))
}

#[inline]
fn pair_of_first<'a, const N: usize>(
    before: &'a [u8],
    after: &'a [u8],
) -> Option<(&'a [u8; N], &'a [u8; N])> {
    Some((before.first_chunk()?, after.first_chunk()?))
}

#[inline]
fn pair_of_last<'a, const N: usize>(before: &'a [u8], after: &'a [u8]) -> Option<(&'a [u8; N], &'a [u8; N])> {
    Some((before.last_chunk()?, after.last_chunk()?))
}

#[inline]
fn any_misplaced<const N: usize>((before, after): (&[u8; N], &[u8; N])) -> bool {
    before
        .iter()
        .zip(after)
        .fold(false, |any, (&before, &after)| any | is_misplaced(before, after))
}

#[inline]
const fn is_misplaced(before: u8, after: u8) -> bool {
    ((after == b'+') | (after == b'#')) & (before != b'/')
        | ((before == b'+') & (after != b'/'))
        | (before == b'#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_scan_agrees_with_a_byte_walk() {
        let mut bytes = [b'a'; 40];
        for len in 0..=40 {
            for at in 0..len {
                for byte in 0..=255u8 {
                    bytes[at] = byte;
                    let plain = (0x20..0x7f).contains(&byte);
                    assert_eq!(
                        is_plain::<false>(&bytes[..len]),
                        plain,
                        "{byte:#x} at {at} of {len}"
                    );
                    let plain = plain && byte != b'+' && byte != b'#';
                    assert_eq!(
                        is_plain::<true>(&bytes[..len]),
                        plain,
                        "{byte:#x} at {at} of {len}"
                    );
                }
                bytes[at] = b'a';
            }
        }
    }

    #[test]
    fn the_scan_for_wildcards_agrees_with_a_byte_walk() {
        let mut bytes = [b'a'; 40];
        for len in 1..=40 {
            for at in 0..len {
                for around in [
                    b"a+a", b"/+/", b"/+a", b"a+/", b"/#/", b"/#a", b"++/", b"##/", b"/+#",
                ] {
                    bytes.fill(b'a');
                    for (n, &byte) in around.iter().enumerate() {
                        if let Some(place) = (at + n).checked_sub(1).and_then(|place| bytes.get_mut(place)) {
                            *place = byte;
                        }
                    }
                    let filter = &bytes[..len];
                    assert_eq!(
                        has_wildcards_in_place(filter),
                        check_wildcards(filter).is_ok(),
                        "{filter:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn faults_are_placed() {
        assert_eq!(
            Text::new("ab\0").map_err(|e| (e.kind(), e.at())),
            Err((ErrorKind::NulCharacter, 2))
        );
        assert_eq!(
            TopicName::new("a/+/b").map_err(|e| (e.kind(), e.at())),
            Err((ErrorKind::WildcardInTopicName, 2))
        );
        assert_eq!(
            TopicFilter::new("a/b#").map_err(|e| (e.kind(), e.at())),
            Err((ErrorKind::MisplacedMultiLevelWildcard, 3))
        );
    }

    #[test]
    fn a_shared_filter_has_a_group_and_a_filter() {
        let shared = TopicFilter::new("$share/g/a/+").unwrap().shared().unwrap();
        assert_eq!(shared.0, "g");
        assert_eq!(shared.1, "a/+");
        for bad in ["$share/g", "$share//a", "$share/g/", "$share/+/a"] {
            let filter = TopicFilter::new(bad).unwrap();
            assert!(filter.is_shared() && filter.shared().is_none(), "{bad}");
        }
    }
}
