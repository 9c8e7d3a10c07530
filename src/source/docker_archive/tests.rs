//! Docker archives as each tool writes them, and as nobody should.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::fixture::{OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST, describe, noise, sha256};
use super::super::{Content, Source, Surroundings, open, walk};
use super::*;
use crate::model::SourceSpec;

/// The files of an archive, in their order.
#[derive(Default, Clone)]
struct Tar(Vec<u8>);

impl Tar {
    fn entry(mut self, name: &str, kind: tar::EntryType, link: &str, contents: &[u8]) -> Self {
        let mut header = tar::Header::new_gnu();
        let bytes = header.as_mut_bytes();
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        bytes[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(contents);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, contents: &[u8]) -> Self {
        self.entry(name, tar::EntryType::Regular, "", contents)
    }

    fn symbolic(self, name: &str, target: &str) -> Self {
        self.entry(name, tar::EntryType::Symlink, target, b"")
    }

    fn hard(self, name: &str, target: &str) -> Self {
        self.entry(name, tar::EntryType::Link, target, b"")
    }

    fn write(mut self, path: &Path) {
        self.0.extend([0; 1024]);
        fs::write(path, self.0).expect("written");
    }
}

/// A tar with one file, which is what layers are.
fn layer(text: &str) -> Vec<u8> {
    let mut tar = Tar::default().file("text", text.as_bytes()).0;
    tar.extend([0; 1024]);
    tar
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("compressed");
    encoder.finish().expect("compressed")
}

fn config(layers: &[&[u8]]) -> Vec<u8> {
    let diff_ids: Vec<String> = layers.iter().map(|layer| sha256(layer)).collect();
    let config = json!({ "architecture": "arm64", "os": "linux", "config": { "Healthcheck": { "Test": ["NONE"] } },
        "rootfs": { "type": "layers", "diff_ids": diff_ids } });
    serde_json::to_vec(&config).expect("JSON")
}

fn hex_of(bytes: &[u8]) -> String {
    sha256(bytes).trim_start_matches("sha256:").to_owned()
}

fn manifest(config: &str, names: &[&str], layers: &[&str]) -> Vec<u8> {
    serde_json::to_vec(&json!([{ "Config": config, "RepoTags": names, "Layers": layers }])).expect("JSON")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn opened(folder: &TempDir, source: &str) -> Result<(Arc<dyn Source>, Content), SourceError> {
    let spec = SourceSpec::One(source.parse().expect("a source"));
    let source = open(&spec, &Surroundings::local(folder.path()))?.source;
    let content = walk(source.as_ref())?;
    Ok((source, content))
}

fn content(folder: &TempDir, source: &str) -> Content {
    let (source, content) = opened(folder, source).unwrap_or_else(|error| panic!("{source}: {error}"));
    for blob in &content.blobs {
        assert_eq!(Digest::of(&read(source.as_ref(), blob)), blob.digest);
    }
    content
}

fn read(source: &dyn Source, blob: &Descriptor) -> Vec<u8> {
    let mut bytes = Vec::new();
    source.open(blob).expect("opened").read_to_end(&mut bytes).expect("verified");
    bytes
}

/// The code and the message that people see.
fn refused(folder: &TempDir, source: &str) -> String {
    let Err(error) = opened(folder, source) else { panic!("`{source}` was taken") };
    let diagnostic = error.to_diagnostic();
    assert!(diagnostic.help.is_some_and(|help| !help.is_empty()), "no way out of: {}", diagnostic.message);
    let text = format!("{}: {}", diagnostic.code, diagnostic.message);
    text.replace(&folder.path().display().to_string(), "/F")
}

/// The older format, one layer in a file and another by a link.
fn older(first: &[u8], second: &[u8]) -> Tar {
    let config = config(&[first, second]);
    let name = format!("{}.json", hex_of(&config));
    Tar::default()
        .entry("aa/", tar::EntryType::Directory, "", b"")
        .file("aa/VERSION", b"1.0")
        .file("aa/layer.tar", first)
        .file("bb.tar", second)
        .symbolic("bb/layer.tar", "../bb.tar")
        .file(&name, &config)
        .file("manifest.json", &manifest(&name, &["app:v1"], &["aa/layer.tar", "bb/layer.tar"]))
}

#[test]
fn the_same_bytes_on_every_run() {
    let folder = folder();
    // Long enough that the compressor's choices show.
    let text: Vec<String> = noise(1, 200_000).chunks(7).map(hex::encode).collect();
    let (one, two) = (layer("one"), layer(&text.join(" ")));
    older(&one, &two).write(&folder.path().join("a.tar"));
    let content = content(&folder, "docker-archive:a.tar");
    // These change with the compressor alone. Where they do, layers that are published already are sent again under other
    // digests, and immutable tags that are built again conflict: say so in the changelog.
    assert_eq!(
        content.root.digest.as_str(),
        "sha256:c90f9a64d4ac687f13b12884baba1f4958756085908e50df578a557d03e87243"
    );
    let raw: Value = serde_json::from_slice(content.manifests[0].bytes()).expect("JSON");
    assert_eq!(raw["mediaType"], OCI_MANIFEST);
    assert_eq!(raw["config"]["digest"], sha256(&config(&[&one, &two])));
    assert_eq!(raw["layers"][0]["mediaType"], OCI_LAYER_GZIP);
    assert_eq!(content.platforms.iter().map(ToString::to_string).collect::<Vec<_>>(), ["linux/arm64"]);
}

#[test]
fn large_layers_compress_the_same_however_they_are_read() {
    let tar = layer(&"All work and no play makes Jack a dull boy. ".repeat(100_000));
    let folder = folder();
    let mut digests = Vec::new();
    for padding in [0, 1, 4095, 70_000] {
        // Elsewhere in the file, so that reads of it fall otherwise; another diff id beside it, so that nothing is remembered.
        let other = layer(&format!("padding {padding}"));
        let config = config(&[&tar, &other]);
        let tar = Tar::default()
            .file("padding", &vec![0; padding])
            .file("1.tar", &tar)
            .file("2.tar", &other)
            .file("c", &config)
            .file("manifest.json", &manifest("c", &[], &["1.tar", "2.tar"]));
        tar.write(&folder.path().join("a.tar"));
        let content = content(&folder, "docker-archive:a.tar");
        digests.push(content.blobs[1].digest.clone());
    }
    digests.dedup();
    assert_eq!(digests.len(), 1);
}

#[test]
fn a_layer_that_is_there_twice_is_one_blob() {
    let folder = folder();
    let (one, empty) = (layer("twice"), vec![0; 1024]);
    let config = config(&[&one, &empty, &one, &empty, b""]);
    Tar::default()
        .file("1/layer.tar", &one)
        .hard("3/layer.tar", "1/layer.tar")
        .file("2/layer.tar", &empty)
        .symbolic("4/layer.tar", "./../2/layer.tar")
        .file("5/layer.tar", b"")
        .file("config", &config)
        .file(
            "manifest.json",
            &manifest(
                "config",
                &[],
                &["1/layer.tar", "2/layer.tar", "3/layer.tar", "4/layer.tar", "5/layer.tar"],
            ),
        )
        .write(&folder.path().join("a.tar"));
    let content = content(&folder, "docker-archive:a.tar");
    assert_eq!(content.blobs.len(), 4, "configuration and three layers");
    let raw: Value = serde_json::from_slice(content.manifests[0].bytes()).expect("JSON");
    let layers = raw["layers"].as_array().expect("layers");
    assert_eq!(layers.len(), 5);
    assert!(layers[0] == layers[2] && layers[1] == layers[3]);
}

#[test]
fn an_image_without_layers() {
    let folder = folder();
    Tar::default()
        .file(
            "config",
            br#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":null}}"#,
        )
        .file("manifest.json", br#"[{"Config":"config","RepoTags":null,"Layers":null}]"#)
        .write(&folder.path().join("a.tar"));
    assert_eq!(content(&folder, "docker-archive:a.tar").blobs.len(), 1);
}

/// What Docker 25 and newer write: a layout with `manifest.json`. `compressed` as the layers lie in it.
fn newer(tars: &[&[u8]], compressed: &[Vec<u8>], layer_type: &str) -> (Tar, Vec<u8>) {
    let config = config(tars);
    let blob = |bytes: &[u8]| format!("blobs/sha256/{}", hex_of(bytes));
    let layers: Vec<Value> = compressed.iter().map(|bytes| describe(layer_type, bytes)).collect();
    let image = serde_json::to_vec_pretty(&json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": describe("application/vnd.oci.image.config.v1+json", &config), "layers": layers,
        "annotations": { "builder": "somebody" } }))
    .expect("JSON");
    let absent = json!({ "mediaType": OCI_MANIFEST, "digest": sha256(b"not here"), "size": 8 });
    let inner = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX,
        "manifests": [absent, describe(OCI_MANIFEST, &image)] });
    let inner = serde_json::to_vec(&inner).expect("JSON");
    let index = json!({ "schemaVersion": 2, "manifests": [describe(OCI_INDEX, &inner)] });
    let names: Vec<String> = compressed.iter().map(|bytes| blob(bytes)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut tar = Tar::default()
        .file(&blob(&config), &config)
        .file(&blob(&image), &image)
        .file(&blob(&inner), &inner)
        .file("index.json", &serde_json::to_vec(&index).expect("JSON"))
        .file("manifest.json", &manifest(&blob(&config), &["app:v1"], &names))
        .file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
    for (name, bytes) in names.iter().zip(compressed) {
        tar = tar.file(name, bytes);
    }
    (tar, image)
}

