//! The templates that render the tags of a resource: those of its tag rules, and the version of a chart.

use std::borrow::Cow;

use crate::config::{Config, DeclaredChart, DeclaredContent, NamedResource, TagRule};
use crate::model::forward::OnUnknown;
use crate::model::version::ReleaseVersion;
use crate::model::{EventName, Mutability, OnConflict, ResourceId};

/// The events on which a chart is published, if they have the values that its version needs.
const CHART_EVENTS: [EventName; 5] =
    [EventName::Tag, EventName::Branch, EventName::PullRequest, EventName::Schedule, EventName::Manual];

/// The events on which a chart with the version of its `Chart.yaml` is published.
const OWN_VERSION_EVENTS: [EventName; 4] =
    [EventName::Tag, EventName::Branch, EventName::Schedule, EventName::Manual];

/// A template that renders a tag, and what is declared about the tag.
#[derive(Debug, Clone, Copy)]
pub enum TagTemplate<'a> {
    /// `[tags.NAME]`.
    Rule {
        /// The name of the rule.
        name: &'a str,
        /// The rule.
        rule: &'a TagRule,
    },
    /// `version` of `[charts.NAME]`. Helm finds a chart only by its version, so the version is an immutable tag.
    ChartVersion {
        /// The chart.
        chart: &'a ResourceId,
        /// Its declaration.
        declared: &'a DeclaredChart,
    },
}

