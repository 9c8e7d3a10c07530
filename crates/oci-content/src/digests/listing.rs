//! The texts in which builders list the digests that they pushed: [`parse`].

use super::json;
use super::listed_digest::{ListedDigest, entry};
use oci_registry::Digest;

/// The digests that a file lists, or the reason why it lists none. These forms are read:
///
/// - lines `DIGEST`, `HEX`, `REPOSITORY[:TAG]@DIGEST` or `HEX NAME`: kaniko, ko, apko, buildah, podman, crane, jib, Bazel, `GoReleaser`
/// - the JSON of buildx, bake, jib, skaffold, oras and `docker inspect`
/// - `report.toml` of Buildpacks
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<ListedDigest>, String> {
    let text = decoded(bytes).ok_or("it is not a text")?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    let found = match serde_json::from_str::<serde_json::Value>(text) {
        Ok(value) if value.is_object() || value.is_array() => json::listed(&value)?,
        Err(error) if text.starts_with('{') => return Err(format!("its JSON is damaged: {error}")),
        _ if text.lines().any(|line| line.trim() == "[image]") => report(text)?,
        _ => lines(text)?,
    };
    if found.is_empty() { Err("it has none".to_owned()) } else { Ok(found) }
}

/// The text of a file. The `>` of Windows `PowerShell` writes UTF-16.
fn decoded(bytes: &[u8]) -> Option<String> {
    let units = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.chunks_exact(2).filter_map(|it| it.try_into().ok().map(unit)).collect();
        String::from_utf16(&units).ok()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => units(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => units(rest, u16::from_be_bytes),
        bytes => String::from_utf8(bytes.to_vec()).ok(),
    }
}

fn lines(text: &str) -> Result<Vec<ListedDigest>, String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let listed = entry(line).map_err(|reason| format!("line {} {reason}", number + 1))?;
        found.push(listed);
    }
    Ok(found)
}

/// `report.toml` of Buildpacks (spec, platform.md, "report.toml"): `[image]` with `tags` and `digest`.
fn report(text: &str) -> Result<Vec<ListedDigest>, String> {
    let mut table = "";
    let (mut names, mut found) = (Vec::new(), None);
    let quoted = |value: &str| -> Vec<String> {
        value.split(['"', '\'']).skip(1).step_by(2).map(str::to_owned).collect()
    };
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            table = line;
        }
        let Some((key, value)) = line.split_once('=').filter(|_| table == "[image]") else { continue };
        match key.trim() {
            "tags" => names = quoted(value),
            "digest" => found = quoted(value).pop(),
            _ => {}
        }
    }
    let text = found.ok_or(
        "its `[image]` has no `digest`: the image was not pushed (`pack build --publish`), only put into the store of an engine",
    )?;
    let digest = text.parse::<Digest>().map_err(|error| format!("`digest` is wrong, `{text}`: {error}"))?;
    Ok(vec![ListedDigest::new(digest, names)])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "1111111111111111111111111111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222222222222222222222222222";

    fn shown(text: &[u8]) -> Result<Vec<String>, String> {
        let line = |it: &ListedDigest| {
            format!("{} {}", it.digest.hex().get(..2).unwrap_or_default(), it.names.join(","))
        };
        parse(text).map(|found| found.iter().map(line).collect())
    }

    #[test]
    fn lines_vary_from_builder_to_builder() {
        for (text, wanted) in [
            (format!("sha256:{ONE}"), vec!["11 "]),
            (format!("sha256:{ONE}\n"), vec!["11 "]),
            (format!("\u{feff}sha256:{ONE}\r\n\r\n"), vec!["11 "]),
            (ONE.to_owned(), vec!["11 "]),
            (
                format!("ghcr.io/a/b@sha256:{ONE}\nquay.io/a/b@sha256:{TWO}\n"),
                vec!["11 ghcr.io/a/b", "22 quay.io/a/b"],
            ),
            (format!("ghcr.io/a/b:v1@sha256:{ONE}\r\n"), vec!["11 ghcr.io/a/b:v1"]),
            (format!("docker://ghcr.io/a/b@sha256:{ONE}"), vec!["11 ghcr.io/a/b"]),
            (format!("# pushed\n\"ghcr.io/a/b@sha256:{ONE}\",\n"), vec!["11 ghcr.io/a/b"]),
            (
                format!("{ONE}  ghcr.io/a/b:v1\n{TWO} *ghcr.io/a/c:v1\n"),
                vec!["11 ghcr.io/a/b:v1", "22 ghcr.io/a/c:v1"],
            ),
            (format!("[\"ghcr.io/a/b@sha256:{ONE}\"]"), vec!["11 ghcr.io/a/b"]),
        ] {
            let wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
            assert_eq!(shown(text.as_bytes()), Ok(wanted), "{text}");
        }
        let wide: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain(format!("sha256:{ONE}\r\n").encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        assert_eq!(shown(&wide), Ok(vec!["11 ".to_owned()]));
    }

    #[test]
    fn anything_else_is_refused_with_its_line() {
        for (text, words) in [
            ("", "empty"),
            ("\n \n", "empty"),
            ("# nothing", "it has none"),
            ("ghcr.io/a/b:v1", "line 1 is neither"),
            (&format!("sha256:{ONE}\nhello"), "line 2 is neither"),
            (&format!("sha256:{}", &ONE[1..]), "line 1 is neither"),
            (&format!("ghcr.io/a/b@sha256:{}", &ONE[1..]), "has a wrong digest"),
            (&format!("A B@sha256:{ONE}"), "line 1 is neither"),
            ("{\"containerimage.digest\": ", "JSON is damaged"),
            ("[image]\nimage-id = \"abc\"", "was not pushed"),
            ("\u{0}\u{1}", "line 1 is neither"),
        ] {
            let error = shown(text.as_bytes()).expect_err(text);
            assert!(error.contains(words), "{text}: {error}");
        }
        assert_eq!(shown(&[0xc3, 0x28]).expect_err("bytes"), "it is not a text");
    }

    #[test]
    fn a_report_of_buildpacks() {
        let text = format!(
            "[build]\n\n[image]\ntags = [\"ghcr.io/a/b:v1\", \"ghcr.io/a/b:latest\"]\ndigest = \"sha256:{ONE}\"\nmanifest-size = 1\n"
        );
        assert_eq!(shown(text.as_bytes()), Ok(vec!["11 ghcr.io/a/b:v1,ghcr.io/a/b:latest".to_owned()]));
    }
}
