//! A catalogue as a site of static pages: an overview with a search, and a page for each image, chart and artifact. No page loads
//! anything from elsewhere.

use std::collections::BTreeMap;
use std::fmt::Write;

use indexmap::IndexMap;

use super::{day, visibility};
use crate::model::catalogue::{Catalogue, CatalogueImage, CatalogueRepository};
use crate::model::{ResourceId, ResourceKind};
use crate::report::clean;
use crate::report::size::size;
use crate::report::verify_command;

/// The style of every page: light and dark, and for paper.
const STYLE: &str = include_str!("site.css");
/// The search and the buttons that copy a line.
const SCRIPT: &str = include_str!("site.js");

/// Returns the pages by their paths, which use `/` and start at the folder of the site.
pub fn site(catalogue: &Catalogue) -> BTreeMap<String, String> {
    let mut resources: IndexMap<&ResourceId, Vec<&CatalogueRepository>> = IndexMap::new();
    for repository in &catalogue.repositories {
        resources.entry(&repository.resource).or_default().push(repository);
    }
    let mut pages = BTreeMap::new();
    pages.insert("index.html".to_owned(), overview(&catalogue.title, &resources));
    for (resource, repositories) in &resources {
        pages.insert(file(resource), resource_page(resource, repositories));
    }
    pages
}

/// The file of a resource, in the folder of the site. Names may contain slashes.
fn file(resource: &ResourceId) -> String {
    format!("{}.html", resource.to_string().replace('/', "__"))
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        escape(title)
    )
}

fn overview(title: &str, resources: &IndexMap<&ResourceId, Vec<&CatalogueRepository>>) -> String {
    let mut body = format!("<h1>Published images and charts</h1>\n<p class=\"from\">{}</p>\n", escape(title));
    body.push_str(
        "<label class=\"search\">Search <input id=\"search\" type=\"search\" autocomplete=\"off\"></label>\n",
    );
    body.push_str(
        "<table>\n<thead><tr><th>Name</th><th>Newest</th><th>Where</th><th>Platforms</th><th>Size</th><th>Visibility</th></tr></thead>\n<tbody>\n",
    );
    for (resource, repositories) in resources {
        for repository in repositories {
            let newest = repository.images.first();
            let tags = newest.map(|it| words(&it.tags)).unwrap_or_default();
            let every: Vec<String> =
                repository.images.iter().flat_map(|it| &it.tags).map(ToString::to_string).collect();
            let _ = writeln!(
                body,
                "<tr data-search=\"{} {} {}\"><td><a href=\"{}\">{}</a></td><td>{}</td><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&resource.to_string()),
                escape(&repository.name),
                escape(&every.join(" ")),
                escape(&file(resource)),
                escape(&resource.title()),
                escape(&tags),
                escape(&repository.name),
                escape(&newest.map(|it| it.platforms.join(", ")).unwrap_or_default()),
                newest.and_then(|it| it.bytes).map(size).unwrap_or_default(),
                repository.visibility.map(visibility).unwrap_or_default(),
            );
        }
    }
    body.push_str("</tbody>\n</table>\n<p id=\"none\" hidden>Nothing matches.</p>\n");
    page("Published images and charts", &body)
}

fn resource_page(resource: &ResourceId, repositories: &[&CatalogueRepository]) -> String {
    let title = resource.title();
    let mut body =
        format!("<p><a href=\"index.html\">All images and charts</a></p>\n<h1>{}</h1>\n", escape(&title));
    for repository in repositories {
        let _ = writeln!(body, "<section>\n<h2><code>{}</code></h2>", escape(&repository.name));
        if let Some(observed) = repository.visibility {
            let _ = writeln!(body, "<p>{}</p>", visibility(observed));
        }
        if let Some(why) = &repository.incomplete {
            let _ = writeln!(body, "<p class=\"alarm\">The list may lack some tags: {}</p>", escape(why));
        }
        for image in &repository.images {
            body.push_str(&image_part(resource.kind, repository, image));
        }
        if repository.images.is_empty() && repository.incomplete.is_none() {
            body.push_str("<p>Nothing is published yet.</p>\n");
        }
        if repository.older > 0 {
            let _ = writeln!(body, "<p>{} older ones are not listed.</p>", repository.older);
        }
        body.push_str("</section>\n");
    }
    page(&title, &body)
}

