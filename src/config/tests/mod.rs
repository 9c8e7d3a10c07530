//! Tests of loading as a whole: text in, a configuration or diagnostics out.

mod annotations;
mod hostile;
mod typed_vars;

use super::*;
use crate::diagnostic::{Code, Diagnostic};

/// A small valid configuration.
const GOOD: &str = r#"version = 1

[project]
source = "https://github.com/colliery-io/brokkr"

[vars]
channel = "stable"

[registries.ghcr]
url = "ghcr.io/colliery-io"
visibility = "public"
auth = { username_env = "GITHUB_ACTOR", password_env = "GITHUB_TOKEN" }

[registries.bundle]
url = "oci:dist/registry"

[tags.version]
on = "tag"
template = "v{{ version }}"

[tags.branch]
on = ["branch", "pull_request"]
match = "release/*"
template = "{{ git.branch | slug }}"
mutability = "forward"

[images.brokkr-broker]
source = "oci-archive:dist/broker.tar"
platforms = ["linux/amd64", "linux/arm64"]

[images.agent]
source = { "linux/amd64" = "oci:dist/a", "linux/arm64" = "oci:dist/b" }
registries = ["bundle"]
tags = ["version"]

[profile.dev.registries.ghcr]
url = "localhost:5000"

[profile.broken.images.agent]
sorce = 1
"#;

fn options() -> LoadOptions {
    LoadOptions {
        path: "folder/publish.toml".into(),
        display_name: "publish.toml".into(),
        ..LoadOptions::default()
    }
}

fn with_environment(name: &str, value: &str) -> LoadOptions {
    LoadOptions { environment: vec![(name.to_owned(), value.to_owned())], ..options() }
}

/// The code, the message and the text under the first label of each diagnostic.
fn said(loaded: &Loaded) -> Vec<(Code, String, String)> {
    let under = |diagnostic: &Diagnostic| {
        let label = diagnostic.labels.first();
        label.map_or(String::new(), |label| {
            label.place.source.text.get(label.place.span.clone()).unwrap_or("OUT OF RANGE").to_owned()
        })
    };
    loaded.diagnostics.iter().map(|it| (it.code, it.message.clone(), under(it))).collect()
}

#[test]
fn a_good_file_becomes_a_config_in_its_order() {
    let loaded = load_text(GOOD, &options());
    assert_eq!(said(&loaded), []);
    let config = loaded.config.expect("a config");
    assert_eq!(config.registries.keys().collect::<Vec<_>>(), ["ghcr", "bundle"]);
    assert_eq!(config.tags.keys().collect::<Vec<_>>(), ["version", "branch"]);
    assert_eq!(
        config.resources.keys().map(|id| id.name.as_str()).collect::<Vec<_>>(),
        ["brokkr-broker", "agent"]
    );
    assert_eq!(config.project.releases.prefixes, ["v"]);
    assert_eq!(config.folder, PathBuf::from("folder"));
    assert_eq!(config.resources[&ResourceId::image("brokkr-broker")].registries, ["ghcr", "bundle"]);
    assert_eq!(config.resources[&ResourceId::image("brokkr-broker")].repository.as_str(), "brokkr-broker");
    assert_eq!(config.tags["branch"].matches, ["release/*"]);
    let file = ConfigFile::parse(GOOD, &options().path, "publish.toml");
    assert_eq!(file.profiles().collect::<Vec<_>>(), ["dev", "broken"]);
    let place = config.places.value(&["tags", "version", "template"]).expect("a place");
    assert_eq!(&place.source.text[place.span], "\"v{{ version }}\"");
    let place = config.places.inside(&["tags", "version", "template"], 4..11).expect("a place");
    assert_eq!(&place.source.text[place.span], "version");
    let place = config.places.key(&["images", "agent", "source", "linux/arm64"]).expect("a place");
    assert_eq!(&place.source.text[place.span], "\"linux/arm64\"");
}

