//! The rules of STYLE.md that a program can check: which room may import which, the form of a file, and
//! which room may print. The test reads them from the syntax trees of `src`, the tests inside it included.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

mod circles;
mod syntax;
use syntax::Module;

/// The crates of the workspace that are published, and the crates of it that each may use. Cargo permits no circle.
const CRATES: [(&str, &[&str]); 5] = [
    ("oci-registry", &[]),
    ("oci-content", &["oci-registry"]),
    ("helm-package", &["oci-content", "oci-registry"]),
    ("secret-scan", &["oci-content", "oci-registry"]),
    ("oci-signing", &["oci-registry"]),
];

/// The rooms that each room of `src` may import, in reading order. `model`, `diagnostic` and `advice` are open to every room.
const TABLE: [(&str, &[&str]); 26] = [
    ("model", &[]),
    // A plan carries diagnostics.
    ("diagnostic", &["model"]),
    ("advice", &["diagnostic"]),
    ("checks", &[]),
    ("content", &[]),
    // Parses and evaluates, so that a configuration can be checked before there is anything to judge.
    ("condition", &[]),
    ("config", &["condition"]),
    ("context", &[]),
    ("visibility", &[]),
    ("access", &[]),
    ("event", &[]),
    ("signing", &["condition"]),
    ("connections", &["context", "visibility", "event"]),
    ("desired", &["config", "context", "checks", "content"]),
    // The version of the image that a tag names, for plans, applies and verifications alike.
    ("standing", &["connections"]),
    ("catalogue", &["connections", "visibility", "signing"]),
    ("observed", &["context", "visibility", "connections", "standing", "desired", "signing"]),
    // The plan shows the page where a person can change what no API can.
    ("plan", &["desired", "observed", "visibility", "signing"]),
    ("verify", &["config", "context", "connections", "standing", "desired", "visibility", "signing"]),
    // Decides by the policy of the configuration which of the desired content is searched.
    (
        "screening",
        &["config", "content", "context", "connections", "desired", "event", "observed", "visibility"],
    ),
    // Its lines are those of the templates in the plan, and git is asked again about commits.
    (
        "apply",
        &[
            "screening",
            "content",
            "context",
            "visibility",
            "access",
            "event",
            "connections",
            "standing",
            "desired",
            "observed",
            "signing",
        ],
    ),
    ("report", &["event"]),
    ("saved", &[]),
    ("init", &[]),
    (
        "run",
        &[
            "catalogue",
            "condition",
            "config",
            "context",
            "checks",
            "content",
            "access",
            "event",
            "connections",
            "desired",
            "observed",
            "plan",
            "verify",
            "apply",
            "screening",
            "signing",
            "saved",
            "init",
        ],
    ),
    ("cli", &["config", "context", "desired", "event", "report", "run", "saved", "init"]),
];

/// Rooms that every room may import.
const OPEN: [&str; 3] = ["model", "diagnostic", "advice"];

/// Lines of code that a file may have, without blank lines, comments and tests. From about 400 on, look whether the file has
/// two subjects; a subject is not cut in two to stay below.
const LONGEST: usize = 450;

fn permitted(room: &str) -> Option<&'static [&'static str]> {
    TABLE.iter().find(|(name, _)| *name == room).map(|(_, permitted)| *permitted)
}

/// The edges as they are: from a room to a room, with a place for each.
fn edges(modules: &[Module]) -> BTreeMap<(String, String), String> {
    let mut edges = BTreeMap::new();
    for module in modules {
        let Some(room) = module.room() else { continue };
        for (target, line) in module.imports() {
            if target != room {
                let place = format!("{}:{line}", module.file);
                edges.entry((room.to_owned(), target)).or_insert(place);
            }
        }
    }
    edges
}

#[test]
fn each_room_imports_only_what_it_may() {
    let wrong: Vec<String> = edges(&syntax::modules())
        .into_iter()
        .filter(|((room, target), _)| {
            let open = OPEN.contains(&target.as_str()) && !OPEN.contains(&room.as_str());
            !open && !permitted(room).unwrap_or_default().contains(&target.as_str())
        })
        .map(|((room, target), place)| format!("{place}: `{room}` imports `{target}`"))
        .collect();
    assert!(wrong.is_empty(), "the table of tests/it/architecture.rs does not permit\n{}", wrong.join("\n"));
}

