//! The address of a host's API: Docker Hub's other names, and the schemes to try.

use url::Url;

use crate::endpoint::RegistryEndpoint;
use crate::reference::RepositoryName;
use crate::reference::is_docker_hub;

/// Returns the name of `repository` in the API of `host`: Docker Hub keeps bare names below `library/`.
pub(crate) fn repository_path(host: &str, repository: &RepositoryName) -> String {
    if is_docker_hub(host) && !repository.as_str().contains('/') {
        format!("library/{repository}")
    } else {
        repository.to_string()
    }
}

/// Returns the schemes to try for `endpoint`, in order. An `insecure` registry is asked over https first. A loopback
/// host is asked over plain http, because no one can listen in between, unless a `ca_file` or a client certificate
/// shows that it speaks TLS.
pub(super) fn schemes(endpoint: &RegistryEndpoint) -> &'static [&'static str] {
    if endpoint.insecure {
        &["https", "http"]
    } else if endpoint.url.is_loopback()
        && endpoint.ca_file.is_none()
        && endpoint.client_certificate.is_none()
    {
        &["http"]
    } else {
        &["https"]
    }
}

/// Returns the root of the API at `host`, as `scheme://host[:port]/`; `None` if that is not a valid URL.
pub(super) fn base(scheme: &str, host: &str) -> Option<Url> {
    let host = if is_docker_hub(host) { "registry-1.docker.io" } else { host };
    Url::parse(&format!("{scheme}://{host}/")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, insecure: bool, ca_file: Option<&str>) -> RegistryEndpoint {
        let location = url.parse().expect("a location");
        RegistryEndpoint { insecure, ca_file: ca_file.map(str::to_owned), ..RegistryEndpoint::of(location) }
    }

    #[test]
    fn docker_hub_has_other_names() {
        let name = |text: &str| text.parse::<RepositoryName>().expect("a name");
        assert_eq!(repository_path("docker.io", &name("alpine")), "library/alpine");
        assert_eq!(repository_path("docker.io", &name("me/alpine")), "me/alpine");
        assert_eq!(repository_path("registry.hub.docker.com", &name("alpine")), "library/alpine");
        assert_eq!(repository_path("ghcr.io", &name("alpine")), "alpine");
        let base = |host| base("https", host).expect("a url").to_string();
        assert_eq!(base("docker.io"), "https://registry-1.docker.io/");
        assert_eq!(base("index.docker.io"), "https://registry-1.docker.io/");
        assert_eq!(base("registry.hub.docker.com"), "https://registry-1.docker.io/");
        assert_eq!(base("ghcr.io"), "https://ghcr.io/");
        assert_eq!(base("[::1]:5000"), "https://[::1]:5000/");
    }

    #[test]
    fn plain_http_is_for_loopback_and_insecure() {
        assert_eq!(schemes(&endpoint("ghcr.io/a", false, None)), ["https"]);
        assert_eq!(schemes(&endpoint("ghcr.io/a", false, Some("ca.pem"))), ["https"]);
        assert_eq!(schemes(&endpoint("localhost:5000", false, None)), ["http"]);
        assert_eq!(schemes(&endpoint("localhost:5000", false, Some("ca.pem"))), ["https"]);
        assert_eq!(schemes(&endpoint("10.0.0.1:5000", true, None)), ["https", "http"]);
    }
}
