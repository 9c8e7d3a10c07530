//! The simulation flags, which make a context from `--event`, `--ref`, `--sha` and `--pr`, inside or outside a repository.

use crate::model::{EventName, Partition};

use super::ci::CiFacts;
use super::data::Context;
use super::error::ContextError;
use super::facts::Trigger;
use super::git::GitRepository;
use super::reference_format;

/// The flags that were given on the command line.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--event`.
    pub event: Option<EventName>,
    /// `--ref`, the full name.
    pub reference: Option<String>,
    /// `--sha`.
    pub sha: Option<String>,
    /// `--pr`.
    pub pull_request: Option<u64>,
    /// `--allow-dirty`.
    pub allow_dirty: bool,
    /// `--fork-credentials`.
    pub fork_credentials: bool,
    /// `--limit-rate`, in bytes in a second.
    pub limit_rate: Option<u64>,
    /// `--partition`.
    pub partition: Option<Partition>,
}

impl Flags {
    /// Whether the flags say what happened, so that neither the CI nor git has to. `--sha` alone does not.
    pub(super) fn simulate(&self) -> bool {
        self.event.is_some() || self.reference.is_some() || self.pull_request.is_some()
    }
}

/// The meaning of a full ref.
#[derive(Debug, PartialEq, Eq)]
enum Ref<'a> {
    Tag(&'a str),
    Branch(&'a str),
    PullRequest(u64),
}

/// Parses the full name of a ref, or returns why it is not valid.
fn parse_ref(text: &str) -> Result<Ref<'_>, &'static str> {
    const NOT_IN_FULL: &str = "not a full ref";
    let parsed = if let Some(tag) = text.strip_prefix("refs/tags/") {
        Ref::Tag(tag)
    } else if let Some(branch) = text.strip_prefix("refs/heads/") {
        Ref::Branch(branch)
    } else {
        let (number, _) =
            text.strip_prefix("refs/pull/").and_then(|rest| rest.split_once('/')).ok_or(NOT_IN_FULL)?;
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NOT_IN_FULL);
        }
        Ref::PullRequest(
            number.parse().ok().filter(|number| *number > 0).ok_or("no pull request has this number")?,
        )
    };
    reference_format::check_reference_name(text)?;
    Ok(parsed)
}

/// The simulated context without its commit, or `None` if no flag other than `--sha` was given.
pub(super) fn simulated_context(
    flags: &Flags,
    repository: &GitRepository,
) -> Result<Option<Context>, ContextError> {
    if !flags.simulate() {
        return Ok(None);
    }
    let parsed = match &flags.reference {
        None => None,
        Some(text) => Some(parse_ref(text).map_err(|reason| ContextError::Flag {
            flag: "--ref",
            value: text.escape_debug().to_string(),
            reason: reason.to_owned(),
        })?),
    };
    if flags.pull_request == Some(0) {
        let reason = "no pull request has this number".to_owned();
        return Err(ContextError::Flag { flag: "--pr", value: "0".to_owned(), reason });
    }
    let implied = match parsed {
        Some(Ref::Tag(_)) => Some(EventName::Tag),
        Some(Ref::Branch(_)) if flags.pull_request.is_none() => Some(EventName::Branch),
        Some(Ref::PullRequest(_)) => Some(EventName::PullRequest),
        _ => flags.pull_request.map(|_| EventName::PullRequest),
    };
    let event = flags.event.or(implied).unwrap_or(EventName::Manual);
    let trigger = match event {
        EventName::Schedule => Trigger::Schedule,
        EventName::Manual if flags.event.is_some() => Trigger::Manual,
        _ => Trigger::Push,
    };
    // The run of a git tag is that of a tag, whatever started it.
    let of_tag = implied == Some(EventName::Tag) && trigger != Trigger::Push;
    let event = if of_tag { EventName::Tag } else { event };
    let mut context = Context { trigger, ..Context::new(event) };
    context.reference.clone_from(&flags.reference);
    match parsed {
        Some(Ref::Tag(tag)) => context.tag = Some(tag.to_owned()),
        Some(Ref::Branch(branch)) => context.branch = Some(branch.to_owned()),
        Some(Ref::PullRequest(number)) => context.pull_request = Some(number),
        None => {}
    }
    context.pull_request = flags.pull_request.or(context.pull_request);
    check_combination(&context)?;
    // An event alone uses the ref that is checked out: `--event schedule` runs on this branch.
    let head = repository.head();
    if parsed_nothing(&context)
        && let Some(head) = head.filter(|_| event != EventName::Tag)
    {
        context.branch.clone_from(&head.branch);
        context.reference = head.branch.as_ref().map(|branch| format!("refs/heads/{branch}"));
    }
    Ok(Some(context))
}

