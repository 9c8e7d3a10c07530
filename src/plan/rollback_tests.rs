//! Tests of the rollback as a table: what an apply left, what the tag names now, and the resulting action.

use serde_json::{Value, json};

use super::*;

/// A digest that begins like `letter`.
fn digest(letter: char) -> String {
    format!("sha256:{}", letter.to_string().repeat(64))
}

/// The target of a tag, by the letter of its digest. `-` means none.
fn target(letter: char) -> Value {
    if letter == '-' { Value::Null } else { json!({ "digest": digest(letter) }) }
}

/// The record of an apply with one tag for each row: tag, mutability, before, after, result.
fn record(rows: &[(&str, &str, char, char, &str)]) -> Record {
    let address = |tag: &str| format!("images.app@local:{tag}");
    let changes: Vec<Value> = rows
        .iter()
        .map(|(tag, mutability, before, after, _)| {
            json!({
                "address": address(tag), "tag": tag, "rule": "rule", "mutability": mutability,
                "action": "move", "reason": { "code": "mutable" },
                "before": target(*before), "after": target(*after),
            })
        })
        .collect();
    let outcomes: Vec<Value> = rows
        .iter()
        .map(|(tag, _, before, after, result)| {
            json!({
                "address": address(tag), "repository": "localhost:5000/app", "tag": tag,
                "before": target(*before), "after": target(*after), "result": result,
            })
        })
        .collect();
    let value = json!({
        "format_version": "1.0",
        "success": true,
        "outcome": { "changes": outcomes, "repositories": [] },
        "plan": {
            "format_version": "1.0", "generator": "x", "folder": ".", "context": {},
            "config": { "path": "publish.toml", "digest": digest('c'), "file_digest": digest('c') },
            "title": "refs/tags/v2.0.0 at 9f3c2ab",
            "registries": { "local": { "url": "localhost:5000" }, "unused": { "url": "localhost:5001" } },
            "repositories": [{
                "address": "images.app@local", "resource": "images.app", "registry": "local", "repository": "app",
                "name": "localhost:5000/app", "changes": changes,
            }],
        },
    });
    serde_json::from_value(value).expect("a record")
}

/// The current content of a repository. The letters of `held` are existing manifests.
fn standing(
    tag: &str,
    present: char,
    held: &str,
    removal: Option<Result<RemovalMethod, String>>,
) -> StandingTags {
    let parsed = |letter: char| digest(letter).parse::<Digest>().expect("a digest");
    let held = held.chars().map(parsed).collect();
    let mut standing = StandingTags { held, removal, ..StandingTags::default() };
    if present != '-' {
        standing.tags.insert(tag.parse().expect("a tag"), parsed(present));
    }
    standing
}

fn plan(record: &Record, standing: StandingTags) -> Plan {
    Rollback::new(record, &Selection::default()).expect("a way back").plan(&answers(standing))
}

/// The answers of the only repository.
fn answers(standing: StandingTags) -> BTreeMap<String, StandingTags> {
    BTreeMap::from([("images.app@local".to_owned(), standing)])
}

#[test]
fn every_case_of_a_rollback() {
    use {Action::*, RemovalMethod as By};
    let unable = Reason::CannotRemove { why: "it deletes nothing".to_owned() };
    let refuses = || Some(Err("it deletes nothing".to_owned()));
    // Mutability, before, after, result; present, existing manifests, removal method; action, reason, method.
    #[rustfmt::skip]
    let table = [
        ("forward", 'a', 'b', "moved", 'b', "a", None, Move, Reason::RolledBack, None),
        ("mutable", 'a', 'b', "moved", 'b', "a", None, Move, Reason::RolledBack, None),
        ("forward", 'a', 'b', "moved", 'a', "", None, NoOp, Reason::RolledBackAlready, None),
        ("forward", 'a', 'b', "moved", 'e', "a", None, Conflict, Reason::MovedSince, None),
        ("forward", 'a', 'b', "moved", '-', "a", None, Conflict, Reason::MovedSince, None),
        ("forward", 'a', 'b', "moved", 'b', "", None, Conflict, Reason::ContentGone, None),
        ("forward", '-', 'b', "created", 'b', "", Some(Ok(By::Tag)), Remove, Reason::RolledBack, Some(By::Tag)),
        ("forward", '-', 'b', "created", 'b', "", Some(Ok(By::Placeholder)), Remove, Reason::RolledBack, Some(By::Placeholder)),
        ("forward", '-', 'b', "created", 'b', "", refuses(), Keep, unable.clone(), None),
        ("forward", '-', 'b', "created", '-', "", None, NoOp, Reason::RolledBackAlready, None),
        ("forward", '-', 'b', "created", 'e', "", Some(Ok(By::Tag)), Conflict, Reason::MovedSince, None),
        ("forward", '-', 'b', "created", 'e', "", refuses(), Conflict, Reason::MovedSince, None),
        // A put that failed may or may not have reached the registry.
        ("forward", 'a', 'b', "failed", 'b', "a", None, Move, Reason::RolledBack, None),
        ("forward", 'a', 'b', "failed", 'a', "", None, NoOp, Reason::RolledBackAlready, None),
        ("forward", '-', 'b', "failed", '-', "", None, NoOp, Reason::RolledBackAlready, None),
        ("forward", '-', 'b', "failed", 'b', "", Some(Ok(By::Tag)), Remove, Reason::RolledBack, Some(By::Tag)),
        // Immutable tags stay, whatever they name now.
        ("immutable", '-', 'b', "created", 'b', "", Some(Ok(By::Tag)), Keep, Reason::ImmutableStays, None),
        ("immutable", '-', 'b', "created", '-', "", None, Keep, Reason::ImmutableStays, None),
        ("immutable", '-', 'b', "failed", 'e', "", None, Keep, Reason::ImmutableStays, None),
        // The records of rollbacks and prunes: the tags that they removed come back.
        ("forward", 'b', '-', "removed", '-', "b", None, Create, Reason::RolledBack, None),
        ("forward", 'b', '-', "removed", '-', "", None, Conflict, Reason::ContentGone, None),
        ("forward", 'b', '-', "removed", 'b', "", None, NoOp, Reason::RolledBackAlready, None),
        ("forward", 'b', '-', "removed", 'e', "b", None, Conflict, Reason::MovedSince, None),
        ("forward", 'b', '-', "failed", '-', "b", None, Create, Reason::RolledBack, None),
        ("immutable", 'b', '-', "removed", '-', "b", None, Create, Reason::RolledBack, None),
        ("immutable", 'b', '-', "failed", '-', "b", None, Create, Reason::RolledBack, None),
        ("immutable", 'b', '-', "failed", 'b', "", None, NoOp, Reason::RolledBackAlready, None),
        ("immutable", 'b', '-', "removed", 'e', "b", None, Conflict, Reason::MovedSince, None),
    ];
    for (mutability, before, after, result, present, held, removal, action, reason, method) in table {
        let row =
            format!("{mutability}, {before} to {after} {result}; {present} stands, {held} held, {removal:?}");
        let record = record(&[("latest", mutability, before, after, result)]);
        let plan = plan(&record, standing("latest", present, held, removal));
        let change = &plan.repositories[0].changes[0];
        assert_eq!((change.action, &change.reason, change.removal), (action, &reason, method), "{row}");
        let names = |letter: char| (letter != '-').then(|| digest(letter));
        assert_eq!(change.present().map(ToString::to_string), names(present), "{row}");
        let wanted = if action == Keep { names(present) } else { names(before) };
        assert_eq!(change.wanted().map(ToString::to_string), wanted, "{row}");
        assert_eq!(change.forward, None);
    }
}