fn image_part(kind: ResourceKind, repository: &CatalogueRepository, image: &CatalogueImage) -> String {
    let mut part = format!("<article>\n<h3>{}</h3>\n<dl>\n", escape(&words(&image.tags)));
    let mut fact = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(part, "<dt>{name}</dt><dd>{}</dd>", escape(value));
        }
    };
    fact("Digest", &image.digest.to_string());
    fact("Platforms", &image.platforms.join(", "));
    fact("Size", &image.bytes.map(size).unwrap_or_default());
    fact("Built", image.created.as_deref().map(day).unwrap_or_default());
    fact("Commit", image.revision.as_deref().unwrap_or_default());
    let signatures = image.referrers.iter().filter(|it| it.is_signature).count();
    fact("Signatures", &signatures.to_string());
    let others: Vec<&str> =
        image.referrers.iter().filter(|it| !it.is_signature).map(|it| it.artifact_type.as_str()).collect();
    fact("Other referrers", &others.join(", "));
    fact("Verified", &super::statements(image).join("; "));
    fact("Unknown", image.unknown.as_deref().unwrap_or_default());
    part.push_str("</dl>\n");
    // A directory has no commands that pull.
    if !repository.name.starts_with("oci:") {
        let verify = verify_commands(repository, image).into_iter().map(|command| ("Verify", command));
        for (name, command) in commands(kind, repository, image).into_iter().chain(verify) {
            let _ = writeln!(
                part,
                "<div class=\"command\"><span>{name}</span><code>{}</code><button type=\"button\">Copy</button></div>",
                escape(&command)
            );
        }
    }
    part.push_str("</article>\n");
    part
}

/// The lines that people copy, each with its purpose.
fn commands(
    kind: ResourceKind,
    repository: &CatalogueRepository,
    image: &CatalogueImage,
) -> Vec<(&'static str, String)> {
    let (name, digest) = (&repository.name, &image.digest);
    match kind {
        ResourceKind::Image => vec![
            ("Pull", format!("docker pull {name}@{digest}")),
            ("Helm values", format!("--set image.repository={name} --set image.digest={digest}")),
        ],
        ResourceKind::Chart => {
            let version = image.tags.first().map(ToString::to_string).unwrap_or_default();
            vec![("Pull", format!("helm pull oci://{name} --version {version}"))]
        }
        ResourceKind::Artifact => vec![("Pull", format!("oras pull {name}@{digest}"))],
    }
}

/// The lines that verify what the declared signers signed.
fn verify_commands(repository: &CatalogueRepository, image: &CatalogueImage) -> Vec<String> {
    let reference = format!("{}@{}", repository.name, image.digest);
    let signed =
        image.statements.iter().filter_map(|it| Some((it.identity.as_ref()?, it.predicate_type.as_ref()?)));
    signed.flat_map(|(identity, kind)| verify_command::commands(identity, kind, &reference)).collect()
}

fn words(tags: &[oci_registry::Tag]) -> String {
    tags.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// A text in HTML, in an element or in an attribute in double quotes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in clean::line(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_from_outside_are_no_markup() {
        assert_eq!(escape("<script>\"&'"), "&lt;script&gt;&quot;&amp;&#39;");
        let image = CatalogueImage {
            digest: oci_registry::Digest::of(b"x"),
            tags: vec!["v1".parse().expect("a tag")],
            version: None,
            media_type: "x".to_owned(),
            platforms: vec!["<b>/\"".to_owned()],
            bytes: Some(2048),
            created: Some("<i>\u{1b}[2J".to_owned()),
            revision: None,
            referrers: Vec::new(),
            statements: vec![crate::model::catalogue::CatalogueStatement {
                manifest: oci_registry::Digest::of(b"y"),
                predicate_type: Some(oci_signing::SIGNATURE.to_owned()),
                signer: Some("<b>".to_owned()),
                identity: Some(crate::model::signing::SignerIdentity {
                    key: None,
                    identity: Some("anna@acme.test'<b>".to_owned()),
                    issuer: Some("issuer.test".to_owned()),
                }),
            }],
            unsigned_by: Vec::new(),
            unknown: Some("</article>".to_owned()),
        };
        let repository = CatalogueRepository {
            address: "images.app@r".to_owned(),
            resource: ResourceId::image("team/app"),
            registry: "r".to_owned(),
            name: "r.example/app".to_owned(),
            visibility: None,
            incomplete: Some("<x>".to_owned()),
            tags: 1,
            images: vec![image],
            older: 3,
        };
        let catalogue = Catalogue {
            format_version: "1.0".to_owned(),
            title: "<title>".to_owned(),
            repositories: vec![repository],
        };
        let pages = site(&catalogue);
        assert_eq!(
            pages.keys().map(String::as_str).collect::<Vec<_>>(),
            ["images.team__app.html", "index.html"]
        );
        for (name, page) in &pages {
            for foreign in ["<b>", "<i>", "<x>", "</article> ", "\u{1b}", "<title><"] {
                assert!(!page.contains(foreign), "{name}: {foreign}\n{page}");
            }
            let loads = ["src=", "href=\"http", "url("].iter().any(|it| page.contains(it));
            assert!(!loads, "{name} loads something");
        }
        let page = pages.get("images.team__app.html").expect("a page");
        assert!(
            page.contains(&format!("docker pull r.example/app@{}", oci_registry::Digest::of(b"x"))),
            "{page}"
        );
    }
}
