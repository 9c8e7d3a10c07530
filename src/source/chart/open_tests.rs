//! Charts as sources: what is packaged, what is said of it, and what is refused.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};

use proptest::prelude::*;
use tempfile::TempDir;

use super::super::super::chart_fixture::{Chart as Made, DATABASE, entry, gzip};
use super::super::super::{Content, walk};
use super::*;

const COMMIT_TIME: i64 = 1_700_000_000;

fn spec(path: &str) -> ChartSpec {
    ChartSpec {
        path: path.to_owned(),
        name: String::new(),
        version: "1.2.3".to_owned(),
        app_version: Some("1.2.3".to_owned()),
        annotations: BTreeMap::new(),
        created: Some(COMMIT_TIME),
    }
}

fn written(chart: &Made) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    chart.write(&folder.path().join("chart"));
    folder
}

type Opened = (Arc<dyn Source>, ChartSpec);

/// Opens a chart, which has the right name where none is given.
fn open_in(folder: &Path, spec: &ChartSpec) -> Result<Opened, SourceError> {
    let own = || name(folder, &spec.path).unwrap_or_default();
    let called = if spec.name.is_empty() { own() } else { spec.name.clone() };
    open(&ChartSpec { name: called, ..spec.clone() }, &Surroundings::local(folder))
}

#[test]
fn a_chart_must_have_the_name_of_its_repository() {
    let folder = written(&Made::agent());
    let told = refused(folder.path(), &ChartSpec { name: "agent".into(), ..spec("chart") });
    assert_eq!(
        told,
        "chart/Chart.yaml:2:7: the chart is called `brokkr-agent`, and its repository ends in `agent`"
    );
    assert!(check(folder.path(), Path::new(""), "chart", Some("agent")).iter().any(Diagnostic::is_error));
    fs::write(folder.path().join("a.tgz"), Made::small("b", "1.2.3").package("b")).expect("written");
    let told = refused(folder.path(), &ChartSpec { name: "a".into(), app_version: None, ..spec("a.tgz") });
    assert!(told.ends_with("the chart is called `b`, and its repository ends in `a`"), "{told}");
}

/// What is sent of a chart.
struct Sent {
    content: Content,
    source: Arc<dyn Source>,
}

impl Sent {
    fn of(folder: &Path, spec: &ChartSpec) -> Self {
        let (source, _) = open_in(folder, spec).unwrap_or_else(|error| panic!("{error}"));
        let content = walk(source.as_ref()).unwrap_or_else(|error| panic!("{error}"));
        Self { content, source }
    }

    fn manifest(&self) -> serde_json::Value {
        serde_json::from_slice(self.content.manifests[0].bytes()).expect("JSON")
    }

    fn blob(&self, media_type: &str) -> Vec<u8> {
        let blob = self.content.blobs.iter().find(|blob| blob.media_type == media_type).expect("a blob");
        let mut bytes = Vec::new();
        self.source.open(blob).expect("opened").read_to_end(&mut bytes).expect("read");
        bytes
    }

    /// The files of the package: name and text, in order.
    fn files(&self) -> Vec<(String, String)> {
        let package = self.blob(manifest::CONTENT);
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(package.as_slice()));
        let entries = archive.entries().expect("a tar file");
        entries
            .map(|entry| {
                let mut entry = entry.expect("an entry");
                let header = entry.header();
                assert_eq!(header.mode().expect("a mode"), 0o644);
                assert_eq!((header.uid().expect("an owner"), header.gid().expect("a group")), (0, 0));
                assert_eq!(header.mtime().expect("a time"), COMMIT_TIME.unsigned_abs());
                let name = entry.path().expect("a name").display().to_string();
                let mut text = String::new();
                entry.read_to_string(&mut text).expect("text");
                (name, text)
            })
            .collect()
    }
}

