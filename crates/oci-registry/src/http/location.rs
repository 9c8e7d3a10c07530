//! The `Location` of an upload session: resolving it, and adding the digest at its end.

use reqwest::header::{HeaderMap, LOCATION};
use url::Url;

use super::origin;
use crate::digest::Digest;

/// Resolves the `Location` of an answer to a request to `from`.
pub(super) fn of(from: &Url, headers: &HeaderMap) -> Result<Url, String> {
    let text = headers.get(LOCATION).ok_or_else(|| "no `Location`".to_owned())?;
    let text = text.to_str().map_err(|_| "a `Location` that is not text".to_owned())?;
    if text.trim().is_empty() {
        return Err("an empty `Location`".to_owned());
    }
    origin::follow(from, text).map_err(|reason| format!("a `Location` that is {reason}"))
}

/// Returns `location` with `digest=` added to its query, which is kept byte for byte.
pub(super) fn with_digest(location: &Url, digest: &Digest) -> Url {
    let mut url = location.clone();
    let query = match location.query() {
        None | Some("") => format!("digest={digest}"),
        Some(query) => format!("{query}&digest={digest}"),
    };
    url.set_query(Some(&query));
    url
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    use super::*;

    fn joined(location: &[u8]) -> Result<Url, String> {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_bytes(location).expect("a header"));
        of(&"https://r/v2/a/blobs/uploads/".parse().expect("a url"), &headers)
    }

    #[test]
    fn the_digest_is_added_to_the_query() {
        let digest = Digest::of(b"");
        for (location, expected) in [
            ("/u/1", "https://r/u/1?digest="),
            ("/u/1?", "https://r/u/1?digest="),
            ("/u/1?_state=a%2Fb==", "https://r/u/1?_state=a%2Fb==&digest="),
            ("u?x", "https://r/v2/a/blobs/uploads/u?x&digest="),
        ] {
            let url = with_digest(&joined(location.as_bytes()).expect(location), &digest);
            assert_eq!(url.as_str(), format!("{expected}{digest}"));
        }
    }

    #[test]
    fn bad_locations_are_reported() {
        assert!(of(&"https://r/".parse().expect("a url"), &HeaderMap::new()).is_err());
        assert!(joined(b"\xff").is_err());
        assert!(joined(b"").is_err() && joined(b" ").is_err());
        assert!(joined(b"gopher://x/").is_err());
    }

    proptest! {
        #[test]
        fn any_location_can_be_joined(bytes in proptest::collection::vec(0x20_u8..0x7f, 0..60)) {
            if let Ok(url) = joined(&bytes) {
                let with = with_digest(&url, &Digest::of(b"x"));
                prop_assert!(with.query().is_some_and(|query| query.ends_with(Digest::of(b"x").as_str())));
                prop_assert_eq!(with.path(), url.path());
            }
        }
    }
}
