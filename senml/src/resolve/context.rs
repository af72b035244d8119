//! The base fields in effect, and what a record means under them. The one place where a record is resolved.

use alloc::string::String;
use alloc::vec::Vec;

use crate::content_format;
use crate::fields::{Fields, Text};
use crate::label::Label;
use crate::time::BaseTime;
use crate::{
    Error, ErrorKind, Extensions, Nanos, Number, Reading, Strictness, Time, Unit, Value, Version, name,
    strictness,
};

/// Everything that goes from one record to the next. Its buffers are kept, so a context that is used again allocates
/// nothing.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) rules: Strictness,
    pub(crate) now: Option<Nanos>,
    records: usize,
    version: Version,
    /// The base name, and after it the name of the current record.
    name: String,
    base_name: usize,
    base_name_is_clean: bool,
    unit: Held,
    content_format: Held,
    time: BaseTime,
    value: Option<Number>,
    sum: Option<Number>,
    scratch: Scratch,
}

/// A text that holds for the records to come, if there is one. Its buffer stays for the next pack.
#[derive(Clone, Debug, Default)]
struct Held {
    text: String,
    is_set: bool,
}

impl Held {
    fn set(&mut self, text: Text<'_>) {
        self.text.clear();
        text.append_to(&mut self.text);
        self.is_set = true;
    }

    #[inline(always)]
    fn get(&self) -> Option<&str> {
        if self.is_set { Some(&self.text) } else { None }
    }
}

/// Where texts go that cannot be lent from the input as they are.
#[derive(Clone, Debug, Default)]
struct Scratch {
    unit: String,
    text: String,
    data: Vec<u8>,
    content_format: String,
}

impl Context {
    pub(crate) fn new(rules: Strictness) -> Self {
        Self {
            rules,
            now: None,
            records: 0,
            version: Version::DEFAULT,
            name: String::new(),
            base_name: 0,
            base_name_is_clean: true,
            unit: Held::default(),
            content_format: Held::default(),
            time: BaseTime::ZERO,
            value: None,
            sum: None,
            scratch: Scratch::default(),
        }
    }

    /// Forgets the base fields: another pack begins.
    pub(crate) fn restart(&mut self) {
        self.records = 0;
        self.version = Version::DEFAULT;
        self.name.clear();
        self.base_name = 0;
        self.base_name_is_clean = true;
        self.unit.is_set = false;
        self.content_format.is_set = false;
        self.time = BaseTime::ZERO;
        self.value = None;
        self.sum = None;
    }

    /// What the record means; nothing if it only sets base fields.
    pub(crate) fn resolve<'s, 'a: 's>(
        &'s mut self,
        fields: &Fields<'a>,
    ) -> Result<Option<Reading<'s>>, Error> {
        let index = self.records;
        let resolved = match self.begin(fields) {
            Ok(true) => self.reading(fields).map(Some),
            Ok(false) => Ok(None),
            Err(kind) => Err(kind),
        };
        resolved.map_err(|kind| Error::new(kind).in_record(index))
    }

    /// The index of the record that was begun last.
    pub(crate) const fn last_record(&self) -> usize {
        self.records.saturating_sub(1)
    }

    /// An error in the record that was begun last, which begins at byte `at`.
    #[cold]
    pub(crate) fn error(&self, kind: ErrorKind, at: usize) -> Error {
        Error::new(kind).in_record(self.last_record()).at_byte(at)
    }

    /// Takes the base fields of the next record and says whether the record also is a reading.
    #[inline(always)]
    pub(crate) fn begin(&mut self, fields: &Fields<'_>) -> Result<bool, ErrorKind> {
        if self.records >= self.rules.record_limit() {
            return Err(ErrorKind::TooManyRecords);
        }
        self.records += 1;
        if fields.present & Fields::BASES == 0 {
            return Ok(true);
        }
        self.take_bases(fields)?;
        // Fields that are not known are ignored, here too. RFC 8428 §4.4
        if fields.present & !Fields::BASES != 0 {
            return Ok(true);
        }
        accepted(&self.rules, strictness::BASE_ONLY_RECORDS, ErrorKind::NoValue).map(|()| false)
    }

    /// What the record means whose base fields [`begin`](Self::begin) took.
    #[inline(always)]
    pub(crate) fn reading<'s, 'a: 's>(&'s mut self, fields: &Fields<'a>) -> Result<Reading<'s>, ErrorKind> {
        self.join_name(fields)?;
        let sum = match (self.sum, fields.number(Label::Sum, fields.sum)) {
            (Some(base), Some(sum)) => Some(base.checked_add(sum).map_err(|error| error.kind())?),
            (base, sum) => base.or(sum),
        };
        let time = Time::from_nanos(self.time.plus(fields.number(Label::Time, fields.time)));
        let has_data = fields.has(Label::DataValue);
        let value = value(
            fields,
            self.value,
            sum.is_some(),
            &self.rules,
            &mut self.scratch.text,
            &mut self.scratch.data,
        )?;
        let unit = if fields.has(Label::Unit) {
            Some(fields.unit.through(&mut self.scratch.unit))
        } else {
            self.unit.get()
        };
        if !self.rules.accepts(strictness::UNDECLARED_SECONDARY_UNITS) {
            check_unit(unit, self.version)?;
        }
        let content_format = if fields.has(Label::ContentFormat) {
            let text = fields.content_format.through(&mut self.scratch.content_format);
            content_format::check(text)?;
            Some(text)
        } else {
            self.content_format.get().filter(|_| has_data)
        };
        Ok(Reading {
            name: name_of(&self.name, self.base_name, fields),
            unit,
            time: self.now.map_or(time, |now| time.resolve(now)),
            value,
            sum,
            update_time: fields.number(Label::UpdateTime, fields.update_time),
            content_format,
            version: self.version,
            extensions: Extensions::NONE,
        })
    }

    /// A base field holds from the record it stands in until the next of its kind. (RFC 8428 §4.1)
    fn take_bases(&mut self, fields: &Fields<'_>) -> Result<(), ErrorKind> {
        if fields.has(Label::BaseVersion) {
            self.take_version(fields.version)?;
        }
        if fields.has(Label::BaseName) {
            self.name.clear();
            fields.base_name.append_to(&mut self.name);
            self.base_name = self.name.len();
            self.base_name_is_clean = name::has_only_name_characters(self.name.as_bytes());
        }
        if fields.has(Label::BaseUnit) {
            self.unit.set(fields.base_unit);
        }
        if fields.has(Label::BaseContentFormat) {
            self.content_format.set(fields.base_content_format);
            content_format::check(self.content_format.get().unwrap_or_default())?;
        }
        if fields.has(Label::BaseTime) {
            self.time = BaseTime::new(fields.base_time);
        }
        if fields.has(Label::BaseValue) {
            self.value = Some(fields.base_value);
        }
        if fields.has(Label::BaseSum) {
            self.sum = Some(fields.base_sum);
        }
        Ok(())
    }

    /// One version for the whole pack; a pack that begins without one has the default. (RFC 8428 §4.1, §4.4)
    fn take_version(&mut self, version: Version) -> Result<(), ErrorKind> {
        self.rules.check_version(version).map_err(|error| error.kind())?;
        if self.records == 1 {
            self.version = version;
        }
        if self.version == version {
            Ok(())
        } else {
            Err(ErrorKind::MixedVersions)
        }
    }

    /// Puts the full name together and checks it; only what the record adds is looked at again. (RFC 8428 §4.5.1)
    #[inline(always)]
    fn join_name(&mut self, fields: &Fields<'_>) -> Result<(), ErrorKind> {
        self.name.truncate(self.base_name);
        let (suffix, lent) = match fields.name {
            _ if !fields.has(Label::Name) => ("", false),
            Text::Plain(text) if self.base_name == 0 => (text, true),
            text => {
                text.append_to(&mut self.name);
                (self.name.get(self.base_name..).unwrap_or_default(), false)
            }
        };
        let full = if lent { suffix } else { self.name.as_str() };
        name::check_first(full.as_bytes().first())?;
        if full.len() > self.rules.name_limit() {
            return Err(ErrorKind::NameTooLong);
        }
        let clean = self.base_name_is_clean
            && (fields.clean_name || name::has_only_name_characters(suffix.as_bytes()));
        if clean {
            Ok(())
        } else {
            Err(ErrorKind::NameCharacter)
        }
    }
}

