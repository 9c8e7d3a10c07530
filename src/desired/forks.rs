//! Pull requests of which the CI does not say whether they come from a fork.

use crate::config::Config;
use crate::context::Context;
use crate::diagnostic::{Code, Diagnostic};

/// The CIs that have no variable that says it.
const UNSAID: [&str; 6] = ["AWS CodeBuild", "Bamboo", "Drone", "Jenkins", "Prow", "Woodpecker"];

/// Returns a warning if a rule of `fired`, which does not take forks, fires on a pull request that may be from one.
pub fn fork_unknown<'a>(
    config: &Config,
    context: &Context,
    fired: impl IntoIterator<Item = &'a str>,
) -> Option<Diagnostic> {
    let ci = context.ci.as_deref().filter(|ci| UNSAID.contains(ci))?;
    if !context.is_of_pull_request() || context.pull.fork.is_some() {
        return None;
    }
    let rule = fired.into_iter().find(|name| config.tags.get(*name).is_some_and(|rule| !rule.forks))?;
    let which = context
        .pull_request
        .map_or_else(|| "the pull request".to_owned(), |number| format!("pull request {number}"));
    let message = format!("{ci} does not say whether {which} is from a fork, and tag rule `{rule}` fires");
    let place = config.places.key(&["tags", rule]);
    Some(
        Diagnostic::warning(Code::ContextMissing, message).at_maybe(place, "").help(
            "if the CI gives credentials to forks, publish pull requests in a job that forks do not run; `forks = true` in the rule says that forks may publish",
        ),
    )
}
