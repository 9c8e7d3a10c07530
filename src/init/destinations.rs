//! The registries of `publish.toml` for addresses: one for each host and namespace.

use super::names::slug;
use super::publication::Address;

/// The registries that were named, in the order in which they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Destinations {
    /// Names and addresses.
    pub registries: Vec<(String, String)>,
}

/// The names of known hosts.
const NAMES: [(&str, &str); 6] = [
    ("ghcr.io", "ghcr"),
    ("docker.io", "dockerhub"),
    ("quay.io", "quay"),
    ("registry.gitlab.com", "gitlab"),
    ("public.ecr.aws", "ecr"),
    ("gcr.io", "gcr"),
];

impl Destinations {
    /// The name of the registry for `address`, and the repository below it.
    pub fn place(&mut self, address: &Address) -> (String, String) {
        let (url, repository) = match address.path.split_once('/') {
            Some((namespace, rest)) => (format!("{}/{namespace}", address.host), rest.to_owned()),
            None => (address.host.clone(), address.path.clone()),
        };
        if let Some((name, _)) = self.registries.iter().find(|(_, it)| *it == url) {
            return (name.clone(), repository);
        }
        let known = NAMES.iter().find(|(host, _)| *host == address.host).map(|(_, name)| (*name).to_owned());
        let host = address.host.split(':').next().unwrap_or_default();
        let base = known.or_else(|| slug(&host.replace('.', "-"))).unwrap_or_else(|| "registry".to_owned());
        let namespace = url.rsplit('/').next().and_then(slug).unwrap_or_default();
        let numbered = (2..100).map(|number| format!("{base}-{number}"));
        let names = [base.clone(), format!("{base}-{namespace}")].into_iter().chain(numbered);
        let taken = |name: &String| self.registries.iter().any(|(it, _)| it == name);
        let name = names.into_iter().find(|it| !taken(it)).unwrap_or(base);
        self.registries.push((name.clone(), url));
        (name, repository)
    }
}
