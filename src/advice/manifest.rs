//! Help for manifests that a registry refuses: their type, their foreign layers, content that it lacks.

use oci_registry::{Refusal, SentManifest, media_type};

/// The words of registries that do not know the type of a manifest or of its parts (moby/buildkit#699,
/// go-gitea/gitea#25846, sigstore/cosign#40).
const TYPE_WORDS: [&str; 6] = [
    "media type",
    "mediatype",
    "manifest type",
    "schema version",
    "invalid json syntax",
    "does not match schema",
];

/// Returns the help for `refusal`, if it is about the manifest that was put.
pub(super) fn help(refusal: &Refusal) -> Option<String> {
    let manifest = refusal.manifest.as_ref()?;
    if let Some(layer) = refusal.foreign_layer() {
        return Some(format!(
            "layer {} is a foreign layer: its bytes are not in the image, but at the addresses that the manifest names (Windows base images have such layers), and the registry accepts none of these: allow the addresses there (distribution: `validation.manifests.urls.allow`), or build the image with that layer in it",
            layer.short(12)
        ));
    }
    if refusal.misses_content() {
        return Some("the registry has this manifest but lost some of its content, perhaps by garbage collection: delete the manifest there, so that the next run sends everything again, or look at the registry's log".to_owned());
    }
    is_of_type(refusal).then(|| of_type(manifest))
}

/// Whether a registry refuses a manifest because of its type or because of something else in it, not because of rights or trouble.
pub(super) fn is_about_manifest(refusal: &Refusal) -> bool {
    refusal.manifest.is_some()
        && (refusal.foreign_layer().is_some() || refusal.misses_content() || is_of_type(refusal))
}

/// Whether the registry does not take manifests of this type. Its blobs are there already, so the repository exists and may be
/// pushed to: ECR answers 405 (falcosecurity/falcoctl#302), Gitea 404 (go-gitea/gitea#31861) or 501, GitHub Enterprise 406
/// (sigstore/cosign-installer#214).
fn is_of_type(refusal: &Refusal) -> bool {
    let errors = &refusal.errors;
    let names = ["NAME_UNKNOWN", "NAME_INVALID"].into_iter().any(|code| errors.has_code(code));
    let says = errors.has_code("UNSUPPORTED") || TYPE_WORDS.iter().any(|words| errors.mentions(words));
    match refusal.status {
        405 | 406 | 415 | 501 => true,
        404 => !names && !errors.mentions("does not exist") && !errors.mentions("project"),
        400 | 422 | 500 => says,
        _ => false,
    }
}

