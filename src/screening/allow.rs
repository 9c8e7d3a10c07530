//! The findings that are allowed.

use globset::{GlobBuilder, GlobMatcher};

use crate::model::secret_search::{SecretAllowance, SecretFinding};

/// An allowance, and whether it was needed.
struct TrackedAllowance<'a> {
    allowance: &'a SecretAllowance,
    glob: Option<GlobMatcher>,
    used: bool,
}

/// The allowances of a search.
pub(super) struct Allowances<'a>(Vec<TrackedAllowance<'a>>);

impl<'a> Allowances<'a> {
    pub fn new(allow: &'a [SecretAllowance]) -> Self {
        let glob = |path: &String| {
            let glob = GlobBuilder::new(path).literal_separator(true).build().ok()?;
            Some(glob.compile_matcher())
        };
        let tracked = |allowance: &'a SecretAllowance| TrackedAllowance {
            allowance,
            glob: allowance.path.as_ref().and_then(glob),
            used: false,
        };
        Self(allow.iter().map(tracked).collect())
    }

    /// Returns the reason why `finding` is allowed, if it is.
    pub fn reason(&mut self, finding: &SecretFinding) -> Option<String> {
        let mut reason = None;
        for tracked in &mut self.0 {
            if matches(tracked.allowance, tracked.glob.as_ref(), finding) {
                tracked.used = true;
                reason.get_or_insert_with(|| tracked.allowance.reason.clone());
            }
        }
        reason
    }

    /// Returns the allowances that allowed nothing.
    pub fn unused(&self) -> Vec<SecretAllowance> {
        self.0.iter().filter(|it| !it.used).map(|it| it.allowance.clone()).collect()
    }
}

/// Whether every condition of `allowance` matches `finding`. An allowance without conditions allows nothing.
fn matches(allowance: &SecretAllowance, glob: Option<&GlobMatcher>, finding: &SecretFinding) -> bool {
    let SecretAllowance { rule, path, part, value, reason: _ } = allowance;
    let says_something = rule.is_some() || path.is_some() || part.is_some() || value.is_some();
    // Fingerprints that are no longer shown, because the value could be guessed, still count.
    let fingerprint = finding.identity.as_ref().or(finding.fingerprint.as_ref());
    let value_holds = |value: &String| {
        value.len() >= "sha256:".len() + 12
            && fingerprint.is_some_and(|it| it.as_str().starts_with(value.as_str()))
    };
    says_something
        && rule.as_ref().is_none_or(|rule| *rule == finding.rule)
        && path.as_ref().is_none_or(|_| {
            finding.place.path().is_some_and(|path| glob.is_some_and(|glob| glob.is_match(path)))
        })
        && part.as_ref().is_none_or(|part| finding.place.part() == Some(part))
        && value.as_ref().is_none_or(value_holds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ResourceId;
    use crate::model::secret_search::SecretPlace;
    use oci_registry::Digest;
    use secret_scan::SecretSeverity;

    fn finding(path: Option<&str>) -> SecretFinding {
        let blob = Digest::of(b"layer");
        let place = match path {
            Some(path) => SecretPlace::File {
                blob,
                platforms: Vec::new(),
                layer: Some(1),
                instruction: None,
                path: Some(path.to_owned()),
                line: None,
                deleted_by: None,
            },
            None => SecretPlace::Config { blob, platforms: Vec::new(), part: "label `x`".to_owned() },
        };
        SecretFinding {
            resource: ResourceId::image("app"),
            repositories: Vec::new(),
            rule: "private-key".to_owned(),
            severity: SecretSeverity::High,
            place,
            redacted: "…".to_owned(),
            fingerprint: None,
            identity: Some(Digest::of(b"value")),
            allowed: None,
            public: None,
            blocks: false,
        }
    }

    fn allowance(rule: Option<&str>, path: Option<&str>, value: Option<&str>) -> SecretAllowance {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        SecretAllowance {
            rule: owned(rule),
            path: owned(path),
            part: None,
            value: owned(value),
            reason: "why".to_owned(),
        }
    }

    #[test]
    fn every_condition_of_an_allowance_must_match() {
        let fingerprint = Digest::of(b"value");
        let (whole, short) = (fingerprint.as_str(), fingerprint.short(12));
        for (rule, path, value, holds) in [
            (None, None, None, false),
            (Some("private-key"), None, None, true),
            (Some("github-token"), None, None, false),
            (None, Some("usr/share/doc/**"), None, true),
            (None, Some("usr/*/x.pem"), None, false),
            (None, Some("**/*.pem"), None, true),
            (Some("private-key"), Some("etc/**"), None, false),
            (None, None, Some(whole), true),
            (None, None, Some(short.as_str()), true),
            (None, None, Some("sha256:"), false),
            (None, None, Some("sha256:000000000000"), false),
            (Some("private-key"), Some("**"), Some(whole), true),
        ] {
            let allow = [allowance(rule, path, value)];
            let mut allowances = Allowances::new(&allow);
            let reason = allowances.reason(&finding(Some("usr/share/doc/a/x.pem")));
            assert_eq!(reason.is_some(), holds, "{rule:?} {path:?} {value:?}");
            assert_eq!(allowances.unused().is_empty(), holds);
        }
    }

    #[test]
    fn a_path_does_not_allow_a_finding_outside_of_files() {
        let allow = [allowance(None, Some("**"), None)];
        assert!(Allowances::new(&allow).reason(&finding(None)).is_none());
    }

    #[test]
    fn a_part_allows_a_finding_there_and_nowhere_else() {
        for (part, path, holds) in
            [("label `x`", None, true), ("label `y`", None, false), ("label `x`", Some("a"), false)]
        {
            let allow = [SecretAllowance { part: Some(part.to_owned()), ..allowance(None, None, None) }];
            let reason = Allowances::new(&allow).reason(&finding(path));
            assert_eq!(reason.is_some(), holds, "{part} {path:?}");
        }
    }
}