#[test]
fn a_layout_whose_layers_are_compressed_keeps_its_manifest() {
    let folder = folder();
    let tars = [layer("one"), layer("two")];
    let tars: Vec<&[u8]> = tars.iter().map(Vec::as_slice).collect();
    let gzipped: Vec<Vec<u8>> = tars.iter().map(|tar| gzip(tar)).collect();
    let (tar, image) = newer(&tars, &gzipped, OCI_LAYER_GZIP);
    tar.write(&folder.path().join("a.tar"));
    let gzipped = content(&folder, "docker-archive:a.tar");
    assert_eq!(gzipped.manifests[0].bytes(), image);
    let zstd: Vec<Vec<u8>> =
        tars.iter().map(|tar| zstd::stream::encode_all(*tar, 3).expect("compressed")).collect();
    let (tar, image) = newer(&tars, &zstd, "application/vnd.oci.image.layer.v1.tar+zstd");
    tar.write(&folder.path().join("a.tar"));
    assert_eq!(content(&folder, "docker-archive:a.tar").manifests[0].bytes(), image);
    // Layers that are not compressed are, and then another manifest describes them.
    let plain: Vec<Vec<u8>> = tars.iter().map(|tar| tar.to_vec()).collect();
    let (tar, image) = newer(&tars, &plain, "application/vnd.oci.image.layer.v1.tar");
    tar.write(&folder.path().join("a.tar"));
    let plain = content(&folder, "docker-archive:a.tar:app:v1");
    assert_ne!(plain.manifests[0].bytes(), image);
    older(tars[0], tars[1]).write(&folder.path().join("older.tar"));
    assert_eq!(plain.root, content(&folder, "docker-archive:older.tar").root, "one image, in both formats");
}

