//! Artifacts that equal those of oras for the same files, and files that cannot be artifacts.

use std::os::unix::fs::symlink;

use proptest::prelude::*;

use super::*;
use crate::{Surroundings, open_artifact};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

fn file(path: &str, media_type: &str, title: &str) -> ArtifactFile {
    ArtifactFile { path: path.to_owned(), media_type: media_type.to_owned(), title: title.to_owned() }
}

fn spec(artifact_type: &str, files: Vec<ArtifactFile>, annotations: &[(&str, &str)]) -> ArtifactSpec {
    let annotations = annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    ArtifactSpec { artifact_type: artifact_type.to_owned(), files, annotations: annotations.collect() }
}

fn digest_of(spec: &ArtifactSpec, folder: &tempfile::TempDir) -> String {
    let artifact = ArtifactSource::open(spec, folder.path()).expect("an artifact");
    artifact.root().expect("a root").digest.to_string()
}

fn refusal(spec: &ArtifactSpec, folder: &tempfile::TempDir) -> String {
    let error = ArtifactSource::open(spec, folder.path()).expect_err("refused");
    assert!(error.help().is_none_or(|help| !help.is_empty()), "{error}");
    error.to_string().replace(&folder.path().display().to_string(), "[FOLDER]")
}

const TYPE: &str = "application/vnd.example.v1";

/// The expected digests were printed by oras itself: in oras-go, docs/Modeling-Artifacts.md, and in a transcript of
/// `oras manifest fetch` of an artifact that was pushed with the defaults of its command line.
#[test]
fn the_digest_is_the_one_of_oras() {
    let two = folder(&[("a", "foo\n"), ("b", "bar\n")]);
    let custom = "application/vnd.custom.type";
    let files = vec![file("a", custom, "foo.txt"), file("b", custom, "bar.txt")];
    let created = [("org.opencontainers.image.created", "2025-01-23T10:57:27Z")];
    assert_eq!(
        digest_of(&spec("application/vnd.example+type", files, &created), &two),
        "sha256:314c7f20dd44ee1cca06af399a67f7c463a9f586830d630802d9e365933da9fb"
    );
    let one = folder(&[("artifact.txt", "hello world\n")]);
    let layer = file("artifact.txt", "application/vnd.oci.image.layer.v1.tar", "artifact.txt");
    let created = [("org.opencontainers.image.created", "2026-04-21T12:30:35Z")];
    assert_eq!(
        digest_of(&spec("application/vnd.unknown.artifact.v1", vec![layer], &created), &one),
        "sha256:9c461af426ce2c4fadba5c5a07421fe89c1f12c6c54e03347ca49059f1b6873a"
    );
}

#[test]
fn the_manifest_has_the_declared_values_and_no_time() {
    let folder = folder(&[("a", "foo\n"), ("b", "foo\n"), ("empty", "")]);
    let files = vec![
        file("b", "text/plain", "x/b.txt"),
        file("a", "text/x-a", "a <&>.txt"),
        file("empty", "text/plain", "e"),
    ];
    let spec = spec(TYPE, files, &[("z", "1"), ("a", "<2>")]);
    let artifact = ArtifactSource::open(&spec, folder.path()).expect("an artifact");
    insta::assert_snapshot!(std::str::from_utf8(artifact.root.bytes()).expect("text"), @r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.example.v1","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="},"layers":[{"mediaType":"text/plain","digest":"sha256:b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c","size":4,"annotations":{"org.opencontainers.image.title":"x/b.txt"}},{"mediaType":"text/x-a","digest":"sha256:b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c","size":4,"annotations":{"org.opencontainers.image.title":"a \u003c\u0026\u003e.txt"}},{"mediaType":"text/plain","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0,"annotations":{"org.opencontainers.image.title":"e"}}],"annotations":{"a":"\u003c2\u003e","z":"1"}}"#);
}

#[test]
fn everything_that_the_manifest_names_can_be_read() {
    let folder = folder(&[("a", "foo\n"), ("b", "bar\n")]);
    symlink("a", folder.path().join("link")).expect("linked");
    let files = vec![file("a", "text/plain", "a"), file("b", "text/plain", "b"), file("link", "text/x", "c")];
    for (files, blobs) in [(files, 3), (Vec::new(), 1)] {
        let spec = spec(TYPE, files, &[]);
        let published = open_artifact(&spec, &Surroundings::local(folder.path())).expect("published");
        assert_eq!(published.content.blobs.len(), blobs, "each once");
        assert!(published.content.platforms.is_empty());
        for blob in published.content.blobs.iter().chain([&published.content.root]) {
            let mut bytes = Vec::new();
            published.source.open(blob).expect("opened").read_to_end(&mut bytes).expect("read");
            assert_eq!(Digest::of(&bytes), blob.digest);
        }
    }
}

