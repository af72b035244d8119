//! Channels, and the characters of their names.

use core::fmt;

use crate::dialect::Dialect;
use crate::error::{Error, ErrorKind};
use crate::swar;

/// Where messages meet: an id and, in the dialects that have them, a domain.
///
/// ```
/// use manywire_topics::{Channel, Dialect};
///
/// let channel = Channel::new(Dialect::Channels, None, "30315311-56ba-484d-b500-c1e08305511f")?;
/// assert_eq!(channel.domain(), None);
/// # Ok::<(), manywire_topics::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Channel<'a> {
    dialect: Dialect,
    domain: &'a str,
    id: &'a str,
}

impl<'a> Channel<'a> {
    /// A channel by its names.
    ///
    /// An id is one or more of `A-Z a-z 0-9 _ -`. In the dialects with domains, both names must be what the platform
    /// can resolve: a lower-case UUID or a route.
    pub const fn new(dialect: Dialect, domain: Option<&'a str>, id: &'a str) -> Result<Self, Error> {
        let domain = match domain {
            Some(domain) if dialect.has_domains() => domain,
            None if !dialect.has_domains() => "",
            _ => return Err(Error::new(ErrorKind::Domain, 0)),
        };
        Self::at(dialect, domain, 0, id, 0)
    }

    /// A channel whose names stand at these offsets of a longer text.
    pub(crate) const fn at(
        dialect: Dialect,
        domain: &'a str,
        domain_at: usize,
        id: &'a str,
        id_at: usize,
    ) -> Result<Self, Error> {
        if dialect.has_domains() {
            if let Err(error) = check_name(domain, ErrorKind::Domain, domain_at) {
                return Err(error);
            }
            if let Err(error) = check_name(id, ErrorKind::Id, id_at) {
                return Err(error);
            }
        } else if let Some(at) = foreign_byte(id.as_bytes()) {
            return Err(Error::new(ErrorKind::Id, id_at + at));
        }
        Ok(Self { dialect, domain, id })
    }

    /// A channel that was valid before.
    #[cfg(feature = "alloc")]
    pub(crate) const fn known(dialect: Dialect, domain: &'a str, id: &'a str) -> Self {
        Self { dialect, domain, id }
    }

    /// Which generation of the platform it is a channel of.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The id or route of its domain, in the dialects that have domains.
    pub const fn domain(&self) -> Option<&'a str> {
        if self.dialect.has_domains() {
            Some(self.domain)
        } else {
            None
        }
    }

    /// Its id, or its route.
    pub const fn id(&self) -> &'a str {
        self.id
    }

    /// Whether the platform has to look a route up before this channel is known by its ids.
    ///
    /// A subscriber that gives routes receives topics with ids.
    pub const fn has_route(&self) -> bool {
        self.dialect.has_domains() && !(is_uuid(self.domain) && is_uuid(self.id))
    }

    pub(crate) const fn domain_text(&self) -> &'a str {
        self.domain
    }
}

impl fmt::Debug for Channel<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.domain() {
            Some(domain) => write!(formatter, "Channel({:?} {domain}/{})", self.dialect, self.id),
            None => write!(formatter, "Channel({:?} {})", self.dialect, self.id),
        }
    }
}

/// Where the first byte is that no id has; an empty id lacks its first one.
pub(crate) const fn foreign_byte(bytes: &[u8]) -> Option<usize> {
    if bytes.is_empty() {
        return Some(0);
    }
    let mut rest = bytes;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        if !swar::all_of_names(u64::from_le_bytes(*chunk)) {
            break;
        }
        rest = tail;
    }
    while let [byte, tail @ ..] = rest {
        if !matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-') {
            return Some(bytes.len() - rest.len());
        }
        rest = tail;
    }
    None
}

/// Whether the platform can resolve the text, which stands at byte `at`: a UUID or a route. `kind` is the error for
/// characters that neither has.
pub(crate) const fn check_name(text: &str, kind: ErrorKind, at: usize) -> Result<(), Error> {
    if is_uuid(text) {
        return Ok(());
    }
    if let Some(foreign) = foreign_byte(text.as_bytes()) {
        return Err(Error::new(kind, at + foreign));
    }
    if is_route(text) {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::IdOrRoute, at))
    }
}

/// Whether the text is a UUID in the one spelling that the platform prints.
const fn is_uuid(text: &str) -> bool {
    /// Where the dashes stand in each eight bytes.
    const DASHES: [u64; 4] = [0, 0x8000_0000_0080, 0x8000_0000_0080_0000, 0];
    let bytes = text.as_bytes();
    let (Some(last), 36) = (bytes.last_chunk::<8>(), bytes.len()) else {
        return false;
    };
    let (mut rest, mut dashes) = (bytes, DASHES.as_slice());
    while let (Some((chunk, tail)), [expected, others @ ..]) = (rest.split_first_chunk::<8>(), dashes) {
        if !swar::all_of_uuid(u64::from_le_bytes(*chunk), *expected) {
            return false;
        }
        (rest, dashes) = (tail, others);
    }
    swar::all_of_uuid(u64::from_le_bytes(*last), 0)
}

/// Whether the text can have been given to a domain or channel as its route.
const fn is_route(text: &str) -> bool {
    let mut rest = text.as_bytes();
    if rest.len() > 36 || !matches!(rest, [b'A'..=b'Z' | b'a'..=b'z', ..]) {
        return false;
    }
    while let [_, tail @ ..] = rest {
        if matches!(rest, [b'_', b'_', ..] | [b'-', b'-', ..]) {
            return false;
        }
        rest = tail;
    }
    true
}
