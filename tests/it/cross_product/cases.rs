//! The inputs and the events that are crossed.

use serde_json::{Value, json};

use super::action::ActionEvent;

/// The inputs: `tags`, and `flavor`.
pub const INPUTS: &[(&str, &str)] = &[
    ("", ""),
    ("", "latest=true"),
    ("", "latest=false"),
    ("", "prefix=app-"),
    ("", "suffix=-alpine,onlatest=true"),
    ("type=schedule", ""),
    ("type=schedule,pattern=weekly", ""),
    ("type=schedule,pattern={{date 'YYYYMMDD'}}", ""),
    ("type=schedule,pattern={{date 'YYYYMMDD' tz='Asia/Tokyo'}}", ""),
    ("type=schedule,pattern={{date 'YYYYMMDD-HHmmss'}},prefix=nightly-", ""),
    ("type=schedule,pattern=nightly,suffix=-x", "latest=true"),
    ("type=schedule,pattern={{branch}}", ""),
    ("type=semver,pattern={{version}}", ""),
    ("type=semver,pattern={{version}}", "latest=false"),
    ("type=semver,pattern={{version}}", "latest=true"),
    ("type=semver,pattern={{raw}}", ""),
    ("type=semver,pattern={{major}}", ""),
    ("type=semver,pattern={{major}}.{{minor}}", ""),
    ("type=semver,pattern={{major}}.{{minor}}.{{patch}}", ""),
    ("type=semver,pattern=v{{major}}", ""),
    ("type=semver,pattern=v{{version}}", ""),
    ("type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}", ""),
    (
        "type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\ntype=semver,pattern={{major}}",
        "",
    ),
    ("type=semver,pattern={{version}},prefix=v", ""),
    ("type=semver,pattern={{version}},suffix=-alpine", ""),
    ("type=semver,pattern={{version}}", "prefix=v,onlatest=true"),
    ("type=semver,pattern={{version}}", "suffix=-alpine,onlatest=true"),
    ("type=semver,pattern={{version}}", "suffix=-alpine"),
    ("type=semver,pattern={{version}}\ntype=sha", ""),
    ("type=semver,pattern={{version}},priority=10\ntype=sha", ""),
    ("type=semver,pattern={{version}},enable=${{ github.event_name == 'push' }}", ""),
    ("type=semver,pattern={{major}},enable=${{ startsWith(github.ref, 'refs/tags/') }}", ""),
    ("type=pep440,pattern={{version}}", ""),
    ("type=pep440,pattern={{major}}.{{minor}}", ""),
    ("type=pep440,pattern={{raw}}", ""),
    ("type=match,pattern=v(.*),group=1", ""),
    ("type=match,pattern=\\d.\\d.\\d", ""),
    ("type=match,pattern=v(\\d+\\.\\d+),group=1", ""),
    ("type=match,pattern=v(\\d+),group=1", ""),
    ("type=match,pattern=v(\\d+\\.\\d+\\.\\d+)$,group=1", ""),
    ("type=match,pattern=/v(.*)/,group=1", ""),
    ("type=match,pattern=v(.*),group=1", "latest=false"),
    ("type=match,pattern=release-(\\d+),group=1", ""),
    ("type=edge", ""),
    ("type=edge,branch=main", ""),
    ("type=edge,branch=develop", ""),
    ("type=edge,prefix=x-", ""),
    ("type=edge\ntype=ref,event=branch", ""),
    ("type=edge", "latest=true"),
    ("type=ref,event=branch", ""),
    ("type=ref,event=branch,prefix=b-", ""),
    ("type=ref,event=branch,suffix=-{{sha}}", ""),
    ("type=ref,event=branch,suffix=-{{date 'YYYYMMDD'}}", ""),
    ("type=ref,event=branch,enable={{is_default_branch}}", ""),
    ("type=ref,event=branch,enable={{is_not_default_branch}}", ""),
    ("type=ref,event=branch", "latest=true"),
    ("type=ref,event=tag", ""),
    ("type=ref,event=tag", "latest=false"),
    ("type=ref,event=tag,prefix=git-", ""),
    ("type=ref,event=pr", ""),
    ("type=ref,event=pr,prefix=pull-", ""),
    ("type=ref,event=pr,suffix=-{{sha}}", ""),
    ("type=ref,event=branch\ntype=ref,event=pr\ntype=semver,pattern={{version}}", ""),
    (
        "type=ref,event=branch\ntype=ref,event=pr\ntype=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\ntype=sha",
        "",
    ),
    ("type=raw,value=fixed", ""),
    ("plain", ""),
    ("type=raw,value=latest,enable={{is_default_branch}}", ""),
    ("type=raw,value=latest,enable=${{ github.ref == 'refs/heads/main' }}", ""),
    ("type=raw,value=latest,enable=${{ github.ref == format('refs/heads/{0}', 'main') }}", "latest=false"),
    ("type=raw,value={{branch}}-{{sha}},enable={{is_default_branch}}", ""),
    ("type=raw,value={{branch}}-{{sha}}-{{date 'X'}},enable=${{ github.ref == 'refs/heads/main' }}", ""),
    ("type=raw,value={{tag}}", ""),
    ("type=raw,value={{date 'YYYYMMDD'}}", ""),
    ("type=raw,value=stable,enable=${{ startsWith(github.ref, 'refs/tags/') }}", ""),
    ("type=raw,value=x,enable=false\ntype=sha", ""),
    ("type=raw,value=${{ github.event_name }}", ""),
    ("type=sha", ""),
    ("type=sha,format=long", ""),
    ("type=sha,prefix=", ""),
    ("type=sha,prefix={{branch}}-", ""),
    ("type=sha,suffix=-dev", ""),
    ("type=sha,enable=${{ github.event_name != 'pull_request' }}", ""),
    ("type=sha\ntype=raw,value=tip,priority=1100", "latest=true"),
];

