//! Blobs in every format, whole and damaged, are searched for one token.

use std::io::{Read, Write};

use testkit::raw_tar::{BLOCK, entry, file, pax};

use super::blob_fixtures::{gzip, places, search, secret, tar, zipped, zstandard};
use crate::{BlobError, BlobFacts, Rules};

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
fn a_blob_that_is_not_an_archive_is_searched_as_a_file() {
    let facts = BlobFacts { name: Some("values.yaml"), is_layer: false };
    let searched = Rules::standard().search_blob(secret().as_slice(), facts, &|_| true).expect("a file");
    assert_eq!(places(&searched), [(Some("values.yaml"), Some(2))]);
    let searched = search(&secret()).expect("a layer");
    assert_eq!(places(&searched), [(None, Some(2))]);
    assert!(searched.unreadable.expect("a reason").contains("not a tar archive"));
    let zip = zipped(&[("a.txt", &secret(), true, false)]);
    let facts = BlobFacts { name: Some("bundle.zip"), is_layer: false };
    let searched = Rules::standard().search_blob(zip.as_slice(), facts, &|_| true).expect("a file");
    assert_eq!(places(&searched), [(Some("bundle.zip!/a.txt"), Some(2))]);
}

#[test]
fn the_bytes_after_the_end_of_an_archive_are_searched() {
    let layer = [tar(&[file("a", b"x")]), vec![0; 9 * BLOCK], secret()].concat();
    let searched = search(&gzip(&layer)).expect("a layer");
    assert_eq!(places(&searched), [(Some("(after the end of the archive)"), Some(2))]);
}

#[test]
fn a_skippable_frame_may_precede_a_layer() {
    for magic in [0x50, 0x5f] {
        let skipped = [
            &[magic, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4],
            zstandard(&tar(&[file("a", &secret())])).as_slice(),
        ]
        .concat();
        let searched = search(&skipped).expect("a layer");
        assert_eq!(places(&searched), [(Some("a"), Some(2))]);
        assert_eq!(searched.unreadable, None);
    }
}

#[test]
fn a_layer_that_is_not_a_tar_archive_counts_as_not_searched() {
    for layer in [
        b"7z\xbc\xaf\x27\x1c and so on".to_vec(),
        gzip(b"7z\xbc\xaf\x27\x1c and so on"),
        zipped(&[("a.txt", b"x", true, false)]),
    ] {
        assert!(search(&layer).expect("a layer").unreadable.is_some());
        let facts = BlobFacts { name: None, is_layer: false };
        let searched = Rules::standard().search_blob(layer.as_slice(), facts, &|_| true).expect("a file");
        assert_eq!(searched.unreadable, None);
    }
    assert_eq!(search(&[]).expect("a layer").unreadable, None);
}

#[test]
fn a_layer_of_more_than_a_gibibyte_is_searched_to_its_end() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("an encoder");
    encoder.write_all(&tar(&[file("a", b"x")])).expect("compressed");
    let zeros = vec![0; 1024 * 1024];
    for _ in 0..1_030 {
        encoder.write_all(&zeros).expect("compressed");
    }
    encoder.write_all(&secret()).expect("compressed");
    let layer = encoder.finish().expect("compressed");
    let searched = search(&layer).expect("a layer");
    assert_eq!(places(&searched), [(Some("(after the end of the archive)"), Some(2))]);
    assert!(searched.complete && searched.unreadable.is_none());
}

#[test]
fn a_great_many_entries_are_passed_in_little_memory() {
    /// Yields the same header a number of times.
    struct RepeatedHeaders(Vec<u8>, usize);
    impl Read for RepeatedHeaders {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            if self.1 == 0 {
                return Ok(0);
            }
            self.1 -= 1;
            into[..BLOCK].copy_from_slice(&self.0);
            Ok(BLOCK)
        }
    }
    let facts = BlobFacts { name: None, is_layer: true };
    let entries = RepeatedHeaders(file("a/b/c", b""), 200_000);
    let searched = Rules::standard().search_blob(entries, facts, &|_| true).expect("a layer");
    assert!(searched.matches.is_empty());
}

#[test]
fn a_search_can_be_stopped() {
    let facts = BlobFacts { name: None, is_layer: true };
    let stopped = Rules::standard().search_blob(gzip(&tar(&[file("a", b"x")])).as_slice(), facts, &|_| false);
    assert!(matches!(stopped, Err(BlobError::Stopped)));
}

#[test]
fn the_error_of_a_source_is_returned_unchanged() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let facts = BlobFacts { name: None, is_layer: true };
    let failing = gzip(&tar(&[file("a", &secret())]));
    let reader = failing[..60].chain(Failing);
    match Rules::standard().search_blob(reader, facts, &|_| true) {
        Err(BlobError::Read(error)) => assert_eq!(error.to_string(), "the disk is gone"),
        other => panic!("{other:?}"),
    }
}