#[test]
fn a_rollback_leaves_out_unchanged_tags() {
    for result in ["unchanged", "kept", "skipped", "stale"] {
        let record = record(&[("latest", "forward", 'a', 'b', result)]);
        let rollback = Rollback::new(&record, &Selection::default()).expect("a way back");
        assert!(rollback.questions().is_empty(), "{result}");
        let plan = rollback.plan(&BTreeMap::new());
        assert!(plan.repositories.is_empty() && plan.registries.is_empty() && !plan.is_blocked());
    }
}

#[test]
fn the_plan_says_where_it_comes_from() {
    let record = record(&[("latest", "forward", 'a', 'b', "moved")]);
    let plan = plan(&record, standing("latest", 'b', "a", None));
    assert_eq!(
        (plan.kind, plan.title.as_str()),
        (PlanKind::Rollback, "rollback of refs/tags/v2.0.0 at 9f3c2ab")
    );
    assert_eq!(plan.registries.keys().collect::<Vec<_>>(), ["local"]);
    assert_eq!(plan.repositories[0].content, None);
}

#[test]
fn a_version_is_known_by_its_immutable_tag() {
    let mut record =
        record(&[("v2.0.0", "immutable", '-', 'b', "created"), ("latest", "forward", 'a', 'b', "moved")]);
    for change in &mut record.outcome.changes {
        let after = change.after.as_mut().expect("a target");
        after.version = Some("2.0.0".to_owned());
    }
    let rollback = Rollback::new(&record, &Selection::default()).expect("a way back");
    let mut standing = standing("latest", 'b', "a", None);
    standing.tags.insert("v2.0.0".parse().expect("a tag"), digest('b').parse().expect("a digest"));
    let changes = &rollback.plan(&answers(standing)).repositories[0].changes;
    let known = |change: &Change| {
        change.before.as_ref().and_then(|it| it.version_tag.clone()).map(|it| it.to_string())
    };
    assert_eq!(known(&changes[0]), None, "a tag says its version itself");
    assert_eq!(known(&changes[1]).as_deref(), Some("v2.0.0"));
}

#[test]
fn targets_limit_the_way_back() {
    let record = record(&[("latest", "forward", 'a', 'b', "moved"), ("v2", "forward", '-', 'b', "created")]);
    let select = |target: &str| Rollback::new(&record, &Selection::new(&[target.to_owned()]));
    let rollback = select("images.app@local:latest").expect("a way back");
    assert_eq!(rollback.questions()[0].tags.len(), 1);
    let wrong = select("images.app:v3").expect_err("no such tag");
    assert_eq!(wrong[0].code, Code::PlanTarget);
}

#[test]
fn records_that_contradict_themselves() {
    let whole = || record(&[("latest", "forward", 'a', 'b', "moved")]);
    let refused = |record: &Record| {
        let found = Rollback::new(record, &Selection::default()).expect_err("no record of an apply");
        assert!(found.iter().all(|it| it.code == Code::PlanFile), "{found:?}");
        found.into_iter().map(|it| it.message).collect::<Vec<_>>()
    };
    let mut record = whole();
    record.outcome.changes.clear();
    assert_eq!(
        refused(&record),
        ["the record contradicts itself: `images.app@local:latest` is not in both its plan and its outcome"]
    );
    let mut record = whole();
    record.plan.repositories.clear();
    assert_eq!(refused(&record).len(), 1);
    let mut record = whole();
    record.plan.registries.clear();
    assert_eq!(refused(&record), ["the record names the registry `local` without describing it"]);
}
