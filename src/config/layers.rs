//! The layers of a configuration, lowest first: defaults, the file, the profile, the environment, `--set`.

use std::path::Path;
use std::sync::Arc;

use super::tree::{Content, Node};
use super::{credentials, overrides, suggest, syntax, tree};
use crate::diagnostic::{Code, Diagnostic, Location, SourceText};
use oci_registry::mask;

/// The defaults, which apply without a file.
const DEFAULTS: &str = "[project]\ntag_prefix = \"v\"\n";

/// A text and its parsed content, without `[profile.*]`.
pub(super) struct Layer {
    /// The text, with credentials masked.
    pub source: Arc<SourceText>,
    /// The parsed content.
    pub root: Node,
    /// The paths of values that are credentials.
    pub credentials: Vec<Vec<String>>,
}

/// The layers, and the errors found in each of them on its own.
pub(super) struct Layers {
    /// The layers, lowest first. The first one holds the defaults, the second one the file.
    pub stack: Vec<Layer>,
    /// Every profile that the file declares.
    pub profiles: Vec<String>,
    /// Everything that is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the layers can be merged, because the file's syntax is right and the profile exists.
    pub readable: bool,
}

/// The sources of the layers above the file.
pub(super) struct Above<'a> {
    /// The active profile.
    pub profile: Option<&'a str>,
    /// The environment of the process.
    pub environment: &'a [(String, String)],
    /// The arguments of `--set`.
    pub set: &'a [String],
}

/// Makes layers of the file's `text` and of the sources above it.
pub(super) fn gather(text: &str, name: &str, path: &Path, above: &Above<'_>) -> Layers {
    let (mut root, errors) = tree::parse(text);
    let readable = errors.is_empty();
    let (text, found) = if readable {
        credentials::find(&root, text)
    } else {
        (mask::mask_by_text(text.to_owned()), Vec::new())
    };
    let source = Arc::new(SourceText { name: name.to_owned(), file: Some(path.to_owned()), text });
    let mut diagnostics: Vec<Diagnostic> =
        found.iter().map(|credential| credential.diagnostic(&source)).collect();
    diagnostics.extend(syntax::diagnostics(&errors, &source));
    let declared = take_profiles(&mut root);
    let profiles = declared.iter().map(|(name, _)| name.clone()).collect();

    let defaults = SourceText { name: "built-in defaults".to_owned(), file: None, text: DEFAULTS.to_owned() };
    let mut stack = vec![
        Layer { source: Arc::new(defaults), root: tree::parse(DEFAULTS).0, credentials: Vec::new() },
        Layer { source: Arc::clone(&source), root, credentials: credentials::paths(&found, None) },
    ];
    if readable && let Some(wanted) = above.profile {
        match select(wanted, declared, &source, &mut diagnostics) {
            Some(root) => {
                let credentials = credentials::paths(&found, Some(wanted));
                stack.push(Layer { source, root, credentials });
            }
            None => return Layers { stack, profiles, diagnostics, readable: false },
        }
    }
    let variables = overrides::from_environment(above.environment, &stack);
    let arguments = above.set.iter().map(|argument| overrides::from_argument(argument));
    for layer in variables.into_iter().chain(arguments) {
        match layer {
            Ok((root, name, text)) => {
                let (text, found) = credentials::find(&root, &text);
                let source = Arc::new(SourceText { name, file: None, text });
                diagnostics.extend(found.iter().map(|credential| credential.diagnostic(&source)));
                stack.push(Layer { source, root, credentials: credentials::paths(&found, None) });
            }
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }
    Layers { stack, profiles, diagnostics, readable }
}

/// Takes `[profile.*]` out of the file. An entry that is not a table stays, so that the schema reports it.
fn take_profiles(root: &mut Node) -> Vec<(String, Node)> {
    let Content::Table(table) = &mut root.content else { return Vec::new() };
    let Some(Node { content: Content::Table(profiles), .. }) = table.get_mut("profile") else {
        return Vec::new();
    };
    let taken = std::mem::take(profiles);
    let (tables, rest): (Vec<_>, Vec<_>) = taken.into_iter().partition(|(_, node)| node.table().is_some());
    if rest.is_empty() {
        table.shift_remove("profile");
    } else {
        profiles.extend(rest);
    }
    tables
}

/// The overlay of the profile `wanted`, or `None` with a diagnostic if the file does not declare it.
fn select(
    wanted: &str,
    declared: Vec<(String, Node)>,
    source: &Arc<SourceText>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Node> {
    let names: Vec<String> = declared.iter().map(|(name, _)| name.clone()).collect();
    let Some((name, mut overlay)) = declared.into_iter().find(|(name, _)| name == wanted) else {
        let help = match (suggest::nearest(wanted, names.iter().map(String::as_str)), names.is_empty()) {
            (Some(nearest), _) => format!("did you mean `{nearest}`?"),
            (None, true) => format!("declare it with a table such as `[profile.{wanted}.vars]`"),
            (None, false) => format!("declared names: {}", suggest::listed(names.iter().map(String::as_str))),
        };
        let message = format!("`{}` declares no profile `{}`", source.name, wanted.escape_debug());
        diagnostics.push(Diagnostic::error(Code::ConfigUnknownProfile, message).help(help));
        return None;
    };
    if let Content::Table(table) = &mut overlay.content {
        for key in ["version", "profile"] {
            if let Some(node) = table.shift_remove(key) {
                let place = Location { source: Arc::clone(source), span: node.key };
                let message = format!("unknown key `{key}` in `{}`", suggest::table(&["profile", &name]));
                diagnostics.push(
                    Diagnostic::error(Code::ConfigUnknownKey, message)
                        .at(place, "not a key of a profile")
                        .help(
                            "a profile takes `project`, `vars`, `registries`, `tags`, `images`, `charts`, `artifacts`, `secrets`, `checks`, `retention`",
                        ),
                );
            }
        }
    }
    Some(overlay)
}
