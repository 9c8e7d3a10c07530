//! Branch tags: they move only to descendants of the commit that the present image says it was built from. If that does not
//! hold or is unknown, the program says so, and the rule decides the result.

use testkit::command::{EndedRun, Folder};
use testkit::docker_registry::{AcceptedClients, DockerRegistry};
use testkit::world::{digest, image, tags};

const RULES: &str = r#"
[tags.sha]
on = "branch"
template = "sha-{{ git.short_sha }}"
on_conflict = "keep"

[tags.branch]
on = "branch"
template = "{{ git.branch | slug }}"
mutability = "forward"
"#;

/// A registry, and a git repository that publishes its branch `main` there.
struct BranchFixture {
    registry: DockerRegistry,
    folder: Folder,
}

impl BranchFixture {
    fn new() -> Self {
        let registry = DockerRegistry::start(&AcceptedClients::None);
        let folder = Folder::new();
        folder.git(&["init", "--quiet"]);
        let place = Self { registry, folder };
        place.configure(RULES);
        place
    }

    fn configure(&self, rules: &str) {
        let text = format!(
            "version = 1\n[registries.local]\nurl = \"{}\"\n{rules}\n[images.app]\nsource = \"oci:image\"\n",
            self.registry.host()
        );
        self.folder.write("publish.toml", text);
    }

    /// Makes a commit on the current branch, and returns its id.
    fn commit(&self, name: &str) -> String {
        self.folder.git(&["commit", "--quiet", "--allow-empty", "--message", name]);
        self.folder.git(&["rev-parse", "HEAD"])
    }

    /// Publishes `main` at a commit, and returns the digest and the output of the program.
    fn publish(&self, sha: &str) -> (String, EndedRun) {
        let digest = self.folder.image("image", &image(sha).revision(sha)).digest;
        (digest, self.apply(sha))
    }

    fn apply(&self, sha: &str) -> EndedRun {
        let arguments = format!("apply --auto-approve --ref refs/heads/main --sha {sha}");
        self.folder.run(&arguments).wide().done().expect_code(0)
    }

    fn main(&self) -> Option<String> {
        digest(&format!("docker://{}/app:main", self.registry.host()))
    }
}

#[track_caller]
fn says(done: &EndedRun, words: &str) {
    assert!(done.stdout().contains(words), "not `{words}`: {}", done.shown());
}

#[test]
fn an_older_job_that_ends_last_keeps_the_newer_image() {
    let place = BranchFixture::new();
    let (a, b) = (place.commit("a"), place.commit("b"));
    let (newer, _done) = place.publish(&b);
    let (_, late) = place.publish(&a);
    says(&late, &format!("kept: the image is from commit {}, which is newer", &b[..7]));
    assert_eq!(place.main(), Some(newer));
    let c = place.commit("c");
    let (newest, _done) = place.publish(&c);
    assert_eq!(place.main(), Some(newest));
    // Each commit still has its own tag.
    let mut expected = vec!["main".to_owned()];
    expected.extend([a, b, c].map(|sha| format!("sha-{}", &sha[..7])));
    expected.sort();
    assert_eq!(tags(&format!("{}/app", place.registry.host())), expected);
}

#[test]
fn a_rewritten_branch_keeps_its_image_until_it_is_told_to_move() {
    let place = BranchFixture::new();
    let a = place.commit("a");
    let b = place.commit("b");
    let (first, _done) = place.publish(&b);
    place.folder.git(&["reset", "--quiet", "--hard", &a]);
    let rewritten = place.commit("b, rewritten");
    let (second, kept) = place.publish(&rewritten);
    says(
        &kept,
        &format!("kept: the image is from commit {}, which is not in this commit's history", &b[..7]),
    );
    assert_eq!(place.main(), Some(first));
    // The solution that the documentation names.
    let once = format!(
        "apply --auto-approve --ref refs/heads/main --sha {rewritten} --set tags.branch.mutability=mutable"
    );
    place.folder.run(&once).done().expect_code(0);
    assert_eq!(place.main(), Some(second));
    let (third, _done) = place.publish(&place.commit("c"));
    assert_eq!(place.main(), Some(third));
}

