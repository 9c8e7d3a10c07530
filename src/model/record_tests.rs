//! Tests of taking over changes from an earlier record, as tables.

use serde_json::{Value, json};

use super::*;

/// A digest that consists of `letter`.
fn digest(letter: char) -> String {
    format!("sha256:{}", letter.to_string().repeat(64))
}

/// The target of a tag, by the letter of its digest; `-` names nothing.
fn target(letter: char) -> Value {
    if letter == '-' { Value::Null } else { json!({ "digest": digest(letter) }) }
}

/// A record with a tag for each row: repository, tag, before, after, result.
fn record(rows: &[(&str, &str, char, char, &str)]) -> Record {
    let (mut repositories, mut outcomes) = (Vec::<Value>::new(), Vec::new());
    for (image, tag, before, after, result) in rows {
        let address = format!("images.{image}@local:{tag}");
        let change = json!({
            "address": address, "tag": tag, "rule": "rule", "mutability": "mutable",
            "action": "move", "reason": { "code": "mutable" },
            "before": target(*before), "after": target(*after),
        });
        match repositories.iter_mut().find(|it| it["address"] == format!("images.{image}@local")) {
            Some(repository) => repository["changes"].as_array_mut().expect("a list").push(change),
            None => repositories.push(json!({
                "address": format!("images.{image}@local"), "resource": format!("images.{image}"), "registry": "local",
                "repository": image, "name": format!("localhost:5000/{image}"), "changes": [change],
            })),
        }
        outcomes.push(json!({
            "address": address, "repository": format!("localhost:5000/{image}"), "tag": tag,
            "before": target(*before), "after": target(*after), "result": result,
        }));
    }
    let value = json!({
        "format_version": "1.0",
        "success": true,
        "outcome": { "changes": outcomes, "repositories": [] },
        "plan": {
            "format_version": "1.0", "generator": "x", "folder": ".", "context": {},
            "config": { "path": "publish.toml", "digest": digest('c'), "file_digest": digest('c') },
            "title": "refs/tags/v2.0.0 at 9f3c2ab",
            "registries": { "local": { "url": "localhost:5000" } },
            "repositories": repositories,
        },
    });
    serde_json::from_value(value).expect("a record")
}

#[test]
fn changes_of_an_earlier_run_of_the_plan_are_kept() {
    // Earlier before, after, result; later before, after, result; before and result in the merged record.
    #[rustfmt::skip]
    let table = [
        // The later run did nothing.
        (('a', 'b', "moved"), ('b', 'b', "unchanged"), ('a', "moved")),
        (('-', 'b', "created"), ('b', 'b', "unchanged"), ('-', "created")),
        (('a', 'b', "moved"), ('b', 'b', "skipped"), ('a', "moved")),
        (('a', 'b', "moved"), ('e', 'b', "stale"), ('a', "moved")),
        (('a', 'b', "moved"), ('e', 'b', "kept"), ('a', "moved")),
        (('a', '-', "removed"), ('-', '-', "unchanged"), ('a', "removed")),
        // The failed change was made after all, or is still unknown.
        (('a', 'b', "failed"), ('b', 'b', "unchanged"), ('a', "moved")),
        (('-', 'b', "failed"), ('b', 'b', "unchanged"), ('-', "created")),
        (('a', '-', "failed"), ('-', '-', "unchanged"), ('a', "removed")),
        (('a', 'b', "failed"), ('a', 'b', "skipped"), ('a', "failed")),
        (('a', 'b', "failed"), ('a', 'b', "moved"), ('a', "moved")),
        (('a', 'b', "failed"), ('b', 'b', "failed"), ('a', "failed")),
        // Both moved it: the way leads back to before the first.
        (('a', 'b', "moved"), ('e', 'b', "moved"), ('a', "moved")),
        (('-', 'b', "created"), ('e', 'b', "moved"), ('-', "moved")),
        // A rollback restores the digest that was put after the first removal.
        (('a', '-', "removed"), ('e', '-', "removed"), ('e', "removed")),
        // The earlier run left it alone.
        (('b', 'b', "unchanged"), ('b', 'b', "unchanged"), ('b', "unchanged")),
        (('a', 'b', "skipped"), ('a', 'b', "moved"), ('a', "moved")),
        (('e', 'b', "stale"), ('a', 'b', "moved"), ('a', "moved")),
        (('e', 'b', "kept"), ('e', 'b', "kept"), ('e', "kept")),
        // The wanted digest is another by now.
        (('a', 'd', "moved"), ('d', 'b', "moved"), ('d', "moved")),
        (('a', 'd', "moved"), ('b', 'b', "unchanged"), ('b', "unchanged")),
    ];
    for (earlier, later, (before, result)) in table {
        let of = |(before, after, result)| record(&[("app", "latest", before, after, result)]);
        let merged = of(later).taking_over(&of(earlier));
        let expected = record(&[("app", "latest", before, later.1, result)]).outcome;
        assert_eq!(merged.outcome, expected, "{earlier:?}, then {later:?}");
        assert_eq!(merged.plan, of(later).plan, "the plan is the one that was applied");
    }
}

#[test]
fn changes_of_the_earlier_run_alone_are_added() {
    let earlier = record(&[
        ("app", "latest", 'a', 'b', "moved"),
        ("app", "v2", '-', 'b', "created"),
        ("app", "edge", 'a', 'b', "skipped"),
        ("tool", "latest", 'a', 'b', "moved"),
    ]);
    let merged = record(&[("app", "v2.0", '-', 'b', "created")]).taking_over(&earlier);
    let expected = record(&[
        ("app", "v2.0", '-', 'b', "created"),
        ("app", "latest", 'a', 'b', "moved"),
        ("app", "v2", '-', 'b', "created"),
        ("tool", "latest", 'a', 'b', "moved"),
    ]);
    assert_eq!(merged, expected);
}

#[test]
fn a_record_of_another_command_adds_nothing() {
    let earlier = record(&[("app", "latest", 'a', 'b', "moved"), ("app", "v2", '-', 'b', "created")]);
    let later = record(&[("app", "latest", 'b', 'b', "unchanged")]);
    let others: [fn(&mut Record); 3] = [
        |record| record.plan.kind = crate::model::plan::PlanKind::Rollback,
        |record| record.plan.title = "refs/tags/v1.9.0 at 1234567".to_owned(),
        |record| {
            let other = serde_json::from_value(json!({ "url": "localhost:5001" })).expect("a registry");
            record.plan.registries.insert("local".to_owned(), other);
        },
    ];
    for change in others {
        let mut other = earlier.clone();
        change(&mut other);
        assert_eq!(later.clone().taking_over(&other), later);
    }
}
