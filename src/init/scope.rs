//! The values that a workflow sees in one kind of run: the contexts of GitHub Actions (docs.github.com, "Contexts reference").

use std::collections::BTreeMap;

use super::condition::{Condition, quoted};
use super::symbolic::{Part, Symbol, SymbolicText};
use super::tags::TagFacts;

/// The facts about the project that workflows refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProjectFacts {
    /// The git tags.
    pub tags: TagFacts,
    /// `owner/name` of the repository, or an empty text.
    pub repository: String,
    /// The name of the project.
    pub name: String,
    /// The address of the remote, without the path: `https://github.com`.
    pub server: String,
    /// The default branch.
    pub default_branch: Option<String>,
    /// The texts of files that workflows run or read: scripts, bake files, Makefiles.
    pub texts: BTreeMap<String, String>,
}

impl ProjectFacts {
    /// The owner of the repository.
    pub fn owner(&self) -> &str {
        self.repository.split('/').next().unwrap_or_default()
    }
}

/// A kind of run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RunKind {
    /// A git tag was pushed.
    TagPush,
    /// A release was published.
    Release,
    /// A branch was pushed.
    Branch,
    /// A pull request was opened or changed.
    PullRequest,
    /// A timer fired.
    Schedule,
    /// Somebody started it.
    Manual,
    /// Somebody started it with a version, for which a git tag is made too. Rules see it as that git tag.
    Dispatched,
}

impl RunKind {
    /// All kinds, in the order in which rules are written.
    #[cfg(test)]
    pub const ALL: [Self; 6] =
        [Self::TagPush, Self::Release, Self::Branch, Self::PullRequest, Self::Schedule, Self::Manual];

    /// The word of `on`.
    pub fn event(self) -> &'static str {
        match self {
            Self::TagPush | Self::Release | Self::Dispatched => "tag",
            Self::Branch => "branch",
            Self::PullRequest => "pull_request",
            Self::Schedule => "schedule",
            Self::Manual => "manual",
        }
    }

    /// Whether it is a run on a git tag.
    pub fn is_tag(self) -> bool {
        matches!(self, Self::TagPush | Self::Release | Self::Dispatched)
    }

    fn event_name(self) -> &'static str {
        match self {
            Self::TagPush | Self::Branch => "push",
            Self::Release => "release",
            Self::PullRequest => "pull_request",
            Self::Schedule => "schedule",
            Self::Manual | Self::Dispatched => "workflow_dispatch",
        }
    }
}

/// A value of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ScopeValue {
    /// No value.
    Null,
    /// A text, or a number as a text.
    Text(SymbolicText),
    /// True or false.
    Condition(Condition),
    /// A list of texts.
    List(Vec<SymbolicText>),
}

impl ScopeValue {
    /// Whether the value counts as true (docs.github.com, "Operators").
    pub fn condition(&self) -> Condition {
        match self {
            Self::Null => Condition::Never,
            Self::Condition(condition) => condition.clone(),
            Self::List(_) => Condition::Always,
            Self::Text(text) => match (text.known(), text.first_unknown()) {
                (Some(known), _) => Condition::known(!known.is_empty() && known != "0"),
                (None, Some(expression)) if text.parts().len() == 1 => {
                    Condition::Unknown(expression.to_owned())
                }
                _ => Condition::Always,
            },
        }
    }

    /// The value as a text.
    pub fn text(&self, expression: &str) -> SymbolicText {
        match self {
            Self::Null => SymbolicText::default(),
            Self::Text(text) => text.clone(),
            Self::Condition(Condition::Always) => SymbolicText::literal("true"),
            Self::Condition(Condition::Never) => SymbolicText::literal("false"),
            Self::Condition(_) => SymbolicText::unknown(expression),
            Self::List(items) => {
                items.iter().enumerate().fold(SymbolicText::default(), |mut all, (at, item)| {
                    all.push(Part::Literal(if at == 0 { String::new() } else { ",".to_owned() }));
                    all.then(item)
                })
            }
        }
    }
}

/// The values of one run, with those of `env`, `matrix`, `inputs`, `steps` and `needs` under their dotted names in lower case.
#[derive(Debug, Clone)]
pub(super) struct Scope<'p> {
    /// The project.
    pub project: &'p ProjectFacts,
    /// The kind of run.
    pub kind: RunKind,
    /// The values.
    pub values: BTreeMap<String, ScopeValue>,
}

impl<'p> Scope<'p> {
    /// A scope without values.
    pub fn new(project: &'p ProjectFacts, kind: RunKind) -> Self {
        Self { project, kind, values: BTreeMap::new() }
    }

    /// Sets a value.
    pub fn set(&mut self, name: &str, value: SymbolicText) {
        if self.values.len() < 2000 {
            self.values.insert(name.to_ascii_lowercase(), ScopeValue::Text(value));
        }
    }

