//! Digests of locks: Helm's own case, and locks of widely used charts.

use super::*;

fn dependency(text: &str) -> Dependency {
    let mut fields = text.split(' ').map(str::to_owned);
    let mut next = || fields.next().unwrap_or_default();
    let (name, version, repository, condition, tag) = (next(), next(), next(), next(), next());
    let tags = Some(tag).filter(|tag| !tag.is_empty()).into_iter().collect();
    Dependency { name, version, repository, condition, tags, ..Dependency::default() }
}

fn lock(digest: &str, dependencies: &[&str]) -> ChartLock {
    let yaml = HelmYaml::parse("Chart.lock", None, "").ok().expect("YAML");
    ChartLock {
        digest: format!("sha256:{digest}"),
        dependencies: dependencies.iter().map(|text| dependency(text)).collect(),
        span: yaml.start(),
    }
}

#[test]
fn digests_are_those_of_helm() {
    let oci = "oci://registry-1.docker.io/bitnamicharts";
    let community = "https://prometheus-community.github.io/helm-charts";
    let grafana = "https://grafana.github.io/helm-charts";
    let kubernetes = "https://kubernetes.github.io/kube-state-metrics";
    let local = "http://localhost:8879/charts";
    let bitnami = "https://charts.bitnami.com/bitnami";
    let cases: Vec<(&str, Vec<String>, Vec<String>)> = vec![
        // Helm, internal/resolver/resolver_test.go
        (
            "fb239e836325c5fa14b29d1540a13b7d3ba13151b67fe719f820e0ef6d66aaaf",
            vec![format!("alpine 0.1.0 {local}")],
            vec![format!("alpine 0.1.0 {local}")],
        ),
        // bitnami/wordpress, January 2025
        (
            "3426d768d431843713b2527ff564792332f0019a69c03e605134725f10a65cc9",
            vec![
                format!("memcached 7.x.x {oci} memcached.enabled"),
                format!("mariadb 20.x.x {oci} mariadb.enabled"),
                format!("common 2.x.x {oci}  bitnami-common"),
            ],
            vec![
                format!("memcached 7.6.1 {oci}"),
                format!("mariadb 20.2.2 {oci}"),
                format!("common 2.29.1 {oci}"),
            ],
        ),
        // bitnami/wordpress for Helm 2, April 2020
        (
            "0bc52f1397f13d24531972e7eb5b5dfe22d56e33b3eedd11eb67f465ec4d181a",
            vec![format!("mariadb 7.x.x {bitnami} mariadb.enabled wordpress-database")],
            vec![format!("mariadb 7.3.17 {bitnami}")],
        ),
        // prometheus-community/kube-prometheus-stack, January and December 2021
        (
            "618d35aba8290330ef4c39438e6be271e17c68aed8806acd626ce8b844056415",
            vec![
                format!("kube-state-metrics 2.9.* {kubernetes} kubeStateMetrics.enabled"),
                format!("prometheus-node-exporter 1.12.* {community} nodeExporter.enabled"),
                format!("grafana 6.1.* {grafana} grafana.enabled"),
            ],
            vec![
                format!("kube-state-metrics 2.9.7 {kubernetes}"),
                format!("prometheus-node-exporter 1.12.0 {community}"),
                format!("grafana 6.1.17 {grafana}"),
            ],
        ),
        (
            "3437708289e2e35e8de7ac468e0d7fe2df43e2d459857b8855cc84cb18501832",
            vec![
                format!("kube-state-metrics 4.1.* {community} kubeStateMetrics.enabled"),
                format!("prometheus-node-exporter 2.2.* {community} nodeExporter.enabled"),
                format!("grafana 6.19.* {grafana} grafana.enabled"),
            ],
            vec![
                format!("kube-state-metrics 4.1.1 {community}"),
                format!("prometheus-node-exporter 2.2.2 {community}"),
                format!("grafana 6.19.0 {grafana}"),
            ],
        ),
    ];
    for (digest, asked, locked) in cases {
        let locked: Vec<&str> = locked.iter().map(String::as_str).collect();
        let lock = lock(digest, &locked);
        let asked: Vec<Dependency> = asked.iter().map(|text| dependency(text)).collect();
        assert!(lock.fits(&asked, false), "{digest}");
        let mut other = asked.clone();
        other[0].version.push('0');
        assert!(!lock.fits(&other, true), "{digest}");
        // A user whose Helm knows the repository under a name writes that name.
        let mut aliased = asked;
        aliased[0].repository = "@somewhere".to_owned();
        assert!(lock.fits(&aliased, false), "{digest}");
    }
}

#[test]
fn a_digest_of_helm_2_counts_for_its_charts() {
    let asked =
        [dependency("mariadb 7.x.x https://charts.bitnami.com/bitnami mariadb.enabled wordpress-database")];
    let lock = lock(
        "7fc24f82fd23e0e6e6bee7ce6863b6eaec9d87ee29e9d8612aefc4a0d87d187a",
        &["mariadb 7.3.17 https://charts.bitnami.com/bitnami"],
    );
    assert!(lock.fits(&asked, true));
    assert!(!lock.fits(&asked, false));
}
