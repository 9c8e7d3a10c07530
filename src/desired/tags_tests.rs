//! Tests of the tags that whole configurations render in contexts, without any I/O.

use super::*;
use crate::config::{LoadOptions, load_text};
use crate::context::Context;
use crate::desired::collisions;
use crate::desired::version::FileVersionText;
use crate::model::EventName;
use crate::model::version::ReleaseVersion;

const CONFIG: &str = r#"
version = 1
[registries.r]
url = "localhost:5000"
[tags.version]
on = "tag"
template = "v{{ version }}"
[tags.latest]
on = "tag"
template = "latest"
mutability = "forward"
[tags.named]
on = "tag"
match = "nightly-*"
template = "{{ git.tag }}"
[tags.branch]
on = ["branch", "schedule"]
match = ["main", "release/*"]
template = "{{ git.branch | slug }}"
mutability = "mutable"
[tags.beta]
on = "tag"
when = "version.pre is matching('^beta')"
template = "beta"
mutability = "mutable"
[images.app]
source = "oci:x"
[images.tool]
source = "oci:x"
tag_prefix = "tool/v"
"#;

fn config() -> Config {
    config_of(CONFIG)
}

fn config_of(text: &str) -> Config {
    let loaded =
        load_text(text, &LoadOptions { display_name: "publish.toml".to_owned(), ..LoadOptions::default() });
    assert_eq!(loaded.diagnostics, []);
    loaded.config.expect("a configuration")
}

fn tag(name: &str) -> Context {
    Context { tag: Some(name.to_owned()), ..Context::new(EventName::Tag) }
}

fn branch(event: EventName, name: &str) -> Context {
    Context { branch: Some(name.to_owned()), ..Context::new(event) }
}

fn rendered(context: &Context, resource: &str) -> Vec<String> {
    let config = config();
    let resources = tags(&config, context).expect("tags");
    resources[&ResourceId::image(resource)].tags.iter().map(|tag| tag.tag.to_string()).collect()
}

#[test]
fn releases_belong_to_the_image_whose_prefix_they_carry() {
    assert_eq!(rendered(&tag("v1.2.3"), "app"), ["v1.2.3", "latest"]);
    assert_eq!(rendered(&tag("v1.2.3"), "tool"), Vec::<String>::new());
    assert_eq!(rendered(&tag("tool/v1.2.3"), "tool"), ["v1.2.3", "latest"]);
    assert_eq!(rendered(&tag("tool/v1.2.3"), "app"), Vec::<String>::new());
}

#[test]
fn a_git_tag_that_is_no_release_takes_no_forward_tag() {
    assert_eq!(rendered(&tag("nightly-7"), "app"), ["nightly-7"]);
    assert_eq!(rendered(&tag("something"), "app"), Vec::<String>::new());
}

#[test]
fn pre_releases_take_no_forward_tag() {
    assert_eq!(rendered(&tag("v2.0.0-rc.1"), "app"), ["v2.0.0-rc.1"]);
    assert_eq!(rendered(&tag("v2.0.0-beta.2+b.1"), "app"), ["v2.0.0-beta.2_b.1", "beta"]);
}

#[test]
fn globs_stay_within_a_part_of_a_name() {
    for (name, expected) in
        [("main", vec!["main"]), ("release/1.2", vec!["release-1.2"]), ("release/1/2", vec![]), ("x", vec![])]
    {
        assert_eq!(rendered(&branch(EventName::Branch, name), "app"), expected, "{name}");
    }
    assert_eq!(rendered(&branch(EventName::Schedule, "main"), "app"), ["main"]);
    assert_eq!(rendered(&branch(EventName::Manual, "main"), "app"), Vec::<String>::new());
}

#[test]
fn a_git_tag_without_a_version_fires_the_rules_that_need_none() {
    let moving = "[tags.moving]\non = \"tag\"\ntemplate = \"git-{{ git.tag }}\"\nmutability = \"mutable\"\n";
    for (configuration, expected) in
        [(CONFIG.to_owned(), vec![]), (format!("{CONFIG}{moving}"), vec!["git-v1"])]
    {
        let config = config_of(&configuration);
        let tags = tags(&config, &tag("v1")).expect("no error");
        let app = &tags[&ResourceId::image("app")];
        let names: Vec<&str> = app.tags.iter().map(|tag| tag.tag.as_str()).collect();
        assert_eq!(names, expected);
        assert!(matches!(app.version, ResourceVersion::Unversioned(_)));
        let warned = crate::desired::unversioned_tag(&config, &tag("v1"), &tags);
        assert_eq!(warned.is_some(), !expected.is_empty(), "{warned:?}");
    }
}

