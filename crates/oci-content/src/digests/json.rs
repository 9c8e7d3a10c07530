//! The JSON in which builders list the digests that they pushed: [`listed`].

use serde_json::{Map, Value};

use super::listed_digest::{ListedDigest, entry};
use oci_registry::Digest;

/// The digest of the image in the metadata of buildx, and its descriptor (`BuildKit`, exporter/containerimage/exptypes/types.go).
const DIGEST: &str = "containerimage.digest";
const DESCRIPTOR: &str = "containerimage.descriptor";
/// The names under which buildx pushed it, with commas between them.
const NAMES: &str = "image.name";

/// The digests that a JSON value lists, or the reason why it lists none.
pub(super) fn listed(value: &Value) -> Result<Vec<ListedDigest>, String> {
    match value {
        Value::String(text) => {
            entry(text).map(|listed| vec![listed]).map_err(|reason| format!("an item {reason}"))
        }
        Value::Array(items) => {
            let mut found = Vec::new();
            for item in items {
                found.extend(listed(item)?);
            }
            Ok(found)
        }
        Value::Object(members) => object(members),
        _ => Err("it is JSON of another kind".to_owned()),
    }
}

fn object(members: &Map<String, Value>) -> Result<Vec<ListedDigest>, String> {
    if let Some(found) = buildx(members)? {
        return Ok(vec![found]);
    }
    // jib-image.json.
    if let Some(text) = text(members, "imageDigest") {
        if members.get("imagePushed") == Some(&Value::Bool(false)) {
            return Err("it says that the image was not pushed (`imagePushed`)".to_owned());
        }
        return Ok(vec![ListedDigest::new(digest(text)?, text_list(members, &["image"]))]);
    }
    // `--file-output` of skaffold.
    if let Some(Value::Array(builds)) = members.get("builds") {
        let tags = builds.iter().filter_map(|build| build.get("tag"));
        return Ok(tags.map(listed).collect::<Result<Vec<_>, _>>()?.concat());
    }
    // `docker inspect` of an image that was pushed or pulled.
    if let Some(Value::Array(names)) = members.get("RepoDigests") {
        return Ok(names.iter().map(listed).collect::<Result<Vec<_>, _>>()?.concat());
    }
    // A descriptor, as `oras push --format json` and others print it.
    if let Some(text) = text(members, "digest") {
        return Ok(vec![ListedDigest::new(
            digest(text)?,
            text_list(members, &["reference", "image", "ref"]),
        )]);
    }
    bake(members)
}

/// The image in the metadata of `docker buildx build`, if `members` is that.
fn buildx(members: &Map<String, Value>) -> Result<Option<ListedDigest>, String> {
    let described = members.get(DESCRIPTOR).and_then(|it| it.get("digest")).and_then(Value::as_str);
    let stated = match members.get(DIGEST) {
        Some(Value::String(text)) => Some(text.as_str()),
        Some(_) => return Err(format!("its `{DIGEST}` is not a text")),
        None => None,
    };
    if let (Some(stated), Some(described)) = (stated, described)
        && stated != described
    {
        return Err(format!("its `{DIGEST}` is `{stated}`, but its `{DESCRIPTOR}` is about `{described}`"));
    }
    let Some(text) = stated.or(described) else { return Ok(None) };
    let names = members.get(NAMES).and_then(Value::as_str).unwrap_or_default();
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    Ok(Some(ListedDigest::new(digest(text)?, names.collect())))
}

/// The images in the metadata of `docker buildx bake`: an object for each target. Other members, such as the warnings of the build, are
/// not about a target.
fn bake(members: &Map<String, Value>) -> Result<Vec<ListedDigest>, String> {
    let mut found = Vec::new();
    let mut without = Vec::new();
    for (target, value) in members.iter().filter(|(key, _)| !key.starts_with("buildx.build.")) {
        let Value::Object(inner) = value else { continue };
        match buildx(inner)
            .map_err(|reason| format!("in the target `{}`, {reason}", target.escape_debug()))?
        {
            Some(image) => found.push(ListedDigest { target: Some(target.clone()), ..image }),
            None => without.push(target.as_str()),
        }
    }
    if found.is_empty() {
        let of_build =
            members.keys().any(|key| key.starts_with("buildx.") || key.starts_with("containerimage."));
        return Err(if of_build || !without.is_empty() {
            format!(
                "it has no `{DIGEST}`, because the build exported no image (`--push`, or `--output type=image,push=true`)"
            )
        } else {
            "its JSON has none of the members that builders write".to_owned()
        });
    }
    Ok(found)
}

