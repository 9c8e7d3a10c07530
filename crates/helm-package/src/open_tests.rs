//! Charts as sources: packaging, annotations, and refusals.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::check::{chart_name, check_chart};
use crate::finding::ChartFinding;
use oci_content::{Content, walk};
use testkit::chart::{DATABASE, TestChart as Made, entry, gzip};

#[path = "open_checks_tests.rs"]
mod checks;
#[path = "open_hostile_tests.rs"]
mod hostile;

const COMMIT_TIME: i64 = 1_700_000_000;

fn spec(path: &str) -> ChartSpec {
    ChartSpec {
        path: path.to_owned(),
        name: String::new(),
        version: "1.2.3".to_owned(),
        app_version: Some("1.2.3".to_owned()),
        images: Vec::new(),
        annotations: BTreeMap::new(),
        created: Some(COMMIT_TIME),
    }
}

/// The findings about a chart that can be read.
fn checked(folder: &Path, shown: &Path, path: &str, wanted: Option<&str>) -> Vec<ChartFinding> {
    check_chart(folder, shown, path, wanted, false, &[]).unwrap_or_else(|error| panic!("{error}")).findings
}

fn written(chart: &Made) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    chart.write(&folder.path().join("chart"));
    folder
}

/// Opens a chart. If the declaration gives no name, it gets the right one.
fn open_in(folder: &Path, spec: &ChartSpec) -> Result<OpenedChart, ChartError> {
    let own = || chart_name(folder, &spec.path).unwrap_or_default();
    let called = if spec.name.is_empty() { own() } else { spec.name.clone() };
    open(&ChartSpec { name: called, ..spec.clone() }, &Surroundings::local(folder))
}

#[test]
fn a_chart_must_have_the_name_of_its_repository() {
    let folder = written(&Made::agent());
    let refusal = refused(folder.path(), &ChartSpec { name: "agent".into(), ..spec("chart") });
    assert_eq!(
        refusal,
        "chart/Chart.yaml:2:7: the chart is called `brokkr-agent`, but its repository ends in `agent`"
    );
    assert!(checked(folder.path(), Path::new(""), "chart", Some("agent")).iter().any(ChartFinding::is_error));
    fs::write(folder.path().join("a.tgz"), Made::small("b", "1.2.3").package("b")).expect("written");
    let refusal = refused(folder.path(), &ChartSpec { name: "a".into(), app_version: None, ..spec("a.tgz") });
    assert!(refusal.ends_with("the chart is called `b`, but its repository ends in `a`"), "{refusal}");
}

/// The content that is sent for a chart.
struct Sent {
    content: Content,
    source: Arc<dyn Source>,
}