#[test]
fn compressed_layers_without_a_manifest_keep_their_bytes() {
    let folder = folder();
    let (one, two) = (layer("one"), layer("two"));
    let zstd = zstd::stream::encode_all(two.as_slice(), 3).expect("compressed");
    let config = config(&[&one, &two]);
    // As crane and Jib write it; the gzip of several members.
    let gzipped = [gzip(&one[..100]), gzip(&one[100..])].concat();
    let name = format!("sha256:{}", hex_of(&config));
    Tar::default()
        .file("1.tar.gz", &gzipped)
        .file("2.tar.zst", &zstd)
        .file(&name, &config)
        .file("manifest.json", &manifest(&name, &[], &["1.tar.gz", "2.tar.zst"]))
        .write(&folder.path().join("a.tar"));
    let content = content(&folder, "docker-archive:a.tar");
    let raw: Value = serde_json::from_slice(content.manifests[0].bytes()).expect("JSON");
    assert_eq!(raw["layers"][0], describe(OCI_LAYER_GZIP, &gzipped));
    assert_eq!(raw["layers"][1], describe("application/vnd.oci.image.layer.v1.tar+zstd", &zstd));
}

/// An archive of one layer, from its file and its configuration's diff id.
fn single(layer: &[u8], diff_id: &str) -> Tar {
    let config = json!({ "rootfs": { "diff_ids": [diff_id] } }).to_string();
    Tar::default()
        .file("l", layer)
        .file("c", config.as_bytes())
        .file("manifest.json", &manifest("c", &[], &["l"]))
}

