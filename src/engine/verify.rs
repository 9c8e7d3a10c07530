//! `verify`: compares what every registry holds with what should be there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::connect::Connections;
use super::files::load_record;
use super::{Result, Session, path, told};
use crate::config::Config;
use crate::context::{self, TaggedCommits};
use crate::desired::{Releases, Selection};
use crate::event::Reporter;
use crate::model::forward::Descent;
use crate::model::record::Record;
use crate::model::verification::Verification;
use crate::observed::Connection;
use crate::verify::{self, ComparedRepository, Comparison, DeclaredRepository, Later};

/// Options for a verification.
#[derive(Debug)]
pub struct Verifying<'a> {
    /// The addresses to verify; none selects everything.
    pub targets: &'a [String],
    /// The files of the records to verify.
    pub records: &'a [PathBuf],
    /// Whether everything that the tags reach is checked.
    pub deep: bool,
    /// The number of blobs that may be under way at once. Eight times as many small requests may be.
    pub parallelism: usize,
}

/// Verifies that what was published is still there. Depends on no event, and opens no source.
pub async fn verify(
    session: &Session,
    how: &Verifying<'_>,
    reporter: &Arc<dyn Reporter>,
) -> Result<Verification> {
    let config = session.load()?;
    let records = records(session, how.records)?;
    let selection = Selection::new(how.targets);
    let everything = verify::declared_repositories(&config, &Selection::default());
    let declared = verify::declared_repositories(&config, &selection);
    let connections =
        Connections::new(config.folder.clone(), &session.environment, how.parallelism, reporter.clone());
    let connected = connect(&declared, &connections)?;
    let listed = verify::list(&declared, &connected).await.map_err(|failures| told(&failures))?;
    let folder: PathBuf = session.working_folder.join(&config.folder).components().collect();
    let releases = Releases::new(&config, TaggedCommits::of(&folder));
    let mut expected = verify::expect(&config, &releases, &listed);
    for (name, record) in &records {
        verify::add_record(&mut expected, &everything, name, record);
    }
    let unknown = expected.select(&selection, &everything);
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let comparison = verify::observe(expected, &connected, how.deep).await;
    let mut comparison = comparison.map_err(|failures| told(&failures))?;
    judge_descent(&folder, &mut comparison);
    Ok(verify::compare(&comparison, title(session, &config)))
}

fn title(session: &Session, config: &Config) -> String {
    let file = path::relative(&session.working_folder, &config.path).display().to_string();
    match &config.profile {
        Some(profile) => format!("{file}, profile {profile}"),
        None => file,
    }
}

/// Returns the records in `files`, or everything that is wrong with them.
fn records(session: &Session, files: &[PathBuf]) -> Result<Vec<(String, Record)>> {
    let (mut records, mut diagnostics) = (Vec::new(), Vec::new());
    for file in files {
        match load_record(session, file) {
            Ok(record) => records.push((file.display().to_string(), record)),
            Err(found) => diagnostics.extend(found),
        }
    }
    if diagnostics.is_empty() { Ok(records) } else { Err(diagnostics) }
}

fn connect(declared: &[DeclaredRepository], connections: &Connections) -> Result<verify::Connections> {
    let connected = connections.both(declared.iter().map(|it| (&it.endpoint, &it.repository)))?;
    let connection = |(repository, anonymous, visibility)| Connection { repository, anonymous, visibility };
    let addresses = declared.iter().map(|it| it.address.clone());
    Ok(addresses.zip(connected.into_iter().map(connection)).collect())
}

/// Asks git whether the commit that a branch tag has now came after the commit in a record.
fn judge_descent(folder: &Path, comparison: &mut Comparison) {
    for ComparedRepository { expected, observed: present } in &mut comparison.repositories {
        for recorded in &expected.recorded {
            let Later::Commit(Some(old)) = &recorded.later else { continue };
            let Some(Some(new)) = present.revisions.get(&recorded.tag) else { continue };
            let descent: Descent = context::descent(folder, old, new);
            present.descents.insert((recorded.tag.clone(), recorded.digest.clone()), descent);
        }
    }
}
