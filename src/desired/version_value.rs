//! A version as a value of templates, and the functions that compare it with text.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Object, ObjectRepr, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};

use super::comparisons::{TO_NUMBER, TO_VERSION};
use crate::model::version::ReleaseVersion;

/// A version in templates: it prints in full, has its parts as attributes, and compares with other versions.
#[derive(Debug)]
pub(super) struct VersionValue(pub ReleaseVersion);

impl Object for VersionValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let (version, parts) = (&self.0, self.0.parts());
        Some(match key.as_str()? {
            "major" => number_text(parts.numbers.first()?),
            "minor" => number_text(parts.numbers.get(1)?),
            "patch" => number_text(parts.numbers.get(2)?),
            "revision" => number_text(parts.numbers.get(3)?),
            "epoch" => parts.epoch.as_str().into(),
            "pre" => parts.pre.as_str().into(),
            "post" => parts.post.as_str().into(),
            "dev" => parts.dev.as_str().into(),
            "build" => parts.build.as_str().into(),
            "is_prerelease" => version.is_prerelease().into(),
            "is_development" => version.is_development().into(),
            _ => return None,
        })
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some(self.0.compare(&other.downcast_ref::<Self>()?.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A number of a version. With zeros at its start it stays text, so that it prints as it is written.
fn number_text(text: &str) -> Value {
    let is_plain = text == "0" || !text.starts_with('0');
    text.parse::<u64>().ok().filter(|_| is_plain).map_or_else(|| Value::from(text), Value::from)
}

/// Adds the functions that a rewritten comparison calls.
pub(super) fn add_functions(environment: &mut Environment<'_>) {
    environment.add_function(TO_VERSION, versions);
    environment.add_function(TO_NUMBER, number);
}

/// Makes versions of the text, or of each text of the list, that is compared with `version`.
#[allow(clippy::needless_pass_by_value)] // the signature of a function
fn versions(value: Value, version: Value) -> Result<Value, Error> {
    let own = version.downcast_object_ref::<VersionValue>().ok_or(ErrorKind::UndefinedError)?;
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        let parsed: Result<Vec<Value>, Error> = value.try_iter()?.map(|item| one(&item, own)).collect();
        return Ok(parsed?.into());
    }
    one(&value, own)
}

fn one(value: &Value, own: &VersionValue) -> Result<Value, Error> {
    if value.downcast_object_ref::<VersionValue>().is_some() {
        return Ok(value.clone());
    }
    let parsed = value.as_str().map(|text| (text, own.0.scheme().parse(text)));
    match parsed {
        Some((_, Ok(version))) => Ok(Value::from_object(VersionValue(version))),
        Some((text, Err(error))) => {
            let detail = format!("`version` is compared with `{text}`, which is not a version: {error}");
            Err(Error::new(ErrorKind::InvalidOperation, detail))
        }
        None => {
            let detail = format!("`version` is compared with `{value}`, which is not text");
            Err(Error::new(ErrorKind::InvalidOperation, detail))
        }
    }
}

/// Makes a number of a part of a version, which may be text because of a leading zero. Anything else stays as it is.
#[allow(clippy::needless_pass_by_value)] // the signature of a function
fn number(value: Value) -> Value {
    value.as_str().and_then(|text| text.parse::<u64>().ok()).map_or_else(|| value.clone(), Value::from)
}