#[test]
fn content_that_is_not_what_it_says() {
    let folder = folder();
    let good = layer("good");
    let id = sha256(&good);
    let named = |name: &str, config: &[u8], layers: &[&str]| {
        Tar::default().file("l", &good).file(name, config).file("manifest.json", &manifest(name, &[], layers))
    };
    let right = config(&[&good]);
    let other_name = format!("{}.json", hex_of(b"other"));
    let mut broken = gzip(&good);
    let middle = broken.len() / 2;
    broken[middle] ^= 0xff;
    let half = gzip(&good)[..30].to_vec();
    let deep = format!("[{{\"x\":{}", "[".repeat(100_000));
    let trailing = [gzip(&good), b"trailing".to_vec()].concat();
    for (tar, words) in [
        (single(&layer("bad"), &id), "source::digest: `l` in `/F/a.tar` does not hold `sha256:"),
        (single(&gzip(&layer("bad")), &id), "its tar is `sha256:"),
        (single(&broken, &id), "`l` in `/F/a.tar`"),
        (single(&half, &id), "source::malformed: `l` in `/F/a.tar` is damaged"),
        (single(&trailing, &id), "source::malformed: `l` in `/F/a.tar` is damaged: unexpected end of file"),
        (single(b"BZh91AY", &id), "is compressed with bzip2, which layers never are"),
        (single(&good, "sha256:0"), "`c` in `/F/a.tar` is damaged: `sha256:0` is not a digest"),
        (single(&good, &format!("sha512:{}", "a".repeat(128))), "by `sha512`, not by `sha256`"),
        (named("c", &right, &["l", "l"]), "it names 1 layers, and `manifest.json` has 2"),
        (named("c", &right, &[]), "it names 1 layers, and `manifest.json` has 0"),
        (named("c", b"{}", &["l"]), "missing field `rootfs`"),
        (named("c", &[b'x'; 100], &["l"]), "`c` in `/F/a.tar` is damaged: expected value"),
        (named("c", &right, &["m"]), "archive `/F/a.tar` is damaged: it names the file `m`, and has none"),
        (named(&other_name, &right, &["l"]), "source::digest: "),
        (Tar::default().file("x", b""), "is no Docker archive: it has no file `manifest.json`"),
        (Tar::default().file("manifest.json", b"["), "`manifest.json` in `/F/a.tar` is damaged: EOF"),
        (Tar::default().file("manifest.json", b"[{}]"), "missing field `Config`"),
        (Tar::default().file("manifest.json", b"[]"), "its `manifest.json` lists no image"),
        (Tar::default().file("manifest.json", "[".repeat(100_000).as_bytes()), "invalid type: sequence"),
        (Tar::default().file("manifest.json", deep.as_bytes()), "EOF while parsing a list"),
    ] {
        tar.write(&folder.path().join("a.tar"));
        let error = refused(&folder, "docker-archive:a.tar");
        assert!(error.contains(words), "{error}\nexpected: {words}");
    }
    let deep = format!("docker-archive:{}", folder.path().join("none.tar").display());
    assert!(refused(&folder, &deep).contains("does not exist"));
    assert!(refused(&folder, "docker-archive:.").contains("it is not a file"));
}

