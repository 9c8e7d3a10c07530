//! `lint` as people and machines see it: every code it can give, every format, and files that are no configuration.

use std::collections::BTreeSet;

use brokkr_publish::diagnostic::Code;
use insta::assert_snapshot;

use testkit::command::{EndedRun, Folder};

const REGISTRY: &str = "version = 1\n\n[registries.local]\nurl = \"localhost:5000\"\n";
const RULE: &str = "\n[tags.version]\non = \"tag\"\ntemplate = \"v{{ version }}\"\n";
const IMAGE: &str = "\n[images.app]\nsource = \"oci:dist\"\n";

/// A right file, with `more` at its end.
fn file(more: &str) -> String {
    format!("{REGISTRY}{RULE}{IMAGE}{more}")
}

/// A right file whose only rule has this template and what follows it.
fn rule(template: &str) -> String {
    format!("{REGISTRY}\n[tags.rule]\non = \"tag\"\ntemplate = {template}\n{IMAGE}")
}

/// Lints `publish.toml` with this text.
fn lint(text: &str) -> EndedRun {
    Folder::with(&[("publish.toml", text)]).run("lint").done()
}

/// A file for each code that a file alone can be wrong by, and the arguments of its run.
fn cases() -> Vec<(Code, String, &'static str)> {
    use Code::{
        ConfigFile, ConfigLiteralCredential, ConfigMissingKey, ConfigOutside, ConfigOverride, ConfigPlatform,
        ConfigRepository, ConfigSource, ConfigSyntax, ConfigType, ConfigUnknownImage, ConfigUnknownKey,
        ConfigUnknownProfile, ConfigUnknownRegistry, ConfigUnknownSigner, ConfigUnknownTagRule, ConfigUrl,
        ConfigValue, ContextVersion, RetentionRule, TagCollision, TagForward, TagInvalid, TagNeverFires,
        TagReused, TemplateComparison, TemplateFailed, TemplateSyntax, TemplateUnknownFilter,
        TemplateUnknownVariable,
    };
    vec![
        (ConfigFile, String::new(), "lint"),
        (ConfigSyntax, file("[project\n"), "lint"),
        (ConfigUnknownKey, file("platform = [\"linux/amd64\"]\n"), "lint"),
        (ConfigMissingKey, format!("{REGISTRY}{RULE}\n[images.app]\n"), "lint"),
        (ConfigType, file("platforms = \"linux/amd64\"\n"), "lint"),
        (ConfigValue, file("visibility = \"pubic\"\n"), "lint"),
        (ConfigOverride, file(""), "lint --set images.app"),
        (ConfigUnknownRegistry, file("registries = [\"locl\"]\n"), "lint"),
        (ConfigUnknownTagRule, file("tags = [\"verison\"]\n"), "lint"),
        (
            ConfigUnknownImage,
            file(
                "\n[[checks]]\nfile = \"Cargo.toml\"\nkey = \"package.version\"\nequals = \"{{ version }}\"\nimage = \"ap\"\n",
            ),
            "lint",
        ),
        (ConfigUnknownProfile, file("[profile.staging]\n"), "lint --profile stagign"),
        (ConfigPlatform, file("platforms = [\"linux/x86_64\"]\n"), "lint"),
        (ConfigUrl, file("").replace("localhost:5000", "https://localhost:5000"), "lint"),
        (ConfigRepository, file("repository = \"team//app\"\n"), "lint"),
        (ConfigSource, file("").replace("oci:dist", "docker:dist"), "lint"),
        (ConfigLiteralCredential, file("").replace("localhost:5000", "user:hunter2@localhost:5000"), "lint"),
        (TemplateSyntax, rule(r#""v{{ version ""#), "lint"),
        (TemplateUnknownVariable, rule(r#""v{{ versoin }}""#), "lint"),
        (TemplateUnknownFilter, rule(r#""{{ git.tag | slugg }}""#), "lint"),
        (TemplateFailed, rule(r#""{{ version | capture('x(.*)') }}""#), "lint"),
        (TagInvalid, rule(r#""{{ git.tag }}-@""#), "lint"),
        (TagCollision, file("\n[images.other]\nsource = \"oci:dist\"\nrepository = \"app\"\n"), "lint"),
        (
            TagNeverFires,
            file("\n[tags.never]\non = \"branch\"\ntemplate = \"x\"\nwhen = \"event == 'tag'\"\n"),
            "lint",
        ),
        (
            ConfigUnknownSigner,
            file("").replace("[images.app]\n", "[images.app]\nsign = [\"nobody\"]\n"),
            "lint",
        ),
        (
            ConfigOutside,
            file("\n[project]\nversion = { file = \"../../outside.toml\", key = \"version\" }\n"),
            "tags --ref refs/tags/v1.2.3",
        ),
        (TemplateComparison, rule("\"v{{ version }}\"\nwhen = \"version > 'abc'\""), "lint"),
        (TagReused, rule("\"latest\""), "lint"),
        (TagForward, rule("\"latest\"\nmutability = \"forward\""), "lint"),
        (
            RetentionRule,
            file(
                "\n[tags.branch]\non = \"branch\"\ntemplate = \"{{ git.branch | slug }}\"\nmutability = \"mutable\"\n\n[retention.branches]\nrule = \"branch\"\nolder_than = \"30d\"\n",
            ),
            "lint",
        ),
        (
            ContextVersion,
            file("\n[project]\nversion = { file = \"none.toml\", key = \"version\" }\n"),
            "tags --ref refs/tags/v1.2.3",
        ),
    ]
}

#[test]
fn every_code_that_a_file_can_be_wrong_by() {
    for (code, text, arguments) in cases() {
        let done = Folder::with(&[("publish.toml", &text)]).run(arguments).done();
        let shown = done.shown();
        assert!(done.stderr().contains(code.as_str()), "no `{code}` in\n{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_snapshot!(
            format!("code_{}", code.as_str().replace("publish::", "").replace("::", "_")),
            shown
        );
    }
    let shown: BTreeSet<Code> = cases().into_iter().map(|(code, _, _)| code).collect();
    let of_files = |code: &&Code| {
        ["publish::config::", "publish::template::", "publish::tag::"]
            .iter()
            .any(|group| code.as_str().starts_with(group))
    };
    let missing: Vec<&Code> =
        Code::ALL.iter().filter(of_files).filter(|code| !shown.contains(code)).collect();
    assert_eq!(missing, Vec::<&Code>::new(), "no case shows them");
}

#[test]
fn a_file_that_is_right() {
    let done = lint(&file("")).expect_code(0);
    assert_snapshot!(done.shown(), @r"
    exit code: 0
    ----- stderr -----
    1 file checked, nothing wrong
    ");
}

/// Two errors of a file, one in an escaped string.
const WRONG: &str = "version = 1\n\n[registries.local]\nurl = \"localhost:5000\"\n\n[tags.a]\non = \"tag\"\n\
                     template = \"\\u0076{{ versoin }}\"\n\n[images.app]\nsource = \"oci:dist\"\ntags = [\"b\"]\n";

#[test]
fn the_formats() {
    for format in ["human", "json", "github", "sarif"] {
        let folder = Folder::with(&[("publish.toml", WRONG), ("sub/publish.toml", &rule("\"@\""))]);
        let done = folder
            .run(&format!("lint --format {format} publish.toml sub/publish.toml"))
            .done()
            .expect_code(1);
        // The pages of the codes stand in SARIF whole, and change with their words.
        insta::with_settings!({ filters => vec![(r##""(text|markdown)": "# .*""##, r#""$1": "[PAGE]""#), (r#"("fullDescription": \{\s+"text": ").*""#, r#"${1}[SUMMARY]""#)] }, {
            assert_snapshot!(format!("format_{format}"), done.shown());
        });
        if matches!(format, "json" | "sarif") {
            assert!(done.json().is_object() && done.stderr().is_empty());
        }
        let done =
            Folder::with(&[("publish.toml", &file(""))]).run(&format!("lint --format {format}")).done();
        assert_eq!(done.code(), Some(0), "{}", done.shown());
        assert_snapshot!(format!("format_{format}_nothing"), done.shown());
    }
}

#[test]
fn labels_sit_under_the_right_characters_of_any_string() {
    for (name, template) in [
        ("basic", r#""\u0076-ä-{{ versoin }}""#),
        ("literal", r"'v\ä{{ versoin }}'"),
        ("multi_line_basic", "\"\"\"\nv\\\n    {{ versoin }}\\t\"\"\""),
        ("multi_line_literal", "'''\nv{{ versoin }}'''"),
        ("wide_characters", "\"日本{{ versoin }}\""),
    ] {
        let done = lint(&rule(template)).expect_code(1);
        assert_snapshot!(format!("string_{name}"), done.shown());
        let json = Folder::with(&[("publish.toml", &rule(template))]).run("lint --format json").done().json();
        let text = json.to_string();
        assert!(text.contains("versoin"), "{text}");
    }
}

#[test]
fn files_that_are_no_configuration() {
    let folder = Folder::new();
    let right = file("");
    folder
        .write("empty.toml", "")
        .write("blank.toml", " \n\t\n")
        .write("folder/publish.toml", &right)
        .write("bom.toml", format!("\u{feff}{right}"))
        .write("crlf.toml", right.replace('\n', "\r\n"))
        .write("crlf_wrong.toml", WRONG.replace('\n', "\r\n"))
        .write("bom_wrong.toml", format!("\u{feff}{WRONG}"))
        .write("latin1.toml", b"version = 1\n# caf\xe9\n")
        .write("utf16.toml", b"\xff\xfev\0e\0r\0")
        .write("binary.toml", [0_u8, 159, 146, 150, 0, 1, 2])
        .write("nul.toml", "version = 1\n\0\n")
        .write("large.toml", "# a comment\n".repeat(11 * 1024 * 1024 / 12));
    for (name, code) in [
        ("missing", 1),
        ("empty", 1),
        ("blank", 1),
        ("bom", 0),
        ("crlf", 0),
        ("crlf_wrong", 1),
        ("bom_wrong", 1),
        ("latin1", 1),
        ("utf16", 1),
        ("binary", 1),
        ("nul", 1),
        ("large", 1),
    ] {
        let done = folder.run(&format!("lint {name}.toml")).done().expect_code(code);
        assert_snapshot!(format!("file_{name}"), done.shown());
    }
    assert_snapshot!("file_directory", folder.run("lint folder").done().expect_code(1).shown());
}

#[test]
fn several_files_are_all_checked() {
    let folder = Folder::with(&[("a.toml", &file("")), ("b.toml", WRONG), ("c.toml", "version = 2\n")]);
    assert_snapshot!(folder.run("lint a.toml b.toml c.toml missing.toml").done().expect_code(1).shown());
}

#[test]
fn the_nearest_file_upward_is_checked() {
    let folder = Folder::with(&[("publish.toml", WRONG), ("a/b/keep", "")]);
    let done = folder.run("lint").in_folder("a/b").done().expect_code(1);
    assert!(done.stderr().contains("../../publish.toml"), "{}", done.shown());
    let nothing = Folder::with(&[("a/.git/HEAD", ""), ("publish.toml", WRONG), ("a/b/keep", "")]);
    assert_snapshot!(
        "no_file_upward",
        nothing.run("lint").wide().in_folder("a/b").done().expect_code(1).shown()
    );
}

#[test]
fn an_error_names_the_layer_of_a_wrong_value() {
    let folder = Folder::with(&[("publish.toml", &file(""))]);
    let variable = "BROKKR_PUBLISH_REGISTRIES__LOCAL__URL";
    for (name, run) in [
        ("environment", folder.run("lint").env(variable, "https://localhost")),
        ("environment_unknown", folder.run("lint").env("BROKKR_PUBLISH_IMAGE__APP__SOURCE", "oci:x")),
        ("set", folder.run("lint --set registries.local.url=https://localhost")),
        ("set_type", folder.run("lint --set images.app.platforms=linux/amd64")),
        ("set_unknown", folder.run("lint --set images.app.sorce=oci:x")),
        ("set_nothing", folder.run("lint --set =")),
    ] {
        assert_snapshot!(format!("layer_{name}"), run.done().expect_code(1).shown());
    }
    let right =
        folder.run("lint --set registries.local.url=localhost:6000").env(variable, "https://localhost");
    assert_eq!(right.done().code(), Some(0), "the later layer wins");
}

#[test]
fn every_profile_is_checked() {
    let text = file(
        "\n[profile.good.registries.local]\nurl = \"localhost:1\"\n\n[profile.bad.registries.local]\nurl = \"https://x\"\n",
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    assert_snapshot!("profile_bad_among_good", folder.run("lint").done().expect_code(1).shown());
    assert_eq!(folder.run("lint --profile good").done().code(), Some(0));
    assert_eq!(folder.run("lint").env("BROKKR_PUBLISH_PROFILE", "bad").done().code(), Some(1));
}

#[test]
fn the_samples_show_what_a_rule_does_sooner_or_later() {
    for (name, text) in [
        ("branch_without_slug", "on = \"branch\"\ntemplate = \"{{ git.branch }}\"\n"),
        ("branch_on_tag", "on = [\"tag\", \"branch\"]\ntemplate = \"{{ git.branch | slug }}\"\n"),
        (
            "too_long",
            "on = \"branch\"\ntemplate = \"{{ git.branch | replace('/', '-') | replace('#', '-') }}\"\n",
        ),
        ("never_by_match", "on = \"tag\"\nmatch = [\"release-*\"]\ntemplate = \"{{ version }}\"\n"),
        ("two_mutabilities", "on = \"tag\"\ntemplate = \"v{{ version }}\"\nmutability = \"mutable\"\n"),
    ] {
        let text = format!("{REGISTRY}{RULE}\n[tags.rule]\n{text}{IMAGE}");
        assert_snapshot!(format!("sample_{name}"), lint(&text).shown());
    }
}

#[test]
fn neither_git_nor_home_is_needed() {
    let folder = Folder::with(&[("publish.toml", &file(""))]);
    let mut run = folder.run("lint");
    run.command.env_clear();
    assert_eq!(run.done().code(), Some(0));
}

#[test]
fn quiet_says_only_what_is_wrong() {
    assert_eq!(Folder::with(&[("publish.toml", &file(""))]).run("lint -q").shown(), "exit code: 0\n");
    let colored = Folder::with(&[("publish.toml", WRONG)]).run("lint --color always").done();
    assert!(colored.stderr().contains('\u{1b}'), "{}", colored.shown());
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let plain = Folder::with(&[("publish.toml", WRONG)]).run("lint").env(name, value).done();
        assert!(!plain.stderr().contains('\u{1b}'));
    }
    let forced = Folder::with(&[("publish.toml", WRONG)]).run("lint").env("CLICOLOR_FORCE", "1").done();
    assert!(forced.stderr().contains('\u{1b}'), "{}", forced.shown());
}
