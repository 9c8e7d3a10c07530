//! Bundles: the plan and every file that it needs in one tar file, applied on a machine that has nothing else; and hostile bundles, of
//! which nothing is used.

use std::io::Read;

use testkit::chart::TestChart;
use testkit::command::Folder;
use testkit::world::{RELEASE_RULES, image};

/// A folder with an image, a chart and an artifact, that publishes to the directory `to`.
fn project(to: &str) -> Folder {
    let text = format!(
        "version = 1\n[registries.bundle]\nurl = \"oci:{to}\"\n{RELEASE_RULES}\n[images.app]\nsource = \"oci:image\"\n\
         [charts.web]\nsource = \"charts/web\"\n\
         [artifacts.notes]\nartifact_type = \"application/vnd.acme.notes\"\ntags = [\"version\"]\nfiles = [{{ path = \"notes.txt\", media_type = \"text/plain\" }}]\n"
    );
    let folder = Folder::with(&[("publish.toml", &text), ("notes.txt", "notes\n")]);
    folder.image("image", &image("1.2.3"));
    TestChart::small("web", "0.1.0").write(&folder.path.join("charts/web"));
    folder
}

const PLAN: &str = "plan --ref refs/tags/v1.2.3 --bundle release.tar";

/// The files of a tar file, each with its bytes.
fn files(tar: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().expect("entries").map(|entry| {
        let mut entry = entry.expect("an entry");
        let name = entry.path().expect("a name").display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("read");
        (name, bytes)
    });
    entries.collect()
}

fn write(files: &[(String, Vec<u8>)], more: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        archive.append(&header, bytes.as_slice()).expect("written");
    }
    more(&mut archive);
    archive.into_inner().expect("a tar file")
}

#[test]
fn a_bundle_is_applied_where_nothing_else_is() {
    let folder = project("registry");
    let done = folder.run(PLAN).wide().done().expect_code(0);
    let expected = done.stderr().split("--expect ").nth(1).expect("the digest").trim().to_owned();
    let bundle = std::fs::read(folder.path.join("release.tar")).expect("a bundle");
    let names: Vec<String> = files(&bundle).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names[..3], ["plan.json", "oci-layout", "index.json"]);
    // Another machine has the file alone, under another name.
    let other = Folder::with(&[]);
    other.write("approved.tar", &bundle);
    let shown = other.run("show approved.tar").done().expect_code(0);
    assert!(shown.stdout().contains("+ v1.2.3"), "{}", shown.shown());
    let wrong = format!("sha256:{}", "0".repeat(64));
    let refused = other.run(&format!("apply approved.tar --expect {wrong}")).wide().done().expect_code(1);
    assert!(refused.stderr().contains("is not the expected plan"), "{}", refused.shown());
    other.run(&format!("apply approved.tar --expect {expected} --record record.json")).done().expect_code(0);
    // The same content as without a bundle.
    folder.run("apply --ref refs/tags/v1.2.3 --auto-approve").done().expect_code(0);
    for repository in ["app", "charts/web", "notes"] {
        let read = |place: &Folder| {
            let mut lines: Vec<String> = serde_json::from_str::<serde_json::Value>(
                &place.read(&format!("registry/{repository}/index.json")),
            )
            .expect("JSON")["manifests"]
                .as_array()
                .expect("manifests")
                .iter()
                .map(|it| format!("{} {}", it["digest"], it["annotations"]))
                .collect();
            lines.sort();
            lines
        };
        assert_eq!(read(&other), read(&folder), "{repository}");
    }
    // The same plan gives the same bytes, and a second apply does nothing.
    let again = other.run("apply approved.tar").done().expect_code(0);
    assert!(again.stdout().contains("Nothing to do"), "{}", again.shown());
}

#[test]
fn a_bundle_in_a_folder_far_away_is_read_from_there() {
    let folder = project("registry");
    let far = Folder::with(&[]);
    let path = far.path.join("release.tar");
    folder.run(&format!("plan --ref refs/tags/v1.2.3 --bundle {}", path.display())).done().expect_code(0);
    for source in ["image", "charts"] {
        std::fs::remove_dir_all(folder.path.join(source)).expect("removed");
    }
    folder.run(&format!("apply {}", path.display())).done().expect_code(0);
    assert!(folder.path.join("registry/charts/web/index.json").exists());
}

