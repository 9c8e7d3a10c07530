//! Hostile and damaged sources: the messages that refuse them, and the memory and time that the program needs to do so.
//!
//! The tables of everything that can be wrong are in `crates/oci-content/src/hostile_files_tests.rs`. The cases here reach the whole
//! program, or need the most memory or time.
#![allow(clippy::print_stdout)] // the measurements, for `--nocapture`

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use testkit::{image, raw_tar};

use insta::assert_snapshot;
use serde_json::json;
use testkit::command::{Folder, clean};
use testkit::image::{LayoutDirectory, OCI_INDEX, OCI_MANIFEST, TestImage, files_of};

/// The greatest resident size, in KiB. The program and its runtime take about 20 MiB of it. The largest manifest that is
/// read has 10 MiB, and its parsed form is several times as large.
const MEMORY: u64 = 256 * 1024;
/// How much processor time a refusal may take, of a program that is not optimized.
const TIME: Duration = Duration::from_secs(30);

/// Runs a command, writes to a file how much of it was resident at most, in KiB, and its processor time in seconds, and exits
/// with the code of the command.
const MEASURE: &str = "
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
open(sys.argv[1], 'w').write(f'{used.ru_maxrss} {used.ru_utime + used.ru_stime}')
sys.exit(code if code >= 0 else 255)
";

fn folder(source: &str) -> Folder {
    let configuration = format!(
        "version = 1\n[registries.bundle]\nurl = \"oci:registry\"\n[tags.version]\non = \"tag\"\ntemplate = \"v{{{{ version }}}}\"\n\
         {source}\n"
    );
    Folder::with(&[("publish.toml", &configuration)])
}

fn image_folder(source: &str) -> Folder {
    folder(&format!("[images.app]\nsource = \"{source}\""))
}

/// Returns the messages of `plan`, and measures it. It must fail.
fn refusal(folder: &Folder) -> String {
    let home = folder.path.parent().unwrap().join("home");
    fs::create_dir_all(&home).unwrap();
    let peak = home.join("peak");
    let mut command = Command::new("python3");
    command.args(["-c", MEASURE]).arg(&peak).arg(env!("CARGO_BIN_EXE_brokkr-publish"));
    command.args(["plan", "--ref", "refs/tags/v1.2.3"]).current_dir(&folder.path);
    clean(&mut command, &home);
    let output = command.env("COLUMNS", "1000").stdin(Stdio::null()).output().expect("`python3` runs");
    let measured = fs::read_to_string(&peak).expect("measured");
    let (peak, time) = measured.split_once(' ').expect("two numbers");
    let peak: u64 = peak.parse().expect("a number");
    let time = Duration::from_secs_f64(time.parse().expect("a number"));
    let shown = String::from_utf8(output.stderr).expect("text");
    println!(
        "{} MiB, {:.1} s: {}",
        peak / 1024,
        time.as_secs_f32(),
        shown.lines().nth(2).unwrap_or_default()
    );
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(output.stdout.is_empty());
    assert!(peak < MEMORY && time < TIME, "{} MiB, {time:?}: {shown}", peak / 1024);
    assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
    assert!(shown.len() < 8000, "{} bytes", shown.len());
    let shown = shown.replace(folder.path.to_str().unwrap(), "[FOLDER]");
    regex::Regex::new("[0-9a-f]{64}").unwrap().replace_all(&shown, "[HEX]").into_owned()
}

/// The files of a good image.
fn good() -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    let layer = image::TestLayer::files(&[("hello", b"hello")]);
    let _written = TestImage::new().platform("linux/amd64", vec![layer]).write(folder.path());
    files_of(folder.path())
}

fn archive(before: &[u8]) -> Vec<u8> {
    let files = good().into_iter().flat_map(|(name, bytes)| raw_tar::file(&name, &bytes));
    before.iter().copied().chain(files).chain(raw_tar::end()).collect()
}

fn refused_archive(bytes: &[u8]) -> String {
    let folder = image_folder("oci-archive:image.tar");
    folder.write("image.tar", bytes);
    refusal(&folder)
}

/// A folder, and an empty layout in it that is its source.
fn layout() -> (Folder, LayoutDirectory) {
    let folder = image_folder("oci:image");
    let layout = LayoutDirectory::create(&folder.path.join("image"));
    (folder, layout)
}

