//! Runs the functions of the fuzz targets on the inputs that fuzzing kept (`tests/fuzz/corpus`): none panics, and none hangs.
//!
//! Fuzzing starts from the seeds. `BROKKR_PUBLISH_WRITE_SEEDS=1` writes them again. CONTRIBUTING.md says how to run the fuzz
//! targets.

use crate::entry;
use std::fs;
use std::path::{Path, PathBuf};
use testkit::raw_tar;

use serde_json::json;
use testkit::image::{TestImage, TestLayer, files_of, sha256};

/// The greatest size of the whole corpus, in bytes: it is in every clone.
const ROOM: u64 = 200 * 1024;

type Target = (&'static str, fn(&[u8]) -> bool);

const TARGETS: [Target; 5] = [
    ("archive", entry::archive),
    ("chart", entry::chart),
    ("docker_archive", entry::docker_archive),
    ("layout", entry::layout),
    ("manifest", entry::manifest),
];

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target)
}

#[test]
fn what_was_kept_is_read_or_refused() {
    let mut room = 0;
    for (target, run) in TARGETS {
        let mut files: Vec<PathBuf> =
            fs::read_dir(corpus(target)).expect(target).map(|file| file.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 10, "{target}: only {} files are kept", files.len());
        for file in files {
            let bytes = fs::read(&file).unwrap();
            room += bytes.len() as u64;
            let _taken = run(&bytes);
        }
    }
    assert!(room <= ROOM, "{room} bytes");
}

/// Fuzzing finds nothing if readers refuse the seeds at their first byte.
#[test]
fn what_fuzzing_starts_from_is_taken() {
    for (target, run) in TARGETS {
        for (number, seed) in seeds(target).iter().enumerate() {
            assert!(run(seed), "{target}: {number}");
            if std::env::var_os("BROKKR_PUBLISH_WRITE_SEEDS").is_some() {
                fs::create_dir_all(corpus(target)).unwrap();
                fs::write(corpus(target).join(format!("seed-{number}")), seed).unwrap();
            }
        }
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "archive" => archives(),
        "chart" => charts(),
        "docker_archive" => docker_archives(),
        "layout" => layouts(),
        _ => manifests(),
    }
}

fn archives() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let _written = TestImage::new()
        .platform("linux/amd64", vec![TestLayer::files(&[("hello", b"hello")])])
        .single()
        .reference("v1")
        .write(folder.path());
    let files = files_of(folder.path());
    let plain = files.iter().flat_map(|(name, bytes)| raw_tar::file(&format!("./{name}"), bytes));
    let pax = files.iter().flat_map(|(name, bytes)| {
        let size = bytes.len().to_string();
        [raw_tar::pax(&[("path", name), ("size", &size)], b'x'), raw_tar::file("x", bytes)].concat()
    });
    let gnu = files.iter().flat_map(|(name, bytes)| {
        [raw_tar::entry("././@LongLink", format!("{name}\0").as_bytes(), b'L'), raw_tar::file("x", bytes)]
            .concat()
    });
    let others = [raw_tar::link("a", "b", b'2'), raw_tar::entry("blobs/", b"", b'5')].concat();
    [plain.collect::<Vec<_>>(), pax.collect(), gnu.collect()]
        .into_iter()
        .map(|entries| [others.clone(), entries, raw_tar::end()].concat())
        .collect()
}