#[test]
fn later_layers_win_and_are_remembered() {
    let mut options = options();
    options.profile = Some("dev".to_owned());
    let config = load_text(GOOD, &options).config.expect("a config");
    assert_eq!(config.registries["ghcr"].endpoint.url.to_string(), "localhost:5000");
    assert!(config.registries["ghcr"].endpoint.auth.is_some());
    options.environment = vec![
        ("BROKKR_PUBLISH_IMAGES__BROKKR_BROKER__SOURCE".into(), "oci:from-environment".into()),
        ("BROKKR_PUBLISH_VARS__CHANNEL".into(), "edge".into()),
        ("BROKKR_PUBLISH_VARS__NUMBER".into(), "3".into()),
        ("BROKKR_PUBLISH_LOG".into(), "debug".into()),
        ("HOME".into(), "/root".into()),
    ];
    options.set =
        vec!["vars.channel=set".into(), "images.\"brokkr-broker\".platforms=['linux/arm64']".into()];
    let text = format!("{GOOD}\n[profile.dev.vars]\nnumber = 1\n");
    let loaded = load_text(&text, &options);
    assert_eq!(said(&loaded), []);
    let config = loaded.config.expect("a config");
    let DeclaredContent::Image(broker) = &config.resources[&ResourceId::image("brokkr-broker")].content
    else {
        panic!("an image")
    };
    assert!(matches!(&broker.source, ImageSource::One(source) if source == "oci:from-environment"));
    assert_eq!(broker.platforms.len(), 1);
    assert_eq!(config.vars["channel"], "set");
    assert_eq!(config.vars["number"], 3);
    let place = config.places.inside(&["images", "brokkr-broker", "source"], 4..8).expect("a place");
    assert_eq!(place.source.name, "environment variable `BROKKR_PUBLISH_IMAGES__BROKKR_BROKER__SOURCE`");
    assert_eq!(&place.source.text[place.span], "from");
    let place = config.places.value(&["vars", "channel"]).expect("a place");
    assert_eq!((place.source.name.as_str(), &place.source.text[place.span]), ("`--set`", "set"));
}

#[test]
fn an_error_points_at_the_layer_that_made_it() {
    let loaded = load_text(GOOD, &with_environment("BROKKR_PUBLISH_IMAGES__AGENT__REGISTRIES", "[\"ghrc\"]"));
    assert!(loaded.config.is_none());
    assert_eq!(
        said(&loaded),
        [(Code::ConfigUnknownRegistry, "there is no registry `ghrc`".into(), "\"ghrc\"".into())]
    );
    let loaded = load_text(GOOD, &with_environment("BROKKR_PUBLISH_IMAGES__AGENT__TAGZ", "x"));
    assert_eq!(said(&loaded)[0].2, "TAGZ");
    let mut options = options();
    options.set = vec!["images.agent".into(), "=x".into(), "a..b=c".into(), "profile.x.y=1".into()];
    let codes: Vec<Code> = load_text(GOOD, &options).diagnostics.iter().map(|it| it.code).collect();
    assert_eq!(codes, [Code::ConfigOverride; 4]);
}

#[test]
fn all_mistakes_at_once() {
    let text = r#"version = 2
[registries.ghcr]
url = "https://ghcr.io/x"
insecure = "true"
[tags.version]
on = "tga"
template = 3
[images.one]
tag = ["version"]
registries = ["ghrc", "ghcr", "ghcr"]
[images.two]
source = "ocii:dist"
tags = ["versio"]
platforms = ["linux/x86_64"]
[imagse.three]
source = 1
"#;
    let loaded = load_text(text, &options());
    let said: Vec<(Code, String)> = said(&loaded).into_iter().map(|(code, _, under)| (code, under)).collect();
    assert_eq!(
        said,
        [
            (Code::ConfigValue, "2".to_owned()),
            (Code::ConfigUrl, "\"https://ghcr.io/x\"".to_owned()),
            (Code::ConfigType, "\"true\"".to_owned()),
            (Code::ConfigValue, "\"tga\"".to_owned()),
            (Code::ConfigType, "3".to_owned()),
            (Code::ConfigMissingKey, "[images.one]".to_owned()),
            (Code::ConfigUnknownKey, "tag".to_owned()),
            (Code::ConfigValue, "\"ghcr\"".to_owned()),
            (Code::ConfigSource, "\"ocii:dist\"".to_owned()),
            (Code::ConfigUnknownTagRule, "\"versio\"".to_owned()),
            (Code::ConfigPlatform, "\"linux/x86_64\"".to_owned()),
            (Code::ConfigUnknownKey, "imagse".to_owned()),
        ]
    );
}

