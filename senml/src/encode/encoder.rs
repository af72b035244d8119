//! The device side: packs written into a caller's buffer, without `alloc`.

use super::writer::{Decimals, Writer};
use super::{Buffer, cbor};
use crate::fields::{Data, Fields, Text};
use crate::label::Label;
use crate::{Error, ErrorKind, Format, Number, Strictness, Value, Version, content_format, name};

/// A record made of borrowed parts, for [`Encoder`] and for streams.
///
/// ```
/// use manywire_senml::{Encoder, Format, Number, RecordRef};
///
/// let mut buffer = [0; 128];
/// let mut encoder = Encoder::new(&mut buffer, Format::Cbor)?;
/// encoder.push(&RecordRef::new("temp").base_name("dev1:").base_time(1_700_000_000).unit("Cel").value(23.1)?)?;
/// encoder.push(&RecordRef::new("open").time(-5).value(false)?)?;
/// let pack = encoder.finish()?;
/// assert_eq!(pack.len(), 43);
/// # Ok::<(), manywire_senml::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RecordRef<'a> {
    pub(crate) fields: Fields<'a>,
}

/// One row per setter of a text or number.
macro_rules! setters {
    ({ $($text:ident $text_label:ident $text_doc:literal;)* } { $($number:ident $number_label:ident $number_doc:literal;)* }) => {
        $(
            #[doc = $text_doc]
            #[must_use]
            pub const fn $text(mut self, text: &'a str) -> Self {
                self.fields.$text = Text::Plain(text);
                self.fields.present |= Label::$text_label.bit();
                self
            }
        )*
        $(
            #[doc = $number_doc]
            #[must_use]
            pub fn $number(mut self, number: impl Into<Number>) -> Self {
                self.fields.$number = number.into();
                self.fields.present |= Label::$number_label.bit();
                self
            }
        )*
    };
}

impl<'a> RecordRef<'a> {
    /// A record without fields.
    pub const EMPTY: Self = Self {
        fields: Fields::EMPTY,
    };

    /// A record with this name (`n`), which may be part of a name that a base name begins.
    #[must_use]
    pub const fn new(name: &'a str) -> Self {
        Self::EMPTY.name(name)
    }

    setters! {{
        base_name BaseName "Sets `bn`.";
        base_unit BaseUnit "Sets `bu`.";
        base_content_format BaseContentFormat "Sets `bct`. (RFC 9193)";
        name Name "Sets `n`.";
        unit Unit "Sets `u`.";
        content_format ContentFormat "Sets `ct`. (RFC 9193)";
    } {
        base_time BaseTime "Sets `bt`, in seconds.";
        base_value BaseValue "Sets `bv`.";
        base_sum BaseSum "Sets `bs`.";
        sum Sum "Sets `s`.";
        time Time "Sets `t`, in seconds.";
        update_time UpdateTime "Sets `ut`, in seconds.";
    }}

    /// Sets `bver`.
    #[must_use]
    pub const fn version(mut self, version: Version) -> Self {
        self.fields.version = version;
        self.fields.present |= Label::BaseVersion.bit();
        self
    }

    /// Sets the value: a number, a text, a boolean, bytes or a [`Value::ObjectLink`]. Only a double that is not finite can be wrong.
    ///
    /// # Errors
    /// [`ErrorKind::NotFinite`].
    pub fn value<V>(mut self, value: V) -> Result<Self, Error>
    where
        V: TryInto<Value<'a>>,
        Error: From<V::Error>,
    {
        let fields = &mut self.fields;
        fields.present &= !Fields::VALUES;
        fields.present |= match value.try_into()? {
            Value::Number(number) => {
                fields.value = number;
                Label::Value.bit()
            }
            Value::Text(text) => {
                fields.text = Text::Plain(text);
                Label::StringValue.bit()
            }
            Value::Boolean(value) => {
                fields.boolean = value;
                Label::BooleanValue.bit()
            }
            Value::Data(data) => {
                fields.data = Data::Bytes(data);
                Label::DataValue.bit()
            }
            Value::ObjectLink(link) => {
                fields.object_link = Text::Plain(link);
                Label::ObjectLink.bit()
            }
        };
        Ok(self)
    }
}

/// Writes a pack into a buffer that the caller owns. Each record is checked as it comes, and a record that does not fit
/// or is wrong leaves no trace: what was pushed before can still be finished.
#[derive(Debug)]
pub struct Encoder<'b> {
    writer: Writer<'b>,
    records: u32,
    guard: Guard,
}

impl<'b> Encoder<'b> {
    /// A pack without records.
    ///
    /// # Errors
    /// [`ErrorKind::BufferFull`] for an empty buffer.
    pub fn new(buffer: &'b mut [u8], format: Format) -> Result<Self, Error> {
        let mut out = Buffer::new(buffer);
        // The head of a CBOR array is written when the number of records is known; one byte is enough for 23.
        out.put_byte(if format == Format::Json { b'[' } else { cbor::ARRAY })?;
        let writer = Writer {
            out,
            format,
            decimals: Decimals::Fractions,
        };
        Ok(Self {
            writer,
            records: 0,
            guard: Guard::default(),
        })
    }