    /// The value of a context.
    pub fn value(&self, path: &str) -> ScopeValue {
        let path = path.to_ascii_lowercase();
        let path =
            path.strip_prefix("github.event.inputs.").map_or(path.clone(), |rest| format!("inputs.{rest}"));
        if let Some(value) = self.values.get(&path) {
            return value.clone();
        }
        match path.strip_prefix("github.") {
            Some(rest) => self.github(rest).unwrap_or_else(|| ScopeValue::Text(SymbolicText::unknown(&path))),
            None if path.starts_with("matrix.") && self.values.contains_key("matrix.*") => {
                ScopeValue::Text(SymbolicText::unknown(&path))
            }
            // Only a run that was started by hand or called has inputs.
            None if path.starts_with("inputs.")
                && !matches!(self.kind, RunKind::Manual | RunKind::Dispatched) =>
            {
                ScopeValue::Null
            }
            // A matrix without the key gives an empty text, and so does an unset variable.
            None if path.starts_with("matrix.") || path.starts_with("env.") => ScopeValue::Null,
            None => ScopeValue::Text(SymbolicText::unknown(&path)),
        }
    }

    /// The full name of the ref.
    pub fn reference(&self) -> SymbolicText {
        let named = |start: &str, symbol| SymbolicText::literal(start).then(&SymbolicText::symbol(symbol));
        match self.kind {
            RunKind::TagPush | RunKind::Release => named("refs/tags/", Symbol::Tag),
            RunKind::PullRequest => {
                named("refs/pull/", Symbol::PullRequest).then(&SymbolicText::literal("/merge"))
            }
            _ => named("refs/heads/", Symbol::Branch),
        }
    }

    /// Whether the ref of the run is a git tag.
    fn stands_on_tag(&self) -> bool {
        matches!(self.kind, RunKind::TagPush | RunKind::Release)
    }

    fn github(&self, path: &str) -> Option<ScopeValue> {
        let text = |text: &str| Some(ScopeValue::Text(SymbolicText::literal(text)));
        let symbol = |symbol| Some(ScopeValue::Text(SymbolicText::symbol(symbol)));
        let when = |condition| Some(ScopeValue::Condition(condition));
        let is_pull_request = self.kind == RunKind::PullRequest;
        let project = self.project;
        match path {
            "ref" => Some(ScopeValue::Text(self.reference())),
            "ref_name" if self.stands_on_tag() => symbol(Symbol::Tag),
            "ref_name" if is_pull_request => {
                let number = SymbolicText::symbol(Symbol::PullRequest);
                Some(ScopeValue::Text(number.then(&SymbolicText::literal("/merge"))))
            }
            "ref_name" => symbol(Symbol::Branch),
            "ref_type" => text(if self.stands_on_tag() { "tag" } else { "branch" }),
            "event_name" => text(self.kind.event_name()),
            "sha" | "event.pull_request.head.sha" | "event.after" | "event.head_commit.id" => {
                symbol(Symbol::Sha)
            }
            "repository" if !project.repository.is_empty() => text(&project.repository),
            "repository_owner" | "event.repository.owner.login" | "event.repository.owner.name"
                if !project.repository.is_empty() =>
            {
                text(project.owner())
            }
            "event.repository.full_name" => text(&project.repository),
            "event.repository.name" => text(project.repository.rsplit('/').next().unwrap_or(&project.name)),
            "event.repository.default_branch" => text(project.default_branch.as_deref()?),
            "event.repository.fork" | "event.release.draft" | "event.pull_request.head.repo.fork" => {
                when(Condition::Never)
            }
            "event.pull_request.head.repo.full_name" => text(&project.repository),
            "server_url" => text(&project.server),
            "head_ref" | "event.pull_request.head.ref" if is_pull_request => symbol(Symbol::Branch),
            "head_ref" => text(""),
            "event.number" | "event.pull_request.number" if is_pull_request => symbol(Symbol::PullRequest),
            "event.pull_request" if is_pull_request => when(Condition::Always),
            "event.release.tag_name" if self.kind == RunKind::Release => symbol(Symbol::Tag),
            "event.release.prerelease" if self.kind == RunKind::Release => {
                when(Condition::Test("version.pre != ''".to_owned()))
            }
            "event.action" if self.kind == RunKind::Release => text("published"),
            _ if path.starts_with("event.release") && self.kind != RunKind::Release => Some(ScopeValue::Null),
            _ if path.starts_with("event.pull_request") && !is_pull_request => Some(ScopeValue::Null),
            "event.number" | "event.schedule" | "event.inputs" | "base_ref" | "event.base_ref" => {
                Some(ScopeValue::Null)
            }
            _ => None,
        }
    }

