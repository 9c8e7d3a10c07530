//! Two applies of different releases at once. A registry has no compare-and-swap, but every interleaving still
//! ends with the floating tags on the highest version, even if one of them fails and puts its tags back: the test drives a scripted registry request by request, and runs
//! real processes forty times.

use std::process::Child;
use std::time::{Duration, Instant};

mod interleave;

use brokkr_publish::diagnostic::Code;
use brokkr_publish::model::outcome::ChangeResult;
use interleave::{Actor, Ended, Gated, ReleasedRequest, explore, explore_some};
use testkit::command::Folder;
use testkit::docker_registry::{AcceptedClients, DockerRegistry};
use testkit::world::{configuration, digest, image, tags};

const RELEASES: &str = r#"
[tags.version]
on = "tag"
template = "v{{ version }}"
[tags.latest]
on = "tag"
template = "latest"
mutability = "forward"
"#;

/// The result for the tag `latest`, or another floating one, in a run.
fn result(ended: &Ended, actor: usize, tag: &str) -> (ChangeResult, String) {
    let (outcome, _) = &ended.runs[actor];
    let change = outcome.changes.iter().find(|change| change.tag.as_str() == tag).expect("the tag");
    (change.result, change.detail.clone().unwrap_or_default())
}

#[test]
fn in_every_interleaving_of_two_releases_the_higher_has_the_floating_tag() {
    let actors = [Actor::release("1.2.3").with_rules(RELEASES), Actor::release("1.2.4").with_rules(RELEASES)];
    let before = Actor::release("1.2.2").with_rules(RELEASES);
    let (mut seen, mut kept) = (0, 0);
    let gated = Gated { from: "", parts: &["PUT /manifests/v", "/manifests/latest", "/tags/list"] };
    explore(&before, &actors, gated, |ended| {
        seen += 1;
        assert_eq!(ended.problems(), Vec::<String>::new(), "{}", ended.schedule());
        assert_eq!(ended.tag("v1.2.3"), ended.digests[0], "{}", ended.schedule());
        assert_eq!(ended.tag("v1.2.4"), ended.digests[1], "{}", ended.schedule());
        assert_eq!(ended.tag("latest"), ended.digests[1], "{}", ended.schedule());
        // The loser reports what happened, or it finished before the other began.
        match result(&ended, 0, "latest") {
            (ChangeResult::Kept, detail) => {
                kept += 1;
                assert!(detail.contains("v1.2.4, which is newer, was published meanwhile"), "{detail}");
            }
            (found, _) => assert_eq!(found, ChangeResult::Moved, "{}", ended.schedule()),
        }
        // The other may have corrected the tag before the winner reached it.
        let won = result(&ended, 1, "latest").0;
        assert!(matches!(won, ChangeResult::Moved | ChangeResult::Unchanged), "{}", ended.schedule());
    });
    assert!(seen > 60, "only {seen} interleavings");
    assert!(kept > seen / 3, "only in {kept} of {seen} interleavings somebody lost");
    println!("{seen} interleavings, in {kept} the older one lost");
}

#[test]
fn of_three_releases_the_highest_has_the_floating_tag() {
    let actors = ["1.2.3", "1.2.4", "1.2.5"].map(|version| Actor::release(version).with_rules(RELEASES));
    let before = Actor::release("1.2.2").with_rules(RELEASES);
    // This includes reads of manifests: a run that corrects the tag for another may be slow to do so.
    let gated = Gated { from: "", parts: &["/manifests/v", "/manifests/latest", "/tags/list"] };
    explore_some(&before, &actors, gated, Some(400), |ended| {
        assert_eq!(ended.problems(), Vec::<String>::new(), "{}", ended.schedule());
        assert_eq!(ended.tag("latest"), ended.digests[2], "{}", ended.schedule());
    });
}

#[test]
fn in_every_interleaving_of_two_first_releases_too() {
    let actors = [Actor::release("2.0.0").with_rules(RELEASES), Actor::release("1.9.0").with_rules(RELEASES)];
    let gated = Gated { from: "", parts: &["PUT /manifests/v", "/manifests/latest"] };
    explore(&Actor::nothing(RELEASES), &actors, gated, |ended| {
        assert_eq!(ended.problems(), Vec::<String>::new(), "{}", ended.schedule());
        assert_eq!(ended.tag("latest"), ended.digests[0], "{}", ended.schedule());
    });
}

