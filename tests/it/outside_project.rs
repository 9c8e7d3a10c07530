//! Files outside of the project are not read, and values that may be secrets are not shown.

use testkit::command::Folder;

const START: &str = "version = 1\n[registries.bundle]\nurl = \"oci:registry\"\n[tags.version]\non = \"tag\"\ntemplate = \"v{{ version }}\"\n";
const IMAGE: &str = "[images.app]\nsource = \"oci-archive:image.tar\"\n";
const LOGIN: &str = r#"{ "auths": { "ghcr.io": { "auth": "YWxpY2U6aHVudGVyMg==" } } }"#;

/// A folder with a file beside it that no configuration may read.
fn folder(config: &str) -> Folder {
    let folder = Folder::with(&[("publish.toml", config)]);
    std::fs::write(folder.home().join("config.json"), LOGIN).expect("written");
    let image = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart/image.tar"))
        .expect("an image");
    std::fs::write(folder.home().join("image.tar"), &image).expect("written");
    folder.write("image.tar", image);
    folder
}

#[test]
fn files_outside_of_the_project_are_refused() {
    let version = "[project]\nversion = { file = \"../home/config.json\", key = 'auths.\"ghcr.io\".auth' }\n";
    let check = "[[checks]]\nfile = \"../home/config.json\"\nkey = 'auths.\"ghcr.io\".auth'\nequals = \"{{ version }}\"\n";
    let pattern = check.replace("config.json", "*.json");
    for (more, command) in [
        (format!("{version}{IMAGE}"), "tags --ref refs/tags/v1.2.3"),
        (format!("{version}{IMAGE}"), "tags --event pull_request --pr 1"),
        (format!("{IMAGE}{check}"), "plan --ref refs/tags/v1.2.3"),
        (format!("{IMAGE}{check}"), "check --ref refs/tags/v1.2.3"),
        (format!("{IMAGE}{pattern}"), "plan --ref refs/tags/v1.2.3"),
        (IMAGE.replace("image.tar", "../home/image.tar"), "plan --ref refs/tags/v1.2.3"),
        (
            "[artifacts.a]\nartifact_type = \"application/vnd.acme\"\nfiles = [{ path = \"../home/config.json\", media_type = \"text/plain\" }]\n".to_owned(),
            "plan --ref refs/tags/v1.2.3",
        ),
    ] {
        let folder = folder(&format!("{START}{more}"));
        let done = folder.run(command).wide().done().expect_code(1);
        assert!(done.stderr().contains("is outside of the project"), "{more}: {}", done.shown());
        assert!(done.stderr().contains("publish::config::outside"), "{more}: {}", done.shown());
        assert!(!done.shown().contains("YWxpY2U6"), "{}", done.shown());
        let flag = format!("--allow-outside {}", folder.home().display());
        assert!(done.stderr().contains(&flag), "{}", done.shown());
        let allowed = folder.run(&format!("{command} {flag}")).wide().done();
        assert!(!allowed.stderr().contains("outside of the project"), "{}", allowed.shown());
        assert!(!allowed.shown().contains("YWxpY2U6"), "{more}: {}", allowed.shown());
    }
}

#[test]
fn nothing_outside_is_opened() {
    // Its error would show a line of the file, and so would a damaged archive.
    let chart = "[charts.chart]\nsource = \"../home/chart\"\n";
    let archive = IMAGE.replace("image.tar", "../home/config.json");
    for (more, command) in [
        (chart, "lint"),
        (chart, "plan --ref refs/tags/v1.2.3"),
        (chart, "package --ref refs/tags/v1.2.3"),
        (archive.as_str(), "plan --ref refs/tags/v1.2.3"),
    ] {
        let folder = folder(&format!("{START}{more}"));
        std::fs::create_dir(folder.home().join("chart")).expect("made");
        let text = "apiVersion: v2\nname: chart\nversion: 1.2.3\nappVersion: 0123\n";
        std::fs::write(folder.home().join("chart/Chart.yaml"), text).expect("written");
        let done = folder.run(command).wide().done().expect_code(1);
        let shown = done.shown();
        assert!(shown.contains("is outside of the project"), "{command}: {shown}");
        assert!(!shown.contains("0123") && !shown.contains("damaged"), "{command}: {shown}");
    }
}

