//! Templates of goreleaser (goreleaser.com, "Name Templates"): fields, a few functions, and `if` about pre-releases.

use super::condition::Condition;
use super::scope::ProjectFacts;
use super::symbolic::{Part, Symbol, SymbolicText};

/// The values of templates.
#[derive(Debug, Clone, Copy)]
pub(super) struct GoTemplates<'p> {
    /// The project.
    pub project: &'p ProjectFacts,
    /// `ProjectName`.
    pub name: &'p str,
}

/// The texts that a template makes, each with its condition.
pub(super) fn pieces(template: &str, values: &GoTemplates<'_>) -> Vec<(SymbolicText, Condition)> {
    let mut open: Vec<(SymbolicText, Condition)> = vec![(SymbolicText::default(), Condition::Always)];
    // The conditions of the `if`s that are open, and of their `else`.
    let mut stack: Vec<Condition> = Vec::new();
    let mut rest = template;
    loop {
        let (before, after) = match rest.split_once("{{") {
            Some((before, after)) => (before, Some(after)),
            None => (rest, None),
        };
        add(&mut open, &Part::Literal(before.to_owned()), &stack);
        let Some((inside, more)) = after.and_then(|it| it.split_once("}}")) else { break };
        let inside = inside.trim_matches('-').trim();
        match inside.split_once(' ') {
            Some(("if", test)) => {
                let condition = test_of(test.trim());
                fork(&mut open, &condition, &stack);
                stack.push(condition);
            }
            Some(("else", test)) if test.trim().starts_with("if ") => {
                if let Some(last) = stack.pop() {
                    stack.push(last.negated().and(test_of(test.trim().trim_start_matches("if ").trim())));
                }
            }
            _ if inside == "else" => {
                if let Some(last) = stack.pop() {
                    stack.push(last.negated());
                }
            }
            _ if inside == "end" => drop(stack.pop()),
            _ => {
                let value = value(inside, values);
                for part in value.parts() {
                    add(&mut open, part, &stack);
                }
            }
        }
        rest = more;
    }
    open.retain(|(_, condition)| *condition != Condition::Never);
    open.dedup();
    open
}

/// Splits each text that a condition divides in two.
fn fork(open: &mut Vec<(SymbolicText, Condition)>, condition: &Condition, stack: &[Condition]) {
    if matches!(condition, Condition::Always | Condition::Never) || open.len() > 8 {
        return;
    }
    let mut made = Vec::new();
    for (text, own) in open.drain(..) {
        let fits = stack.iter().all(|it| *it == Condition::Always || own.clone().and(it.clone()) == own);
        if fits && own.clone().and(condition.clone()) != own {
            made.push((text.clone(), own.clone().and(condition.clone())));
            made.push((text, own.and(condition.clone().negated())));
        } else {
            made.push((text, own));
        }
    }
    *open = made;
}

fn add(open: &mut [(SymbolicText, Condition)], part: &Part, stack: &[Condition]) {
    for (text, own) in open {
        if stack.iter().all(|it| {
            *it == Condition::Always || *it != Condition::Never && own.clone().and(it.clone()) == *own
        }) {
            text.push(part.clone());
        }
    }
}

fn test_of(test: &str) -> Condition {
    let test = test.trim_matches(['(', ')']).trim();
    match test {
        ".Prerelease" => Condition::Test("version.pre != ''".to_owned()),
        "not .Prerelease" | "eq .Prerelease \"\"" => Condition::Test("version.pre == ''".to_owned()),
        ".IsSnapshot" | ".IsNightly" | ".IsGitDirty" | ".IsDraft" => Condition::Never,
        "not .IsSnapshot" | "not .IsNightly" | ".IsRelease" | ".IsGitClean" => Condition::Always,
        _ => Condition::Unknown(test.to_owned()),
    }
}

