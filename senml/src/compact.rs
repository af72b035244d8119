//! The fewest bytes that mean the same: base names, a base time and a base unit, each only where it is measured to pay.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::encode::{Buffer, Decimals, Writer};
use crate::fields::{Fields, Text};
use crate::label::Label;
use crate::{Error, Format, Number, Pack, ReadingBuf, Record, Resolved};

impl Pack {
    /// A pack that resolves to the same readings in as few bytes of `format` as base fields allow.
    ///
    /// Base names are chosen per run of records that share a prefix, one base time and one base unit for the pack, each by
    /// the bytes it saves. Relative times stay relative. The records come out in chronological order, as resolving puts
    /// them. (RFC 8428 §4.1, §4.6)
    ///
    /// # Errors
    /// None for a pack whose records were checked, which they are.
    pub fn compact(&self, format: Format) -> Result<Self, Error> {
        self.resolve(None)?.to_compact_pack(format, *self.strictness())
    }
}

impl Resolved {
    /// The readings as a pack with as few bytes of `format` as base fields allow.
    ///
    /// # Errors
    /// None for readings that came from a pack.
    pub(crate) fn to_compact_pack(&self, format: Format, rules: crate::Strictness) -> Result<Pack, Error> {
        let readings = self.as_slice();
        let mut records: Vec<Record> = readings.iter().map(ReadingBuf::to_record).collect();
        for record in records.iter_mut().skip(1) {
            record.base = None;
        }
        let mut meter = Meter {
            format,
            room: vec![0; 256],
        };
        shorten_names(&mut records, readings, format);
        shorten_times(&mut records, readings, &mut meter);
        shorten_units(&mut records, &mut meter);
        let mut pack = Pack::with_strictness(rules.base_value_alone(true));
        for record in records {
            pack.push_or_spoil(record)?;
        }
        Ok(pack)
    }
}

/// Gives every run of records the base name that saves most.
fn shorten_names(records: &mut [Record], readings: &[ReadingBuf], format: Format) {
    let names: Vec<&str> = readings.iter().map(|reading| reading.name.as_str()).collect();
    // What each name has in common with the one before it.
    let common: Vec<usize> = names
        .iter()
        .zip(names.iter().skip(1))
        .map(|(before, name)| {
            before
                .bytes()
                .zip(name.bytes())
                .take_while(|(one, other)| one == other)
                .count()
        })
        .collect();
    let mut runs = Vec::new();
    plan_names(&names, &common, 0, format, MAX_SPLITS, &mut runs);
    let mut base = "";
    for (start, length, prefix) in runs {
        for (name, record) in names.iter().zip(records.iter_mut()).skip(start).take(length) {
            let (head, tail) = name.split_at(prefix);
            if head != base {
                record.base_mut().name = Some(head.into());
                base = head;
            }
            record.name = (!tail.is_empty()).then(|| tail.into());
        }
    }
}

/// How often a run may be split in two kinds of runs.
const MAX_SPLITS: usize = 8;

/// Appends runs `(start, length, prefix length)` for `names`, and says what they cost. One run with the prefix that all
/// have in common, or several where the least in common is, whichever is shorter.
fn plan_names(
    names: &[&str],
    common: &[usize],
    start: usize,
    format: Format,
    splits: usize,
    runs: &mut Vec<(usize, usize, usize)>,
) -> usize {
    let least = common.iter().copied().min();
    let longest = names.first().map_or(0, |name| name.len());
    let cost_with = |prefix: usize| {
        let own: usize = names.iter().map(|name| member(name.len() - prefix, format)).sum();
        own + base_member(prefix, start, format)
    };
    let shared = least.unwrap_or(longest);
    let (single, prefix) = (cost_with(0), 0).min((cost_with(shared), shared));
    let before = runs.len();
    if let (Some(least), Some(splits)) = (least, splits.checked_sub(1))
        && common.iter().any(|&shared| shared != least)
    {
        let (mut cost, mut from) = (0, 0);
        let ends = common
            .iter()
            .enumerate()
            .filter(|(_, shared)| **shared == least)
            .map(|(at, _)| at + 1);
        for end in ends.chain([names.len()]) {
            let (names, common) = (names.get(from..end), common.get(from..end - 1));
            cost += plan_names(
                names.unwrap_or_default(),
                common.unwrap_or_default(),
                start + from,
                format,
                splits,
                runs,
            );
            from = end;
        }
        if cost < single {
            return cost;
        }
        runs.truncate(before);
    }
    runs.push((start, names.len(), prefix));
    single
}

/// Bytes of a name member; none if nothing is left of the name.
fn member(length: usize, format: Format) -> usize {
    match format {
        _ if length == 0 => 0,
        Format::Json => length + 7,
        Format::Cbor => length + 2 + usize::from(length > 23),
    }
}