#[test]
fn a_saved_plan_reads_nothing_outside_of_the_place_that_it_is_applied_in() {
    let folder = folder(&format!("{START}{IMAGE}"));
    let _saved = folder.run("plan --out plan.json --ref refs/tags/v1.2.3").done().expect_code(0);
    let plan = folder.read("plan.json");
    for forged in [
        plan.replace("image.tar", "../home/image.tar"),
        plan.replace("\"folder\": \".\"", "\"folder\": \"../home\""),
    ] {
        assert_ne!(forged, plan, "{plan}");
        // A forger can compute the checksum too.
        let mut forged: serde_json::Value = serde_json::from_str(&forged).expect("JSON");
        brokkr_publish::saved::seal(&mut forged);
        folder.write("forged.json", forged.to_string());
        let done = folder.run("apply forged.json").wide().done().expect_code(1);
        assert!(done.stderr().contains("is outside of the project"), "{}", done.shown());
    }
    let _applied = folder.run("apply plan.json").done().expect_code(0);
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_outside_is_refused() {
    let folder = folder(&format!("{START}{}", IMAGE.replace("image.tar", "link.tar")));
    std::os::unix::fs::symlink(folder.home().join("image.tar"), folder.path.join("link.tar"))
        .expect("a link");
    let done = folder.run("plan --ref refs/tags/v1.2.3").wide().done().expect_code(1);
    assert!(done.stderr().contains("`link.tar` is outside of the project"), "{}", done.shown());
}

#[test]
fn the_git_work_tree_is_the_project() {
    let folder = folder("");
    folder.write("sub/publish.toml", format!("{START}{}", IMAGE.replace("image.tar", "../image.tar")));
    let plan = "plan --config sub/publish.toml --ref refs/tags/v1.2.3";
    let _refused = folder.run(plan).done().expect_code(1);
    folder.git(&["init", "--quiet"]);
    let done = folder.run(plan).wide().done();
    assert!(!done.stderr().contains("outside of the project"), "{}", done.shown());
}

#[test]
fn no_error_shows_the_value_of_a_key_that_looks_secret() {
    let secret = "hunter2-and-more";
    for (arguments, variable) in [
        ("lint", Some("BROKKR_PUBLISH_TOKEN")),
        ("lint", Some("BROKKR_PUBLISH_PASSWORD")),
        ("lint", Some("BROKKR_PUBLISH_REGISTRIES__BUNDLE__PASWORD")),
        ("lint --set registries.bundle.pasword=hunter2-and-more", None),
        ("lint --set registries.bundle.passwrod=hunter2-and-more", None),
        ("lint --set registries.bundle.auth.tokne=hunter2-and-more", None),
        ("lint --set images.app.secret=hunter2-and-more", None),
        ("lint --set token=hunter2-and-more", None),
        ("lint --set token.=hunter2-and-more", None),
    ] {
        let folder = folder(&format!("{START}{IMAGE}"));
        let run = variable.iter().fold(folder.run(arguments).wide(), |run, name| run.env(name, secret));
        let done = run.done().expect_code(1);
        assert!(!done.shown().contains("hunter2"), "{arguments} {variable:?}: {}", done.shown());
    }
    for line in
        ["pasword = \"hunter2-and-more\"", "token = \"hunter2-and-more\"", "secert = 'hunter2-and-more'"]
    {
        let folder = folder(&format!("{START}{line}\n{IMAGE}{line}\n"));
        let done = folder.run("lint").wide().done().expect_code(1);
        assert!(!done.shown().contains("hunter2"), "{line}: {}", done.shown());
    }
}