const OWN: &str = "acme/app";

fn pull(number: u64, action: &str, from: &str, base: &str) -> Value {
    json!({
        "action": action,
        "number": number,
        "repository": { "full_name": OWN, "default_branch": "main" },
        "pull_request": {
            "number": number,
            "draft": false,
            "head": { "ref": "feature/x", "sha": super::action::SHA, "repo": { "full_name": from } },
            "base": { "ref": base, "repo": { "full_name": OWN } }
        }
    })
}

fn release(tag: &str, action: &str, prerelease: bool) -> Value {
    json!({
        "action": action,
        "repository": { "full_name": OWN, "default_branch": "main" },
        "release": { "tag_name": tag, "prerelease": prerelease, "draft": false }
    })
}

/// The events.
pub fn events() -> Vec<ActionEvent> {
    let plain = json!({ "repository": { "full_name": OWN, "default_branch": "main" } });
    let with = |key: &str, value: Value| {
        let mut payload = plain.clone();
        payload[key] = value;
        payload
    };
    let event = |name, event_name, reference, payload: &Value| ActionEvent {
        name,
        event_name,
        reference,
        payload: payload.clone(),
    };
    let deleted = with("deleted", json!(true));
    vec![
        event("main", "push", "refs/heads/main", &plain),
        event("develop", "push", "refs/heads/develop", &plain),
        event("feature", "push", "refs/heads/feature/x", &plain),
        event("capitals", "push", "refs/heads/Feature/Login", &plain),
        event("hash", "push", "refs/heads/fix#12", &plain),
        event("release-branch", "push", "refs/heads/release/1.2", &plain),
        event("branch-1.x", "push", "refs/heads/1.x", &plain),
        event("dependabot", "push", "refs/heads/dependabot/npm_and_yarn/x-1.2.3", &plain),
        event("branch-v1.2.3", "push", "refs/heads/v1.2.3", &plain),
        event("double-hyphen", "push", "refs/heads/a--b", &plain),
        event("deleted-branch", "push", "refs/heads/feature/x", &deleted),
        event("v1.2.3", "push", "refs/tags/v1.2.3", &plain),
        event("v1.2.3-from-main", "push", "refs/tags/v1.2.3", &with("base_ref", json!("refs/heads/main"))),
        event("v0.1.0", "push", "refs/tags/v0.1.0", &plain),
        event("v10.20.30", "push", "refs/tags/v10.20.30", &plain),
        event("v1.2.4-rc.1", "push", "refs/tags/v1.2.4-rc.1", &plain),
        event("v2.0.0-beta", "push", "refs/tags/v2.0.0-beta", &plain),
        event("v2.0.0-alpha.1", "push", "refs/tags/v2.0.0-alpha.1", &plain),
        event("v1.2.3+build.5", "push", "refs/tags/v1.2.3+build.5", &plain),
        event("1.2.3", "push", "refs/tags/1.2.3", &plain),
        event("v1", "push", "refs/tags/v1", &plain),
        event("v1.2", "push", "refs/tags/v1.2", &plain),
        event("v1.2.3.4", "push", "refs/tags/v1.2.3.4", &plain),
        event("nightly-tag", "push", "refs/tags/nightly", &plain),
        event("release-1", "push", "refs/tags/release-1", &plain),
        event("component", "push", "refs/tags/app/v1.2.3", &plain),
        event("deleted-tag", "push", "refs/tags/v1.2.3", &deleted),
        event("pr-opened", "pull_request", "refs/pull/7/merge", &pull(7, "opened", OWN, "main")),
        event("pr-synchronize", "pull_request", "refs/pull/12/merge", &pull(12, "synchronize", OWN, "main")),
        event("pr-to-develop", "pull_request", "refs/pull/7/merge", &pull(7, "opened", OWN, "develop")),
        event("pr-fork", "pull_request", "refs/pull/7/merge", &pull(7, "opened", "me/app", "main")),
        event("pr-closed", "pull_request", "refs/pull/7/merge", &pull(7, "closed", OWN, "main")),
        event("pr-labeled", "pull_request", "refs/pull/7/merge", &pull(7, "labeled", OWN, "main")),
        event(
            "merge-queue",
            "merge_group",
            "refs/heads/gh-readonly-queue/main/pr-7-9f3c2ab",
            &with("action", json!("checks_requested")),
        ),
        event("schedule", "schedule", "refs/heads/main", &plain),
        event("dispatch-main", "workflow_dispatch", "refs/heads/main", &plain),
        event("dispatch-feature", "workflow_dispatch", "refs/heads/feature/x", &plain),
        event("dispatch-tag", "workflow_dispatch", "refs/tags/v1.2.3", &plain),
        event("release", "release", "refs/tags/v1.2.3", &release("v1.2.3", "published", false)),
        event("release-rc", "release", "refs/tags/v1.2.4-rc.1", &release("v1.2.4-rc.1", "published", true)),
        event("release-marked-pre", "release", "refs/tags/v1.2.3", &release("v1.2.3", "published", true)),
        event("release-deleted", "release", "refs/tags/v1.2.3", &release("v1.2.3", "deleted", false)),
        event("create-branch", "create", "refs/heads/feature/x", &plain),
        event("create-tag", "create", "refs/tags/v1.2.3", &plain),
        event("repository-dispatch", "repository_dispatch", "refs/heads/main", &plain),
        event("issue-comment", "issue_comment", "refs/heads/main", &plain),
    ]
}
