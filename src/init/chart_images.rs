//! The images that charts name, so that their packages name those that are published.

use std::path::Path;

use super::project::FoundChart;
use crate::model::words::toml_string;
use helm_package::{check_chart, dotted};

/// Returns the images that the `values.yaml` of the chart in `directory` names: the path, and the repository.
pub(super) fn named(folder: &Path, directory: &str) -> Vec<(String, String)> {
    let checked = check_chart(folder, Path::new(""), directory, None, true, &[]).unwrap_or_default();
    let images = checked.images.into_iter();
    images.filter_map(|image| Some((dotted(&image.path?), image.repository))).collect()
}

/// Returns the line `images` of a chart, if it names one of the `images`, which are given by name and repository. A chart of
/// `helm create`, which names nginx, means the image of its own name.
pub(super) fn line(chart: &FoundChart, images: &[(&str, &str)]) -> Option<String> {
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let entries = chart.images.iter().filter_map(|(path, repository)| {
        let called = |name: &str| images.iter().find(|(_, of_image)| last(of_image) == name);
        let is_example = path == "image" && matches!(repository.as_str(), "nginx" | "docker.io/nginx");
        let own = || called(&chart.name).filter(|_| is_example);
        let (name, _) = called(&last(repository)).or_else(own)?;
        Some(format!("{} = {}", toml_string(path), toml_string(name)))
    });
    let entries: Vec<String> = entries.collect();
    (!entries.is_empty()).then(|| format!("images = {{ {} }}", entries.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_names_the_images_that_are_declared() {
        let chart = |path: &str, repository: &str| FoundChart {
            directory: "charts/web".to_owned(),
            name: "web".to_owned(),
            images: vec![
                (path.to_owned(), repository.to_owned()),
                ("db.image".to_owned(), "redis".to_owned()),
            ],
        };
        for (path, repository, expected) in [
            ("image", "ghcr.io/acme/web", Some("images = { \"image\" = \"web\" }")),
            ("image", "nginx", Some("images = { \"image\" = \"web\" }")),
            ("worker.image", "nginx", None),
            ("worker.image", "acme/worker", Some("images = { \"worker.image\" = \"jobs\" }")),
            ("image", "postgres", None),
        ] {
            let images = [("web", "web"), ("jobs", "acme/worker")];
            assert_eq!(line(&chart(path, repository), &images).as_deref(), expected, "{path} {repository}");
        }
    }
}