#[test]
fn a_credential_is_reported_and_never_shown() {
    let text = r#"version = 1 # ghp_abcdefghijklmnop
[registries.a]
url = "user:hunter2@ghcr.io/x"
auth = { username = "hunter2", password = "hunter2" }
[registries.b]
url = "ghcr.io"
token = 'hunter2'
auth = { username_env = "A", password_env = "hunter2!" }
[tags.a]
on = "tag"
template = "glpat-hunter2-hunter2"
[images.a]
source = "https://x:hunter2@example.com"
[profile.p.registries.a]
password = """
hunter2
"""
"#;
    let loaded = load_text(text, &options());
    assert!(
        loaded.diagnostics.iter().all(|it| it.code == Code::ConfigLiteralCredential),
        "{:?}",
        said(&loaded)
    );
    assert_eq!(loaded.diagnostics.len(), 9);
    let shown = format!("{:?}", loaded.diagnostics)
        + &loaded.diagnostics.iter().map(|it| it.labels[0].place.source.text.clone()).collect::<String>();
    assert!(!shown.contains("hunter2") && !shown.contains("ghp_"), "{shown}");

    let broken = "[registries.a\npassword = \"hunter2\"\nauth = { password = 'hunter2";
    let loaded = load_text(broken, &options());
    assert!(loaded.diagnostics.iter().any(|it| it.code == Code::ConfigSyntax));
    assert!(
        loaded.diagnostics.iter().all(|it| it.labels.iter().all(|l| !l
            .place
            .source
            .text
            .contains("hunter2")))
    );

    let loaded =
        load_text(GOOD, &with_environment("BROKKR_PUBLISH_REGISTRIES__GHCR__AUTH__PASSWORD", "hunter2"));
    assert_eq!(said(&loaded)[0].2, "*******");
    assert_eq!(said(&loaded).len(), 1);
}

#[test]
fn a_chosen_profile_is_checked() {
    let profile = |name: &str| load_text(GOOD, &LoadOptions { profile: Some(name.to_owned()), ..options() });
    let loaded = profile("broken");
    assert_eq!(said(&loaded)[0].2, "sorce");
    let loaded = profile("dve");
    assert_eq!(loaded.diagnostics[0].code, Code::ConfigUnknownProfile);
    assert_eq!(loaded.diagnostics[0].help.as_deref(), Some("did you mean `dev`?"));
    let loaded = load_text("version = 1\nprofile = { a = 1, b = {} }", &options());
    assert!(said(&loaded).iter().any(|(code, _, under)| *code == Code::ConfigType && under == "1"));
}

#[test]
fn a_file_that_declares_nothing_says_so() {
    let loaded = load_text("version = 1\n", &options());
    assert_eq!(
        said(&loaded)[0].1,
        "nothing can be published: no registry, no tag rule, no image, chart or artifact is declared"
    );
}
/// A file of `count` images.
fn many(count: usize) -> String {
    let image = |index: usize| {
        format!(
            "[images.image-{index}]\nsource = \"oci:dist/{index}\"\nplatforms = [\"linux/amd64\"]\ntags = [\"version\"]\n"
        )
    };
    (0..count).map(image).fold(GOOD.to_owned(), |text, image| text + &image)
}

#[test]
fn time_grows_with_the_file_and_not_faster() {
    assert!(load_text(&many(1000), &options()).config.is_some());
    let wrong = many(1000).replace("\"version\"]", "\"vresion\"]").replace("platforms", "platfroms");
    let loaded = load_text(&wrong, &options());
    assert_eq!(loaded.diagnostics.len(), 2002);
    // With a quadratic step anywhere this takes minutes.
}

