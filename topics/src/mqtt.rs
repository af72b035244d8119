//! What MQTT says of topic filters in general, for those who see them before they are known to name a channel.

use crate::error::{Error, ErrorKind};
use crate::layout::{cut, strip};
use crate::swar;

/// Splits `$share/<group>/<filter>` into group and filter; any other filter has no group.
///
/// A group is not empty and holds no `/`, `+` or `#` ([MQTT-4.8.2-1], [MQTT-4.8.2-2]).
///
/// ```
/// use manywire_topics::split_share;
///
/// assert_eq!(split_share("$share/workers/channels/1/messages/#")?, (Some("workers"), "channels/1/messages/#"));
/// assert_eq!(split_share("channels/1/messages/#")?, (None, "channels/1/messages/#"));
/// # Ok::<(), manywire_topics::Error>(())
/// ```
pub const fn split_share(filter: &str) -> Result<(Option<&str>, &str), Error> {
    const PREFIX: &str = "$share";
    let Some(rest) = strip(filter, PREFIX) else {
        return Ok((None, filter));
    };
    let rest = match strip(rest, "/") {
        Some(rest) => rest,
        None if rest.is_empty() => return Err(Error::new(ErrorKind::Share, PREFIX.len())),
        None => return Ok((None, filter)),
    };
    let at = PREFIX.len() + 1;
    let (group, Some(shared)) = cut(rest, b'/') else {
        return Err(Error::new(ErrorKind::Share, filter.len()));
    };
    if group.is_empty() || shared.is_empty() {
        return Err(Error::new(
            ErrorKind::Share,
            if group.is_empty() { at } else { filter.len() },
        ));
    }
    let mut bytes = group.as_bytes();
    while let [byte, rest @ ..] = bytes {
        if matches!(byte, b'+' | b'#') {
            return Err(Error::new(ErrorKind::Share, at + group.len() - bytes.len()));
        }
        bytes = rest;
    }
    Ok((Some(group), shared))
}

/// Whether an MQTT topic filter matches an MQTT topic name, whatever they name: empty levels count, and a filter that
/// begins with a wildcard does not match a topic that begins with `$` ([MQTT-4.7.2-1]).
///
/// Both must be well formed; of what is not, nothing is promised but an answer.
#[inline]
pub fn mqtt_matches(filter: &str, topic: &str) -> bool {
    let (mut filter, mut topic) = (filter.as_bytes(), topic.as_bytes());
    if matches!(topic, [b'$', ..]) && matches!(filter, [b'+' | b'#', ..]) {
        return false;
    }
    // Both stand at the start of a level.
    loop {
        match filter {
            [b'#'] => return true,
            [b'+'] => return swar::find(topic, b'/').is_none(),
            [b'+', b'/', rest @ ..] => match swar::find(topic, b'/') {
                Some(end) => {
                    (filter, topic) = (rest, topic.get(end + 1..).unwrap_or_default());
                    continue;
                }
                None => return rest == b"#",
            },
            _ => {}
        }
        let same = swar::common(filter, topic);
        let (Some((shared, wanted)), Some(left)) = (filter.split_at_checked(same), topic.get(same..)) else {
            return false;
        };
        match (wanted, left) {
            ([], []) | ([b'/', b'#'], []) => return true,
            // Only a wildcard can make up for a difference, and one starts a level.
            ([b'+' | b'#', ..], _) if matches!(shared, [.., b'/']) => (filter, topic) = (wanted, left),
            _ => return false,
        }
    }
}