fn value(expression: &str, values: &GoTemplates<'_>) -> SymbolicText {
    let mut pipeline = expression.split('|').map(str::trim);
    let first = pipeline.next().unwrap_or_default();
    let mut value = operand(first, values);
    for function in pipeline {
        value = match function {
            "tolower" | "ToLower" => value.map_known(str::to_lowercase),
            "trim" => value,
            _ => SymbolicText::unknown(expression),
        };
    }
    value
}

fn operand(text: &str, values: &GoTemplates<'_>) -> SymbolicText {
    let symbol = SymbolicText::symbol;
    let tags = &values.project.tags;
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        [".Version" | ".RawVersion"] => symbol(Symbol::Version),
        [".Tag" | ".CurrentTag"] => symbol(Symbol::Tag),
        [".Major"] => symbol(Symbol::Major),
        [".Minor"] => symbol(Symbol::Minor),
        [".Patch"] => symbol(Symbol::Patch),
        [".FullCommit" | ".Commit"] => symbol(Symbol::Sha),
        [".ShortCommit"] => symbol(Symbol::ShortSha(7)),
        [".Branch"] => symbol(Symbol::Branch),
        [".Date" | ".CommitDate"] => symbol(Symbol::Date("%Y-%m-%dT%H:%M:%SZ".to_owned())),
        [".ProjectName"] => SymbolicText::literal(values.name),
        [".GitURL"] => {
            SymbolicText::literal(&format!("{}/{}", values.project.server, values.project.repository))
        }
        [".Env.GITHUB_REPOSITORY_OWNER"] if !values.project.repository.is_empty() => {
            SymbolicText::literal(values.project.owner())
        }
        [".Env.GITHUB_REPOSITORY"] if !values.project.repository.is_empty() => {
            SymbolicText::literal(&values.project.repository)
        }
        [".Env.GITHUB_REF_NAME"] => symbol(Symbol::Tag),
        ["trimprefix", value, prefix] => {
            let value = operand(value, values);
            value.strip_prefix(prefix.trim_matches('"'), tags).unwrap_or(value)
        }
        ["tolower", value] => operand(value, values).map_known(str::to_lowercase),
        ["replace", value, from, to] => {
            let (from, to) = (from.trim_matches('"'), to.trim_matches('"'));
            operand(value, values).map_known(|known| known.replace(from, to))
        }
        ["envOrDefault", name, default] => {
            let known = operand(&format!(".Env.{}", name.trim_matches('"')), values);
            if known.first_unknown().is_some() {
                SymbolicText::literal(default.trim_matches('"'))
            } else {
                known
            }
        }
        [one] if one.starts_with('"') => SymbolicText::literal(one.trim_matches('"')),
        _ => SymbolicText::unknown(text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tags::TagFacts;
    use super::*;

    #[test]
    fn templates_of_goreleaser_are_read() {
        let project = ProjectFacts {
            tags: TagFacts::of(["v1.2.3"]),
            repository: "acme/app".to_owned(),
            name: "app".to_owned(),
            server: "https://github.com".to_owned(),
            default_branch: None,
            texts: std::collections::BTreeMap::new(),
        };
        let values = GoTemplates { project: &project, name: "app" };
        for (template, expected) in [
            ("acme/app:{{ .Version }}", vec!["acme/app:{{ version }} Always"]),
            (
                "acme/{{.ProjectName}}:v{{ .Major }}.{{ .Minor }}-amd64",
                vec!["acme/app:v{{ version.major }}.{{ version.minor }}-amd64 Always"],
            ),
            (
                "{{ if not .Prerelease }}latest{{ end }}",
                vec!["latest Test(\"version.pre == ''\")", " Test(\"version.pre != ''\")"],
            ),
            ("{{ .Tag | tolower }}", vec!["{{ git.tag }} Always"]),
            ("{{ .Env.OTHER }}", vec![".Env.OTHER Always"]),
            ("{{ if .IsSnapshot }}x{{ else }}y{{ end }}", vec!["y Always"]),
        ] {
            let made: Vec<String> = pieces(template, &values)
                .iter()
                .map(|(text, own)| format!("{} {own:?}", text.shown()))
                .collect();
            assert_eq!(made, expected, "{template}");
        }
    }
}
