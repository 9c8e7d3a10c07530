//! `sbom`: the SBOM of a published image that a declared signer attested.

use std::collections::BTreeMap;

use serde_json::Value;

use super::session::Result;
use super::{Run, signers};
use crate::desired::Selection;
use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use crate::signing::SBOMS;
use crate::verify;
use oci_registry::{RegistryError, Tag, TagOrDigest};
use oci_signing::{Bundle, attached_bundles};

impl Run {
    /// Returns the SBOM of what the tag `address` names, in the first registry that the address fits.
    ///
    /// # Errors
    ///
    /// The address names no tag, or nothing there has an SBOM that verifies.
    pub async fn sbom(&self, address: &str) -> Result<Value> {
        let config = self.config()?;
        let wrong = |message: String| {
            let help =
                "write `images.NAME:TAG`, with or without `@REGISTRY`; `brokkr-publish list` shows the tags";
            vec![Diagnostic::error(Code::PlanTarget, message).help(help)]
        };
        let parts =
            address.rsplit_once(':').and_then(|(target, tag)| Some((target, tag.parse::<Tag>().ok()?)));
        let (target, tag) = parts
            .ok_or_else(|| wrong(format!("`{}` is not the address of a tag", address.escape_debug())))?;
        let declared = verify::declared_repositories(config, &Selection::new(&[target.to_owned()]));
        let declared = declared.into_iter().next().ok_or_else(|| {
            wrong(format!("`{}` names no repository of this configuration", target.escape_debug()))
        })?;
        let known = signers::named(config, declared.sign.iter(), &self.surroundings(BTreeMap::new()))?;
        if known.is_empty() {
            let message = format!(
                "nothing says who signs {}, so no SBOM of it can be verified",
                declared.resource.title()
            );
            let help = "declare the signer: `sign = [\"NAME\"]`, and a public key or an identity in `[signing.NAME]`";
            return Err(vec![Diagnostic::error(Code::SigningMissing, message).help(help)]);
        }
        let failed = |error: RegistryError| vec![error.to_diagnostic().about(&declared.name)];
        let repository =
            self.connections.repository(&declared.endpoint, &declared.repository).map_err(failed)?;
        let named = repository.head_manifest(&TagOrDigest::Tag(tag.clone())).await.map_err(failed)?;
        let digest = named.ok_or_else(|| wrong(format!("{}:{tag} does not exist", declared.name)))?.digest;
        let bundles = attached_bundles(repository.as_ref(), &digest, &SBOMS).await.map_err(failed)?;
        let verified = bundles.iter().find_map(|attached| {
            let bundle = Bundle::parse(&attached.json).ok()?;
            let statement =
                known.values().find_map(|(_, verifier)| verifier.verify(&bundle, &digest).ok())?;
            SBOMS.contains(&statement.predicate_type.as_str()).then_some(statement.predicate)
        });
        verified.ok_or_else(|| {
            let message = format!(
                "{}:{tag} has {} SBOMs, and none that its signers attested",
                declared.name,
                bundles.len()
            );
            let help = "attest one: `attest = { sbom = \"FILE\" }`, and publish again";
            vec![Diagnostic::error(Code::SigningMissing, message).help(help)]
        })
    }
}
