//! The simulation flags: a context from `--event`, `--ref`, `--sha` and `--pr`, inside a repository or out.

use crate::model::EventName;

use super::{Context, ContextError, git::Repository};

/// What was given on the command line.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--event`.
    pub event: Option<EventName>,
    /// `--ref`, in full.
    pub reference: Option<String>,
    /// `--sha`.
    pub sha: Option<String>,
    /// `--pr`.
    pub pull_request: Option<u64>,
}

/// What a ref in full says.
#[derive(Debug, PartialEq, Eq)]
enum Ref<'a> {
    Tag(&'a str),
    Branch(&'a str),
    PullRequest(u64),
}

fn parse_ref(text: &str) -> Option<Ref<'_>> {
    if let Some(tag) = text.strip_prefix("refs/tags/") {
        return (!tag.is_empty()).then_some(Ref::Tag(tag));
    }
    if let Some(branch) = text.strip_prefix("refs/heads/") {
        return (!branch.is_empty()).then_some(Ref::Branch(branch));
    }
    let (number, _) = text.strip_prefix("refs/pull/")?.split_once('/')?;
    number.parse().ok().map(Ref::PullRequest)
}

/// The simulated context, or `None` where no flag but `--sha` was given.
pub(super) fn context(flags: &Flags, repository: &Repository) -> Result<Option<Context>, ContextError> {
    if flags.event.is_none() && flags.reference.is_none() && flags.pull_request.is_none() {
        return Ok(None);
    }
    let parsed = match &flags.reference {
        None => None,
        Some(text) => Some(parse_ref(text).ok_or_else(|| ContextError::Flag {
            flag: "--ref",
            value: text.clone(),
            reason: "not a ref in full".to_owned(),
        })?),
    };
    let implied = match parsed {
        Some(Ref::Tag(_)) => Some(EventName::Tag),
        Some(Ref::Branch(_)) if flags.pull_request.is_none() => Some(EventName::Branch),
        Some(Ref::PullRequest(_)) => Some(EventName::PullRequest),
        _ => flags.pull_request.map(|_| EventName::PullRequest),
    };
    let event = flags.event.or(implied).unwrap_or(EventName::Manual);
    let mut context = Context::new(event);
    context.reference.clone_from(&flags.reference);
    match parsed {
        Some(Ref::Tag(tag)) => context.tag = Some(tag.to_owned()),
        Some(Ref::Branch(branch)) => context.branch = Some(branch.to_owned()),
        Some(Ref::PullRequest(number)) => context.pull_request = Some(number),
        None => {}
    }
    context.pull_request = flags.pull_request.or(context.pull_request);
    check(&context)?;
    // An event alone stands on what is checked out: `--event schedule` runs on this branch.
    let head = repository.head();
    if parsed_nothing(&context)
        && let Some(head) = head.filter(|_| event != EventName::Tag)
    {
        context.branch.clone_from(&head.branch);
        context.reference = head.branch.as_ref().map(|branch| format!("refs/heads/{branch}"));
    }
    context.sha = context
        .reference
        .as_deref()
        .and_then(|reference| repository.resolve(reference))
        .or_else(|| head.and_then(|head| head.sha.clone()));
    Ok(Some(context))
}

fn parsed_nothing(context: &Context) -> bool {
    context.reference.is_none() && context.pull_request.is_none()
}

fn check(context: &Context) -> Result<(), ContextError> {
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
            "`--event {event}` excludes a pull request's `--pr` or `--ref`"
        )));
    }
    if event == EventName::Branch && context.tag.is_some() {
        return Err(ContextError::Flags("`--event branch` excludes a `--ref` below `refs/tags/`".to_owned()));
    }
    Ok(())
}

/// `--sha`: a whole commit id, or an abbreviation that this repository can complete.
pub(super) fn checked_sha(text: &str, repository: &Repository) -> Result<String, ContextError> {
    let error = |reason: &str| {
        Err(ContextError::Flag { flag: "--sha", value: text.to_owned(), reason: reason.to_owned() })
    };
    let text = text.to_ascii_lowercase();
    if text.len() < 7 || text.len() > 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return error("a commit id has 7 to 64 hexadecimal digits");
    }
    if matches!(text.len(), 40 | 64) {
        return Ok(text);
    }
    match repository.resolve(&text) {
        Some(sha) => Ok(sha),
        None => error("no commit of this repository starts so; give all 40 digits"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nowhere(flags: &Flags) -> Result<Option<Context>, ContextError> {
        context(flags, &Repository::none())
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
    fn what_does_not_go_together_is_refused() {
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
    fn a_schedule_may_stand_on_any_ref() {
        let flags = Flags {
            event: Some(EventName::Schedule),
            reference: Some("refs/heads/main".to_owned()),
            ..Flags::default()
        };
        let context = nowhere(&flags).expect("valid flags").expect("a simulation");
        assert_eq!((context.event, context.branch.as_deref()), (EventName::Schedule, Some("main")));
    }
}
