//! The formats of a pack and the names they have on the wire. (RFC 8428 §12.3, RFC 8790 §7)

use crate::{Error, ErrorKind};

/// How a pack is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// JSON. (RFC 8428 §5)
    Json,
    /// CBOR. (RFC 8428 §6)
    Cbor,
}

/// One media type of the SenML family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// A pack in JSON.
    SenmlJson,
    /// A stream in JSON.
    SensmlJson,
    /// A pack in CBOR.
    SenmlCbor,
    /// A stream in CBOR.
    SensmlCbor,
    /// A pack in EXI.
    SenmlExi,
    /// A stream in EXI.
    SensmlExi,
    /// A pack in XML.
    SenmlXml,
    /// A stream in XML.
    SensmlXml,
    /// A FETCH or PATCH pack in JSON.
    SenmlEtchJson,
    /// A FETCH or PATCH pack in CBOR.
    SenmlEtchCbor,
}

impl MediaType {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::SenmlJson,
        Self::SensmlJson,
        Self::SenmlCbor,
        Self::SensmlCbor,
        Self::SenmlExi,
        Self::SensmlExi,
        Self::SenmlXml,
        Self::SensmlXml,
        Self::SenmlEtchJson,
        Self::SenmlEtchCbor,
    ];

    /// The media type, like `application/senml+json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The CoAP content-format, like 110.
    #[must_use]
    pub const fn content_format(self) -> u16 {
        self.row().1
    }

    /// The extension of file names, like `senml`.
    #[must_use]
    pub const fn file_extension(self) -> &'static str {
        self.row().2
    }

    /// The media type with this name; parameters after `;` are ignored, case too. (RFC 9110 §8.3.1)
    ///
    /// # Errors
    /// [`ErrorKind::MediaType`].
    pub fn parse(name: &str) -> Result<Self, Error> {
        let essence = name.split(';').next().unwrap_or_default().trim();
        let found = Self::ALL
            .into_iter()
            .find(|media_type| media_type.name().eq_ignore_ascii_case(essence));
        found.ok_or(Error::new(ErrorKind::MediaType))
    }

    /// The media type with this CoAP content-format.
    ///
    /// # Errors
    /// [`ErrorKind::MediaType`].
    pub fn from_content_format(number: u16) -> Result<Self, Error> {
        let found = Self::ALL
            .into_iter()
            .find(|media_type| media_type.content_format() == number);
        found.ok_or(Error::new(ErrorKind::MediaType))
    }

    /// The format, if this crate reads and writes it: XML and EXI it does not.
    #[must_use]
    pub const fn format(self) -> Option<Format> {
        match self {
            Self::SenmlJson | Self::SensmlJson | Self::SenmlEtchJson => Some(Format::Json),
            Self::SenmlCbor | Self::SensmlCbor | Self::SenmlEtchCbor => Some(Format::Cbor),
            Self::SenmlExi | Self::SensmlExi | Self::SenmlXml | Self::SensmlXml => None,
        }
    }

    /// Whether records come one by one, without an end. (RFC 8428 §4.8)
    #[must_use]
    pub const fn is_stream(self) -> bool {
        matches!(
            self,
            Self::SensmlJson | Self::SensmlCbor | Self::SensmlExi | Self::SensmlXml
        )
    }

    const fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::SenmlJson => ("application/senml+json", 110, "senml"),
            Self::SensmlJson => ("application/sensml+json", 111, "sensml"),
            Self::SenmlCbor => ("application/senml+cbor", 112, "senmlc"),
            Self::SensmlCbor => ("application/sensml+cbor", 113, "sensmlc"),
            Self::SenmlExi => ("application/senml-exi", 114, "senmle"),
            Self::SensmlExi => ("application/sensml-exi", 115, "sensmle"),
            Self::SenmlXml => ("application/senml+xml", 310, "senmlx"),
            Self::SensmlXml => ("application/sensml+xml", 311, "sensmlx"),
            Self::SenmlEtchJson => ("application/senml-etch+json", 320, "senml-etchj"),
            Self::SenmlEtchCbor => ("application/senml-etch+cbor", 322, "senml-etchc"),
        }
    }
}

impl Format {
    /// The media type of a pack in this format.
    #[must_use]
    pub const fn media_type(self) -> MediaType {
        match self {
            Self::Json => MediaType::SenmlJson,
            Self::Cbor => MediaType::SenmlCbor,
        }
    }

    /// The format that the first byte shows: `[` after white space is JSON, an array head CBOR.
    #[must_use]
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace())? {
            b'[' => Some(Self::Json),
            0x80..=0x9f => Some(Self::Cbor),
            _ => None,
        }
    }
}
