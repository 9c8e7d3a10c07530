//! The parts of help and manual pages that teach: examples, exit statuses, environment variables and files.

use clap_mangen::roff::{Roff, bold, roman};

/// The lesson of a command.
pub(super) struct Lesson {
    /// Its name, such as `auth check`.
    pub command: &'static str,
    /// The purpose of an example, and the example.
    pub examples: &'static [(&'static str, &'static str)],
    /// The exit statuses beside those that all commands have.
    pub exit: &'static [(&'static str, &'static str)],
}

/// The lessons, in the order of the commands.
pub(super) const LESSONS: &[Lesson] = &[
    Lesson {
        command: "init",
        examples: &[
            (
                "Write publish.toml from the workflows, Dockerfiles and charts of the repository",
                "brokkr-publish init",
            ),
            ("Look at it first", "brokkr-publish init --stdout"),
        ],
        exit: &[],
    },
    Lesson {
        command: "lint",
        examples: &[
            ("Check publish.toml", "brokkr-publish lint"),
            (
                "Check several files, as annotations of GitHub Actions",
                "brokkr-publish lint --format github a/publish.toml b/publish.toml",
            ),
            ("Write a report for the merge request of GitLab", "brokkr-publish lint --format gitlab"),
        ],
        exit: &[],
    },
    Lesson {
        command: "fmt",
        examples: &[
            ("Format publish.toml", "brokkr-publish fmt"),
            ("In a CI: print the difference and fail", "brokkr-publish fmt --check"),
            ("From an editor", "brokkr-publish fmt -"),
        ],
        exit: &[("1", "There was an error, or with --check a file is not formatted.")],
    },
    Lesson {
        command: "check",
        examples: &[(
            "Compare the versions in files with the release, before anything is built",
            "brokkr-publish check --ref refs/tags/v1.2.3",
        )],
        exit: &[],
    },
    Lesson {
        command: "tags",
        examples: &[
            ("The tags that a release gets", "brokkr-publish tags --ref refs/tags/v1.2.3"),
            ("The tags of pull request 12, and why other rules are silent", "brokkr-publish tags --pr 12 -v"),
            ("Pass the tags to a build step", "brokkr-publish tags --format docker-args"),
        ],
        exit: &[],
    },
    Lesson {
        command: "package",
        examples: &[(
            "Write the charts as apply would publish them",
            "brokkr-publish package --ref refs/tags/v1.2.3",
        )],
        exit: &[],
    },
    Lesson {
        command: "plan",
        examples: &[
            ("The tags that would be published here", "brokkr-publish plan"),
            ("What a release would publish", "brokkr-publish plan --ref refs/tags/v1.2.3"),
            ("Save the plan for an approval", "brokkr-publish plan --out plan.json"),
            ("Only one image, in one registry", "brokkr-publish plan --target images.hello@ghcr"),
            ("A comment for a pull request", "brokkr-publish plan --format markdown"),
        ],
        exit: &[("2", "With --detailed-exitcode: there are changes.")],
    },
    Lesson {
        command: "apply",
        examples: &[
            ("Plan, show, ask and publish", "brokkr-publish apply"),
            (
                "Publish without asking, and keep a record",
                "brokkr-publish apply --auto-approve --record record.json",
            ),
            (
                "Apply exactly the plan that was approved",
                "brokkr-publish apply plan.json --expect sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
        ],
        exit: &[],
    },
    Lesson {
        command: "approve",
        examples: &[(
            "Sign the plan that you have read",
            "brokkr-publish approve plan.json --key approver.pem",
        )],
        exit: &[],
    },
    Lesson {
        command: "rollback",
        examples: &[(
            "Put the floating tags back to what they were before an apply",
            "brokkr-publish rollback record.json",
        )],
        exit: &[],
    },
    Lesson {
        command: "withdraw",
        examples: &[(
            "Take a version back: latest goes to the one before",
            "brokkr-publish withdraw v1.2.4 --record withdrawal.json",
        )],
        exit: &[],
    },
    Lesson {
        command: "list",
        examples: &[
            ("The newest images of every repository", "brokkr-publish list"),
            ("A site of static pages", "brokkr-publish list --format html --out site"),
        ],
        exit: &[],
    },
    Lesson {
        command: "sbom",
        examples: &[
            ("The SBOM of a release", "brokkr-publish sbom images.hello:v1.2.3"),
            ("In one of its registries", "brokkr-publish sbom images.hello@ghcr:v1.2.3"),
        ],
        exit: &[],
    },
    Lesson {
        command: "verify",
        examples: &[
            ("Compare everything that is published with the rules", "brokkr-publish verify"),
            ("Look for every blob too, as a nightly job", "brokkr-publish verify --deep"),
        ],
        exit: &[("2", "Something drifted.")],
    },
    Lesson {
        command: "prune",
        examples: &[
            ("Show what the retentions remove, and ask", "brokkr-publish prune"),
            (
                "Remove the tags of a pull request that was closed",
                "brokkr-publish prune --event pull_request_closed --pr 12 --auto-approve",
            ),
        ],
        exit: &[],
    },
    Lesson {
        command: "auth check",
        examples: &[(
            "Ask every registry what the credentials may do, before a build",
            "brokkr-publish auth check",
        )],
        exit: &[("1", "Something is refused, or cannot be found out.")],
    },
    Lesson {
        command: "login",
        examples: &[
            ("Log in, and be asked for user and token", "brokkr-publish login ghcr.io"),
            (
                "In a CI: the token comes from a variable",
                "echo \"$TOKEN\" | brokkr-publish login ghcr.io --username me --password-stdin",
            ),
        ],
        exit: &[],
    },
    Lesson {
        command: "logout",
        examples: &[("Forget the credentials", "brokkr-publish logout ghcr.io")],
        exit: &[],
    },
    Lesson {
        command: "show",
        examples: &[
            ("Read a saved plan", "brokkr-publish show plan.json"),
            (
                "The images of a kustomization.yaml",
                "brokkr-publish show record.json --format kubernetes-images",
            ),
        ],
        exit: &[],
    },
    Lesson {
        command: "explain",
        examples: &[("The meaning of an error, and how to fix it", "brokkr-publish explain tag::collision")],
        exit: &[],
    },
    Lesson {
        command: "schema",
        examples: &[("The schema for an editor", "brokkr-publish schema")],
        exit: &[],
    },
    Lesson {
        command: "completions",
        examples: &[
            ("In bash: add to ~/.bashrc", "source <(brokkr-publish completions bash)"),
            ("In zsh: add to ~/.zshrc, after compinit", "source <(brokkr-publish completions zsh)"),
            ("In fish: add to ~/.config/fish/config.fish", "brokkr-publish completions fish | source"),
        ],
        exit: &[],
    },
    Lesson {
        command: "man",
        examples: &[
            ("Read the page of a command", "brokkr-publish man plan | man -l -"),
            ("Write all pages, for a package", "brokkr-publish man --out man"),
        ],
        exit: &[],
    },
];

/// The examples of the program itself: a first release.
pub(super) const FIRST: &[(&str, &str)] = &[
    ("Write a first publish.toml, and check it", "brokkr-publish init"),
    ("See what a release would publish", "brokkr-publish plan --ref refs/tags/v1.2.3"),
    ("Publish the git tag or branch that is checked out", "brokkr-publish apply"),
];

const EXIT: &[(&str, &str)] = &[
    ("0", "Done, or nothing to change."),
    ("1", "Any error: a usage error, a blocked plan, an apply that failed."),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("BROKKR_PUBLISH_CONFIG", "The same as --config."),
    ("BROKKR_PUBLISH_PROFILE", "The same as --profile."),
    ("BROKKR_PUBLISH_SECTION__KEY", "A key of publish.toml: BROKKR_PUBLISH_REGISTRIES__GHCR__URL."),
    ("BROKKR_PUBLISH_LOG", "A filter of the log."),
    ("SOURCE_DATE_EPOCH", "The time of the commit."),
    ("NO_COLOR, CLICOLOR_FORCE", "Turn colours off or on."),
    ("DOCKER_CONFIG, REGISTRY_AUTH_FILE", "The place of credentials."),
    ("GITHUB_TOKEN", "Credentials for ghcr.io in a job of GitHub Actions."),
    ("GITHUB_STEP_SUMMARY, GITHUB_OUTPUT", "Files that reports and outputs are appended to."),
    ("HTTPS_PROXY, NO_PROXY", "The proxy, and the hosts that are reached without one."),
];

const FILES: &[(&str, &str)] = &[
    (
        "publish.toml",
        "The configuration: in the working directory, or above it up to the root of the git repository.",
    ),
    ("~/.docker/config.json", "Credentials of docker login."),
    ("$XDG_RUNTIME_DIR/containers/auth.json", "Credentials of podman login."),
    ("~/.cache/brokkr-publish/secrets", "Results of the search for secrets. It may be deleted."),
];

/// Returns the tree with the lesson of each command after its help.
pub(super) fn taught(command: clap::Command) -> clap::Command {
    let help = text(&[
        ("Examples", Shape::Examples(FIRST)),
        ("Exit status", Shape::Terms(EXIT)),
        ("Environment", Shape::Terms(ENVIRONMENT)),
        ("Files", Shape::Terms(FILES)),
    ]);
    LESSONS.iter().fold(command.after_long_help(help), |command, lesson| {
        let exit: Vec<(&str, &str)> = statuses(lesson);
        let help =
            text(&[("Examples", Shape::Examples(lesson.examples)), ("Exit status", Shape::Terms(&exit))]);
        match lesson.command.split_once(' ') {
            None => command.mut_subcommand(lesson.command, |it| it.after_long_help(help)),
            Some((group, name)) => command
                .mut_subcommand(group, |group| group.mut_subcommand(name, |it| it.after_long_help(help))),
        }
    })
}

/// The exit statuses of a command: its own meaning of one replaces the general one.
fn statuses(lesson: &Lesson) -> Vec<(&'static str, &'static str)> {
    let general = EXIT.iter().filter(|(code, _)| lesson.exit.iter().all(|(own, _)| own != code));
    let mut statuses: Vec<_> = general.chain(lesson.exit).copied().collect();
    statuses.sort_unstable();
    statuses
}

#[derive(Clone, Copy)]
enum Shape<'a> {
    Examples(&'a [(&'a str, &'a str)]),
    Terms(&'a [(&'a str, &'a str)]),
}

fn text(sections: &[(&str, Shape<'_>)]) -> String {
    let section = |(title, shape): &(&str, Shape<'_>)| {
        let lines: Vec<String> = match shape {
            Shape::Examples(examples) => {
                examples.iter().map(|(what, line)| format!("  # {what}\n  {line}")).collect()
            }
            Shape::Terms(terms) => {
                terms.iter().map(|(term, meaning)| format!("  {term}\n          {meaning}")).collect()
            }
        };
        format!("{title}:\n{}", lines.join("\n"))
    };
    sections.iter().map(section).collect::<Vec<_>>().join("\n\n")
}

/// Returns the sections of a manual page: of the program if `command` is empty, or else of a command such as `auth check`.
pub(super) fn sections(command: &str) -> String {
    let lesson = LESSONS.iter().find(|lesson| lesson.command == command);
    let examples = lesson.map_or(if command.is_empty() { FIRST } else { &[] }, |lesson| lesson.examples);
    let exit = lesson.map_or_else(|| EXIT.to_vec(), statuses);
    let mut page = Roff::new();
    page.control("SH", ["EXIT STATUS"]);
    for (term, meaning) in &exit {
        page.control("TP", []).text([bold(*term)]).text([roman(*meaning)]);
    }
    for (title, terms) in [("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES)] {
        page.control("SH", [title]);
        for (term, meaning) in terms {
            page.control("TP", []).text([bold(*term)]).text([roman(*meaning)]);
        }
    }
    if !examples.is_empty() {
        page.control("SH", ["EXAMPLES"]);
        for (what, line) in examples {
            page.text([roman(format!("{what}:"))]);
            page.control("PP", []).control("RS", ["4"]).control("nf", []);
            page.text([roman(*line)]);
            page.control("fi", []).control("RE", []).control("PP", []);
        }
    }
    page.to_roff()
}