/// The full name: lent from the input where there is no base name.
#[inline]
fn name_of<'s, 'a: 's>(joined: &'s str, base_name: usize, fields: &Fields<'a>) -> &'s str {
    match fields.name {
        Text::Plain(text) if base_name == 0 && fields.has(Label::Name) => text,
        _ => joined,
    }
}

/// One value at most, and one at least unless there is a sum. (RFC 8428 §4.2, §4.5.4)
#[inline]
fn value<'s, 'a: 's>(
    fields: &Fields<'a>,
    base: Option<Number>,
    has_sum: bool,
    rules: &Strictness,
    text: &'s mut String,
    data: &'s mut Vec<u8>,
) -> Result<Option<Value<'s>>, ErrorKind> {
    const NUMBER: u32 = Label::Value.bit();
    const TEXT: u32 = Label::StringValue.bit();
    const BOOLEAN: u32 = Label::BooleanValue.bit();
    const DATA: u32 = Label::DataValue.bit();
    const LINK: u32 = Label::ObjectLink.bit();
    Ok(Some(match fields.present & Fields::VALUES {
        NUMBER => Value::Number(match base {
            Some(base) => base.checked_add(fields.value).map_err(|error| error.kind())?,
            None => fields.value,
        }),
        TEXT => Value::Text(fields.text.through(text)),
        BOOLEAN => Value::Boolean(fields.boolean),
        DATA => Value::Data(fields.data.through(rules, data)?),
        LINK => Value::ObjectLink(fields.object_link.through(text)),
        0 => return missing_value(fields, base, has_sum, rules),
        _ => return Err(ErrorKind::SeveralValues),
    }))
}

fn missing_value<'s>(
    fields: &Fields<'_>,
    base: Option<Number>,
    has_sum: bool,
    rules: &Strictness,
) -> Result<Option<Value<'s>>, ErrorKind> {
    match base {
        _ if has_sum => Ok(None),
        Some(base) if fields.present & Fields::HOLDERS != 0 => {
            accepted(rules, strictness::BASE_VALUE_ALONE, ErrorKind::NoValue)?;
            Ok(Some(Value::Number(base)))
        }
        _ => Err(ErrorKind::NoValue),
    }
}

fn accepted(rules: &Strictness, policy: u32, kind: ErrorKind) -> Result<(), ErrorKind> {
    rules.allow(policy, kind).map_err(|error| error.kind())
}

/// Secondary units only where the version declares them. (RFC 9100 §5)
fn check_unit(unit: Option<&str>, version: Version) -> Result<(), ErrorKind> {
    let secondary = unit.and_then(Unit::parse).is_some_and(Unit::is_secondary);
    if secondary && !version.has_feature(4) {
        Err(ErrorKind::SecondaryUnit)
    } else {
        Ok(())
    }
}
