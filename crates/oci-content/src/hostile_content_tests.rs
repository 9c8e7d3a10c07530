//! Manifests and indexes that lie, contain themselves, or are nested or large without end: each is refused by name, in bounded
//! memory and time.

use super::*;

fn refused_root(root: &[u8], media_type: &str) -> String {
    let folder = folder();
    let layout = LayoutDirectory::create(&folder.path().join("image"));
    let root = layout.put(media_type, root);
    layout.list(&root, &[]);
    refused("oci:image", folder.path())
}

fn refused_index_file(bytes: &[u8]) -> String {
    let folder = folder();
    let _layout = LayoutDirectory::create(&folder.path().join("image"));
    fs::write(folder.path().join("image/index.json"), bytes).expect("written");
    refused("oci:image", folder.path())
}

#[test]
fn digests_and_sizes_that_are_wrong() {
    let folder = folder();
    let layout = LayoutDirectory::create(&folder.path().join("image"));
    let good = layout.put(OCI_MANIFEST, b"{}");
    for (member, value, words) in [
        ("size", json!(3), "does not hold `sha256:44136fa3"),
        ("size", json!(u64::MAX), "has 18446744073709551615 bytes, more than the limit of 10485760"),
        ("size", json!(-1), "index.json` is damaged: invalid value: integer `-1`"),
        ("size", json!(1.5), "index.json` is damaged: invalid type: floating point `1.5`"),
        ("size", json!("2"), "index.json` is damaged: invalid type: string \"2\""),
        (
            "digest",
            json!("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8b"),
            "is not in the source",
        ),
        (
            "digest",
            json!("sha256:../../../../../../../../../../../../../../../../etc/passwd#########"),
            "is damaged",
        ),
        ("digest", json!("md5:99914b932bd37a50b983c5e7c90ae93b"), "is damaged"),
        (
            "digest",
            json!("sha256:44136FA355B3678A1146AD16F7E8649E94FB4FC21FE77E8310C060F61CAAFF8A"),
            "is damaged",
        ),
        ("digest", json!(format!("sha256:{}", "a".repeat(1_000_000))), "is damaged"),
        ("mediaType", json!("a".repeat(1_000_000)), "neither an image nor an index"),
        ("mediaType", json!("\u{1b}[2J\u{0}"), "neither an image nor an index"),
        ("mediaType", json!([]), "is damaged"),
    ] {
        let mut entry = good.clone();
        entry[member] = value;
        let index = json!({ "schemaVersion": 2, "manifests": [entry] });
        fs::write(folder.path().join("image/index.json"), index.to_string()).expect("written");
        let text = refused("oci:image", folder.path());
        assert!(text.contains(words), "{text}\nexpected: {words}");
    }
}