/// Two floating tags: the registry refuses the second one to a run that fails.
const TWO_FLOATING: &str = r#"
[tags.version]
on = "tag"
template = "v{{ version }}"
[tags.latest]
on = "tag"
template = "latest"
mutability = "forward"
[tags.stable]
on = "tag"
template = "stable"
mutability = "forward"
"#;

/// The requests whose order matters if a run puts tags back.
const RESTORING: Gated = Gated { from: "", parts: &["PUT /manifests/v", "/manifests/latest", "/tags/list"] };

#[test]
fn a_release_that_puts_its_tags_back_leaves_them_to_a_higher_one() {
    let actors = [
        Actor::release("1.2.3").with_rules(TWO_FLOATING).refused("stable"),
        Actor::release("1.2.4").with_rules(TWO_FLOATING),
    ];
    let before = Actor::release("1.2.2").with_rules(TWO_FLOATING);
    let (mut seen, mut hidden, mut left) = (0, 0, 0);
    explore_some(&before, &actors, RESTORING, Some(200), |ended| {
        seen += 1;
        // If the schedule holds the other run up for long right after it hid the tag, this run reports that.
        let (_, problems) = &ended.runs[1];
        assert!(problems.iter().all(|it| it.code == Code::ApplyReadBack), "{problems:?}{}", ended.schedule());
        for tag in ["latest", "stable"] {
            assert_eq!(ended.tag(tag), ended.digests[1], "{tag}: {:?}{}", ended.problems(), ended.schedule());
        }
        let (found, detail) = result(&ended, 0, "latest");
        assert!(
            matches!(found, ChangeResult::Restored | ChangeResult::Kept),
            "{found:?}{}",
            ended.schedule()
        );
        left += usize::from(detail.contains("v1.2.4, which is newer"));
        let put = |actor: usize| {
            let is_put =
                |step: &ReleasedRequest| step.actor == actor && step.line == "PUT /v2/app/manifests/latest";
            ended.steps.iter().rposition(is_put)
        };
        hidden += usize::from(put(1).is_some() && put(0) > put(1));
    });
    // In some of them this run put the tag after the other one did, and gave it back.
    assert!(hidden > 5 && left > 5, "{hidden} hidden and {left} left, of {seen} interleavings");
}

#[test]
fn a_release_that_puts_its_tags_back_takes_none_from_a_lower_one() {
    let actors = [
        Actor::release("1.2.3").with_rules(TWO_FLOATING),
        Actor::release("1.2.4").with_rules(TWO_FLOATING).refused("stable"),
    ];
    let before = Actor::release("1.2.2").with_rules(TWO_FLOATING);
    let (mut seen, mut put) = (0, 0);
    explore_some(&before, &actors, RESTORING, Some(200), |ended| {
        seen += 1;
        let is_put = |step: &ReleasedRequest| {
            step.actor == 0 && step.line.starts_with("PUT ") && step.line.ends_with("/latest")
        };
        if ended.steps.iter().any(is_put) {
            put += 1;
            assert_ne!(ended.tag("latest"), ended.before, "{:?}{}", ended.problems(), ended.schedule());
        }
        if result(&ended, 0, "latest").0 == ChangeResult::Moved {
            assert_eq!(ended.tag("latest"), ended.digests[0], "{:?}{}", ended.problems(), ended.schedule());
        }
    });
    assert!(put > seen / 4, "only in {put} of {seen} interleavings the lower one put the tag");
}

#[test]
fn one_release_built_twice_never_ends_divided_in_silence() {
    let actors = [
        Actor::release("1.2.3").with_rules(RELEASES),
        Actor::release("1.2.3").with_rules(RELEASES).rebuilt(),
    ];
    let before = Actor::release("1.2.2").with_rules(RELEASES);
    let mut divided = 0;
    let gated = Gated { from: "PUT /manifests/v", parts: &["/manifests/v1.2.3", "PUT /manifests/latest"] };
    explore(&before, &actors, gated, |ended| {
        assert_ne!(ended.problems(), Vec::<String>::new(), "{}", ended.schedule());
        divided += u32::from(ended.tag("latest") != ended.tag("v1.2.3"));
    });
    assert!(divided > 0, "the interleavings that cannot be held were not driven");
}