#[test]
fn links_and_names_that_lead_out() {
    let folder = folder();
    let good = layer("good");
    let config = config(&[&good]);
    let base =
        |layer: &str| Tar::default().file("c", &config).file("manifest.json", &manifest("c", &[], &[layer]));
    let chain = (0..50).fold(base("0"), |tar, link| tar.symbolic(&link.to_string(), &(link + 1).to_string()));
    for (tar, words) in [
        (base("/etc/passwd"), "it names `/etc/passwd`, which lies outside of the archive"),
        (base("../layer.tar"), "it names `../layer.tar`, which lies outside"),
        (base("l").symbolic("l", "/etc/passwd"), "is a link to `/etc/passwd`, which lies outside"),
        (base("a/l").symbolic("a/l", "../../l"), "`a/l` in `/F/a.tar` is damaged: it is a link to `../../l`"),
        (base("a/l").hard("a/l", "../l").file("l", &good), "it is a link to `../l`, which lies outside"),
        (base("l").symbolic("l", "m"), "it leads to `m`, which is not in the archive"),
        (base("l").symbolic("l", "l"), "more than 40 links, or in a circle"),
        (base("l").symbolic("l", "a/m").hard("a/m", "l"), "more than 40 links, or in a circle"),
        (chain, "more than 40 links"),
        (base("l").entry("l", tar::EntryType::GNUSparse, "", &good), "`l` in `/F/a.tar` is a sparse file"),
        (base("l").entry("l/", tar::EntryType::Directory, "", b""), "it names the file `l`, and has none"),
        (base("l").entry("l", tar::EntryType::Fifo, "", b""), "it names the file `l`, and has none"),
        (base("l").file("l", &good).file("l", b"shorter"), "it holds `l` twice"),
    ] {
        tar.write(&folder.path().join("a.tar"));
        let error = refused(&folder, "docker-archive:a.tar");
        assert!(error.contains(words), "{error}\nexpected: {words}");
    }
    // A name that leads out is refused although nothing needs it, and although nothing is ever unpacked.
    base("l").file("l", &good).file("../../etc/passwd", b"x").write(&folder.path().join("a.tar"));
    let error = refused(&folder, "docker-archive:a.tar");
    assert!(error.contains("its name `../../etc/passwd` leads out of the archive"), "{error}");
}

#[test]
fn archives_that_are_cut_off() {
    let folder = folder();
    let path = folder.path().join("a.tar");
    older(&layer("one"), &layer("two")).write(&path);
    let bytes = fs::read(&path).expect("read");
    // The last file may lack its padding and the end marker behind it.
    for length in (0..bytes.len() - 1536).step_by(256) {
        fs::write(&path, &bytes[..length]).expect("written");
        let error = refused(&folder, "docker-archive:a.tar");
        assert!(error.contains("cut off") || error.contains("is no Docker archive"), "{length}: {error}");
    }
}

