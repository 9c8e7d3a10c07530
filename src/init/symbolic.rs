//! Texts and conditions of workflows and scripts, evaluated for one kind of run. Values that only the run knows stay symbols, which
//! become variables of templates.

use super::tags::TagFacts;

/// A value that only a run knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Symbol {
    /// The git tag.
    Tag,
    /// The version: the git tag without its prefix.
    Version,
    /// The version without its pre-release and build metadata, or a number of it.
    Major,
    /// The second number.
    Minor,
    /// The third number.
    Patch,
    /// The branch.
    Branch,
    /// The commit.
    Sha,
    /// Its first digits.
    ShortSha(usize),
    /// The number of the pull request.
    PullRequest,
    /// The time of the commit, in a format of strftime(3).
    Date(String),
    /// The same, in a time zone.
    ZonedDate(String, String),
    /// An expression of the template language.
    Expression(String),
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Known text.
    Literal(String),
    /// A value of the run.
    Symbol(Symbol),
    /// A value that is not understood: its expression.
    Unknown(String),
}

impl Part {
    /// The most characters that it takes in a tag, without the branch.
    fn width(&self) -> usize {
        match self {
            Self::Literal(text) => text.len(),
            Self::Symbol(Symbol::Branch) => 0,
            Self::Symbol(Symbol::ShortSha(digits)) => *digits,
            Self::Symbol(Symbol::Sha) => 40,
            Self::Symbol(_) | Self::Unknown(_) => 20,
        }
    }
}

/// A text of known and unknown parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SymbolicText(Vec<Part>);

/// The longest text that is followed.
const MAX_LENGTH: usize = 20_000;
/// The most parts of a text.
const MAX_PARTS: usize = 200;

impl SymbolicText {
    /// Known text.
    pub fn literal(text: &str) -> Self {
        let mut made = Self::default();
        made.push(Part::Literal(text.to_owned()));
        made
    }

    /// One value of the run.
    pub fn symbol(symbol: Symbol) -> Self {
        Self(vec![Part::Symbol(symbol)])
    }

    /// A value that is not understood.
    pub fn unknown(expression: &str) -> Self {
        Self(vec![Part::Unknown(expression.to_owned())])
    }

    /// Appends a part.
    pub fn push(&mut self, part: Part) {
        if matches!(&part, Part::Literal(text) if text.is_empty()) {
            return;
        }
        if let (Some(Part::Literal(before)), Part::Literal(text)) = (self.0.last_mut(), &part) {
            if before.len() + text.len() <= MAX_LENGTH {
                before.push_str(text);
            }
        } else if self.0.len() < MAX_PARTS {
            self.0.push(part);
        }
    }

    /// Appends a text.
    pub fn append(&mut self, other: &Self) {
        other.0.iter().for_each(|part| self.push(part.clone()));
    }

    /// Both texts, one after the other.
    pub fn then(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.append(other);
        both
    }

