//! What a payload is said to be.

use std::fmt;
use std::sync::Arc;

/// A media type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentType {
    /// `application/senml+json` (RFC 8428 §12.3).
    SenmlJson,
    /// `application/senml+cbor`.
    SenmlCbor,
    /// `application/json`.
    Json,
    /// Any other.
    Other(Arc<str>),
}

impl ContentType {
    /// Reads a media type; parameters such as `; charset=utf-8` are kept only on the types that are not
    /// known by name.
    pub fn parse(text: &str) -> Self {
        let essence = text.split(';').next().unwrap_or_default().trim();
        let known = [Self::SenmlJson, Self::SenmlCbor, Self::Json];
        known
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(essence))
            .unwrap_or_else(|| Self::Other(text.trim().into()))
    }

    /// The media type's name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::SenmlJson => "application/senml+json",
            Self::SenmlCbor => "application/senml+cbor",
            Self::Json => "application/json",
            Self::Other(name) => name,
        }
    }

    /// Whether the platform takes it over HTTP.
    pub fn is_accepted_over_http(&self) -> bool {
        !matches!(self, Self::Other(_))
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
