//! `list`: what is published, in all registries.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use futures_util::future::join_all;

use super::Run;
use super::session::{Result, Session};
use super::signers;
use crate::catalogue::{self, DeclaredSigners};
use crate::connections::RepositoryFailure;
use crate::desired::Selection;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::catalogue::{CATALOGUE_VERSION, Catalogue, CatalogueRepository};
use crate::verify;
use oci_registry::RegistryLocation;

impl Run {
    /// Returns what the registries hold of the declared resources: the `most` newest images of each repository, or all. With `is_signed_asked`,
    /// the signed statements about each image are read and verified.
    ///
    /// # Errors
    ///
    /// Everything that prevents it, and targets that name nothing.
    pub async fn list(
        &self,
        targets: &[String],
        most: Option<usize>,
        is_signed_asked: bool,
    ) -> Result<Catalogue> {
        let config = self.config()?;
        let declared = verify::declared_repositories(config, &Selection::new(targets));
        if let Some(target) = targets.iter().find(|target| {
            verify::declared_repositories(config, &Selection::new(std::slice::from_ref(target))).is_empty()
        }) {
            let message = format!("`{target}` names no repository of this configuration");
            let help = "write `images.NAME`, `charts.NAME` or `artifacts.NAME`, with or without `@REGISTRY`";
            return Err(vec![Diagnostic::error(Code::PlanTarget, message).help(help)]);
        }
        let at = declared.iter().map(|it| (&it.endpoint, &it.repository));
        let connections = self.connections.connections(at)?;
        let names = declared.iter().flat_map(|it| &it.sign).filter(|_| is_signed_asked);
        let known = &signers::named(config, names, &self.surroundings(BTreeMap::new()))?;
        let asked = declared.iter().zip(&connections).map(|(declared, connection)| async move {
            let of_name = |name: &String| Some((name.clone(), known.get(name)?.1.clone()));
            let signers: Option<DeclaredSigners> =
                is_signed_asked.then(|| declared.sign.iter().filter_map(of_name).collect());
            let failed = |error| RepositoryFailure { repository: declared.name.clone(), error };
            let listing = connection.repository.list_tags().await.map_err(failed)?;
            let is_http = matches!(declared.endpoint.url, RegistryLocation::Http { .. });
            let images = catalogue::images(connection, &listing, most, is_http, signers.as_ref())
                .await
                .map_err(failed)?;
            Ok(CatalogueRepository {
                address: declared.address.clone(),
                resource: declared.resource.clone(),
                registry: declared.registry.clone(),
                name: declared.name.clone(),
                visibility: images.visibility,
                incomplete: listing.gap(listing.tags()).map(|gap| gap.to_string()),
                tags: images.tags,
                images: images.images,
                older: images.older,
            })
        });
        let repositories = RepositoryFailure::none_of(join_all(asked).await)?;
        let title = self.session.title(config);
        Ok(Catalogue { format_version: CATALOGUE_VERSION.to_owned(), title, repositories })
    }
}

/// Writes pages, by their names, into `folder`, which is made if it is not there.
///
/// # Errors
///
/// The first file that cannot be written.
pub fn write_pages(session: &Session, folder: &Path, pages: &BTreeMap<String, String>) -> Result<()> {
    let folder = session.working_folder.join(folder);
    let unwritable = |path: &Path, cause: &io::Error| {
        let message = format!("`{}` cannot be written: {cause}", path.display());
        vec![
            Diagnostic::error(Code::CommandUsage, message)
                .help("give another folder with `--out`, or free the disk"),
        ]
    };
    fs::create_dir_all(&folder).map_err(|cause| unwritable(&folder, &cause))?;
    for (name, page) in pages {
        let path = folder.join(name);
        fs::write(&path, page).map_err(|cause| unwritable(&path, &cause))?;
    }
    Ok(())
}
