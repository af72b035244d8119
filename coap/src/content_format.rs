/// The number that stands for a media type in Content-Format and Accept (RFC 7252 §12.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentFormat(pub u16);

impl ContentFormat {
    /// `text/plain; charset=utf-8`
    pub const TEXT: Self = Self(0);
    /// `application/octet-stream`
    pub const OCTET_STREAM: Self = Self(42);
    /// `application/json`
    pub const JSON: Self = Self(50);
    /// `application/cbor`
    pub const CBOR: Self = Self(60);
    /// `application/senml+json` (RFC 8428)
    pub const SENML_JSON: Self = Self(110);
    /// `application/senml+cbor` (RFC 8428)
    pub const SENML_CBOR: Self = Self(112);

    /// The number of a media type; parameters are ignored. `None` for one without a number here.
    #[must_use]
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        TABLE
            .iter()
            .find(|(_, name)| name.eq_ignore_ascii_case(essence))
            .map(|(number, _)| Self(*number))
    }

    /// The media type of the number, without parameters. `None` for a number not known here.
    #[must_use]
    pub fn media_type(self) -> Option<&'static str> {
        TABLE
            .iter()
            .find(|(number, _)| *number == self.0)
            .map(|(_, name)| *name)
    }
}

const TABLE: [(u16, &str); 11] = [
    (0, "text/plain"),
    (40, "application/link-format"),
    (41, "application/xml"),
    (42, "application/octet-stream"),
    (47, "application/exi"),
    (50, "application/json"),
    (60, "application/cbor"),
    (110, "application/senml+json"),
    (111, "application/sensml+json"),
    (112, "application/senml+cbor"),
    (113, "application/sensml+cbor"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_do_not_hide_a_media_type() {
        assert_eq!(
            ContentFormat::from_media_type("text/plain; charset=utf-8"),
            Some(ContentFormat::TEXT)
        );
        assert_eq!(
            ContentFormat::from_media_type("Application/SenML+JSON"),
            Some(ContentFormat::SENML_JSON)
        );
        assert_eq!(ContentFormat::from_media_type("image/png"), None);
        assert_eq!(ContentFormat(112).media_type(), Some("application/senml+cbor"));
    }
}
