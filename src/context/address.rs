//! The address of a git remote in a form that can be shown to others. It is published as an annotation, so it must not contain
//! anything secret.

/// Schemes of addresses that have a host (git-clone(1), "Git URLs"), and the default port of each on the web. An empty port
/// means that any port is dropped.
const SCHEMES: [(&str, &str); 7] = [
    ("https", "443"),
    ("http", "80"),
    ("ssh", ""),
    ("git", ""),
    ("git+ssh", ""),
    ("ssh+git", ""),
    ("git+https", "443"),
];

/// Alternative names of hosts: docs.github.com, "Using SSH over the HTTPS port"; docs.gitlab.com, "Use SSH keys", "Use an
/// alternative port".
const OTHER_NAMES: [(&str, &str); 3] =
    [("ssh.github.com", "github.com"), ("www.github.com", "github.com"), ("altssh.gitlab.com", "gitlab.com")];

/// The address of a remote for a browser, without user, password, query, fragment and `.git`. A local path stays a path. `None`
/// for addresses that may contain a secret or lead nowhere: `file:`, paths of Windows, remote helpers (gitremote-helpers(7)).
pub(super) fn public_address(address: &str) -> Option<String> {
    let web = match address.split_once("://") {
        Some((scheme, rest)) => {
            let scheme = scheme.to_ascii_lowercase();
            let (_, usual_port) = SCHEMES.into_iter().find(|(name, _)| *name == scheme)?;
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = authority.rsplit('@').next().unwrap_or_default();
            let (name, port) = match host.rsplit_once(':') {
                Some((name, port)) if !host.ends_with(']') => (name, port),
                _ => (host, ""),
            };
            if !port.bytes().all(|byte| byte.is_ascii_digit()) {
                // A port that is not a number is part of a password.
                return None;
            }
            // The port of ssh is not that of the web.
            let port = if usual_port.is_empty() || port.is_empty() || port == usual_port {
                String::new()
            } else {
                format!(":{port}")
            };
            let scheme = if scheme == "http" { "http" } else { "https" };
            if path.contains('@') && !authority.contains('@') {
                return None;
            }
            // A query before the path may be the rest of a password, because a password may contain `?` or `#`.
            let is_clear = !authority.contains(['?', '#']);
            format!("{scheme}://{}{port}/{path}", is_clear.then(|| host_name(name))??)
        }
        // git@github.com:owner/name.git
        None => match address.split_once(':') {
            Some((host, path)) if !host.contains('/') => {
                let name = host_name(host.rsplit('@').next().unwrap_or_default())?;
                if path.starts_with(':') || path.contains('@') || name.len() == 1 || name.starts_with('[') {
                    // This is a remote helper, the rest of a password, a drive, or an address in brackets.
                    return None;
                }
                format!("https://{name}/{}", path.trim_start_matches('/'))
            }
            _ => address.to_owned(),
        },
    };
    // A query and a fragment may hold a token.
    let web = web.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let web = web.strip_suffix(".git").unwrap_or(web);
    (!web.is_empty() && !web.contains('\\')).then(|| web.to_owned())
}

/// The path of the repository on the host of a public address, `owner/name`. A local path has none.
pub(super) fn path(public: &str) -> Option<String> {
    let (_, rest) = public.split_once("://")?;
    let (_, path) = rest.split_once('/')?;
    (!path.is_empty()).then(|| path.to_owned())
}

/// The name of a host on the web, or `None` if it is empty or invalid.
fn host_name(name: &str) -> Option<&str> {
    let other = OTHER_NAMES.into_iter().find(|(other, _)| name.eq_ignore_ascii_case(other));
    let name = other.map_or(name, |(_, name)| name);
    (!name.is_empty() && !name.contains(['?', '#', '\\'])).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes_become_addresses_without_credentials() {
        for (remote, address) in [
            ("git@github.com:colliery-io/brokkr.git", "https://github.com/colliery-io/brokkr"),
            (
                "https://user:secret@github.com/colliery-io/brokkr.git",
                "https://github.com/colliery-io/brokkr",
            ),
            ("https://user:se@cret@github.com/o/p", "https://github.com/o/p"),
            ("https://github.com/o/p?private_token=abc#frag", "https://github.com/o/p"),
            ("https://github.com/o/p.git?private_token=abc", "https://github.com/o/p"),
            ("https://github.com/o/p/#abc/?x", "https://github.com/o/p"),
            ("git@github.com:o/p.git?token=abc", "https://github.com/o/p"),
            ("HTTPS://github.com:443/o/p", "https://github.com/o/p"),
            ("http://git.example.com:8080/o/p", "http://git.example.com:8080/o/p"),
            ("https://[::1]:8443/o/p", "https://[::1]:8443/o/p"),
            ("https://[::1]/o/p", "https://[::1]/o/p"),
            ("ssh://git@gitlab.com/a/b/", "https://gitlab.com/a/b"),
            ("ssh://git@github.com:22/o/p", "https://github.com/o/p"),
            ("ssh://git@git.example.com:2222/o/p.git", "https://git.example.com/o/p"),
            ("ssh://git@ssh.github.com:443/o/p.git", "https://github.com/o/p"),
            ("ssh://git@altssh.gitlab.com:443/o/p.git", "https://gitlab.com/o/p"),
            ("git@ssh.github.com:o/p.git", "https://github.com/o/p"),
            ("https://WWW.github.com/o/p", "https://github.com/o/p"),
            ("git://git.example.com:9418/o/p", "https://git.example.com/o/p"),
            ("git.example.com:/srv/o/p", "https://git.example.com/srv/o/p"),
            ("/srv/git/brokkr.git", "/srv/git/brokkr"),
            ("../a:b", "../a:b"),
        ] {
            assert_eq!(public_address(remote).as_deref(), Some(address), "{remote}");
        }
    }

    #[test]
    fn a_repository_has_a_path_on_its_host() {
        for (address, expected) in [
            ("https://github.com/o/p", Some("o/p")),
            ("https://gitlab.com/a/b/c", Some("a/b/c")),
            ("https://github.com/", None),
            ("/srv/git/brokkr", None),
        ] {
            assert_eq!(path(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn remotes_that_others_cannot_open_have_no_address() {
        for remote in [
            "",
            "file:///srv/git/brokkr",
            "file://C:/git/brokkr",
            r"C:\git\brokkr",
            "C:/git/brokkr",
            r"\\server\git\brokkr",
            r"git@host:a\b",
            "h:brokkr",
            "ext::sh -c 'secret' %S",
            "ext::ssh://secret@host/x",
            "codecommit::eu-west-1://brokkr",
            "codecommit://profile@brokkr",
            "s3://key:secret@bucket/brokkr",
            "git@[::1]:brokkr",
            // These passwords contain characters that end a host.
            "https://user:sec/ret@host/o/p",
            "https://user:12/secret@host/o/p",
            "user:secret@github.com:o/p",
            "https://user:sec#ret@host/o/p",
            "https://user:sec?ret@host/o/p",
            "https://host?token=secret",
            "https:///o/p",
            ":o/p",
        ] {
            assert_eq!(public_address(remote), None, "{remote}");
        }
    }
}
