//! The names that a `publish.toml` declares, for completions: read quickly, and without a word about errors.

use std::path::Path;

use crate::config;

/// The names that a configuration declares.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DeclaredNames {
    /// Addresses for `--target`: `images.NAME`, and `images.NAME@REGISTRY` if there are several registries.
    pub addresses: Vec<String>,
    /// The profiles.
    pub profiles: Vec<String>,
}

/// Returns the names in the configuration that is found in `folder` or above it. A file that cannot be read has none.
pub fn declared_names(folder: &Path) -> DeclaredNames {
    let text = config::find_config_file(folder).and_then(|path| std::fs::read_to_string(path).ok());
    let Some(table) = text.and_then(|text| text.parse::<toml::Table>().ok()) else {
        return DeclaredNames::default();
    };
    let keys = |section: &str| -> Vec<String> {
        let section = table.get(section).and_then(toml::Value::as_table);
        section.map(|section| section.keys().cloned().collect()).unwrap_or_default()
    };
    let registries = keys("registries");
    let mut names = DeclaredNames { profiles: keys("profile"), ..DeclaredNames::default() };
    for kind in ["images", "charts", "artifacts"] {
        for name in keys(kind) {
            names.addresses.push(format!("{kind}.{name}"));
            if registries.len() > 1 {
                names.addresses.extend(registries.iter().map(|registry| format!("{kind}.{name}@{registry}")));
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_a_file_above() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "version = 1\n[registries.a]\n[registries.b]\n[images.hello]\n[charts.x]\n[profile.dev]\n";
        std::fs::write(folder.path().join("publish.toml"), text).expect("written");
        let names = declared_names(folder.path());
        assert_eq!(names.profiles, ["dev"]);
        let addresses =
            ["images.hello", "images.hello@a", "images.hello@b", "charts.x", "charts.x@a", "charts.x@b"];
        assert_eq!(names.addresses, addresses);
        std::fs::write(folder.path().join("publish.toml"), "version = ").expect("written");
        assert_eq!(declared_names(folder.path()), DeclaredNames::default());
    }
}
