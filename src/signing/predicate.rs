//! The predicates of attestations: files that are given, and the provenance of a publish.

use std::fs::File;
use std::io::Read;

use serde_json::{Value, json};

use super::error::{PredicateError, PredicateProblem};
use super::promotion::{PROMOTION, PromotionFacts, promotion};
use crate::model::plan::{Plan, PlannedRepository};
use crate::model::signing::{DeclaredPredicate, PlannedPredicate, PlannedStatement};
use oci_content::Surroundings;
use oci_registry::Digest;
use oci_signing::{PROVENANCE, SIGNATURE, Statement};

/// The size of the largest predicate. A bundle holds it in base64.
const MAX_PREDICATE: u64 = 20 * 1024 * 1024;

/// The predicate types of SBOMs (in-toto/attestation, `spec/predicates`), which cosign writes too.
pub(super) const SPDX: &str = "https://spdx.dev/Document";
pub(super) const CYCLONEDX: &str = "https://cyclonedx.org/bom";

/// The predicate types of SBOMs.
pub const SBOMS: [&str; 2] = [SPDX, CYCLONEDX];

/// The type of the build that a provenance describes: the publish itself.
const BUILD_TYPE: &str = "https://github.com/colliery-io/brokkr-publish/publish/v1";

/// The builder of a publish outside of any CI that it knows.
const LOCAL_BUILDER: &str = "https://github.com/colliery-io/brokkr-publish/local";

/// Returns the statement of a declared predicate for a plan, with the digest of its file.
///
/// # Errors
///
/// [`PredicateError`] if the file cannot be read, is not JSON, or is no SBOM.
pub fn planned_statement(
    declared: &DeclaredPredicate,
    surroundings: &Surroundings,
) -> Result<PlannedStatement, PredicateError> {
    let file = |path: &String, kind: &dyn Fn(&Value) -> Option<String>| {
        let failed = |problem| PredicateError { path: path.clone(), problem };
        let text = read(path, surroundings).map_err(failed)?;
        let value: Value =
            serde_json::from_str(&text).map_err(|error| failed(PredicateProblem::Json(error)))?;
        let predicate_type = kind(&value).ok_or_else(|| failed(PredicateProblem::Sbom))?;
        let predicate = PlannedPredicate::File { path: path.clone(), digest: Digest::of(text.as_bytes()) };
        Ok(PlannedStatement { predicate_type, predicate: Some(predicate) })
    };
    match declared {
        DeclaredPredicate::Provenance => Ok(PlannedStatement {
            predicate_type: PROVENANCE.to_owned(),
            predicate: Some(PlannedPredicate::Provenance),
        }),
        DeclaredPredicate::Promotion => Ok(PlannedStatement {
            predicate_type: PROMOTION.to_owned(),
            predicate: Some(PlannedPredicate::Promotion),
        }),
        DeclaredPredicate::Sbom(path) => file(path, &|value| sbom_type(value).map(str::to_owned)),
        DeclaredPredicate::File { path, predicate_type } => file(path, &|_| Some(predicate_type.clone())),
    }
}

/// Returns the statement of an image signature for a plan.
pub fn signature_statement() -> PlannedStatement {
    PlannedStatement { predicate_type: SIGNATURE.to_owned(), predicate: None }
}

/// Returns the predicate type of an SBOM.
fn sbom_type(sbom: &Value) -> Option<&'static str> {
    if sbom.get("bomFormat").and_then(Value::as_str) == Some("CycloneDX") {
        return Some(CYCLONEDX);
    }
    let is_spdx_3 =
        || sbom.get("@context").is_some_and(|context| context.to_string().contains("spdx.org/rdf/3"));
    let is_spdx_2 = sbom.get("spdxVersion").and_then(Value::as_str).is_some_and(|it| it.starts_with("SPDX-"));
    (is_spdx_2 || is_spdx_3()).then_some(SPDX)
}

/// The publish that a provenance describes.
pub struct PublishFacts<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The digest of the plan as it is saved.
    pub plan_digest: &'a Digest,
    /// The surroundings.
    pub surroundings: &'a Surroundings,
}

