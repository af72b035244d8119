//! One record of a pack, owned.

use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::extension::Extension;
use crate::fields::{Data, Fields, Text};
use crate::label::Label;
use crate::{Error, Number, Strictness, Value, ValueBuf, Version};

/// A record as it stands in a pack: some fields, and base fields that hold from here on.
///
/// ```
/// use manywire_senml::Record;
///
/// let record = Record::new("voltage").with_unit("V").with_value(120.1)?;
/// assert_eq!(record.name(), Some("voltage"));
/// # Ok::<(), manywire_senml::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub(crate) base: Option<Box<Base>>,
    pub(crate) name: Option<String>,
    pub(crate) unit: Option<String>,
    pub(crate) value: Option<ValueBuf>,
    pub(crate) sum: Option<Number>,
    pub(crate) time: Option<Number>,
    pub(crate) update_time: Option<Number>,
    pub(crate) content_format: Option<String>,
    pub(crate) extensions: Vec<Extension>,
}

/// The base fields of a record, apart because few records have them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) version: Option<Version>,
    pub(crate) name: Option<String>,
    pub(crate) time: Option<Number>,
    pub(crate) unit: Option<String>,
    pub(crate) value: Option<Number>,
    pub(crate) sum: Option<Number>,
    pub(crate) content_format: Option<String>,
}

impl Record {
    /// A record with this name (`n`), which may be part of a name that a base name begins.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::default()
        }
    }

    /// Sets `bver`.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        self.base_mut().version = Some(version);
        self
    }

    /// Sets `bn`.
    #[must_use]
    pub fn with_base_name(mut self, name: impl Into<String>) -> Self {
        self.base_mut().name = Some(name.into());
        self
    }

    /// Sets `bt`, in seconds.
    #[must_use]
    pub fn with_base_time(mut self, seconds: impl Into<Number>) -> Self {
        self.base_mut().time = Some(seconds.into());
        self
    }

    /// Sets `bu`.
    #[must_use]
    pub fn with_base_unit(mut self, unit: impl Into<String>) -> Self {
        self.base_mut().unit = Some(unit.into());
        self
    }

    /// Sets `bv`.
    #[must_use]
    pub fn with_base_value(mut self, value: impl Into<Number>) -> Self {
        self.base_mut().value = Some(value.into());
        self
    }

    /// Sets `bs`.
    #[must_use]
    pub fn with_base_sum(mut self, sum: impl Into<Number>) -> Self {
        self.base_mut().sum = Some(sum.into());
        self
    }

    /// Sets `bct`. (RFC 9193)
    #[must_use]
    pub fn with_base_content_format(mut self, content_format: impl Into<String>) -> Self {
        self.base_mut().content_format = Some(content_format.into());
        self
    }

    /// Sets `n`.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets `u`.
    #[must_use]
    pub fn with_unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// Sets the value: a number, a text, a boolean, bytes or a [`Value::ObjectLink`]. Only a double that is not finite can be wrong.
    ///
    /// # Errors
    /// [`ErrorKind::NotFinite`](crate::ErrorKind::NotFinite).
    pub fn with_value<'v, V>(mut self, value: V) -> Result<Self, Error>
    where
        V: TryInto<Value<'v>>,
        Error: From<V::Error>,
    {
        self.value = Some(value.try_into()?.into());
        Ok(self)
    }

    /// Sets `s`.
    #[must_use]
    pub fn with_sum(mut self, sum: impl Into<Number>) -> Self {
        self.sum = Some(sum.into());
        self
    }

    /// Sets `t`, in seconds.
    #[must_use]
    pub fn with_time(mut self, seconds: impl Into<Number>) -> Self {
        self.time = Some(seconds.into());
        self
    }

    /// Sets `ut`, in seconds.
    #[must_use]
    pub fn with_update_time(mut self, seconds: impl Into<Number>) -> Self {
        self.update_time = Some(seconds.into());
        self
    }

    /// Sets `ct`. (RFC 9193)
    #[must_use]
    pub fn with_content_format(mut self, content_format: impl Into<String>) -> Self {
        self.content_format = Some(content_format.into());
        self
    }

    /// `bver`.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        self.base.as_ref()?.version
    }

    /// `bn`.
    #[must_use]
    pub fn base_name(&self) -> Option<&str> {
        self.base.as_ref()?.name.as_deref()
    }

    /// `bt`, in seconds.
    #[must_use]
    pub fn base_time(&self) -> Option<Number> {
        self.base.as_ref()?.time
    }

    /// `bu`.
    #[must_use]
    pub fn base_unit(&self) -> Option<&str> {
        self.base.as_ref()?.unit.as_deref()
    }

    /// `bv`.
    #[must_use]
    pub fn base_value(&self) -> Option<Number> {
        self.base.as_ref()?.value
    }

    /// `bs`.
    #[must_use]
    pub fn base_sum(&self) -> Option<Number> {
        self.base.as_ref()?.sum
    }

    /// `bct`.
    #[must_use]
    pub fn base_content_format(&self) -> Option<&str> {
        self.base.as_ref()?.content_format.as_deref()
    }

    /// `n`.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// `u`.
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// `v`, `vs`, `vb`, `vd` or `vlo`.
    #[must_use]
    pub fn value(&self) -> Option<Value<'_>> {
        self.value.as_ref().map(ValueBuf::as_value)
    }

    /// `s`.
    #[must_use]
    pub const fn sum(&self) -> Option<Number> {
        self.sum
    }

    /// `t`, in seconds.
    #[must_use]
    pub const fn time(&self) -> Option<Number> {
        self.time
    }

    /// `ut`, in seconds.
    #[must_use]
    pub const fn update_time(&self) -> Option<Number> {
        self.update_time
    }

    /// `ct`.
    #[must_use]
    pub fn content_format(&self) -> Option<&str> {
        self.content_format.as_deref()
    }

    /// The fields this crate does not know, in the order they came.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// Adds a field this crate does not know.
    #[must_use]
    pub fn with_extension(mut self, extension: Extension) -> Self {
        self.extensions.push(extension);
        self
    }

    pub(crate) fn base_mut(&mut self) -> &mut Base {
        self.base.get_or_insert_default()
    }
}