#[test]
fn a_name_that_leads_out_of_an_archive() {
    assert_snapshot!(refused_archive(&archive(&raw_tar::file("../../etc/cron.d/x", b"x"))));
}

#[test]
fn a_name_that_acts_on_a_terminal() {
    let name = "../\u{1b}]0;owned\u{7}\u{202e}\u{9b}2J";
    let records = raw_tar::pax(&[("path", name)], b'x');
    assert_snapshot!(refused_archive(&archive(&[records, raw_tar::file("x", b"")].concat())));
}

/// A sparse file as the real `tar` writes it. Another real program read such a file as a plain one.
#[test]
fn a_sparse_file_by_tar_itself() {
    let folder = image_folder("oci-archive:image.tar");
    let place = folder.path.join("layout");
    fs::create_dir(&place).unwrap();
    for (name, bytes) in good() {
        fs::create_dir_all(place.join(&name).parent().unwrap()).unwrap();
        fs::write(place.join(name), bytes).unwrap();
    }
    let index = fs::File::options().append(true).open(place.join("index.json")).unwrap();
    index.set_len(1 << 20).unwrap();
    for format in ["gnu", "posix"] {
        let mut tar = Command::new("tar");
        let _ = tar.args(["--create", "--sparse", "--hole-detection=raw", "--file=../image.tar", "."]);
        let done = tar.arg(format!("--format={format}")).current_dir(&place).status();
        assert!(done.expect("`tar` runs").success());
        let shown = refusal(&folder);
        assert!(
            shown.contains("`index.json` in `image.tar` is a sparse file, which cannot be read in place"),
            "{shown}"
        );
    }
}

#[test]
fn a_link_in_the_place_of_a_blob() {
    let entries = good().into_iter().flat_map(|(name, bytes)| {
        if name.starts_with("blobs/") {
            raw_tar::link(&name, "/etc/passwd", b'2')
        } else {
            raw_tar::file(&name, &bytes)
        }
    });
    let bytes: Vec<u8> = entries.chain(raw_tar::end()).collect();
    assert_snapshot!(refused_archive(&bytes));
}

#[test]
fn an_archive_that_was_cut_off() {
    let bytes = archive(&[]);
    assert_snapshot!(refused_archive(&bytes[..bytes.len() - 4 * raw_tar::BLOCK]));
}

/// Four gigabytes of zeros, if somebody unpacked it.
#[test]
fn a_compressed_archive() {
    let mut once = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::copy(&mut std::io::repeat(0).take(64 << 20), &mut once).unwrap();
    let once = once.finish().unwrap();
    // Members of a gzip file that follow one another are one file.
    assert_snapshot!(refused_archive(&once.repeat(64)));
}

#[test]
fn an_archive_of_a_great_many_entries() {
    let folder = image_folder("oci-archive:image.tar");
    let mut file = std::io::BufWriter::new(fs::File::create(folder.path.join("image.tar")).unwrap());
    for it in 0..200_001 {
        let name = format!("blobs/sha256/{it:064x}");
        file.write_all(&raw_tar::header(&name, b"00000000000", b'0', "")).unwrap();
    }
    file.flush().unwrap();
    assert_snapshot!(refusal(&folder));
}

#[test]
fn an_index_file_of_a_hundred_megabytes() {
    let (folder, _layout) = layout();
    let file = fs::File::options().write(true).open(folder.path.join("image/index.json")).unwrap();
    file.set_len(100 << 20).unwrap();
    assert_snapshot!(refusal(&folder));
}

#[test]
fn a_manifest_of_a_hundred_megabytes() {
    let (folder, layout) = layout();
    layout.list(&layout.put(OCI_MANIFEST, &vec![b' '; 100 << 20]), &[]);
    assert_snapshot!(refusal(&folder));
}

#[test]
fn an_index_that_says_it_contains_itself() {
    let (folder, layout) = layout();
    let digest = format!("sha256:{}", "1".repeat(64));
    let entry = json!({ "mediaType": OCI_INDEX, "digest": digest, "size": 1000 });
    let mut index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry] }).to_string();
    index.push_str(&" ".repeat(1000 - index.len()));
    fs::write(image::blob_path(&folder.path.join("image"), &digest), index).unwrap();
    layout.list(&entry, &[]);
    assert_snapshot!(refusal(&folder));
}

