//! All inputs of docker/metadata-action crossed with all events: `init --from metadata-action` reads the step, and the tags of its file
//! are those of the action, or they differ for a reason that is listed here. Nothing differs silently.

mod action;
mod cases;

use std::collections::BTreeMap;

use action::{ActionEvent, SHA, TIME};
use brokkr_publish::config::{Config, LoadOptions, load};
use brokkr_publish::context::{Context, Environment, Flags, Needs};
use brokkr_publish::desired::{self, Selection};
use testkit::command::Folder;

fn workflow(tags: &str, flavor: &str) -> String {
    let block = |key: &str, text: &str| {
        let lines: String = text.lines().map(|line| format!("            {line}\n")).collect();
        if text.is_empty() { String::new() } else { format!("          {key}: |\n{lines}") }
    };
    format!(
        "on:\n  push:\n    branches: ['**']\n    tags: ['**']\n  pull_request:\n  schedule: [{{cron: '0 1 * * *'}}]\n  release:\n    types: [published]\n  workflow_dispatch:\n\
         jobs:\n  docker:\n    runs-on: ubuntu-latest\n    steps:\n      - id: meta\n        uses: docker/metadata-action@v5\n        with:\n          images: ghcr.io/acme/app\n{}{}\
         \x20     - uses: docker/build-push-action@v6\n        with:\n          push: true\n          tags: ${{{{ steps.meta.outputs.tags }}}}\n",
        block("tags", tags),
        block("flavor", flavor)
    )
}

/// A reason why tags differ, if it explains all of the difference.
struct Reason {
    /// The reason in words.
    words: &'static str,
    /// Whether it explains that the action makes `tag` and this program does not.
    missing: fn(&Case<'_>, &str) -> bool,
    /// Whether it explains that this program makes `tag` and the action does not.
    more: fn(&Case<'_>, &str) -> bool,
}

/// One input and one event, with both results.
struct Case<'a> {
    rules: &'a str,
    event: &'a ActionEvent,
    expected: &'a [String],
    actual: &'a [String],
    /// The text that `init` writes and shows.
    said: &'a str,
    /// The error of the program instead of tags.
    error: Option<&'a str>,
}

fn never(_: &Case<'_>, _: &str) -> bool {
    false
}

impl Case<'_> {
    fn git_tag(&self) -> Option<&str> {
        self.event.reference.strip_prefix("refs/tags/")
    }

    fn is_prerelease(&self) -> bool {
        self.git_tag()
            .is_some_and(|tag| tag.contains("-rc") || tag.contains("-beta") || tag.contains("-alpha"))
            || self.event.name.starts_with("release-marked-pre")
    }

    fn is_version(&self) -> bool {
        self.git_tag()
            .and_then(|tag| tag.strip_prefix('v'))
            .is_some_and(|tag| tag.parse::<semver::Version>().is_ok())
    }

    fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.event.name)
    }
}

const REASONS: &[Reason] = &[
    Reason {
        words: "an event that publishes nothing: something was deleted or closed, or a comment or a dispatch of another program",
        missing: |case, _| {
            case.is(&[
                "deleted-branch",
                "deleted-tag",
                "pr-closed",
                "release-deleted",
                "repository-dispatch",
                "issue-comment",
            ])
        },
        more: never,
    },
    Reason {
        words: "code in a merge queue is not merged yet",
        missing: |case, _| case.is(&["merge-queue"]),
        more: never,
    },
    Reason {
        words: "a pull request from a fork publishes nothing",
        missing: |case, _| case.is(&["pr-fork"]),
        more: never,
    },
    Reason { words: "the run fails, and says why", missing: |case, _| case.error.is_some(), more: never },
    Reason {
        words: "a branch is a slug, which init says",
        missing: |case, tag| {
            let slug = tag.to_lowercase().replace("--", "-");
            case.said.contains("branches are slugs") && case.actual.contains(&slug)
        },
        more: |case, tag| {
            let is_same = |it: &String| it.to_lowercase().replace("--", "-") == tag;
            case.said.contains("branches are slugs") && case.expected.iter().any(is_same)
        },
    },
    Reason {
        words: "a pre-release takes no tag that moves forward",
        missing: |case, tag| {
            let version = case.git_tag().and_then(|tag| tag.strip_prefix('v')).unwrap_or_default();
            // A rule of the numbers alone moves forward, because a pre-release and its release share its tag.
            let is_of_numbers = case.event.name == "release-marked-pre" && tag == version;
            case.is_prerelease() && (!tag.contains(version) || is_of_numbers)
        },
        more: never,
    },
    Reason {
        words: "build metadata is part of the version",
        missing: |case, tag| case.is(&["v1.2.3+build.5"]) && tag.contains("1.2.3"),
        more: |case, tag| case.is(&["v1.2.3+build.5"]) && (tag.contains("1.2.3_build.5") || tag == "latest"),
    },
    Reason {
        words: "a pre-release is written as its git tag has it, not as PEP 440 normalizes it, which init says",
        missing: |case, _| {
            case.rules.contains("pep440") && case.is_prerelease() && case.said.contains("PEP 440")
        },
        more: |case, _| {
            case.rules.contains("pep440") && case.is_prerelease() && case.said.contains("PEP 440")
        },
    },
    Reason {
        words: "a git tag that is not the prefix and a version is no release",
        missing: |case, _| case.git_tag().is_some() && !case.is_version(),
        more: never,
    },
    Reason {
        words: "a git tag and a pull request do not take the tags of the default branch",
        missing: |case, _| {
            case.rules.contains("is_default_branch")
                && (case.git_tag().is_some() || case.event.name.starts_with("pr-"))
        },
        more: never,
    },
    Reason {
        words: "a branch that was created is not the default branch",
        missing: |case, _| case.is(&["create-branch"]) && case.rules.contains("default_branch"),
        more: |case, _| case.is(&["create-branch"]) && case.rules.contains("default_branch"),
    },
    Reason {
        words: "a run by hand on a git tag is one by hand too",
        missing: never,
        more: |case, tag| case.is(&["dispatch-tag"]) && tag == "latest",
    },
    Reason { words: "no tag begins with a hyphen", missing: |_, tag| tag.starts_with('-'), more: never },
    Reason {
        words: "the run of a git tag is that of the tag, and the run of a branch that of the branch, whatever started it",
        missing: |case, _| case.rules.contains("github.event_name"),
        more: |case, _| {
            case.rules.contains("github.event_name")
                && (case.git_tag().is_some() || case.is(&["create-branch", "pr-fork"]))
        },
    },
];

