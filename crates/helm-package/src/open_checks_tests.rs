//! Helm's checks of a chart: its files, its versions, its dependencies.

use super::*;

#[test]
fn everything_that_is_wrong_is_reported_at_once_with_its_line() {
    let chart = "apiVersion: v3\nname: a/b\nversion: one\ntype: job\nkeywords: x\ndependencies:\n  - name: d\n    alias: a b\n\
                 \x20 - name: d\n    alias: a b\n  -\nmaintainers: [~]\ndeprecated: maybe\nVersion: 2\nhome: [x]\nhome: y\n";
    let refusal = refused_chart(
        &Made::small("x", "1.0.0")
            .with("Chart.yaml", chart)
            .with("values.yaml", "a: b\n  c: d\n")
            .with("values.schema.json", "{\n  \"type\": }\n"),
    );
    let mut lines: Vec<&str> =
        refusal.lines().skip(1).map(|line| line.trim_start_matches("chart/")).collect();
    lines.sort_unstable();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn charts_that_helm_refuses_are_refused() {
    let small = || Made::small("small", "1.0.0");
    for (chart, expected) in [
        (Made::default().with("values.yaml", ""), "chart` has no `Chart.yaml`, so it is not a chart"),
        (small().with("Chart.yaml", ""), "chart/Chart.yaml:1:1: Chart.yaml is empty"),
        (
            small().with("Chart.yaml", "- a\n"),
            "chart/Chart.yaml:1:1: Chart.yaml must be a mapping, but is a list",
        ),
        (small().with("Chart.yaml", "name: a\n"), "chart/Chart.yaml:1:1: `version` is missing"),
        (
            small().with("Chart.yaml", "name: a\nversion: 1.0.0\nname: b\n"),
            "chart/Chart.yaml:3:1: `name` appears twice",
        ),
        (
            small().with("Chart.yaml", "a: &a [*a]\n"),
            "chart/Chart.yaml:1:8: `Chart.yaml` cannot be read as YAML",
        ),
        (small().with_bytes("Chart.yaml", vec![0xff]), "chart/Chart.yaml` is not UTF-8"),
        (
            small().with("values.yaml", "- a\n"),
            "chart/values.yaml:1:1: `values.yaml` cannot be read as YAML: it is not a mapping",
        ),
        (small().with("values.yaml", "a: 1\n---\nword\n"), "chart/values.yaml:3:1:"),
        (
            small().with(".helmignore", "ok\n a/**\n"),
            "chart/.helmignore:2:1: a rule of `.helmignore` cannot be read: Helm does not support `**`",
        ),
        (small().with("charts/README.md", "x"), "chart/charts/README.md` is not a chart"),
        (small().with("charts/a.tgz", "no package at all"), "chart/charts/a.tgz` is not a gzip file"),
        (small().with("charts/a/values.yaml", "x: 1\n"), "chart/charts/a` has no `Chart.yaml`"),
        (
            small().with("charts/a/Chart.yaml", "name: a\n"),
            "chart/charts/a/Chart.yaml:1:1: `version` is missing",
        ),
        (small().with("requirements.yaml", "dependencies: []\n"), "chart/requirements.yaml` is not read"),
        (small().with("a\\b", "x"), "chart/a\\b` has a backslash in its name"),
        (small().with_bytes("big", vec![b'x'; 5 * 1024 * 1024 + 1]), "chart/big` is larger than 5 MiB"),
    ] {
        let found = refused_chart(&chart);
        assert!(found.contains(expected), "`{expected}` is not in\n{found}");
    }
    let folder = written(&small());
    let refusal = refused(folder.path(), &ChartSpec { version: "latest".into(), ..spec("chart") });
    assert!(refusal.contains("cannot be published as `latest`"), "{refusal}");
    assert_eq!(refused(folder.path(), &spec("other")), "chart `other` does not exist");
    let sparse = File::create(folder.path().join("large.tgz")).expect("made");
    sparse.set_len(1 << 40).expect("sized");
    assert!(refused(folder.path(), &spec("large.tgz")).contains("is larger than any chart"));
}

#[test]
fn charts_that_helm_accepts_are_accepted() {
    let small = || Made::small("small", "1.0.0");
    for chart in [
        small().without("values.yaml"),
        small().without("templates/config.yaml"),
        small().with("values.yaml", ""),
        small().with("values.yaml", "# nothing\n"),
        small().with("values.yaml", "a: 1\n---\nb: 2\n"),
        small().with("values.yaml", "a: 1\na: 2\n"),
        small().with("Chart.yaml", "name: small\nversion: v1\nown: key\n"),
        small().with("Chart.yaml", "base: &base {home: x}\nname: small\nversion: 1.0.0\n<<: *base\n"),
        small().with("charts/_skipped/a", "x").with("charts/.hidden", "x"),
        small().with("charts/extra/Chart.yaml", "name: extra\nversion: 1.0.0\n"),
        small().with("charts/extra-1.0.0.tgz.prov", "x"),
    ] {
        let folder = written(&chart);
        Sent::of(folder.path(), &spec("chart"));
        assert!(checked(folder.path(), Path::new(""), "chart", None).iter().all(|found| !found.is_error()));
    }
    let folder = written(&small().with("Chart.yaml", "name: small\nversion: 1.0.0\nown: key\n"));
    let warned = checked(folder.path(), Path::new(""), "chart", Some("small"));
    assert_eq!(warned.len(), 1);
    assert_eq!(warned[0].message, "`own` is not a key of Chart.yaml that Helm knows");
    assert_eq!(chart_name(folder.path(), "chart").as_deref(), Some("small"));
}

#[test]
fn dependencies_must_be_those_of_the_lock() {
    let broker = Made::broker;
    let database = |version: &str| Made::small("postgresql", version).package("postgresql");
    let chart_yaml = String::from_utf8(broker().files["Chart.yaml"].clone()).expect("UTF-8");
    let asked = chart_yaml.replace("~15.5.0", "~15.6.0");
    for (chart, expected) in [
        (
            broker().without(DATABASE),
            "chart/Chart.yaml:19:11: the dependency `postgresql` is not under `chart/charts`",
        ),
        (broker().without("Chart.lock"), "chart/Chart.yaml:19:11: `Chart.lock` is missing"),
        (
            broker().with("Chart.yaml", &asked),
            "chart/Chart.lock:5:9: `Chart.lock` was made for other dependencies",
        ),
        (
            broker().with_bytes(DATABASE, database("15.5.37")),
            "postgresql-15.5.38.tgz` has the version 15.5.37, but `Chart.lock` names 15.5.38",
        ),
        (
            broker().with_bytes("charts/postgresql-15.5.37.tgz", database("15.5.37")),
            "are both the chart `postgresql`",
        ),
        (
            broker().with("Chart.yaml", &chart_yaml.replace("~15.5.0", "newest")),
            "the dependency `postgresql` has the version `newest`, which is not a version or a range",
        ),
    ] {
        let found = refused_chart(&chart);
        assert!(found.contains(expected), "`{expected}` is not in\n{found}");
    }
    // If the chart is only checked, a dependency that is not fetched yet is no error.
    let folder = written(&broker().without(DATABASE));
    let found = checked(folder.path(), Path::new(""), "chart", None);
    assert_eq!(found.len(), 1);
    assert!(!found[0].is_error());
    // A dependency that is a directory under `charts/` needs no lock.
    let local = "name: a\napiVersion: v2\nversion: 1.0.0\ndependencies:\n- name: own\n  version: ^2\n";
    let local = Made::default()
        .with("Chart.yaml", local)
        .with("charts/own/Chart.yaml", "name: own\nversion: 2.1.0\n");
    Sent::of(written(&local).path(), &spec("chart"));
    let other = local.with("charts/own/Chart.yaml", "name: own\nversion: 3.0.0\n");
    assert!(refused_chart(&other).contains("has the version 3.0.0, but `Chart.yaml` asks for `^2`"));
}

#[test]
fn charts_of_helm_2_keep_their_requirements() {
    let digest = "sha256:0bc52f1397f13d24531972e7eb5b5dfe22d56e33b3eedd11eb67f465ec4d181a";
    let repository = "repository: https://charts.bitnami.com/bitnami";
    let chart = Made::default()
        .with("Chart.yaml", "apiVersion: v1\nname: wordpress\nversion: 9.0.0\n")
        .with(
            "requirements.yaml",
            &format!("dependencies:\n  - name: mariadb\n    version: 7.x.x\n    {repository}\n    condition: mariadb.enabled\n    tags:\n      - wordpress-database\n"),
        )
        .with(
            "requirements.lock",
            &format!("dependencies:\n- name: mariadb\n  {repository}\n  version: 7.3.17\ndigest: {digest}\n"),
        )
        .with_bytes("charts/mariadb-7.3.17.tgz", Made::small("mariadb", "7.3.17").package("mariadb"));
    let sent = Sent::of(written(&chart).path(), &spec("chart"));
    let names: Vec<String> = sent.files().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names[..3],
        ["wordpress/Chart.yaml", "wordpress/requirements.lock", "wordpress/requirements.yaml"]
    );
    let config: serde_json::Value = serde_json::from_slice(&sent.blob(manifest::CONFIG)).expect("JSON");
    assert_eq!(config["dependencies"][0]["name"], "mariadb");
}

#[test]
fn an_alias_of_the_version_keeps_the_value_that_it_had() {
    let shared = "name: a\nversion: &v 0.1.0\nannotations:\n  again: *v\n";
    let folder = written(&Made::default().with("Chart.yaml", shared));
    let text = Sent::of(folder.path(), &spec("chart")).files()[0].1.clone();
    assert!(text.contains("version: &v 1.2.3\n") && text.contains("again: 0.1.0\n"), "{text}");
}