    /// Its parts.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The text, if all of it is known.
    pub fn known(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The first expression that is not understood.
    pub fn first_unknown(&self) -> Option<&str> {
        self.0.iter().find_map(|part| match part {
            Part::Unknown(expression) => Some(expression.as_str()),
            _ => None,
        })
    }

    /// Whether a symbol is in it.
    pub fn has(&self, wanted: impl Fn(&Symbol) -> bool) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Symbol(symbol) if wanted(symbol)))
    }

    /// Changes each known part.
    pub fn map_known(&self, change: impl Fn(&str) -> String) -> Self {
        let mut made = Self::default();
        for part in &self.0 {
            made.push(match part {
                Part::Literal(text) => Part::Literal(change(text)),
                other => other.clone(),
            });
        }
        made
    }

    /// Replaces parts.
    pub fn map_parts(&self, change: impl Fn(&Part) -> Part) -> Self {
        let mut made = Self::default();
        self.0.iter().for_each(|part| made.push(change(part)));
        made
    }

    /// The text without `prefix`, if it begins with it. The git tag without the prefix of releases is the version.
    pub fn strip_prefix(&self, prefix: &str, tags: &TagFacts) -> Option<Self> {
        if prefix.is_empty() {
            return Some(self.clone());
        }
        match self.0.first()? {
            Part::Literal(text) => {
                let mut made = Self::default();
                match (text.strip_prefix(prefix), prefix.strip_prefix(text.as_str())) {
                    (Some(rest), _) => {
                        made.push(Part::Literal(rest.to_owned()));
                        made.append(&Self(self.0.get(1..)?.to_vec()));
                        Some(made)
                    }
                    (None, Some(rest)) => Self(self.0.get(1..)?.to_vec()).strip_prefix(rest, tags),
                    (None, None) => None,
                }
            }
            Part::Symbol(Symbol::Tag) if tags.prefix == prefix => {
                let mut made = Self::symbol(Symbol::Version);
                made.append(&Self(self.0.get(1..)?.to_vec()));
                Some(made)
            }
            _ => None,
        }
    }

    /// Splits it at each character that `at` accepts, within known parts.
    pub fn split(&self, at: impl Fn(char) -> bool) -> Vec<Self> {
        let mut found = vec![Self::default()];
        for part in &self.0 {
            let Part::Literal(text) = part else {
                if let Some(last) = found.last_mut() {
                    last.push(part.clone());
                }
                continue;
            };
            for (number, piece) in text.split(&at).enumerate() {
                if number > 0 {
                    found.push(Self::default());
                }
                if let Some(last) = found.last_mut() {
                    last.push(Part::Literal(piece.to_owned()));
                }
            }
        }
        found.into_iter().filter(|it| !it.0.is_empty()).collect()
    }

    /// The text for people: unknown parts are shown as they are written.
    pub fn shown(&self) -> String {
        let part = |part: &Part| match part {
            Part::Literal(text) | Part::Unknown(text) => text.clone(),
            Part::Symbol(symbol) => format!("{{{{ {} }}}}", symbol.expression()),
        };
        self.0.iter().map(part).collect()
    }

    /// The text as a template. `None` if a part is not understood.
    pub fn template(&self, tags: &TagFacts) -> Option<String> {
        /// The most characters of a tag.
        const LENGTH: usize = 128;
        let mut template = String::new();
        let others: usize = self.0.iter().map(Part::width).sum();
        for part in &self.0 {
            match part {
                Part::Literal(text) if text.contains("{{") || text.contains("{%") => return None,
                Part::Literal(text) => template.push_str(text),
                // A rule that prints the version can be read back, so that forward tags beside it hold.
                Part::Symbol(Symbol::Tag) if tags.are_versions && tags.prefix_is_tag() => {
                    template.push_str(&format!("{}{{{{ version }}}}", tags.prefix));
                }
                // A slug fills a whole tag, and leaves no place for what stands beside it.
                Part::Symbol(Symbol::Branch) if others > 0 => {
                    let length = LENGTH.saturating_sub(others);
                    template.push_str(&format!("{{{{ git.branch | slug | short({length}) }}}}"));
                }
                Part::Symbol(symbol) => template.push_str(&format!("{{{{ {} }}}}", symbol.expression())),
                Part::Unknown(_) => return None,
            }
        }
        Some(template)
    }
}

impl Symbol {
    /// The expression of the template language.
    pub fn expression(&self) -> String {
        match self {
            Self::Tag => "git.tag".to_owned(),
            Self::Version => "version".to_owned(),
            Self::Major => "version.major".to_owned(),
            Self::Minor => "version.minor".to_owned(),
            Self::Patch => "version.patch".to_owned(),
            Self::Branch => "git.branch | slug".to_owned(),
            Self::Sha => "git.sha".to_owned(),
            Self::ShortSha(7) => "git.short_sha".to_owned(),
            Self::ShortSha(digits) => format!("git.sha | short({digits})"),
            Self::PullRequest => "pr.number".to_owned(),
            Self::Date(format) => format!("git.commit_time | date(\"{format}\")"),
            Self::ZonedDate(format, zone) => format!("git.commit_time | date(\"{format}\", \"{zone}\")"),
            Self::Expression(expression) => expression.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_stripped_and_become_templates() {
        let tags = TagFacts::of(["v1.2.3", "v1.2.2"]);
        let reference = SymbolicText::literal("refs/tags/").then(&SymbolicText::symbol(Symbol::Tag));
        let tag = reference.strip_prefix("refs/tags/", &tags).expect("a tag");
        assert_eq!(tag.template(&tags).as_deref(), Some("v{{ version }}"));
        let version = reference.strip_prefix("refs/tags/v", &tags).expect("a version");
        assert_eq!(version.template(&tags).as_deref(), Some("{{ version }}"));
        assert_eq!(reference.strip_prefix("refs/heads/", &tags), None);
        let list = SymbolicText::literal("a:").then(&version).then(&SymbolicText::literal(",a:latest"));
        let split: Vec<String> = list.split(|c| c == ',').iter().map(SymbolicText::shown).collect();
        assert_eq!(split, ["a:{{ version }}", "a:latest"]);
        assert_eq!(SymbolicText::unknown("inputs.x").template(&tags), None);
        let branch = SymbolicText::symbol(Symbol::Branch);
        assert_eq!(branch.template(&tags).as_deref(), Some("{{ git.branch | slug }}"));
        let prefixed = SymbolicText::literal("app-").then(&branch);
        assert_eq!(prefixed.template(&tags).as_deref(), Some("app-{{ git.branch | slug | short(124) }}"));
    }
}
