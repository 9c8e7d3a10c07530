//! Checks the documentation against the program: commands, flags, configurations, links and tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use brokkr_publish::context::Flags;
use brokkr_publish::diagnostic::Code;
use brokkr_publish::model::ResourceId;
use brokkr_publish::model::access::AccessReport;
use brokkr_publish::model::plan::Plan;
use brokkr_publish::model::record::Record;
use brokkr_publish::model::verification::Verification;
use brokkr_publish::run::{self, Session};
use brokkr_publish::{cli, saved};
use regex::Regex;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern")
}

/// Every Markdown file of the project: those at the root, and all below `docs`.
fn pages() -> BTreeMap<PathBuf, String> {
    let mut folders = vec![(root().to_owned(), false), (root().join("docs"), true)];
    let mut pages = BTreeMap::new();
    while let Some((folder, deep)) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && deep {
                folders.push((path, true));
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let text = fs::read_to_string(&path).expect("text");
                pages.insert(path.strip_prefix(root()).expect("below the root").to_owned(), text);
            }
        }
    }
    assert!(pages.len() > 50, "only {} pages were found", pages.len());
    pages
}

/// A fenced block: its language, its first line's number, its text without the indentation of the fence.
struct FencedBlock {
    language: String,
    line: usize,
    text: String,
}

