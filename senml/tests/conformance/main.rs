//! One test per rule of the standards that packs obey, the rule's number in its name, and one per policy where the
//! standards contradict themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod extensions;
mod formats;
mod parts;
mod policies;
mod records;
mod resolved;
mod units;
mod values;
mod versions;

use ErrorKind as E;
use manywire_senml::{Decimals, ErrorKind, Format, Pack, Resolver, Strictness, from_slice};

/// The resolved pack as text.
fn resolved(json: &str) -> String {
    resolved_with(json, Strictness::DEFAULT).unwrap()
}

fn resolved_with(json: &str, rules: Strictness) -> Result<String, ErrorKind> {
    let pack = Pack::from_slice(json.as_bytes(), Format::Json, rules).map_err(|error| error.kind())?;
    let mut resolver = Resolver::with_strictness(rules);
    let one_pass = resolver
        .read(json.as_bytes(), Format::Json)
        .unwrap()
        .collect()
        .unwrap();
    let resolved = pack.resolve(None).unwrap();
    assert!(one_pass.iter().eq(resolved.iter()));
    Ok(text(&resolved.to_pack().unwrap()))
}

fn text(pack: &Pack) -> String {
    String::from_utf8(pack.to_vec_or_empty(Format::Json, Decimals::Fractions).unwrap()).unwrap()
}

/// Why the pack is refused; the one-pass resolver has to agree.
fn refused(json: &str) -> ErrorKind {
    let kind = from_slice(json.as_bytes(), Format::Json).unwrap_err().kind();
    let mut resolver = Resolver::new();
    let one_pass = resolver
        .read(json.as_bytes(), Format::Json)
        .and_then(manywire_senml::Readings::collect);
    assert_eq!(one_pass.unwrap_err().kind(), kind);
    kind
}

/// Refused by the letter, taken by default.
fn strict(json: &str) -> ErrorKind {
    resolved_with(json, Strictness::STRICT).unwrap_err()
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<u8> = hexadecimal.bytes().filter(|byte| *byte != b' ').collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn cbor(hexadecimal: &str) -> Result<String, ErrorKind> {
    cbor_with(hexadecimal, Strictness::DEFAULT)
}

fn cbor_with(hexadecimal: &str, rules: Strictness) -> Result<String, ErrorKind> {
    let bytes = bytes(hexadecimal);
    let mut resolver = Resolver::with_strictness(rules);
    let one_pass = resolver
        .read(&bytes, Format::Cbor)
        .and_then(manywire_senml::Readings::collect);
    let pack = match Pack::from_slice(&bytes, Format::Cbor, rules) {
        Ok(pack) => pack,
        Err(error) => {
            assert_eq!(one_pass.unwrap_err().kind(), error.kind());
            return Err(error.kind());
        }
    };
    let resolved = pack.resolve(None).unwrap();
    assert!(one_pass.unwrap().iter().eq(resolved.iter()));
    Ok(text(&resolved.to_pack().unwrap()))
}
