//! A plan or a record as one page for the people who approve it: what changes, from what to what, how much is sent, and what was found.
//! It has no scripts and nothing from elsewhere, and every text in it is escaped.

use super::clean;
use super::outcome;
use super::page::{PLAIN, document, escaped};
use super::plan;
use super::rows::TableRow;
use super::secrets;
use super::signatures;
use super::size::size;
use crate::model::outcome::{ChangeOutcome, RepositoryOutcome};
use crate::model::plan::{Action, Change, Plan, PlannedRepository, TagTarget};
use crate::model::problem::ProblemSeverity;
use crate::model::record::Record;
use oci_registry::Digest;

/// Returns `plan` as one HTML document. `digest` is that of its file, which `apply --expect` takes.
pub fn plan_page(plan: &Plan, digest: Option<&Digest>) -> String {
    let title = plan::title(plan, PLAIN);
    let mut body = head(&title, &plan::summary(plan), if plan.is_blocked() { "blocked" } else { "" });
    for problem in &plan.problems {
        let severity = if problem.severity == ProblemSeverity::Error { "error" } else { "warning" };
        body.push_str(&problem_of(severity, &problem.code, &problem.message, problem.help.as_deref()));
    }
    body.push_str(&facts(plan, digest));
    for repository in &plan.repositories {
        body.push_str(&repository_of(plan, repository));
    }
    body.push_str(&remark("Secrets", &secrets::plan(plan, true, PLAIN)));
    body.push_str(&remark("Not published here", &plan::silent(plan)));
    document(&title, &body)
}

/// Returns `record` as one HTML document.
pub fn record_page(record: &Record) -> String {
    let title = format!("brokkr-publish record — {}", clean::line(&record.plan.title));
    let (done, rest) = outcome::sentence(&record.outcome, record.plan.kind, record.success);
    let mut body = head(&title, &format!("{done}{rest}"), if record.success { "" } else { "blocked" });
    for problem in &record.problems {
        body.push_str(&problem_of("error", &problem.code, &problem.message, problem.help.as_deref()));
    }
    body.push_str(&facts(&record.plan, None));
    for planned in &record.plan.repositories {
        let done = record.outcome.repositories.iter().find(|it| it.address == planned.address);
        let prefix = format!("{}:", planned.address);
        let changes = record.outcome.changes.iter().filter(|change| change.address.starts_with(&prefix));
        body.push_str(&outcome_of(planned, done, &changes.collect::<Vec<_>>()));
    }
    let references = outcome::references(&record.outcome);
    if record.success && !references.is_empty() {
        body.push_str(&list("Deploy by digest", references.iter().map(|it| (*it).to_owned())));
    }
    let commands = signatures::verify_commands(&record.outcome);
    if record.success && !commands.is_empty() {
        body.push_str(&list("Verify the signatures", commands.into_iter()));
    }
    document(&title, &body)
}

fn head(title: &str, summary: &str, class: &str) -> String {
    format!(
        "<h1>{}</h1>\n<p class=\"summary {class}\">{}</p>\n",
        escaped(title),
        escaped(clean::message(summary).trim())
    )
}

fn problem_of(severity: &str, code: &str, message: &str, help: Option<&str>) -> String {
    let help = help.map(|help| format!("<p>help: {}</p>", text(help))).unwrap_or_default();
    format!(
        "<blockquote class=\"{severity}\"><p><strong>{severity}</strong> <code>{}</code></p><p>{}</p>{help}</blockquote>\n",
        text(code),
        text(message)
    )
}

/// Returns a text from a plan, on any number of lines, for HTML.
fn text(text: &str) -> String {
    escaped(&clean::message(text))
}

/// Returns the table of what the plan stands on.
fn facts(plan: &Plan, digest: Option<&Digest>) -> String {
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    for (key, value) in &plan.context {
        match value {
            serde_json::Value::String(value) => fact(key, value.clone()),
            serde_json::Value::Number(_) | serde_json::Value::Bool(_) => fact(key, value.to_string()),
            _ => {}
        }
    }
    let profile =
        plan.config.profile.as_ref().map(|profile| format!(", profile {profile}")).unwrap_or_default();
    fact("configuration", format!("{}{profile}", plan.config.path));
    fact("its digest", plan.config.digest.to_string());
    if let Some(digest) = digest {
        fact("digest of this plan", digest.to_string());
    }
    if let Some(approval) = &plan.approval {
        fact("approvals", format!("{} of {}", approval.count, approval.keys.len()));
    }
    let summary = plan.summary();
    if summary.bytes > 0 {
        fact("size", format!("{}, of which {} to send", size(summary.bytes), size(summary.bytes_to_send)));
    }
    if let Some(line) = plan.credentials.line() {
        fact("credentials", line);
    }
    for (name, gate) in &plan.gates {
        let kind = serde_json::to_value(gate).unwrap_or_default().to_string();
        fact(&format!("gate {name}"), kind);
    }
    fact("made by", plan.generator.clone());
    let rows: String = facts
        .into_iter()
        .map(|(name, value)| {
            format!("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", text(&name), text(&value))
        })
        .collect();
    format!("<table class=\"facts\">\n{rows}</table>\n")
}

