//! Escapes in JSON strings. (RFC 8259 §7)

use alloc::string::String;

/// Appends what the inside of a JSON string means. The escapes were checked with [`check`].
pub(crate) fn unescape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let Some((character, length)) = character(escape) else {
            return;
        };
        out.push(character);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// Where the first escape that means nothing begins, if there is one.
pub(crate) fn check(text: &str) -> Result<(), usize> {
    let mut rest = text;
    while let Some((_, escape)) = rest.split_once('\\') {
        let Some((_, length)) = character(escape) else {
            return Err(text.len() - escape.len() - 1);
        };
        rest = escape.get(length..).unwrap_or_default();
    }
    Ok(())
}

/// The character that the text after a `\` says, and how many bytes that took.
fn character(escape: &str) -> Option<(char, usize)> {
    Some(match escape.bytes().next()? {
        b'"' => ('"', 1),
        b'\\' => ('\\', 1),
        b'/' => ('/', 1),
        b'b' => ('\u{8}', 1),
        b'f' => ('\u{c}', 1),
        b'n' => ('\n', 1),
        b'r' => ('\r', 1),
        b't' => ('\t', 1),
        b'u' => {
            let first = code_unit(escape.get(1..5)?)?;
            if let Some(character) = char::from_u32(first) {
                return Some((character, 5));
            }
            // The two halves of a surrogate pair, which only mean something together.
            let second = code_unit(escape.get(5..)?.strip_prefix("\\u")?.get(..4)?)?;
            let pair = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
            (char::decode_utf16(pair).next()?.ok()?, 11)
        }
        _ => return None,
    })
}

fn code_unit(digits: &str) -> Option<u32> {
    let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hexadecimal {
        u32::from_str_radix(digits, 16).ok()
    } else {
        None
    }
}