impl Sent {
    fn of(folder: &Path, spec: &ChartSpec) -> Self {
        let OpenedChart { source, .. } = open_in(folder, spec).unwrap_or_else(|error| panic!("{error}"));
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

    /// Returns the files of the package: name and text, in order.
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

/// Returns the error of a chart that must not be published.
fn refused(folder: &Path, spec: &ChartSpec) -> String {
    let Err(error) = open_in(folder, spec) else { panic!("it is published") };
    if let ChartError::Invalid { findings, .. } = &error {
        assert!(findings.iter().all(|it| it.is_error() && !it.help.is_empty()), "{error}");
    }
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
    // The author's file, except for two values.
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
    assert!(checked(folder.path(), Path::new(""), "chart", Some("brokkr-broker")).is_empty());
}

#[test]
fn the_bytes_of_a_package_are_stable() {
    // A new version of the compression library, or a change of the layout, gives every chart another digest. Such a change must be
    // noticed before it is published.
    let folder = written(&Made::broker());
    let digest = Sent::of(folder.path(), &spec("chart")).content.root.digest.to_string();
    assert_eq!(digest, "sha256:f08766708c84048b2d11de881908ad77c28c0ca891f401fbc077df0ee7d0c3c5");
}

#[test]
fn annotations_of_the_declaration_win_and_an_unknown_time_is_left_out() {
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
    let OpenedChart { source, spec, .. } =
        open(&declared, &surroundings).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(spec, named);
    let again = Sent::of(folder.path(), &spec);
    assert_eq!(source.root().expect("a root"), again.content.root);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A package does not depend on the order in which files were made, on their times and modes, or on where they are.
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

    /// A chart is packaged or refused, whatever its files contain.
    #[test]
    fn any_text_is_packaged_or_refused(text in "[a-z:{}\\[\\]&*!|>\"' \n#<0-9.-]{0,60}", file in 0_usize..4) {
        let name = ["Chart.yaml", "Chart.lock", "values.yaml", ".helmignore"][file];
        let folder = written(&Made::broker().with(name, &text));
        let _ = open_in(folder.path(), &spec("chart"));
        let _ = checked(folder.path(), Path::new(""), "chart", None);
    }

    /// A package that is cut off or has a changed byte is refused, or has the same content: a few bits of a gzip file have no meaning.
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
fn versions_are_set_in_place() {
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
    // A value that would not be a string is written in quotes, and no value changes nothing.
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
    for (target, expected) in [
        ("/etc/hostname", "leads out of the folder"),
        ("/etc", "leads out of the folder"),
        ("nowhere", "is a broken link"),
        ("link", "is a broken link"),
        (".", "leads in a circle"),
        ("../..", "leads out of the folder"),
    ] {
        symlink(target, chart.join("link")).expect("linked");
        let found = refused(folder.path(), &spec("chart"));
        assert!(found.contains(expected), "{target}: {found}");
        fs::remove_file(chart.join("link")).expect("removed");
    }
    let pipe = std::process::Command::new("mkfifo").arg(chart.join("pipe")).status().expect("mkfifo runs");
    assert!(pipe.success());
    assert!(refused(folder.path(), &spec("chart")).contains("is not a regular file"));
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
    assert!(checked(folder.path(), Path::new(""), "b-1.2.3.tgz", Some("b")).is_empty());
    let refusal = refused(
        folder.path(),
        &ChartSpec { version: "1.2.4".into(), app_version: Some("2".into()), ..declared.clone() },
    );
    assert!(refusal.contains("b-1.2.3.tgz/b/Chart.yaml:3:10: the package has the `version` `1.2.3`, but `1.2.4` is to be published"), "{refusal}");
    assert!(refusal.contains("the `appVersion` `1.2.3`, but `2`"), "{refusal}");

    let digest = Digest::of(&package);
    let proof = |name: &str, digest: &str| {
        format!(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\napiVersion: v2\nname: b\nsources:\n- - https://x\n\n...\nfiles:\n  {name}: {digest}\n-----BEGIN PGP SIGNATURE-----\n\nwsBc\n-----END PGP SIGNATURE-----\n"
        )
    };
    let beside = folder.path().join("b-1.2.3.tgz.prov");
    let good = proof("b-1.2.3.tgz", digest.as_str());
    for (text, expected) in [
        (proof("b-1.2.3.tgz", Digest::of(b"x").as_str()), "is for another package"),
        (proof("c-1.2.3.tgz", digest.as_str()), "does not list `b-1.2.3.tgz`"),
        ("hello".to_owned(), "is not signed"),
        (good.replace("...", ""), "lists no files"),
        (good.replace("files:", "files: ["), "cannot be read"),
    ] {
        fs::write(&beside, text).expect("written");
        let found = refused(folder.path(), &declared);
        assert!(found.contains(expected), "{found}");
    }
    fs::write(&beside, &good).expect("written");
    let proven = Sent::of(folder.path(), &declared);
    assert_eq!(proven.blob(manifest::PROVENANCE), good.as_bytes());
    assert_eq!(proven.content.blobs.len(), 3);
}
