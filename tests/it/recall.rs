//! The recall of the secret search: how many of the places and forms of the corpus it finds. The table in
//! `docs/reference/secret-recall.md` is made here, and no figure in it may sink.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::secret_places::{Place, Values, places, severity};
use secret_scan::{Rules, SecretSeverity};

/// How often each value is made anew.
const ROUNDS: u64 = 5;
/// Places that hold a form: a name, a path, and the text around it.
const HOLDERS: [(&str, &str, &str, &str); 6] = [
    ("alone in a file", "app/file", "", "\n"),
    ("in a text", "app/notes.txt", "this is the value ", " of today\n"),
    ("in a program", "app/main.js", "call(\"", "\");\n"),
    ("in JSON", "app/data.json", "{\"a\": \"", "\"}\n"),
    ("in a binary", "usr/bin/program", "\0\0", "\0\0"),
    ("in a history", "root/.bash_history", "tool --value ", "\n"),
];

fn corpus(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/secrets").join(name);
    fs::read_to_string(file).expect("a corpus")
}

/// Counts of places: all, found at severity high, and found at all.
#[derive(Default)]
struct Recall {
    all: usize,
    high: usize,
    any: usize,
}

impl Recall {
    fn add(&mut self, severities: &[Option<SecretSeverity>]) {
        self.all += 1;
        self.high += usize::from(severities.iter().all(|it| *it == Some(SecretSeverity::High)));
        self.any += usize::from(severities.iter().all(Option::is_some));
    }

    fn row(&self, name: &str) -> String {
        format!("| {name} | {} | {} | {} |\n", self.all, self.high, self.any)
    }
}

fn of_places(table: &mut String) -> usize {
    let (corpus, mut high, mut missed) = (corpus("places.txt"), 0, String::new());
    let all = places(&corpus);
    for kind in ["file", "variable", "label", "history", "command"] {
        let mut recall = Recall::default();
        for place in all.iter().filter(|it| it.kind == kind) {
            let found: Vec<_> = (0..ROUNDS).map(|seed| severity(place, seed)).collect();
            recall.add(&found);
            if found.iter().any(|it| *it != Some(SecretSeverity::High)) {
                let text = place.text.trim().lines().last().unwrap_or_default().trim();
                let _ = writeln!(missed, "- {kind} `{}`: `{text}`", place.argument);
            }
        }
        high += recall.high;
        table.push_str(&recall.row(kind));
    }
    if !missed.is_empty() {
        let _ = write!(table, "\nNot found at severity high, or not with every value:\n\n{missed}");
    }
    high
}

fn of_forms(table: &mut String) -> usize {
    let corpus = corpus("forms.txt");
    let mut alone = 0;
    for (name, path, before, after) in HOLDERS {
        let mut recall = Recall::default();
        for line in corpus.lines().filter(|it| !it.starts_with('#')) {
            let (_, form) = line.split_once(' ').expect("a rule and a form");
            let text = format!("{before}{form}{after}");
            let place = Place { kind: "file".to_owned(), argument: path.to_owned(), text };
            recall.add(&(0..ROUNDS).map(|seed| severity(&place, seed)).collect::<Vec<_>>());
        }
        alone = if path == "app/file" { recall.high } else { alone };
        table.push_str(&recall.row(name));
    }
    alone
}

#[test]
fn the_recall_of_the_secret_search_does_not_sink() {
    let mut text = "# Recall of the secret search\n\nThis page shows how many secrets the search finds in the corpus of its tests. \
        `tests/it/recall.rs` makes the table from\n`tests/corpus/secrets`, with new values for each of five rounds; a place counts if every \
        value is found.\n\n## Places\n\n| kind of place | places | found at severity high | found at all |\n| --- | --- | --- | --- |\n"
        .to_owned();
    let high = of_places(&mut text);
    text.push_str(
        "\n## Forms of tokens\n\n| place of the token | forms | found at severity high | found at all |\n| --- | --- | --- | --- |\n",
    );
    let alone = of_forms(&mut text);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/secret-recall.md");
    if std::env::var_os("BROKKR_PUBLISH_UPDATE_SCHEMAS").is_some() {
        fs::write(&file, &text).expect("written");
    }
    assert!(high >= 210, "{high} places at severity high");
    assert!(alone >= 180, "{alone} forms at severity high");
    let committed = fs::read_to_string(&file).expect("the page");
    assert_eq!(committed, text, "docs/reference/secret-recall.md: run with BROKKR_PUBLISH_UPDATE_SCHEMAS=1");
}

#[test]
fn forty_random_characters_are_seen_whatever_the_variable_is_called() {
    let (small, capital, digits) = ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789");
    let alphabets = [
        format!("{small}{capital}{digits}"),
        format!("{small}{capital}{digits}-_"),
        format!("{small}{digits}"),
        format!("{capital}{digits}"),
        format!("{small}{capital}"),
        "0123456789abcdef".to_owned(),
        format!("{small}{capital}{digits}!@#%^&*"),
        format!("{small}{capital}{digits}!#$%&()*+,-./:;<=>?@[]^_`{{|}}~"),
    ];
    let names = corpus("variables.txt");
    assert!(names.split_whitespace().count() >= 200);
    for (seed, name) in (0..).zip(names.split_whitespace()) {
        let mut values = Values::new(seed);
        for alphabet in &alphabets {
            let value = values.text(alphabet, 40);
            let found = Rules::standard().search_variable(name, &value);
            assert!(!found.is_empty(), "{name}={value}");
        }
    }
}
