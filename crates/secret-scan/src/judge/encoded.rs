//! The contents of values in base64.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::placeholder::is_placeholder;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

/// Decodes the base64 in `text`, with the URL-safe alphabet or the standard one.
fn decoded(text: &[u8], urls: bool) -> Option<Vec<u8>> {
    let alphabet = if urls { &URL_SAFE } else { &STANDARD };
    GeneralPurpose::new(alphabet, LENIENT).decode(text).ok()
}

/// Returns the claims of a JSON Web Token whose header is JSON too and names an algorithm (RFC 7519, section 7.2).
pub(super) fn jwt_claims(token: &[u8]) -> Option<serde_json::Value> {
    let mut parts = token.split(|it| *it == b'.');
    let header: serde_json::Value = serde_json::from_slice(&decoded(parts.next()?, true)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&decoded(parts.next()?, true)?).ok()?;
    let signed =
        header.get("alg").and_then(|it| it.as_str()).is_some_and(|it| !it.eq_ignore_ascii_case("none"));
    (signed && claims.is_object()).then_some(claims)
}

/// Whether a JSON Web Token belongs to a service account of Kubernetes, by its issuer or its subject
/// (<https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/>).
pub(super) fn is_service_account(token: &[u8]) -> bool {
    jwt_claims(token).is_some_and(|claims| {
        let text = |key: &str| claims.get(key).and_then(|it| it.as_str()).unwrap_or_default();
        text("iss") == "kubernetes/serviceaccount" || text("sub").starts_with("system:serviceaccount:")
    })
}

/// Returns the password in the base64 of `USER:PASSWORD`.
pub(super) fn basic_auth(text: &[u8]) -> Option<Vec<u8>> {
    let decoded = decoded(text, false)?;
    let colon = decoded.iter().position(|it| *it == b':')?;
    let (user, password) = decoded.split_at_checked(colon)?;
    let password = password.get(1..)?;
    let printable = decoded.iter().all(u8::is_ascii_graphic);
    (printable && !user.is_empty() && password.len() >= 4 && !is_placeholder(password) && user != password)
        .then(|| password.to_vec())
}

/// Whether `text` is the base64 of a user and a password of examples.
pub(super) fn is_example_auth(text: &[u8]) -> bool {
    text.len() < 128
        && decoded(text, false).is_some_and(|it| {
            let password = it.iter().position(|it| *it == b':').and_then(|at| it.get(at + 1..));
            it.is_ascii()
                && password.is_some_and(|it| super::placeholder::is_common(it) || is_placeholder(it))
        })
}

/// Whether `text` is the base64 of a Docker configuration with credentials.
pub(super) fn holds_registry_auth(text: &[u8]) -> bool {
    decoded(text, false).is_some_and(|it| {
        let holds = |part: &[u8]| it.windows(part.len()).any(|window| window == part);
        holds(b"\"auth\"") || holds(b"\"password\"") || holds(b"\"identitytoken\"")
    })
}

/// Whether `text` is the base64 of a private key in PEM.
pub(super) fn holds_private_key(text: &[u8]) -> bool {
    // The first line of a key is enough.
    let text = text.get(..128).unwrap_or(text);
    let whole = text.get(..text.len() / 4 * 4).unwrap_or(text);
    decoded(whole, false).is_some_and(|it| {
        let head = String::from_utf8_lossy(it.get(..64).unwrap_or(&it)).into_owned();
        head.starts_with("-----BEGIN ") && head.contains("PRIVATE KEY-----")
    })
}
