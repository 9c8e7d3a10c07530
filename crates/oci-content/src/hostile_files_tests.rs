//! Sources that somebody made to do harm, or that were damaged on their way: each is refused by name, quickly, and without
//! using the resources that it claims to need.
//!
//! `tests/it/hostile_sources.rs` measures how much memory and time the whole program needs for the worst of them.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::fixture::{
    self, LayoutDirectory, OCI_INDEX, OCI_MANIFEST, TestImage, TestLayer, describe, files_of,
};
use super::raw_tar::{self, BLOCK, end, entry, file, header, link, pax};
use super::*;

#[path = "hostile_content_tests.rs"]
mod content;

const BLOB: &str = "blobs/sha256/0000000000000000000000000000000000000000000000000000000000000000";

fn read(spec: &str, folder: &Path) -> Result<Content, SourceError> {
    let spec = SourceSpec::One(spec.parse().expect("a source"));
    open(&spec, &Surroundings::local(folder)).and_then(|opened| walk(opened.source.as_ref()))
}

/// The message and the help of a refusal.
fn refused(spec: &str, folder: &Path) -> String {
    let Err(error) = read(spec, folder) else { panic!("{spec} was accepted") };
    refusal::message_and_help(&error).replace(&folder.display().to_string(), "[FOLDER]")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

/// A good image in a layout.
fn layout(at: &Path) -> fixture::Written {
    TestImage::new()
        .platform("linux/amd64", vec![TestLayer::files(&[("a", b"1")])])
        .platform("linux/arm64", vec![TestLayer::files(&[("a", b"2")])])
        .write(at)
}

/// The entries of a good archive.
fn good() -> Vec<(String, Vec<u8>)> {
    let folder = folder();
    let _written = layout(folder.path());
    files_of(folder.path())
}

/// A good archive with entries before and after it.
fn archive(before: &[Vec<u8>], after: &[Vec<u8>]) -> Vec<u8> {
    let entries: Vec<u8> = good().iter().flat_map(|(name, bytes)| file(name, bytes)).collect();
    [before.concat(), entries, after.concat(), end()].concat()
}

/// A good archive in which another entry replaces one file.
fn instead(of: impl Fn(&str) -> bool, with: impl Fn(&str, &[u8]) -> Vec<u8>) -> Vec<u8> {
    let entries = good()
        .into_iter()
        .flat_map(|(name, bytes)| if of(&name) { with(&name, &bytes) } else { file(&name, &bytes) });
    entries.chain(end()).collect()
}

fn refused_archive(bytes: &[u8]) -> String {
    let folder = folder();
    fs::write(folder.path().join("image.tar"), bytes).expect("written");
    refused("oci-archive:image.tar", folder.path())
}

#[test]
fn names_that_lead_out_of_an_archive() {
    assert!(read_archive(&archive(&[], &[])).is_ok());
    for (name, before) in [
        ("../blobs/sha256/00", file("../blobs/sha256/00", b"x")),
        ("a/../../index.json", file("a/../../index.json", b"x")),
        ("..", entry("..", b"", b'5')),
        ("/etc/passwd", file("/etc/passwd", b"x")),
        ("/index.json", file("/index.json", b"{}")),
        ("../l", link("../l", "index.json", b'2')),
        ("../pax", [pax(&[("path", "../pax")], b'x'), file("index.json", b"x")].concat()),
        ("/gnu", [entry("././@LongLink", b"/gnu\0", b'L'), file("index.json", b"x")].concat()),
    ] {
        let text = refused_archive(&archive(&[file("before", b""), before], &[]));
        let expected = format!("its name `{name}` leads out of the archive");
        assert!(text.starts_with("archive `image.tar` is damaged: at byte"), "{text}");
        assert!(text.contains(&expected), "{text}\nexpected: {expected}");
    }
}

fn read_archive(bytes: &[u8]) -> Result<Content, SourceError> {
    let folder = folder();
    fs::write(folder.path().join("image.tar"), bytes).expect("written");
    read("oci-archive:image.tar", folder.path())
}

#[test]
fn entries_in_place_of_a_file_in_an_archive_are_refused() {
    let index = |name: &str| name == "index.json";
    let blob = |name: &str| name.starts_with("blobs/");
    for (bytes, words) in [
        (instead(index, |name, _| link(name, "/etc/passwd", b'2')), "`index.json` in `image.tar` is a link"),
        (
            instead(index, |name, _| link(name, "../../etc/passwd", b'1')),
            "`index.json` in `image.tar` is a link",
        ),
        (instead(blob, |name, _| link(name, "oci-layout", b'2')), "is a link to another file"),
        (
            instead(index, |name, _| entry(name, b"", b'3')),
            "`index.json` in `image.tar` is a directory, device or pipe",
        ),
        (
            instead(index, |name, _| entry(name, b"", b'4')),
            "`index.json` in `image.tar` is a directory, device or pipe",
        ),
        (
            instead(index, |name, _| entry(name, b"", b'6')),
            "`index.json` in `image.tar` is a directory, device or pipe",
        ),
        (
            instead(index, |name, _| entry(name, b"", b'5')),
            "`index.json` in `image.tar` is a directory, device or pipe",
        ),
        (instead(blob, |name, _| entry(name, b"", b'6')), "is a directory, device or pipe"),
        // GNU's formats of sparse files: the oldest has a type of its own, the others are marked by records.
        (
            instead(index, |name, bytes| entry(name, bytes, b'S')),
            "`index.json` in `image.tar` is a sparse file",
        ),
        (instead(index, gnu_sparse_extended), "`index.json` in `image.tar` is a sparse file"),
        (
            instead(index, |name, bytes| {
                let records =
                    [("GNU.sparse.size", "99"), ("GNU.sparse.numblocks", "1"), ("GNU.sparse.offset", "0")];
                [pax(&records, b'x'), file(name, bytes)].concat()
            }),
            "`index.json` in `image.tar` is a sparse file",
        ),
        (
            instead(index, |name, bytes| {
                let records =
                    [("GNU.sparse.size", "99"), ("GNU.sparse.map", "0,9"), ("GNU.sparse.name", name)];
                [pax(&records, b'x'), file("./GNUSparseFile.1/index.json", bytes)].concat()
            }),
            "`index.json` in `image.tar` is a sparse file",
        ),
        (
            instead(index, |name, bytes| {
                let records =
                    [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", name)];
                [pax(&records, b'x'), file("./GNUSparseFile.1/index.json", bytes)].concat()
            }),
            "`index.json` in `image.tar` is a sparse file",
        ),
    ] {
        let text = refused_archive(&bytes);
        assert!(text.contains(words), "{text}\nexpected: {words}");
    }
}

/// A sparse file with so many extents that blocks of their list follow the header (GNU tar's manual, "Basic Tar Format",
/// `isextended`).
fn gnu_sparse_extended(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut first = header(name, format!("{:011o}", bytes.len()).as_bytes(), b'S', "");
    first[482] = 1;
    raw_tar::sum(&mut first);
    let mut second = vec![b'7'; BLOCK];
    second[504] = 1;
    let third = vec![0; BLOCK];
    let mut contents = bytes.to_vec();
    contents.resize(contents.len().next_multiple_of(BLOCK), 0);
    [first, second, third, contents].concat()
}

#[test]
fn records_and_headers_that_lie() {
    let index = |name: &str| name == "index.json";
    let size = |size: &'static str| {
        move |name: &str, bytes: &[u8]| [pax(&[("size", size)], b'x'), file(name, bytes)].concat()
    };
    for (bytes, words) in [
        (instead(index, size("0")), "the checksum of its header is wrong"),
        (instead(index, size("99999999")), "the file is cut off"),
        (instead(index, size("18446744073709551615")), "the file is cut off"),
        (instead(index, size("18446744073709551616")), "its extended header is broken"),
        (instead(index, size("-1")), "its extended header is broken"),
        (instead(index, size("1e9")), "its extended header is broken"),
        (
            archive(&[entry("x", b"18 path=index.json", b'x'), file("a", b"")], &[]),
            "its extended header is broken",
        ),
        (archive(&[pax(&[("path", "index.json")], b'g')], &[]), "it holds `index.json` twice"),
        (archive(&[entry("x", b"99999 path=index.json\n", b'x')], &[]), "its extended header is broken"),
        (
            archive(&[header("x", b"77777777777", b'x', "")], &[]),
            "it declares a name or extended header of 8589934591 bytes",
        ),
        (archive(&[header("x", &[0xff; 12], b'0', "")], &[]), "a number in its header is negative"),
    ] {
        let text = refused_archive(&bytes);
        assert!(text.starts_with("archive `image.tar` is damaged: "), "{text}");
        assert!(text.contains(words), "{text}\nexpected: {words}");
    }
    // An empty record takes a value back, and other records do not matter.
    assert!(read_archive(&archive(&[pax(&[("path", ""), ("comment", "\u{1b}[2J")], b'g')], &[])).is_ok());
}

#[test]
fn one_name_twice() {
    let entries = good();
    let (blob, bytes) = entries.last().expect("a blob");
    // The digest identifies the blob that is meant.
    assert!(read_archive(&archive(&[file(blob, bytes)], &[])).is_ok());
    let mut other = bytes.clone();
    other[0] ^= 1;
    assert!(read_archive(&archive(&[file(blob, &other)], &[])).is_ok());
    let text = refused_archive(&archive(&[file(blob, b"other")], &[]));
    assert!(text.contains(&format!("it holds `{blob}` twice, once with 5")), "{text}");
    // Nothing identifies the `index.json` that is meant.
    for name in ["index.json", "oci-layout"] {
        let bytes = &entries.iter().find(|(it, _)| it == name).expect("a file").1;
        for after in [file(name, bytes), file(&format!("./{name}"), b"{}"), link(name, BLOB, b'2')] {
            let text = refused_archive(&archive(&[], &[after]));
            assert!(text.contains(&format!("it holds `{name}` twice")), "{text}");
        }
    }
}

#[test]
fn an_archive_cut_off_at_any_block() {
    let bytes = archive(&[], &[]);
    let blocks = bytes.len() / BLOCK;
    for cut in 0..blocks {
        match read_archive(&bytes[..cut * BLOCK]) {
            Ok(content) => {
                assert!(cut >= blocks - 2, "cut off after {cut} of {blocks} blocks");
                assert_eq!(content.manifests.len(), 3);
            }
            Err(error) => {
                let text = error.to_string();
                assert!(cut < blocks - 2 && text.contains("image.tar"), "{text}");
                assert!(text.contains("cut off") || text.contains("without an end marker"), "{text}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn an_archive_cut_off_anywhere(at in any::<prop::sample::Index>()) {
        let bytes = archive(&[], &[]);
        let cut = at.index(bytes.len());
        match read_archive(&bytes[..cut]) {
            // The end marker and the padding of the last file may be missing.
            Ok(content) => prop_assert!(cut + 3 * BLOCK >= bytes.len() && content.manifests.len() == 3),
            Err(error) => prop_assert!(error.to_string().contains("image.tar")),
        }
    }

    #[test]
    fn a_wrong_byte_in_any_header(at in any::<prop::sample::Index>(), byte in 0..148_usize) {
        let entries: Vec<Vec<u8>> = good().iter().map(|(name, bytes)| file(name, bytes)).collect();
        let chosen = at.index(entries.len());
        let start: usize = entries[..chosen].iter().map(Vec::len).sum();
        let mut bytes = archive(&[], &[]);
        bytes[start + byte] ^= 0x01;
        let error = read_archive(&bytes).expect_err("refused").to_string();
        prop_assert!(error.contains(&format!("at byte {start}: the checksum of its header is wrong")), "{}", error);
    }
}

#[test]
fn a_compressed_archive_is_no_layout_if_it_holds_nothing_but_zeros() {
    // 64 MiB of zeros, compressed, are within the limit.
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::copy(&mut std::io::repeat(0).take(64 << 20), &mut bomb).expect("compressed");
    let bomb = bomb.finish().expect("compressed");
    let text = refused_archive(&bomb);
    assert!(text.contains("it has no file `oci-layout`"), "{text}");
    // A layer is only bytes here, because nothing unpacks it.
    let folder = folder();
    let layer =
        TestLayer { diff_id: fixture::sha256(b"x"), bytes: bomb, descriptor: json!({}), present: true };
    let _written = TestImage::new().platform("linux/amd64", vec![layer]).write(&folder.path().join("image"));
    assert_eq!(read("oci:image", folder.path()).expect("content").manifests.len(), 2);
}

#[test]
fn an_archive_of_many_entries() {
    let many: Vec<u8> =
        (0..100_000).flat_map(|it| header(&format!("d/{it}"), b"00000000000", b'0', "")).collect();
    assert!(read_archive(&archive(&[many], &[])).is_ok());
    let blobs: Vec<u8> = (0..200_001)
        .flat_map(|it| header(&format!("blobs/sha256/{it:064x}"), b"00000000000", b'0', ""))
        .collect();
    let text = refused_archive(&archive(&[blobs], &[]));
    assert!(text.contains("it holds more than 200000 files of"), "{text}");
}

/// Creates something at `path` that is not a regular file.
fn put(kind: &str, path: &Path) {
    match kind {
        "pipe" => {
            let made = std::process::Command::new("mkfifo").arg(path).status().expect("`mkfifo` runs");
            assert!(made.success());
        }
        "socket" => drop(std::os::unix::net::UnixListener::bind(path).expect("bound")),
        "directory" => fs::create_dir(path).expect("made"),
        "device" => symlink("/dev/zero", path).expect("linked"),
        _ => symlink(path, path).expect("linked"),
    }
}

#[test]
fn entries_in_place_of_a_file_in_a_directory_are_refused() {
    for (kind, words) in [
        ("pipe", "is damaged: it is not a regular file"),
        ("socket", "is damaged: it is not a regular file"),
        ("directory", "is damaged: it is not a regular file"),
        ("device", "is damaged: it is not a regular file"),
        ("a link to itself", "cannot read"),
    ] {
        for name in ["oci-layout", "index.json", "a manifest", "a blob"] {
            // The names of sockets must be short.
            let folder = tempfile::tempdir_in("/tmp").expect("a directory");
            let written = layout(&folder.path().join("i"));
            let path = match name {
                "a manifest" => fixture::blob_path(&written.directory, &written.digest),
                "a blob" => fixture::blob_path(&written.directory, &written.blobs[1]),
                _ => written.directory.join(name),
            };
            fs::remove_file(&path).expect("removed");
            put(kind, &path);
            let text = refused("oci:i", folder.path());
            let file = path.file_name().expect("a name").to_string_lossy().into_owned();
            assert!(text.contains(words) && text.contains(&file), "{name}: {text}");
        }
    }
}

/// Builders link blobs from a cache, and the content behind a link is verified by its digest.
#[test]
fn symbolic_links_in_a_directory_are_followed() {
    let folder = folder();
    let written = layout(&folder.path().join("image"));
    for digest in written.blobs.iter().chain([&written.digest]) {
        let path = fixture::blob_path(&written.directory, digest);
        let elsewhere = folder.path().join(digest.replace(':', "-"));
        fs::rename(&path, &elsewhere).expect("moved");
        symlink(&elsewhere, &path).expect("linked");
    }
    assert!(read("oci:image", folder.path()).is_ok());
    // A file with another digest is neither shown nor used.
    fs::write(folder.path().join("secret"), "hunter2").expect("written");
    let path = fixture::blob_path(&written.directory, &written.digest);
    fs::remove_file(&path).expect("removed");
    symlink("../../../secret", &path).expect("linked");
    let text = refused("oci:image", folder.path());
    assert!(text.contains("it has 7 bytes, but") && !text.contains("hunter2"), "{text}");
    fs::remove_file(written.directory.join("index.json")).expect("removed");
    symlink("../secret", written.directory.join("index.json")).expect("linked");
    let text = refused("oci:image", folder.path());
    assert!(
        text.contains("index.json` is damaged: expected value at line 1") && !text.contains("hunter2"),
        "{text}"
    );
}
