//! Import circles between the files of a library. An import leads to the file that defines the item, through every re-export
//! on the way, so that a facade hides no circle. Code for tests does not count.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::syntax::{Module, is_for_tests};

/// The names of a path, from the root of the library down.
type Names = Vec<String>;

/// Returns the import circles of a library, one text for each: its imports as `file:line -> file`.
pub fn circles(modules: &[Module]) -> Vec<String> {
    let library = Library::new(modules);
    let mut edges: Vec<BTreeMap<usize, usize>> = vec![BTreeMap::new(); modules.len()];
    for (from, module) in modules.iter().enumerate().filter(|(_, module)| !module.for_tests) {
        for (names, line) in library.imports(from) {
            let to = library.defining(&names, 0);
            if to != from && !modules[to].for_tests && modules[to].file != module.file {
                edges[from].entry(to).or_insert(line);
            }
        }
    }
    let reach: Vec<BTreeSet<usize>> = (0..modules.len()).map(|from| reached(from, &edges)).collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for from in 0..modules.len() {
        let circle: Vec<usize> =
            reach[from].iter().copied().filter(|to| reach[*to].contains(&from)).collect();
        if circle.len() < 2 || !seen.insert(circle.clone()) {
            continue;
        }
        let lines = circle.iter().flat_map(|from| {
            let within = edges[*from].iter().filter(|(to, _)| circle.contains(to));
            within.map(|(to, line)| format!("  {}:{line} -> {}", modules[*from].file, modules[*to].file))
        });
        found.push(lines.collect::<Vec<_>>().join("\n"));
    }
    found
}

/// Returns the modules that can be reached from `from`, itself included if a circle leads back to it.
fn reached(from: usize, edges: &[BTreeMap<usize, usize>]) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<usize> = edges[from].keys().copied().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(edges[module].keys());
        }
    }
    reached
}

/// The modules of a library by their paths, and the names that they import.
struct Library<'a> {
    modules: &'a [Module],
    by_path: BTreeMap<&'a [String], usize>,
    /// The path behind each name that a module imports, by module and name.
    aliases: BTreeMap<(usize, String), Names>,
}

impl<'a> Library<'a> {
    fn new(modules: &'a [Module]) -> Self {
        let by_path: BTreeMap<&[String], usize> =
            modules.iter().enumerate().map(|(at, module)| (module.path.as_slice(), at)).collect();
        let mut library = Self { modules, by_path, aliases: BTreeMap::new() };
        let mut aliases = BTreeMap::new();
        for (at, module) in modules.iter().enumerate() {
            for item in &module.tree.items {
                if let syn::Item::Use(it) = item {
                    let mut leaves = Vec::new();
                    leaves_of(&it.tree, &[], &mut leaves);
                    for (names, alias) in leaves {
                        if let Some(absolute) = library.absolute(at, 0, &names) {
                            aliases.insert((at, alias), absolute);
                        }
                    }
                }
            }
        }
        library.aliases = aliases;
        library
    }

    /// The path from the root of the library, if `names` in a module lead somewhere in it. `inner` counts the inline modules
    /// around them.
    fn absolute(&self, at: usize, inner: usize, names: &[String]) -> Option<Names> {
        let own = &self.modules[at].path;
        let first = names.first()?;
        match first.as_str() {
            "crate" => Some(names[1..].to_vec()),
            "self" if inner == 0 => Some(own.iter().chain(&names[1..]).cloned().collect()),
            "super" => {
                let ups = names.iter().take_while(|name| *name == "super").count();
                let depth = (own.len() + inner).checked_sub(ups)?;
                let base = own.get(..depth.min(own.len()))?;
                Some(base.iter().chain(&names[ups..]).cloned().collect())
            }
            _ => {
                let child: Names = own.iter().cloned().chain([first.clone()]).collect();
                (inner == 0 && self.by_path.contains_key(child.as_slice()))
                    .then(|| own.iter().chain(names).cloned().collect())
            }
        }
    }