/// Identifies a [`TagTemplate`] in its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TagTemplateKey<'a> {
    /// The rule of this name.
    Rule(&'a str),
    /// The version of this chart.
    ChartVersion(&'a ResourceId),
}

impl<'a> TagTemplate<'a> {
    /// Every template of `config`: those of the rules, then the versions of the charts.
    pub fn all(config: &'a Config) -> impl Iterator<Item = Self> {
        let rules = config.tags.iter().map(|(name, rule)| Self::Rule { name, rule });
        rules.chain(config.named_resources().filter_map(Self::of_chart))
    }

    /// The templates of a resource, in the order of its tags. A chart's version comes first.
    pub fn of_resource(config: &'a Config, resource: NamedResource<'a>) -> impl Iterator<Item = Self> {
        let rules = resource.resource.tags.iter().filter_map(|name| Self::of_rule(config, name));
        Self::of_chart(resource).into_iter().chain(rules)
    }

    /// The template of the rule called `name`, if there is one.
    pub fn of_rule(config: &'a Config, name: &str) -> Option<Self> {
        config.tags.get_key_value(name).map(|(name, rule)| Self::Rule { name, rule })
    }

    /// The rule called `name`, or the version of a chart, as plans call it: `charts.NAME version`.
    pub fn named(config: &'a Config, name: &str) -> Option<Self> {
        let chart = || config.named_resources().filter_map(Self::of_chart).find(|it| it.name() == name);
        Self::of_rule(config, name).or_else(chart)
    }

    /// The template of a resource that the plan calls `name`.
    pub fn called(config: &'a Config, resource: NamedResource<'a>, name: &str) -> Option<Self> {
        Self::of_resource(config, resource).find(|template| template.name() == name)
    }

    fn of_chart(NamedResource { id, resource }: NamedResource<'a>) -> Option<Self> {
        match &resource.content {
            DeclaredContent::Chart(chart) => Some(Self::ChartVersion { chart: id, declared: chart }),
            DeclaredContent::Image(_) | DeclaredContent::Artifact(_) => None,
        }
    }

    /// Identifies this template in its configuration.
    pub fn key(self) -> TagTemplateKey<'a> {
        match self {
            Self::Rule { name, .. } => TagTemplateKey::Rule(name),
            Self::ChartVersion { chart, .. } => TagTemplateKey::ChartVersion(chart),
        }
    }

    /// The name that plans, and the output of `tags`, give to what rendered a tag. No rule can be called like a chart's version,
    /// because the name of a rule has no blank.
    pub fn name(self) -> Cow<'a, str> {
        match self {
            Self::Rule { name, .. } => name.into(),
            Self::ChartVersion { chart, .. } => format!("{chart} version").into(),
        }
    }

    /// The title in messages.
    pub fn title(self) -> String {
        match self {
            Self::Rule { name, .. } => format!("tag rule `{name}`"),
            Self::ChartVersion { chart, .. } => format!("the version of chart `{}`", chart.name),
        }
    }

    /// The text of the template.
    pub fn text(self) -> &'a str {
        match self {
            Self::Rule { rule, .. } => &rule.template,
            Self::ChartVersion { declared, .. } => &declared.version,
        }
    }

    /// The path at which the text is written.
    pub fn path(self) -> [&'a str; 3] {
        match self {
            Self::Rule { name, .. } => ["tags", name, "template"],
            Self::ChartVersion { chart, .. } => chart.key("version"),
        }
    }

    /// The path at which its condition is written.
    pub fn when_path(self) -> [&'a str; 3] {
        match self {
            Self::Rule { name, .. } => ["tags", name, "when"],
            Self::ChartVersion { chart, .. } => chart.key("when"),
        }
    }

    /// The rule, if it is one.
    pub fn rule(self) -> Option<&'a TagRule> {
        match self {
            Self::Rule { rule, .. } => Some(rule),
            Self::ChartVersion { .. } => None,
        }
    }

    /// The events on which it renders.
    pub fn events(self) -> &'a [EventName] {
        match self {
            Self::Rule { rule, .. } => &rule.on,
            Self::ChartVersion { declared: DeclaredChart { on: Some(on), .. }, .. } => on,
            // A version that is not made for one commit is not published before it is merged.
            Self::ChartVersion { declared, .. } if declared.has_own_version => &OWN_VERSION_EVENTS,
            Self::ChartVersion { .. } => &CHART_EVENTS,
        }
    }

    /// The events of the contexts in which it renders: a rule for runs that are started by hand also renders at a git tag.
    pub fn contexts(self) -> Vec<EventName> {
        let mut events = self.events().to_vec();
        if [EventName::Schedule, EventName::Manual].iter().any(|event| self.events().contains(event))
            && !events.contains(&EventName::Tag)
        {
            events.push(EventName::Tag);
        }
        events
    }

    /// Globs, one of which the branch or the git tag must match. Empty: any.
    pub fn globs(self) -> &'a [String] {
        match self {
            Self::Rule { rule, .. } => &rule.matches,
            Self::ChartVersion { declared, .. } => &declared.matches,
        }
    }

    /// The condition on which it renders.
    pub fn when(self) -> Option<&'a str> {
        match self {
            Self::Rule { rule, .. } => rule.when.as_deref(),
            Self::ChartVersion { declared, .. } => declared.when.as_deref(),
        }
    }

    /// Whether its tags may move.
    pub fn mutability(self) -> Mutability {
        self.rule().map_or(Mutability::Immutable, |rule| rule.mutability)
    }

    /// The action if an immutable tag already names another digest.
    pub fn on_conflict(self) -> OnConflict {
        match self {
            Self::Rule { rule, .. } => rule.on_conflict,
            Self::ChartVersion { declared, .. } => declared.on_conflict,
        }
    }

    /// The action if it cannot be known whether a forward tag would move forward; `None` for the default of the event.
    pub fn on_unknown(self) -> Option<OnUnknown> {
        self.rule().and_then(|rule| rule.on_unknown)
    }

    /// Whether it renders on the default branch alone: the version of a `Chart.yaml`, if nothing else is declared.
    pub fn is_of_default_branch(self) -> bool {
        match self {
            Self::Rule { .. } => false,
            Self::ChartVersion { declared, .. } => {
                declared.has_own_version && declared.on.is_none() && declared.matches.is_empty()
            }
        }
    }

    /// Whether it renders for a pull request from a fork.
    pub fn takes_forks(self) -> bool {
        self.rule().is_some_and(|rule| rule.forks)
    }

    /// Whether `version` does not take its forward tags: it is a pre-release, and the rule does not take those, or it names a commit
    /// between two releases.
    pub fn holds_back(self, version: &ReleaseVersion) -> bool {
        version.is_development() || (version.is_prerelease() && !self.takes_prereleases())
    }

    /// Whether a pre-release takes its forward tags.
    pub fn takes_prereleases(self) -> bool {
        self.rule().is_some_and(|rule| rule.prereleases)
    }
}