/// Whether the CI runs on the simulated ref or pull request.
pub(super) fn same_place(facts: &CiFacts, simulated: &Context) -> bool {
    match simulated.pull_request {
        Some(number) => facts.pull_request == Some(number),
        None => simulated.reference.is_some() && facts.reference == simulated.reference,
    }
}

fn parsed_nothing(context: &Context) -> bool {
    context.reference.is_none() && context.pull_request.is_none()
}

fn check_combination(context: &Context) -> Result<(), ContextError> {
    let event = context.event;
    if event == EventName::Tag && context.tag.is_none() {
        return Err(ContextError::Flags("`--event tag` needs `--ref refs/tags/NAME`".to_owned()));
    }
    let is_pull_request = matches!(event, EventName::PullRequest | EventName::PullRequestClosed);
    if is_pull_request && context.pull_request.is_none() {
        return Err(ContextError::Flags(format!("`--event {event}` needs `--pr NUMBER`")));
    }
    if !is_pull_request && context.pull_request.is_some() {
        return Err(ContextError::Flags(format!(
            "`--event {event}` cannot be combined with the `--pr` or `--ref` of a pull request"
        )));
    }
    if event == EventName::Branch && context.tag.is_some() {
        return Err(ContextError::Flags(
            "`--event branch` cannot be combined with a `--ref` below `refs/tags/`".to_owned(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nowhere(flags: &Flags) -> Result<Option<Context>, ContextError> {
        simulated_context(flags, &GitRepository::none())
    }

    #[test]
    fn a_ref_implies_its_event() {
        for (reference, event) in [
            ("refs/tags/v1.2.3", EventName::Tag),
            ("refs/heads/feature/x", EventName::Branch),
            ("refs/pull/12/merge", EventName::PullRequest),
        ] {
            let flags = Flags { reference: Some(reference.to_owned()), ..Flags::default() };
            let context = nowhere(&flags).expect("valid flags").expect("a simulation");
            assert_eq!(context.event, event, "{reference}");
        }
        let flags = Flags { pull_request: Some(7), ..Flags::default() };
        let context = nowhere(&flags).expect("valid flags").expect("a simulation");
        assert_eq!((context.event, context.pull_request), (EventName::PullRequest, Some(7)));
        assert!(nowhere(&Flags::default()).expect("no flags").is_none());
    }

    #[test]
    fn contradicting_flags_are_refused() {
        let reference = |text: &str| Some(text.to_owned());
        for flags in [
            Flags { reference: reference("v1.2.3"), ..Flags::default() },
            Flags { reference: reference("refs/tags/"), ..Flags::default() },
            Flags { event: Some(EventName::Tag), ..Flags::default() },
            Flags { event: Some(EventName::PullRequest), ..Flags::default() },
            Flags {
                event: Some(EventName::Branch),
                reference: reference("refs/tags/v1"),
                ..Flags::default()
            },
            Flags {
                event: Some(EventName::Tag),
                reference: reference("refs/tags/v1"),
                pull_request: Some(1),
                ..Flags::default()
            },
        ] {
            assert!(nowhere(&flags).is_err(), "{flags:?}");
        }
    }

    #[test]
    fn refs_that_git_refuses_are_refused() {
        for reference in [
            "refs/heads/main~0",
            "refs/heads/a b",
            "refs/heads/../x",
            "refs/heads/x\n",
            "refs/tags/v1.lock",
            "refs/tags/v1^{commit}",
            "refs/pull/0/head",
            "refs/pull/+7/head",
            "refs/pull/7/",
            "refs/pull/99999999999999999999/head",
        ] {
            let flags = Flags { reference: Some(reference.to_owned()), ..Flags::default() };
            assert!(nowhere(&flags).is_err(), "{reference}");
        }
        assert!(nowhere(&Flags { pull_request: Some(0), ..Flags::default() }).is_err());
    }

    #[test]
    fn a_schedule_can_use_any_ref() {
        let flags = Flags {
            event: Some(EventName::Schedule),
            reference: Some("refs/heads/main".to_owned()),
            ..Flags::default()
        };
        let context = nowhere(&flags).expect("valid flags").expect("a simulation");
        assert_eq!((context.event, context.branch.as_deref()), (EventName::Schedule, Some("main")));
    }
}
