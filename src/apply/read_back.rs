//! Nothing is claimed that was not seen: every tag is read again after it was put, and visibility is proved by an
//! anonymous pull.

use std::time::Duration;

use futures_util::future::join_all;

use super::check::Prepared;
use super::{Options, progress::Progress};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::outcome::{ChangeResult, VisibilityOutcome};
use crate::model::plan::{Action, Change, ObservedVisibility, PlannedRepository, VisibilityChange};
use crate::model::{Digest, RegistryLocation, TagOrDigest, Visibility};
use crate::visibility;

/// How long is waited between readings: reads can lag a push on GHCR, by seconds.
const PAUSES: [Duration; 7] = [
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// Reads back every tag that was to change.
pub(super) async fn tags(prepared: &[Prepared<'_>], progress: &Progress) -> Result<(), Vec<Diagnostic>> {
    let asked = prepared.iter().flat_map(|it| {
        let changes = it.planned.changes.iter().enumerate().filter(|(_, change)| change.action.is_change());
        changes.map(move |(position, change)| async move { (it, position, tag(it, change).await) })
    });
    let mut problems = Vec::new();
    for (it, position, result) in join_all(asked).await {
        if let Err(diagnostic) = result {
            let detail = Some(diagnostic.message.clone());
            progress.change(it.position, position, ChangeResult::Failed, detail);
            problems.push(diagnostic);
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

async fn tag(it: &Prepared<'_>, change: &Change) -> Result<(), Diagnostic> {
    let name = &it.planned.name;
    let at = TagOrDigest::Tag(change.tag.clone());
    let mut pauses = PAUSES.into_iter();
    loop {
        let found = it.repository.head_manifest(&at).await.map_err(|error| {
            let mut diagnostic = error.to_diagnostic();
            diagnostic.message = format!("{name}:{}: {}", change.tag, diagnostic.message);
            diagnostic
        })?;
        let found = found.map(|head| head.digest);
        if found.as_ref() == Some(&change.after.digest) {
            return Ok(());
        }
        let Some(pause) = pauses.next() else {
            let names = found.map_or_else(|| "nothing".to_owned(), |digest| digest.short(12));
            let message = format!(
                "{name}:{} was put as {}, but names {names} when read back",
                change.tag,
                change.after.digest.short(12)
            );
            return Err(Diagnostic::error(Code::ApplyReadBack, message).help(
                "somebody else may have moved the tag meanwhile: `brokkr-publish plan` shows how it stands",
            ));
        };
        tokio::time::sleep(pause).await;
    }
}

/// A digest that is known to be there: only that can be asked about, since absent and private look alike.
fn standing(planned: &PlannedRepository) -> Option<&Digest> {
    let published = |change: &&Change| change.action.is_change() || change.action == Action::NoOp;
    match planned.changes.iter().find(published) {
        Some(_) => Some(&planned.root.digest),
        None => planned.changes.iter().find_map(|change| change.before.as_ref()).map(|before| &before.digest),
    }
}

fn differs(name: &str, planned: &VisibilityChange, observed: ObservedVisibility) -> Diagnostic {
    let message = format!(
        "{name} is published, but it is {}, and `publish.toml` declares it {}",
        observed.as_str(),
        planned.declared.as_str()
    );
    Diagnostic::error(Code::VisibilityDiffers, message).help(match &planned.settings_url {
        Some(url) => format!(
            "no API changes it: open {url}, change the visibility by hand, and run the same command again"
        ),
        None => "change it where the registry lets you, and run the same command again".to_owned(),
    })
}

/// Proves visibility where it is declared. What is not as declared is told, with the way out, and is an error: the
/// content is in place, but not everybody can pull it, or too many can.
pub(super) async fn visibility(
    prepared: &[Prepared<'_>],
    options: &Options<'_>,
    progress: &Progress,
) -> Result<(), Vec<Diagnostic>> {
    let declared = prepared.iter().filter_map(|it| {
        let declared = it.planned.visibility.as_ref()?;
        let digest =
            standing(it.planned).filter(|_| matches!(it.endpoint.url, RegistryLocation::Http { .. }))?;
        Some((it, declared, digest))
    });
    let asked = declared.map(|(it, planned, digest)| async move {
        let observed = match options.connect.anonymous(it.endpoint, &it.planned.repository) {
            Ok(anonymous) => visibility::probe(anonymous.as_ref(), digest).await,
            Err(_) => ObservedVisibility::Unknown,
        };
        (it, planned, observed)
    });
    let mut problems = Vec::new();
    for (it, planned, observed) in join_all(asked).await {
        let as_declared = matches!(
            (planned.declared, observed),
            (Visibility::Public, ObservedVisibility::Public)
                | (Visibility::Private | Visibility::Internal, ObservedVisibility::NotPublic)
        );
        let outcome = VisibilityOutcome { declared: planned.declared, observed, as_declared };
        progress.visibility(it.position, outcome, planned.settings_url.as_deref());
        // What could not be asked is told, but it is no mistake.
        if !as_declared && observed != ObservedVisibility::Unknown {
            problems.push(differs(&it.planned.name, planned, observed));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}