#[test]
fn the_table_is_complete_and_tight() {
    let modules = syntax::modules();
    let rooms: BTreeSet<&str> = modules.iter().filter_map(Module::room).collect();
    let listed: BTreeSet<&str> = TABLE.iter().map(|(room, _)| *room).collect();
    assert_eq!(rooms, listed, "the rooms of src and the rooms of the table");
    let edges = edges(&modules);
    let unused: Vec<String> = TABLE
        .iter()
        .flat_map(|(room, permitted)| permitted.iter().map(move |target| (room, target)))
        .filter(|(room, target)| !edges.contains_key(&((**room).to_owned(), (**target).to_owned())))
        .map(|(room, target)| format!("`{room}` does not import `{target}`: take it out of the table"))
        .collect();
    assert!(unused.is_empty(), "{}", unused.join("\n"));
}

#[test]
fn no_import_circle_between_files() {
    let found: Vec<String> = libraries().iter().flat_map(|modules| circles::circles(modules)).collect();
    assert!(found.is_empty(), "{} import circles:\n{}", found.len(), found.join("\n\n"));
}

#[test]
fn a_circle_is_found_behind_a_re_export() {
    let module = |file: &str, path: &[&str], text: &str| Module::parse(file, path, text);
    let found = circles::circles(&[
        module("lib.rs", &[], "mod a; mod b; pub use b::{Deep as Other, B};"),
        module("a.rs", &["a"], "use crate::Other; pub struct A(Other);"),
        module(
            "b.rs",
            &["b"],
            "pub struct B; pub struct Deep(super::a::A);\n#[cfg(test)] mod tests { use super::*; }",
        ),
    ]);
    assert_eq!(found, ["  a.rs:1 -> b.rs\n  b.rs:1 -> a.rs"]);
    let one_way = [
        module("lib.rs", &[], "pub mod a; pub mod b; pub use b::B;"),
        module("a.rs", &["a"], "use crate::B; pub struct A(B);"),
        module("b.rs", &["b"], "pub struct B;\n#[cfg(test)] mod tests { use crate::a::A; }"),
    ];
    assert!(circles::circles(&one_way).is_empty());
}

/// The modules of the library of this package, and of each crate below it.
fn libraries() -> Vec<Vec<Module>> {
    let crates =
        CRATES.iter().map(|(name, _)| syntax::modules_of(&Path::new("crates").join(name).join("src/lib.rs")));
    std::iter::once(syntax::modules()).chain(crates).collect()
}

#[test]
fn each_crate_uses_only_the_crates_below_it() {
    for (name, permitted) in CRATES {
        let file = syntax::root().join("crates").join(name).join("Cargo.toml");
        let manifest: toml::Table = fs::read_to_string(&file).expect("a manifest").parse().expect("TOML");
        let dependencies = manifest["dependencies"].as_table().expect("dependencies");
        let used: BTreeSet<&str> = CRATES
            .iter()
            .map(|(other, _)| *other)
            .filter(|other| dependencies.contains_key(*other))
            .collect();
        assert_eq!(used, permitted.iter().copied().collect(), "{}", file.display());
        assert!(
            !dependencies.contains_key("brokkr-publish") && !dependencies.contains_key("testkit"),
            "{name}"
        );
    }
}

#[test]
fn the_table_has_no_circle() {
    // Each room may import only rooms above it, which no circle can.
    for (position, (room, permitted)) in TABLE.iter().enumerate() {
        for target in *permitted {
            let above = TABLE.iter().position(|(name, _)| name == target).expect("a room of the table");
            assert!(above < position, "`{room}` stands above `{target}`, which it may import");
        }
    }
}

#[test]
fn the_imports_of_a_text_are_found() {
    let text = "
        //! A header.
        use crate::{model::{Digest, Tag}, config as c};
        use super::super::registry::Registry;
        pub(in crate::plan) fn f(x: crate::event::Event) -> bool { matches!(x, crate::report::Y) }
        mod inner { use super::super::super::source; fn g() { crate::run::run(); } }
        use crate as whole;
        use std::fmt;
    ";
    let module = Module::parse("src/plan/diff.rs", &["plan", "diff"], text);
    let found: BTreeSet<String> = module.imports().into_iter().map(|(target, _)| target).collect();
    let expected =
        ["model", "config", "registry", "plan", "event", "report", "source", "run", "the whole crate"];
    assert_eq!(found, expected.map(str::to_owned).into());
}

