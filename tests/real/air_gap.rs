//! A release is carried offline: built into an archive, published into a directory, from there into another one, and from that into a
//! real registry. The content that arrives is the content that was built. The guide `docs/guides/air-gap.md` explains it to readers.

use std::fs;

use testkit::command::Folder;
use testkit::docker_registry::{AcceptedClients, DockerRegistry};
use testkit::image::{blob_path, to_archive};
use testkit::world::{RELEASE_RULES, digest, image, pull, tags};

/// One image and one artifact, from `image` and `notes`, into the registry at `url`.
fn configuration(url: &str, image: &str, artifact: &str) -> String {
    format!(
        "version = 1\n\n[registries.next]\nurl = \"{url}\"\n{RELEASE_RULES}\n[images.app]\nsource = \"{image}\"\n{artifact}"
    )
}

const ARTIFACT: &str = "\n[artifacts.notes]\nartifact_type = \"application/vnd.example.notes\"\nfiles = [{ path = \"notes.md\", media_type = \"text/markdown\" }]\n";
/// A carried artifact is content of a layout like any other.
const CARRIED: &str = "\n[images.notes]\nsource = \"oci:from/notes:v1.2.3\"\n";

/// A second machine: the directory of a registry was copied there, and nothing else.
fn carry(from: &Folder, registry: &str, configuration: &str) -> Folder {
    let folder = Folder::with(&[("publish.toml", configuration)]);
    fs::rename(from.path.join(registry), folder.path.join("from")).expect("carried");
    folder
}

#[test]
fn digests_stay_the_same_all_the_way() {
    let here =
        Folder::with(&[("publish.toml", &configuration("oci:out", "oci-archive:image.tar", ARTIFACT))]);
    let written = here.image("image", &image("carried"));
    to_archive(&written.directory, &here.path.join("image.tar"));
    here.write("notes.md", "# Notes\n");
    let _applied = here.apply("1.2.3").done().expect_code(0);
    let notes = digest(&format!("oci:{}/out/notes:v1.2.3", here.path.display())).expect("an artifact");

    let second = carry(&here, "out", &configuration("oci:out", "oci:from/app:v1.2.3", CARRIED));
    let _applied = second.apply("1.2.3").done().expect_code(0);

    let registry = DockerRegistry::start(&AcceptedClients::None);
    let url = format!("{}/team", registry.host());
    let third = carry(&second, "out", &configuration(&url, "oci:from/app:v1.2.3", CARRIED));
    let _applied = third.apply("1.2.3").done().expect_code(0);

    assert_eq!(tags(&format!("{url}/app")), ["latest", "v1", "v1.2", "v1.2.3"]);
    for tag in ["latest", "v1", "v1.2", "v1.2.3"] {
        for (name, built) in [("app", &written.digest), ("notes", &notes)] {
            assert_eq!(digest(&format!("docker://{url}/{name}:{tag}")).as_ref(), Some(built));
            assert_eq!(
                digest(&format!("oci:{}/from/{name}:{tag}", third.path.display())).as_ref(),
                Some(built)
            );
        }
    }
    // Everything arrived, including the attestations: the copy below verifies each digest.
    pull(&format!("docker://{url}/app@{}", written.digest));
    let again = third.apply("1.2.3").done().expect_code(0);
    assert!(!again.stderr().contains("pushed") && !again.stdout().contains("created"), "{}", again.shown());
}

#[test]
fn what_was_changed_on_the_way_is_not_delivered() {
    let here = Folder::with(&[("publish.toml", &configuration("oci:out", "oci:image", ""))]);
    let written = here.image("image", &image("carried"));
    let _applied = here.apply("1.2.3").done().expect_code(0);
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let url = format!("{}/team", registry.host());
    let there = carry(&here, "out", &configuration(&url, "oci:from/app:v1.2.3", ""));
    let layer = written.blobs.last().expect("a blob");
    let path = blob_path(&there.path.join("from/app"), layer);
    let mut bytes = fs::read(&path).expect("carried");
    bytes[0] ^= 1;
    fs::write(&path, bytes).expect("written");
    let refused = there.apply("1.2.3").wide().done().expect_code(1);
    assert!(refused.stderr().contains(&format!("does not hold `{layer}`")), "{}", refused.shown());
    assert_eq!(tags(&format!("{url}/app")), Vec::<String>::new());
}

#[test]
fn a_packaged_image_is_the_one_that_is_published() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let url = format!("{}/team", registry.host());
    let folder = Folder::with(&[("publish.toml", &configuration(&url, "oci:image", ARTIFACT))]);
    let written = folder.image("image", &image("packaged"));
    folder.write("notes.md", "# Notes\n");
    let package = || {
        folder.run("package --destination dist --ref refs/tags/v1.2.3 --json").done().expect_code(0).json()
    };
    let (first, second) = (package(), package());
    assert_eq!(first, second, "the same bytes");
    let paths: Vec<&str> =
        first["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["dist/app-v1.2.3.tar", "dist/notes-v1.2.3.tar"]);
    assert_eq!(first["files"][0]["digest"], written.digest);
    assert_eq!(tags(&format!("{url}/app")), Vec::<String>::new(), "nothing is published");

    let _applied = folder.apply("1.2.3").done().expect_code(0);
    for name in ["app", "notes"] {
        let archive = format!("oci-archive:{}/dist/{name}-v1.2.3.tar:v1.2.3", folder.path.display());
        assert_eq!(digest(&archive), digest(&format!("docker://{url}/{name}:v1.2.3")));
    }
    // skopeo reads every blob of it.
    pull(&format!("oci-archive:{}/dist/app-v1.2.3.tar", folder.path.display()));
    // It is a source like any other, and gives the same digest.
    let again = configuration(&url, "oci-archive:dist/app-v1.2.3.tar", "");
    folder.write("publish.toml", again);
    let plan = folder.run("plan --detailed-exitcode --ref refs/tags/v1.2.3 --target images.app").done();
    let _nothing_to_do = plan.expect_code(0);
}
