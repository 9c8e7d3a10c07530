//! Compares the dependencies of a chart with the charts under `charts/` and with the lock.
//!
//! This is stricter than `helm package`, which requires only that a chart of each name is present: a published chart has exactly the
//! dependencies that its lock names, and its lock matches its `Chart.yaml`.

use crate::dependency::Dependency;
use crate::finding::ChartFindings;
use crate::hidden::HiddenFiles;
use crate::load::LoadedChart;
use crate::version::{HelmVersion, VersionRange};

/// Reports dependencies that are missing or do not match the lock. `hidden` are the files that `.helmignore` leaves out.
pub(crate) fn check_dependencies(chart: &LoadedChart, hidden: &HiddenFiles, findings: &mut ChartFindings) {
    let asked = &chart.metadata.dependencies;
    let (description, lock_name) = if chart.metadata.is_v1() {
        ("requirements.yaml", "requirements.lock")
    } else {
        ("Chart.yaml", "Chart.lock")
    };
    let build = format!("run `helm dependency build {}` before publishing", chart.shown);
    let update = format!("run `helm dependency update {}`, and commit `{lock_name}`", chart.shown);
    for name in chart.unlisted_charts() {
        let message =
            format!("`{}/charts` holds `{name}`, which is not a dependency in `{description}`", chart.shown);
        findings.warning(None, message, "it is packaged anyway, as Helm does; list it or remove it");
    }
    if asked.is_empty() {
        return;
    }
    let fits = chart.lock.as_ref().map(|lock| lock.fits(asked, chart.metadata.is_v1()));
    match (&chart.lock, fits) {
        (Some(lock), Some(false)) => {
            let message =
                format!("`{lock_name}` was made for other dependencies than those of `{description}`");
            findings.dependency(Some(lock.span.clone()), message, &update);
        }
        (None, _) if asked.iter().any(|dependency| !dependency.repository.is_empty()) => {
            let first = asked.first().and_then(|dependency| dependency.span.clone());
            let consequence = ": nothing says which versions the dependencies have";
            if !hidden.report(&format!("{}/{lock_name}", chart.shown), consequence, findings) {
                let message = format!("`{lock_name}` is missing{consequence}");
                findings.dependency(first, message, &update);
            }
        }
        _ => {}
    }
    for (index, dependency) in asked.iter().enumerate() {
        let Some(range) = VersionRange::parse(&dependency.version) else {
            let message = format!(
                "the dependency `{}` has the version `{}`, which is not a version or a range",
                dependency.name, dependency.version
            );
            let help = "write a version or a range, such as `^1.2.0` or `1.x`";
            findings.error(dependency.span.clone(), message, help);
            continue;
        };
        let Some(found) = chart.charts.get(&dependency.name) else {
            let there = hidden.dependency(&chart.shown, &dependency.name);
            let consequence = ", so the dependency is missing";
            if there.is_some_and(|there| hidden.report(there, consequence, findings)) {
                continue;
            }
            let message =
                format!("the dependency `{}` is not under `{}/charts`", dependency.name, chart.shown);
            findings.dependency(dependency.span.clone(), message, &build);
            continue;
        };
        let version = found.metadata.version.as_str();
        let locked = chart.lock.as_ref().filter(|_| fits == Some(true) && !dependency.repository.is_empty());
        let locked = locked.and_then(|lock| locked_version(&lock.dependencies, index, &dependency.name));
        if let Some(locked) = locked.filter(|locked| !same(locked, version)) {
            let message =
                format!("`{}` has the version {version}, but `{lock_name}` names {locked}", found.shown);
            findings.dependency(dependency.span.clone(), message, &build);
        } else if !HelmVersion::parse(version).is_some_and(|version| range.holds(&version)) {
            let message = format!(
                "`{}` has the version {version}, but `{description}` asks for `{}`",
                found.shown, dependency.version
            );
            findings.dependency(dependency.span.clone(), message, &update);
        }
    }
}

/// Returns the version that the lock names for the dependency at `index`. The lock lists them in the same
/// order; if not, the name decides.
fn locked_version<'a>(locked: &'a [Dependency], index: usize, name: &str) -> Option<&'a str> {
    let at = locked.get(index).filter(|it| it.name == name);
    at.or_else(|| locked.iter().find(|it| it.name == name)).map(|it| it.version.as_str())
}

fn same(one: &str, other: &str) -> bool {
    match (HelmVersion::parse(one), HelmVersion::parse(other)) {
        (Some(one), Some(other)) => one.same(&other),
        _ => one == other,
    }
}
