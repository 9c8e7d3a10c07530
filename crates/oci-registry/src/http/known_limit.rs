//! The documented limits of registries, which are kept from the start.

/// A documented limit of a registry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct KnownLimit {
    /// The requests in a second.
    pub(super) rate: f64,
    /// The requests that may come at once after a pause.
    pub(super) burst: f64,
}

impl KnownLimit {
    /// Returns the documented limit of the registry at `host`:
    ///
    /// - GHCR allows 2,000 requests in a minute, as its refusals say: `allowed: 2000/minute` (actions/runner-images#5690).
    /// - Artifact Registry allows 60,000 requests in a minute for a project and 5,000 from one address, which is 83 in a second
    ///   (Google Cloud, "Artifact Registry quotas and limits").
    pub(super) fn of_host(host: &str) -> Option<Self> {
        let name = name(host);
        if name == "ghcr.io" {
            return Some(Self { rate: 2000.0 / 60.0, burst: 1000.0 });
        }
        (name == "gcr.io" || name.ends_with(".gcr.io") || name.ends_with(".pkg.dev"))
            .then_some(Self { rate: 83.0, burst: 1000.0 })
    }

    /// Returns the documented limit for putting manifests at `host`: ECR allows 10 `PutImage` in a second for an account and region,
    /// ECR Public as well (AWS, "Amazon ECR service quotas"; aws/containers-roadmap#1010).
    pub(super) fn of_manifests(host: &str) -> Option<Self> {
        let name = name(host);
        let is_private = name.contains(".dkr.ecr.")
            && (name.ends_with(".amazonaws.com") || name.ends_with(".amazonaws.com.cn"));
        (is_private || name == "public.ecr.aws").then_some(Self { rate: 10.0, burst: 10.0 })
    }
}

/// Returns a host without its port.
fn name(host: &str) -> &str {
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hosts_have_limits() {
        for (host, all, manifests) in [
            ("ghcr.io", true, false),
            ("europe-docker.pkg.dev", true, false),
            ("eu.gcr.io:443", true, false),
            ("ghcr.io.example", false, false),
            ("localhost:5000", false, false),
            ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", false, true),
            ("public.ecr.aws", false, true),
            ("dkr.ecr.example", false, false),
        ] {
            let limits = (KnownLimit::of_host(host).is_some(), KnownLimit::of_manifests(host).is_some());
            assert_eq!(limits, (all, manifests), "{host}");
        }
    }
}