fn blocks(page: &str) -> Vec<FencedBlock> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, FencedBlock)> = None;
    for (number, line) in page.lines().enumerate() {
        let bare = line.trim_start();
        match (&mut open, bare.strip_prefix("```")) {
            (None, Some(language)) => {
                let block = FencedBlock {
                    language: language.trim().to_owned(),
                    line: number + 2,
                    text: String::new(),
                };
                open = Some((line.len() - bare.len(), block));
            }
            (Some(_), Some(_)) => blocks.extend(open.take().map(|(_, block)| block)),
            (Some((indentation, block)), None) => {
                block.text.push_str(line.get(*indentation..).unwrap_or(bare));
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The text without fenced blocks.
fn prose(page: &str) -> String {
    let mut inside = false;
    let outside = |line: &&str| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    };
    page.lines().filter(outside).collect::<Vec<_>>().join("\n")
}

/// The part of `page` below the heading `heading`, up to the next of the same level.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let start = page.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no heading `{heading}`"));
    let rest = &page[start + heading.len() + 2..];
    let level = heading.split(' ').next().unwrap_or_default();
    rest.find(&format!("\n{level} ")).map_or(rest, |end| &rest[..end])
}

fn whole_command() -> clap::Command {
    let mut command = cli::command();
    command.build();
    command
}

/// Every command that does something, by the words that call it: `auth check` is one, and `auth` is none.
fn subcommands(command: &clap::Command) -> Vec<(String, &clap::Command)> {
    let mut found = Vec::new();
    for subcommand in command.get_subcommands().filter(|it| it.get_name() != "help") {
        let name = subcommand.get_name();
        let below = subcommands(subcommand);
        if below.is_empty() {
            found.push((name.to_owned(), subcommand));
        }
        found.extend(below.into_iter().map(|(inner, command)| (format!("{name} {inner}"), command)));
    }
    found
}

#[test]
fn the_reference_names_every_command_and_option() {
    let page = read("docs/reference/cli.md");
    let command = whole_command();
    let mut missing = Vec::new();
    for (name, subcommand) in subcommands(&command) {
        let section = section(&page, &format!("## `{name}`"));
        for argument in subcommand.get_arguments().filter(|argument| !argument.is_global_set()) {
            let values = argument.get_possible_values();
            let values = values.iter().filter(|_| argument.get_action().takes_values());
            let mut texts: Vec<String> = values.map(|value| value.get_name().to_owned()).collect();
            texts.extend(argument.get_long().map(|long| format!("--{long}")));
            if argument.is_positional() && texts.is_empty() {
                texts.extend(argument.get_value_names().unwrap_or_default().iter().map(ToString::to_string));
            }
            // These two are of every command.
            texts.retain(|text| text != "--help" && text != "--version");
            // A list of files is named by one of them.
            let named = |text: &String| section.contains(text.trim_end_matches('S'));
            missing.extend(texts.iter().filter(|text| !named(text)).map(|text| format!("{name}: {text}")));
        }
    }
    let globals = command.get_arguments().filter_map(clap::Arg::get_long);
    let section = section(&page, "## Options of every command");
    missing.extend(globals.filter(|long| !section.contains(&format!("--{long}"))).map(str::to_owned));
    assert!(missing.is_empty(), "docs/reference/cli.md lacks\n{}", missing.join("\n"));
}

#[test]
fn the_reference_names_no_option_that_does_not_exist() {
    let command = whole_command();
    let known: BTreeSet<String> = std::iter::once(&command)
        .chain(subcommands(&command).into_iter().map(|(_, command)| command))
        .flat_map(clap::Command::get_arguments)
        .filter_map(|argument| Some(format!("--{}", argument.get_long()?)))
        .collect();
    let page = read("docs/reference/cli.md");
    let flag = regex(r"(^|[\s`\[(])(--[a-z][a-z-]*)");
    let unknown: BTreeSet<&str> = flag
        .captures_iter(&page)
        .filter_map(|found| found.get(2))
        .map(|found| found.as_str())
        .filter(|flag| !known.contains(*flag))
        .collect();
    assert!(unknown.is_empty(), "docs/reference/cli.md names {unknown:?}");
}

#[test]
fn the_reference_names_every_event_and_stage() {
    let events = section(&read("docs/reference/cli.md"), "## `apply`").to_owned();
    let source = syn::parse_file(&read("src/event.rs")).expect("Rust");
    let mut missing = Vec::new();
    for item in source.items {
        let syn::Item::Enum(item) = item else { continue };
        for variant in item.variants {
            let name = snake_case(&variant.ident.to_string());
            if name == "blob_progress" || name == "search_progress" {
                continue; // A line of JSON is not written for it.
            }
            let fields = variant.fields.iter().filter_map(|field| field.ident.as_ref());
            let names = fields.map(ToString::to_string).chain([name]);
            missing.extend(names.filter(|name| !events.contains(&format!("`{name}`"))));
        }
    }
    assert!(missing.is_empty(), "docs/reference/cli.md lacks of the events {missing:?}");
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}

/// The words of a command line, as a shell splits it, up to a comment or the first operator.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    for character in line.chars() {
        match (quote, character) {
            (None, '#') if !begun => break,
            (None, '|' | '>' | '&' | ';' | ')') => break,
            (None, '\'' | '"') => (quote, begun) = (Some(character), true),
            (Some(open), close) if open == close => quote = None,
            (None, space) if space.is_whitespace() => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (_, other) => {
                word.push(other);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

#[test]
fn every_command_line_is_one_that_the_program_takes() {
    // Text before a command: a prompt, the key of a workflow, the setting of a variable.
    let before = regex(r#"^\s*(\$ )?(- )?((run|entry): )?([A-Z_]+=("[^"]*"|'[^']*'|\S*) )*"#);
    let (mut checked, mut wrong) = (0, Vec::new());
    for (page, text) in pages() {
        let shell = |block: &FencedBlock| matches!(block.language.as_str(), "sh" | "console" | "yaml");
        for block in blocks(&text).into_iter().filter(shell) {
            for (number, line) in block.text.replace("\\\n", " ").lines().enumerate() {
                if block.language == "console" && !line.starts_with("$ ") {
                    continue; // Output.
                }
                let line = before.replace(line, "");
                let arguments = match line.strip_prefix("brokkr-publish ") {
                    Some(arguments) => arguments,
                    None => match line.strip_prefix("cargo run --release -- ") {
                        Some(arguments) => arguments,
                        // The input of the action.
                        None => match line.strip_prefix("command: ").filter(|_| block.language == "yaml") {
                            Some(arguments) => arguments,
                            None => continue,
                        },
                    },
                };
                // GitHub's expressions stand for a value.
                let digest = format!("sha256:{}", "0".repeat(64));
                let arguments = regex(r"\$\{\{[^}]*\}\}").replace_all(arguments, digest.as_str());
                let mut words = words(&arguments);
                words.retain(|word| !word.is_empty());
                words.iter_mut().filter(|it| *it == "$DIGEST").for_each(|it| it.clone_from(&digest));
                let all = std::iter::once("brokkr-publish".to_owned()).chain(words);
                checked += 1;
                if let Err(error) = cli::command().try_get_matches_from(all) {
                    let asked = error.kind() == clap::error::ErrorKind::DisplayHelp;
                    if !asked {
                        wrong.push(format!("{}:{}: {error}", page.display(), block.line + number));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 20, "only {checked} command lines were found");
}

/// A session that knows no environment and lies in `folder`.
fn session(folder: &Path) -> Session {
    Session {
        config: Some(folder.join("publish.toml")),
        profile: None,
        set: Vec::new(),
        allow_outside: Vec::new(),
        flags: Flags::default(),
        environment: BTreeMap::new(),
        working_folder: folder.to_owned(),
    }
}

#[test]
fn every_whole_configuration_lints_clean() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut checked = 0;
    for (page, text) in pages() {
        let mut whole: Vec<(usize, String)> = Vec::new();
        for block in blocks(&text).into_iter().filter(|block| block.language == "toml") {
            let first = block.text.lines().find(|line| !line.is_empty() && !line.starts_with('#'));
            if first.is_some_and(|line| line.starts_with("version = 1")) {
                whole.push((block.line, block.text));
            }
        }
        for (line, toml) in whole {
            let path = folder.path().join("publish.toml");
            fs::write(&path, toml).expect("written");
            let found = run::lint(&session(folder.path()), &[path]);
            let messages: Vec<&str> = found.iter().map(|it| it.message.as_str()).collect();
            assert!(found.is_empty(), "{}:{line}: {messages:?}", page.display());
            checked += 1;
        }
    }
    assert!(checked >= 2, "only {checked} configurations were found");
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().trim().to_lowercase().replace(' ', "-")
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let link = regex(r"\]\(([^)\s]+)\)");
    let mut broken = Vec::new();
    for (page, text) in &pages {
        let text = prose(text);
        for target in link.captures_iter(&text).filter_map(|found| found.get(1)) {
            let target = target.as_str();
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
            let file = if path.is_empty() {
                root().join(page)
            } else {
                root().join(page).parent().expect("a folder").join(path)
            };
            let anchors = || -> BTreeSet<String> {
                let text = fs::read_to_string(&file).unwrap_or_default();
                let text = prose(&text);
                let headings = text.lines().filter(|line| line.starts_with('#'));
                headings.map(|line| anchor(line.trim_start_matches('#'))).collect()
            };
            if !file.exists() || (!fragment.is_empty() && !anchors().contains(fragment)) {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

/// The names in backticks of a page's prose that look like files of this repository, without the test after `::`.
fn cited_files(text: &str) -> BTreeSet<String> {
    let path =
        regex(r"`((?:src|crates|tests|docs|scripts|benches|schemas|examples|\.ci|\.github)/[^`\s:]+)[^`]*`");
    let cited = prose(text);
    let cited = path.captures_iter(&cited).map(|found| found[1].to_owned());
    // `schemas/*.schema.json` and `docs/errors/ROOM-NAME.md` stand for many files.
    cited.filter(|path| !path.contains('*') && !path.contains("NAME") && !path.contains('…')).collect()
}

#[test]
fn every_file_that_a_page_names_exists() {
    let mut checked = 0;
    let mut missing = Vec::new();
    for (page, text) in pages() {
        for path in cited_files(&text) {
            checked += 1;
            // The quickstart's first run creates this folder.
            if !root().join(&path).exists() && !path.starts_with("examples/quickstart/published") {
                missing.push(format!("{}: {path}", page.display()));
            }
        }
    }
    assert!(missing.is_empty(), "files that do not exist:\n{}", missing.join("\n"));
    assert!(checked > 80, "only {checked} paths were found");
}

#[test]
fn every_test_command_names_a_test_binary_and_a_module() {
    let command = regex(r"cargo test --locked --test (\w+)(?: (\w+)::)?");
    for (page, text) in pages() {
        for found in command.captures_iter(&text) {
            let module = found.get(2).map_or("main", |module| module.as_str());
            let file = format!("tests/{}/{module}.rs", &found[1]);
            assert!(root().join(&file).exists(), "{}: `{}`: no {file}", page.display(), &found[0]);
        }
    }
}

#[test]
fn every_guide_and_reference_is_listed_where_readers_look_for_it() {
    for (folder, lists) in [
        ("docs/guides", [("docs/guides/README.md", ""), ("docs/SUMMARY.md", "guides/")]),
        ("docs/reference", [("docs/README.md", "reference/"), ("docs/SUMMARY.md", "reference/")]),
    ] {
        let names = fs::read_dir(root().join(folder))
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
        let names: Vec<String> = names.filter(|name| name != "README.md").collect();
        assert!(names.len() > 5, "{folder}: {names:?}");
        for (list, prefix) in lists {
            let text = read(list);
            let missing: Vec<&String> =
                names.iter().filter(|name| !text.contains(&format!("]({prefix}{name})"))).collect();
            assert!(missing.is_empty(), "{list} lists no {missing:?}");
        }
    }
    assert!(read("docs/README.md").contains("](../SECURITY.md)"));
}

#[test]
fn codes_and_pages_belong_together() {
    let mut pages: BTreeMap<String, PathBuf> = fs::read_dir(root().join("docs/errors"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (fs::read_to_string(&path).expect("text"), path))
        .collect();
    for code in Code::ALL {
        let page = code.page();
        assert_eq!(page.lines().next(), Some(format!("# `{code}`").as_str()), "the heading of {code}");
        let told = page.lines().skip(1).filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        assert!(told >= 8, "the page of {code} says nothing");
        assert!(
            page.lines().any(|line| line.starts_with('#') && line.ends_with("ow to fix it")),
            "the page of {code} gives no way out"
        );
        let path = pages.remove(page).unwrap_or_else(|| panic!("{code} has no page of its own"));
        let name = code.as_str().trim_start_matches("publish::").replace("::", "-").replace('_', "-");
        assert_eq!(path.file_stem().and_then(std::ffi::OsStr::to_str), Some(name.as_str()));
    }
    assert!(pages.is_empty(), "pages of no code: {:?}", pages.values());
}

#[test]
fn the_formats_of_plan_and_record_are_told_in_full() {
    let page = prose(&read("docs/reference/plan.md"));
    let mut names = BTreeSet::new();
    collect(&saved::json_schema::<Plan>(), &mut names);
    collect(&saved::json_schema::<Record>(), &mut names);
    assert!(names.len() > 60, "only {} names are in the schema", names.len());
    let missing: Vec<&String> = names.iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/reference/plan.md lacks {missing:?}");
    let example = blocks(&read("docs/reference/plan.md"));
    let example = example.iter().find(|block| block.language == "json").expect("an example");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plan.json");
    fs::write(&path, &example.text).expect("written");
    let loaded: Plan = saved::load(&path).expect("the example is a plan");
    assert_eq!(loaded.format_version, brokkr_publish::model::plan::FORMAT_VERSION);
}

#[test]
fn the_format_of_a_verification_is_told_in_full() {
    let page = read("docs/reference/cli.md");
    let section = section(&page, "### The result as JSON");
    let mut names = BTreeSet::new();
    collect(&saved::printed_schema::<Verification>("verification"), &mut names);
    assert!(names.len() > 40, "only {} names are in the schema", names.len());
    let missing: Vec<&String> = names.iter().filter(|name| !section.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/reference/cli.md lacks {missing:?}");
}

#[test]
fn the_format_of_an_access_report_is_told_in_full() {
    let page = read("docs/reference/cli.md");
    let section = section(&page, "### The access report as JSON");
    let mut names = BTreeSet::new();
    collect(&saved::printed_schema::<AccessReport>("access"), &mut names);
    assert!(names.len() > 20, "only {} names are in the schema", names.len());
    let missing: Vec<&String> = names.iter().filter(|name| !section.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/reference/cli.md lacks {missing:?}");
}

/// The names of all properties of a JSON Schema, and all words that a value can be.
fn collect(schema: &serde_json::Value, names: &mut BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(object) => {
            for (key, value) in object {
                match (key.as_str(), value) {
                    ("properties", serde_json::Value::Object(properties)) => {
                        names.extend(properties.keys().cloned());
                    }
                    ("const", serde_json::Value::String(word)) => {
                        names.insert(word.clone());
                    }
                    ("enum", serde_json::Value::Array(words)) => {
                        names.extend(words.iter().filter_map(|word| word.as_str().map(str::to_owned)));
                    }
                    _ => {}
                }
                collect(value, names);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}

/// The cells of a table's row, without the backticks around them.
fn cells(row: &str) -> Vec<String> {
    let row = row.trim().trim_matches('|').replace("\\|", "\u{0}");
    row.split('|').map(|cell| cell.trim().trim_matches('`').replace('\u{0}', "|")).collect()
}

#[test]
fn the_examples_of_templates_render_as_told() {
    let page = read("docs/reference/tags.md");
    let rows: Vec<Vec<String>> =
        section(&page, "## Examples").lines().filter(|line| line.starts_with("| `")).map(cells).collect();
    assert!(rows.len() >= 10, "only {} examples were found", rows.len());
    let folder = tempfile::tempdir().expect("a folder");
    for row in rows {
        let [template, context, expected] = row.as_slice() else { panic!("{row:?}") };
        let toml = format!(
            "version = 1\n[vars]\nchannel = 'edge'\n[registries.r]\nurl = 'oci:out'\n[tags.t]\n\
             on = ['tag', 'branch', 'pull_request', 'schedule', 'manual']\nmutability = 'mutable'\n\
             template = '{template}'\n[images.broker]\nsource = 'oci:dist/broker'\n"
        );
        fs::write(folder.path().join("publish.toml"), toml).expect("written");
        let mut session = session(folder.path());
        session.environment.insert("SOURCE_DATE_EPOCH".into(), "1767323045".into());
        session.flags.sha = Some("9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c".into());
        let flags = words(context.replace('#', "\\#").as_str());
        for pair in flags.chunks(2) {
            let [flag, value] = pair else { panic!("{context}") };
            match flag.as_str() {
                "--ref" => session.flags.reference = Some(value.replace("\\#", "#")),
                "--event" => session.flags.event = Some(value.parse().expect("an event")),
                "--pr" => session.flags.pull_request = Some(value.parse().expect("a number")),
                other => panic!("{other} is no flag of a context"),
            }
        }
        let rendered = run::tags(&session, &[]).expect(template);
        let tags: Vec<String> = rendered.resources[&ResourceId::image("broker")]
            .tags
            .tags
            .iter()
            .map(|it| it.tag.to_string())
            .collect();
        assert_eq!(tags, std::slice::from_ref(expected), "{template} with {context}");
    }
}

#[test]
fn the_rooms_of_the_architecture_are_those_of_its_test() {
    let source = read("tests/it/architecture.rs");
    let room = regex(r#"\(\s*"(\w+)",\s*&\[([^\]]*)\],?\s*\)"#);
    let table: BTreeMap<String, BTreeSet<String>> = room
        .captures_iter(table_of(&source))
        .map(|found| (found[1].to_owned(), names(&found[2], '"')))
        .collect();
    let page = read("ARCHITECTURE.md");
    let told: BTreeMap<String, BTreeSet<String>> = section(&page, "## Rooms")
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches(['|', ' ']).split('|').collect::<Vec<_>>())
        .map(|cells| (cells[0].trim().trim_matches('`').to_owned(), names(cells.get(2).unwrap_or(&""), '`')))
        .collect();
    assert!(table.len() > 10, "the table was not found");
    assert_eq!(told, table);
}

/// Returns the table of rooms in the source of the architecture test.
fn table_of(source: &str) -> &str {
    let table = source.split_once("const TABLE").map_or("", |(_, table)| table);
    table.split("\n];").next().unwrap_or_default()
}

/// The names between quotes of a text.
fn names(text: &str, quote: char) -> BTreeSet<String> {
    text.split(quote).skip(1).step_by(2).map(str::to_owned).collect()
}
