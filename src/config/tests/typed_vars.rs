//! Overrides of `[vars]` keep the declared types.

use super::*;

#[test]
fn an_overridden_variable_keeps_its_declared_type() {
    let file =
        format!("{GOOD}\n[profile.types.vars]\nrelease = \"0.0\"\nretries = 1\nshare = 0.5\nwet = false\n");
    let with = |set: &str| {
        let profile = Some("types".to_owned());
        let environment = set.split_once('=').map(|(name, value)| {
            (format!("BROKKR_PUBLISH_{}", name.replace('.', "__").to_uppercase()), value.to_owned())
        });
        let by_set = load_text(
            &file,
            &LoadOptions { profile: profile.clone(), set: vec![set.to_owned()], ..options() },
        );
        let environment = environment.into_iter().collect();
        (by_set, load_text(&file, &LoadOptions { profile, environment, ..options() }))
    };
    for (value, expected) in
        [("1.10", "1.10"), ("true", "true"), ("1e3", "1e3"), ("7", "7"), ("\"1.20\"", "1.20")]
    {
        let (by_set, by_environment) = with(&format!("vars.release={value}"));
        for loaded in [by_set, by_environment] {
            let config = loaded.config.expect("a configuration");
            assert_eq!(config.vars["release"], serde_json::json!(expected), "{value}");
        }
    }
    for (set, expected) in [("vars.share=2", 2.0), ("vars.share=0.25", 0.25)] {
        let (by_set, by_environment) = with(set);
        for loaded in [by_set, by_environment] {
            let config = loaded.config.expect("a configuration");
            assert_eq!(config.vars["share"], serde_json::json!(expected), "{set}");
        }
    }
    for (set, message) in [
        ("vars.relaese=1", "`vars.relaese`, which the file does not declare"),
        ("vars.retries=many", "`vars.retries`, which is an integer in the file"),
        ("vars.retries=1e3", "`vars.retries`, which is an integer in the file"),
        ("vars.retries=2.0", "`vars.retries`, which is an integer in the file"),
        ("vars.share=half", "`vars.share`, which is a float in the file"),
        ("vars.wet=yes", "`vars.wet`, which is a boolean in the file"),
    ] {
        let (by_set, by_environment) = with(set);
        for loaded in [by_set, by_environment] {
            assert!(loaded.config.is_none(), "{set}");
            assert!(loaded.diagnostics.iter().any(|it| it.message.contains(message)), "{:?}", said(&loaded));
        }
    }
}

/// The environment of a CI is the same for all profiles of a file, and `lint` checks each of them.
#[test]
fn a_variable_of_another_profile_may_be_set() {
    let file = format!(
        "{GOOD}\n[profile.dev.vars]\nregion = \"eu\"\nretries = 1\n\n[profile.other.vars]\nx = \"y\"\n"
    );
    for profile in [None, Some("other"), Some("dev")] {
        for (set, message) in [
            ("vars.region=us", None),
            ("vars.retries=many", Some("`vars.retries`, which is an integer in the file")),
            ("vars.regoin=us", Some("did you mean `vars.region`?")),
        ] {
            let profile = profile.map(str::to_owned);
            let loaded = load_text(&file, &LoadOptions { profile, set: vec![set.to_owned()], ..options() });
            let found = format!("{:?}", loaded.diagnostics);
            match message {
                None => assert!(loaded.config.is_some(), "{set}: {found}"),
                Some(message) => assert!(found.contains(message), "{set}: {found}"),
            }
        }
    }
}