impl Record {
    /// The same fields, borrowed.
    pub(crate) fn fields(&self) -> Fields<'_> {
        let mut fields = Fields::EMPTY;
        self.borrow_into(&mut fields);
        fields
    }

    /// The same fields, borrowed, in the place of those of another record.
    #[inline]
    pub(crate) fn borrow_into<'a>(&'a self, fields: &mut Fields<'a>) {
        fields.clear();
        fields.extended = !self.extensions.is_empty();
        if let Some(base) = &self.base {
            base.borrow_into(fields);
        }
        let present = &mut fields.present;
        set_text(present, &mut fields.name, Label::Name, self.name.as_deref());
        set_text(present, &mut fields.unit, Label::Unit, self.unit.as_deref());
        set_text(
            present,
            &mut fields.content_format,
            Label::ContentFormat,
            self.content_format.as_deref(),
        );
        set_number(present, &mut fields.sum, Label::Sum, self.sum);
        set_number(present, &mut fields.time, Label::Time, self.time);
        set_number(
            present,
            &mut fields.update_time,
            Label::UpdateTime,
            self.update_time,
        );
        match &self.value {
            None => {}
            Some(ValueBuf::Number(number)) => {
                set_number(present, &mut fields.value, Label::Value, Some(*number))
            }
            Some(ValueBuf::Text(text)) => set_text(present, &mut fields.text, Label::StringValue, Some(text)),
            Some(ValueBuf::Boolean(value)) => {
                *present |= Label::BooleanValue.bit();
                fields.boolean = *value;
            }
            Some(ValueBuf::Data(data)) => {
                *present |= Label::DataValue.bit();
                fields.data = Data::Bytes(data);
            }
            Some(ValueBuf::ObjectLink(link)) => {
                set_text(present, &mut fields.object_link, Label::ObjectLink, Some(link))
            }
        }
    }

    /// An owned record from fields that were read; the caller has checked that there is one value at most.
    pub(crate) fn from_fields(fields: &Fields<'_>, rules: &Strictness) -> Result<Self, Error> {
        let text = |label, text: Text<'_>| fields.has(label).then(|| text.to_cow().into_owned());
        let value = if fields.has(Label::Value) {
            Some(ValueBuf::Number(fields.value))
        } else if fields.has(Label::StringValue) {
            Some(ValueBuf::Text(fields.text.to_cow().into_owned()))
        } else if fields.has(Label::BooleanValue) {
            Some(ValueBuf::Boolean(fields.boolean))
        } else if fields.has(Label::DataValue) {
            let mut scratch = Vec::new();
            Some(ValueBuf::Data(
                fields.data.through(rules, &mut scratch)?.to_owned(),
            ))
        } else if fields.has(Label::ObjectLink) {
            Some(ValueBuf::ObjectLink(fields.object_link.to_cow().into_owned()))
        } else {
            None
        };
        let base = (fields.present & Fields::BASES != 0).then(|| Box::new(Base::from_fields(fields)));
        Ok(Self {
            base,
            name: text(Label::Name, fields.name),
            unit: text(Label::Unit, fields.unit),
            value,
            sum: fields.number(Label::Sum, fields.sum),
            time: fields.number(Label::Time, fields.time),
            update_time: fields.number(Label::UpdateTime, fields.update_time),
            content_format: text(Label::ContentFormat, fields.content_format),
            extensions: Vec::new(),
        })
    }
}

