//! Tests that large files are checked in a time that grows linearly with their size. Without optimization each takes one to
//! four seconds, and with a quadratic step it takes minutes.

use super::*;
use crate::context::{Environment, Flags};

const START: &str = r#"
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
[tags.branch]
on = "branch"
template = "{{ git.branch | slug }}"
mutability = "mutable"
"#;

/// Lints `START` with `more`.
fn lint_of(more: &str) -> Vec<Diagnostic> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("publish.toml");
    std::fs::write(&path, format!("{START}{more}")).expect("written");
    let session = Session {
        config: Some(path),
        profile: None,
        set: Vec::new(),
        allow_outside: Vec::new(),
        flags: Flags::default(),
        environment: Environment::new(),
        working_folder: folder.path().to_owned(),
    };
    lint(&session, &[])
}

#[test]
fn a_thousand_images_with_prefixes_of_their_own() {
    let images: String = (0..1_000)
        .map(|it| format!("[images.image-{it}]\nsource = \"oci:x\"\ntag_prefix = \"image-{it}/v\"\n"))
        .collect();
    let found = lint_of(&images);
    assert_eq!(found, []);
    let colliding = images.replace("source = ", "repository = \"one\"\nsource = ");
    let found = lint_of(&colliding);
    assert!(
        found.iter().any(|it| it.code == Code::TagCollision && it.message.contains("on the branch `main`"))
    );
}

#[test]
fn a_thousand_images_whose_name_is_rendered() {
    let images: String = (0..1_000)
        .map(|it| format!("[images.image-{it}]\nsource = \"oci:x\"\nrepository = \"one\"\ntags = [\"named\", \"of-branch\"]\n"))
        .collect();
    let rules = r#"
[tags.named]
on = "tag"
template = "{{ image.name }}-{{ version }}"
[tags.of-branch]
on = ["branch", "pull_request"]
template = "{{ [image.name, git.branch] | join('-') | slug }}"
mutability = "mutable"
[images.other]
source = "oci:x"
"#;
    let found = lint_of(&format!("{rules}{images}"));
    assert_eq!(found, []);
}

#[test]
fn twenty_thousand_errors_of_one_kind() {
    const COUNT: usize = 20_000;
    let image = "[images.app]\nsource = \"oci:x\"\n";
    let names: String = (0..COUNT).map(|it| format!("[images.image-{it}]\nsuorce = \"oci:x\"\n")).collect();
    let rules: String = (0..COUNT / 2)
        .map(|it| format!("[tags.rule-{it}]\non = \"tag\"\ntemplate = \"{{{{ versoin }}}}\"\n"))
        .collect();
    let silent: String = (0..COUNT / 2)
        .map(|it| format!("[tags.rule-{it}]\non = \"tag\"\nwhen = \"event == 'x'\"\ntemplate = \"a\"\n"))
        .collect();
    for (more, code) in [
        (names, Code::ConfigUnknownKey),
        (format!("{image}{rules}"), Code::TemplateUnknownVariable),
        (format!("{image}{silent}"), Code::TagNeverFires),
    ] {
        let found = lint_of(&more);
        assert_eq!(found.len(), 1_001);
        assert!(found.iter().any(|it| it.code == code), "{:?}", found.first());
        assert!(found.last().is_some_and(|it| it.message.ends_with(" more")), "{:?}", found.last());
    }
}
