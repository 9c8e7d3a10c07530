//! Blobs in every format, whole and damaged, are searched for one token.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use super::raw_tar::{BLOCK, end, entry, file, header, link, pax};
use super::*;
use crate::Rules;
use crate::Severity;
use oci_registry::Digest;

/// Returns a token that no service issued, with a valid checksum.
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

/// Returns the files and lines in which the token was found.
fn places(searched: &Searched) -> Vec<(Option<&str>, Option<u64>)> {
    let hits = searched.hits.iter().filter(|hit| hit.found.rule == "github-token");
    hits.map(|hit| (hit.path.as_deref(), hit.found.line)).collect()
}

fn tar(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat(), end()].concat()
}

/// Returns a zip archive. Each file is a name, its contents, whether they are compressed, and whether the sizes follow the data.
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
fn a_blob_that_is_not_an_archive_is_searched_as_a_file() {
    let about = About { name: Some("values.yaml"), size: 1, is_layer: false };
    let searched = blob(Rules::standard(), secret().as_slice(), about, &|_| true).expect("a file");
    assert_eq!(places(&searched), [(Some("values.yaml"), Some(2))]);
    let searched = search(&secret()).expect("a layer");
    assert_eq!(places(&searched), [(None, Some(2))]);
    assert!(searched.unreadable.expect("a reason").contains("not a tar archive"));
    let zip = zipped(&[("a.txt", &secret(), true, false)]);
    let about = About { name: Some("bundle.zip"), size: 1, is_layer: false };
    let searched = blob(Rules::standard(), zip.as_slice(), about, &|_| true).expect("a file");
    assert_eq!(places(&searched), [(Some("bundle.zip!/a.txt"), Some(2))]);
}

#[test]
fn names_are_searched_and_not_shown_if_they_hold_a_secret() {
    let value = token("q7Zt3mXc9LwB2vKd8RfYh5Np1SgJx6");
    let searched = search(&tar(&[file(&format!("tmp/{value}/x"), b"")])).expect("a layer");
    assert_eq!(places(&searched), [(Some("tmp/…/x"), None)]);
}

