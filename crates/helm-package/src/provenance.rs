//! The provenance file beside a package: `FILE.tgz.prov`, a signed text that names the package's digest (Helm, `pkg/provenance`).
//! Verifying the signature is left to those who pull, because they know whom they trust; the digest is compared here.

use crate::helm_yaml::{HelmContent, HelmYaml};
use oci_registry::Digest;

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";

/// Checks that `text` belongs to the package `name` with this digest; the error is the reason why not.
pub(crate) fn check_provenance(text: &str, name: &str, digest: &Digest) -> Result<(), String> {
    let text = text.replace("\r\n", "\n");
    let signed = text
        .split_once(BEGIN)
        .and_then(|(_, rest)| rest.split_once(SIGNATURE))
        .map(|(signed, _)| signed)
        .ok_or("is not signed: it has no `BEGIN PGP SIGNED MESSAGE` and `BEGIN PGP SIGNATURE`")?;
    // The parts are `Chart.yaml`, the end of a document, and the list of files.
    let (_, list) = signed.split_once("\n...\n").ok_or("lists no files")?;
    let yaml = HelmYaml::parse("the list of files", None, list)
        .map_err(|error| format!("cannot be read: {}", error.message))?;
    let files = yaml.root().and_then(|root| root.get("files")).map(|files| files.content());
    let Some(HelmContent::Mapping(files)) = files else { return Err("lists no files".to_owned()) };
    let listed = files.iter().find(|entry| entry.key == name).map(|entry| entry.value.content());
    match listed {
        Some(HelmContent::Scalar(listed)) if listed.to_text() == digest.as_str() => Ok(()),
        Some(HelmContent::Scalar(listed)) => Err(format!(
            "is for another package: it lists `{}`, but `{name}` is `{digest}`",
            listed.to_text()
        )),
        _ => Err(format!("does not list `{name}`")),
    }
}
