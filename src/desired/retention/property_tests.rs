//! Properties that hold for any listing of a registry.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::tests::*;
use super::*;

fn listing() -> impl Strategy<Value = Vec<ListedTag>> {
    let tag = prop_oneof![
        "sha-[0-9a-f]{7}",
        "v[0-3]\\.[0-2]\\.[0-3](-rc\\.[12])?",
        "pr-[1-9][0-9]{0,2}",
        prop::sample::select(vec!["latest", "main", "v1.0", "v1.1"]).prop_map(str::to_owned),
    ];
    let days = prop::option::of(prop_oneof![0..100_i64, Just(NOW / DAY), Just(-3)]);
    prop::collection::vec((tag, days), 0..40).prop_map(|tags| {
        let mut seen = BTreeSet::new();
        tags.into_iter()
            .filter(|(tag, _)| seen.insert(tag.clone()))
            .map(|(tag, days)| listed(&tag, days))
            .collect()
    })
}

proptest! {
    #[test]
    fn a_pull_request_takes_no_tag_of_another(one in 1..100_000_u64, other in 1..100_000_u64, sha in "[0-9a-f]{7}") {
        prop_assume!(one != other);
        let config = with(PR);
        let tags = [listed(&format!("pr-{one}"), None), listed(&format!("pr-{other}"), None)];
        prop_assert_eq!(removed(&decide(&config, &closed(one), &tags)), [format!("pr-{one}: pull request {one} is closed")]);
        let config = config_of(&format!("{}{PR}", BASE.replace("pr-{{ pr.number }}", "{{ pr.number }}-{{ git.short_sha }}")));
        let tags = [listed(&format!("{one}-{sha}"), None), listed(&format!("{other}-{sha}"), None)];
        prop_assert_eq!(decide(&config, &closed(one), &tags).remove.len(), 1);
        prop_assert_eq!(&decide(&config, &closed(one), &tags).remove[0].tag, &tags[0].tag);
    }

    #[test]
    fn limits_hold_whatever_is_listed(
        tags in listing(),
        count in 1..6_usize,
        age in prop::option::of(1..60_i64),
        subject in prop::sample::select(vec!["rule = \"sha\"", "rule = \"version\"", "match = \"*\"", "match = [\"sha-*\", \"v*\"]"]),
    ) {
        let older_than = age.map_or(String::new(), |days| format!("older_than = \"{days}d\"\n"));
        let config = with(&format!("[retention.it]\n{subject}\nkeep_last = {count}\n{older_than}"));
        let decisions = decide(&config, &scheduled(), &tags);
        let matched = decisions.remove.len() + decisions.keep.len();
        prop_assert!(decisions.remove.len() <= matched.saturating_sub(count), "{decisions:?}");
        let by_version = subject.contains("version");
        for removal in &decisions.remove {
            let created = tags.iter().find(|it| it.tag == removal.tag).expect("a listed tag").created;
            let known = created.filter(|time| *time > 400_000_000);
            prop_assert!(known.is_some() || (by_version && age.is_none()), "{removal:?}");
            if let (Some(days), Some(time)) = (age, known) {
                prop_assert!(NOW - time > days * DAY);
            }
        }
        // The tag that decides a forward tag is never removed.
        let versions = |tags: Vec<&Tag>| -> Vec<semver::Version> {
            tags.into_iter().filter_map(|tag| tag.as_str().strip_prefix('v')?.parse().ok()).filter(|it: &semver::Version| it.pre.is_empty()).collect()
        };
        let gone: BTreeSet<&Tag> = decisions.remove.iter().map(|it| &it.tag).collect();
        let before = versions(tags.iter().map(|it| &it.tag).collect());
        let after = versions(tags.iter().map(|it| &it.tag).filter(|tag| !gone.contains(tag)).collect());
        for minor in 0..3 {
            for major in 0..4 {
                let highest = |all: &[semver::Version]| all.iter().filter(|it| (it.major, it.minor) == (major, minor)).max().cloned();
                prop_assert_eq!(highest(&before), highest(&after));
            }
        }
        prop_assert_eq!(before.iter().max(), after.iter().max());
    }
}
