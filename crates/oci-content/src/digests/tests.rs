//! Folders of digests.

use tempfile::TempDir;

use super::*;
use crate::refusal::variant;

fn folder(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    for name in files {
        let path = folder.path().join("digests").join(name);
        if name.ends_with('/') || name.is_empty() {
            fs::create_dir_all(path).expect("made");
        } else {
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, "").expect("written");
        }
    }
    folder
}

fn read(folder: &TempDir, from: &str) -> Result<Vec<String>, SourceError> {
    let spec =
        DigestFolder { digests: "digests".to_owned(), from: from.parse().expect("a source"), target: None };
    pushed(&spec, folder.path()).map(|found| match found {
        PushedImages::One(image) => vec![image.to_string()],
        PushedImages::Several(list) => list.iter().map(ToString::to_string).collect(),
    })
}

#[test]
fn files_are_named_by_digest() {
    let (one, two, three) = ("1".repeat(64), "2".repeat(64), "3".repeat(64));
    let names =
        [three.as_str(), &format!("sha256:{one}"), &format!("linux-amd64/{two}"), &format!("x/{one}")];
    let found = read(&folder(&names), "docker://r.example/app").expect("read");
    assert_eq!(found, [one, two, three].map(|hex| format!("docker://r.example/app@sha256:{hex}")));
}

#[test]
fn other_files_are_refused_by_name() {
    let hex = "a".repeat(64);
    for (names, kind, words) in [
        (vec![".DS_Store"], "Unsupported", "`digests/.DS_Store` is not a file named by digest"),
        (vec![hex.as_str(), "digest.txt"], "Unsupported", "digest.txt"),
        (vec![&hex[1..]], "Unsupported", &hex[1..]),
        (vec!["a/b/c"], "Unsupported", "a/b"),
        (vec!["a/README"], "Unsupported", "a/README"),
        (vec![hex.as_str(), "linux-amd64/"], "Platform", "linux-amd64` holds no digest"),
        (vec![""], "Platform", "digests` holds no digest"),
    ] {
        let upper = folder(&names);
        let error = read(&upper, "docker://r.example/app").expect_err(words);
        assert!(variant(&error) == kind && error.to_string().contains(words), "{names:?}: {error}");
        assert!(error.help().is_some_and(|help| help.contains("touch")));
    }
    let upper = folder(&[&"A".repeat(64)]);
    assert!(read(&upper, "docker://r.example/app").is_err());
    let error = read(&tempfile::tempdir().expect("a directory"), "docker://app").expect_err("nothing");
    assert_eq!(variant(&error), "Missing");
}

#[test]
fn a_folder_too_full_is_refused() {
    let names: Vec<String> = (0..=MAX_FILES).map(|number| format!("{number:064x}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let error = read(&folder(&names), "docker://r.example/app").expect_err("too many");
    assert!(error.to_string().contains("more than 1000 files"), "{error}");
}

#[test]
fn the_source_must_be_a_repository() {
    let hex = "1".repeat(64);
    let folder = folder(&[&hex]);
    for (from, example) in [
        ("docker://r.example/app:v1", "docker://r.example/app`"),
        (&format!("docker://r.example/app@sha256:{hex}"), "docker://r.example/app`"),
        ("oci:dist", "docker://ghcr.io/OWNER/NAME"),
    ] {
        let error = read(&folder, from).expect_err(from);
        assert!(error.to_string().contains(from), "{error}");
        assert!(error.help().is_some_and(|help| help.contains(example)), "{from}");
    }
}

fn listed(name: &str, text: &str, from: &str, target: Option<&str>) -> Result<Vec<String>, SourceError> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join(name).parent().expect("a folder")).expect("made");
    fs::write(folder.path().join(name), text).expect("written");
    let digests = name.split('/').next().unwrap_or_default().to_owned();
    let spec =
        DigestFolder { digests, from: from.parse().expect("a source"), target: target.map(str::to_owned) };
    pushed(&spec, folder.path()).map(|found| match found {
        PushedImages::One(image) => vec!["one".to_owned(), image.to_string()],
        PushedImages::Several(list) => list.iter().map(ToString::to_string).collect(),
    })
}

