//! The modules of `src` as syntax trees, and what `tests/it/architecture.rs` asks of them. Knows no rule.
//!
//! Paths inside the arguments of macros are found in the tokens, because only the macro knows what they mean.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A module that has a file.
pub struct Module {
    /// The file, from the root of the package: `src/plan/diff.rs`.
    pub file: String,
    /// The names from the crate down: `["plan", "diff"]`.
    pub path: Vec<String>,
    /// Whether it is compiled for tests only.
    pub for_tests: bool,
    pub tree: syn::File,
}

/// The root of the package.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every `.rs` file below `folder`, from the root of the package, sorted.
pub fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).expect("a folder of sources") {
        let path = folder.join(entry.expect("an entry").file_name());
        if root().join(&path).is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path.to_str().expect("a name").to_owned());
        }
    }
    found.sort();
    found
}

/// Every module of the library of this package that has a file in `src`.
pub fn modules() -> Vec<Module> {
    let found = modules_of(Path::new("src/lib.rs"));
    assert!(found.len() > 50, "only {} modules were found", found.len());
    found
}

/// Every module that has a file, of the library whose root is `root`: found as the compiler finds them, from `root` down.
pub fn modules_of(root: &Path) -> Vec<Module> {
    let mut found = Vec::new();
    collect(root, &[], false, &mut found);
    found
}

fn collect(file: &Path, path: &[String], for_tests: bool, found: &mut Vec<Module>) {
    let text = fs::read_to_string(root().join(file))
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    let module = Module { for_tests, ..Module::parse(file.to_str().expect("a name"), &names, &text) };
    let folder = file.parent().expect("a folder");
    let is_folder = ["mod.rs", "lib.rs"].iter().any(|name| file.ends_with(name));
    let children = if is_folder { folder.to_owned() } else { folder.join(file.file_stem().expect("a name")) };
    let declared: Vec<(String, PathBuf, bool)> = module
        .tree
        .items
        .iter()
        .filter_map(|item| match item {
            syn::Item::Mod(it) if it.content.is_none() => Some(it),
            _ => None,
        })
        .map(|it| {
            let name = it.ident.to_string();
            let file = match path_attribute(&it.attrs) {
                Some(given) => folder.join(given),
                None if root().join(children.join(&name).join("mod.rs")).exists() => {
                    children.join(&name).join("mod.rs")
                }
                None => children.join(format!("{name}.rs")),
            };
            (name, file, for_tests || is_for_tests(&it.attrs))
        })
        // A fixture of tests/ that is included knows nothing of the crate.
        .filter(|(_, file, _)| !file.components().any(|part| part.as_os_str() == ".."))
        .collect();
    found.push(module);
    for (name, file, for_tests) in declared {
        let path: Vec<String> = path.iter().cloned().chain([name]).collect();
        collect(&file, &path, for_tests, found);
    }
}

fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().filter(|it| it.path().is_ident("path")).find_map(|it| match &it.meta {
        syn::Meta::NameValue(syn::MetaNameValue {
            value: syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }),
            ..
        }) => Some(text.value()),
        _ => None,
    })
}

impl Module {
    /// Parses the text of a module.
    pub fn parse(file: &str, path: &[&str], text: &str) -> Self {
        let tree = syn::parse_file(text).unwrap_or_else(|error| panic!("cannot parse {file}: {error}"));
        Self {
            file: file.to_owned(),
            path: path.iter().map(|it| (*it).to_owned()).collect(),
            for_tests: false,
            tree,
        }
    }

    /// The room it is of: the first name below the crate.
    pub fn room(&self) -> Option<&str> {
        self.path.first().map(String::as_str)
    }

    /// The rooms that its paths lead to, its own included, each with a line.
    pub fn imports(&self) -> Vec<(String, usize)> {
        let mut visitor = Imports { depth: self.path.len(), room: self.path.first(), found: Vec::new() };
        visitor.visit_file(&self.tree);
        visitor.found
    }

    /// The macros and functions that print, in the order of the text, each with a line.
    pub fn prints(&self) -> Vec<(String, usize)> {
        let mut visitor = Prints(Vec::new());
        visitor.visit_file(&self.tree);
        visitor.0
    }
}

/// Finds paths that start at the crate, or that `super` leads out of the room.
struct Imports<'a> {
    /// How many modules lie between here and the crate, inline ones included.
    depth: usize,
    room: Option<&'a String>,
    found: Vec<(String, usize)>,
}

