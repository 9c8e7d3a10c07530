//! Values for trial renderings of a template, which show the place of each variable in the tag.

use regex::Regex;

use super::class::{Shape, TextClass};
use crate::context::Context;
use crate::desired::tag_template::TagTemplate;
use crate::desired::template::Templates;
use crate::desired::values::Values;
use crate::desired::{filters, rules};
use crate::model::EventName;
use crate::model::version::{ReleaseVersion, VersionScheme};

/// A context and a version, either unlike any run or as in a run that might happen.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    pub context: Context,
    pub version: ReleaseVersion,
}

struct ProbeValues {
    sha: &'static str,
    number: u64,
    version: &'static str,
    branch: String,
    tag: String,
    time: i64,
}

/// Returns the probes for an event. Each value of the first occurs nowhere else, so that its place in the output is
/// unmistakable. Those of the others are as short, long and plain as possible, so that a template shows whether it
/// treats all values the same way.
pub(super) fn probes(event: EventName, scheme: &VersionScheme) -> Vec<Probe> {
    let row = |sha, number, version, branch: &str, tag: &str, time| ProbeValues {
        sha,
        number,
        version,
        branch: branch.to_owned(),
        tag: tag.to_owned(),
        time,
    };
    let mut rows = vec![
        row(
            "c0ffee1d2b3a49587766d5e4f3a2b1c0d9e8f7a6",
            7_305_918_264,
            "98765.43210.12345-q7xw.9+zb31k",
            "Zq7/abcdefghijklmnopqrstuvwxyz_ABC.0123456789x",
            "Tq3/zyxwvutsrqponmlkjihgfedcba_CBA.9876543210y",
            1_234_567_890,
        ),
        row("0123456789abcdef0123456789abcdef01234567", 1, "0.0.0", "main", "v0.0.0", 1_767_323_045),
        row(
            "ffffffffffffffffffffffffffffffffffffffff",
            99_999,
            "10.20.30-rc.1",
            "Feature/X#1",
            "Nightly",
            951_782_400,
        ),
        row(
            "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c",
            1234,
            "1.4.2+build.7",
            "release/1.x",
            "v1.4.2",
            1_000_000_000,
        ),
    ];
    let mut long = row("1111111111111111111111111111111111111111", 99, "3.4.5-alpha", "", "", 1_500_000_000);
    (long.branch, long.tag) = ("Long/".repeat(60), "Tall/".repeat(60));
    rows.push(long);
    rows.into_iter().map(|row| probe(event, row, scheme)).collect()
}

fn probe(event: EventName, row: ProbeValues, scheme: &VersionScheme) -> Probe {
    let mut context = Context::new(event);
    context.sha = Some(row.sha.to_owned());
    context.pull_request = Some(row.number);
    context.reference = Some(format!("refs/Rk5/{}{}", row.number, row.branch));
    context.default_branch = Some(format!("Dw9/{}{}", row.number, row.tag));
    context.branch = Some(row.branch);
    context.tag = Some(row.tag);
    context.commit_time = Some(row.time);
    context.dirty = Some(false);
    // Other values than those of the variables that they could be confused with.
    context.now = Some(row.time + 86_400 * 1_000 + 3_725);
    (context.run.number, context.run.attempt) = (Some(row.number * 31 + 7), Some(row.number * 17 + 3));
    context.history.commits_since_tag = Some(row.number * 13 + 1);
    context.history.describe = context.tag.as_ref().map(|tag| format!("Gd5/{tag}-{}", row.number));
    context.history.previous_tag = context.tag.as_ref().map(|tag| format!("Pv8/{}{tag}", row.number));
    context.pull.target = context.branch.as_ref().map(|branch| format!("Bs2/{}{branch}", row.number));
    context.pull.source = context.branch.as_ref().map(|branch| format!("Hd4/{branch}{}", row.number));
    Probe { context, version: probe_version(row.version, scheme) }
}

/// A version of `scheme` for a probe. Its text is `semantic`, or as much of it as the scheme has.
fn probe_version(semantic: &str, scheme: &VersionScheme) -> ReleaseVersion {
    let parsed = scheme.parse(semantic).ok();
    let numbers = || semantic.split(['-', '+']).next().unwrap_or_default().split('.').map(str::to_owned);
    parsed.unwrap_or_else(|| ReleaseVersion::of_numbers(scheme, numbers()))
}

/// The renderings of a trial.
pub(super) struct Trial<'a> {
    pub templates: &'a Templates,
    pub probes: &'a [Probe],
    /// The values of each probe.
    pub values: &'a [Values],
}

/// One form in which a variable can appear in a tag.
#[derive(Debug, Clone)]
pub(super) struct VariableForm {
    pub variable: &'static str,
    pub class: TextClass,
    /// The text that the variable prints in each of the probes.
    pub texts: Vec<String>,
}