#[test]
fn a_file_with_one_digest_is_that_image() {
    let hex = "1".repeat(64);
    let one = ["one".to_owned(), format!("docker://r.example/app@sha256:{hex}")];
    for text in [
        format!("sha256:{hex}"),
        format!("sha256:{hex}\r\n"),
        format!("r.example/app:v1@sha256:{hex}\nquay.io/app@sha256:{hex}\n"),
        format!(
            "r.example/app:v1@sha256:{hex}\nr.example/app:v2@sha256:{hex}\nr.example/other@sha256:{}\n",
            "2".repeat(64)
        ),
        format!("registry:5000/app@sha256:{hex}\n"),
        format!(
            "{{\"containerimage.digest\":\"sha256:{hex}\",\"image.name\":\"r.example/app:v1\",\"more\":[1]}}"
        ),
    ] {
        assert_eq!(listed("file", &text, "docker://r.example/app", None).expect(&text), one, "{text}");
    }
    // A folder is assembled, whatever its files are named.
    let in_folder = listed("digests/amd64.txt", &format!("sha256:{hex}"), "docker://r.example/app", None);
    assert_eq!(in_folder.expect("read"), one[1..]);
    let docker_hub = listed("file", &format!("app:v1@sha256:{hex}"), "docker://docker.io/library/app", None);
    assert_eq!(docker_hub.expect("read").len(), 2);
}

#[test]
fn several_digests_are_assembled() {
    let (one, two) = ("1".repeat(64), "2".repeat(64));
    let found = listed("file", &format!("sha256:{two}\nsha256:{one}\n"), "docker://r.example/app", None);
    let wanted = [one, two].map(|hex| format!("docker://r.example/app@sha256:{hex}"));
    assert_eq!(found.expect("read"), wanted);
}

#[test]
fn the_target_of_bake_is_found_by_its_repository_or_named() {
    let (one, two) = ("1".repeat(64), "2".repeat(64));
    let of = |name: &str, other: &str| {
        format!(
            "{{\"buildx.build.warnings\":[],\"app\":{{\"containerimage.digest\":\"sha256:{one}\"{name}}},\"worker\":{{\"containerimage.digest\":\"sha256:{two}\"{other}}}}}"
        )
    };
    let named = |repository: &str| format!(",\"image.name\":\"{repository}:v1,{repository}:latest\"");
    let app = ["one".to_owned(), format!("docker://r.example/app@sha256:{one}")];
    let both = of(&named("r.example/app"), &named("r.example/worker"));
    assert_eq!(listed("m.json", &both, "docker://r.example/app", None).expect("by name"), app);
    let nameless = of("", "");
    assert_eq!(listed("m.json", &nameless, "docker://r.example/app", Some("app")).expect("by target"), app);
    for (text, from, target, words) in [
        (&nameless, "docker://r.example/app", None, "several targets for `r.example/app`: `app`, `worker`"),
        (&nameless, "docker://r.example/app", Some("ap"), "no image of the target `ap`: `app`, `worker`"),
        (
            &both,
            "docker://r.example/web",
            None,
            "lists no image of `r.example/web`, only of `r.example/app`, `r.example/worker`",
        ),
        (
            &both,
            "docker://r.example/app",
            Some("worker"),
            "lists no image of `r.example/app`, only of `r.example/worker`",
        ),
    ] {
        let error = listed("m.json", text, from, target).expect_err(words);
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.help().is_some_and(|help| !help.is_empty()));
    }
    let error = listed("file", &format!("sha256:{one}"), "docker://r.example/app", Some("app"))
        .expect_err("no targets");
    assert!(error.help().is_some_and(|help| help.contains("leave `target` out")), "{error}");
}

#[test]
fn a_file_that_lists_nothing_is_refused() {
    for (text, words) in [
        ("", "it is empty"),
        ("ghcr.io/a/b:v1\n", "line 1 is neither a digest"),
        ("{\"buildx.build.ref\":\"x\"}", "exported no image"),
    ] {
        let error = listed("file", text, "docker://r.example/app", None).expect_err(words);
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.help().is_some_and(|help| help.contains("--metadata-file")));
    }
}