    /// Says how decimals are written in CBOR.
    pub const fn set_decimals(&mut self, decimals: Decimals) {
        self.writer.decimals = decimals;
    }

    /// Writes a record.
    ///
    /// # Errors
    /// [`ErrorKind::BufferFull`] if it does not fit; otherwise which rule it breaks.
    pub fn push(&mut self, record: &RecordRef<'_>) -> Result<(), Error> {
        let index = self.records as usize;
        let guard = self
            .guard
            .next(&record.fields, index)
            .map_err(|kind| Error::new(kind).in_record(index))?;
        let start = self.writer.out.position();
        let separated = if self.records > 0 {
            self.writer.separate()
        } else {
            Ok(())
        };
        let written = separated.and_then(|()| self.writer.record(&record.fields, 0, |_| Ok(())));
        // The bracket that closes the array has to fit as well.
        let fits = written.and_then(|()| self.check_room());
        if let Err(error) = fits {
            self.writer.out.rewind(start);
            return Err(error.in_record(index));
        }
        self.guard = guard;
        self.records += 1;
        Ok(())
    }

    fn check_room(&mut self) -> Result<(), Error> {
        let end = self.writer.out.position();
        let needed = match self.writer.format {
            Format::Json => 1,
            Format::Cbor => cbor::head_length(u64::from(self.records) + 1) - 1,
        };
        self.writer.out.reserve(needed)?;
        self.writer.out.rewind(end);
        Ok(())
    }

    /// How many bytes are written so far, without the end.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.writer.out.position()
    }

    /// How many records are written.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.records as usize
    }

    /// Whether no record is written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The bytes of the pack.
    ///
    /// # Errors
    /// [`ErrorKind::EmptyPack`] if there is no record, [`ErrorKind::BufferFull`].
    pub fn finish(self) -> Result<&'b [u8], Error> {
        if self.is_empty() {
            return Err(Error::new(ErrorKind::EmptyPack));
        }
        let Writer { mut out, format, .. } = self.writer;
        match format {
            Format::Json => out.put_byte(b']')?,
            Format::Cbor => {
                let mut head = [0; 9];
                let mut head = Buffer::new(&mut head);
                cbor::head(&mut head, cbor::ARRAY, u64::from(self.records))?;
                let head = head.into_written();
                out.insert(1, head.len() - 1)?;
                for (at, byte) in head.iter().enumerate() {
                    out.patch(at, *byte);
                }
            }
        }
        Ok(out.into_written())
    }
}

/// What has to be known of the records before to check the next one. (RFC 8428 §4)
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Guard {
    base_name: Prefix,
    base_value: bool,
    base_sum: bool,
    version: Version,
}

/// What matters of a base name, when the name itself is gone.
#[derive(Clone, Copy, Debug, Default)]
struct Prefix {
    length: usize,
    first: Option<u8>,
    unclean: bool,
}

impl Guard {
    /// The state after a record with these fields, number `index`.
    pub(crate) fn next(mut self, fields: &Fields<'_>, index: usize) -> Result<Self, ErrorKind> {
        self.take_bases(fields, index)?;
        if fields.present & !Fields::BASES == 0 {
            return if fields.present == 0 {
                Err(ErrorKind::NoValue)
            } else {
                Ok(self)
            };
        }
        let name = if fields.has(Label::Name) {
            plain(fields.name)
        } else {
            ""
        };
        name::check_first(self.base_name.first.as_ref().or(name.as_bytes().first()))?;
        if self.base_name.unclean || !name::has_only_name_characters(name.as_bytes()) {
            return Err(ErrorKind::NameCharacter);
        }
        if self.base_name.length + name.len() > Strictness::DEFAULT.name_limit() {
            return Err(ErrorKind::NameTooLong);
        }
        if fields.has(Label::ContentFormat) {
            content_format::check(plain(fields.content_format))?;
        }
        let base_value = self.base_value && fields.present & Fields::HOLDERS != 0;
        let has_value = fields.present & Fields::VALUES != 0 || base_value;
        if has_value || self.base_sum || fields.has(Label::Sum) {
            Ok(self)
        } else {
            Err(ErrorKind::NoValue)
        }
    }

    fn take_bases(&mut self, fields: &Fields<'_>, index: usize) -> Result<(), ErrorKind> {
        if fields.has(Label::BaseVersion) {
            if index == 0 {
                self.version = fields.version;
            }
            if self.version != fields.version {
                return Err(ErrorKind::MixedVersions);
            }
        }
        if fields.has(Label::BaseName) {
            let name = plain(fields.base_name).as_bytes();
            let unclean = !name::has_only_name_characters(name);
            self.base_name = Prefix {
                length: name.len(),
                first: name.first().copied(),
                unclean,
            };
        }
        if fields.has(Label::BaseContentFormat) {
            content_format::check(plain(fields.base_content_format))?;
        }
        self.base_value |= fields.has(Label::BaseValue);
        self.base_sum |= fields.has(Label::BaseSum);
        Ok(())
    }
}

/// A [`RecordRef`] only holds plain texts.
const fn plain(text: Text<'_>) -> &str {
    match text {
        Text::Plain(text) => text,
        #[cfg(feature = "alloc")]
        Text::Escaped(_) | Text::Chunked(_) => "",
    }
}