#[test]
fn where_the_clone_is_shallow_the_rule_chooses() {
    let place = BranchFixture::new();
    let a = place.commit("a");
    let b = place.commit("b");
    let (first, _done) = place.publish(&a);
    let whole = place.folder.path.clone();
    let publish = |name: &str, rules: &str| {
        place.configure(rules);
        let clone = format!("clones/{name}");
        let address = format!("file://{}", whole.display());
        place.folder.git(&["clone", "--quiet", "--depth", "1", &address, &clone]);
        std::fs::copy(whole.join("publish.toml"), whole.join(&clone).join("publish.toml")).unwrap();
        let image = image(name).revision(&b);
        let digest = place.folder.image(&format!("{clone}/image"), &image).digest;
        let run = place.folder.run("apply --auto-approve --ref refs/heads/main").in_folder(&clone);
        (digest, run.wide().done().expect_code(0))
    };
    let (_, kept) = publish("careful", &RULES.replace("\"forward\"", "\"forward\"\non_unknown = \"keep\""));
    says(&kept, "kept, because it might move backward");
    says(&kept, "is not in this clone, which is shallow: fetch the whole history");
    assert_eq!(place.main(), Some(first));
    let (second, moved) =
        publish("bold", &RULES.replace("on_conflict = \"keep\"", "mutability = \"mutable\""));
    says(&moved, "moved, possibly backward");
    assert_eq!(place.main(), Some(second));
}

#[test]
fn where_a_commit_is_unknown_the_rule_chooses() {
    let place = BranchFixture::new();
    let a = place.commit("a");
    let unknown = "0000000000000000000000000000000000000000";
    let first = place.folder.image("image", &image("one").revision(unknown)).digest;
    place.apply(&a);
    place.configure(&RULES.replace("\"forward\"", "\"forward\"\non_unknown = \"keep\""));
    let b = place.commit("b");
    let (_, kept) = place.publish(&b);
    says(&kept, "kept, because it might move backward: commit 0000000 is not in this clone");
    assert_eq!(place.main().as_ref(), Some(&first));
    place.configure(RULES);
    let (second, moved) = place.publish(&b);
    says(&moved, "moved, possibly backward: commit 0000000 is not in this clone");
    assert_eq!(place.main(), Some(second));
}

#[test]
fn where_the_image_does_not_say_its_commit_the_rule_chooses() {
    let place = BranchFixture::new();
    let a = place.commit("a");
    let first = place.folder.image("image", &image("without a label")).digest;
    place.apply(&a);
    place.configure(&RULES.replace("\"forward\"", "\"forward\"\non_unknown = \"keep\""));
    let b = place.commit("b");
    let (_, kept) = place.publish(&b);
    says(&kept, "the present image does not say which commit it was built from");
    assert_eq!(place.main().as_ref(), Some(&first));
    place.configure(RULES);
    let (second, moved) = place.publish(&b);
    says(&moved, "moved, possibly backward: the present image does not say");
    assert_eq!(place.main(), Some(second));
}

#[test]
fn outside_any_repository_the_rule_chooses() {
    let place = BranchFixture::new();
    let a = place.commit("a");
    let b = place.commit("b");
    let (_first, _done) = place.publish(&a);
    std::fs::remove_dir_all(place.folder.path.join(".git")).expect("removed");
    let (second, moved) = place.publish(&b);
    says(&moved, "is not in a git repository");
    assert_eq!(place.main(), Some(second));
}

#[test]
fn a_rebuilt_commit_keeps_the_digest_first_published_under_all_its_tags() {
    let place = BranchFixture::new();
    let a = place.commit("a");
    let (first, _done) = place.publish(&a);
    place.folder.image("image", &image("rebuilt").revision(&a));
    let again = place.apply(&a);
    says(&again, "kept: the digest first published stays");
    assert_eq!(place.main().as_ref(), Some(&first));
    assert!(again.stdout().contains(&format!("/app@{first}")), "{}", again.shown());
    // If a branch is at another commit, it follows the tag that stays, and nothing is sent.
    let b = place.commit("b");
    let (_, _done) = place.publish(&b);
    place.folder.git(&["checkout", "--quiet", "-b", "other", &a]);
    place.folder.image("image", &image("rebuilt again").revision(&a));
    let arguments = format!("apply --auto-approve --ref refs/heads/other --sha {a}");
    let other = place.folder.run(&arguments).wide().done().expect_code(0);
    assert_eq!(digest(&format!("docker://{}/app:other", place.registry.host())).as_ref(), Some(&first));
    says(&other, &format!("follows sha-{}", &a[..7]));
}
