//! Credentials in an `Authorization` header or an `authorization` query parameter.

use data_encoding::BASE64;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::request::Parts;
use manywire_topics::Dialect;
use url::form_urlencoded;

use crate::Credentials;

/// The credentials of a request: those of the header, or else those of the query.
pub(crate) fn credentials(request: &Parts, dialect: Dialect) -> Option<Credentials> {
    let header = |name| {
        request
            .headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let mut credentials = match header(AUTHORIZATION) {
        Some(value) => parse(value, dialect),
        None => parse(&query_parameter(request, "authorization")?, dialect),
    }?;
    if dialect == Dialect::FluxMq {
        let id = header(HeaderName::from_static("x-fluxmq-username")).filter(|id| !id.is_empty());
        credentials.id = id.map(Into::into).or(credentials.id);
    }
    Some(credentials)
}

/// The first parameter of that name in the query.
pub(crate) fn query_parameter(request: &Parts, wanted: &str) -> Option<String> {
    let query = request.uri.query()?;
    form_urlencoded::parse(query.as_bytes())
        .find_map(|(name, value)| (name == wanted).then(|| value.into_owned()))
}

/// `Thing <key>`, `Client <key>`, Basic, or the key alone, as the dialect has them.
fn parse(value: &str, dialect: Dialect) -> Option<Credentials> {
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    let Some((scheme, rest)) = value.split_once(' ') else {
        return Some(Credentials::key(value));
    };
    let rest = rest.trim_start();
    let bare = match dialect {
        Dialect::Channels => ["Thing", "Client"],
        Dialect::Domains => ["Client", "Client"],
        Dialect::FluxMq => ["Client", "Bearer"],
    };
    if bare.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return Some(Credentials::key(rest));
    }
    if scheme.eq_ignore_ascii_case("Basic") {
        return basic(rest, dialect);
    }
    // A key that happens to hold a space, or a scheme nobody knows: it will be nobody's key.
    Some(Credentials::key(value))
}

/// RFC 7617. The platform ignores the user name of the first dialect; in the others it must fit the key.
fn basic(encoded: &str, dialect: Dialect) -> Option<Credentials> {
    let decoded = String::from_utf8(BASE64.decode(encoded.trim_end().as_bytes()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some(match dialect {
        Dialect::Channels => Credentials::key(password),
        Dialect::Domains | Dialect::FluxMq => Credentials::id_and_key(user, password),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_first_dialect_is_the_same_key() {
        for value in [
            "Thing k3y",
            "Client k3y",
            "thing  k3y",
            "k3y",
            " k3y ",
            "Basic eDprM3k=",
            "Basic OmszeQ==",
        ] {
            let expected = Some(Credentials::key("k3y"));
            assert_eq!(parse(value, Dialect::Channels), expected, "{value}");
        }
        assert_eq!(parse("", Dialect::Channels), None);
        assert_eq!(
            parse("Bearer k3y", Dialect::Channels),
            Some(Credentials::key("Bearer k3y"))
        );
    }

    #[test]
    fn with_domains_the_user_name_counts_and_thing_is_no_scheme() {
        assert_eq!(
            parse("Basic eDprM3k=", Dialect::Domains),
            Some(Credentials::id_and_key("x", "k3y"))
        );
        assert_eq!(
            parse("Thing k3y", Dialect::Domains),
            Some(Credentials::key("Thing k3y"))
        );
        assert_eq!(
            parse("Client k3y", Dialect::Domains),
            Some(Credentials::key("k3y"))
        );
    }

    #[test]
    fn the_header_goes_before_the_query() {
        let parts = |header: Option<&str>| {
            let request = http::Request::get("/channels/c/messages?x=1&authorization=Thing%20b");
            let request = header
                .into_iter()
                .fold(request, |request, value| request.header(AUTHORIZATION, value));
            request.body(()).unwrap().into_parts().0
        };
        assert_eq!(
            credentials(&parts(None), Dialect::Channels),
            Some(Credentials::key("b"))
        );
        assert_eq!(
            credentials(&parts(Some("a")), Dialect::Channels),
            Some(Credentials::key("a"))
        );
    }
}