fn of_type(manifest: &SentManifest) -> String {
    let SentManifest { media_type, artifact_type, .. } = manifest;
    let images = [media_type::OCI_CONFIG, media_type::DOCKER_CONFIG];
    let artifact = artifact_type.as_deref().filter(|it| !images.contains(it));
    let way_out = match (media_type.as_str(), artifact) {
        (media_type::OCI_INDEX, _) => {
            "update it; or build in Docker's format (buildx: `--output type=image,oci-mediatypes=false`, without `--provenance` and `--sbom`; podman: `--format docker`), or one platform alone"
        }
        (media_type::DOCKER_MANIFEST | media_type::DOCKER_MANIFEST_LIST, _) => {
            "build in the format of OCI (buildx: `--output type=image,oci-mediatypes=true`; podman: `--format oci`), or update it"
        }
        (media_type::OCI_MANIFEST, None) => {
            "update it; or build in Docker's format (buildx: `--output type=image,oci-mediatypes=false`; podman: `--format docker`)"
        }
        _ => {
            "update it, or leave this registry out of the `registries` of the resource; for signatures and the like, set `referrers = false`"
        }
    };
    let of = artifact.map(|it| format!(" with a configuration of the type `{it}`")).unwrap_or_default();
    format!("the registry does not take manifests of the type `{media_type}`{of}: {way_out}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_registry::{Digest, ErrorEnvelope};

    fn refusal(status: u16, code: &str, message: &str, media_type: &str, artifact: Option<&str>) -> Refusal {
        let body = serde_json::json!({ "errors": [{ "code": code, "message": message }] }).to_string();
        Refusal {
            request: "PUT https://h/v2/o/n/manifests/v1".to_owned(),
            status,
            errors: ErrorEnvelope::parse(body.as_bytes()),
            manifest: Some(SentManifest {
                media_type: media_type.to_owned(),
                artifact_type: artifact.map(str::to_owned),
                foreign: Vec::new(),
            }),
            ..Refusal::default()
        }
    }

    #[test]
    fn a_type_that_a_registry_does_not_take_is_named_with_the_way_out() {
        let helm = "application/vnd.cncf.helm.config.v1+json";
        for (status, code, message, media_type, artifact, words) in [
            (
                405,
                "UNSUPPORTED",
                "Invalid parameter at 'ImageManifest'",
                media_type::OCI_INDEX,
                None,
                "one platform",
            ),
            (
                415,
                "MANIFEST_INVALID",
                "mediaType in manifest should be docker",
                media_type::OCI_MANIFEST,
                None,
                "--format docker",
            ),
            (404, "", "", media_type::OCI_INDEX, None, "oci-mediatypes=false"),
            (
                501,
                "UNSUPPORTED",
                "Schema version is not supported",
                media_type::OCI_MANIFEST,
                Some(helm),
                helm,
            ),
            (406, "", "", "application/vnd.oci.artifact.manifest.v1+json", None, "referrers = false"),
            (
                400,
                "UNSUPPORTED",
                "Unsupported manifest type",
                media_type::DOCKER_MANIFEST_LIST,
                None,
                "--format oci",
            ),
            (
                400,
                "MANIFEST_INVALID",
                "manifest data does not match schema",
                media_type::OCI_MANIFEST,
                None,
                "update it",
            ),
        ] {
            let refusal = refusal(status, code, message, media_type, artifact);
            let help = help(&refusal).expect("a help");
            assert!(help.contains(&format!("`{media_type}`")) && help.contains(words), "{status}: {help}");
            assert!(is_about_manifest(&refusal));
        }
    }

    #[test]
    fn other_refusals_are_left_to_others() {
        for (status, code, message) in [
            (404, "NAME_UNKNOWN", "repository name not known to registry"),
            (404, "NOT_FOUND", "project acme not found"),
            (403, "DENIED", "requested access to the resource is denied"),
            (400, "MANIFEST_INVALID", "manifest invalid"),
            (412, "PRECONDITION", "immutable"),
        ] {
            let refusal = refusal(status, code, message, media_type::OCI_INDEX, None);
            assert_eq!(help(&refusal), None, "{status} {code}");
            assert!(!is_about_manifest(&refusal));
        }
        let read = Refusal { manifest: None, ..refusal(405, "UNSUPPORTED", "", media_type::OCI_INDEX, None) };
        assert_eq!(help(&read), None);
    }

    #[test]
    fn a_foreign_layer_is_named_and_not_called_trouble_of_the_registry() {
        let layer = Digest::of(b"windows");
        let body = serde_json::json!({ "errors": [
            { "code": "UNKNOWN", "message": "unknown error", "detail": {} },
            { "code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry", "detail": layer },
        ] });
        let mut refusal = refusal(500, "", "", media_type::DOCKER_MANIFEST, None);
        refusal.errors = ErrorEnvelope::parse(body.to_string().as_bytes());
        assert!(refusal.misses_content(), "an ordinary layer may be sent again");
        if let Some(manifest) = &mut refusal.manifest {
            manifest.foreign.push(layer.clone());
        }
        assert!(!refusal.misses_content());
        let help = help(&refusal).expect("a help");
        assert!(
            help.contains(&layer.short(12)) && help.contains("validation.manifests.urls.allow"),
            "{help}"
        );
    }
}