#[test]
fn json_that_is_made_to_hurt() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(1_000_000), close.repeat(1_000_000));
    for (text, words) in [
        ("[".repeat(5_000_000), "is damaged"),
        (deep("[", "]"), "is damaged"),
        (format!(r#"{{"manifests":{}}}"#, deep("[", "]")), "is damaged"),
        (deep(r#"{"manifests":"#, "}"), "is damaged"),
        (r#"{"manifests":[],"manifests":[]}"#.to_owned(), "duplicate field `manifests`"),
        (format!(r#"{{"manifests":"{}"}}"#, "a".repeat(5_000_000)), "is damaged"),
        (format!(r#"{{"manifests":[{}]}}"#, "9".repeat(1_000_000)), "is damaged"),
        (r#"{"manifests":[{"size":1e999999999}]}"#.to_owned(), "is damaged"),
        ("\u{feff}{}".to_owned(), "is damaged"),
        ("{\"manifests\":[]}\u{0}".to_owned(), "is damaged"),
        (format!(r#"{{"{}":1}}"#, "\u{1b}[2J".repeat(100_000)), "is damaged"),
    ] {
        let shown = refused_index_file(text.as_bytes());
        assert!(shown.starts_with("`image/index.json` is damaged"), "{shown}");
        assert!(shown.contains(words), "{shown}");
        let shown = refused_root(text.as_bytes(), OCI_INDEX);
        assert!(shown.starts_with("manifest `sha256:"), "{shown}");
    }
    assert!(refused_index_file(b"\xff\xfe{\0}\0").contains("index.json` is damaged"));
    // Unknown members are skipped, however deep they are nested.
    let ignored = format!(r#"{{"schemaVersion":2,"other":{},"manifests":[]}}"#, deep("[", "]"));
    let folder = folder();
    let layout = LayoutDirectory::create(&folder.path().join("image"));
    layout.list(&layout.put(OCI_INDEX, ignored.as_bytes()), &[]);
    assert!(read("oci:image", folder.path()).is_ok());
}

#[test]
fn files_of_a_hundred_megabytes() {
    const LARGE: u64 = 100 * 1024 * 1024;
    for name in ["index.json", "oci-layout"] {
        let folder = folder();
        let written = layout(&folder.path().join("image"));
        let file = fs::File::options().write(true).open(written.directory.join(name)).expect("opened");
        file.set_len(LARGE).expect("grown");
        let text = refused("oci:image", folder.path());
        assert_eq!(
            text.lines().next(),
            Some(
                format!("`image/{name}` is damaged: it has {LARGE} bytes, more than the limit of 10485760")
                    .as_str()
            )
        );
    }
    // A manifest and a configuration with descriptors of the right size.
    let folder = folder();
    let layout = LayoutDirectory::create(&folder.path().join("image"));
    let large = vec![b' '; usize::try_from(LARGE).expect("small")];
    let manifest = layout.put(OCI_INDEX, &large);
    let config = describe(fixture::OCI_CONFIG, &large);
    let image = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [] });
    let image = layout.put(OCI_MANIFEST, image.to_string().as_bytes());
    layout.list(&manifest, &["manifest".to_owned()]);
    layout.list(&image, &["config".to_owned()]);
    let text = refused("oci:image:manifest", folder.path());
    assert!(text.contains("has 104857600 bytes, more than the limit of 10485760"), "{text}");
    let text = refused("oci:image:config", folder.path());
    assert!(
        text.contains("configuration `sha256:") && text.contains("more than the limit of 16777216"),
        "{text}"
    );
}

#[test]
fn an_index_that_contains_itself() {
    let folder = folder();
    let layout = LayoutDirectory::create(&folder.path().join("image"));
    // No index can contain its own digest, so the file lies about one of the two.
    let lie = format!("sha256:{}", "1".repeat(64));
    let entry = |size: usize| json!({ "mediaType": OCI_INDEX, "digest": lie, "size": size });
    let index =
        |size| json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry(size)] }).to_string();
    let size = index(100).len();
    assert_eq!(index(size).len(), size);
    fs::write(fixture::blob_path(&folder.path().join("image"), &lie), index(size)).expect("written");
    layout.list(&entry(size), &[]);
    let text = refused("oci:image", folder.path());
    assert!(text.contains(&format!("does not hold `{lie}`: its bytes are `sha256:")), "{text}");
}

#[test]
fn indexes_a_thousand_deep() {
    let folder = folder();
    let layout = LayoutDirectory::create(&folder.path().join("image"));
    let mut entry = layout.put(OCI_INDEX, br#"{"schemaVersion":2,"manifests":[]}"#);
    for _ in 0..1000 {
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry] });
        entry = layout.put(OCI_INDEX, index.to_string().as_bytes());
    }
    layout.list(&entry, &[]);
    let text = refused("oci:image", folder.path());
    assert!(text.starts_with("indexes are nested more than 16 deep"), "{text}");
}

/// Each index lists the next one many times, so that there are few manifests, but more paths than any program can follow.
#[test]
fn indexes_that_fan_out() {
    let folder = folder();
    let layout = LayoutDirectory::create(&folder.path().join("image"));
    let mut entry = layout.put(OCI_INDEX, br#"{"schemaVersion":2,"manifests":[]}"#);
    for _ in 0..14 {
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": vec![&entry; 1000] });
        entry = layout.put(OCI_INDEX, index.to_string().as_bytes());
    }
    layout.list(&entry, &[]);
    assert_eq!(read("oci:image", folder.path()).expect("content").manifests.len(), 15);
}

/// The numbers of as many entries as fit into a manifest.
fn many() -> std::ops::Range<usize> {
    0..80_000
}

#[test]
fn a_million_entries() {
    let entry = json!({ "mediaType": OCI_MANIFEST, "digest": fixture::sha256(b""), "size": 0 }).to_string();
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, vec![entry; 1_000_000].join(","));
    assert!(refused_index_file(index.as_bytes()).contains("bytes, more than the limit of 10485760"));
}

#[test]
fn an_index_file_with_as_many_entries_as_it_has_room_for() {
    let folder = folder();
    let _layout = LayoutDirectory::create(&folder.path().join("image"));
    let write = |entry: &dyn Fn(usize) -> String| {
        let entries: Vec<String> = many().map(entry).collect();
        let text = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
        fs::write(folder.path().join("image/index.json"), text).expect("written");
    };
    let plain = |it: usize| format!(r#"{{"mediaType":"","digest":"sha256:{it:064x}","size":0}}"#);
    write(&plain);
    let text = refused("oci:image", folder.path());
    assert!(text.starts_with("source `oci:image` holds 80000 images: `@0`, `@1`"), "{text}");
    assert!(text.contains("and 79988 more"), "{text}");
    let text = refused("oci:image:v1", folder.path());
    assert!(text.starts_with("source `oci:image` holds no image `v1`: `@0`"), "{text}");
    // The entries all have the same name, or each has its own.
    let named = |name: &str, it: usize| {
        format!(
            r#"{{"mediaType":"","digest":"sha256:{it:064x}","size":0,"annotations":{{"org.opencontainers.image.ref.name":"{name}"}}}}"#
        )
    };
    let some = |entry: &dyn Fn(usize) -> String| {
        let entries: Vec<String> = (0..50_000).map(entry).collect();
        let text = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
        fs::write(folder.path().join("image/index.json"), text).expect("written");
    };
    some(&|it| named("v1", it));
    let text = refused("oci:image:v1", folder.path());
    assert!(text.starts_with("source `oci:image` holds 50000 images: `@0`"), "{text}");
    some(&|it| named(&format!("v{it}"), it));
    let text = refused("oci:image:w1", folder.path());
    assert!(text.contains("`v11` and 49988 more"), "{text}");
}

#[test]
fn a_name_of_a_megabyte() {
    let folder = folder();
    let layout = LayoutDirectory::create(&folder.path().join("image"));
    let root = layout.put(OCI_INDEX, br#"{"schemaVersion":2,"manifests":[]}"#);
    let other = layout.put(OCI_INDEX, br#"{"schemaVersion":2,"manifests":[] }"#);
    layout.list(&root, &["a\u{0}\u{1b}]0;x\u{7}".repeat(100_000)]);
    layout.list(&other, &["b".repeat(1_000_000)]);
    let text = refused("oci:image", folder.path());
    assert!(text.starts_with("source `oci:image` holds 2 images: `a\u{0}\u{1b}]0;x\u{7}a"), "{text}");
    let text = refused("oci:image:c", folder.path());
    assert!(text.starts_with("source `oci:image` holds no image `c`"), "{text}");
}

#[test]
fn a_manifest_with_as_many_layers_as_it_has_room_for() {
    let folder = folder();
    let layout = LayoutDirectory::create(&folder.path().join("image"));
    let config = layout.put("x", b"{}");
    let layers: Vec<Value> = (0..60_000)
        .map(|it| json!({ "mediaType": "x", "digest": format!("sha256:{it:064x}"), "size": 1 }))
        .collect();
    let image = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers });
    let image = layout.put(OCI_MANIFEST, image.to_string().as_bytes());
    layout.list(&image, &[]);
    let text = refused("oci:image", folder.path());
    assert!(text.contains("is not in the source: expected `image/blobs/sha256/00000"), "{text}");
}