fn docker_archives() -> Vec<Vec<u8>> {
    let layer = [raw_tar::file("hello", b"hello"), raw_tar::end()].concat();
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [sha256(&layer)] },
    });
    let config = config.to_string();
    let digest = sha256(config.as_bytes()).replace("sha256:", "");
    let of = |config_name: &str, layer_name: &str, more: Vec<u8>| {
        let manifest = json!([{ "Config": config_name, "RepoTags": ["hello:v1"], "Layers": [layer_name] }]);
        [
            raw_tar::file(config_name, config.as_bytes()),
            more,
            raw_tar::file("manifest.json", manifest.to_string().as_bytes()),
            raw_tar::end(),
        ]
        .concat()
    };
    let old = of(&format!("{digest}.json"), "1/layer.tar", raw_tar::file("1/layer.tar", &layer));
    let linked =
        [raw_tar::file("1/layer.tar", &layer), raw_tar::link("2/layer.tar", "../1/layer.tar", b'2')].concat();
    let linked = of(&format!("{digest}.json"), "2/layer.tar", linked);
    let name = format!("blobs/sha256/{}", sha256(&layer).replace("sha256:", ""));
    let new = of(&format!("blobs/sha256/{digest}"), &name, raw_tar::file(&name, &layer));
    vec![old, linked, new]
}

fn layouts() -> Vec<Vec<u8>> {
    const IMAGE: [&str; 3] = [
        "layer",
        r#"{"architecture":"amd64","os":"linux","config":{"Labels":{"a":"b"}},"rootfs":{"type":"layers","diff_ids":["@D0"]}}"#,
        r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"@D1","size":@S1},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"@D0","size":@S0}],"annotations":{"a":"b"}}"#,
    ];
    const SINGLE: &str = r#"{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"@D2","size":@S2,"annotations":{"org.opencontainers.image.ref.name":"v1"}}]}"#;
    const INDEX: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"@D2","size":@S2,"platform":{"architecture":"amd64","os":"linux"}},{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"@D2","size":@S2}]}"#;
    const NESTED: &str = r#"{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"@D3","size":@S3}]}"#;
    let image = IMAGE.map(|text| (2, text.as_bytes()));
    let single = [&image[..], &[(0, SINGLE.as_bytes())]].concat();
    let index = [&image[..], &[(2, INDEX.as_bytes()), (0, NESTED.as_bytes())]].concat();
    vec![entry::input(&single), entry::input(&index)]
}

fn manifests() -> Vec<Vec<u8>> {
    let digest = sha256(b"");
    let blob = json!({ "mediaType": "x", "digest": digest, "size": 1, "urls": ["https://example.com"], "annotations": { "a": "b" } });
    let platform = json!({ "os": "windows", "architecture": "amd64", "variant": "v1", "os.version": "10", "os.features": ["a"] });
    let mut entry = blob.clone();
    entry["platform"] = platform;
    let index =
        json!({ "schemaVersion": 2, "manifests": [entry], "annotations": { "a": "b" }, "subject": blob });
    let image =
        json!({ "schemaVersion": 2, "config": blob, "layers": [blob], "annotations": {}, "subject": blob });
    let config = json!({ "os": "linux", "architecture": "arm", "variant": "v7", "rootfs": { "type": "layers", "diff_ids": [digest] } });
    [
        (0, index.to_string()),
        (1, image.to_string()),
        (2, index.to_string()),
        (3, image.to_string()),
        (1, config.to_string()),
    ]
    .into_iter()
    .map(|(kind, text)| [&[kind], text.as_bytes()].concat())
    .collect()
}

fn charts() -> Vec<Vec<u8>> {
    const CHART: &[u8] = b"apiVersion: v2\nname: x\nversion: 1.2.3\ndescription: \"d\"\ntype: application\nmaintainers:\n  - name: a\n    email: a@example.com\n";
    const VALUES: &[u8] = b"image:\n  tag: v1\n";
    const TEMPLATE: &[u8] = b"kind: Service\nmetadata: {name: {{ .Release.Name }}}\n";
    let pieces = entry::input(&[(0, CHART), (1, VALUES), (3, b"*.bak\n"), (6, TEMPLATE)]);
    let directory = [&[0], &pieces[..]].concat();
    let tar = [
        raw_tar::file("x/Chart.yaml", CHART),
        raw_tar::file("x/values.yaml", VALUES),
        raw_tar::file("x/templates/a.yaml", TEMPLATE),
        raw_tar::end(),
    ];
    vec![directory, [&[1], &tar.concat()[..]].concat()]
}
