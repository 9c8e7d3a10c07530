//! Blobs of every form, whole and broken, searched for one token.

use std::io::{Read, Write};

use super::raw_tar::{BLOCK, end, entry, file, header, link, pax};
use super::*;
use crate::guard::secrets::Rules;

/// A token that no service gave out, with the checksum that real ones have.
fn token(random: &str) -> String {
    let mut crc = flate2::Crc::new();
    crc.update(random.as_bytes());
    let (mut sum, mut digits) = (crc.sum(), Vec::new());
    for _ in 0..6 {
        let digit = u8::try_from(sum % 62).expect("a digit");
        digits.push(match digit {
            0..10 => b'0' + digit,
            10..36 => b'A' + digit - 10,
            _ => b'a' + digit - 36,
        });
        sum /= 62;
    }
    digits.reverse();
    format!("ghp_{random}{}", String::from_utf8(digits).expect("text"))
}

fn secret() -> Vec<u8> {
    format!("first line\ntoken: {}\n", token("q7Zt3mXc9LwB2vKd8RfYh5Np1SgJx6")).into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("compressed");
    encoder.finish().expect("compressed")
}

fn zstandard(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("compressed")
}

fn search(bytes: &[u8]) -> Result<Searched, ContentError> {
    let about = About { name: None, size: bytes.len() as u64, is_layer: true };
    blob(Rules::standard(), bytes, about, &|_| true)
}

/// The files and lines that the token is found in.
fn places(searched: &Searched) -> Vec<(Option<&str>, Option<u64>)> {
    let hits = searched.hits.iter().filter(|hit| hit.found.rule == "github-token");
    hits.map(|hit| (hit.path.as_deref(), hit.found.line)).collect()
}

fn tar(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat(), end()].concat()
}

/// A zip archive: name, contents, whether they are compressed, whether their sizes are said behind them.
fn zipped(files: &[(&str, &[u8], bool, bool)]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, contents, compressed, behind) in files {
        let stored = if *compressed {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(contents).expect("compressed");
            encoder.finish().expect("compressed")
        } else {
            contents.to_vec()
        };
        let sizes =
            [u32::try_from(stored.len()).expect("small"), u32::try_from(contents.len()).expect("small")];
        let said = if *behind { [0, 0] } else { sizes };
        archive.extend_from_slice(b"PK\x03\x04\x14\x00");
        archive.extend_from_slice(&(if *behind { 8_u16 } else { 0 }).to_le_bytes());
        archive.extend_from_slice(&(if *compressed { 8_u16 } else { 0 }).to_le_bytes());
        archive.extend_from_slice(&[0; 8]);
        archive.extend(said.iter().flat_map(|size| size.to_le_bytes()));
        archive.extend_from_slice(&u16::try_from(name.len()).expect("short").to_le_bytes());
        archive.extend_from_slice(&[0; 2]);
        archive.extend_from_slice(name.as_bytes());
        archive.extend_from_slice(&stored);
        if *behind {
            archive.extend_from_slice(b"PK\x07\x08\x00\x00\x00\x00");
            archive.extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
        }
    }
    archive.extend_from_slice(b"PK\x05\x06");
    archive.resize(archive.len() + 18, 0);
    archive
}

#[test]
fn every_form_of_a_layer_is_read() {
    let long = format!("{}/app.env", "folder".repeat(60));
    let plain = tar(&[file("./etc/", b""), file("./app/settings.txt", &secret())]);
    let named = tar(&[pax(&[("path", &long)], b'x'), file("short", &secret())]);
    let gnu = tar(&[entry("././@LongLink", long.as_bytes(), b'L'), file("short", &secret())]);
    for (layer, path) in [
        (plain.clone(), "app/settings.txt"),
        (gzip(&plain), "app/settings.txt"),
        (zstandard(&plain), "app/settings.txt"),
        ([gzip(&plain[..1000]), gzip(&plain[1000..])].concat(), "app/settings.txt"),
        (gzip(&named), long.as_str()),
        (gnu, long.as_str()),
    ] {
        let searched = search(&layer).expect("a layer");
        assert_eq!(places(&searched), [(Some(path), Some(2))]);
        assert!(searched.complete && searched.unsearched.is_empty(), "{:?}", searched.unsearched);
    }
}

