//! Ours.

use std::hint::black_box;

use manywire_senml::{Decimals, Format, Nanos, Reading, Resolver, Time, from_slice, to_vec};

use super::packs::Pack;
use super::record::{Tally, Value};
use crate::race::{Contestant, contestant};

pub const JSON: Format = Format::Json;
pub const CBOR: Format = Format::Cbor;

/// Reads and resolves in one pass.
pub fn reader(bytes: &[u8], format: Format, expected: Tally) -> Contestant<'_> {
    let mut resolver = Resolver::new();
    let mut tally = Tally::default();
    read(&mut resolver, bytes, format, &mut |reading| {
        tally = tally + tally_of(reading)
    });
    assert_eq!(tally, expected, "manywire reads something else");
    contestant("manywire", move || {
        read(&mut resolver, black_box(bytes), format, &mut |reading| {
            _ = black_box(reading)
        })
    })
}

/// As the peers are called: the visitor is not known where the pack is read.
fn read(resolver: &mut Resolver, bytes: &[u8], format: Format, visit: &mut dyn FnMut(&Reading<'_>)) {
    let mut readings = resolver.read(bytes, format).expect("the pack is valid");
    while let Some(reading) = readings.next().expect("the pack is valid") {
        visit(&reading);
    }
}

/// Writes a pack.
pub fn writer(pack: &Pack, format: Format) -> Contestant<'_> {
    let records = from_slice(&pack.json, Format::Json).expect("the pack is valid");
    let encoded = to_vec(&records, format).expect("the pack has records");
    let again = from_slice(&encoded, format).expect("what is written can be read");
    assert!(again == records, "manywire writes something else");
    let length = encoded.len();
    let mut buffer = encoded;
    contestant("manywire", move || {
        let written = black_box(&records).write_to(format, Decimals::Fractions, &mut buffer);
        written.expect("the pack has records");
        black_box(&buffer);
    })
    .writing(length)
}

fn tally_of(reading: &Reading<'_>) -> Tally {
    let value = match reading.value.expect("there is a value") {
        manywire_senml::Value::Number(number) => Value::Number(number.to_f64()),
        manywire_senml::Value::Text(text) => Value::Text(text),
        manywire_senml::Value::Boolean(boolean) => Value::Boolean(boolean),
        manywire_senml::Value::Data(_) | manywire_senml::Value::ObjectLink(_) => {
            unreachable!("no pack has such values")
        }
    };
    let time = match reading.time {
        Time::Absolute(nanos) | Time::Relative(nanos) => Nanos::to_seconds(nanos).to_f64(),
    };
    Tally::reading(
        reading.name,
        reading.unit,
        time,
        value,
        reading.sum.map(|sum| sum.to_f64()),
    )
}