#[test]
fn hostile_sizes_are_refused_without_being_read() {
    let folder = folder();
    let path = folder.path().join("a.tar");
    // A hundred megabytes, of which the disk holds none.
    let mut header = tar::Header::new_gnu();
    header.set_path("manifest.json").expect("a name");
    header.set_size(100_000_000);
    header.set_cksum();
    fs::write(&path, header.as_bytes()).expect("written");
    fs::OpenOptions::new().write(true).open(&path).expect("opened").set_len(100_010_000).expect("long");
    let error = refused(&folder, "docker-archive:a.tar");
    assert!(error.contains("`manifest.json` in `/F/a.tar` is damaged: it has 100000000 bytes"), "{error}");

    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    member.write_all(&vec![0; 1 << 24]).expect("compressed");
    let member = member.finish().expect("compressed");
    let bomb = member.repeat(70);
    single(&bomb, &sha256(b"")).write(&path);
    let error = refused(&folder, "docker-archive:a.tar");
    assert!(error.contains("and expands to more than 1073741824, as no layer does"), "{error}");

    let many = (0..3).fold(Tar::default(), |tar, _| {
        (0..80).fold(tar, |tar, _| {
            tar.entry("x", tar::EntryType::GNULongName, "", "a".repeat(200_000).as_bytes()).file("x", b"")
        })
    });
    // One long name is not held twice, and many are more than is held.
    many.write(&path);
    assert!(
        refused(&folder, "docker-archive:a.tar")
            .contains("more than 200000 files of an image, or more than 16 MiB")
    );
}

#[test]
fn a_compressed_archive() {
    let folder = folder();
    let path = folder.path().join("a.tar");
    older(&layer("one"), &layer("two")).write(&path);
    let plain = content(&folder, "docker-archive:a.tar").root;
    let bytes = fs::read(&path).expect("read");
    fs::write(&path, gzip(&bytes)).expect("written");
    assert_eq!(content(&folder, "docker-archive:a.tar").root, plain);
    fs::write(&path, zstd::stream::encode_all(bytes.as_slice(), 1).expect("compressed")).expect("written");
    assert_eq!(content(&folder, "docker-archive:a.tar").root, plain);
    fs::write(&path, &gzip(&bytes)[..200]).expect("written");
    assert!(refused(&folder, "docker-archive:a.tar").contains("archive `/F/a.tar` is damaged"));
    fs::write(&path, b"\xfd7zXZ\0").expect("written");
    assert!(
        refused(&folder, "docker-archive:a.tar").contains("is compressed with xz, which is not read here")
    );
}

#[test]
fn a_folder_for_temporary_files_that_is_not_there() {
    let folder = folder();
    let unique = layer("compressed nowhere else");
    single(&unique, &sha256(&unique)).write(&folder.path().join("a.tar"));
    let spec = SourceSpec::One("docker-archive:a.tar".parse().expect("a source"));
    let surroundings = Surroundings {
        environment: Arc::new(|name| (name == "TMPDIR").then(|| "/nowhere/at/all".to_owned())),
        ..Surroundings::local(folder.path())
    };
    let Err(error) = open(&spec, &surroundings) else { panic!("a file nowhere") };
    let diagnostic = error.to_diagnostic();
    assert_eq!(diagnostic.code.as_str(), "publish::source::temporary");
    assert!(
        diagnostic.message.starts_with("cannot write a temporary file in `/nowhere/at/all`"),
        "{diagnostic:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// Whatever is changed in an archive, it is refused, or what is published of it is what its digests say.
    #[test]
    fn damage_is_refused_or_harmless(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        headers in any::<bool>(), compressed in any::<bool>(),
    ) {
        let (one, two) = (layer("one"), layer("two"));
        let tar = if compressed {
            newer(&[&one, &two], &[gzip(&one), gzip(&two)], OCI_LAYER_GZIP).0
        } else {
            older(&one, &two)
        };
        let folder = folder();
        let path = folder.path().join("a.tar");
        tar.write(&path);
        let mut bytes = fs::read(&path).expect("read");
        for (index, byte) in changes {
            let length = bytes.len();
            bytes[index.index(length)] = byte;
        }
        if headers {
            // With right checksums, so that what is behind them is reached.
            for block in bytes.chunks_mut(512).filter(|block| block.len() == 512 && block[257..262] == *b"ustar") {
                block[148..156].fill(b' ');
                let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
                block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
            }
        }
        fs::write(&path, bytes).expect("written");
        if let Ok((source, content)) = opened(&folder, "docker-archive:a.tar") {
            for blob in &content.blobs {
                prop_assert_eq!(Digest::of(&read(source.as_ref(), blob)), blob.digest.clone());
            }
        }
    }
}