#[test]
fn archives_in_a_layer_are_opened_once() {
    let inner = tar(&[file("values.yaml", &secret())]);
    let zip = zipped(&[
        ("stored.txt", &secret(), false, false),
        ("deflated.txt", &secret(), true, false),
        ("streamed.txt", &secret(), true, true),
        ("last.txt", &secret(), true, false),
    ]);
    let twice = tar(&[file("inner.tgz", &gzip(&inner))]);
    let layer = tar(&[
        file("a.tar", &inner),
        file("b.tgz", &gzip(&inner)),
        file("c.tar.zst", &zstandard(&inner)),
        file("d.gz", &gzip(&secret())),
        file("e.jar", &zip),
        file("f.tar", &twice),
        file("g.txt", &secret()),
    ]);
    let searched = search(&gzip(&layer)).expect("a layer");
    let found: Vec<&str> = places(&searched).into_iter().filter_map(|(path, _)| path).collect();
    assert_eq!(
        found,
        [
            "a.tar!/values.yaml",
            "b.tgz!/values.yaml",
            "c.tar.zst!/values.yaml",
            "d.gz",
            "e.jar!/stored.txt",
            "e.jar!/deflated.txt",
            "e.jar!/streamed.txt",
            "e.jar!/last.txt",
            "g.txt"
        ]
    );
    assert!(searched.unsearched.is_empty(), "{:?}", searched.unsearched);
}

#[test]
fn what_is_no_archive_is_searched_as_a_file() {
    let about = About { name: Some("values.yaml"), size: 1, is_layer: false };
    let searched = blob(Rules::standard(), secret().as_slice(), about, &|_| true).expect("a file");
    assert_eq!(places(&searched), [(Some("values.yaml"), Some(2))]);
    let searched = search(&secret()).expect("a layer");
    assert_eq!(places(&searched), [(None, Some(2))]);
    assert!(searched.unsearched[0].1.contains("no tar archive"), "{:?}", searched.unsearched);
    let zip = zipped(&[("a.txt", &secret(), true, false)]);
    let about = About { name: Some("bundle.zip"), size: 1, is_layer: false };
    let searched = blob(Rules::standard(), zip.as_slice(), about, &|_| true).expect("a file");
    assert_eq!(places(&searched), [(Some("bundle.zip!/a.txt"), Some(2))]);
}

#[test]
fn names_are_searched_and_not_shown_where_they_hold_a_secret() {
    let value = token("q7Zt3mXc9LwB2vKd8RfYh5Np1SgJx6");
    let searched = search(&tar(&[file(&format!("tmp/{value}/x"), b"")])).expect("a layer");
    assert_eq!(places(&searched), [(Some("tmp/…/x"), None)]);
}

#[test]
fn what_a_layer_deletes_is_known() {
    let layer = tar(&[
        file("app/.wh.key.pem", b""),
        file("etc/.wh..wh..opq", b""),
        file(".wh.gone", b""),
        link("link", "app/key.pem", b'2'),
        link("hard", "app/key.pem", b'1'),
    ]);
    let searched = search(&layer).expect("a layer");
    assert_eq!(searched.deleted, ["app/key.pem", "etc/", "gone"]);
}

#[test]
fn what_lies_behind_the_end_of_an_archive_is_searched() {
    let layer = [tar(&[file("a", b"x")]), vec![0; 9 * BLOCK], secret()].concat();
    let searched = search(&gzip(&layer)).expect("a layer");
    assert_eq!(places(&searched), [(Some("(behind the end of the archive)"), Some(2))]);
}

#[test]
fn a_damaged_layer_is_an_error_and_a_damaged_archive_in_it_is_told() {
    let layer = tar(&[file("a", &[7; 5000]), file("b", &secret())]);
    let compressed = gzip(&layer);
    for broken in [
        layer[..700].to_vec(),
        layer[..BLOCK + 5000_usize.next_multiple_of(BLOCK) + 100].to_vec(),
        compressed[..compressed.len() - 20].to_vec(),
        [layer[..6144 - BLOCK].to_vec(), vec![1; BLOCK]].concat(),
        tar(&[header("long", b"77777777777", b'L', "")]),
    ] {
        let error = search(&broken).err().map(|error| error.to_string());
        assert!(error.is_some(), "{} bytes were taken", broken.len());
    }
    let inner = gzip(&tar(&[file("x", &secret())]));
    let zip = zipped(&[("x.txt", &secret(), true, false)]);
    let layer = tar(&[
        file("cut.tgz", &inner[..inner.len() / 2]),
        file("cut.zip", &zip[..40]),
        file("false.gz", b"\x1f\x8b\x08 this is none"),
        file("whole.txt", &secret()),
    ]);
    let searched = search(&layer).expect("a layer");
    assert_eq!(places(&searched), [(Some("whole.txt"), Some(2))]);
    let told: Vec<&str> = searched.unsearched.iter().filter_map(|(path, _)| path.as_deref()).collect();
    assert_eq!(told, ["cut.tgz", "cut.zip", "false.gz"]);
}

