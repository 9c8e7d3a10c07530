//! Ranges of versions: the cases of the library that Helm uses (Masterminds/semver, `constraints_test.go`).

use proptest::prelude::*;

use super::*;

fn holds(range: &str, version: &str) -> bool {
    let range = VersionRange::parse(range).unwrap_or_else(|| panic!("`{range}` is a range"));
    range.holds(&HelmVersion::parse(version).unwrap_or_else(|| panic!("`{version}` is a version")))
}

#[test]
fn ranges_hold_what_they_hold_for_helm() {
    for line in include_str!("version_cases.txt").lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [range, version, expected] = fields.as_slice() else { panic!("`{line}`") };
        assert_eq!(holds(range, version), *expected == "true", "`{range}` with `{version}`");
    }
}

#[test]
fn texts_that_are_not_ranges_are_refused() {
    for text in [
        "foo",
        ">= bar",
        "BAR >= 1.2.3",
        "12.3.4.1234",
        "12.23.4.1234",
        "12.3.34~ 1.2.3",
        ">a1",
        "1.2.3,",
        ",1",
        "||",
        "1 ||",
        ">=",
        "1 -2 -",
        "1.2-",
        "1.2+",
        "1xx",
        "99999999999999999999",
    ] {
        assert!(VersionRange::parse(text).is_none(), "`{text}`");
    }
    for text in
        ["12.3.34 ~1.2.3", "v2.3.5-20161202202307-sha.e8fc5e5", "3 - 4 || => 3.0, < 4", "", " >= 1 , < 2 "]
    {
        assert!(VersionRange::parse(text).is_some(), "`{text}`");
    }
}

#[test]
fn versions_are_those_that_helm_accepts() {
    for (text, read) in [
        ("1.2.3", Some("1.2.3")),
        ("v1.2", Some("1.2.0")),
        ("1", Some("1.0.0")),
        ("01.2.3", Some("1.2.3")),
        ("1.2.3-rc.1+build.5", Some("1.2.3-rc.1+build.5")),
        ("0.0.0-main.4d3f2a1", Some("0.0.0-main.4d3f2a1")),
        ("1.2.3-01", None),
        ("1.2.3.4", None),
        ("1.2.x", None),
        ("", None),
        ("1.2.3 ", None),
        ("1.2.3-a..b", None),
    ] {
        assert_eq!(
            HelmVersion::parse(text).map(|version| version.inner.to_string()).as_deref(),
            read,
            "`{text}`"
        );
    }
}

proptest! {
    #[test]
    fn reads_anything(range in "[0-9a-zA-Z.*^~<>=!|, +-]{0,24}", version in "[0-9a-z.+-]{0,12}") {
        if let (Some(range), Some(version)) = (VersionRange::parse(&range), HelmVersion::parse(&version)) {
            range.holds(&version);
        }
    }

    #[test]
    fn a_version_is_in_its_own_range(major in 0_u64..50, minor in 0_u64..50, patch in 0_u64..50) {
        let version = format!("{major}.{minor}.{patch}");
        for sign in ["", "=", "^", "~", ">=", "<="] {
            let range = format!("{sign}{version}");
            prop_assert!(holds(&range, &version), "{}", range);
        }
        let other = format!("!={version}");
        prop_assert!(!holds(&other, &version));
    }
}
