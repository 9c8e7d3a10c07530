//! The layers of a configuration, lowest first: defaults, the file, the profile, the environment, `--set`.

use std::path::Path;
use std::sync::Arc;

use super::credentials::Credential;
use super::overrides::{Override, Overrides};
use super::tree::{Node, NodeContent};
use super::{credentials, overrides, suggest, syntax, tree, typed};
use crate::diagnostic::{Code, Diagnostic, Location, SourceText};
use oci_registry::mask;

/// The defaults, which apply without a file.
const DEFAULTS: &str = "[project]\ntag_prefix = \"v\"\n";

/// A text and its parsed content, without `[profile.*]`.
#[derive(Clone)]
pub(super) struct ConfigLayer {
    /// The text, with credentials masked.
    pub source: Arc<SourceText>,
    /// The parsed content.
    pub root: Arc<Node>,
    /// The paths of values that are credentials.
    pub credentials: Vec<Vec<String>>,
}

/// The text of the file, parsed once for all profiles.
pub(super) struct ParsedFile {
    /// The defaults, and the file without its profiles.
    base: [ConfigLayer; 2],
    /// The overlay of each declared profile.
    profiles: Vec<(String, Node)>,
    /// The credentials in the text.
    credentials: Vec<Credential>,
    /// The errors that the text has under every profile.
    diagnostics: Vec<Diagnostic>,
    /// Whether the syntax is right.
    is_toml: bool,
}

/// The layers of one profile, and the errors found in each of them on its own.
pub(super) struct ConfigLayers {
    /// The layers, lowest first. The first one holds the defaults, the second one the file.
    pub stack: Vec<ConfigLayer>,
    /// Everything that is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the layers can be merged, because the file's syntax is right and the profile exists.
    pub readable: bool,
}

/// Returns the syntax errors of `text`, the content of the file at `path`, which messages call `name`.
pub fn syntax_problems(text: &str, name: &str, path: &Path) -> Vec<Diagnostic> {
    let (_, errors) = tree::parse(text);
    let text = mask::mask_by_text(text.to_owned());
    let source = Arc::new(SourceText { name: name.to_owned(), file: Some(path.to_owned()), text });
    syntax::diagnostics(&errors, &source)
}

impl ParsedFile {
    /// Parses `text`, the content of the file at `path`, which messages call `name`.
    pub fn parse(text: &str, name: &str, path: &Path) -> Self {
        let (mut root, errors) = tree::parse(text);
        let is_toml = errors.is_empty();
        let (text, credentials) = if is_toml {
            credentials::find_credentials(&root, text)
        } else {
            (mask::mask_by_text(text.to_owned()), Vec::new())
        };
        let source = Arc::new(SourceText { name: name.to_owned(), file: Some(path.to_owned()), text });
        let mut diagnostics: Vec<Diagnostic> =
            credentials.iter().map(|credential| credential.diagnostic(&source)).collect();
        diagnostics.extend(syntax::diagnostics(&errors, &source));
        let profiles = take_profiles(&mut root);
        let defaults =
            SourceText { name: "built-in defaults".to_owned(), file: None, text: DEFAULTS.to_owned() };
        let base = [
            ConfigLayer {
                source: Arc::new(defaults),
                root: Arc::new(tree::parse(DEFAULTS).0),
                credentials: Vec::new(),
            },
            ConfigLayer { source, root: Arc::new(root), credentials: credentials::paths(&credentials, None) },
        ];
        Self { base, profiles, credentials, diagnostics, is_toml }
    }

    /// Every profile that the file declares, in its order.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        self.profiles.iter().map(|(name, _)| name.as_str())
    }

    /// The layers of `profile`, or of the file alone, with those of `overrides` above them.
    pub fn layers(&self, profile: Option<&str>, overrides: &Overrides) -> ConfigLayers {
        let mut diagnostics = self.diagnostics.clone();
        let mut stack = self.base.to_vec();
        let [_, file] = &self.base;
        if let Some(wanted) = profile.filter(|_| self.is_toml) {
            let Some(root) = self.select(wanted, &file.source, &mut diagnostics) else {
                return ConfigLayers { stack, diagnostics, readable: false };
            };
            let credentials = credentials::paths(&self.credentials, Some(wanted));
            stack.push(ConfigLayer { source: Arc::clone(&file.source), root: Arc::new(root), credentials });
        }
        let below: Vec<&Node> = stack.iter().map(|layer| layer.root.as_ref()).collect();
        // The environment is the same for every profile, also for those that do not have the variable.
        let elsewhere: Vec<&Node> = self.profiles.iter().map(|(_, root)| root).collect();
        let variables = overrides::from_environment(&overrides.environment, &below);
        let arguments = overrides.set.iter().map(|argument| overrides::from_argument(argument));
        let sets: Vec<_> = variables
            .into_iter()
            .chain(arguments)
            .map(|set| typed::typed_vars(set?, &below, &elsewhere))
            .collect();
        for set in sets {
            match set {
                Ok(Override { root, name, text }) => {
                    let (text, found) = credentials::find_credentials(&root, &text);
                    let source = Arc::new(SourceText { name, file: None, text });
                    diagnostics.extend(found.iter().map(|credential| credential.diagnostic(&source)));
                    let credentials = credentials::paths(&found, None);
                    stack.push(ConfigLayer { source, root: Arc::new(root), credentials });
                }
                Err(diagnostic) => diagnostics.push(*diagnostic),
            }
        }
        ConfigLayers { stack, diagnostics, readable: self.is_toml }
    }

    /// The overlay of the profile `wanted`, or `None` with a diagnostic if the file does not declare it.
    fn select(
        &self,
        wanted: &str,
        source: &Arc<SourceText>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<Node> {
        let Some((name, overlay)) = self.profiles.iter().find(|(name, _)| name == wanted) else {
            let help = match (suggest::nearest(wanted, self.profiles()), self.profiles.is_empty()) {
                (Some(nearest), _) => format!("did you mean `{nearest}`?"),
                (None, true) => format!("declare it with a table such as `[profile.{wanted}.vars]`"),
                (None, false) => format!("declared names: {}", suggest::listed(self.profiles())),
            };
            let message = format!("`{}` declares no profile `{}`", source.name, wanted.escape_debug());
            diagnostics.push(Diagnostic::error(Code::ConfigUnknownProfile, message).help(help));
            return None;
        };
        let mut overlay = overlay.clone();
        if let NodeContent::Table(table) = &mut overlay.content {
            for key in ["version", "profile"] {
                if let Some(node) = table.shift_remove(key) {
                    let place = Location { source: Arc::clone(source), span: node.key };
                    let message = format!("unknown key `{key}` in `{}`", suggest::table(&["profile", name]));
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
}

/// Takes `[profile.*]` out of the file. An entry that is not a table stays, so that the schema reports it.
fn take_profiles(root: &mut Node) -> Vec<(String, Node)> {
    let NodeContent::Table(table) = &mut root.content else { return Vec::new() };
    let Some(Node { content: NodeContent::Table(profiles), .. }) = table.get_mut("profile") else {
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