#[test]
fn what_is_encrypted_or_of_another_method_is_told() {
    let mut zip = zipped(&[("secret.txt", &secret(), false, false), ("open.txt", &secret(), true, false)]);
    zip[6] = 1;
    let searched = search(&tar(&[file("a.zip", &zip)])).expect("a layer");
    assert_eq!(places(&searched), [(Some("a.zip!/open.txt"), Some(2))]);
    assert_eq!(searched.unsearched.len(), 1);
    assert!(searched.unsearched[0].1.contains("encrypted"));
}

/// Zeros, to any size.
fn bomb(mebibytes: usize) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..mebibytes {
        encoder.write_all(&vec![0; 1024 * 1024]).expect("compressed");
    }
    encoder.finish().expect("compressed")
}

#[test]
fn a_bomb_in_a_layer_is_stopped_and_told() {
    let layer = tar(&[file("bomb.gz", &bomb(80)), file("after.txt", &secret())]);
    let searched = search(&layer).expect("a layer");
    assert_eq!(places(&searched), [(Some("after.txt"), Some(2))]);
    assert_eq!(searched.unsearched[0].0.as_deref(), Some("bomb.gz"));
    assert!(searched.unsearched[0].1.contains("64 MiB"), "{:?}", searched.unsearched);
}

#[test]
fn a_great_many_entries_are_passed_in_little_memory() {
    /// Headers without end.
    struct Entries(Vec<u8>, usize);
    impl Read for Entries {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            if self.1 == 0 {
                return Ok(0);
            }
            self.1 -= 1;
            into[..BLOCK].copy_from_slice(&self.0);
            Ok(BLOCK)
        }
    }
    let about = About { name: None, size: 1, is_layer: true };
    let entries = Entries(file("a/b/c", b""), 200_000);
    let searched = blob(Rules::standard(), entries, about, &|_| true).expect("a layer");
    assert!(searched.hits.is_empty());
}

#[test]
fn who_wants_to_stop_is_heard() {
    let about = About { name: None, size: 1, is_layer: true };
    let stopped = blob(Rules::standard(), gzip(&tar(&[file("a", b"x")])).as_slice(), about, &|_| false);
    assert!(matches!(stopped, Err(ContentError::Stopped)));
}

#[test]
fn the_error_of_a_source_arrives_as_it_was() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let about = About { name: None, size: 1, is_layer: true };
    let failing = gzip(&tar(&[file("a", &secret())]));
    let reader = failing[..60].chain(Failing);
    match blob(Rules::standard(), reader, about, &|_| true) {
        Err(ContentError::Read(error)) => assert_eq!(error.to_string(), "the disk is gone"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn configurations_are_searched_in_every_part_and_instructions_tell_no_value() {
    let value = token("q7Zt3mXc9LwB2vKd8RfYh5Np1SgJx6");
    let text = serde_json::json!({
        "config": { "Env": ["PATH=/bin", format!("GITHUB_TOKEN={value}")], "Labels": { "note": value },
            "Cmd": ["serve", "--token", value] },
        "history": [
            { "created_by": format!("RUN |1 TOKEN={value} /bin/sh -c make install # buildkit") },
            { "created_by": "ENV A=b", "empty_layer": true },
            { "created_by": "/bin/sh -c #(nop) COPY dir:abc in /app " },
        ],
    });
    let bytes = serde_json::to_vec(&text).expect("JSON");
    let hits = config(Rules::standard(), &bytes);
    let parts: Vec<&str> =
        hits.iter().filter(|it| it.found.rule == "github-token").map(|it| it.part.as_str()).collect();
    for part in [
        "environment variable `GITHUB_TOKEN`",
        "label `note`",
        "command",
        "history entry 1 (RUN make install)",
    ] {
        assert!(parts.contains(&part), "{part}: {parts:?}");
    }
    assert!(hits.iter().all(|hit| !format!("{hit:?}").contains(&value)));
    assert_eq!(instructions(Rules::standard(), &bytes, 2), ["RUN make install", "COPY dir:abc in /app"]);
    assert!(instructions(Rules::standard(), &bytes, 3).is_empty());
    let shown =
        hide(Rules::standard(), &format!("RUN curl -H \"Authorization: {value}\" https://example.com"));
    assert!(!shown.contains(&value[4..]) && shown.starts_with("RUN curl"), "{shown}");
}
