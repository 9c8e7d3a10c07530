//! Charts whose files say something else to Helm than to their reader: values without quotes that are numbers for YAML, and files
//! that `.helmignore` leaves out. Each case names the public report that it comes from.

use testkit::chart::TestChart;
use testkit::command::{EndedRun, Folder};

/// A folder that publishes the chart `c` to a directory; `more` belongs to the chart in `publish.toml`.
fn folder(chart: &TestChart, more: &str) -> Folder {
    let text = format!(
        "version = 1\n[registries.bundle]\nurl = \"oci:registry\"\n[charts.c]\nsource = \"charts/c\"\n{more}\n"
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    chart.write(&folder.path.join("charts/c"));
    folder
}

fn with_app_version(written: &str) -> TestChart {
    let text = format!("apiVersion: v2\nname: c\nversion: 0.1.0\nappVersion: {written}\n");
    TestChart::small("c", "0.1.0").with("Chart.yaml", &text)
}

fn apply(folder: &Folder) -> EndedRun {
    folder.run("apply --auto-approve --ref refs/tags/v1.2.3").wide().done()
}

/// The `appVersion` of the published configuration.
fn published_app_version(folder: &Folder) -> String {
    let blobs = folder.path.join("registry/charts/c/blobs/sha256");
    let configs = std::fs::read_dir(blobs).expect("blobs").filter_map(|entry| {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a blob");
        let value: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        value.get("apiVersion").is_some().then(|| value["appVersion"].as_str().unwrap_or_default().to_owned())
    });
    configs.last().expect("a configuration")
}

/// helm/helm#12236, rowanruseler/helm-charts#156: an unquoted `appVersion` is a number for YAML, and `helm lint` refuses it.
#[test]
fn an_app_version_that_helm_reads_as_another_one_is_refused() {
    for (written, read) in [
        ("1.10", "1.1"),
        ("7052e10", "7.052e+13"),
        ("0123", "83"),
        ("1_000", "1000"),
        ("0x1F", "31"),
        ("1.0", "1"),
        ("yes", "true"),
    ] {
        let folder = folder(&with_app_version(written), "");
        let words = format!("`appVersion` in Chart.yaml is `{written}` without quotes");
        for command in ["lint", "plan --ref refs/tags/v1.2.3"] {
            let done = folder.run(command).wide().done().expect_code(1);
            let shown = done.shown();
            assert!(shown.contains(&words) && shown.contains(&format!("reads as `{read}`")), "{shown}");
            assert!(shown.contains(&format!("appVersion: \"{written}\"")), "{shown}");
            assert!(shown.contains("charts/c/Chart.yaml:4:13"), "{shown}");
        }
        assert!(!folder.path.join("registry").exists());
        // The version that `publish.toml` sets replaces it.
        let text = folder.read("publish.toml") + "app_version = \"9.10\"\n";
        folder.write("publish.toml", text);
        folder.run("lint").done().expect_code(0);
        apply(&folder).expect_code(0);
        assert_eq!(published_app_version(&folder), "9.10");
    }
}

#[test]
fn an_app_version_that_keeps_its_text_is_published() {
    for (written, published, linted) in [
        ("\"1.10\"", "1.10", ""),
        ("'0123'", "0123", ""),
        ("!!str 1.10", "1.10", ""),
        ("1.2.3", "1.2.3", ""),
        ("v1.10", "v1.10", ""),
        ("2021-01-01", "2021-01-01", ""),
        ("1.16", "1.16", "`helm lint` refuses it"),
        ("7", "7", "`helm lint` refuses it"),
        ("true", "true", "`helm lint` refuses it"),
    ] {
        let folder = folder(&with_app_version(written), "");
        let lint = folder.run("lint").wide().done().expect_code(0).shown();
        assert!(lint.contains(linted) && (!linted.is_empty() || lint.contains("nothing wrong")), "{lint}");
        apply(&folder).expect_code(0);
        assert_eq!(published_app_version(&folder), published, "{written}");
    }
}

#[test]
fn other_versions_without_quotes_are_refused_and_other_texts_are_warned_about() {
    let of = |more: &str| {
        TestChart::small("c", "0.1.0")
            .with("Chart.yaml", &format!("apiVersion: v2\nname: c\nversion: 0.1.0\n{more}"))
    };
    for (more, key, code) in [
        ("kubeVersion: 1.20\n", "kubeVersion", 1),
        ("dependencies:\n  - name: d\n    version: 1.10\n", "dependencies.version", 1),
        ("description: 1.10\n", "description", 0),
        ("annotations:\n  example.com/prerelease: yes\n", "annotations.example.com/prerelease", 0),
        ("keywords: [on]\n", "keywords", 0),
    ] {
        let folder = folder(&of(more), "");
        let lint = folder.run("lint").wide().done().expect_code(code).shown();
        assert!(lint.contains(&format!("`{key}` in Chart.yaml is `")), "{lint}");
        assert_eq!(apply(&folder).code(), Some(code), "{more}");
    }
}

/// Others made the charts under `charts/`, and Helm loads them.
#[test]
fn a_number_in_a_vendored_chart_does_not_matter() {
    let vendored = "apiVersion: v2\nname: d\nversion: 1.0.0\nappVersion: 1.10\n";
    let own = "apiVersion: v2\nname: c\nversion: 0.1.0\ndependencies:\n  - name: d\n    version: 1.0.0\n";
    let chart = TestChart::small("c", "0.1.0").with("Chart.yaml", own).with("charts/d/Chart.yaml", vendored);
    apply(&folder(&chart, "")).expect_code(0);
}

/// helm/helm#3622, helm/helm#8688 (a list of what stays), helm/helm#12992 (`*.tgz`).
#[test]
fn a_file_that_helmignore_leaves_out_is_not_called_missing() {
    let dependency =
        "apiVersion: v2\nname: c\nversion: 0.1.0\ndependencies:\n  - name: d\n    version: 1.0.0\n";
    let locked = dependency.to_owned() + "    repository: https://charts.example.com\n";
    let with = |rules: &str| TestChart::small("c", "0.1.0").with(".helmignore", rules);
    let vendored = TestChart::small("d", "1.0.0");
    let packaged = |rules: &str| {
        with(rules).with("Chart.yaml", dependency).with_bytes("charts/d-1.0.0.tgz", vendored.package("d"))
    };
    let unpacked = |rules: &str| {
        with(rules)
            .with("Chart.yaml", dependency)
            .with("charts/d/Chart.yaml", "apiVersion: v2\nname: d\nversion: 1.0.0\n")
    };
    for (chart, file, rule, line) in [
        (with("/*\n!.helmignore\n!Chart.yaml\n!templates\n!values.yaml\n"), "Chart.yaml", "/*", 1),
        (with("# all but these\n!Chart.yaml\n!values.yaml\n"), "Chart.yaml", "!values.yaml", 3),
        (with("*.yaml\n"), "Chart.yaml", "*.yaml", 1),
        (packaged("a\n*.tgz\n"), "charts/d-1.0.0.tgz", "*.tgz", 2),
        (packaged("charts/\n"), "charts/d-1.0.0.tgz", "charts/", 1),
        (packaged("charts/*\n"), "charts/d-1.0.0.tgz", "charts/*", 1),
        (unpacked("charts/d\n"), "charts/d", "charts/d", 1),
        (unpacked("charts/*/Chart.yaml\n"), "charts/d/Chart.yaml", "charts/*/Chart.yaml", 1),
        (with("*.lock\n").with("Chart.yaml", &locked).with("Chart.lock", "x"), "Chart.lock", "*.lock", 1),
    ] {
        let folder = folder(&chart, "");
        for command in ["lint", "plan --ref refs/tags/v1.2.3"] {
            let shown = folder.run(command).wide().done().expect_code(1).shown();
            let words =
                format!("`charts/c/{file}` is there, but the rule `{rule}` of `.helmignore` leaves it out");
            assert!(shown.contains(&words), "{words}\n{shown}");
            assert!(shown.contains(&format!("charts/c/.helmignore:{line}:1")), "{shown}");
            assert!(!shown.contains("helm create"), "{shown}");
        }
    }
}

#[test]
fn lint_names_the_parts_that_a_chart_is_packaged_without() {
    for (rules, parts) in [
        ("templates/\n", &["templates"][..]),
        ("templates/*.yaml\n", &["templates/config.yaml"]),
        ("values.yaml\ncrds\n", &["values.yaml", "crds"]),
        ("*.bak\n.git/\nci/\n", &[]),
    ] {
        let chart =
            TestChart::small("c", "0.1.0").with(".helmignore", rules).with("crds/a.yaml", "kind: A\n");
        let folder = folder(&chart.with("templates/x.bak", "old").with("ci/values.yaml", ""), "");
        let shown = folder.run("lint").wide().done().expect_code(0).shown();
        assert_eq!(shown.matches("of `.helmignore` leaves out").count(), parts.len(), "{shown}");
        for part in parts {
            assert!(shown.contains(&format!("leaves out `charts/c/{part}`")), "{shown}");
        }
    }
}

#[test]
fn a_packaged_chart_has_the_bytes_that_the_registry_gets() {
    let folder = folder(&TestChart::small("c", "0.1.0"), "");
    let done = folder.run("package -d dist --ref refs/tags/v1.2.3").wide().done().expect_code(0);
    let _applied = apply(&folder).expect_code(0);
    let packaged = std::fs::read(folder.path.join("dist/c-1.2.3.tgz")).expect("a package");
    let hash = testkit::image::sha256(&packaged);
    assert!(
        done.stdout().contains(&"dist/c-1.2.3.tgz  ".to_string()) && done.stdout().contains(&hash),
        "{}",
        done.shown()
    );
    let blob = folder.path.join("registry/charts/c/blobs").join(hash.replacen(':', "/", 1));
    assert_eq!(std::fs::read(blob).expect("the layer"), packaged);
    // A folder that cannot be made is an error that names it.
    folder.write("file", "");
    let refused = folder.run("package -d file/dist --ref refs/tags/v1.2.3").wide().done().expect_code(1);
    assert!(refused.stderr().contains("`file/dist` cannot be written"), "{}", refused.shown());
    // A run that publishes nothing packages nothing, and says so.
    let nothing = folder.run("package -d dist --target charts.c:other --ref refs/tags/v1.2.3").done();
    assert!(nothing.expect_code(1).stderr().contains("publish::plan::target"));
}