/// What is wrong with a chart that is called `chart`.
fn refused(folder: &Path, spec: &ChartSpec) -> String {
    let Err(error) = open_in(folder, spec) else { panic!("it is published") };
    let diagnostic = error.to_diagnostic();
    assert!(diagnostic.help.is_some(), "{error}");
    assert!(!error.to_diagnostics().is_empty());
    error.to_string()
}

fn refused_chart(chart: &Made) -> String {
    refused(written(chart).path(), &spec("chart"))
}

#[test]
fn a_directory_is_packaged_as_helm_packages_it() {
    let folder = written(&Made::broker());
    let sent = Sent::of(folder.path(), &spec("chart"));
    let files = sent.files();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.trim_start_matches("brokkr-broker/")).collect();
    assert_eq!(
        names,
        [
            "Chart.yaml",
            "Chart.lock",
            "values.yaml",
            "values.schema.json",
            "templates/NOTES.txt",
            "templates/_helpers.tpl",
            "templates/configmap.yaml",
            "templates/cronjob.yaml",
            "templates/deployment.yaml",
            "templates/hpa.yaml",
            "templates/ingress.yaml",
            "templates/job-migrate.yaml",
            "templates/networkpolicy.yaml",
            "templates/pdb.yaml",
            "templates/pvc.yaml",
            "templates/role.yaml",
            "templates/rolebinding.yaml",
            "templates/secret.yaml",
            "templates/service.yaml",
            "templates/serviceaccount.yaml",
            "templates/servicemonitor.yaml",
            "templates/statefulset.yaml",
            "templates/tests/connection.yaml",
            ".helmignore",
            "README.md",
            "crds/stacks.yaml",
            "files/dashboard.json",
            "charts/postgresql/Chart.yaml",
            "charts/postgresql/values.yaml",
            "charts/postgresql/templates/config.yaml",
            "charts/postgresql/templates/primary/networkpolicy.yaml",
            "charts/postgresql/templates/primary/statefulset.yaml",
            "charts/postgresql/templates/primary/svc.yaml",
            "charts/postgresql/templates/read/statefulset.yaml",
            "charts/postgresql/templates/secrets.yaml",
            "charts/postgresql/README.md",
        ]
    );
    // The author's file, but for two values.
    let made = String::from_utf8(Made::broker().files["Chart.yaml"].clone()).expect("UTF-8");
    let wanted = made.replace("version: 0.0.0 #", "version: 1.2.3 #").replace("\"0.0.0\"", "1.2.3");
    assert_eq!(files[0].1, wanted);
    let config: serde_json::Value = serde_json::from_slice(&sent.blob(manifest::CONFIG)).expect("JSON");
    assert_eq!(config["version"], "1.2.3");
    assert_eq!(config["appVersion"], "1.2.3");
    assert_eq!(config["dependencies"][0]["version"], "~15.5.0");
    let manifest = sent.manifest();
    let annotations = &manifest["annotations"];
    assert_eq!(annotations["org.opencontainers.image.created"], "2023-11-14T22:13:20Z");
    assert_eq!(annotations["org.opencontainers.image.version"], "1.2.3");
    assert_eq!(annotations["org.opencontainers.image.title"], "brokkr-broker");
    assert_eq!(annotations["artifacthub.io/license"], "Apache-2.0");
    assert_eq!(manifest["mediaType"], serde_json::Value::Null);
    assert_eq!(sent.blob(manifest::CONTENT)[..4], [0x1f, 0x8b, 8, 0x14], "extra field and comment");
    assert!(check(folder.path(), Path::new(""), "chart", Some("brokkr-broker")).is_empty());
}

#[test]
fn the_bytes_are_known() {
    // A new version of a library that compresses otherwise, or a change of the layout, gives every chart another digest. Such
    // a change is to be known before it is published.
    let folder = written(&Made::broker());
    let digest = Sent::of(folder.path(), &spec("chart")).content.root.digest.to_string();
    assert_eq!(digest, "sha256:f08766708c84048b2d11de881908ad77c28c0ca891f401fbc077df0ee7d0c3c5");
}