    /// The module that defines the item at `names`, through re-exports.
    fn defining(&self, names: &[String], depth: usize) -> usize {
        let mut module = 0;
        for (position, name) in names.iter().enumerate() {
            if let Some(child) = self.by_path.get(&names[..=position]) {
                module = *child;
                continue;
            }
            if let Some(alias) = self.aliases.get(&(module, name.clone())).filter(|_| depth < 16) {
                let names: Names = alias.iter().chain(&names[position + 1..]).cloned().collect();
                return self.defining(&names, depth + 1);
            }
            break;
        }
        module
    }

    /// The paths that a module uses, re-exports of its own aside, each with a line.
    fn imports(&self, at: usize) -> Vec<(Names, usize)> {
        let mut visitor = Paths { inner: 0, found: Vec::new() };
        visitor.visit_file(&self.modules[at].tree);
        let absolute =
            |(names, line, inner): (Names, usize, usize)| Some((self.absolute(at, inner, &names)?, line));
        visitor.found.into_iter().filter_map(absolute).collect()
    }
}

/// The leaves of a `use`, each with the name that it has afterwards.
fn leaves_of(tree: &syn::UseTree, before: &[String], found: &mut Vec<(Names, String)>) {
    let with = |name: &syn::Ident| -> Names { before.iter().cloned().chain([name.to_string()]).collect() };
    match tree {
        syn::UseTree::Path(it) => leaves_of(&it.tree, &with(&it.ident), found),
        syn::UseTree::Group(it) => it.items.iter().for_each(|tree| leaves_of(tree, before, found)),
        syn::UseTree::Name(it) if it.ident == "self" => {
            found.extend(before.last().map(|name| (before.to_vec(), name.clone())));
        }
        syn::UseTree::Name(it) => found.push((with(&it.ident), it.ident.to_string())),
        syn::UseTree::Rename(it) => found.push((with(&it.ident), it.rename.to_string())),
        syn::UseTree::Glob(_) => found.push((before.to_vec(), "*".to_owned())),
    }
}

/// Collects paths with their lines and the number of inline modules around them.
struct Paths {
    inner: usize,
    found: Vec<(Names, usize, usize)>,
}

impl Paths {
    /// Paths in the arguments of a macro: names joined by `::`.
    fn tokens(&mut self, tokens: TokenStream) {
        let (mut names, mut line, mut colons): (Names, usize, usize) = (Vec::new(), 0, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons < 2 {
                        self.found.push((std::mem::take(&mut names), line, self.inner));
                        line = name.span().start().line;
                    }
                    names.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(it) if it.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.found.push((std::mem::take(&mut names), line, self.inner));
                    self.tokens(group.stream());
                    colons = 0;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.found.push((std::mem::take(&mut names), line, self.inner));
                    colons = 0;
                }
            }
        }
        self.found.push((names, line, self.inner));
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_mod(&mut self, it: &'ast syn::ItemMod) {
        if !is_for_tests(&it.attrs) {
            self.inner += 1;
            visit::visit_item_mod(self, it);
            self.inner -= 1;
        }
    }

    fn visit_item_use(&mut self, it: &'ast syn::ItemUse) {
        // A re-export is a facade: an import from it leads to the file behind it.
        if matches!(it.vis, syn::Visibility::Inherited) && !is_for_tests(&it.attrs) {
            let mut leaves = Vec::new();
            leaves_of(&it.tree, &[], &mut leaves);
            let line = it.span().start().line;
            self.found.extend(leaves.into_iter().map(|(names, _)| (names, line, self.inner)));
        }
    }

    fn visit_path(&mut self, it: &'ast syn::Path) {
        let names: Names = it.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 {
            self.found.push((names, it.span().start().line, self.inner));
        }
        visit::visit_path(self, it);
    }

    /// `pub(in crate::room)` imports nothing.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_macro(&mut self, it: &'ast syn::Macro) {
        self.tokens(it.tokens.clone());
        visit::visit_macro(self, it);
    }
}
