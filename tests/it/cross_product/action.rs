//! The documented rules of docker/metadata-action, written again from its README and its file `meta.ts` at v5: the tags that a list of
//! rules makes of an event. It shares nothing with the program.

use regex::Regex;
use semver::Version;
use serde_json::Value;

/// An event of GitHub Actions.
#[derive(Debug, Clone)]
pub struct ActionEvent {
    /// The name of the case.
    pub name: &'static str,
    /// `GITHUB_EVENT_NAME`.
    pub event_name: &'static str,
    /// `GITHUB_REF`.
    pub reference: &'static str,
    /// The event payload.
    pub payload: Value,
}

/// The commit of every event.
pub const SHA: &str = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
/// The time of the commit, and of the clock: 2026-01-02T03:04:05Z.
pub const TIME: i64 = 1_767_323_045;

#[derive(Debug)]
struct Rule {
    kind: String,
    attributes: Vec<(String, String)>,
}

impl Rule {
    fn parse(line: &str) -> Self {
        let mut rule = Self { kind: "raw".to_owned(), attributes: Vec::new() };
        for field in fields(line) {
            match field.split_once('=') {
                Some(("type", kind)) => kind.clone_into(&mut rule.kind),
                Some((key, value)) => {
                    rule.attributes.push((key.trim().to_lowercase(), value.trim().to_owned()));
                }
                None => rule.attributes.push(("value".to_owned(), field)),
            }
        }
        let defaults: &[(&str, &str)] = match (rule.kind.as_str(), rule.get("event")) {
            ("schedule", _) => &[("pattern", "nightly")],
            ("match", _) => &[("group", "0")],
            ("ref", Some("pr")) => &[("prefix", "pr-")],
            ("sha", _) => &[("prefix", "sha-"), ("format", "short")],
            _ => &[],
        };
        for (key, value) in defaults {
            if rule.get(key).is_none() {
                rule.attributes.push(((*key).to_owned(), (*value).to_owned()));
            }
        }
        rule
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(it, _)| it == key).map(|(_, value)| value.as_str())
    }

    fn priority(&self) -> i64 {
        let default = match self.kind.as_str() {
            "schedule" => 1000,
            "semver" | "pep440" => 900,
            "match" => 800,
            "edge" => 700,
            "ref" => 600,
            "raw" => 200,
            _ => 100,
        };
        self.get("priority").and_then(|it| it.parse().ok()).unwrap_or(default)
    }
}

/// Comma-separated values, with double quotes around values that contain a comma.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields.last_mut().expect("a field").push(other),
        }
    }
    fields.into_iter().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect()
}

#[derive(Debug, Default)]
struct Flavor {
    latest: String,
    prefix: String,
    suffix: String,
    prefix_latest: bool,
    suffix_latest: bool,
}

impl Flavor {
    fn parse(text: &str) -> Self {
        let mut flavor = Self { latest: "auto".to_owned(), ..Self::default() };
        for line in text.lines() {
            let mut last = "";
            for field in fields(line) {
                let (key, value) = field.split_once('=').expect("a flavor");
                match (key, last) {
                    ("latest", _) => value.clone_into(&mut flavor.latest),
                    ("prefix", _) => value.clone_into(&mut flavor.prefix),
                    ("suffix", _) => value.clone_into(&mut flavor.suffix),
                    ("onlatest", "prefix") => flavor.prefix_latest = value == "true",
                    ("onlatest", "suffix") => flavor.suffix_latest = value == "true",
                    _ => panic!("{field}"),
                }
                last = match key {
                    "prefix" => "prefix",
                    "suffix" => "suffix",
                    _ => "",
                };
            }
        }
        flavor
    }
}

#[derive(Debug, Default)]
struct Made {
    main: Option<String>,
    partial: Vec<String>,
    latest: Option<bool>,
}

impl Made {
    fn set(&mut self, value: &str, latest: bool) {
        if value.is_empty() {
            return;
        }
        let value = sanitized(value);
        match &self.main {
            None => self.main = Some(value),
            Some(main) if *main != value => self.partial.push(value),
            Some(_) => {}
        }
        self.latest.get_or_insert(latest);
    }
}

fn sanitized(text: &str) -> String {
    Regex::new("[^a-zA-Z0-9._-]+").expect("a pattern").replace_all(text, "-").into_owned()
}

impl ActionEvent {
    fn below(&self, prefix: &str) -> Option<&str> {
        self.reference.strip_prefix(prefix)
    }

    fn tag(&self) -> Option<String> {
        Some(self.below("refs/tags/")?.replace('/', "-"))
    }

    fn branch(&self) -> Option<String> {
        self.below("refs/heads/").map(sanitized)
    }