#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let read = |name: &str, bytes: Option<&[u8]>| {
        let path = folder.path().join(name);
        if let Some(bytes) = bytes {
            std::fs::write(&path, bytes).expect("written");
        }
        let loaded = load(&LoadOptions { path, display_name: name.to_owned(), ..LoadOptions::default() });
        assert!(loaded.config.is_none() && loaded.diagnostics.len() == 1);
        let diagnostic = loaded.diagnostics.into_iter().next().expect("a diagnostic");
        assert!(diagnostic.code == Code::ConfigFile && diagnostic.help.is_some());
        diagnostic
    };
    assert_eq!(read("missing.toml", None).message, "there is no file `missing.toml`");
    assert_eq!(read("empty.toml", Some(b"\xef\xbb\xbf \n")).message, "`empty.toml` is empty");
    let large = vec![b'#'; 10 * 1024 * 1024 + 1];
    assert_eq!(read("large.toml", Some(&large)).message, "`large.toml` is larger than 10 MiB");
    std::fs::create_dir(folder.path().join("folder")).expect("a folder");
    assert_eq!(read("folder", None).message, "`folder` is a directory");
    let latin = read("latin.toml", Some(b"version = 1\nname = \"caf\xe9\"\n"));
    assert_eq!(latin.message, "`latin.toml` is not UTF-8: byte 0xe9 at offset 23, in line 2");
    assert_eq!(latin.labels[0].place.position(), (2, 12));
    let utf_16 = read("utf16.toml", Some(b"\xff\xfev\0e\0"));
    assert!(utf_16.help.is_some_and(|help| help.contains("UTF-16")));
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_move_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("publish.toml");
    std::fs::write(&path, format!("\u{feff}{}", GOOD.replace('\n', "\r\n"))).expect("written");
    let config = load(&LoadOptions { path, ..options() }).config.expect("a config");
    let place = config.places.inside(&["tags", "version", "template"], 4..11).expect("a place");
    assert_eq!(&place.source.text[place.span.clone()], "version");
    let unix = load_text(GOOD, &options()).config.expect("a config");
    let expected = unix.places.inside(&["tags", "version", "template"], 4..11).expect("a place");
    assert_eq!(place.position(), expected.position());
    assert_eq!(config.digest, unix.digest);
}

#[test]
fn the_file_is_searched_up_to_the_root_of_the_repository() {
    let folder = tempfile::tempdir().expect("a folder");
    let deep = folder.path().join("repository/a/b");
    std::fs::create_dir_all(&deep).expect("folders");
    std::fs::create_dir(folder.path().join("repository/.git")).expect("a folder");
    std::fs::write(folder.path().join("publish.toml"), "").expect("written");
    assert_eq!(find_config_file(&deep), None);
    let inside = folder.path().join("repository/publish.toml");
    std::fs::write(&inside, "").expect("written");
    assert_eq!(find_config_file(&deep), Some(inside.clone()));
    assert_eq!(find_config_file(&folder.path().join("repository")), Some(inside));
}

#[test]
fn keys_without_effect_are_warned_about() {
    let idle = "mutability = \"mutable\"\non_conflict = \"keep\"\nprereleases = true";
    let loaded = load_text(&GOOD.replace("mutability = \"forward\"", idle), &options());
    let said: Vec<_> = said(&loaded).into_iter().map(|(_, message, under)| (message, under)).collect();
    assert_eq!(
        said,
        [
            ("`on_conflict` has no effect in `[tags.branch]`".to_owned(), "on_conflict".to_owned()),
            ("`prereleases` has no effect in `[tags.branch]`".to_owned(), "prereleases".to_owned()),
        ]
    );
    assert!(loaded.config.is_some());
}

#[test]
fn a_credential_from_outside_is_never_shown() {
    let mut options = options();
    options.set = [
        "registries.ghcr.auth={password=\"hunter2\"",
        "registries.ghcr.auth.password hunter2",
        "registries.one.auth=hunter2",
        "registries.two.auth=['me', 'hunter2']",
        "registries.three.passwords.all=['hunter2']",
        "registries.ghp_abcdefghijklmnop=1",
        "ghp_abcdefghijklmnop=1",
        "registries.four.url=me:hunter2@ghcr.io",
    ]
    .map(str::to_owned)
    .to_vec();
    for profile in [None, Some("dev".to_owned())] {
        let loaded = load_text(GOOD, &LoadOptions { profile, ..options.clone() });
        assert!(loaded.diagnostics.len() >= 8, "{:?}", said(&loaded));
        // The text of everything that a renderer could show.
        let shown: String = loaded
            .diagnostics
            .iter()
            .flat_map(|it| {
                let labels = it.labels.iter().flat_map(|label| {
                    let source = &label.place.source;
                    [label.text.clone(), source.name.clone(), source.text.clone()]
                });
                labels.chain([it.message.clone(), it.help.clone().unwrap_or_default()]).collect::<Vec<_>>()
            })
            .collect();
        assert!(!shown.contains("hunter2") && !shown.contains("ghp_"), "{shown}");
    }
}
