//! What can be published.

use bytes::Bytes;

use crate::{error::Error, message::ContentType};

/// Bytes, and what they are if that is known.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    pub(crate) bytes: Bytes,
    pub(crate) content_type: Option<ContentType>,
}

impl Payload {
    /// Bytes of which nothing is known.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self {
            bytes: bytes.into(),
            content_type: None,
        }
    }

    /// The same with a content type.
    #[must_use]
    pub fn content_type(mut self, content_type: ContentType) -> Self {
        self.content_type = Some(content_type);
        self
    }

    /// A SenML pack in this format.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Payload`](crate::ErrorKind::Payload) when the pack cannot be encoded.
    #[cfg(feature = "senml")]
    pub fn senml(pack: &manywire_senml::Pack, format: manywire_senml::Format) -> Result<Self, Error> {
        let content_type = match format {
            manywire_senml::Format::Cbor => ContentType::SENML_CBOR,
            _ => ContentType::SENML_JSON,
        };
        // The platform's own decoder refuses decimal fractions (tag 4), so numbers in CBOR are floats here.
        let bytes = pack
            .to_vec(format, manywire_senml::Decimals::Floats)
            .map_err(|error| Error::caused_by(crate::error::ErrorKind::Payload, error))?;
        Ok(Self::new(bytes).content_type(content_type))
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payload")
            .field("bytes", &self.bytes.len())
            .field("content_type", &self.content_type)
            .finish()
    }
}

/// Whatever can be published: bytes, text, a [`Payload`], and a SenML pack (feature `senml`; in JSON).
pub trait IntoPayload {
    /// The bytes to send.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Payload`](crate::ErrorKind::Payload) when it cannot be encoded.
    fn into_payload(self) -> Result<Payload, Error>;
}

impl IntoPayload for Payload {
    fn into_payload(self) -> Result<Payload, Error> {
        Ok(self)
    }
}

impl IntoPayload for Bytes {
    fn into_payload(self) -> Result<Payload, Error> {
        Ok(Payload::new(self))
    }
}

impl IntoPayload for Vec<u8> {
    fn into_payload(self) -> Result<Payload, Error> {
        Ok(Payload::new(self))
    }
}

impl IntoPayload for String {
    fn into_payload(self) -> Result<Payload, Error> {
        Ok(Payload::new(self))
    }
}

impl IntoPayload for &[u8] {
    fn into_payload(self) -> Result<Payload, Error> {
        Ok(Payload::new(Bytes::copy_from_slice(self)))
    }
}

impl<const N: usize> IntoPayload for &[u8; N] {
    fn into_payload(self) -> Result<Payload, Error> {
        self.as_slice().into_payload()
    }
}

impl IntoPayload for &str {
    fn into_payload(self) -> Result<Payload, Error> {
        self.as_bytes().into_payload()
    }
}

#[cfg(feature = "senml")]
impl IntoPayload for &manywire_senml::Pack {
    fn into_payload(self) -> Result<Payload, Error> {
        Payload::senml(self, manywire_senml::Format::Json)
    }
}
