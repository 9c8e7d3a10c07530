//! The files in which settings, assignments of programs and commands are looked at, by their paths. Folders of packages are left
//! out, because others publish what is in them.

mod lists;

use crate::places;
use crate::settings::SettingsSyntax;
use lists::{COMMANDS, DIGESTS, NAMES, OWN, PACKAGES, PROGRAMS, SECRETS, SETTINGS, SYSTEM};

/// Returns the lists, as one text.
pub(crate) fn lists() -> String {
    format!(
        "{SETTINGS:?} {PROGRAMS:?} {COMMANDS:?} {NAMES:?} {SYSTEM:?} {PACKAGES:?} {OWN:?} {SECRETS:?} {DIGESTS:?}"
    )
}

/// Returns the syntax of the file `path`, which is plain, if assignments in it are looked at.
pub(crate) fn syntax(path: &str, of_package: bool) -> Option<SettingsSyntax> {
    if of_package {
        return None;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let ends = |list: &[&str]| list.iter().any(|end| name.ends_with(end));
    let stem = name.split(['.', '-', '_']).next().unwrap_or(name);
    let is_file = stem == "dockerfile" || stem == "containerfile" || stem == "config";
    let is_setting = ends(SETTINGS) || ends(COMMANDS) || NAMES.contains(&name) || is_file;
    if is_setting && !places::is_lock(name) {
        return Some(SettingsSyntax::Settings);
    }
    if ends(PROGRAMS) {
        return Some(SettingsSyntax::Program);
    }
    let in_etc = path.starts_with("etc/") && !name.contains('.');
    let is_holder = [
        "/.aws/",
        "/.docker/",
        "/.kube/",
        "/.config/",
        "/.azure/",
        "/.oci/",
        "/.bundle/",
        "/cron",
        "conf.d/",
        "sites-",
    ]
    .iter()
    .any(|it| format!("/{path}").contains(it));
    (in_etc || is_holder && !name.contains('.')).then_some(SettingsSyntax::Settings)
}

/// Whether the lines of the file `path`, which is plain, are commands.
pub(crate) fn has_commands(path: &str, of_package: bool) -> bool {
    if of_package {
        return false;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    let is_file = matches!(stem, "dockerfile" | "containerfile" | "docker-entrypoint" | "entrypoint");
    let is_job = path.contains(".github/workflows/")
        || path.contains("/cron.")
        || path.contains("cron.d/")
        || path.contains("spool/cron");
    let is_other = [".sql", ".curlrc", ".http", ".rest"].iter().any(|end| name.ends_with(end));
    is_file || is_job || is_other || COMMANDS.iter().any(|end| name.ends_with(end))
}

/// Whether a single word in the file `path`, which is plain, may be a secret, and whether it is a file of secrets by its name.
pub(crate) fn lone(path: &str, of_package: bool) -> Option<bool> {
    if of_package {
        return None;
    }
    let of_secrets = places::any_matches(path, SECRETS);
    if places::any_matches(path, DIGESTS) && !of_secrets {
        return None;
    }
    Some(of_secrets)
}

/// Whether the file `path`, which is plain, belongs to a package, so that others published it.
pub(crate) fn is_of_package(path: &str) -> bool {
    let below = |folder: &str| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/') || folder.ends_with("linux") || rest.starts_with('-'))
    };
    if OWN.iter().any(|it| below(it)) {
        return false;
    }
    if SYSTEM.iter().any(|it| below(it)) {
        return true;
    }
    let is_archive = path.contains("!/");
    let framed = if is_archive { format!("/{path}") } else { String::new() };
    let is_library = framed.contains(".whl!/")
        || framed.match_indices(".jar!/").any(|(at, _)| {
            let folders = framed.get(..at).unwrap_or_default();
            ["/lib/", "/libs/", "/ext/", "/jars/", "/modules/", "/plugins/", "/bin/"]
                .iter()
                .any(|it| folders.contains(it))
        });
    is_library || has_folder(path, PACKAGES) || is_module(path)
}

/// Whether `path` is below the folder of a module of Go, whose name ends with a version: `golang.org/fips140@v1.26.0`, in the cache of
/// modules and in their archives.
fn is_module(path: &str) -> bool {
    let (folders, _) = path.rsplit_once('/').unwrap_or_default();
    folders.match_indices("@v").any(|(at, mark)| {
        let version = folders.get(at + mark.len()..).unwrap_or_default();
        version.starts_with(|it: char| it.is_ascii_digit())
            && version.split('/').next().is_some_and(|it| it.contains('.'))
    })
}

/// Whether one of `folders`, each of one or two parts, is in `path`.
fn has_folder(path: &str, folders: &[&str]) -> bool {
    let mut before = "";
    let Some((above, _)) = path.rsplit_once('/') else { return false };
    above.split('/').any(|part| {
        let found = folders.iter().any(|folder| match folder.split_once('/') {
            None => *folder == part,
            Some((one, two)) => two == part && one == before,
        });
        before = part;
        found
    })
}

/// Whether others published the file `path`, which is plain: it belongs to a package, and is no record of what was done here.
pub(crate) fn is_published(path: &str) -> bool {
    let is_own = ["var/", "usr/local/share/", "root/.cache/", "usr/bin/", "usr/sbin/", "bin/", "sbin/"]
        .iter()
        .any(|it| path.starts_with(it))
        || path.contains(".git/")
        || path.contains(".cache/")
        || places::holds_credentials(path);
    !is_own && is_of_package(path)
}