#[test]
fn a_file_that_changes_after_it_was_hashed_is_not_sent() {
    let folder = folder(&[("a", "foo\n")]);
    let spec = spec(TYPE, vec![file("a", "text/plain", "a")], &[]);
    let artifact = ArtifactSource::open(&spec, folder.path()).expect("an artifact");
    let blob = Descriptor::new("text/plain", Digest::of(b"foo\n"), 4);
    let read = || -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let mut reader = artifact.open(&blob).map_err(|error| error.to_string())?;
        reader.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        Ok(bytes)
    };
    assert_eq!(read(), Ok(b"foo\n".to_vec()));
    for (text, words) in [("fox\n", "its bytes are"), ("foo", "it has 3 bytes"), ("longer", "it has 6 bytes")]
    {
        fs::write(folder.path().join("a"), text).expect("written");
        let error = read().expect_err("refused");
        assert!(error.contains("a` does not hold `sha256:b5bb9d80") && error.contains(words), "{error}");
    }
    fs::remove_file(folder.path().join("a")).expect("removed");
    assert!(read().expect_err("refused").contains("does not exist"));
}

#[test]
fn paths_that_are_not_regular_files_are_refused_by_name() {
    let folder = folder(&[("a", "foo\n")]);
    fs::create_dir(folder.path().join("directory")).expect("made");
    symlink("nowhere", folder.path().join("dangling")).expect("linked");
    symlink("loop", folder.path().join("loop")).expect("linked");
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).expect("bound");
    let pipe = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status().expect("run");
    assert!(pipe.success());
    for (path, message) in [
        ("gone", "source `gone` does not exist"),
        ("dangling", "source `dangling` does not exist"),
        ("a/b", "source `a/b` does not exist"),
        ("loop", "cannot read `loop`: Too many levels of symbolic links (os error 40)"),
        ("directory", "`directory` is a directory, but an artifact consists of files"),
        ("pipe", "`pipe` is not a regular file"),
        ("socket", "`socket` is not a regular file"),
        ("/dev/zero", "`/dev/zero` is not a regular file"),
        (
            "/proc/self/status",
            "`/proc/self/status` changes while it is read: its length is 0, but it gave 1 byte",
        ),
    ] {
        assert_eq!(refusal(&spec(TYPE, vec![file(path, "text/plain", "a")], &[]), &folder), message);
    }
}

#[test]
fn invalid_types_titles_and_times_are_refused() {
    let folder = folder(&[("a", "foo\n")]);
    let long = format!("a/{}", "b".repeat(128));
    for wrong in
        ["", "text", "text/", "/plain", "text/plain; charset=utf-8", "a/b/c", " a/b", "a/\u{e4}", &long]
    {
        let of_artifact = refusal(&spec(wrong, Vec::new(), &[]), &folder);
        assert_eq!(of_artifact, format!("`{wrong}` is not a media type (artifact_type)"));
        let of_file = refusal(&spec(TYPE, vec![file("a", wrong, "a")], &[]), &folder);
        assert_eq!(of_file, format!("`{wrong}` is not a media type (media_type of file `a`)"));
    }
    for (title, words) in [
        ("", "is empty"),
        ("/etc/passwd", "is an absolute path"),
        ("../a", "is not a plain path"),
        ("a/../../b", "is not a plain path"),
        ("a//b", "is not a plain path"),
        ("a/", "is not a plain path"),
        ("./a", "is not a plain path"),
        ("a\\b", "is a Windows path"),
        ("C:a", "is a Windows path"),
        ("a\u{1b}[2J", "contains a control character"),
    ] {
        let message = refusal(&spec(TYPE, vec![file("a", "text/plain", title)], &[]), &folder);
        assert!(message.contains(words), "{message}");
    }
    let twice = vec![file("a", "text/plain", "a"), file("a", "text/x", "a")];
    assert_eq!(refusal(&spec(TYPE, twice, &[]), &folder), "two files of the artifact have the title `a`");
    let created = [("org.opencontainers.image.created", "yesterday")];
    assert_eq!(
        refusal(&spec(TYPE, Vec::new(), &created), &folder),
        "the annotation `org.opencontainers.image.created` is `yesterday`, which is not a time"
    );
}

proptest! {
    #[test]
    fn the_manifest_has_all_declared_values(
        titles in proptest::collection::btree_set("[^/\\\\\u{0}-\u{1f}\u{7f}-\u{9f}:.]{1,12}", 0..5),
        annotations in proptest::collection::btree_map(".{0,8}", ".{0,12}", 0..4),
    ) {
        let folder = folder(&[("a", "foo\n")]);
        let files = titles.iter().map(|title| file("a", "text/plain", title)).collect();
        let spec = ArtifactSpec { artifact_type: TYPE.to_owned(), files, annotations: annotations.clone() };
        let artifact = ArtifactSource::open(&spec, folder.path()).expect("an artifact");
        let value: serde_json::Value = serde_json::from_slice(artifact.root.bytes()).expect("JSON");
        let layers = value["layers"].as_array().expect("layers");
        let read: Vec<_> = layers.iter().filter_map(|it| it["annotations"][annotation::TITLE].as_str()).collect();
        prop_assert_eq!(read, titles.iter().map(String::as_str).collect::<Vec<_>>());
        let parsed = artifact.root.parse().expect("a manifest");
        prop_assert_eq!(parsed.annotations(), &annotations);
        let again = ArtifactSource::open(&spec, folder.path()).expect("an artifact");
        prop_assert_eq!(again.root.digest(), artifact.root.digest());
    }
}
