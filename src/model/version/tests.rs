//! Tests of what is a version of each scheme, of the orders, and of what counts as a pre-release.

use proptest::prelude::*;

use super::*;
use crate::model::version::{SchemePattern, SchemeText};

fn pattern(text: &str) -> VersionScheme {
    VersionScheme::try_from(SchemeText::Pattern(SchemePattern { pattern: text.to_owned() })).expect(text)
}

fn rel() -> VersionScheme {
    pattern(r"REL_(?P<major>\d+)_(?P<minor>\d+)(?:_?(?P<pre>(?:BETA|RC)\d+))?")
}

/// Checks that `versions` are in their order.
#[track_caller]
fn ordered(scheme: &VersionScheme, versions: &[&str]) {
    let parsed: Vec<ReleaseVersion> = versions
        .iter()
        .map(|text| scheme.parse(text).unwrap_or_else(|error| panic!("{text}: {error}")))
        .collect();
    for (one, other) in parsed.iter().zip(parsed.iter().skip(1)) {
        assert!(one < other, "{one} is not lower than {other}");
    }
    for (version, text) in parsed.iter().zip(versions) {
        assert_eq!(version.to_string(), *text);
        let json = serde_json::to_string(version).expect("JSON");
        assert_eq!(&serde_json::from_str::<ReleaseVersion>(&json).expect(&json), version);
    }
}

#[test]
fn each_scheme_has_its_order() {
    // semver.org, item 11, then natural where it says ASCII or nothing.
    ordered(
        &VersionScheme::Semver,
        &[
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
        ],
    );
    ordered(&VersionScheme::Semver, &["1.28.5", "1.28.5+k3s9", "1.28.5+k3s10", "1.28.5+k3s10.1", "1.28.6"]);
    ordered(
        &VersionScheme::Semver,
        &["1.2.3-9", "1.2.3-r9", "1.2.3-r10", "1.2.3-rc2", "1.2.3-rc10", "1.2.3"],
    );
    ordered(
        &VersionScheme::Semver,
        &[
            "1.2.3",
            "1.2.3-4-g9f3c2ab",
            "1.2.3-14-g9f3c2ab",
            "1.2.4-rc.1",
            "1.2.4-rc.1-4-g9f3c2ab",
            "1.2.4-rc.2",
        ],
    );
    ordered(
        &VersionScheme::Semver,
        &[
            "1.2.3",
            "1.2.4-0.20191109021931-daa7c04131f5",
            "1.2.4-alpha",
            "1.2.4-alpha.0.20191109021931-daa7c04131f5",
            "1.2.4",
        ],
    );
    ordered(
        &VersionScheme::Calver,
        &["2023.12.9", "2024.04.1-rc.1", "2024.04.1-rc.2", "2024.04.1", "2024.04.2", "2024.10.0"],
    );
    ordered(&VersionScheme::Calver, &["18.04", "18.04.1", "18.10", "20.04", "24.04"]);
    ordered(&VersionScheme::Calver, &["2024-04-01", "2024-04-02", "2024-10-01"]);
    ordered(&VersionScheme::Calver, &["20240401", "20240402"]);
    // PEP 440, "Summary of permitted suffixes and relative ordering".
    ordered(
        &VersionScheme::Pep440,
        &[
            "1.dev0",
            "1.0.dev456",
            "1.0a1",
            "1.0a2.dev456",
            "1.0a12.dev456",
            "1.0a12",
            "1.0b1.dev456",
            "1.0b2",
            "1.0b2.post345.dev456",
            "1.0b2.post345",
            "1.0rc1.dev456",
            "1.0rc1",
            "1.0",
            "1.0+abc.5",
            "1.0+abc.7",
            "1.0+5",
            "1.0.post456.dev34",
            "1.0.post456",
            "1.0.15",
            "1.1.dev1",
            "1!0.1",
        ],
    );
    ordered(&VersionScheme::Pep440, &["1.0-alpha1", "1.0-rc1", "1.0", "1.0-1", "1.0.post2"]);
    ordered(
        &VersionScheme::Loose,
        &[
            "1.2-SNAPSHOT",
            "1.2-alpha1",
            "1.2-beta2",
            "1.2-beta10",
            "1.2rc1",
            "1.2",
            "1.2-1",
            "1.2-r9",
            "1.2-r10",
            "1.2.0.1",
            "1.2.1",
            "1.10",
        ],
    );
    ordered(&VersionScheme::Loose, &["1.1.1", "1.1.1a", "1.1.1k", "1.1.2"]);
    ordered(&VersionScheme::Loose, &["9.8p1", "9.9p1", "9.9p2"]);
    ordered(&VersionScheme::Loose, &["1.2.3.4", "1.2.3.4-4-g9f3c2ab", "1.2.3.5"]);
    ordered(&rel(), &["REL_9_6", "REL_16_0BETA1", "REL_16_0RC1", "REL_16_0", "REL_16_2", "REL_16_10"]);
}

