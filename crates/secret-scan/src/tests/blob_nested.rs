//! Archives in archives, and the formats of archives that are rarer in images.

use std::io::Write;

use testkit::raw_tar::file;

use super::blob_fixtures::{gzip, places, search, secret, tar, zipped};
use crate::SecretSeverity;

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut writer =
        lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).expect("a writer");
    writer.write_all(bytes).expect("compressed");
    writer.finish().expect("compressed")
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    writer.write_all(bytes).expect("compressed");
    writer.finish().expect("compressed")
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).expect("compressed");
    writer.finish().expect("compressed")
}

/// Returns an archive of `ar`.
fn ar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    for (name, contents) in files {
        archive.extend_from_slice(
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100_644, contents.len()).as_bytes(),
        );
        archive.extend_from_slice(contents);
        archive.resize(archive.len().next_multiple_of(2), b'\n');
    }
    archive
}

/// Returns a pack of git with one object.
fn pack(contents: &[u8]) -> Vec<u8> {
    let mut pack = b"PACK\x00\x00\x00\x02\x00\x00\x00\x01".to_vec();
    let (mut size, mut kind) = (contents.len(), 3 << 4);
    let mut byte = u8::try_from(size & 15).expect("small") | kind;
    size >>= 4;
    while size > 0 {
        pack.push(byte | 0x80);
        byte = u8::try_from(size & 127).expect("small");
        size >>= 7;
        kind = 0;
    }
    pack.push(byte | kind);
    pack.extend(zlib(contents));
    pack.extend([0; 20]);
    pack
}

fn found(name: &str, contents: &[u8]) -> Vec<String> {
    let searched = search(&gzip(&tar(&[file(name, contents), file("after.txt", b"x")]))).expect("a layer");
    assert!(searched.complete, "{searched:?}");
    places(&searched).into_iter().filter_map(|(path, _)| path.map(str::to_owned)).collect()
}

#[test]
fn every_format_of_an_archive_is_opened() {
    let values = tar(&[file("values.yaml", &secret())]);
    let jar = zipped(&[("BOOT-INF/classes/application.yml", &secret(), true, false)]);
    let script = format!("#!/bin/bash\n{}exit 0\n", "# a script\n".repeat(900));
    for (name, contents, place) in [
        ("a.tar.xz", xz(&values), "a.tar.xz!/values.yaml"),
        ("a.txt.xz", xz(&secret()), "a.txt.xz"),
        ("a.tbz2", bzip2(&values), "a.tbz2!/values.yaml"),
        ("a.bz2", bzip2(&secret()), "a.bz2"),
        (
            "a.deb",
            ar(&[("debian-binary", b"2.0\n"), ("data.tar.xz", &xz(&values))]),
            "a.deb!/data.tar.xz!/values.yaml",
        ),
        ("a.a", ar(&[("a.o/", &secret())]), "a.a!/a.o"),
        ("app.jar", [script.as_bytes(), &jar].concat(), "app.jar!/BOOT-INF/classes/application.yml"),
        (
            "a.pex",
            [b"#!/usr/bin/env python3\n".as_slice(), &jar].concat(),
            "a.pex!/BOOT-INF/classes/application.yml",
        ),
        ("a.zip", zipped(&[("a.txt", &secret(), false, true), ("b.txt", b"x", true, false)]), "a.zip!/a.txt"),
        (
            "a.war",
            zipped(&[(
                "lib/b.jar",
                &zipped(&[("lib/c.zip", &zipped(&[("d.txt", &secret(), true, false)]), false, false)]),
                true,
                false,
            )]),
            "a.war!/lib/b.jar!/lib/c.zip!/d.txt",
        ),
        (
            "src/.git/objects/ab/cdef",
            zlib(&[b"blob 80\0".as_slice(), &secret()].concat()),
            "src/.git/objects/ab/cdef",
        ),
        ("src/.git/objects/pack/pack-1.pack", pack(&secret()), "src/.git/objects/pack/pack-1.pack"),
    ] {
        assert_eq!(found(name, &contents), [place], "{name}");
    }
}

#[test]
fn texts_in_utf_16_and_in_headers_of_gzip_are_searched() {
    let text = String::from_utf8(secret()).expect("a text");
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(found("a.txt", &[&[0xff, 0xfe], little.as_slice()].concat()), ["a.txt"]);
    assert_eq!(found("a.txt", &[&[0xfe, 0xff], big.as_slice()].concat()), ["a.txt"]);
    assert_eq!(found("a.txt", &little), ["a.txt"]);
    let mut encoder = flate2::GzBuilder::new()
        .comment(text.replace('\n', " "))
        .write(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"x").expect("compressed");
    assert_eq!(found("a.gz", &encoder.finish().expect("compressed")), ["a.gz"]);
}

#[test]
fn an_archive_that_is_not_opened_is_named() {
    let mut inner = zipped(&[("a.txt", &secret(), true, false)]);
    for _ in 0..3 {
        inner = zipped(&[("b.zip", &inner, true, false)]);
    }
    for (name, contents, path) in [
        ("a.zip", inner, "a.zip!/b.zip!/b.zip!/b.zip"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c\x00\x04".to_vec(), "a.7z"),
        ("a.rpm", b"\xed\xab\xee\xdb\x03\x00".to_vec(), "a.rpm"),
    ] {
        let searched = search(&tar(&[file(name, &contents)])).expect("a layer");
        let named: Vec<_> = searched.unsearched.iter().filter_map(|it| it.path.as_deref()).collect();
        assert_eq!(named, [path], "{searched:?}");
    }
}

#[test]
fn keys_in_der_are_recognized_by_their_structure() {
    let element =
        |tag: u8, body: &[u8]| [&[tag, 0x81, u8::try_from(body.len()).expect("short")], body].concat();
    let key = super::made::Maker::new(4).bytes(100);
    let algorithm = [0x30, 7, 6, 5, 0x2b, 0x81, 4, 0, 0x22];
    let pkcs8 = element(0x30, &[&[2, 1, 0], algorithm.as_slice(), &element(4, &key)].concat());
    let sec1 = element(0x30, &[&[2, 1, 1, 4, 32], &key[..32], &[0; 8]].concat());
    let certificate = element(0x30, &element(0x30, &key));
    let bag = [0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x01];
    let store = element(0x30, &[&[2, 1, 3], bag.as_slice(), &key].concat());
    for (name, contents, rule) in [
        ("app/server.der", &pkcs8, Some("der-private-key")),
        ("app/server.key", &sec1, Some("der-private-key")),
        ("app/server.crt", &certificate, None),
        ("app/store.p12", &store, Some("plain-key-store")),
    ] {
        let searched = search(&tar(&[file(name, contents)])).expect("a layer");
        let high = searched.matches.iter().find(|it| it.found.severity == SecretSeverity::High);
        assert_eq!(high.map(|it| it.found.rule), rule, "{name}: {searched:?}");
    }
}