#[test]
fn annotations_of_the_declaration_are_on_top_and_an_unknown_time_is_left_out() {
    let folder = written(&Made::agent());
    let annotations = BTreeMap::from([("org.opencontainers.image.title".to_owned(), "<other>".to_owned())]);
    let declared = ChartSpec { annotations, created: None, ..spec("chart") };
    let manifest = Sent::of(folder.path(), &declared).manifest();
    assert_eq!(manifest["annotations"]["org.opencontainers.image.title"], "<other>");
    assert_eq!(manifest["annotations"]["org.opencontainers.image.created"], serde_json::Value::Null);
}

#[test]
fn the_time_may_come_from_the_environment_and_is_pinned() {
    let folder = written(&Made::agent());
    let environment = Arc::new(|name: &str| (name == EPOCH).then(|| COMMIT_TIME.to_string()));
    let surroundings = Surroundings { environment, ..Surroundings::local(folder.path()) };
    let named = ChartSpec { name: "brokkr-agent".into(), ..spec("chart") };
    let declared = ChartSpec { created: None, ..named.clone() };
    let (source, pinned) = open(&declared, &surroundings).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(pinned, named);
    let again = Sent::of(folder.path(), &pinned);
    assert_eq!(source.root().expect("a root"), again.content.root);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Not the order in which files were made, nor their times, modes and where they lie, are in a package.
    #[test]
    fn the_same_files_are_the_same_bytes(order in any::<u64>(), mode in 0o400_u32..0o777, seconds in 0_u64..2_000_000_000) {
        let chart = Made::broker();
        let plain = written(&chart);
        let other = tempfile::tempdir().expect("a folder");
        let root = other.path().join("elsewhere").join("chart");
        let mut names: Vec<&String> = chart.files.keys().collect();
        names.sort_by_key(|name| Digest::of(format!("{order} {name}").as_bytes()).to_string());
        for name in names {
            let path = root.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(&path, &chart.files[name]).expect("written");
            let file = File::options().write(true).open(&path).expect("opened");
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds)).expect("set");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode | 0o400)).expect("set");
        }
        let one = Sent::of(plain.path(), &spec("chart")).content.root;
        let two = Sent::of(other.path(), &spec("elsewhere/chart")).content.root;
        prop_assert_eq!(one, two);
    }

    /// Whatever stands in the files of a chart, it is packaged or refused.
    #[test]
    fn any_text_is_packaged_or_refused(text in "[a-z:{}\\[\\]&*!|>\"' \n#<0-9.-]{0,60}", file in 0_usize..4) {
        let name = ["Chart.yaml", "Chart.lock", "values.yaml", ".helmignore"][file];
        let folder = written(&Made::broker().with(name, &text));
        let _ = open_in(folder.path(), &spec("chart"));
        let _ = check(folder.path(), Path::new(""), "chart", None);
    }

    /// A package cut off or with a byte changed is refused, or holds the same: a few bits of a gzip file say nothing.
    #[test]
    fn a_damaged_package_is_refused(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let folder = tempfile::tempdir().expect("a folder");
        let package = Made::small("small", "1.2.3").package("small");
        let mut damaged = package.clone();
        let at = at.index(package.len());
        if cut {
            damaged.truncate(at);
        } else {
            damaged[at] = byte;
        }
        fs::write(folder.path().join("a.tgz"), &damaged).expect("written");
        let unpacked = |package: &[u8]| {
            let mut bytes = Vec::new();
            flate2::read::GzDecoder::new(package).read_to_end(&mut bytes).map(|_| bytes).ok()
        };
        let opened = open_in(folder.path(), &ChartSpec { app_version: None, ..spec("a.tgz") });
        prop_assert!(opened.is_err() || unpacked(&damaged) == unpacked(&package));
    }
}

