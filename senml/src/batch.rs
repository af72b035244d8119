//! Readings in columns, as stores and data frames want them.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::{Error, Format, Reading, Resolver, Value, ValueBuf};

/// Readings in columns of the same length, in the order of the pack. Each different name and unit is kept once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The different names.
    pub names: Vec<String>,
    /// The different units.
    pub units: Vec<String>,
    /// For each reading, which name.
    pub name: Vec<u32>,
    /// For each reading, which unit, if any.
    pub unit: Vec<Option<u32>>,
    /// For each reading, nanoseconds: since 1970, or from now where the resolver did not know it. Saturates.
    pub time: Vec<i64>,
    /// For each reading, the value as a double; NaN where it is not a number.
    pub number: Vec<f64>,
    /// The values that are not numbers, by reading.
    pub other: BTreeMap<u32, ValueBuf>,
    /// For each reading, the sum; NaN where there is none.
    pub sum: Vec<f64>,
}

impl Batch {
    /// How many readings there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.time.len()
    }

    /// Whether there is no reading.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.time.is_empty()
    }
}

impl Resolver {
    /// Reads a pack into columns.
    ///
    /// # Errors
    /// As [`Readings::next`](crate::Readings::next).
    pub fn columns(&mut self, bytes: &[u8], format: Format) -> Result<Batch, Error> {
        let mut builder = Builder::default();
        self.read(bytes, format)?
            .for_each(|reading| builder.push(&reading))?;
        Ok(builder.batch)
    }
}

#[derive(Default)]
struct Builder {
    batch: Batch,
    names: BTreeMap<String, u32>,
    units: BTreeMap<String, u32>,
}

impl Builder {
    fn push(&mut self, reading: &Reading<'_>) {
        let batch = &mut self.batch;
        let index = batch.time.len() as u32;
        batch
            .name
            .push(intern(reading.name, &mut self.names, &mut batch.names));
        batch.unit.push(
            reading
                .unit
                .map(|unit| intern(unit, &mut self.units, &mut batch.units)),
        );
        let nanos = reading.time.nanos().get();
        batch
            .time
            .push(nanos.clamp(i64::MIN.into(), i64::MAX.into()) as i64);
        batch.sum.push(reading.sum.map_or(f64::NAN, |sum| sum.to_f64()));
        let number = match reading.value {
            Some(Value::Number(number)) => number.to_f64(),
            Some(other) => {
                batch.other.insert(index, other.into());
                f64::NAN
            }
            None => f64::NAN,
        };
        batch.number.push(number);
    }
}

fn intern(text: &str, known: &mut BTreeMap<String, u32>, texts: &mut Vec<String>) -> u32 {
    if let Some(id) = known.get(text) {
        return *id;
    }
    let id = texts.len() as u32;
    texts.push(text.to_owned());
    known.insert(text.to_owned(), id);
    id
}