#[test]
fn each_scheme_has_its_pre_releases() {
    for (scheme, text, prerelease, development) in [
        (VersionScheme::Semver, "1.2.3", false, false),
        (VersionScheme::Semver, "1.2.3+k3s1", false, false),
        (VersionScheme::Semver, "1.2.3-rc.1", true, false),
        (VersionScheme::Semver, "1.2.3-4-g9f3c2ab", true, true),
        (VersionScheme::Semver, "1.2.3-dirty", true, true),
        (VersionScheme::Semver, "0.0.0-20191109021931-daa7c04131f5", true, true),
        (VersionScheme::Semver, "1.2.4-0.20191109021931-daa7c04131f5", true, true),
        (VersionScheme::Semver, "1.2.4-4.daa7c04", true, false),
        (VersionScheme::Calver, "2024.04.1", false, false),
        (VersionScheme::Calver, "2024.04.1-dev", true, false),
        (VersionScheme::Pep440, "1.2.post3", false, false),
        (VersionScheme::Pep440, "1.2.post3.dev1", true, false),
        (VersionScheme::Pep440, "1.2.dev4+g9f3c2ab", true, false),
        (VersionScheme::Pep440, "1!1.2", false, false),
        (VersionScheme::Pep440, "1.2c1", true, false),
        (VersionScheme::Loose, "1.2.3.4", false, false),
        (VersionScheme::Loose, "1.2.3-4", false, false),
        (VersionScheme::Loose, "5.0.0.RELEASE", false, false),
        (VersionScheme::Loose, "1.2-SNAPSHOT", true, false),
        (VersionScheme::Loose, "1.2-alpine", true, false),
        (rel(), "REL_16_2", false, false),
        (rel(), "REL_16_0BETA1", true, false),
    ] {
        let version = scheme.parse(text).expect(text);
        assert_eq!((version.is_prerelease(), version.is_development()), (prerelease, development), "{text}");
    }
    assert!(ReleaseVersion::new(2, 0, 0).marked_as_prerelease().is_prerelease());
}

#[test]
fn each_scheme_has_its_texts() {
    for (scheme, texts) in [
        (VersionScheme::Semver, vec!["1.2", "1.2.3.4", "01.2.3", "v1.2.3", "1.2.3_1", "", "latest"]),
        (VersionScheme::Calver, vec!["", "latest", "rel-2024", "2024.04.", "2024/04"]),
        (VersionScheme::Pep440, vec!["", "1.2-foo", "1.2.", "1.2+", "1.2+a..b", "french toast", "1.0+-x"]),
        (VersionScheme::Loose, vec!["", "latest", "1.2.", "1.2-", "REL_16_2", "1/2"]),
        (rel(), vec!["REL_16", "16.2", "xREL_16_2", "REL_16_2x"]),
    ] {
        for text in texts {
            assert!(scheme.parse(text).is_err(), "{scheme:?} {text}");
        }
    }
    assert_eq!(rel().parse("REL_16_2").expect("a version").parts().numbers, ["16", "2"]);
    assert_eq!(VersionScheme::Calver.parse("24.04").expect("a version").parts().numbers, ["24", "04"]);
    let version = VersionScheme::Pep440.parse("1!2.0RC1.post2.dev3+Local.1").expect("a version");
    let VersionParts { numbers, epoch, pre, post, dev, build } = version.parts().clone();
    assert_eq!(numbers, ["2", "0"]);
    assert_eq!([epoch, pre, post, dev, build], ["1", "rc1", "2", "3", "local.1"]);
}

#[test]
fn equal_numbers_compare_as_equal() {
    for (scheme, one, other) in [
        (VersionScheme::Pep440, "1.0", "1.0.0"),
        (VersionScheme::Loose, "1.2", "1.2.0"),
        (VersionScheme::Pep440, "1.0rc1", "1.0-RC.1"),
    ] {
        let (one, other) = (scheme.parse(one).expect(one), scheme.parse(other).expect(other));
        assert!(one.compare(&other).is_eq() && one != other);
    }
}

#[test]
fn a_pattern_has_groups_of_versions() {
    let error = |text: &str| {
        VersionScheme::try_from(SchemeText::Pattern(SchemePattern { pattern: text.to_owned() }))
            .expect_err(text)
            .to_string()
    };
    assert!(error("(").starts_with("it is not a regular expression: "));
    assert!(error(r"(?P<major>\d+)(?P<mirror>\d+)").contains("`mirror` is unknown"));
    assert!(error(r"(?P<minor>\d+)").contains("(?P<major>…)"));
}

#[test]
fn a_pattern_can_be_sampled() {
    for (text, release, prerelease) in [
        (r"REL_(?P<major>\d+)_(?P<minor>\d+)", Some("REL_4_4"), None),
        (r"(?P<major>[0-9]+)(?:\.(?P<minor>[0-9]+))?(-(?P<pre>rc[0-9]+))?", Some("4"), Some("5.5-rc5")),
        (r"^build-(?P<major>\d{8})$", Some("build-44444444"), None),
        (r"(?P<major>\d+)(?P<pre>a|b)", None, Some("5a")),
        (r"(?P<major>\pN+)", None, None),
    ] {
        let samples = pattern(text).samples();
        assert_eq!(
            (samples.release.as_deref(), samples.prerelease.as_deref()),
            (release, prerelease),
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn the_order_is_total(texts in prop::collection::vec("[0-9]{1,2}(\\.[0-9]{1,2}){0,3}([-.+_]?(rc|a|dev|post|k3s|r|x)?[-.]?[0-9]{0,2}){0,2}", 3)) {
        for scheme in [VersionScheme::Semver, VersionScheme::Calver, VersionScheme::Pep440, VersionScheme::Loose] {
            let versions: Vec<ReleaseVersion> = texts.iter().filter_map(|text| scheme.parse(text).ok()).collect();
            for a in &versions {
                for b in &versions {
                    prop_assert_eq!(a.cmp(b), b.cmp(a).reverse());
                    prop_assert_eq!(a == b, a.to_string() == b.to_string());
                    for c in &versions {
                        if a <= b && b <= c {
                            prop_assert!(a <= c, "{} {} {}", a, b, c);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn any_text_gets_an_answer(text in "\\PC{0,40}") {
        for scheme in [VersionScheme::Semver, VersionScheme::Calver, VersionScheme::Pep440, VersionScheme::Loose, rel()] {
            if let Ok(version) = scheme.parse(&text) {
                prop_assert_eq!(version.to_string(), text.clone());
            }
        }
    }
}
