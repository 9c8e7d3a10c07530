//! `verify`: compares what every registry holds with what should be there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Run;
use super::files::load_record;
use super::session::{Result, Session};
use super::signers;
use crate::config::Config;
use crate::context::{self, TaggedCommits};
use crate::desired::{Releases, Selection};
use crate::model::forward::Descent;
use crate::model::record::Record;
use crate::model::verification::Verification;
use crate::verify::{self, ComparedRepository, Comparison, DeclaredRepository, Later, SignatureRules};

/// Options for a verification.
#[derive(Debug)]
pub struct Verifying<'a> {
    /// The addresses to verify; none selects everything.
    pub targets: &'a [String],
    /// The files of the records to verify.
    pub records: &'a [PathBuf],
    /// Whether everything that the tags reach is checked.
    pub deep: bool,
}

impl Run {
    /// Verifies that what was published is still there. Depends on no event, and opens no source.
    ///
    /// # Errors
    ///
    /// Everything that prevents it.
    pub async fn verify(&self, how: &Verifying<'_>) -> Result<Verification> {
        let config = self.config()?;
        let records = records(&self.session, how.records)?;
        let selection = Selection::new(how.targets);
        let everything = verify::declared_repositories(config, &Selection::default());
        let declared = verify::declared_repositories(config, &selection);
        let at = declared.iter().map(|it| (&it.endpoint, &it.repository));
        let connected = self.connections.connections(at)?;
        let connections = declared.iter().map(|it| it.address.clone()).zip(connected).collect();
        let listed = verify::list(&declared, &connections).await?;
        let releases =
            Releases::new(config, TaggedCommits::of(&self.folder, config.project.default_branch.as_deref()));
        let mut expected = verify::expect(config, &releases, &listed);
        for (name, record) in &records {
            verify::add_record(&mut expected, &everything, name, record);
        }
        let unknown = expected.select(&selection, &everything);
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let rules = config.verify.signatures.then(|| self.signature_rules(config, &declared)).transpose()?;
        let mut comparison = verify::observe(expected, &connections, how.deep, rules.as_ref()).await?;
        verify::observe_images(&mut comparison, config, &connections, &self.connections).await?;
        judge_descent(&self.folder, &mut comparison);
        Ok(verify::compare(&comparison, self.session.title(config)))
    }

    /// Returns the signers and the gates of `declared`.
    fn signature_rules(&self, config: &Config, declared: &[DeclaredRepository]) -> Result<SignatureRules> {
        let surroundings = self.surroundings(BTreeMap::new());
        let names = declared.iter().flat_map(|it| &it.sign);
        let signers = signers::named(config, names, &surroundings)?;
        let signers = signers.into_iter().map(|(name, (_, key))| (name, key)).collect();
        let gates = signers::named_gates(config, declared.iter().flat_map(|it| &it.gates), &surroundings)?;
        Ok(SignatureRules { signers, gates, surroundings })
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