/// The forms in which `variable` can appear in a tag that `template` renders on an event.
pub(super) fn forms(
    variable: &str,
    template: TagTemplate<'_>,
    event: EventName,
    trial: &Trial<'_>,
) -> Vec<VariableForm> {
    let probes = trial.probes;
    let form = |variable, class, print: &dyn Fn(&Probe) -> String| VariableForm {
        variable,
        class,
        texts: probes.iter().map(print).collect(),
    };
    let globs = |holds: bool| -> Vec<Shape> {
        if holds { template.globs().iter().filter_map(|glob| Shape::new(glob)).collect() } else { Vec::new() }
    };
    let text = |variable, globs: Vec<Shape>, print: &dyn Fn(&Probe) -> String| {
        vec![
            form(variable, TextClass::Text { slug: true, globs: globs.clone() }, &|probe| {
                filters::slug(&print(probe))
            }),
            form(variable, TextClass::Text { slug: false, globs }, print),
        ]
    };
    let scheme = || probes.first().map(|probe| probe.version.scheme().clone()).unwrap_or_default();
    let is_semantic = scheme() == VersionScheme::Semver;
    let digits = || TextClass::Digits { zeros: !is_semantic };
    let suffix = |semantic| if is_semantic { semantic } else { TextClass::Part };
    let part =
        |probe: &Probe, index: usize| probe.version.parts().numbers.get(index).cloned().unwrap_or_default();
    match variable {
        "git.sha" => commit("git.sha", 40, probes),
        "git.short_sha" => commit("git.short_sha", 7, probes),
        "pr.number" => vec![form("pr.number", TextClass::Number, &|it| text_of(it.context.pull_request))],
        "version" => {
            vec![form("version", TextClass::Version(scheme()), &|it| {
                rules::without_plus(it.version.as_str(), Some(&it.version))
            })]
        }
        "version.major" => vec![form("version.major", digits(), &|it| part(it, 0))],
        "version.minor" => vec![form("version.minor", digits(), &|it| part(it, 1))],
        "version.patch" => vec![form("version.patch", digits(), &|it| part(it, 2))],
        "version.revision" => vec![form("version.revision", digits(), &|it| part(it, 3))],
        "version.pre" => {
            vec![form("version.pre", suffix(TextClass::Prerelease), &|it| it.version.parts().pre.clone())]
        }
        "version.build" => {
            vec![form("version.build", suffix(TextClass::Build), &|it| it.version.parts().build.clone())]
        }
        "git.branch" => {
            text("git.branch", globs(event != EventName::Tag), &|it| text_of(it.context.branch.as_ref()))
        }
        "git.tag" => text("git.tag", globs(event == EventName::Tag), &|it| text_of(it.context.tag.as_ref())),
        "git.ref" => text("git.ref", Shape::new("refs/**").into_iter().collect(), &|it| {
            text_of(it.context.reference.as_ref())
        }),
        "git.default_branch" => {
            text("git.default_branch", Vec::new(), &|it| text_of(it.context.default_branch.as_ref()))
        }
        "git.describe" => {
            text("git.describe", Vec::new(), &|it| text_of(it.context.history.describe.as_ref()))
        }
        "git.previous_tag" => {
            text("git.previous_tag", Vec::new(), &|it| text_of(it.context.history.previous_tag.as_ref()))
        }
        "git.commits_since_tag" => {
            vec![form("git.commits_since_tag", TextClass::Digits { zeros: false }, &|it| {
                text_of(it.context.history.commits_since_tag)
            })]
        }
        "pr.base" => text("pr.base", Vec::new(), &|it| text_of(it.context.pull.target.as_ref())),
        "pr.head" => text("pr.head", Vec::new(), &|it| text_of(it.context.pull.source.as_ref())),
        "ci.run_number" => {
            vec![form("ci.run_number", TextClass::Number, &|it| text_of(it.context.run.number))]
        }
        "ci.run_attempt" => {
            vec![form("ci.run_attempt", TextClass::Number, &|it| text_of(it.context.run.attempt))]
        }
        "git.commit_time" => dates("git.commit_time", template.text(), trial),
        "now" => dates("now", template.text(), trial),
        _ => Vec::new(),
    }
}

fn text_of(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A commit, whole or cut to a length that still cannot be mistaken for something else.
fn commit(variable: &'static str, length: usize, probes: &[Probe]) -> Vec<VariableForm> {
    const FEWEST: usize = 4;
    let cut = |length: usize| VariableForm {
        variable,
        class: if length == 40 { TextClass::Commit } else { TextClass::Hexadecimal(length) },
        texts: probes
            .iter()
            .map(|probe| {
                let sha = probe.context.sha.as_deref().unwrap_or_default();
                sha.get(..length).unwrap_or_default().to_owned()
            })
            .collect(),
    };
    (FEWEST..=length).map(cut).collect()
}

/// The time `variable`, in each of the formats that the template uses.
fn dates(
    variable: &'static str,
    template: &str,
    Trial { templates, values, .. }: &Trial<'_>,
) -> Vec<VariableForm> {
    let name = variable.replace('.', r"\s*\.\s*");
    let quoted = r#"(?:'([^'\\]*)'|"([^"\\]*)")"#;
    let pattern = format!(r"\b{name}\s*\|\s*date\(\s*{quoted}\s*(?:,\s*{quoted}\s*)?\)");
    let Ok(pattern) = Regex::new(&pattern) else { return Vec::new() };
    let forms = pattern.captures_iter(template).filter_map(|found| {
        let format = found.get(1).or_else(|| found.get(2))?.as_str();
        let expression = format!("{{{{ {} }}}}", found.get(0)?.as_str());
        let texts: Result<Vec<String>, _> =
            values.iter().map(|values| templates.render(&expression, values)).collect();
        Some(VariableForm { variable, class: TextClass::Date(format.to_owned()), texts: texts.ok()? })
    });
    forms.collect()
}