    /// Whether two texts are equal. GitHub ignores case.
    pub fn equal(&self, one: &SymbolicText, other: &SymbolicText) -> Condition {
        let (text, known) = match (one.known(), other.known()) {
            (Some(one), Some(other)) => return Condition::known(one.eq_ignore_ascii_case(other)),
            (Some(known), None) => (other, known),
            (None, Some(known)) => (one, known),
            (None, None) if one == other => return Condition::Always,
            (None, None) => return Condition::Unknown(format!("{} == {}", one.shown(), other.shown())),
        };
        let unknown = || Condition::Unknown(format!("{} == '{known}'", text.shown()));
        let (mut rest, mut parts) = (known, text.parts());
        while let [Part::Literal(start), more @ ..] = parts {
            match rest.strip_prefix(start.as_str()) {
                Some(after) => (rest, parts) = (after, more),
                None => return Condition::Never,
            }
        }
        while let [more @ .., Part::Literal(end)] = parts {
            match rest.strip_suffix(end.as_str()) {
                Some(before) => (rest, parts) = (before, more),
                None => return Condition::Never,
            }
        }
        match parts {
            [Part::Symbol(_)] if rest.is_empty() => Condition::Never,
            [Part::Symbol(Symbol::Branch)] => self.branch_is(rest),
            [Part::Symbol(Symbol::Tag)] if self.project.tags.excludes(rest) => Condition::Never,
            [Part::Symbol(Symbol::Tag)] => Condition::Test(format!("git.tag == {}", quoted(rest))),
            [Part::Symbol(Symbol::PullRequest)] if rest == "0" => Condition::Never,
            _ => unknown(),
        }
    }

    fn branch_is(&self, name: &str) -> Condition {
        match &self.project.default_branch {
            // GitHub runs schedules on the default branch.
            Some(default) if self.kind == RunKind::Schedule => Condition::known(default == name),
            _ => Condition::Branch(vec![name.to_owned()]),
        }
    }

    /// Whether the branch is the default branch.
    pub fn on_default_branch(&self) -> Condition {
        match self.kind {
            RunKind::Schedule => Condition::Always,
            RunKind::Branch | RunKind::Manual => match &self.project.default_branch {
                Some(default) => Condition::Branch(vec![default.clone()]),
                None => Condition::Test("git.branch == git.default_branch".to_owned()),
            },
            _ => Condition::Never,
        }
    }

    /// Whether `text` begins with `start`.
    pub fn begins(&self, text: &SymbolicText, start: &SymbolicText) -> Condition {
        let unknown = || Condition::Unknown(format!("startsWith({}, '{}')", text.shown(), start.shown()));
        let Some(wanted) = start.known() else { return unknown() };
        let (first, rest) = match text.parts() {
            [] => return Condition::known(wanted.is_empty()),
            [Part::Literal(known), rest @ ..] => {
                match (known.strip_prefix(wanted), wanted.strip_prefix(known.as_str())) {
                    (Some(_), _) => return Condition::Always,
                    (None, Some(left)) => (rest.first(), left),
                    (None, None) => return Condition::Never,
                }
            }
            [first, ..] => (Some(first), wanted),
        };
        match first {
            None => Condition::Never,
            Some(Part::Symbol(Symbol::Tag)) if self.project.tags.prefix.starts_with(rest) => {
                Condition::Always
            }
            Some(Part::Symbol(symbol @ (Symbol::Tag | Symbol::Branch))) => {
                let name = if *symbol == Symbol::Tag { "git.tag" } else { "git.branch" };
                Condition::Test(format!("{name} is startingwith({})", quoted(rest)))
            }
            _ => unknown(),
        }
    }

    /// Whether `text` contains `part`, at its end if `at_end`.
    pub fn contains(&self, text: &SymbolicText, part: &SymbolicText, at_end: bool) -> Condition {
        let unknown = || Condition::Unknown(format!("contains({}, '{}')", text.shown(), part.shown()));
        let Some(wanted) = part.known() else { return unknown() };
        if let Some(known) = text.known() {
            let (known, wanted) = (known.to_ascii_lowercase(), wanted.to_ascii_lowercase());
            return Condition::known(if at_end { known.ends_with(&wanted) } else { known.contains(&wanted) });
        }
        let known = |part: &Part| matches!(part, Part::Literal(text) if text.contains(wanted));
        if !at_end && text.parts().iter().any(known) {
            return Condition::Always;
        }
        let symbol = text.parts().iter().find_map(|part| match part {
            Part::Symbol(symbol) => Some(symbol),
            _ => None,
        });
        match symbol {
            Some(Symbol::Tag | Symbol::Version)
                if wanted == "-" && !at_end && !self.project.tags.prefix.contains('-') =>
            {
                Condition::Test("version.pre != ''".to_owned())
            }
            Some(Symbol::Tag | Symbol::Version) if at_end => {
                Condition::Test(format!("git.tag is endingwith({})", quoted(wanted)))
            }
            Some(Symbol::Tag | Symbol::Version) => Condition::Test(format!("{} in git.tag", quoted(wanted))),
            Some(Symbol::Branch) if at_end => {
                Condition::Test(format!("git.branch is endingwith({})", quoted(wanted)))
            }
            Some(Symbol::Branch) => Condition::Test(format!("{} in git.branch", quoted(wanted))),
            // A number has no such part.
            Some(Symbol::PullRequest) if wanted.chars().any(|c| !c.is_ascii_digit()) => Condition::Never,
            _ => unknown(),
        }
    }
}
