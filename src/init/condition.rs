//! Conditions under which a workflow publishes: true, false, a test that a rule can make, or not understood.

/// A condition, for one kind of run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Condition {
    /// It holds.
    Always,
    /// It does not hold.
    Never,
    /// The branch is one of these, as globs of `match`.
    Branch(Vec<String>),
    /// A test in the template language.
    Test(String),
    /// All hold.
    All(Vec<Condition>),
    /// One of them holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// It is not understood: its expression.
    Unknown(String),
}

impl Condition {
    /// `Always` or `Never`.
    pub fn known(holds: bool) -> Self {
        if holds { Self::Always } else { Self::Never }
    }

    /// Both hold.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Always, it) | (it, Self::Always) => it,
            (one, other) if one == other => one,
            (one, other) => {
                let mut all = one.parts();
                for it in other.parts() {
                    if all.contains(&it.clone().negated()) && !matches!(it, Self::Unknown(_)) {
                        return Self::Never;
                    }
                    // `a and (a or b)` is `a`.
                    let implied = matches!(&it, Self::Any(any) if any.iter().any(|one| all.contains(one)));
                    if !all.contains(&it) && !implied {
                        all.push(it);
                    }
                }
                if all.len() == 1 { all.pop().unwrap_or(Self::Always) } else { Self::All(all) }
            }
        }
    }

    /// The conditions that must all hold.
    fn parts(self) -> Vec<Self> {
        match self {
            Self::All(all) => all,
            it => vec![it],
        }
    }

    /// Whether it holds only if `other` holds too.
    fn implies(&self, other: &Self) -> bool {
        self == other || matches!(self, Self::All(all) if all.contains(other))
    }

    /// One of them holds.
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always, _) | (_, Self::Always) => Self::Always,
            (Self::Never, it) | (it, Self::Never) => it,
            (one, other) if one.implies(&other) => other,
            (one, other) if other.implies(&one) => one,
            (one, other) if one.clone().negated() == other && !matches!(one, Self::Unknown(_)) => {
                Self::Always
            }
            (Self::Branch(mut branches), Self::Branch(others)) => {
                for it in others {
                    if !branches.contains(&it) {
                        branches.push(it);
                    }
                }
                Self::Branch(branches)
            }
            (Self::Any(mut any), it) | (it, Self::Any(mut any)) => {
                if !any.iter().any(|one| it.implies(one)) {
                    any.push(it);
                }
                Self::Any(any)
            }
            (one, other) => Self::Any(vec![one, other]),
        }
    }

    /// The opposite.
    pub fn negated(self) -> Self {
        match self {
            Self::Always => Self::Never,
            Self::Never => Self::Always,
            Self::Not(it) => *it,
            Self::Test(test) if test == "version.pre == ''" => Self::Test("version.pre != ''".to_owned()),
            Self::Test(test) if test == "version.pre != ''" => Self::Test("version.pre == ''".to_owned()),
            Self::Unknown(expression) => Self::Unknown(expression),
            it => Self::Not(Box::new(it)),
        }
    }

    /// The first expression in it that is not understood.
    pub fn first_unknown(&self) -> Option<&str> {
        match self {
            Self::Unknown(expression) => Some(expression),
            Self::All(all) | Self::Any(all) => all.iter().find_map(Self::first_unknown),
            Self::Not(it) => it.first_unknown(),
            _ => None,
        }
    }

    /// The condition if everything that is not understood holds.
    pub fn assuming(self) -> Self {
        match self {
            Self::Unknown(_) => Self::Always,
            Self::All(all) => all.into_iter().map(Self::assuming).fold(Self::Always, Self::and),
            Self::Any(any) => any.into_iter().map(Self::assuming).fold(Self::Never, Self::or),
            Self::Not(it) if it.first_unknown().is_some() => Self::Always,
            it => it,
        }
    }

    /// The `match` and the `when` of a rule. `on_branch` says that the rule fires only if there is a branch.
    pub fn keys(&self, on_branch: bool) -> (Vec<String>, Option<String>) {
        match self {
            Self::Always => (Vec::new(), None),
            Self::Branch(globs) if on_branch => (globs.clone(), None),
            Self::All(all) if on_branch => {
                let globs = all.iter().find_map(|it| match it {
                    Self::Branch(globs) => Some(globs.clone()),
                    _ => None,
                });
                let rest =
                    all.iter().filter(|it| !matches!(it, Self::Branch(them) if Some(them) == globs.as_ref()));
                let rest = rest.cloned().fold(Self::Always, Self::and);
                let when = (rest != Self::Always).then(|| rest.expression(false));
                (globs.unwrap_or_default(), when)
            }
            it => (Vec::new(), Some(it.expression(false))),
        }
    }

    /// The condition in the template language.
    fn expression(&self, inside: bool) -> String {
        let joined = |all: &[Self], word: &str| {
            let all: Vec<String> = all.iter().map(|it| it.expression(true)).collect();
            let joined = all.join(word);
            if inside { format!("({joined})") } else { joined }
        };
        match self {
            Self::Always => "true".to_owned(),
            Self::Never => "false".to_owned(),
            Self::Unknown(_) => "true".to_owned(),
            Self::Test(test) => test.clone(),
            Self::Branch(globs) => {
                let each: Vec<Self> = globs.iter().map(|glob| Self::Test(branch_test(glob))).collect();
                if let [one] = each.as_slice() { one.expression(inside) } else { joined(&each, " or ") }
            }
            Self::All(all) => joined(all, " and "),
            Self::Any(any) => joined(any, " or "),
            Self::Not(it) => format!("not {}", parenthesized(&it.expression(true))),
        }
    }
}

fn parenthesized(expression: &str) -> String {
    if expression.starts_with('(') && expression.ends_with(')') {
        expression.to_owned()
    } else {
        format!("({expression})")
    }
}

fn branch_test(glob: &str) -> String {
    if glob.contains(['*', '?', '[', '{']) {
        format!("git.branch is matching({})", quoted(&format!("^{}$", super::glob::regex(glob))))
    } else {
        format!("git.branch == {}", quoted(glob))
    }
}

/// Writes `text` as a string of the template language.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}