impl Imports<'_> {
    fn path(&mut self, names: &[String], line: usize) {
        let ups = names.iter().take_while(|name| *name == "super").count();
        let from_crate = match names.first().map(String::as_str) {
            // The crate by its outside name would be a way around the table.
            Some("crate" | "brokkr_publish") => 1,
            Some("super") if ups >= self.depth => ups,
            Some("super") => {
                self.found.extend(self.room.map(|room| (room.clone(), line)));
                return;
            }
            _ => return,
        };
        let target = match names.get(from_crate).map(String::as_str) {
            None | Some("self" | "*") => "the whole crate",
            Some(name) => name,
        };
        self.found.push((target.to_owned(), line));
    }

    fn use_tree(&mut self, tree: &syn::UseTree, before: &[String]) {
        let with =
            |name: &syn::Ident| -> Vec<String> { before.iter().cloned().chain([name.to_string()]).collect() };
        match tree {
            syn::UseTree::Path(it) => self.use_tree(&it.tree, &with(&it.ident)),
            syn::UseTree::Group(it) => it.items.iter().for_each(|tree| self.use_tree(tree, before)),
            syn::UseTree::Name(it) => self.path(&with(&it.ident), it.span().start().line),
            syn::UseTree::Rename(it) => self.path(&with(&it.ident), it.span().start().line),
            syn::UseTree::Glob(it) => {
                let names: Vec<String> = before.iter().cloned().chain(["*".to_owned()]).collect();
                self.path(&names, it.span().start().line);
            }
        }
    }

    /// Paths in the arguments of a macro: names joined by `::`. `$crate` is a macro's way to write `crate`.
    fn tokens(&mut self, tokens: TokenStream) {
        let (mut names, mut line): (Vec<String>, usize) = (Vec::new(), 0);
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons < 2 {
                        self.path(&std::mem::take(&mut names), line);
                        line = name.span().start().line;
                    }
                    names.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(it) if it.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.path(&std::mem::take(&mut names), line);
                    self.tokens(group.stream());
                    colons = 0;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.path(&std::mem::take(&mut names), line);
                    colons = 0;
                }
            }
        }
        self.path(&names, line);
    }
}

impl<'ast> Visit<'ast> for Imports<'_> {
    fn visit_item_mod(&mut self, it: &'ast syn::ItemMod) {
        self.depth += 1;
        visit::visit_item_mod(self, it);
        self.depth -= 1;
    }

    fn visit_item_use(&mut self, it: &'ast syn::ItemUse) {
        self.use_tree(&it.tree, &[]);
    }

    fn visit_path(&mut self, it: &'ast syn::Path) {
        let names: Vec<String> = it.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.path(&names, it.span().start().line);
        visit::visit_path(self, it);
    }

    /// `pub(crate)` and `pub(super)` import nothing; `pub(in crate::room)` names a room.
    fn visit_vis_restricted(&mut self, it: &'ast syn::VisRestricted) {
        if it.in_token.is_some() {
            visit::visit_vis_restricted(self, it);
        }
    }

    fn visit_macro(&mut self, it: &'ast syn::Macro) {
        self.tokens(it.tokens.clone());
        visit::visit_macro(self, it);
    }
}

/// Finds the macros and functions that print.
struct Prints(Vec<(String, usize)>);

const MACROS: [&str; 5] = ["println", "print", "eprintln", "eprint", "dbg"];
const STREAMS: [&str; 2] = ["stdout", "stderr"];

impl Prints {
    fn tokens(&mut self, tokens: TokenStream) {
        let mut before: Option<proc_macro2::Ident> = None;
        for token in tokens {
            match &token {
                TokenTree::Punct(it) if it.as_char() == '!' => {
                    if let Some(name) = before.take().filter(|name| MACROS.iter().any(|it| name == it)) {
                        self.0.push((name.to_string(), name.span().start().line));
                    }
                }
                TokenTree::Group(group) => {
                    if let Some(name) = before.take().filter(|name| STREAMS.iter().any(|it| name == it)) {
                        self.0.push((name.to_string(), name.span().start().line));
                    }
                    self.tokens(group.stream());
                }
                _ => {}
            }
            before = match token {
                TokenTree::Ident(name) => Some(name),
                _ => None,
            };
        }
    }
}

impl<'ast> Visit<'ast> for Prints {
    fn visit_macro(&mut self, it: &'ast syn::Macro) {
        if let Some(name) =
            it.path.segments.last().filter(|last| MACROS.iter().any(|name| last.ident == name))
        {
            self.0.push((name.ident.to_string(), name.span().start().line));
        }
        self.tokens(it.tokens.clone());
    }

    fn visit_expr_path(&mut self, it: &'ast syn::ExprPath) {
        let last = it.path.segments.last().filter(|_| it.path.segments.len() > 1);
        if let Some(name) = last.filter(|last| STREAMS.iter().any(|name| last.ident == name)) {
            self.0.push((name.ident.to_string(), name.span().start().line));
        }
        visit::visit_expr_path(self, it);
    }
}

/// How many lines of `text` hold code: neither blank, nor a comment, nor part of an item for tests only.
pub fn lines_of_code(text: &str) -> usize {
    let tree = syn::parse_file(text).expect("a file that compiles");
    let tests: Vec<_> = tree
        .items
        .iter()
        .filter(|item| matches!(item, syn::Item::Mod(it) if is_for_tests(&it.attrs)))
        .map(|item| item.span().start().line..=item.span().end().line)
        .collect();
    text.lines()
        .zip(1..)
        .filter(|(_, number)| !tests.iter().any(|lines| lines.contains(number)))
        .filter(|(line, _)| !line.trim().is_empty() && !line.trim().starts_with("//"))
        .count()
}

pub fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|it| {
        it.path().is_ident("cfg") && it.meta.require_list().is_ok_and(|it| it.tokens.to_string() == "test")
    })
}