#[test]
fn versions_are_set_where_they_stand() {
    for (before, after) in [
        ("version: 0.1.0\nname: a\n", "appVersion: 1.2.3\nversion: 1.2.3\nname: a\n"),
        (
            "name: a\nversion: '0.1.0' # here\nappVersion: ~\n",
            "name: a\nversion: 1.2.3 # here\nappVersion: 1.2.3\n",
        ),
        ("name: a\nversion: 0.1.0\nappVersion:\n", "name: a\nversion: 1.2.3\nappVersion: 1.2.3\n"),
        ("{name: a, version: 0.1.0}\n", "{name: a, appVersion: 1.2.3, version: 1.2.3}\n"),
        (
            "---\n  name: a\n  version: 0.1.0\n...\n",
            "---\n  name: a\n  appVersion: 1.2.3\n  version: 1.2.3\n...\n",
        ),
        (
            "name: a\nversion: &it 0.1.0\nappVersion: *it\n",
            "name: a\nversion: &it 1.2.3\nappVersion: 1.2.3\n",
        ),
        (
            "name: a\r\nversion: 0.1.0\r\nappVersion: x\r\n",
            "name: a\r\nversion: 1.2.3\r\nappVersion: 1.2.3\r\n",
        ),
        ("\u{feff}name: a\nversion: 0.1.0\nappVersion: x\n", "name: a\nversion: 1.2.3\nappVersion: 1.2.3\n"),
        ("name: a\nversion: 1.2.3\nappVersion: 1.2.3\n", "name: a\nversion: 1.2.3\nappVersion: 1.2.3\n"),
    ] {
        let folder = written(&Made::default().with("Chart.yaml", before));
        assert_eq!(Sent::of(folder.path(), &spec("chart")).files()[0].1, after, "{before}");
    }
    // What would be no string is written in quotes, and none at all changes nothing.
    let folder = written(&Made::default().with("Chart.yaml", "name: a\nversion: 0.1.0\n"));
    let of = |version: &str, app: Option<&str>| {
        let declared =
            ChartSpec { version: version.into(), app_version: app.map(str::to_owned), ..spec("chart") };
        Sent::of(folder.path(), &declared).files()[0].1.clone()
    };
    assert_eq!(of("0.1.0", None), "name: a\nversion: 0.1.0\n");
    assert_eq!(
        of("0.0.0-main.4d3f2a1", Some("1234e5")),
        "name: a\nappVersion: \"1234e5\"\nversion: 0.0.0-main.4d3f2a1\n"
    );
    assert_eq!(
        of("1.0.0+build", Some("a: \"b\"")),
        "name: a\nappVersion: \"a: \\\"b\\\"\"\nversion: 1.0.0+build\n"
    );
    let odd = "name: a\nversion: &v 0.1.0\nannotations:\n  again: *v\n";
    assert!(refused_chart(&Made::default().with("Chart.yaml", odd)).contains("cannot be set"));
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_line() {
    let chart = "apiVersion: v3\nname: a/b\nversion: one\ntype: job\nkeywords: x\ndependencies:\n  - name: d\n    alias: a b\n\
                 \x20 - name: d\n    alias: a b\n  -\nmaintainers: [~]\ndeprecated: maybe\nVersion: 2\nhome: [x]\nhome: y\n";
    let told = refused_chart(
        &Made::small("x", "1.0.0")
            .with("Chart.yaml", chart)
            .with("values.yaml", "a: b\n  c: d\n")
            .with("values.schema.json", "{\n  \"type\": }\n"),
    );
    let mut lines: Vec<&str> = told.lines().skip(1).map(|line| line.trim_start_matches("chart/")).collect();
    lines.sort_unstable();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_helm_refuses_is_refused() {
    let small = || Made::small("small", "1.0.0");
    for (chart, told) in [
        (Made::default().with("values.yaml", ""), "chart` has no `Chart.yaml`, so it is no chart"),
        (small().with("Chart.yaml", ""), "chart/Chart.yaml:1:1: Chart.yaml is empty"),
        (
            small().with("Chart.yaml", "- a\n"),
            "chart/Chart.yaml:1:1: `Chart.yaml` of Chart.yaml is a list, not a mapping",
        ),
        (small().with("Chart.yaml", "name: a\n"), "chart/Chart.yaml:1:1: `version` is missing"),
        (
            small().with("Chart.yaml", "name: a\nversion: 1.0.0\nname: b\n"),
            "chart/Chart.yaml:3:1: `name` stands twice",
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
            "chart/.helmignore:2:1: a rule of `.helmignore` cannot be read: Helm knows no `**`",
        ),
        (small().with("charts/README.md", "x"), "chart/charts/README.md` is no chart"),
        (small().with("charts/a.tgz", "no package at all"), "chart/charts/a.tgz` is no gzip file"),
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
        assert!(found.contains(told), "`{told}` is not in\n{found}");
    }
    let folder = written(&small());
    let told = refused(folder.path(), &ChartSpec { version: "latest".into(), ..spec("chart") });
    assert!(told.contains("cannot be published as `latest`"), "{told}");
    assert_eq!(refused(folder.path(), &spec("other")), "chart `other` does not exist");
    let sparse = File::create(folder.path().join("large.tgz")).expect("made");
    sparse.set_len(1 << 40).expect("sized");
    assert!(refused(folder.path(), &spec("large.tgz")).contains("is larger than any chart"));
}

#[test]
fn what_helm_takes_is_taken() {
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
        assert!(check(folder.path(), Path::new(""), "chart", None).iter().all(|found| !found.is_error()));
    }
    let folder = written(&small().with("Chart.yaml", "name: small\nversion: 1.0.0\nown: key\n"));
    let warned = check(folder.path(), Path::new(""), "chart", Some("small"));
    assert_eq!(warned.len(), 1);
    assert_eq!(warned[0].message, "Chart.yaml has no key `own`");
    assert_eq!(name(folder.path(), "chart").as_deref(), Some("small"));
}

#[test]
fn dependencies_must_be_those_of_the_lock() {
    let broker = Made::broker;
    let database = |version: &str| Made::small("postgresql", version).package("postgresql");
    let chart_yaml = String::from_utf8(broker().files["Chart.yaml"].clone()).expect("UTF-8");
    let asked = chart_yaml.replace("~15.5.0", "~15.6.0");
    for (chart, told) in [
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
            "postgresql-15.5.38.tgz` has the version 15.5.37, and `Chart.lock` names 15.5.38",
        ),
        (
            broker().with_bytes("charts/postgresql-15.5.37.tgz", database("15.5.37")),
            "are both the chart `postgresql`",
        ),
        (
            broker().with("Chart.yaml", &chart_yaml.replace("~15.5.0", "newest")),
            "`postgresql` is asked for in the version `newest`, which is none",
        ),
    ] {
        let found = refused_chart(&chart);
        assert!(found.contains(told), "`{told}` is not in\n{found}");
    }
    // Looked at only, what is not fetched yet is no error.
    let folder = written(&broker().without(DATABASE));
    let found = check(folder.path(), Path::new(""), "chart", None);
    assert_eq!(found.len(), 1);
    assert!(!found[0].is_error());
    // A chart that lies there itself needs no lock.
    let local = "name: a\napiVersion: v2\nversion: 1.0.0\ndependencies:\n- name: own\n  version: ^2\n";
    let local = Made::default()
        .with("Chart.yaml", local)
        .with("charts/own/Chart.yaml", "name: own\nversion: 2.1.0\n");
    Sent::of(written(&local).path(), &spec("chart"));
    let other = local.with("charts/own/Chart.yaml", "name: own\nversion: 3.0.0\n");
    assert!(refused_chart(&other).contains("has the version 3.0.0, and `Chart.yaml` asks for `^2`"));
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
fn links_are_followed_but_not_out_of_the_project() {
    let folder = written(&Made::small("small", "1.0.0"));
    let chart = folder.path().join("chart");
    fs::create_dir(folder.path().join("shared")).expect("made");
    fs::write(folder.path().join("shared/a.yaml"), "kind: A\n").expect("written");
    symlink("../../shared", chart.join("templates/shared")).expect("linked");
    symlink("values.yaml", chart.join("copy.yaml")).expect("linked");
    let files = Sent::of(folder.path(), &spec("chart")).files();
    let found = |name: &str| files.iter().find(|(found, _)| found == name).map(|(_, text)| text.as_str());
    assert_eq!(found("small/templates/shared/a.yaml"), Some("kind: A\n"));
    assert_eq!(found("small/copy.yaml"), Some("replicas: 1\n"));
    for (target, told) in [
        ("/etc/hostname", "leads out of the folder"),
        ("/etc", "leads out of the folder"),
        ("nowhere", "is a link that leads nowhere"),
        ("link", "is a link that leads nowhere"),
        (".", "leads in a circle"),
        ("../..", "leads out of the folder"),
    ] {
        symlink(target, chart.join("link")).expect("linked");
        let found = refused(folder.path(), &spec("chart"));
        assert!(found.contains(told), "{target}: {found}");
        fs::remove_file(chart.join("link")).expect("removed");
    }
    let pipe = std::process::Command::new("mkfifo").arg(chart.join("pipe")).status().expect("mkfifo runs");
    assert!(pipe.success());
    assert!(refused(folder.path(), &spec("chart")).contains("is no regular file"));
    fs::write(chart.join(".helmignore"), "pipe\n").expect("written");
    Sent::of(folder.path(), &spec("chart"));
}

#[test]
fn a_package_is_published_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let package = Made::broker()
        .with("Chart.yaml", "apiVersion: v2\nname: b\nversion: 1.2.3\nappVersion: \"1.2.3\"\n")
        .package("b");
    fs::write(folder.path().join("b-1.2.3.tgz"), &package).expect("written");
    let declared = spec("b-1.2.3.tgz");
    let sent = Sent::of(folder.path(), &declared);
    assert_eq!(sent.blob(manifest::CONTENT), package);
    assert!(check(folder.path(), Path::new(""), "b-1.2.3.tgz", Some("b")).is_empty());
    let told = refused(
        folder.path(),
        &ChartSpec { version: "1.2.4".into(), app_version: Some("2".into()), ..declared.clone() },
    );
    assert!(told.contains("b-1.2.3.tgz/b/Chart.yaml:3:10: the package has the `version` `1.2.3`, and `1.2.4` is to be published"), "{told}");
    assert!(told.contains("the `appVersion` `1.2.3`, and `2`"), "{told}");

    let digest = Digest::of(&package);
    let proof = |name: &str, digest: &str| {
        format!(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\napiVersion: v2\nname: b\nsources:\n- - https://x\n\n...\nfiles:\n  {name}: {digest}\n-----BEGIN PGP SIGNATURE-----\n\nwsBc\n-----END PGP SIGNATURE-----\n"
        )
    };
    let beside = folder.path().join("b-1.2.3.tgz.prov");
    let good = proof("b-1.2.3.tgz", digest.as_str());
    for (text, told) in [
        (proof("b-1.2.3.tgz", Digest::of(b"x").as_str()), "is of another package"),
        (proof("c-1.2.3.tgz", digest.as_str()), "does not list `b-1.2.3.tgz`"),
        ("hello".to_owned(), "is no signed text"),
        (good.replace("...", ""), "lists no files"),
        (good.replace("files:", "files: ["), "cannot be read"),
    ] {
        fs::write(&beside, text).expect("written");
        let found = refused(folder.path(), &declared);
        assert!(found.contains(told), "{found}");
    }
    fs::write(&beside, &good).expect("written");
    let proven = Sent::of(folder.path(), &declared);
    assert_eq!(proven.blob(manifest::PROVENANCE), good.as_bytes());
    assert_eq!(proven.content.blobs.len(), 3);
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn hostile_packages_are_refused_by_name() {
    let chart = b"name: a\nversion: 1.2.3\n".as_slice();
    let made = |build: &dyn Fn(&mut tar::Builder<Vec<u8>>)| {
        let mut tar = tar::Builder::new(Vec::new());
        entry(&mut tar, "a/Chart.yaml", chart);
        build(&mut tar);
        gzip(&tar.into_inner().expect("a tar file"))
    };
    let file = |name: &'static str| made(&move |tar| entry(tar, name, b"x"));
    let special = |kind: tar::EntryType| {
        made(&move |tar| {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_path("a/x").expect("a path");
            header.set_link_name("/etc/passwd").expect("a link");
            header.set_size(0);
            header.set_cksum();
            tar.append(&header, std::io::empty()).expect("appended");
        })
    };
    let long = made(&|tar| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::GNULongName);
        header.set_size(2 << 20);
        header.set_cksum();
        tar.append(&header, std::io::repeat(b'x').take(2 << 20)).expect("appended");
    });
    let declared_large = made(&|tar| {
        let mut header = tar::Header::new_gnu();
        header.set_path("a/x").expect("a path");
        header.set_size(u64::MAX >> 2);
        header.set_cksum();
        tar.append(&header, b"x".as_slice()).expect("appended");
    });
    let many = made(&|tar| {
        for number in 0..30 {
            entry(tar, &format!("a/{number}"), &vec![0; 4 << 20]);
        }
    });
    let mut bomb = gzip(&vec![0; 1 << 20]);
    // Members one after the other, which gzip reads as one: a gigabyte of zeros after the end of the tar file.
    let member = bomb.clone();
    let mut zeros = made(&|_| {});
    for _ in 0..1024 {
        zeros.extend_from_slice(&member);
    }
    bomb.truncate(100);
    let cut = |length: usize| file("a/values.yaml")[..length].to_vec();
    for (package, told) in [
        (file("../x"), "`../x`, which has `..` in its path"),
        (file("a/../../x"), "which has `..` in its path"),
        (file("/etc/x"), "which has an absolute path"),
        (file("a\\..\\x"), "which has a backslash in its name"),
        (file("c:/x"), "which has a name that is a drive"),
        (file("Chart.yaml"), "which lies outside the chart's directory"),
        (file("b/x"), "which lies outside the directory `a`"),
        (file("a/Chart.yaml"), "holds `a/Chart.yaml` twice"),
        (file("a//Chart.yaml"), "twice"),
        (file("./a/x"), "it must not begin with `./`"),
        (special(tar::EntryType::Symlink), "which is a link"),
        (special(tar::EntryType::Link), "which is a link"),
        (special(tar::EntryType::Char), "which is no regular file"),
        (special(tar::EntryType::Fifo), "which is no regular file"),
        (special(tar::EntryType::GNUSparse), "which is a sparse file"),
        (long, "a name or extended header of more than 1 MiB"),
        (declared_large, "is cut off"),
        (many, "larger than 100 MiB"),
        (zeros, "unpacks to more than 100 MiB"),
        (cut(20), "is cut off"),
        (cut(60), "is cut off"),
        (Vec::new(), "is cut off"),
        (b"not a package at all".to_vec(), "is no gzip file"),
        (gzip(&[b'x'; 1024]), "is no tar file inside"),
        (gzip(&[0; 1024]), "holds no files"),
        (gzip(b""), "holds no files"),
        (Made::default().with("values.yaml", "").package("a"), "has no `Chart.yaml`"),
        (Made::default().with("Chart.yaml", "name: a\n").package("a"), "`version` is missing"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a.tgz"), package).expect("written");
        let found = refused(folder.path(), &ChartSpec { app_version: None, ..spec("a.tgz") });
        assert!(found.contains(told), "`{told}` is not in\n{found}");
        // The same under `charts/`.
        let inner = Made::small("outer", "1.0.0")
            .with_bytes("charts/a.tgz", fs::read(folder.path().join("a.tgz")).expect("read"));
        if inner.files["charts/a.tgz"].len() < 5 << 20 {
            let found = refused_chart(&inner);
            assert!(found.contains(told), "`{told}` is not in\n{found}");
        }
    }
    // Members one after the other, and long names, are read as everybody reads them.
    let folder = tempfile::tempdir().expect("a folder");
    let mut tar = tar::Builder::new(Vec::new());
    let long = format!("a/templates/{}.yaml", "long/".repeat(40));
    for (name, bytes) in [("a/Chart.yaml", chart), (long.as_str(), b"x".as_slice())] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes).expect("appended");
    }
    let tar = tar.into_inner().expect("a tar file");
    fs::write(folder.path().join("a.tgz"), [gzip(&tar[..700]), gzip(&tar[700..])].concat()).expect("written");
    let (source, _) = open_in(folder.path(), &ChartSpec { app_version: None, ..spec("a.tgz") })
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(source.root().is_ok());
}

