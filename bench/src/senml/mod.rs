//! SenML packs against serde and its formats, and against the SenML crate that resolves: reading with resolving, and
//! writing, in nanoseconds per record.

mod cbor;
mod json;
mod manywire;
mod packs;
mod record;

use std::hint::black_box;

use crate::race::{Contestant, contestant, race};
use crate::report::Report;
use cbor::MiniRecord;
use json::SimdJson;
use packs::{Kind, Pack};
use record::{Bases, Labelled, Reading, Tally};

/// Runs every case of the suite.
pub fn run(report: &mut Report) {
    for len in [1_000, 10, 1] {
        for kind in [Kind::Compact, Kind::Resolved, Kind::Mixed] {
            let pack = Pack::new(kind, len);
            let case = |work: &str| format!("{work}-{len}{}", kind.suffix());
            race(
                report,
                &case("json-resolve"),
                len as u64,
                &mut json_readers(&pack),
            );
            race(
                report,
                &case("cbor-resolve"),
                len as u64,
                &mut cbor_readers(&pack),
            );
            race(report, &case("json-encode"), len as u64, &mut json_writers(&pack));
            race(report, &case("cbor-encode"), len as u64, &mut cbor_writers(&pack));
        }
    }
}

fn json_readers(pack: &Pack) -> Vec<Contestant<'_>> {
    let json = &pack.json[..];
    let mut simd_json = SimdJson::new(json.len());
    assert_eq!(
        tally(json::sindit_senml(json).iter().map(json::tally_of_sindit)),
        pack.tally,
        "sindit-senml"
    );
    vec![
        manywire::reader(json, manywire::JSON, pack.tally),
        reader("serde_json", pack, json, |json, bases, visit| {
            json::serde_json(json, bases, visit)
        }),
        reader("serde_json-borrowed", pack, json, |json, bases, visit| {
            json::serde_json_borrowed(json, bases, visit)
        }),
        contestant("serde_json-ignored", move || {
            _ = black_box(json::serde_json_ignored(black_box(json)))
        }),
        reader("sonic-rs", pack, json, |json, bases, visit| {
            json::sonic_rs(json, bases, visit)
        }),
        reader("simd-json", pack, json, move |json, bases, visit| {
            simd_json.read(json, bases, visit)
        }),
        contestant("sindit-senml", move || {
            _ = black_box(json::sindit_senml(black_box(json)))
        }),
        memcpy(json),
    ]
}

fn cbor_readers(pack: &Pack) -> Vec<Contestant<'_>> {
    let cbor = &pack.cbor[..];
    // cbor4ii takes no shorter float where a double is asked for, so it reads what it writes itself.
    let doubles = &pack.cbor_doubles[..];
    assert_eq!(
        cbor::tally_of_minicbor(&cbor::minicbor(cbor)),
        pack.tally,
        "minicbor"
    );
    vec![
        manywire::reader(cbor, manywire::CBOR, pack.tally),
        reader("ciborium", pack, cbor, |cbor, bases, visit| {
            cbor::ciborium(cbor, bases, visit)
        }),
        contestant("minicbor", move || _ = black_box(cbor::minicbor(black_box(cbor)))),
        reader("cbor4ii", pack, doubles, |cbor, bases, visit| {
            cbor::cbor4ii(cbor, bases, visit)
        }),
        memcpy(cbor),
    ]
}

fn json_writers(pack: &Pack) -> Vec<Contestant<'_>> {
    let records = &pack.records;
    let resolved = json::sindit_senml(&pack.json);
    vec![
        manywire::writer(pack, manywire::JSON),
        writer("serde_json", pack.json.len(), move |buffer| {
            serde_json::to_writer(buffer, black_box(records)).expect("a vector takes everything");
        }),
        writer("sonic-rs", pack.json.len(), move |buffer| {
            sonic_rs::to_writer(buffer, black_box(records)).expect("a vector takes everything");
        }),
        writer("simd-json", pack.json.len(), move |buffer| {
            simd_json::serde::to_writer(buffer, black_box(records)).expect("a vector takes everything");
        }),
        writer("sindit-senml", pack.json.len(), move |buffer| {
            serde_json::to_writer(buffer, black_box(&resolved)).expect("a vector takes everything");
        }),
        memcpy(&pack.json),
    ]
}

fn cbor_writers(pack: &Pack) -> Vec<Contestant<'_>> {
    let labelled: Vec<_> = pack.records.iter().cloned().map(Labelled).collect();
    let also_labelled: Vec<_> = pack.records.iter().cloned().map(Labelled).collect();
    let derived: Vec<_> = pack.records.iter().map(MiniRecord::from).collect();
    vec![
        manywire::writer(pack, manywire::CBOR),
        writer("ciborium", pack.cbor.len(), move |buffer| {
            ciborium::into_writer(black_box(&labelled), buffer).expect("a vector takes everything");
        }),
        writer("minicbor", pack.cbor.len(), move |buffer| {
            minicbor::encode(black_box(&derived), buffer).expect("a vector takes everything");
        }),
        writer("cbor4ii", pack.cbor.len(), move |buffer| {
            let taken = std::mem::take(buffer);
            *buffer =
                cbor4ii::serde::to_vec(taken, black_box(&also_labelled)).expect("a vector takes everything");
        }),
        memcpy(&pack.cbor),
    ]
}

/// A peer that reads and resolves, after it has shown that it reads all of the pack.
fn reader<'a>(
    who: &'static str,
    pack: &Pack,
    bytes: &'a [u8],
    mut read: impl FnMut(&'a [u8], &mut Bases, &mut dyn FnMut(&Reading<'_>)) + 'a,
) -> Contestant<'a> {
    let mut bases = Bases::default();
    let mut read_tally = Tally::default();
    read(bytes, &mut bases, &mut |reading| {
        read_tally = read_tally + reading.into()
    });
    assert_eq!(read_tally, pack.tally, "{who} reads something else");
    contestant(who, move || {
        read(black_box(bytes), &mut bases, &mut |reading| {
            _ = black_box(reading)
        })
    })
}

/// A contestant that writes into a vector that is used again.
fn writer<'a>(
    who: &'static str,
    capacity: usize,
    mut write: impl FnMut(&mut Vec<u8>) + 'a,
) -> Contestant<'a> {
    let mut buffer = Vec::with_capacity(2 * capacity);
    write(&mut buffer);
    let bytes = buffer.len();
    contestant(who, move || {
        buffer.clear();
        write(&mut buffer);
        black_box(&buffer);
    })
    .writing(bytes)
}

fn tally(readings: impl Iterator<Item = Tally>) -> Tally {
    readings.fold(Tally::default(), |tally, reading| tally + reading)
}

/// The floor for anything that touches every byte once.
fn memcpy(bytes: &[u8]) -> Contestant<'_> {
    let mut buffer = vec![0; bytes.len()];
    contestant("memcpy", move || {
        buffer.copy_from_slice(black_box(bytes));
        black_box(&buffer);
    })
    .writing(bytes.len())
}
