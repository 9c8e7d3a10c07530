//! The address of an API other than the registry API.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::reference::RegistryLocation;

/// The root of an API, with a slash at the end: an address of a web server, and nothing more.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApiUrl(Url);

/// The reason why a text is not the address of an API. It never contains the text, which may contain a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ApiUrlError(String);

impl ApiUrl {
    /// The address.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The host, with the port if that is not the default port of the scheme.
    pub fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether nobody in between can read the requests: the scheme is https, or the host is this machine.
    pub fn is_confidential(&self) -> bool {
        let location = RegistryLocation::Http { host: self.host(), namespace: None };
        self.0.scheme() == "https" || location.is_loopback()
    }
}

impl std::str::FromStr for ApiUrl {
    type Err = ApiUrlError;

    fn from_str(text: &str) -> Result<Self, ApiUrlError> {
        let wrong = |what: &str| ApiUrlError(what.to_owned());
        let mut url = Url::parse(text).map_err(|error| wrong(&format!("is not a URL ({error})")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong("is not an http or https URL"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(wrong("holds a user name, a password or a query"));
        }
        url.set_fragment(None);
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Self(url))
    }
}

impl TryFrom<String> for ApiUrl {
    type Error = ApiUrlError;

    fn try_from(text: String) -> Result<Self, ApiUrlError> {
        text.parse()
    }
}

impl From<ApiUrl> for String {
    fn from(url: ApiUrl) -> Self {
        url.0.into()
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for ApiUrl {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ApiUrl".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "The address of an API: `https://HOST[:PORT][/PATH]`." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_web_server_and_nothing_more() {
        for (text, expected) in [
            ("https://hub.example", Some(("https://hub.example/", "hub.example", true))),
            ("https://h.example:8443/api", Some(("https://h.example:8443/api/", "h.example:8443", true))),
            ("http://127.0.0.1:81/v3#part", Some(("http://127.0.0.1:81/v3/", "127.0.0.1:81", true))),
            ("http://[::1]:81", Some(("http://[::1]:81/", "[::1]:81", true))),
            ("http://h.example", Some(("http://h.example/", "h.example", false))),
            ("ftp://h.example", None),
            ("h.example", None),
            ("https://u:secret@h.example", None),
            ("https://secret@h.example", None),
            ("https://h.example?token=secret", None),
            ("", None),
        ] {
            let found = text.parse::<ApiUrl>();
            let parts = found.as_ref().ok().map(|it| (it.url().as_str(), it.host(), it.is_confidential()));
            let parts = parts.as_ref().map(|(url, host, safe)| (*url, host.as_str(), *safe));
            assert_eq!(parts, expected, "{text}");
            assert!(!format!("{found:?}").contains("secret"), "{found:?}");
        }
    }
}
