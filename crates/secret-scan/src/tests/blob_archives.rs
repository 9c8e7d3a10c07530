//! Archives in a layer: opened once, and searched as a file if they are damaged.

use std::io::Write;

use testkit::raw_tar::{BLOCK, file, header};

use super::blob_fixtures::{gzip, places, search, secret, tar, zipped, zstandard};
use crate::{BlobFacts, Rules};

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
            "f.tar!/inner.tgz!/values.yaml",
            "g.txt"
        ]
    );
    assert!(searched.unsearched.is_empty(), "{:?}", searched.unsearched);
}

#[test]
fn a_damaged_layer_is_an_error_and_a_damaged_archive_in_it_is_reported() {
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
    let unsearched: Vec<&str> = searched.unsearched.iter().filter_map(|it| it.path.as_deref()).collect();
    assert_eq!(unsearched, ["cut.tgz", "cut.zip", "false.gz"]);
}

#[test]
fn an_encrypted_file_in_a_zip_archive_is_reported() {
    let mut zip = zipped(&[("secret.txt", &secret(), false, false), ("open.txt", &secret(), true, false)]);
    zip[6] = 1;
    let searched = search(&tar(&[file("a.zip", &zip)])).expect("a layer");
    assert_eq!(places(&searched), [(Some("a.zip!/open.txt"), Some(2))]);
    assert_eq!(searched.unsearched.len(), 1);
    assert!(searched.unsearched[0].reason.contains("encrypted"));
}

/// Returns compressed zeros of any size.
fn bomb(mebibytes: usize) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..mebibytes {
        encoder.write_all(&vec![0; 1024 * 1024]).expect("compressed");
    }
    encoder.finish().expect("compressed")
}

#[test]
fn a_bomb_in_a_layer_is_stopped_and_reported() {
    let layer = tar(&[file("bomb.gz", &bomb(80)), file("after.txt", &secret())]);
    let searched = search(&layer).expect("a layer");
    assert_eq!(places(&searched), [(Some("after.txt"), Some(2))]);
    assert_eq!(searched.unsearched[0].path.as_deref(), Some("bomb.gz"));
    assert!(searched.unsearched[0].reason.contains("64 MiB"), "{:?}", searched.unsearched);
}

#[test]
fn bytes_that_an_archive_in_a_layer_does_not_account_for_are_searched_as_a_file() {
    let inner = tar(&[file("values.yaml", b"a: b")]);
    let zip = zipped(&[("a.txt", b"x", true, false)]);
    let stored = zipped(&[("a.txt", &secret(), false, false)]);
    let named = |head: &[u8]| [head, &secret()].concat();
    let layer = tar(&[
        file("false.zip", &named(b"PK\x03\x04garbage\n")),
        file("behind.gz", &named(&gzip(b"text"))),
        file("behind.tgz", &named(&gzip(&inner))),
        file("behind.zst", &named(&zstandard(b"text"))),
        file("behind.zip", &named(&zip)),
        file("false.zst", &named(b"\x28\xb5\x2f\xfdgarbage\n")),
        file("stored.zip", &stored),
        file("after.txt", &secret()),
    ]);
    let searched = search(&gzip(&layer)).expect("a layer");
    let found: Vec<&str> = places(&searched).into_iter().filter_map(|(path, _)| path).collect();
    assert_eq!(
        found,
        [
            "false.zip",
            "behind.gz",
            "behind.tgz",
            "behind.zst",
            "behind.zip",
            "false.zst",
            "stored.zip!/a.txt",
            "after.txt"
        ]
    );
    let facts = BlobFacts { name: Some("bundle.zip"), is_layer: false };
    let bundle = named(&zip);
    let searched = Rules::standard().search_blob(bundle.as_slice(), facts, &|_| true).expect("a file");
    assert_eq!(places(&searched).len(), 1, "{searched:?}");
}

#[test]
fn files_behind_a_gap_in_a_zip_archive_are_searched() {
    // Android's tools write a block of signatures, and pad files to the size of a page.
    let first = zipped(&[("a.txt", b"x", false, false)]);
    // Without its directory, if it has one.
    let ends = [b"PK\x01\x02", b"PK\x05\x06"];
    let end = first.windows(4).position(|it| ends.iter().any(|end| it == *end)).unwrap_or(first.len());
    let second = zipped(&[("b.txt", &secret(), true, false), ("c.txt", &secret(), false, false)]);
    let zip = [&first[..end], b"\0\0\0APK Sig Block 42\0", &second].concat();
    let searched = search(&tar(&[file("a.apk", &zip)])).expect("a layer");
    let found: Vec<_> = places(&searched).into_iter().filter_map(|(path, _)| path).collect();
    assert_eq!(found, ["a.apk!/b.txt", "a.apk!/c.txt"], "{searched:?}");
}

#[test]
fn a_directory_that_describes_another_file_than_was_searched_is_reported() {
    // The name, the method and the size in the directory: as in the header, and otherwise in one of them.
    let stored = u32::try_from(secret().len()).expect("small");
    for (name, method, size, is_same) in [
        ("a.txt", 0_u16, stored, true),
        ("b.txt", 0, stored, false),
        ("a.txt", 8, stored, false),
        ("a.txt", 0, 9, false),
    ] {
        let mut zip = zipped(&[("a.txt", &secret(), false, false)]);
        let end = zip.split_off(zip.len() - 22);
        zip.extend_from_slice(b"PK\x01\x02\x14\x00\x14\x00\x00\x00");
        zip.extend_from_slice(&method.to_le_bytes());
        zip.extend_from_slice(&[0; 8]);
        zip.extend([size, stored].iter().flat_map(|it| it.to_le_bytes()));
        zip.extend_from_slice(&u16::try_from(name.len()).expect("short").to_le_bytes());
        zip.extend_from_slice(&[0; 16]);
        zip.extend_from_slice(name.as_bytes());
        zip.extend_from_slice(&end);
        let searched = search(&tar(&[file("x.jar", &zip)])).expect("a layer");
        assert_eq!(places(&searched).len(), 1, "{name} {method} {size}");
        let gaps: Vec<_> = searched.unsearched.iter().map(|it| it.path.as_deref()).collect();
        let wanted = format!("x.jar!/{name}");
        assert_eq!(gaps, if is_same { vec![] } else { vec![Some(wanted.as_str())] }, "{method} {size}");
    }
}