/// Bytes of a base name; at the beginning of a pack an empty one needs none.
fn base_member(length: usize, start: usize, format: Format) -> usize {
    match format {
        _ if length == 0 && start == 0 => 0,
        Format::Json => length + 8,
        Format::Cbor => length + 2 + usize::from(length > 23),
    }
}

/// Takes the base time that makes the times of all records shortest.
fn shorten_times(records: &mut [Record], readings: &[ReadingBuf], meter: &mut Meter) {
    let candidates = [
        readings.first(),
        readings.last(),
        readings.get(readings.len() / 2),
    ];
    let mut best = (
        records
            .iter()
            .map(|record| meter.time(record.time))
            .sum::<usize>(),
        None,
    );
    for candidate in candidates.into_iter().flatten() {
        for grain in [1, 1_000_000_000] {
            let base = candidate.time.nanos().get().div_euclid(grain) * grain;
            let Some(times) = offsets(readings, base) else {
                continue;
            };
            let base = crate::Nanos::new(base).to_seconds();
            let cost = meter.base_time(base) + times.iter().map(|time| meter.time(*time)).sum::<usize>();
            if cost < best.0 {
                best = (cost, Some((base, times)));
            }
        }
    }
    let (Some((base, times)), Some(first)) = (best.1, records.first_mut()) else {
        return;
    };
    first.base_mut().time = Some(base);
    for (record, time) in records.iter_mut().zip(times) {
        record.time = time;
    }
}

/// The times from `base` on, if each is an exact decimal.
fn offsets(readings: &[ReadingBuf], base: i128) -> Option<Vec<Option<Number>>> {
    let offset = |reading: &ReadingBuf| {
        let nanos = reading.time.nanos().get().checked_sub(base)?;
        i64::try_from(nanos).ok()?;
        Some((nanos != 0).then(|| crate::Nanos::new(nanos).to_seconds()))
    };
    readings.iter().map(offset).collect()
}

/// Takes the base unit that saves most. A record without a unit cannot follow it: nothing unsets a base unit.
fn shorten_units(records: &mut [Record], meter: &mut Meter) {
    let after_unitless = records
        .iter()
        .rposition(|record| record.unit.is_none())
        .map_or(0, |last| last + 1);
    let Some(records) = records.get_mut(after_unitless..) else {
        return;
    };
    let mut units: Vec<(&str, usize)> = Vec::new();
    for unit in records.iter().filter_map(Record::unit) {
        match units.iter().position(|(known, _)| *known == unit) {
            Some(at) => units.get_mut(at).into_iter().for_each(|(_, count)| *count += 1),
            None if units.len() < MAX_UNITS => units.push((unit, 1)),
            None => {}
        }
    }
    let saved = units
        .iter()
        .map(|(unit, count)| (meter.unit(unit) * count, *unit));
    let Some((saved, unit)) = saved.max_by_key(|(saved, _)| *saved) else {
        return;
    };
    let unit = String::from(unit);
    if saved <= meter.unit(&unit) + 1 {
        return;
    }
    for record in records
        .iter_mut()
        .filter(|record| record.unit.as_deref() == Some(&unit))
    {
        record.unit = None;
    }
    if let Some(first) = records.first_mut() {
        first.base_mut().unit = Some(unit);
    }
}

/// How many different units are looked at.
const MAX_UNITS: usize = 64;

/// Measures members by writing them.
struct Meter {
    format: Format,
    room: Vec<u8>,
}

impl Meter {
    fn time(&mut self, time: Option<Number>) -> usize {
        time.map_or(0, |time| {
            let mut fields = Fields::EMPTY;
            (fields.present, fields.time) = (Label::Time.bit(), time);
            self.measure(&fields)
        })
    }

    fn base_time(&mut self, time: Number) -> usize {
        let mut fields = Fields::EMPTY;
        (fields.present, fields.base_time) = (Label::BaseTime.bit(), time);
        self.measure(&fields)
    }

    fn unit(&mut self, unit: &str) -> usize {
        let mut fields = Fields::EMPTY;
        (fields.present, fields.unit) = (Label::Unit.bit(), Text::Plain(unit));
        self.room.resize(unit.len() * 6 + 256, 0);
        self.measure(&fields)
    }

    /// Bytes of the record less what an empty one takes.
    fn measure(&mut self, fields: &Fields<'_>) -> usize {
        let out = Buffer::new(&mut self.room);
        let mut writer = Writer {
            out,
            format: self.format,
            decimals: Decimals::Fractions,
        };
        let written = writer.record(fields, 0, |_| Ok(()));
        debug_assert!(written.is_ok());
        writer.out.position().saturating_sub(1)
    }
}
