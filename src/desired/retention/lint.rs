//! Finds errors in retentions that name a rule, without asking a registry: tags that cannot be attributed to the rule.

use std::collections::HashSet;

use super::claims::{
    ClaimedTags, OwnTags, SharedRepositories, TagReaders, is_of_number_alone, others,
    rendered_for_pull_request,
};
use super::scope::{self, ResourceInRegistry};
use crate::config::{Config, NamedResource, RetentionCondition, RetentionSubject};
use crate::context::Context;
use crate::desired::rules;
use crate::desired::tag_reader::{self, Unreadable};
use crate::desired::tag_template::TagTemplate;
use crate::desired::tags::Renderer;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::EventName;
use oci_registry::Tag;

/// The reason why the tags of a retention cannot be distinguished from others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum SubjectError {
    /// The rule does not print the number of the pull request.
    #[error("nothing in the tags of rule `{rule}` says which pull request they belong to")]
    NoNumber { rule: String },
    /// The rule's tags cannot be read back.
    #[error("the tags of rule `{rule}` cannot be read back: {why}")]
    Unreadable { rule: String, why: Unreadable },
    /// The rule renders any text.
    #[error("rule `{rule}` renders any text, so nothing shows which tags are its own")]
    Free { rule: String },
    /// Another rule may render every tag that the rule renders.
    #[error("the tags of rule `{rule}`, such as `{tag}`, may also come from rule `{other}`")]
    Shared { rule: String, other: String, tag: Tag },
    /// A number can be read in more than one way.
    #[error(
        "in the tags of rule `{rule}`, such as `{tag}`, the end of the pull request number cannot be determined"
    )]
    Ambiguous { rule: String, tag: Tag },
    /// No tag is certain to come from the rule.
    #[error("no tag is certain to come from rule `{rule}`")]
    Uncertain { rule: String },
}

impl SubjectError {
    fn rule(&self) -> &str {
        match self {
            Self::NoNumber { rule }
            | Self::Unreadable { rule, .. }
            | Self::Free { rule }
            | Self::Shared { rule, .. }
            | Self::Ambiguous { rule, .. }
            | Self::Uncertain { rule } => rule,
        }
    }

    fn help(&self, by_event: bool) -> String {
        let by_glob = "give the retention a `match = \"…\"` with a glob for its tags, instead of `rule`";
        match self {
            Self::NoNumber { .. } => "put the number into the template, as in `pr-{{ pr.number }}`, or remove the tags by `keep_last` or `older_than`".to_owned(),
            Self::Shared { other, .. } if by_event => {
                format!("start the templates of the two rules with different text, or give `{other}` a `match` that lets fewer names through")
            }
            Self::Shared { other, .. } => {
                format!("start the templates of the two rules with different text, give `{other}` a `match` that lets fewer names through, or {by_glob}")
            }
            Self::Ambiguous { .. } => "put a character that is not a digit after the number, as in `pr-{{ pr.number }}-…`".to_owned(),
            Self::Free { .. } if by_event => "start the template with fixed text, such as `pr-`".to_owned(),
            Self::Free { .. } => {
                format!("start the template with fixed text, give the rule a `match` without a leading `*`, or {by_glob}")
            }
            Self::Unreadable { .. } | Self::Uncertain { .. } if by_event => {
                "print the number unchanged in the template, as in `pr-{{ pr.number }}`, and remove `when` from the rule".to_owned()
            }
            Self::Unreadable { .. } | Self::Uncertain { .. } => by_glob.to_owned(),
        }
    }

    fn to_diagnostic(&self, config: &Config, retention: &str, by_event: bool) -> Diagnostic {
        let rule = match TagTemplate::named(config, self.rule()) {
            Some(template) => config.places.value(&template.path()),
            None => config.places.value(&["tags", self.rule(), "template"]),
        };
        let other = match self {
            Self::Shared { other, .. } => config.places.value(&["tags", other, "template"]),
            _ => None,
        };
        Diagnostic::error(Code::RetentionRule, format!("retention `{retention}`: {self}"))
            .at_maybe(config.places.value(&["retention", retention, "rule"]), "these tags")
            .at_maybe(rule, "rendered here")
            .at_maybe(other, "or here")
            .help(self.help(by_event))
    }
}