fn context(event: &ActionEvent, folder: &Folder, config: &Config) -> Context {
    let path = folder.path.join("event.json");
    std::fs::write(&path, event.payload.to_string()).expect("the payload");
    let environment: Environment = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", event.event_name),
        ("GITHUB_REF", event.reference),
        ("GITHUB_SHA", SHA),
        ("GITHUB_REPOSITORY", "acme/app"),
        ("GITHUB_EVENT_PATH", &path.display().to_string()),
        ("SOURCE_DATE_EPOCH", &TIME.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    let needs = Needs { releases: desired::release_tags(config), ..Needs::default() };
    Context::discover(&folder.path, &environment, &Flags::default(), &needs).expect("a context")
}

#[test]
fn every_input_makes_the_same_tags_on_every_event() {
    let folder = Folder::new();
    folder.git(&["init", "--quiet", "--initial-branch", "main"]);
    folder.git(&["remote", "add", "origin", "https://github.com/acme/app"]);
    folder.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
    folder.write("Dockerfile", "FROM scratch\n");
    folder.git(&["add", "."]);
    folder.git(&["commit", "--quiet", "--message", "first"]);
    folder.git(&["tag", "v1.2.2"]);
    let events = cases::events();
    let mut contexts: Vec<Context> = Vec::new();
    let (mut silent, mut compared, mut equal) = (Vec::new(), 0_usize, 0_usize);
    let mut by_reason: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, (rules, flavor)) in cases::INPUTS.iter().enumerate() {
        folder.write(".github/workflows/docker.yml", workflow(rules, flavor));
        let name = format!("publish-{number}.toml");
        let init = folder
            .run(&format!("init --config {name} --from metadata-action .github/workflows/docker.yml"))
            .wide()
            .done();
        let said = format!(
            "{}{}",
            init.shown(),
            std::fs::read_to_string(folder.path.join(&name)).unwrap_or_default()
        );
        if init.code() != Some(0) {
            silent.push(format!("{rules} [{flavor}]: init fails: {said}"));
            continue;
        }
        let options = LoadOptions {
            path: folder.path.join(&name),
            display_name: name.clone(),
            ..LoadOptions::default()
        };
        let loaded = load(&options);
        let config = loaded.config.unwrap_or_else(|| panic!("{rules}: {:?}", loaded.diagnostics));
        let errors: Vec<String> =
            desired::lint(&config).iter().filter(|it| it.is_error()).map(|it| it.message.clone()).collect();
        if !errors.is_empty() {
            silent.push(format!("{rules} [{flavor}]: lint: {errors:?}"));
        }
        if contexts.is_empty() {
            contexts = events.iter().map(|event| context(event, &folder, &config)).collect();
        }
        for (event, context) in events.iter().zip(&contexts) {
            let expected = action::tags(rules, flavor, event);
            let (actual, error) = match desired::preview(&config, context, &Selection::default()) {
                Ok((previews, _)) => {
                    let tags = previews.values().flat_map(|it| &it.tags.tags).map(|it| it.tag.to_string());
                    (tags.collect::<Vec<_>>(), None)
                }
                Err(found) => (Vec::new(), found.first().map(|it| it.message.clone())),
            };
            compared += 1;
            let missing: Vec<&String> = expected.iter().filter(|tag| !actual.contains(tag)).collect();
            let more: Vec<&String> = actual.iter().filter(|tag| !expected.contains(tag)).collect();
            if missing.is_empty() && more.is_empty() {
                equal += 1;
                continue;
            }
            let case = Case {
                rules,
                event,
                expected: &expected,
                actual: &actual,
                said: &said,
                error: error.as_deref(),
            };
            let reason = |tag: &str, more: bool| {
                REASONS.iter().find(|it| if more { (it.more)(&case, tag) } else { (it.missing)(&case, tag) })
            };
            let found: Option<Vec<&Reason>> = missing
                .iter()
                .map(|tag| reason(tag, false))
                .chain(more.iter().map(|tag| reason(tag, true)))
                .collect();
            match found {
                Some(found) => found.iter().for_each(|it| *by_reason.entry(it.words).or_default() += 1),
                None => silent.push(format!(
                    "{} × {rules} [{flavor}]: action {expected:?}, here {actual:?} {}",
                    event.name,
                    error.unwrap_or_default()
                )),
            }
        }
    }
    let reasons: String = by_reason.iter().map(|(words, count)| format!("  {count} × {words}\n")).collect();
    assert!(
        silent.is_empty(),
        "{} of {compared} cases differ without a reason, {equal} are equal:\n{}\nreasons:\n{reasons}",
        silent.len(),
        silent.join("\n")
    );
    assert!(compared > 80 * 45 && equal > compared / 2, "{equal} of {compared}");
}