#[test]
fn every_file_is_a_module_with_a_header_and_a_sane_length() {
    let libraries = libraries();
    let found: BTreeMap<&str, &Module> =
        libraries.iter().flatten().map(|module| (module.file.as_str(), module)).collect();
    let crates = CRATES.iter().map(|(name, _)| Path::new("crates").join(name).join("src"));
    let files = std::iter::once(Path::new("src").to_owned()).chain(crates).flat_map(|it| syntax::files(&it));
    let mut wrong = Vec::new();
    for file in files {
        let module = found.get(file.as_str());
        if module.is_none() && file != "src/main.rs" {
            wrong.push(format!("{file}: no module"));
        }
        let text = fs::read_to_string(syntax::root().join(&file)).expect("a source file");
        // The header of a crate is its README.
        if !text.starts_with("//!") && !text.starts_with("#![doc = include_str!(\"../README.md\")]") {
            wrong.push(format!("{file}: no `//!` header on the first line"));
        }
        let lines = syntax::lines_of_code(&text);
        if lines > LONGEST && !module.is_some_and(|module| module.for_tests) {
            wrong.push(format!("{file}: {lines} lines of code: does it hold two subjects?"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn lines_of_code_are_counted_without_tests_and_comments() {
    let text = "//! Header.\n\nuse a;\n// why\n/// doc\n#[derive(Debug)]\nstruct A; // a\n\n\
                #[cfg(test)]\nmod tests {\n    fn x() {}\n}\n";
    assert_eq!(syntax::lines_of_code(text), 3);
}

#[test]
fn only_the_report_prints() {
    let libraries = libraries();
    let wrong: Vec<String> = libraries
        .iter()
        .flatten()
        .filter(|module| !module.file.starts_with("src/report/"))
        .flat_map(|module| module.prints().into_iter().map(move |(what, line)| (module, what, line)))
        // The log's writer is handed over, not written to.
        .filter(|(module, what, _)| (module.file.as_str(), what.as_str()) != ("src/cli/options.rs", "stderr"))
        .map(|(module, what, line)| format!("{}:{line}: `{what}`", module.file))
        .collect();
    assert!(wrong.is_empty(), "only src/report prints:\n{}", wrong.join("\n"));
}

#[test]
fn what_prints_is_found() {
    let text =
        "fn f() { println!(\"a\"); let x = std::io::stdout(); dbg!(x); writeln!(io::stderr(), \"b\"); }
        mod tests { fn g() { vec![eprint!(\"c\")]; } }";
    let found: Vec<String> = Module::parse("src/plan/diff.rs", &["plan"], text)
        .prints()
        .into_iter()
        .map(|(what, _)| what)
        .collect();
    assert_eq!(found, ["println", "stdout", "dbg", "stderr", "eprint"]);
}

#[test]
fn unsafe_code_is_forbidden() {
    let manifest: toml::Table = fs::read_to_string(syntax::root().join("Cargo.toml"))
        .expect("the manifest")
        .parse()
        .expect("the manifest as TOML");
    assert_eq!(manifest["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
}

/// A run owns what it learns. Values that are the same for every run, such as compiled patterns, may be made once.
#[test]
fn nothing_of_a_run_is_process_wide() {
    let changeable = ["Mutex<", "RwLock<", "Atomic", "RefCell<", "Cell<"];
    let mut wrong = Vec::new();
    for module in libraries().iter().flatten().filter(|module| !module.for_tests) {
        let text = fs::read_to_string(syntax::root().join(&module.file)).expect("a source file");
        for (number, line) in text.lines().enumerate() {
            let Some((_, declared)) = line.split_once("static ").filter(|(before, _)| !before.contains("//"))
            else {
                continue;
            };
            let kind = declared.split('=').next().unwrap_or_default();
            let is_static =
                declared.starts_with(|it: char| it.is_ascii_uppercase()) || declared.starts_with("mut ");
            if is_static && changeable.iter().any(|it| kind.contains(it)) && !kind.contains("OnceLock<") {
                wrong.push(format!("{}:{}: {}", module.file, number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "these would be shared by all runs of a process:\n{}", wrong.join("\n"));
}