impl Base {
    fn borrow_into<'a>(&'a self, fields: &mut Fields<'a>) {
        let present = &mut fields.present;
        if let Some(version) = self.version {
            *present |= Label::BaseVersion.bit();
            fields.version = version;
        }
        let content_format = self.content_format.as_deref();
        set_text(
            present,
            &mut fields.base_name,
            Label::BaseName,
            self.name.as_deref(),
        );
        set_text(
            present,
            &mut fields.base_unit,
            Label::BaseUnit,
            self.unit.as_deref(),
        );
        set_text(
            present,
            &mut fields.base_content_format,
            Label::BaseContentFormat,
            content_format,
        );
        set_number(present, &mut fields.base_time, Label::BaseTime, self.time);
        set_number(present, &mut fields.base_value, Label::BaseValue, self.value);
        set_number(present, &mut fields.base_sum, Label::BaseSum, self.sum);
    }

    fn from_fields(fields: &Fields<'_>) -> Self {
        let text = |label, text: Text<'_>| fields.has(label).then(|| text.to_cow()).map(Cow::into_owned);
        Self {
            version: fields.has(Label::BaseVersion).then_some(fields.version),
            name: text(Label::BaseName, fields.base_name),
            time: fields.number(Label::BaseTime, fields.base_time),
            unit: text(Label::BaseUnit, fields.base_unit),
            value: fields.number(Label::BaseValue, fields.base_value),
            sum: fields.number(Label::BaseSum, fields.base_sum),
            content_format: text(Label::BaseContentFormat, fields.base_content_format),
        }
    }
}

fn set_text<'a>(present: &mut u32, slot: &mut Text<'a>, label: Label, text: Option<&'a str>) {
    if let Some(text) = text {
        *present |= label.bit();
        *slot = Text::Plain(text);
    }
}

fn set_number(present: &mut u32, slot: &mut Number, label: Label, number: Option<Number>) {
    if let Some(number) = number {
        *present |= label.bit();
        *slot = number;
    }
}
