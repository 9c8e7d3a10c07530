//! Archives as tools write them, and malformed archives.

use std::io::{Read, Write};
use std::sync::Arc;

use proptest::prelude::*;

use super::super::positioned::Section;
use super::super::tar_header::BLOCK;
use super::*;

fn index_of(bytes: &[u8]) -> Result<TarIndex, String> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("written");
    let file = PositionedFile::open(file.path().to_owned()).expect("opened");
    index(&file, IndexedNames::Layout).map_err(|error| error.to_string())
}

fn blob_name(digit: char) -> String {
    format!("blobs/sha256/{}", digit.to_string().repeat(64))
}

/// A header with a valid checksum. `size` is the bytes of the field.
fn header(name: &str, size: &[u8], kind: u8) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[124..124 + size.len()].copy_from_slice(size);
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
}

fn entry(name: &str, contents: &[u8], kind: u8) -> Vec<u8> {
    let mut bytes = header(name, format!("{:011o}", contents.len()).as_bytes(), kind);
    bytes.extend_from_slice(contents);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

fn pax(records: &[(&str, &str)], kind: u8) -> Vec<u8> {
    let mut contents = String::new();
    for (key, value) in records {
        let body = format!(" {key}={value}\n");
        let length = (1..9999).find(|length| format!("{length}{body}").len() == *length).expect("a length");
        contents = contents + &length.to_string() + &body;
    }
    entry("PaxHeader", contents.as_bytes(), kind)
}

fn length_of(index: &TarIndex, name: &str) -> u64 {
    match index.files.get(name) {
        Some(IndexedEntry::File { length, .. }) => *length,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn finds_what_the_tar_crate_writes() {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, contents) in
        [("./oci-layout", "x"), ("index.json", "yy"), (&blob_name('0'), "zzz"), ("other/file", "nothing")]
    {
        let mut header = tar::Header::new_gnu();
        header.set_size(contents.len() as u64);
        header.set_cksum();
        tar.append_data(&mut header, name, contents.as_bytes()).expect("appended");
    }
    let bytes = tar.into_inner().expect("finished");
    let index = index_of(&bytes).expect("an index");
    assert_eq!(index.files.len(), 3, "{index:?}");
    assert!(index.complete);
    assert_eq!(length_of(&index, "oci-layout"), 1);
    let Some(IndexedEntry::File { offset, length }) = index.files.get(&blob_name('0')) else {
        panic!("{index:?}")
    };
    let start = usize::try_from(*offset).expect("small");
    assert_eq!(&bytes[start..start + usize::try_from(*length).expect("small")], b"zzz");
}

#[test]
fn long_names_sizes_and_paths_of_each_format() {
    let name = blob_name('a');
    let gnu =
        [entry("././@LongLink", format!("./{name}\0").as_bytes(), b'L'), entry("short", b"12345", b'0')]
            .concat();
    assert_eq!(length_of(&index_of(&gnu).expect("gnu"), &name), 5);
    let mut local = pax(&[("path", &name), ("size", "5"), ("mtime", "1.5")], b'x');
    local.extend(header("short", b"00000000000", b'0'));
    local.extend(b"12345".iter().chain(&[0; 507]));
    local.extend(entry("index.json", b"1", b'0'));
    let index = index_of(&local).expect("pax");
    assert_eq!((length_of(&index, &name), length_of(&index, "index.json")), (5, 1));
    let global = [pax(&[("path", &name)], b'g'), entry("short", b"12", b'0')].concat();
    assert_eq!(length_of(&index_of(&global).expect("global"), &name), 2);
    let back =
        [pax(&[("path", &name)], b'g'), pax(&[("path", "")], b'x'), entry("index.json", b"1", b'0')].concat();
    assert_eq!(length_of(&index_of(&back).expect("taken back"), "index.json"), 1);
    let base_256 = [header("index.json", b"\x80\0\0\0\0\0\0\0\0\0\0\x03", b'0'), vec![b'x'; 3]].concat();
    assert_eq!(length_of(&index_of(&base_256).expect("base 256"), "index.json"), 3);
}

#[test]
fn the_last_of_a_name_wins_unless_sizes_differ() {
    let name = blob_name('1');
    let same = [entry(&name, b"a", b'0'), entry(&format!("./{name}"), b"b", b'0')].concat();
    let Ok(Some(IndexedEntry::File { offset, .. })) = index_of(&same).map(|it| it.files.get(&name).cloned())
    else {
        panic!("no file")
    };
    assert_eq!(offset, 3 * BLOCK as u64);
    let other = [entry("index.json", b"a", b'0'), entry("index.json", b"bb", b'0')].concat();
    assert_eq!(
        index_of(&other),
        Err("it holds `index.json` twice, once with 1 and once with 2 bytes".to_owned())
    );
    let link = [entry(&name, b"a", b'0'), entry(&name, b"", b'1')].concat();
    assert_eq!(
        index_of(&link).expect("indexed").files.get(&name),
        Some(&IndexedEntry::HardLink(String::new()))
    );
    let directory = [entry("index.json", b"a", b'0'), entry("index.json/", b"", b'5')].concat();
    assert_eq!(length_of(&index_of(&directory).expect("indexed"), "index.json"), 1);
    let sparse = [pax(&[("GNU.sparse.major", "1")], b'x'), entry("index.json", b"a", b'0')].concat();
    assert_eq!(index_of(&sparse).expect("indexed").files.get("index.json"), Some(&IndexedEntry::Sparse));
}

#[test]
fn hostile_headers_are_refused_with_their_position() {
    let far = entry("index.json", b"a", b'0');
    for (bytes, words) in [
        (b"not a tar file".to_vec(), "at byte 0: it ends in the middle of a header"),
        (vec![b'x'; 2048], "at byte 0: the checksum of its header is wrong"),
        ([&far[..], &[1; 512]].concat(), "at byte 1024: the checksum"),
        (header("index.json", b"\x80\0\0\0\x80\0\0\0\0\0\0\0", b'0'), "declares 9223372036854775808 bytes"),
        (header("index.json", b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", b'0'), "bytes, but 0 are left"),
        (header("index.json", b"\x81\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", b'0'), "too large"),
        (header("index.json", &[0xff; 12], b'0'), "negative"),
        (header("index.json", b"0000000zzzz", b'0'), "not octal"),
        (header("x", b"77777777777", b'L'), "declares a name or extended header of 8589934591 bytes"),
        (header("x", b"00000000010", b'x'), "cut off"),
        ([pax(&[("size", "18446744073709551615")], b'x'), far.clone()].concat(), "cut off"),
        ([entry("x", b"garbage", b'x'), far.clone()].concat(), "extended header is broken"),
        (far[..far.len() - 512].to_vec(), "it declares 1 byte, but 0 are left"),
    ] {
        let error = index_of(&bytes).expect_err(words);
        assert!(error.contains(words), "{error}\nexpected: {words}");
    }
}

#[test]
fn a_name_of_a_megabyte_is_read_and_dropped() {
    let name = "a/".repeat(1024 * 512);
    let bytes =
        [entry("x", name.as_bytes(), b'L'), entry("short", b"1", b'0'), entry("index.json", b"1", b'0')];
    assert_eq!(index_of(&bytes.concat()).expect("indexed").files.len(), 1);
    let larger = [entry("x", format!("{name}b").as_bytes(), b'L'), entry("short", b"1", b'0')];
    assert!(
        index_of(&larger.concat())
            .expect_err("too long")
            .contains("a name or extended header of 1048577 bytes")
    );
}

#[test]
fn names_outside_of_a_layout_are_left_out() {
    for (name, found) in [
        ("./blobs/sha256/00", Some("blobs/sha256/00")),
        ("a//../index.json", None),
        ("../index.json", None),
        ("blobs/../index.json", None),
        ("blobs/sha256/../00", None),
        ("blobs/sha256/00/1", None),
        ("blobs/md5/00", None),
        ("blobs/sha256/zz", None),
        ("x/oci-layout", None),
        ("", None),
    ] {
        assert_eq!(layout_name(name.as_bytes()).as_deref(), found, "{name}");
    }
    assert_eq!(layout_name(b"index\xff.json"), None);
}

#[test]
fn sections_are_read_by_many_at_once() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    file.write_all(&bytes).expect("written");
    let file = Arc::new(PositionedFile::open(file.path().to_owned()).expect("opened"));
    std::thread::scope(|scope| {
        for start in 0..8_u64 {
            let (file, bytes) = (Arc::clone(&file), &bytes);
            scope.spawn(move || {
                let mut out = Vec::new();
                Section::new(file, start * 999, 50_000).read_to_end(&mut out).expect("read");
                let start = usize::try_from(start * 999).expect("small");
                assert_eq!(out, bytes[start..start + 50_000]);
            });
        }
    });
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        let _ = index_of(&bytes);
    }

    /// Every header has a valid checksum, so that the code behind the check is reached.
    #[test]
    fn arbitrary_entries_never_panic(
        entries in proptest::collection::vec(
            ("[a-z./]{0,30}|index.json", proptest::collection::vec(any::<u8>(), 12),
             prop_oneof!["[0-7]{0,11}", "[ 0-9a-f=\n]{0,12}"], any::<bool>(), "[0-9LKxgS]",
             proptest::collection::vec(any::<u8>(), 0..600)), 0..6)
    ) {
        let mut bytes = Vec::new();
        for (name, raw, text, octal, kind, contents) in &entries {
            let mut size = if *octal { text.as_bytes().to_vec() } else { raw.clone() };
            size.truncate(12);
            bytes.extend(header(name, &size, kind.as_bytes()[0]));
            bytes.extend(contents);
        }
        if let Ok(index) = index_of(&bytes) {
            for entry in index.files.values() {
                if let IndexedEntry::File { offset, length } = entry {
                    prop_assert!(offset + length <= bytes.len() as u64);
                }
            }
        }
    }
}