/// Finds the errors in the retentions of a configuration whose templates are valid.
pub(in crate::desired) fn lint(renderer: &Renderer<'_>) -> Vec<Diagnostic> {
    let config = renderer.config;
    if config.retention.is_empty() {
        return Vec::new();
    }
    let repositories = SharedRepositories::new(config);
    let mut readers = TagReaders::new(renderer);
    let mut diagnostics = Vec::new();
    for (name, retention) in &config.retention {
        let RetentionSubject::Rule(rule_name) = &retention.subject else { continue };
        let Some(template) = TagTemplate::named(config, rule_name) else { continue };
        let by_event = retention.condition == RetentionCondition::PullRequestClosed;
        let mut seen = HashSet::new();
        for ResourceInRegistry { named, registry } in scope::resources_of(config, retention) {
            let resources = repositories.resources(config, named.resource, registry);
            // Resources that no rule can distinguish have the same errors.
            let by_resource = resources.len() > 1
                || TagTemplate::of_resource(config, named).any(|it| renderer.is_by_resource(it));
            if !seen.insert((&named.resource.releases, &named.resource.tags, by_resource.then_some(named.id)))
            {
                continue;
            }
            let subject = RetainedRule { rule_name, template, by_event, named, resources };
            if let Err(error) = subject.check_attribution(&mut readers) {
                diagnostics.push(error.to_diagnostic(config, name, by_event));
                // One resource is enough to show the error.
                break;
            }
        }
    }
    diagnostics
}

/// A rule in one repository.
struct RetainedRule<'a> {
    rule_name: &'a str,
    template: TagTemplate<'a>,
    /// Whether a closed pull request removes the tags.
    by_event: bool,
    named: NamedResource<'a>,
    /// All resources of the repository.
    resources: Vec<NamedResource<'a>>,
}

impl<'a> RetainedRule<'a> {
    /// Checks that tags can be attributed to the rule.
    fn check_attribution(&self, readers: &mut TagReaders<'_, 'a>) -> Result<(), SubjectError> {
        let rule = || self.rule_name.to_owned();
        let (renderer, text) = (readers.renderer, self.template.text());
        let templates = &renderer.templates;
        let variables = tag_reader::variables(templates, text);
        if self.by_event && !variables.contains("pr.number") {
            return Err(SubjectError::NoNumber { rule: rule() });
        }
        let others = others(readers, &self.resources, self.template, self.named.id);
        if self.by_event && is_of_number_alone(renderer, text) {
            let samples = [1, 12, 1234].into_iter().filter_map(|number| {
                let mut context = Context::new(EventName::PullRequestClosed);
                context.pull_request = Some(number);
                let (_, values) = renderer.values(&context, self.named.id, self.named.resource);
                rules::render(templates, text, &values).ok()
            });
            let samples: Vec<Tag> = samples.collect();
            let Some(tag) = samples.first().cloned() else { return Ok(()) };
            return self.not_shared(&ClaimedTags { own: OwnTags::Equal(tag), others }, &samples);
        }
        let reader = readers.of(self.template, self.named);
        let read = match reader.as_ref() {
            Ok(read) => read,
            Err(_) if self.by_event && self.is_of_pull_requests(renderer) => {
                let numbers = [1, 12, 1234].into_iter();
                let samples: Vec<Tag> = numbers
                    .filter_map(|number| {
                        rendered_for_pull_request(renderer, self.template, self.named, number)
                    })
                    .collect();
                let Some(tag) = samples.first().cloned() else { return Ok(()) };
                return self.not_shared(&ClaimedTags { own: OwnTags::Equal(tag), others }, &samples);
            }
            Err(why) => return Err(SubjectError::Unreadable { rule: rule(), why: why.clone() }),
        };
        if read.is_free() {
            return Err(SubjectError::Free { rule: rule() });
        }
        let mut samples = read.samples(templates, self.template);
        if samples.is_empty() {
            // The rule never fires, or renders no tag. That error is reported for the rule.
            return Ok(());
        }
        samples.retain(|tag| read.reads(templates, tag));
        if samples.is_empty() {
            return Err(SubjectError::Uncertain { rule: rule() });
        }
        if self.by_event {
            let several = |tag: &&Tag| read.pull_requests(tag).len() != 1;
            if let Some(tag) = samples.iter().find(several) {
                return Err(SubjectError::Ambiguous { rule: rule(), tag: tag.clone() });
            }
        }
        self.not_shared(&ClaimedTags { own: OwnTags::Rule(reader), others }, &samples)
    }

    /// Whether the number of a pull request alone decides which tag the rule renders for it, whatever it renders on other events.
    fn is_of_pull_requests(&self, renderer: &Renderer<'_>) -> bool {
        rendered_for_pull_request(renderer, self.template, self.named, 1).is_some()
    }

    /// Refuses a rule if every sample may come from another rule. If only some may, the retention leaves those tags
    /// alone.
    fn not_shared(&self, claims: &ClaimedTags<'_>, samples: &[Tag]) -> Result<(), SubjectError> {
        let shared: Vec<Option<&str>> = samples.iter().map(|tag| claims.shared_with(tag)).collect();
        match (samples.first(), shared.first().copied().flatten()) {
            (Some(tag), Some(other)) if shared.iter().all(Option::is_some) => Err(SubjectError::Shared {
                rule: self.rule_name.to_owned(),
                other: other.to_owned(),
                tag: tag.clone(),
            }),
            _ => Ok(()),
        }
    }
}