#[test]
fn the_deletions_of_a_layer_are_listed() {
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
fn the_bytes_after_the_end_of_an_archive_are_searched() {
    let layer = [tar(&[file("a", b"x")]), vec![0; 9 * BLOCK], secret()].concat();
    let searched = search(&gzip(&layer)).expect("a layer");
    assert_eq!(places(&searched), [(Some("(after the end of the archive)"), Some(2))]);
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
    let unsearched: Vec<&str> = searched.unsearched.iter().filter_map(|(path, _)| path.as_deref()).collect();
    assert_eq!(unsearched, ["cut.tgz", "cut.zip", "false.gz"]);
}

#[test]
fn an_encrypted_file_in_a_zip_archive_is_reported() {
    let mut zip = zipped(&[("secret.txt", &secret(), false, false), ("open.txt", &secret(), true, false)]);
    zip[6] = 1;
    let searched = search(&tar(&[file("a.zip", &zip)])).expect("a layer");
    assert_eq!(places(&searched), [(Some("a.zip!/open.txt"), Some(2))]);
    assert_eq!(searched.unsearched.len(), 1);
    assert!(searched.unsearched[0].1.contains("encrypted"));
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
    assert_eq!(searched.unsearched[0].0.as_deref(), Some("bomb.gz"));
    assert!(searched.unsearched[0].1.contains("64 MiB"), "{:?}", searched.unsearched);
}

#[test]
fn a_great_many_entries_are_passed_in_little_memory() {
    /// Yields the same header a number of times.
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
fn a_search_can_be_stopped() {
    let about = About { name: None, size: 1, is_layer: true };
    let stopped = blob(Rules::standard(), gzip(&tar(&[file("a", b"x")])).as_slice(), about, &|_| false);
    assert!(matches!(stopped, Err(ContentError::Stopped)));
}

#[test]
fn the_error_of_a_source_is_returned_unchanged() {
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
fn configurations_are_searched_in_every_part_and_instructions_show_no_value() {
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
    let of_token = hits.iter().filter(|it| it.found.rule == "github-token");
    let parts: Vec<String> = of_token.map(|it| it.part.shown(&BTreeSet::new())).collect();
    for part in [
        "environment variable `GITHUB_TOKEN`",
        "label `note`",
        "command",
        "history entry 1 (RUN make install)",
    ] {
        assert!(parts.iter().any(|it| it == part), "{part}: {parts:?}");
    }
    assert!(hits.iter().all(|hit| !format!("{hit:?}").contains(&value)));
    assert_eq!(instructions(Rules::standard(), &bytes, 2), ["RUN make install", "COPY dir:abc in /app"]);
    assert!(instructions(Rules::standard(), &bytes, 3).is_empty());
    let shown =
        hide(Rules::standard(), &format!("RUN curl -H \"Authorization: {value}\" https://example.com"));
    assert!(!shown.contains(&value[4..]) && shown.starts_with("RUN curl"), "{shown}");
}

#[test]
fn words_that_follow_the_name_of_a_secret_or_look_random_are_not_shown() {
    let secret = "pcMysQ8vLw2Zt7Kd";
    for text in [
        "printf \"machine api.github.com login me password V\" > /root/.netrc",
        "printf 'machine x\\nlogin me\\npassword V\\n' > /root/.netrc",
        "printf \"[client]\\npassword=V\\n\" > /root/.my.cnf",
        "echo V | docker login -u me --password-stdin",
        "docker login -u me -p V registry.example.com",
        "curl -u me:V https://example.com",
        "curl -ume:V https://example.com",
        "curl -H \"Authorization: Bearer V\" https://example.com",
        "curl -H 'Authorization: Basic V' https://example.com",
        "mysql -uroot -pV -e 'select 1'",
        "tool --api-key V --token=V --client-secret \"V\" --passphrase V",
        "CMD [\"serve\",\"--token\",\"V\"]",
        "PASSWORD='V and more' make",
        "make install V",
        "wget https://example.com/V/file",
        "TOKEN=V,V make",
    ] {
        // One value looks random, the other does not.
        for value in [secret, "sunflower"] {
            let random_alone = ["echo V", "make install", "wget"].iter().any(|it| text.starts_with(it));
            if value != secret && random_alone {
                continue;
            }
            let shown = shown(&hide(Rules::standard(), &text.replace('V', value)), &BTreeSet::new());
            assert!(!shown.contains(&value[2..8]), "{shown}");
        }
    }
    for text in [
        "apt-get install -y ca-certificates python3.11-minimal linux-headers-5.10.0-8-amd64",
        "COPY dir:3fa94e1b5c8d2e7f60718293a4b5c6d7e8f9a0b1c2d3e4f5061728394a5b6c7d /app",
        "mkdir -p /app/data",
        "RUN a@sha256:3fa94e1b5c8d2e7f60718293a4b5c6d7e8f9a0b1c2d3e4f5061728394a5b6c7d",
        "curl -H \"Authorization: Bearer $TOKEN\" https://example.com",
    ] {
        assert_eq!(hide(Rules::standard(), text), text);
    }
}

#[test]
fn a_value_that_is_found_elsewhere_is_not_shown() {
    let known = BTreeSet::from([Digest::of(b"sunflower"), Digest::of(b"a:b,c")]);
    for (text, expected) in [
        ("setup sunflower now", "setup … now"),
        ("x=sunflower;y", "x=…;y"),
        ("printf 'a\\nsunflower\\n'", "printf 'a\\n…\\n'"),
        ("--dsn=a:b,c@host", "--dsn=…@host"),
        ("sunflowers", "sunflowers"),
    ] {
        assert_eq!(shown(text, &known), expected);
    }
    // A known value is not cut in the middle either.
    let long = format!("{} sunflower", "x".repeat(68));
    assert!(!shown(&long, &known).contains("sun"));
    assert_eq!(shown_path("app/sunflower/x", &known), "app/…/x");
}

#[test]
fn many_harmless_findings_leave_room_for_bad_ones() {
    let mut parts: Vec<Vec<u8>> = (0..1_001).map(|number| file(&format!("{number}.jks"), b"x")).collect();
    parts.push(file("last.txt", &secret()));
    let searched = search(&tar(&parts)).expect("a layer");
    assert_eq!(places(&searched), [(Some("last.txt"), Some(2))]);
    assert_eq!((searched.hits.len(), searched.high_left_out), (1_000, 0));
    assert!(searched.unsearched[0].1.contains("2 more findings"), "{:?}", searched.unsearched);
    let parts: Vec<Vec<u8>> = (0..1_003).map(|number| file(&format!("{number}.txt"), &secret())).collect();
    let searched = search(&tar(&parts)).expect("a layer");
    assert!(searched.hits.iter().all(|hit| hit.found.severity == Severity::High));
    assert_eq!((searched.hits.len(), searched.high_left_out), (1_000, 3));
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
        b"\xfd7zXZ\x00 and so on".to_vec(),
        gzip(b"\xfd7zXZ\x00 and so on"),
        zipped(&[("a.txt", b"x", true, false)]),
    ] {
        assert!(search(&layer).expect("a layer").unreadable.is_some());
        let about = About { name: None, size: 1, is_layer: false };
        let searched = blob(Rules::standard(), layer.as_slice(), about, &|_| true).expect("a file");
        assert_eq!(searched.unreadable, None);
    }
    assert_eq!(search(&[]).expect("a layer").unreadable, None);
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
    let about = About { name: Some("bundle.zip"), size: 1, is_layer: false };
    let bundle = named(&zip);
    let searched = blob(Rules::standard(), bundle.as_slice(), about, &|_| true).expect("a file");
    assert_eq!(places(&searched).len(), 1, "{searched:?}");
}

#[test]
fn records_attributes_and_links_of_files_are_searched() {
    let value = token("q7Zt3mXc9LwB2vKd8RfYh5Np1SgJx6");
    let layer = tar(&[
        pax(&[("SCHILY.xattr.user.note", &value)], b'x'),
        file("attribute", b"x"),
        pax(&[("comment", &token("a8Yu2nWd7MxC3wLe9SgZi6Oq4ThKy5"))], b'g'),
        link("link", &token("b9Xv1oVe6NyD4xMf8ThAj7Pr5UiLz4"), b'2'),
    ]);
    let searched = search(&layer).expect("a layer");
    let mut found: Vec<&str> = places(&searched).into_iter().filter_map(|(path, _)| path).collect();
    found.sort_unstable();
    assert_eq!(found, ["(records about all files)", "attribute", "link"]);
    assert!(!format!("{searched:?}").contains(&value));
}

#[test]
fn every_member_of_a_configuration_is_searched_and_a_secret_reported_once() {
    use base64::Engine as _;
    let [one, two, three] = [
        "q7Zt3mXc9LwB2vKd8RfYh5Np1SgJx6",
        "a8Yu2nWd7MxC3wLe9SgZi6Oq4ThKy5",
        "b9Xv1oVe6NyD4xMf8ThAj7Pr5UiLz4",
    ]
    .map(token);
    let info = serde_json::json!({ "attrs": { "build-arg:NPM_TOKEN": one } }).to_string();
    let info = base64::engine::general_purpose::STANDARD.encode(info);
    let text = format!(
        r#"{{"moby.buildkit.buildinfo.v1":"{info}","x":{{"y":["{two}"]}},"config":{{"Env":["A={three}"],"Labels":{{"API_TOKEN":"kd83hZq0fPw7vMt2"}}}},
        "comment":"{two}","comment":"nothing"}}"#
    );
    let hits = config(Rules::standard(), text.as_bytes());
    let parts: Vec<String> = hits.iter().map(|hit| hit.part.shown(&BTreeSet::new())).collect();
    for part in [
        "configuration, `moby.buildkit.buildinfo.v1`",
        "configuration, `x`",
        "environment variable `A`",
        "label `API_TOKEN`",
    ] {
        assert_eq!(parts.iter().filter(|it| *it == part).count(), 1, "{part}: {parts:?}");
    }
    assert_eq!(parts.len(), 4, "{parts:?}");
    // JSON keeps only one of two members with the same name.
    let twice = format!(r#"{{"comment":"{one}","comment":"nothing"}}"#);
    let hits = config(Rules::standard(), twice.as_bytes());
    assert_eq!(hits.len(), 1);
    assert_eq!(annotation(Rules::standard(), "com.example.API_TOKEN", "kd83hZq0fPw7vMt2").len(), 1);
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