    fn is_default_branch(&self) -> bool {
        let mut branch = self.reference.strip_prefix("refs/heads/").unwrap_or(self.reference);
        let base = self.payload.pointer("/base_ref").and_then(Value::as_str);
        if let (true, Some(base)) = (self.reference.starts_with("refs/tags/"), base) {
            branch = base.strip_prefix("refs/heads/").unwrap_or(base);
        }
        let base = self.payload.pointer("/pull_request/base/ref").and_then(Value::as_str);
        if let (true, Some(base)) = (self.reference.starts_with("refs/pull/"), base) {
            branch = base;
        }
        branch == "main"
            || ["create", "discussion", "issues", "schedule"].iter().any(|it| self.event_name.contains(it))
    }

    /// The text with the expressions of GitHub that the cases use evaluated, which happens before the action sees it.
    fn github(&self, text: &str) -> String {
        let is_main = self.reference == "refs/heads/main";
        let known = [
            ("${{ github.ref == 'refs/heads/main' }}", is_main.to_string()),
            ("${{ github.ref == format('refs/heads/{0}', 'main') }}", is_main.to_string()),
            ("${{ github.event_name == 'push' }}", (self.event_name == "push").to_string()),
            ("${{ github.event_name != 'pull_request' }}", (self.event_name != "pull_request").to_string()),
            (
                "${{ startsWith(github.ref, 'refs/tags/') }}",
                self.reference.starts_with("refs/tags/").to_string(),
            ),
            ("${{ github.event_name }}", self.event_name.to_owned()),
        ];
        known.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }

    /// The expressions of the action.
    fn text(&self, text: &str) -> String {
        handlebars(text, &|expression| match expression {
            "branch" => self.branch().unwrap_or_default(),
            "tag" => self.tag().unwrap_or_default(),
            "sha" => SHA[..7].to_owned(),
            "is_default_branch" => self.is_default_branch().to_string(),
            "is_not_default_branch" => (!self.is_default_branch()).to_string(),
            "base_ref" => {
                let of = |pointer: &str| self.payload.pointer(pointer).and_then(Value::as_str);
                match self.reference {
                    it if it.starts_with("refs/tags/") => {
                        of("/base_ref").unwrap_or_default().replace("refs/heads/", "").replace('/', "-")
                    }
                    it if it.starts_with("refs/pull/") => {
                        of("/pull_request/base/ref").unwrap_or_default().to_owned()
                    }
                    _ => String::new(),
                }
            }
            other => date(other).unwrap_or_else(|| panic!("{other}")),
        })
    }
}

/// `date 'FORMAT' tz='ZONE'`, with the clock at the time of the commit.
fn date(expression: &str) -> Option<String> {
    let found = Regex::new(r"^(?:commit_)?date '([^']*)'(?: tz='([^']*)')?$").expect("a pattern");
    let found = found.captures(expression)?;
    let zone = found.get(2).map_or("UTC", |it| it.as_str());
    let time = jiff::Timestamp::from_second(TIME).ok()?.in_tz(zone).ok()?;
    let format = found[1].replace("YYYY", "%Y").replace("MM", "%m").replace("DD", "%d");
    let format = format.replace("HH", "%H").replace("mm", "%M").replace("ss", "%S").replace('X', "%s");
    Some(time.strftime(&format).to_string())
}