impl PublishFacts<'_> {
    /// Returns the statement to sign.
    ///
    /// # Errors
    ///
    /// [`PredicateError`] if the file cannot be read, or has changed since the plan was made.
    pub fn statement(
        &self,
        planned: &PlannedStatement,
        repository: &PlannedRepository,
    ) -> Result<Statement, PredicateError> {
        let predicate = match &planned.predicate {
            None => return Ok(Statement::signature()),
            Some(PlannedPredicate::Provenance) => self.provenance(repository).to_string(),
            Some(PlannedPredicate::Promotion) => promotion(&self.promotion_facts(), repository).to_string(),
            Some(PlannedPredicate::File { path, digest }) => {
                let failed = |problem| PredicateError { path: path.clone(), problem };
                let text = read(path, self.surroundings).map_err(failed)?;
                if Digest::of(text.as_bytes()) != *digest {
                    return Err(failed(PredicateProblem::Changed));
                }
                text
            }
        };
        Ok(Statement { predicate_type: planned.predicate_type.clone(), predicate })
    }

    fn promotion_facts(&self) -> PromotionFacts<'_> {
        PromotionFacts { plan: self.plan, plan_digest: self.plan_digest }
    }

    /// Returns a SLSA provenance of the publish (slsa.dev/spec/v1.0/provenance): the source, the builder, and the plan and the
    /// configuration that decided.
    fn provenance(&self, repository: &PlannedRepository) -> Value {
        let context = |key: &str| self.plan.context.get(key).and_then(Value::as_str);
        let mut parameters = json!({
            "resource": repository.resource.to_string(),
            "config": { "path": self.plan.config.path, "digest": { "sha256": self.plan.config.file_digest.hex() } },
            "plan": { "digest": { "sha256": self.plan_digest.hex() } },
        });
        for key in ["event", "ref"] {
            if let Some(value) = context(key) {
                parameters[key] = json!(value);
            }
        }
        let mut dependencies = Vec::new();
        if let (Some(remote), Some(sha)) = (context("remote"), context("sha")) {
            let reference = context("ref").map(|it| format!("@{it}")).unwrap_or_default();
            let uri = format!("git+{remote}{reference}");
            dependencies.push(json!({ "uri": uri, "digest": { "gitCommit": sha } }));
        }
        let builder = Builder::of(&|name| (self.surroundings.environment)(name));
        let mut run = json!({
            "builder": { "id": builder.id, "version": { "brokkr-publish": env!("CARGO_PKG_VERSION") } },
        });
        if let Some(invocation) = builder.invocation {
            run["metadata"] = json!({ "invocationId": invocation });
        }
        json!({
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": parameters,
                "resolvedDependencies": dependencies,
            },
            "runDetails": run,
        })
    }
}

/// The builder, and its invocation, as the CI describes them.
struct Builder {
    id: String,
    invocation: Option<String>,
}

impl Builder {
    fn of(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| variable(name).filter(|value| !value.is_empty());
        if let (Some(server), Some(repository), Some(run)) =
            (get("GITHUB_SERVER_URL"), get("GITHUB_REPOSITORY"), get("GITHUB_RUN_ID"))
        {
            let id = match get("GITHUB_WORKFLOW_REF") {
                Some(workflow) => format!("{server}/{workflow}"),
                None => format!("{server}/{repository}"),
            };
            let attempt = get("GITHUB_RUN_ATTEMPT").unwrap_or_else(|| "1".to_owned());
            let invocation = format!("{server}/{repository}/actions/runs/{run}/attempts/{attempt}");
            return Self { id, invocation: Some(invocation) };
        }
        if let (Some(project), Some(runner)) = (get("CI_PROJECT_URL"), get("CI_RUNNER_ID")) {
            return Self { id: format!("{project}/-/runners/{runner}"), invocation: get("CI_JOB_URL") };
        }
        Self { id: LOCAL_BUILDER.to_owned(), invocation: get("BUILD_URL") }
    }
}

fn read(path: &str, surroundings: &Surroundings) -> Result<String, PredicateProblem> {
    surroundings.confines.check(&surroundings.folder, path).map_err(PredicateProblem::Outside)?;
    let file = File::open(surroundings.folder.join(path)).map_err(PredicateProblem::File)?;
    let metadata = file.metadata().map_err(PredicateProblem::File)?;
    if !metadata.is_file() {
        return Err(PredicateProblem::File(std::io::Error::other("it is not a file")));
    }
    let mut text = String::new();
    file.take(MAX_PREDICATE + 1).read_to_string(&mut text).map_err(PredicateProblem::File)?;
    if text.len() as u64 > MAX_PREDICATE {
        return Err(PredicateProblem::File(std::io::Error::other("it is larger than 20 MiB")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sboms_are_known_by_their_content() {
        for (text, kind) in [
            (r#"{"spdxVersion":"SPDX-2.3"}"#, Some(SPDX)),
            (r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}"#, Some(SPDX)),
            (r#"{"bomFormat":"CycloneDX","specVersion":"1.6"}"#, Some(CYCLONEDX)),
            (r#"{"bomFormat":"cyclonedx"}"#, None),
            (r#"{"spdxVersion":"2.3"}"#, None),
            ("{}", None),
            ("[]", None),
        ] {
            assert_eq!(sbom_type(&serde_json::from_str(text).expect("JSON")), kind, "{text}");
        }
    }

    #[test]
    fn the_builder_is_the_ci() {
        let of = |variables: &[(&str, &str)]| {
            let variables: std::collections::HashMap<String, String> =
                variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let builder = Builder::of(&|name| variables.get(name).cloned());
            (builder.id, builder.invocation)
        };
        let github = [
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/hello"),
            ("GITHUB_RUN_ID", "12"),
            ("GITHUB_RUN_ATTEMPT", "2"),
            ("GITHUB_WORKFLOW_REF", "acme/hello/.github/workflows/release.yml@refs/tags/v1.2.3"),
        ];
        assert_eq!(
            of(&github),
            (
                "https://github.com/acme/hello/.github/workflows/release.yml@refs/tags/v1.2.3".to_owned(),
                Some("https://github.com/acme/hello/actions/runs/12/attempts/2".to_owned())
            )
        );
        let gitlab = [
            ("CI_PROJECT_URL", "https://gitlab.com/acme/hello"),
            ("CI_RUNNER_ID", "7"),
            ("CI_JOB_URL", "https://gitlab.com/acme/hello/-/jobs/1"),
        ];
        assert_eq!(
            of(&gitlab),
            (
                "https://gitlab.com/acme/hello/-/runners/7".to_owned(),
                Some("https://gitlab.com/acme/hello/-/jobs/1".to_owned())
            )
        );
        assert_eq!(of(&[]), (LOCAL_BUILDER.to_owned(), None));
    }
}
