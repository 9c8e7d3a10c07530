//! The proof that an immutable tag would be rendered twice: for two releases, for a pre-release and its release, or for two commits
//! of one branch. The second publication would be refused, or keep the content of the first.

use std::collections::HashSet;

use super::forward;
use super::rules::{self, Firing};
use super::samples;
use super::tag_reader;
use super::tag_template::TagTemplate;
use super::tags::Renderer;
use super::template::TemplateSyntax;
use super::version::ResourceVersion;
use crate::config::{Config, NamedResource, TagRule};
use crate::context::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::version::{ReleaseForm, ReleaseVersion, VersionScheme};
use crate::model::{EventName, Mutability, OnConflict};
use oci_registry::Tag;

/// The commits of two runs.
const COMMITS: [&str; 2] =
    ["1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"];
/// The events that happen more than once to a branch or a pull request.
const REPEATED: [EventName; 5] = [
    EventName::Branch,
    EventName::PullRequest,
    EventName::Schedule,
    EventName::Manual,
    EventName::MergeQueue,
];

/// The relation of two versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Releases,
    PrereleaseAndRelease,
    Prereleases,
}

/// Returns the error of the rule called `name`, if two runs certainly render one immutable tag by it. `resources` use the rule.
pub(super) fn reused(
    renderer: &Renderer<'_>,
    name: &str,
    rule: &TagRule,
    resources: &[NamedResource<'_>],
) -> Option<Diagnostic> {
    if rule.mutability != Mutability::Immutable || rule.on_conflict == OnConflict::Keep {
        return None;
    }
    let template = TagTemplate::of_rule(renderer.config, name)?;
    let mut schemes: HashSet<&VersionScheme> = HashSet::new();
    let using = resources.iter().copied().filter(|named| named.resource.tags.iter().any(|it| it == name));
    let representatives = using.filter(|named| schemes.insert(&named.resource.releases.scheme));
    let proof = representatives.into_iter().find_map(|named| {
        let run = RunOfRule { renderer, template, named };
        run.of_releases().or_else(|| run.of_commits())
    })?;
    let place = renderer.config.places.value(&["tags", name, "template"]);
    let message = format!("tag rule `{name}` renders the immutable tag `{}` {}", proof.tag, proof.runs);
    Some(Diagnostic::error(Code::TagReused, message).at_maybe(place, "").help(proof.help))
}

/// A tag that two runs render.
struct ReusedTag {
    tag: Tag,
    runs: String,
    help: &'static str,
}

/// A rule that fires for a resource.
struct RunOfRule<'r, 'a> {
    renderer: &'r Renderer<'a>,
    template: TagTemplate<'a>,
    named: NamedResource<'a>,
}

impl RunOfRule<'_, '_> {
    /// Whether the rule depends on nothing but values that `is_known` accepts. Values of `[vars]` may differ from run to run.
    fn depends_on(&self, is_known: impl Fn(&str) -> bool) -> bool {
        let templates = &self.renderer.templates;
        let in_template = templates.variables(self.template.text(), TemplateSyntax::Text);
        let sliced = tag_reader::variables(templates, self.template.text());
        let in_when = self.template.when().map(|when| templates.variables(when, TemplateSyntax::Expression));
        let is_name = |name: &str| {
            matches!(name, "event" | "trigger" | "git.default_branch")
                || ["image", "chart", "artifact"].iter().any(|kind| name.split('.').next() == Some(*kind))
        };
        let mut names = in_template.iter().chain(&sliced).chain(in_when.iter().flatten());
        names.all(|name| is_name(name) || is_known(name))
    }

    /// The tag that two releases share.
    fn of_releases(&self) -> Option<ReusedTag> {
        let of_release =
            |name: &str| matches!(name, "version" | "git.tag" | "git.ref") || name.starts_with("version.");
        if !self.template.events().contains(&EventName::Tag) || !self.depends_on(of_release) {
            return None;
        }
        let form = &self.named.resource.releases;
        // A rule that prints the whole version, as most do, renders each tag once.
        let (_, values) = self.renderer.values(
            &run_of(self.renderer.config, EventName::Tag, 0),
            self.named.id,
            self.named.resource,
        );
        let templates = &self.renderer.templates;
        let readers = forward::readers(templates, self.template.text(), &values, form);
        if readers.iter().any(|reader| reader.separators.is_empty()) {
            return None;
        }
        pairs(&form.scheme).into_iter().find_map(|(relation, one, other)| {
            let tag = self.tag_of(&one, form, 0)?;
            (self.tag_of(&other, form, 1)? == tag).then(|| ReusedTag {
                runs: match relation {
                    Relation::Releases => format!("for two releases, such as {one} and {other}"),
                    Relation::PrereleaseAndRelease => {
                        format!("for a pre-release and its release, such as {one} and {other}")
                    }
                    Relation::Prereleases => format!("for two pre-releases, such as {one} and {other}"),
                },
                help: match relation {
                    Relation::Releases => {
                        "let it move to newer versions: `mutability = \"forward\"`; or print the whole version, as in `{{ version }}`"
                    }
                    Relation::PrereleaseAndRelease => {
                        "print the whole version, as in `{{ version }}`; or keep pre-releases out: `when = \"not version.is_prerelease\"`; or let it move to newer versions: `mutability = \"forward\"`"
                    }
                    Relation::Prereleases => {
                        "let it move to newer versions: `mutability = \"forward\"` with `prereleases = true`; or print the whole version"
                    }
                },
                tag,
            })
        })
    }

    /// The tag of a release.
    fn tag_of(&self, version: &ReleaseVersion, form: &ReleaseForm, run: usize) -> Option<Tag> {
        let name = format!("{}{version}", form.prefix());
        let context = Context {
            reference: Some(format!("refs/tags/{name}")),
            tag: Some(name),
            ..run_of(self.renderer.config, EventName::Tag, run)
        };
        let known = ResourceVersion::Known(version.clone());
        self.fire(&context, &known)
    }

    /// The tag that two commits share, of one branch or pull request.
    fn of_commits(&self) -> Option<ReusedTag> {
        let of_branch = |name: &str| matches!(name, "git.branch" | "git.ref" | "pr.number" | "pr.target");
        if !self.depends_on(of_branch) {
            return None;
        }
        let mut names: Vec<String> =
            self.template.globs().iter().map(|glob| glob.replace('*', "x")).collect();
        names.extend(["main".to_owned(), "feature/x".to_owned()]);
        let events = REPEATED.into_iter().filter(|event| self.template.events().contains(event));
        for event in events {
            for name in &names {
                let [one, other] = [0, 1].map(|run| {
                    let mut context = run_of(self.renderer.config, event, run);
                    context.branch = Some(name.clone());
                    context.reference = Some(format!("refs/heads/{name}"));
                    if context.is_of_pull_request() {
                        context.pull_request = Some(12);
                        context.pull.target = Some("main".to_owned());
                        context.pull.fork = Some(false);
                    }
                    self.fire(&context, &ResourceVersion::None("the branch has no version".to_owned()))
                });
                if let (Some(tag), Some(again)) = (one, other)
                    && tag == again
                {
                    let runs = match event {
                        EventName::PullRequest => "for every commit of a pull request".to_owned(),
                        EventName::Schedule => "on every schedule".to_owned(),
                        EventName::Manual => "on every run that is started by hand".to_owned(),
                        _ => format!("for every commit of a branch such as `{name}`"),
                    };
                    let help = match event {
                        EventName::Branch => {
                            "let it move to newer commits: `mutability = \"forward\"`; or print the commit, as in `{{ git.short_sha }}`"
                        }
                        _ => {
                            "let it move: `mutability = \"mutable\"`; or print the commit, as in `{{ git.short_sha }}`"
                        }
                    };
                    return Some(ReusedTag { tag, runs, help });
                }
            }
        }
        None
    }

    fn fire(&self, context: &Context, version: &ResourceVersion) -> Option<Tag> {
        let NamedResource { id, resource } = self.named;
        let (_, values) = self.renderer.values(context, id, resource);
        let values = values.with_version(version.known());
        match rules::fire(&self.renderer.templates, self.template, context, &values, version) {
            Ok(Firing::Tag(tag)) => Some(tag),
            Ok(Firing::Silent(_)) | Err(_) => None,
        }
    }
}

/// The context of one of two runs, which differ in the commit and its time.
fn run_of(config: &Config, event: EventName, run: usize) -> Context {
    let mut context = samples::context(config, event);
    context.sha = COMMITS.get(run).map(|sha| (*sha).to_owned());
    context.commit_time = context.commit_time.map(|time| time + i64::from(run != 0) * 400 * 24 * 60 * 60);
    context
}

/// Pairs of versions that every project of the scheme may release. Schemes that leave the number of numbers open have no pair that
/// differs in the third: a project with two never prints it.
fn pairs(scheme: &VersionScheme) -> Vec<(Relation, ReleaseVersion, ReleaseVersion)> {
    use Relation::{PrereleaseAndRelease, Prereleases, Releases};
    let texts: &[(Relation, &str, &str)] = match scheme {
        VersionScheme::Semver => &[
            (Releases, "1.4.2", "1.4.3"),
            (Releases, "1.4.2", "1.5.2"),
            (Releases, "1.4.2", "2.4.2"),
            (Releases, "0.4.2", "0.4.3"),
            (Releases, "2.4.2", "2.4.3"),
            (PrereleaseAndRelease, "2.0.0-rc.1", "2.0.0"),
            (PrereleaseAndRelease, "0.4.0-rc.1", "0.4.0"),
            (PrereleaseAndRelease, "1.4.0-beta.1", "1.4.0"),
            (Prereleases, "2.0.0-rc.1", "2.0.0-rc.2"),
            (Prereleases, "2.0.0-beta.1", "2.0.0-beta.2"),
        ],
        VersionScheme::Calver => &[
            (Releases, "2024.04", "2024.05"),
            (Releases, "2024.04.2", "2024.05.2"),
            (Releases, "2023.04", "2024.04"),
            (PrereleaseAndRelease, "2024.04-rc1", "2024.04"),
            (PrereleaseAndRelease, "2024.04.2-rc1", "2024.04.2"),
            (Prereleases, "2024.04-rc1", "2024.04-rc2"),
        ],
        VersionScheme::Pep440 => &[
            (Releases, "1.4", "1.5"),
            (Releases, "1.4.2", "1.5.2"),
            (Releases, "1.4", "2.4"),
            (PrereleaseAndRelease, "1.4rc1", "1.4"),
            (PrereleaseAndRelease, "1.4.2rc1", "1.4.2"),
            (Prereleases, "1.4rc1", "1.4rc2"),
        ],
        VersionScheme::Loose => &[
            (Releases, "1.4", "1.5"),
            (Releases, "1.4.2", "1.5.2"),
            (Releases, "1.4", "2.4"),
            (PrereleaseAndRelease, "1.4-rc1", "1.4"),
            (PrereleaseAndRelease, "1.4.2-rc1", "1.4.2"),
            (Prereleases, "1.4-rc1", "1.4-rc2"),
        ],
        VersionScheme::Pattern(pattern) => return of_pattern(scheme, pattern.numbers().len()),
    };
    let read = |text: &str| scheme.parse(text).ok();
    texts.iter().filter_map(|(relation, one, other)| Some((*relation, read(one)?, read(other)?))).collect()
}

fn of_pattern(scheme: &VersionScheme, numbers: usize) -> Vec<(Relation, ReleaseVersion, ReleaseVersion)> {
    let release = |last: &str| {
        let same = std::iter::repeat_n("4".to_owned(), numbers.saturating_sub(1));
        ReleaseVersion::of_numbers(scheme, same.chain([last.to_owned()]))
    };
    let mut pairs = vec![(Relation::Releases, release("4"), release("5"))];
    let prerelease = scheme.samples().prerelease.and_then(|text| scheme.parse(&text).ok());
    if let Some(prerelease) = prerelease {
        let release = ReleaseVersion::of_numbers(scheme, prerelease.parts().numbers.iter().cloned());
        pairs.push((Relation::PrereleaseAndRelease, prerelease, release));
    }
    pairs
}