fn text<'a>(members: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    members.get(key).and_then(Value::as_str)
}

/// The first of `keys` that is there, as a name without a digest.
fn text_list(members: &Map<String, Value>, keys: &[&str]) -> Vec<String> {
    let found = keys.iter().find_map(|key| text(members, key));
    let name = found.map(|name| name.split_once('@').map_or(name, |(name, _)| name));
    name.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn digest(text: &str) -> Result<Digest, String> {
    text.parse::<Digest>().map_err(|error| format!("`{}` is not a digest: {error}", text.escape_debug()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one() -> String {
        format!("sha256:{}", "1".repeat(64))
    }

    fn two() -> String {
        format!("sha256:{}", "2".repeat(64))
    }

    fn shown(value: &Value) -> Result<Vec<String>, String> {
        let line = |it: &ListedDigest| {
            format!(
                "{} {}{}",
                it.digest.hex().get(..2).unwrap_or_default(),
                it.names.join(" "),
                it.target.as_ref().map(|target| format!(" {target}")).unwrap_or_default()
            )
        };
        listed(value).map(|found| found.iter().map(line).collect())
    }

    #[test]
    fn each_builder_has_a_form_of_its_own() {
        let descriptor =
            json!({ "mediaType": "application/vnd.oci.image.index.v1+json", "digest": one(), "size": 856 });
        for (value, wanted) in [
            (
                json!({ "buildx.build.provenance": { "x": 1 }, "buildx.build.ref": "b/b0/x", DIGEST: one(), DESCRIPTOR: descriptor,
                    "containerimage.config.digest": two(), NAMES: "ghcr.io/a/b:v1,ghcr.io/a/b:latest" }),
                vec!["11 ghcr.io/a/b:v1 ghcr.io/a/b:latest"],
            ),
            (json!({ DESCRIPTOR: descriptor }), vec!["11 "]),
            (
                json!({ "buildx.build.warnings": [{ "vertex": one() }], "app": { DIGEST: one(), NAMES: "docker.io/a/app" },
                    "files": { "buildx.build.ref": "x" }, "worker": { DIGEST: two() } }),
                vec!["11 docker.io/a/app app", "22  worker"],
            ),
            (
                json!({ "image": "ghcr.io/a/b", "imageId": two(), "imageDigest": one(), "tags": ["latest"], "imagePushed": true }),
                vec!["11 ghcr.io/a/b"],
            ),
            (
                json!({ "builds": [{ "imageName": "b", "tag": format!("ghcr.io/a/b:v1@{}", one()) }] }),
                vec!["11 ghcr.io/a/b:v1"],
            ),
            (
                json!([{ "Id": two(), "RepoDigests": [format!("ghcr.io/a/b@{}", one())] }]),
                vec!["11 ghcr.io/a/b"],
            ),
            (
                json!({ "reference": format!("ghcr.io/a/b@{}", one()), "mediaType": "x", "digest": one(), "size": 1 }),
                vec!["11 ghcr.io/a/b"],
            ),
        ] {
            let wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
            assert_eq!(shown(&value), Ok(wanted), "{value}");
        }
    }

    #[test]
    fn what_names_no_pushed_image_is_refused() {
        for (value, words) in [
            (json!({}), "none of the members"),
            (json!({ "buildx.build.ref": "x" }), "exported no image"),
            (json!({ "files": { "buildx.build.ref": "x" } }), "exported no image"),
            (json!({ "containerimage.config.digest": one() }), "exported no image"),
            (json!({ DIGEST: one(), DESCRIPTOR: { "digest": two() } }), "is about"),
            (json!({ DIGEST: 1 }), "not a text"),
            (json!({ DIGEST: "sha256:1" }), "is not a digest"),
            (json!({ "imageDigest": one(), "imagePushed": false }), "not pushed"),
            (json!([1]), "another kind"),
            (json!({ "app": { DIGEST: "x" } }), "in the target `app`"),
        ] {
            let error = shown(&value).expect_err("refused");
            assert!(error.contains(words), "{value}: {error}");
        }
    }
}