#[test]
fn nothing_of_a_hostile_bundle_is_used() {
    let folder = project("registry");
    folder.run(PLAN).done().expect_code(0);
    let good = files(&std::fs::read(folder.path.join("release.tar")).expect("a bundle"));
    let blob = good.iter().position(|(name, _)| name.starts_with("blobs/")).expect("a blob");
    #[allow(clippy::type_complexity, reason = "the entries of an archive")]
    let with = |change: &dyn Fn(&mut Vec<(String, Vec<u8>)>)| {
        let mut files = good.clone();
        change(&mut files);
        write(&files, |_| {})
    };
    let added = |name: &str, bytes: &[u8]| with(&|files| files.push((name.to_owned(), bytes.to_vec())));
    let special = |kind: tar::EntryType, name: &str, link: &str| {
        write(&good, |archive| {
            let mut header = tar::Header::new_ustar();
            header.set_entry_type(kind);
            header.set_size(0);
            header.set_path(name).expect("a name");
            if !link.is_empty() {
                header.set_link_name(link).expect("a target");
            }
            header.set_cksum();
            archive.append(&header, &[][..]).expect("written");
        })
    };
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let whole = write(&good, |_| {});
    let cut = whole[..whole.len() - 1024].to_vec();
    let middle = whole[..whole.len() / 2].to_vec();
    let plan = |change: &dyn Fn(&mut serde_json::Value)| {
        with(&|files| {
            let mut plan: serde_json::Value = serde_json::from_slice(&files[0].1).expect("a plan");
            change(&mut plan);
            brokkr_publish::saved::seal(&mut plan);
            files[0].1 = plan.to_string().into_bytes();
        })
    };
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("another digest", with(&|files| files[blob].1.push(b' ')), "has the digest sha256:"),
        ("a blob too few", with(&|files| drop(files.remove(blob))), ""),
        ("a blob too many", added(&format!("blobs/sha256/{empty}"), b""), "which its plan does not need"),
        ("another file", added("hello.txt", b"hello"), "`hello.txt` does not belong to it"),
        ("a file outside", added("../outside", b"x"), "`../outside` does not belong to it"),
        ("a file at the root", added("/etc/passwd", b"x"), "does not belong to it"),
        ("a blob outside", added(&format!("blobs/sha256/../{empty}"), b""), "does not belong to it"),
        (
            "a blob in capitals",
            added(&format!("blobs/sha256/{}", empty.to_uppercase()), b""),
            "does not belong to it",
        ),
        ("a second plan", with(&|files| files.push(files[0].clone())), "`plan.json` occurs twice"),
        ("a link", special(tar::EntryType::Symlink, "blobs/sha256/x", "/etc/passwd"), "is not a plain file"),
        ("a hard link", special(tar::EntryType::Link, "blobs/sha256/x", "plan.json"), "is not a plain file"),
        ("a device", special(tar::EntryType::Char, "blobs/sha256/x", ""), "is not a plain file"),
        ("a folder", special(tar::EntryType::Directory, "blobs/", ""), "is not a plain file"),
        ("no plan", with(&|files| drop(files.remove(0))), "it has no `plan.json`"),
        ("no index", with(&|files| files.retain(|(name, _)| name != "index.json")), "it has no `index.json`"),
        ("no end", cut, "is cut off"),
        ("half of it", middle, ""),
        ("something behind", [whole.clone(), b"more".to_vec()].concat(), "something follows its end"),
        (
            "another source",
            plan(&|plan| plan["repositories"][0]["content"]["source"]["source"] = "oci:image".into()),
            "from somewhere else",
        ),
        (
            "a file of the machine",
            plan(&|plan| {
                plan["repositories"][1]["content"]["source"] = serde_json::json!({ "kind": "chart", "path": "charts/web", "name": "web", "version": "1.2.3" });
            }),
            "",
        ),
        (
            "a changed plan",
            with(&|files| {
                let text = String::from_utf8(files[0].1.clone()).expect("text").replace("v1.2.3", "v1.2.4");
                files[0].1 = text.into_bytes();
            }),
            "its `checksum` does not match",
        ),
    ];
    for (what, bytes, expected) in cases {
        let other = Folder::with(&[]);
        other.write("release.tar", bytes);
        let done = other.run("apply release.tar").wide().done().expect_code(1);
        assert!(done.stderr().contains(expected), "{what}: {}", done.shown());
        assert!(!other.path.join("registry").exists(), "{what}");
        other.run("show release.tar").done().expect_code(1);
    }
    // A header that declares more than there is.
    let mut oversize = whole;
    oversize[124..136].copy_from_slice(b"77777777777\0");
    let sum: u32 = oversize[..512]
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
        .sum();
    oversize[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let other = Folder::with(&[]);
    other.write("release.tar", oversize);
    let done = other.run("apply release.tar").wide().done().expect_code(1);
    assert!(done.stderr().contains("more than"), "{}", done.shown());
}