#[test]
fn in_every_interleaving_of_two_commits_the_newer_has_the_branch() {
    const RULES: &str = r#"
[tags.branch]
on = "branch"
template = "{{ git.branch | slug }}"
mutability = "forward"
"#;
    let actors = [Actor::commit(1).with_rules(RULES), Actor::commit(2).with_rules(RULES)];
    let before = Actor::commit(0).with_rules(RULES);
    let mut held = 0;
    let gated = Gated { from: "", parts: &["/manifests/main"] };
    explore(&before, &actors, gated, |ended| {
        assert_eq!(ended.problems(), Vec::<String>::new(), "{}", ended.schedule());
        // Nobody can notice this one case: the newer run begins and ends between a read and a put of the older.
        let last = |actor: usize, method: &str| {
            ended.steps.iter().rposition(|step| step.actor == actor && step.line.starts_with(method))
        };
        if last(0, "PUT") > last(1, "HEAD") {
            return;
        }
        held += 1;
        assert_eq!(ended.tag("main"), ended.digests[1], "{}", ended.schedule());
    });
    assert!(held > 5, "only {held} interleavings");
}

/// Waits for the end of a process, and returns its exit code and output.
fn end(mut child: Child) -> (Option<i32>, String) {
    let started = Instant::now();
    while child.try_wait().expect("a status").is_none() {
        if started.elapsed() > Duration::from_secs(60) {
            child.kill().expect("killed");
            panic!("the program did not end in a minute");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().expect("an output");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// Publishes two releases at once, repeatedly: each pair has an order and a delay of its own.
fn race(url: &str, rounds: u32, at: impl Fn(&str) -> Option<String>) {
    let folder = Folder::new();
    let mut lost = 0;
    for round in 0..rounds {
        let versions = [format!("1.0.{}", 2 * round), format!("1.0.{}", 2 * round + 1)];
        let digests = versions.each_ref().map(|version| {
            let text = configuration(&[("local", url)]);
            folder.write(&format!("{version}/publish.toml"), &text);
            folder.image(&format!("{version}/image"), &image(version)).digest
        });
        // The lower version first, the higher first; at the same time, and with a short delay.
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        let children = order.map(|which| {
            let version = &versions[which];
            let mut run =
                folder.run(&format!("apply --auto-approve --ref refs/tags/v{version}")).in_folder(version);
            run.command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            let child = run.command.spawn().expect("the program runs");
            std::thread::sleep(Duration::from_millis(u64::from(round % 5) * 7));
            child
        });
        let ended = children.map(end);
        for (code, said) in &ended {
            assert_eq!(*code, Some(0), "round {round}: {said}");
        }
        lost += u32::from(ended.iter().any(|(_, said)| said.contains("was published meanwhile")));
        for tag in ["latest", "v1", "v1.0", &format!("v{}", versions[1])] {
            assert_eq!(at(tag).as_ref(), Some(&digests[1]), "round {round}: {tag}\n{ended:#?}");
        }
        assert_eq!(at(&format!("v{}", versions[0])).as_ref(), Some(&digests[0]), "round {round}");
        for version in &versions {
            std::fs::remove_dir_all(folder.path.join(version)).expect("removed");
        }
    }
    assert!(lost > 0, "in no round did the two meet");
}

#[test]
fn forty_pairs_of_processes_into_a_registry() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let repository = format!("{}/team/app", registry.host());
    race(&format!("{}/team", registry.host()), 40, |tag| digest(&format!("docker://{repository}:{tag}")));
    assert_eq!(tags(&repository).len(), 83);
}

#[test]
fn pairs_of_processes_into_one_directory() {
    let place = tempfile::tempdir().expect("a folder");
    let layout = place.path().join("registry");
    let shown = layout.display().to_string();
    race(&format!("oci:{shown}"), 25, |tag| digest(&format!("oci:{shown}/app:{tag}")));
}
