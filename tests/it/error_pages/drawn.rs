//! Diagnostics as the program printed them, drawn again at the width of the pages. Paths of temporary folders differ in length from
//! those on the pages, so the program runs at a great width, the paths are replaced, and the reporter breaks the lines.

use brokkr_publish::diagnostic::{Code, Diagnostic};
use brokkr_publish::report::Style;
use brokkr_publish::report::diagnostics::human;
use testkit::command::{EndedRun, Folder, ProgramRun};

/// The style of the program without a terminal.
const STYLE: Style = Style { color: false, unicode: true, width: 100, limit: None, verbose: false };

/// The widest text that the reporter draws.
const WIDEST: usize = 400;

/// The space before the further lines of a help.
const HELP: &str = "        ";

/// The folder that the pages name in place of a temporary one.
const PROJECT: &str = "/builds/acme/hello";

/// Runs to the end, without breaking lines.
pub fn wide(run: ProgramRun) -> EndedRun {
    run.env("COLUMNS", WIDEST.to_string()).done()
}

/// Returns the first `count` diagnostics of `code` in the error output of a [`wide`] run.
pub fn diagnostics(folder: &Folder, done: &EndedRun, code: Code, count: usize) -> String {
    diagnostics_with(folder, done, code, count, &[])
}

/// Returns the diagnostics after replacing texts that the test cannot have: a full disk, a path outside the folder.
pub fn diagnostics_with(
    folder: &Folder,
    done: &EndedRun,
    code: Code,
    count: usize,
    replaced: &[(&str, &str)],
) -> String {
    let mut text = done.stderr().replace(&folder.path.display().to_string(), PROJECT);
    for (from, to) in replaced {
        assert!(text.contains(from), "no `{from}` in\n{text}");
        text = text.replace(from, to);
    }
    let found: Vec<String> = printed(&text)
        .into_iter()
        .filter(|lines| lines[0].contains(&format!(": {code} (")))
        .take(count)
        .map(|lines| drawn_again(code, &lines))
        .collect();
    assert_eq!(found.len(), count, "{code} is not in\n{}", done.shown());
    found.join("\n")
}

/// Splits error output into the lines of each diagnostic, and leaves out other lines.
fn printed(text: &str) -> Vec<Vec<&str>> {
    let mut found: Vec<Vec<&str>> = Vec::new();
    let mut open = false;
    // In GitHub Actions an annotation follows each diagnostic.
    let own: Vec<&str> = text.lines().filter(|line| !line.starts_with("::")).collect();
    for (line, next) in own.iter().copied().zip(own.iter().skip(1).copied().chain([""])) {
        if line.contains(" (brokkr-publish explain ") && next.is_empty() {
            found.push(vec![line]);
            open = true;
        } else if open {
            let lines = found.last_mut().expect("a diagnostic");
            // An empty line follows the heading, stands between the paragraphs of a help, and follows the end.
            open = !line.is_empty() || lines.len() == 1 || next.starts_with(HELP);
            lines.push(line);
        }
    }
    found
}

/// Draws a diagnostic again that was printed at the greatest width.
fn drawn_again(code: Code, lines: &[&str]) -> String {
    let long = lines.iter().find(|line| line.chars().count() > WIDEST - 40);
    assert!(long.is_none(), "this line may have been broken: {}", long.unwrap_or(&""));
    let (mut message, mut snippet, mut help) = (Vec::new(), Vec::new(), Vec::<&str>::new());
    let end = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
    for line in lines.get(2..end).unwrap_or_default() {
        if !help.is_empty() {
            help.push(line.strip_prefix(HELP).unwrap_or(line));
        } else if let Some(text) = line.strip_prefix("  help: ") {
            help.push(text);
        } else if let Some(text) = line.strip_prefix("  × ").or_else(|| line.strip_prefix("  ⚠ ")) {
            message.push(text);
        } else if let Some(text) = line.strip_prefix("  │ ").filter(|_| snippet.is_empty()) {
            message.push(text);
        } else {
            snippet.push(*line);
        }
    }
    let diagnostic = if lines[0].starts_with("error") {
        Diagnostic::error(code, message.join("\n"))
    } else {
        Diagnostic::warning(code, message.join("\n"))
    };
    let help = (!help.is_empty()).then(|| help.join("\n"));
    let drawn = human(&[diagnostic.help_maybe(help)], STYLE);
    if snippet.is_empty() {
        return drawn;
    }
    // The snippet of a source stands between the message and the help.
    let snippet = snippet.join("\n") + "\n";
    match drawn.find("  help: ") {
        Some(at) => format!("{}{snippet}{}", &drawn[..at], &drawn[at..]),
        None => drawn + &snippet,
    }
}

#[test]
fn a_diagnostic_that_is_drawn_again_is_what_the_program_draws() {
    let folder =
        Folder::with(&[("publish.toml", "version = 1\n[images.broker]\nsource = 'dist/broker.tar'\n")]);
    let printed = folder.run("lint").done().expect_code(1).stderr();
    let again = diagnostics(&folder, &wide(folder.run("lint")), Code::ConfigSource, 1);
    assert!(again.lines().count() > 8 && printed.contains(&again), "{printed}\n{again}");
}
