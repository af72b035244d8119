//! The form of `ct` and `bct`. (RFC 9193 §3, §6)

use crate::ErrorKind;

/// Checks that the text is a CoAP content-format number (`60`) or a media type with parameters and content codings
/// (`application/senml+json`, `text/csv;header=present@gzip`).
pub(crate) fn check(text: &str) -> Result<(), ErrorKind> {
    let valid = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        is_number(text)
    } else {
        is_media_type(text)
    };
    if valid {
        Ok(())
    } else {
        Err(ErrorKind::ContentFormat)
    }
}

/// 0 to 65535 without leading zeros.
fn is_number(text: &str) -> bool {
    (text == "0" || !text.starts_with('0')) && text.parse::<u16>().is_ok()
}

fn is_media_type(text: &str) -> bool {
    let (typed, codings) = split_codings(text);
    let (essence, parameters) = typed
        .split_once(';')
        .map_or((typed, None), |(essence, rest)| (essence, Some(rest)));
    let named = essence
        .split_once('/')
        .is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype));
    named
        && parameters.is_none_or(are_parameters)
        && codings.is_none_or(|codings| codings.split('@').all(is_token))
}

/// The codings stand after the first `@` outside a quoted string.
fn split_codings(text: &str) -> (&str, Option<&str>) {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'@' if !quoted => return (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
            _ => {}
        }
    }
    (text, None)
}

/// `name=value` with `;` between, the value a token or a quoted string.
fn are_parameters(mut text: &str) -> bool {
    loop {
        let Some((name, rest)) = text.split_once('=') else {
            return false;
        };
        let length = match rest.strip_prefix('"') {
            Some(quoted) => quoted_length(quoted).map(|length| length + 1),
            None => Some(rest.find(';').unwrap_or(rest.len()))
                .filter(|&end| rest.get(..end).is_some_and(is_token)),
        };
        let Some(length) = length.filter(|_| is_token(name)) else {
            return false;
        };
        match rest.get(length..).unwrap_or_default() {
            "" => return true,
            rest => match rest.strip_prefix(';') {
                Some(next) => text = next,
                None => return false,
            },
        }
    }
}

/// Bytes up to and with the closing quote.
fn quoted_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            b' '..=b'~' => {}
            _ => return None,
        }
    }
    None
}

/// A type or subtype name: up to 127 characters. (RFC 6838 §4.2)
fn is_name(text: &str) -> bool {
    let first = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    first
        && text.len() <= 127
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_media_types_are_told_apart() {
        for good in [
            "0",
            "60",
            "65535",
            "text/csv",
            "application/senml+json",
            "text/csv;header=present@gzip",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for good in ["a/b;c=\"d;e@\\\"\";f=g", "application/json@deflate@aes128gcm"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "", "060", "65536", "json", "/", "a/", "a/b;", "a/b;c", "a/b;c=", "a/b@", "a/b; c=d", "60@gzip",
        ] {
            assert_eq!(check(bad), Err(ErrorKind::ContentFormat), "{bad}");
        }
    }
}