fn repository_of(plan: &Plan, repository: &PlannedRepository) -> String {
    let mut meta = vec![repository.address.clone()];
    if let Some(content) = &repository.content {
        let platforms: Vec<String> = content.platforms.iter().map(ToString::to_string).collect();
        if !platforms.is_empty() {
            meta.push(platforms.join(", "));
        }
        meta.push(format!(
            "{}, {} to send",
            size(content.sending.bytes),
            size(content.sending.bytes_to_send)
        ));
        meta.push(format!("from {}", content.source));
    }
    let rows: String = repository.changes.iter().map(|change| change_of(plan, change)).collect();
    let others: String = plan::other_rows(repository, true, PLAIN).iter().map(other).collect();
    section(&repository.name, &meta, &["tag", "before", "after", "reason"], &(rows + &others))
}

fn section(name: &str, meta: &[String], head: &[&str], rows: &str) -> String {
    let head: String = head.iter().map(|it| format!("<th scope=\"col\">{it}</th>")).collect();
    let meta: Vec<String> = meta.iter().map(|it| text(it)).collect();
    format!(
        "<section>\n<h2><code>{}</code></h2>\n<p class=\"meta\">{}</p>\n<table>\n<thead><tr><th></th>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</section>\n",
        text(name),
        meta.join(" · ")
    )
}

fn change_of(plan: &Plan, change: &Change) -> String {
    let (class, sign) = match change.action {
        Action::Create => ("plus", '+'),
        Action::Move => ("tilde", '~'),
        Action::Remove => ("alarm", '-'),
        Action::NoOp | Action::Keep => ("stays", '='),
        Action::Conflict => ("alarm", '!'),
    };
    let after = if change.action == Action::Keep { change.before.as_ref() } else { change.after.as_ref() };
    let why = plan::reason(plan.kind, change);
    format!(
        "<tr class=\"{class}\"><td>{sign}</td><td><code>{}</code><br><small>{}</small></td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        text(change.tag.as_str()),
        change.mutability.as_str(),
        target(change.before.as_ref()),
        target(after),
        text(&why)
    )
}

/// Returns a manifest as it is named, with its version or commit.
fn target(target: Option<&TagTarget>) -> String {
    let Some(target) = target else { return "<span class=\"none\">not there</span>".to_owned() };
    let version = target.version_tag.as_ref().map(ToString::to_string);
    let version = version.or_else(|| target.revision.as_ref().map(|it| it.chars().take(12).collect()));
    let version = version.map(|it: String| format!("<strong>{}</strong><br>", text(&it))).unwrap_or_default();
    format!("{version}<code class=\"digest\">{}</code>", text(target.digest.as_str()))
}

/// Returns a row that is not about a tag: referrers, signatures, values, visibility.
fn other(row: &TableRow) -> String {
    let class = match row.sign {
        '+' => "plus",
        '~' => "tilde",
        '!' | '-' => "alarm",
        _ => "stays",
    };
    format!(
        "<tr class=\"{class}\"><td>{}</td><td><code>{}</code></td><td colspan=\"2\">{}</td><td>{}</td></tr>\n",
        row.sign,
        escaped(&row.name),
        escaped(&row.value),
        escaped(&row.why)
    )
}

fn outcome_of(
    planned: &PlannedRepository,
    done: Option<&RepositoryOutcome>,
    changes: &[&ChangeOutcome],
) -> String {
    let mut meta = vec![planned.address.clone()];
    if let Some(done) = done {
        meta.push(format!(
            "{} pushed, {} blobs pushed, {} mounted, {} already there",
            size(done.bytes_pushed),
            done.blobs_pushed,
            done.blobs_mounted,
            done.blobs_present
        ));
        meta.extend(done.visibility.as_ref().map(|it| {
            let seen = crate::model::visibility::seen_words(it.setting, it.observed);
            format!("visibility: {seen}, declared {}", it.declared.as_str())
        }));
        meta.extend(done.signatures.iter().map(|it| format!("signed by {}", it.signer)));
    }
    let row = |change: &&ChangeOutcome| {
        let (_, sign, word) = outcome::words(change.result);
        let class = match sign {
            '+' => "plus",
            '~' => "tilde",
            '!' => "alarm",
            _ => "stays",
        };
        let why = match &change.detail {
            Some(detail) => format!("{word}: {detail}"),
            None => word.to_owned(),
        };
        format!(
            "<tr class=\"{class}\"><td>{sign}</td><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            text(change.tag.as_str()),
            target(change.before.as_ref()),
            target(change.after.as_ref()),
            text(&why)
        )
    };
    let rows: String = changes.iter().map(row).collect();
    section(&planned.name, &meta, &["tag", "before", "planned", "result"], &rows)
}

fn list(title: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: String = lines.map(|line| format!("<li><code>{}</code></li>\n", text(&line))).collect();
    format!("<h2>{title}</h2>\n<ul>\n{lines}</ul>\n")
}

fn remark(title: &str, text: &str) -> String {
    let text = text.trim_matches('\n');
    if text.is_empty() { String::new() } else { format!("<h2>{title}</h2>\n<pre>{}</pre>\n", escaped(text)) }
}