fn handlebars(text: &str, value: &dyn Fn(&str) -> String) -> String {
    let pattern = Regex::new(r"\{\{\s*(.*?)\s*\}\}").expect("a pattern");
    pattern.replace_all(text, |found: &regex::Captures<'_>| value(&found[1])).into_owned()
}

/// The tags of one image, in the order of the action.
pub fn tags(rules: &str, flavor: &str, event: &ActionEvent) -> Vec<String> {
    let (rules, flavor) = (event.github(rules), event.github(flavor));
    let flavor = Flavor::parse(&flavor);
    let defaults = "type=schedule\ntype=ref,event=branch\ntype=ref,event=tag\ntype=ref,event=pr";
    let mut rules: Vec<Rule> =
        if rules.is_empty() { defaults } else { rules.as_str() }.lines().map(Rule::parse).collect();
    rules.sort_by_key(|rule| -rule.priority());
    let mut made = Made::default();
    for rule in &rules {
        if event.text(rule.get("enable").unwrap_or("true")) == "true" {
            apply(rule, &flavor, event, &mut made);
        }
    }
    let Some(main) = made.main else { return Vec::new() };
    let mut tags = vec![main];
    for partial in made.partial {
        if !tags.contains(&partial) {
            tags.push(partial);
        }
    }
    if made.latest == Some(true) {
        let part = |on: bool, text: &str| if on { event.text(text) } else { String::new() };
        let prefix = part(flavor.prefix_latest, &flavor.prefix);
        let latest = sanitized(&format!("{prefix}latest{}", part(flavor.suffix_latest, &flavor.suffix)));
        if !tags.contains(&latest) {
            tags.push(latest);
        }
    }
    tags
}

fn apply(rule: &Rule, flavor: &Flavor, event: &ActionEvent, made: &mut Made) {
    let affixed = |value: &str| {
        let prefix = rule.get("prefix").unwrap_or(&flavor.prefix);
        let suffix = rule.get("suffix").unwrap_or(&flavor.suffix);
        format!("{}{value}{}", event.text(prefix), event.text(suffix))
    };
    let latest = |auto: bool| if flavor.latest == "auto" { auto } else { flavor.latest == "true" };
    // `value`, or the git tag.
    let version = || match rule.get("value").filter(|it| !it.is_empty()) {
        Some(value) => Some(event.text(value)),
        None => event.tag(),
    };
    match rule.kind.as_str() {
        "schedule" if event.event_name == "schedule" => {
            made.set(&affixed(&event.text(rule.get("pattern").unwrap_or_default())), latest(false));
        }
        "semver" => {
            let Some(raw) = version() else { return };
            let Ok(version) = raw.strip_prefix('v').unwrap_or(&raw).parse::<Version>() else { return };
            let pattern = rule.get("pattern").unwrap_or_default();
            let core = Version { build: semver::BuildMetadata::EMPTY, ..version.clone() };
            let value = |name: &str| match name {
                "raw" => raw.clone(),
                "version" => core.to_string(),
                "major" => version.major.to_string(),
                "minor" => version.minor.to_string(),
                "patch" => version.patch.to_string(),
                other => panic!("{other}"),
            };
            let is_release = version.pre.is_empty();
            let pattern = if is_release || pattern == "{{raw}}" { pattern } else { "{{version}}" };
            made.set(&affixed(&handlebars(pattern, &value)), latest(is_release));
        }
        "pep440" => pep440(rule, version(), &affixed, &latest, made),
        "match" => {
            let Some(raw) = version() else { return };
            let pattern = rule.get("pattern").unwrap_or_default();
            let pattern = pattern.strip_prefix('/').and_then(|it| it.strip_suffix('/')).unwrap_or(pattern);
            let group = rule.get("group").and_then(|it| it.parse().ok()).unwrap_or(0);
            let found = Regex::new(pattern)
                .expect("a pattern")
                .captures(&raw)
                .and_then(|it| it.get(group).map(|it| it.as_str().to_owned()));
            if let Some(found) = found {
                made.set(&affixed(&found), latest(true));
            }
        }
        "edge" => {
            let branch = rule.get("branch").filter(|it| !it.is_empty()).unwrap_or("main");
            if event.branch().as_deref() == Some(branch) {
                made.set(&affixed("edge"), latest(false));
            }
        }
        "ref" => match rule.get("event") {
            Some("branch") => {
                made.set(&event.branch().map(|it| affixed(&it)).unwrap_or_default(), latest(false));
            }
            Some("tag") => made.set(&event.tag().map(|it| affixed(&it)).unwrap_or_default(), latest(true)),
            _ => {
                let number = event.below("refs/pull/").map(|it| it.strip_suffix("/merge").unwrap_or(it));
                made.set(&number.map(affixed).unwrap_or_default(), latest(false));
            }
        },
        "raw" => made.set(&affixed(&event.text(rule.get("value").unwrap_or_default())), latest(false)),
        "sha" => {
            let sha = if rule.get("format") == Some("long") { SHA } else { &SHA[..7] };
            made.set(&affixed(sha), latest(false));
        }
        _ => {}
    }
}

/// The part of PEP 440 that the cases use: a release of numbers, and what makes it something else.
fn pep440(
    rule: &Rule,
    raw: Option<String>,
    affixed: &dyn Fn(&str) -> String,
    latest: &dyn Fn(bool) -> bool,
    made: &mut Made,
) {
    let Some(raw) = raw else { return };
    let form =
        Regex::new(r"^v?(\d+(?:\.\d+)*)([-._]?(?:a|b|rc|alpha|beta|post|dev)[-._]?\d*)*(?:\+[a-z0-9.]+)?$")
            .expect("a pattern");
    let Some(found) = form.captures(&raw) else { return };
    let clean = raw.strip_prefix('v').unwrap_or(&raw);
    let clean =
        clean.replace("-rc.", "rc").replace("-alpha.", "a").replace("-beta.", "b").replace("-beta", "b0");
    let pattern = rule.get("pattern").unwrap_or_default();
    if found.get(2).is_some() {
        made.set(&affixed(if pattern == "{{raw}}" { &raw } else { &clean }), latest(false));
        return;
    }
    let number = |at: usize| found[1].split('.').nth(at).unwrap_or("0").to_owned();
    let value = |name: &str| match name {
        "raw" => raw.clone(),
        "version" => clean.clone(),
        "major" => number(0),
        "minor" => number(1),
        "patch" => number(2),
        other => panic!("{other}"),
    };
    made.set(&affixed(&handlebars(pattern, &value)), latest(true));
}
