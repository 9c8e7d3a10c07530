//! Errors of the network: their kind, and their words.

use std::error::Error;

use rustls::AlertDescription;

use crate::error::{NetworkFailure, text};

/// Returns the kind of failure for an error of the HTTP client.
pub(super) fn failure(error: &reqwest::Error) -> NetworkFailure {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(current) = cause {
        match tls_error(current) {
            Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
                return NetworkFailure::Certificate;
            }
            Some(rustls::Error::InvalidMessage(_)) => return NetworkFailure::NotTls,
            Some(rustls::Error::AlertReceived(alert)) if refuses_client(*alert) => {
                return NetworkFailure::ClientCertificate;
            }
            _ => {}
        }
        // hyper-util has no type for errors of its tunnel, only this text.
        if current.to_string().contains("tunnel error") {
            return NetworkFailure::Proxy;
        }
        if current.to_string().contains("dns error") {
            return NetworkFailure::Name;
        }
        cause = current.source();
    }
    if error.is_timeout() { NetworkFailure::Timeout } else { NetworkFailure::Connection }
}

/// Whether a server sends this alert if it requires a client certificate, or another one (RFC 8446, 6.2): Go's servers
/// send `bad_certificate` to a client that shows none.
fn refuses_client(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}

/// Returns the TLS error inside `error`. It may be the content of I/O errors, which do not name it as their source.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut current = error;
    while let Some(inner) = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        current = inner;
    }
    current.downcast_ref::<rustls::Error>()
}

/// Returns an error of the HTTP client in words.
pub(super) fn in_words(error: &reqwest::Error, failure: NetworkFailure) -> String {
    match failure {
        NetworkFailure::Timeout if error.is_connect() => "no connection in time".to_owned(),
        NetworkFailure::Timeout => "no answer in time".to_owned(),
        NetworkFailure::NotTls => format!("the other side does not speak TLS: {}", deepest(error)),
        _ if error.is_connect() => format!("cannot connect: {}", deepest(error)),
        _ => deepest(error),
    }
}

/// Returns the text of the last cause in the chain: the ones above it only say "error sending request".
pub(super) fn deepest(error: &reqwest::Error) -> String {
    let mut last: &dyn Error = error;
    while let Some(next) = last.source() {
        last = next;
    }
    let said = last.to_string();
    // Without a cause, reqwest's own text contains the whole URL.
    let said =
        if error.source().is_none() { said.split(" for url").next().unwrap_or_default() } else { &said };
    text::printable(said, 300)
}
