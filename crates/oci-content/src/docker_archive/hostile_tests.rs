//! Docker archives that lie, lead out, are cut off or would grow: each is refused by name.

use super::*;

#[test]
fn content_that_differs_from_its_description_is_refused() {
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
        (single(&layer("bad"), &id), "Digest: `l` in `a.tar` does not hold `sha256:"),
        (single(&gzip(&layer("bad")), &id), "its tar is `sha256:"),
        (single(&broken, &id), "`l` in `a.tar`"),
        (single(&half, &id), "Malformed: `l` in `a.tar` is damaged"),
        (single(&trailing, &id), "Malformed: `l` in `a.tar` is damaged: unexpected end of file"),
        (single(b"BZh91AY", &id), "is compressed with bzip2, which is not supported for layers"),
        (single(&good, "sha256:0"), "`c` in `a.tar` is damaged: `sha256:0` is not a digest"),
        (single(&good, &format!("sha512:{}", "a".repeat(128))), "by `sha512`, not by `sha256`"),
        (named("c", &right, &["l", "l"]), "it names 1 layer, but `manifest.json` lists 2"),
        (named("c", &right, &[]), "it names 1 layer, but `manifest.json` lists 0"),
        (named("c", b"{}", &["l"]), "missing field `rootfs`"),
        (named("c", &[b'x'; 100], &["l"]), "`c` in `a.tar` is damaged: expected value"),
        (
            named("c", &right, &["m"]),
            "archive `a.tar` is damaged: it names the file `m`, but does not contain it",
        ),
        (named(&other_name, &right, &["l"]), "Digest: "),
        (Tar::default().file("x", b""), "is not a Docker archive: it has no file `manifest.json`"),
        (Tar::default().file("manifest.json", b"["), "`manifest.json` in `a.tar` is damaged: EOF"),
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
        (base("a/l").symbolic("a/l", "../../l"), "`a/l` in `a.tar` is damaged: it is a link to `../../l`"),
        (base("a/l").hard("a/l", "../l").file("l", &good), "it is a link to `../l`, which lies outside"),
        (base("l").symbolic("l", "m"), "it leads to `m`, which is not in the archive"),
        (base("l").symbolic("l", "l"), "more than 40 links, or in a circle"),
        (base("l").symbolic("l", "a/m").hard("a/m", "l"), "more than 40 links, or in a circle"),
        (chain, "more than 40 links"),
        (base("l").entry("l", tar::EntryType::GNUSparse, "", &good), "`l` in `a.tar` is a sparse file"),
        (
            base("l").entry("l/", tar::EntryType::Directory, "", b""),
            "it names the file `l`, but does not contain it",
        ),
        (
            base("l").entry("l", tar::EntryType::Fifo, "", b""),
            "it names the file `l`, but does not contain it",
        ),
        (base("l").file("l", &good).file("l", b"shorter"), "it holds `l` twice"),
    ] {
        tar.write(&folder.path().join("a.tar"));
        let error = refused(&folder, "docker-archive:a.tar");
        assert!(error.contains(words), "{error}\nexpected: {words}");
    }
    // A name that leads out is refused, even though nothing refers to it and nothing is ever unpacked.
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
        assert!(error.contains("cut off") || error.contains("is not a Docker archive"), "{length}: {error}");
    }
}

#[test]
fn hostile_sizes_are_refused_without_being_read() {
    let folder = folder();
    let path = folder.path().join("a.tar");
    // A sparse file of a hundred megabytes takes no space on the disk.
    let mut header = tar::Header::new_gnu();
    header.set_path("manifest.json").expect("a name");
    header.set_size(100_000_000);
    header.set_cksum();
    fs::write(&path, header.as_bytes()).expect("written");
    fs::OpenOptions::new().write(true).open(&path).expect("opened").set_len(100_010_000).expect("long");
    let error = refused(&folder, "docker-archive:a.tar");
    assert!(error.contains("`manifest.json` in `a.tar` is damaged: it has 100000000 bytes"), "{error}");

    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    member.write_all(&vec![0; 1 << 24]).expect("compressed");
    let member = member.finish().expect("compressed");
    let bomb = member.repeat(70);
    single(&bomb, &sha256(b"")).write(&path);
    let error = refused(&folder, "docker-archive:a.tar");
    assert!(error.contains("and expands to more than 1073741824, which no layer does"), "{error}");

    let many = (0..3).fold(Tar::default(), |tar, _| {
        (0..80).fold(tar, |tar, _| {
            tar.entry("x", tar::EntryType::GNULongName, "", "a".repeat(200_000).as_bytes()).file("x", b"")
        })
    });
    // A repeated long name is kept only once, but many long names exceed the limit.
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
    assert!(refused(&folder, "docker-archive:a.tar").contains("archive `a.tar` is damaged"));
    fs::write(&path, b"\xfd7zXZ\0").expect("written");
    assert!(
        refused(&folder, "docker-archive:a.tar").contains("is compressed with xz, which is not supported")
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
    assert!(
        shown(&error).starts_with("Temporary: cannot write a temporary file in `/nowhere/at/all`"),
        "{error:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// If an archive is changed anywhere, it is refused, or the published content still has its digests.
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
            // The checksums are made valid, so that the code behind the check is reached.
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
