//! The problems that the checks of one configuration find.

use globset::Glob;

use crate::config::places::Places;
use crate::config::suggest;
use crate::diagnostic::{Code, Diagnostic};

/// The problems found so far, and the places that new ones are looked up in.
pub(super) struct Problems<'a> {
    pub places: &'a Places,
    pub diagnostics: Vec<Diagnostic>,
}

impl Problems<'_> {
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reports that the value at `path` is wrong.
    pub fn wrong(
        &mut self,
        code: Code,
        message: String,
        path: &[&str],
        label: &str,
        help: impl Into<String>,
    ) {
        self.report(Diagnostic::error(code, message).at_maybe(self.places.value(path), label).help(help));
    }

    /// Reports the names in the list at `path` that are not `known`.
    pub fn known_names(&mut self, names: &[String], known: &[String], path: &[&str], code: Code) {
        for (index, name) in names.iter().enumerate() {
            let index = index.to_string();
            let whole: Vec<&str> = path.iter().copied().chain(std::iter::once(index.as_str())).collect();
            self.known_name(name, known, &whole, code);
        }
    }

    /// Reports the items of the list at `path` that are not globs. `one` says that the value was written without brackets.
    pub fn globs(&mut self, globs: &[String], one: bool, path: &[&str]) {
        for (index, glob) in globs.iter().enumerate() {
            let Err(error) = Glob::new(glob) else { continue };
            let index = index.to_string();
            let whole: Vec<&str> = path.iter().copied().chain((!one).then_some(index.as_str())).collect();
            let message = format!("`{}` is not a glob: {}", glob.escape_debug(), error.kind());
            let help = "`*` matches any text, `?` one character, `[abc]` one of several, `{a,b}` alternatives; `\\` escapes a character";
            self.wrong(Code::ConfigValue, message, &whole, "not a glob", help);
        }
    }

    /// Reports the name at `path` if it is not one of those `known`.
    pub fn known_name(&mut self, name: &String, known: &[String], path: &[&str], code: Code) {
        if known.contains(name) {
            return;
        }
        let (noun, section) = match code {
            Code::ConfigUnknownRegistry => ("registry", "registries"),
            Code::ConfigUnknownSigner => match path {
                [.., "gates", _] => ("gate", "gates"),
                _ => ("signer", "signing"),
            },
            Code::ConfigUnknownImage => match path {
                [.., "charts", _] => ("chart", "charts"),
                [.., "artifacts", _] => ("artifact", "artifacts"),
                _ => ("image", "images"),
            },
            _ => ("tag rule", "tags"),
        };
        let message = format!("there is no {noun} `{}`", name.escape_debug());
        let help = if known.is_empty() {
            format!("declare it: `[{section}.{}]`", suggest::key(name))
        } else {
            format!("declared names: {}", suggest::listed(known.iter().map(String::as_str)))
        };
        let label = match suggest::nearest(name, known.iter().map(String::as_str)) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("no `[{section}.{}]` is declared", suggest::key(name)),
        };
        self.wrong(code, message, path, &label, help);
    }
}
