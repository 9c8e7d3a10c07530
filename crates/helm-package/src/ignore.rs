//! `.helmignore`: the rules by which files of a chart directory are left out of the chart (Helm, `internal/ignore`).
//!
//! They differ from git's. The first rule that decides ends the search: a rule that matches leaves a path out, and a rule with `!`
//! leaves out every path that it does *not* match, so `!keep.txt` alone leaves nothing but `keep.txt`. `**` is refused.

use crate::glob::Glob;

/// The rules of a chart.
pub(crate) struct HelmIgnore {
    rules: Vec<IgnoreRule>,
}

/// One rule of a `.helmignore`.
pub(crate) struct IgnoreRule {
    /// Its line, from 1; 0 for Helm's own rule.
    pub(crate) line: usize,
    /// Its text, without white space around it.
    pub(crate) text: String,
    glob: Glob,
    negated: bool,
    /// Whether it ends with a slash, so that it applies only to directories.
    directory: bool,
    /// Whether it has no slash, so that it applies to the last part of a path.
    last_part: bool,
}

/// A rule that Helm refuses, with its line from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadIgnoreRule {
    pub(crate) line: usize,
    pub(crate) reason: &'static str,
}

impl HelmIgnore {
    /// Parses the text of a `.helmignore`, and adds Helm's own rule: hidden files in `templates` are not templates.
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<BadIgnoreRule>> {
        let mut rules = Vec::new();
        let mut bad = Vec::new();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let own = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        for (number, line) in own.chain([(0, "templates/.?*")]) {
            match IgnoreRule::parse(number, line.trim()) {
                Ok(rule) => rules.extend(rule),
                Err(reason) => bad.push(BadIgnoreRule { line: number, reason }),
            }
        }
        if bad.is_empty() { Ok(Self { rules }) } else { Err(bad) }
    }

    /// Returns the rule that leaves out the file or directory at `path`, whose parts are separated by `/`; `None` if it stays.
    pub(crate) fn hiding_rule(&self, path: &str, is_directory: bool) -> Option<&IgnoreRule> {
        if matches!(path, "" | "." | "./") {
            return None;
        }
        self.rules.iter().find(|rule| {
            let matches = (is_directory || !rule.directory) && rule.matches(path);
            matches != rule.negated
        })
    }
}

impl IgnoreRule {
    /// Parses a line; `None` for an empty line or a comment.
    fn parse(number: usize, line: &str) -> Result<Option<Self>, &'static str> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        if line.contains("**") {
            return Err("Helm does not support `**`");
        }
        let (negated, rest) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (directory, rest) = rest.strip_suffix('/').map_or((false, rest), |rest| (true, rest));
        let last_part = !rest.contains('/');
        let glob =
            Glob::parse(rest.strip_prefix('/').unwrap_or(rest)).map_err(|_| "it is not a valid pattern")?;
        Ok(Some(Self { line: number, text: line.to_owned(), glob, negated, directory, last_part }))
    }

    fn matches(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let name = if self.last_part { path.rsplit('/').next().unwrap_or(path) } else { path };
        self.glob.matches(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases of Helm's own test (`internal/ignore/rules_test.go`). A path with a slash at its end, and `cargo`, are
    /// directories.
    #[test]
    fn leaves_out_what_helm_leaves_out() {
        for (pattern, name, expected) in [
            ("helm.txt", "helm.txt", true),
            ("helm.*", "helm.txt", true),
            ("helm.*", "rudder.txt", false),
            ("*.txt", "tiller.txt", true),
            ("*.txt", "cargo/a.txt", true),
            ("cargo/*.txt", "cargo/a.txt", true),
            ("cargo/*.*", "cargo/a.txt", true),
            ("cargo/*.txt", "mast/a.txt", false),
            ("ru[c-e]?er.txt", "rudder.txt", true),
            ("templates/.?*", "templates/.dotfile", true),
            (".*", ".", false),
            (".*", "./", false),
            (".*", ".joonix", true),
            (".*", "helm.txt", false),
            (".*", "", false),
            ("cargo/", "cargo", true),
            ("cargo/", "cargo/", true),
            ("cargo/", "mast/", false),
            ("helm.txt/", "helm.txt", false),
            ("!helm.txt", "helm.txt", false),
            ("!helm.txt", "tiller.txt", true),
            ("!*.txt", "cargo", true),
            ("!cargo/", "mast/", true),
            ("/a.txt", "a.txt", true),
            ("/a.txt", "cargo/a.txt", false),
            ("/cargo/a.txt", "cargo/a.txt", true),
            // Our own cases: behaviour of Helm's code that its cases do not cover.
            ("!cargo/", "helm.txt", true),
            ("# cargo", "cargo", false),
            ("  cargo  ", "cargo", true),
            ("", "templates/.swp", true),
            ("", "templates/tests/.swp", false),
            ("*.txt\n!a.txt", "a.txt", true),
            ("\u{feff}a.txt", "a.txt", true),
        ] {
            let rules = HelmIgnore::parse(pattern).expect("rules");
            let is_directory = name.ends_with('/') || name == "cargo";
            let hidden = rules.hiding_rule(name, is_directory).is_some();
            assert_eq!(hidden, expected, "`{pattern}` on `{name}`");
        }
    }

    #[test]
    fn refuses_what_helm_refuses_and_says_where() {
        let refused = |text| HelmIgnore::parse(text).err().expect("refused");
        let found = refused("ok\nfoo/**/bar\n# **\n[z-\n");
        let lines: Vec<usize> = found.iter().map(|rule| rule.line).collect();
        assert_eq!(lines, [2, 4]);
    }
}
