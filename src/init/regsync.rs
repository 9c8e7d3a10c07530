//! `regsync.yml`: images that are copied from another registry (regclient.org, "regsync").

use super::assemble::{AssembledImage, Assembly};
use super::publication::{BuildFacts, Findings, Origin, address, parse_address, split_reference};
use super::rule::{ProposedRule, RuleMutability};
use super::scope::ProjectFacts;
use super::symbolic::SymbolicText;
use super::yaml_file::{FileNode, YamlFile};

/// Adds the images that a file copies to `made`.
pub(super) fn read_regsync(
    file: &YamlFile,
    project: &ProjectFacts,
    made: &mut Assembly,
    found: &mut Findings,
) {
    let entries = file.root().and_then(|root| root.get("sync")).map(FileNode::items).unwrap_or_default();
    for entry in entries {
        let text = |key: &str| entry.get(key).and_then(FileNode::text);
        let origin = Origin::new(&file.file, entry.line());
        let (Some(source), Some(target)) = (text("source"), text("target")) else { continue };
        let kind = text("type").unwrap_or("image");
        match kind {
            "image" => one(source, target, &origin, project, made, found),
            "repository" => {
                let allowed = entry.at(&["tags", "allow"]).map(FileNode::lines).unwrap_or_default();
                for tag in &allowed {
                    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
                    let name = tag.text.trim_start_matches('^').trim_end_matches('$').replace("\\.", ".");
                    let origin = Origin::new(&file.file, tag.line);
                    // A dot in a regular expression is any character, but tags are written so.
                    if name.chars().all(plain) {
                        one(
                            &format!("{source}:{name}"),
                            &format!("{target}:{name}"),
                            &origin,
                            project,
                            made,
                            found,
                        );
                    } else {
                        let why = format!(
                            "the tags `{}` of `{source}` are a pattern: declare an image for each tag",
                            tag.text
                        );
                        found.leave(&origin, why);
                    }
                }
                if allowed.is_empty() {
                    found.leave(&origin, format!("all tags of `{source}`: declare an image for each tag"));
                }
            }
            other => {
                found
                    .leave(&origin, format!("`type: {other}`: declare an image for each repository and tag"));
            }
        }
        for key in ["backup", "schedule", "interval", "ratelimit"] {
            if let Some(node) = entry.get(key) {
                found.leave(
                    &Origin::new(&file.file, node.line()),
                    format!("`{key}` has no counterpart: the CI starts each run"),
                );
            }
        }
    }
}

/// One image under one tag.
fn one(
    source: &str,
    target: &str,
    origin: &Origin,
    project: &ProjectFacts,
    made: &mut Assembly,
    found: &mut Findings,
) {
    let (repository, tag) = split_reference(&SymbolicText::literal(target));
    let (Some(to), Some(tag)) = (address(&repository, project, origin, found), tag.known()) else {
        return found.leave(origin, format!("the target `{target}` is not understood"));
    };
    let (source_repository, _) = split_reference(&SymbolicText::literal(source));
    let known = source_repository.known().unwrap_or_default();
    let is_library = !known.contains('/');
    if tag.contains(['{', '@']) || !is_library && parse_address(known).is_none() {
        return found.leave(origin, format!("the source `{source}` is not understood"));
    }
    let source = match (is_library, known.split_once('/')) {
        (true, _) => format!("docker://docker.io/library/{source}"),
        (false, Some((host, _))) if host.contains(['.', ':']) => format!("docker://{source}"),
        _ => format!("docker://docker.io/{source}"),
    };
    let (registry, repository) = made.destinations.place(&to);
    let rule = ProposedRule {
        name: tag.to_owned(),
        on: vec!["schedule", "manual"],
        matches: Vec::new(),
        when: None,
        template: tag.to_owned(),
        mutability: RuleMutability::Mutable,
        origins: vec![(origin.clone(), format!("{source} to {target}"))],
    };
    let name = match made.rules.iter().find(|it| it.means(&rule)) {
        Some(known) => known.name.clone(),
        None => {
            let taken = |name: &String| made.rules.iter().any(|it| it.name == *name);
            let names =
                std::iter::once(tag.to_owned()).chain((2..1000).map(|number| format!("{tag}-{number}")));
            let name = names.into_iter().find(|it| !taken(it)).unwrap_or_else(|| tag.to_owned());
            made.rules.push(ProposedRule { name: name.clone(), ..rule });
            name
        }
    };
    let base = repository.rsplit('/').next().unwrap_or(&repository).to_owned();
    let names = [base.clone(), format!("{base}-{}", tag.to_ascii_lowercase().replace('.', "-"))];
    let numbered = (2..1000).map(|number| format!("{base}-{number}"));
    let taken = |name: &String| made.images.iter().any(|it| it.name == *name);
    let image = names.into_iter().chain(numbered).find(|it| !taken(it)).unwrap_or(base);
    made.images.push(AssembledImage {
        name: image,
        repository,
        registries: vec![registry],
        rules: vec![name],
        build: BuildFacts::default(),
        source: Some(source),
        origin: origin.clone(),
    });
}