const TWO_LATEST: &str = r#"
version = 1
[registries.r]
url = "localhost:5000"
[tags.holds]
on = "tag"
template = "latest"
mutability = "forward"
[tags.takes]
on = "tag"
template = "latest"
mutability = "forward"
prereleases = true
[tags.version]
on = "tag"
template = "v{{ version }}"
[images.app]
source = "oci:x"
"#;

#[test]
fn the_rule_that_takes_a_pre_release_wins() {
    for rules in ["tags = [\"holds\", \"takes\"]", "tags = [\"takes\", \"holds\"]"] {
        let config = config_of(&format!("{TWO_LATEST}{rules}\n"));
        let tags = tags(&config, &tag("v2.0.0-rc.1")).expect("tags");
        let rendered: Vec<_> =
            tags[&ResourceId::image("app")].tags.iter().map(|tag| (tag.tag.as_str(), &*tag.rule)).collect();
        assert_eq!(
            (rendered, tags[&ResourceId::image("app")].held_back.len()),
            (vec![("latest", "takes")], 0),
            "{rules}"
        );
    }
}

#[test]
fn one_tag_with_two_answers_to_a_conflict_collides() {
    let config = config_of(&format!(
        "{TWO_LATEST}[tags.again]\non = \"tag\"\ntemplate = \"v{{{{ git.tag[1:] }}}}\"\non_conflict = \"keep\"\n"
    ));
    let tags = tags(&config, &tag("v1.2.3")).expect("tags");
    let app = ResourceId::image("app");
    let claims = [(&app, tags[&ResourceId::image("app")].tags.as_slice())];
    let found = collisions::find(&config, claims, "on a release");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].message.contains("(on_conflict = \"fail\")"), "{}", found[0].message);
    assert!(found[0].message.contains("(on_conflict = \"keep\")"), "{}", found[0].message);
    assert_eq!(crate::desired::lint(&config).len(), 1, "reported once");
}

#[test]
fn a_version_file_leaves_releases_to_their_images() {
    let config = config();
    let file: FileVersion = Some(Ok(FileVersionText::sample("7.8.9")));
    let renderer = Renderer::with_file_version(&config, file);
    let version = |context: &Context, resource: &str| {
        renderer
            .values(context, &ResourceId::image(resource), &config.resources[&ResourceId::image(resource)])
            .0
    };
    let known = ResourceVersion::Known(ReleaseVersion::new(7, 8, 9));
    assert_eq!(version(&tag("v1.2.3"), "app"), known);
    assert_eq!(version(&tag("tool/v1.2.3"), "tool"), known);
    assert!(matches!(version(&tag("tool/v1.2.3"), "app"), ResourceVersion::Other(_)));
    assert!(matches!(version(&tag("nightly-7"), "app"), ResourceVersion::None(_)));
    assert_eq!(version(&tag("vNext"), "app"), known);
    assert_eq!(version(&branch(EventName::Branch, "main"), "app"), known);
}

#[test]
fn an_empty_prefix_takes_no_release_of_another_image() {
    let config = config_of(&CONFIG.replace("[registries.r]", "[project]\ntag_prefix = \"\"\n[registries.r]"));
    let resources = tags(&config, &tag("tool/v1.2.3")).expect("tags");
    assert!(
        resources[&ResourceId::image("app")].tags.is_empty()
            && !resources[&ResourceId::image("tool")].tags.is_empty(),
        "{resources:?}"
    );
}

#[test]
fn a_pre_release_of_any_kind_may_fire() {
    assert_eq!(crate::desired::lint(&config()), []);
}

#[test]
fn templates_are_checked_despite_other_errors() {
    let text = CONFIG
        .replace("template = \"beta\"", "template = \"{{ versoin }}\"")
        .replace("tag_prefix = \"tool/v\"", "tag_prefix = 7\nregistries = [\"nope\"]");
    let loaded =
        load_text(&text, &LoadOptions { display_name: "publish.toml".to_owned(), ..LoadOptions::default() });
    assert_eq!(loaded.diagnostics.len(), 2, "{:?}", loaded.diagnostics);
    let part = loaded.part.expect("the rest");
    let codes: Vec<Code> = crate::desired::lint_part(&part).iter().map(|it| it.code).collect();
    assert_eq!(codes, [Code::TemplateUnknownVariable]);
}

#[test]
fn a_glob_of_a_whole_ref_never_matches() {
    let text = CONFIG.replace("[\"main\", \"release/*\"]", "[\"refs/heads/main\"]");
    let config =
        load_text(&text, &LoadOptions { display_name: "publish.toml".to_owned(), ..LoadOptions::default() });
    let found = crate::desired::lint(&config.config.expect("a configuration"));
    assert_eq!(found.iter().map(|it| it.code).collect::<Vec<_>>(), [Code::TagNeverFires], "{found:?}");
    assert_eq!(found[0].help.as_deref(), Some("write `main`"));
}