#[test]
fn indexes_a_thousand_deep() {
    let (folder, layout) = layout();
    let mut entry = layout.put(OCI_INDEX, br#"{"schemaVersion":2,"manifests":[]}"#);
    for _ in 0..1000 {
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry] });
        entry = layout.put(OCI_INDEX, index.to_string().as_bytes());
    }
    layout.list(&entry, &[]);
    assert_snapshot!(refusal(&folder));
}

#[test]
fn json_nested_a_million_deep() {
    let (folder, _layout) = layout();
    folder.write("image/index.json", "{\"manifests\":".to_owned() + &"[".repeat(5_000_000));
    assert_snapshot!(refusal(&folder));
}

#[test]
fn a_layer_whose_size_is_wrong() {
    let (folder, layout) = layout();
    let config = layout.put("application/vnd.example", b"{}");
    let mut layer = layout.put(image::OCI_LAYER_GZIP, b"layer");
    layer["size"] = json!(u64::MAX);
    let manifest =
        json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer] });
    layout.list(&layout.put(OCI_MANIFEST, manifest.to_string().as_bytes()), &[]);
    assert_snapshot!(refusal(&folder));
}

#[test]
fn a_pipe_in_the_place_of_an_index() {
    let (folder, _layout) = layout();
    let path = folder.path.join("image/index.json");
    fs::remove_file(&path).unwrap();
    make_pipe(&path);
    assert_snapshot!(refusal(&folder));
}

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("`mkfifo` runs").success());
}

/// Rights would not do, because they do not stop a test that runs as root.
#[cfg(unix)]
#[test]
fn a_file_that_is_a_link_to_itself() {
    let folder = image_folder("oci-archive:image.tar");
    std::os::unix::fs::symlink("image.tar", folder.path.join("image.tar")).unwrap();
    assert_snapshot!(refusal(&folder));
}

#[test]
fn a_pipe_as_a_file_of_an_artifact() {
    let folder = folder(
        "[artifacts.app]\nartifact_type = \"application/vnd.example.v1\"\nfiles = [{ path = \"sbom.json\", media_type = \"application/json\" }]",
    );
    make_pipe(&folder.path.join("sbom.json"));
    assert_snapshot!(refusal(&folder));
}

/// A source whose manifest is as large as any that is read, and whose parsed form takes the most memory. Something
/// that it names is missing.
fn refused_manifest(part: &str, before: &str, after: &str) -> String {
    let (folder, layout) = layout();
    let room = 10 * 1024 * 1024 - before.len() - after.len();
    let text = format!("{before}{}{after}", part.repeat(room / part.len()));
    layout.list(&layout.put(OCI_MANIFEST, text.as_bytes()), &[]);
    refusal(&folder)
}

const MISSING: &str = r#"{"mediaType":"x","digest":"sha256:1111111111111111111111111111111111111111111111111111111111111111","size":1"#;

#[test]
fn ten_megabytes_of_addresses() {
    let before = format!(r#"{{"schemaVersion":2,"config":{MISSING}}},"layers":[{MISSING},"urls":["#);
    let shown = refused_manifest(r#""","#, &before, r#"""]}]}"#);
    assert!(shown.contains("`sha256:[HEX]` is not in the source"), "{shown}");
}

#[test]
fn ten_megabytes_of_layers() {
    let before = format!(r#"{{"schemaVersion":2,"config":{MISSING}}},"layers":["#);
    let shown = refused_manifest(&format!("{MISSING}}},"), &before, &format!("{MISSING}}}]}}"));
    assert!(shown.contains("`sha256:[HEX]` is not in the source"), "{shown}");
}

#[test]
fn ten_megabytes_of_annotations() {
    let before = format!(r#"{{"schemaVersion":2,"config":{MISSING}}},"annotations":{{"#);
    let room = 10 * 1024 * 1024 - before.len() - 100;
    let mut part = String::new();
    for it in 0_u64.. {
        let annotation = format!(r#""{it:x}":"","#);
        if part.len() + annotation.len() > room {
            break;
        }
        part.push_str(&annotation);
    }
    let shown = refused_manifest(&part, &before, r#""":""}}"#);
    assert!(shown.contains("`sha256:[HEX]` is not in the source"), "{shown}");
}