#[test]
fn hostile_yaml_is_refused_in_no_time() {
    let start = std::time::Instant::now();
    let mut aliases = "a0: &a0 [x]\n".to_owned();
    for number in 1..60 {
        let before = format!("*a{},", number - 1).repeat(9);
        aliases.push_str(&format!("a{number}: &a{number} [{before}]\n"));
    }
    let keys: String = (0..9_000).map(|number| format!("k{number}: v,")).collect();
    let bomb = |rest: &str| format!("name: a\nversion: 1.0.0\n{aliases}{rest}");
    for text in [
        bomb("dependencies:\n- name: d\n  version: 1.0.0\n  import-values: *a59\n"),
        bomb("keywords: *a59\n"),
        bomb("annotations: {a: *a59}\n"),
        format!("name: a\nversion: 1.0.0\nx: {}\n", "[".repeat(100_000)),
        format!("name: a\nversion: 1.0.0\nx: {}\n", "{a: ".repeat(100_000)),
        format!("name: a\nversion: 1.0.0\nx: [{}]\n", "a,".repeat(100_000)),
        format!("name: a\nversion: 1.0.0\n{}", "- ".repeat(100_000)),
        "x".repeat(2 << 20),
        format!(
            "a: &a {}\nkeywords: [{}]\nname: a\nversion: 1.0.0\n",
            "x".repeat(500_000),
            "*a,".repeat(40_000)
        ),
        format!("a: &a {{{}}}\nmaintainers: [{}]\nname: a\nversion: 1.0.0\n", keys, "*a,".repeat(20_000)),
        format!(
            "a: &a {{{}}}\nb: &b {{<<: [{}]}}\nmaintainers: [{}]\nname: a\nversion: 1.0.0\n",
            keys,
            "*a,".repeat(9_000),
            "*b,".repeat(9_000)
        ),
        format!("a: &a {{{}}}\n<<: [{}]\nname: a\nversion: 1.0.0\n", keys, "*a,".repeat(20_000)),
    ] {
        refused_chart(&Made::default().with("Chart.yaml", &text));
    }
    // Values are read once and never expanded.
    let folder = written(&Made::small("a", "1.0.0").with("values.yaml", &aliases));
    Sent::of(folder.path(), &spec("chart"));
    assert!(start.elapsed().as_secs() < 20);
}

#[test]
fn large_charts_are_packaged_and_read_from_any_position() {
    // More than is held in memory, and nothing that compresses well.
    let mut chart = Made::small("large", "1.0.0");
    let mut state = 1_u64;
    for number in 0..6 {
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        });
        chart = chart.with_bytes(&format!("files/{number}"), noise.take(3 << 20).collect());
    }
    let folder = written(&chart);
    let sent = Sent::of(folder.path(), &spec("chart"));
    let once = sent.blob(manifest::CONTENT);
    assert!(once.len() > 16 << 20);
    assert_eq!(sent.blob(manifest::CONTENT), once);
}
