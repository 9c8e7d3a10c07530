//! The reflexes and lessons against the real tree of commands.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::Parser;

use super::{Cli, command, reflexes, teaching};

fn understood_line(line: &str) -> String {
    let arguments = line.split(' ').map(OsString::from);
    let meant = reflexes::understood(arguments, &command());
    meant.iter().map(|it| it.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

#[test]
fn terraform_s_options_are_understood() {
    for (given, meant) in [
        ("b apply -auto-approve", "b apply --auto-approve"),
        ("b plan -out=plan.json -detailed-exitcode", "b plan --out=plan.json --detailed-exitcode"),
        ("b plan -target images.a -json", "b plan --target images.a --json"),
        ("b -help", "b --help"),
        ("b -version", "b --version"),
        ("b plan -vvq -c publish.toml", "b plan -vvq -c publish.toml"),
        ("b plan -cpublish.toml", "b plan -cpublish.toml"),
        ("b plan -var a=b", "b plan -var a=b"),
        ("b lint -- -json", "b lint -- -json"),
    ] {
        assert_eq!(understood_line(given), meant);
    }
}

fn said(line: &str) -> String {
    let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
    let error = Cli::try_parse_from(&arguments).expect_err("a usage error");
    reflexes::advised(error, &arguments, &mut command()).render().to_string()
}

#[test]
fn what_other_programs_have_gets_the_right_name() {
    for (line, tip) in [
        ("b validate", "`brokkr-publish lint` checks"),
        ("b push", "`brokkr-publish apply` publishes"),
        ("b version", "`brokkr-publish --version`"),
        ("b format", "`brokkr-publish fmt` formats"),
        ("b diff", "`brokkr-publish plan` shows"),
        ("b destroy", "`brokkr-publish prune` removes"),
        ("b signin", "`brokkr-publish login REGISTRY`"),
        ("b apply --dry-run", "`brokkr-publish plan` shows"),
        ("b apply --yes", "`--auto-approve`"),
        ("b apply -y", "`--auto-approve`"),
        ("b apply -yes", "`--auto-approve`"),
        ("b apply -input=false", "leave it out"),
        ("b plan -no-color", "`--color never`"),
        ("b plan -var a=b", "`--set vars.NAME=VALUE`"),
        ("b plan --tag v1.2.3", "`--ref refs/tags/v1.2.3`"),
        ("b plan publish.toml", "`--config publish.toml`"),
        ("b plan images.hello", "`--target images.hello`"),
        ("b tags --json", "`--format json`"),
        ("b applly", "a similar subcommand exists: 'apply'"),
        ("b plan --reff x", "a similar argument exists: '--ref'"),
        ("b apply --approve", "a similar argument exists: '--auto-approve'"),
    ] {
        let said = said(line);
        assert!(said.contains(tip), "{line}: {said}");
        assert_eq!(said.matches("tip:").count(), 1, "{line}: {said}");
    }
}

#[test]
fn a_name_that_is_far_from_every_other_gets_no_tip() {
    for line in ["b plan --colour-scheme", "b foo", "b completions tcsh", "b apply --frobnicate"] {
        let said = said(line);
        assert!(!said.contains("tip:"), "{line}: {said}");
    }
    assert!(
        said("b plan --tag v1").contains("Usage: brokkr-publish plan [OPTIONS]"),
        "{}",
        said("b plan --tag v1")
    );
}

#[test]
fn no_tip_is_for_something_that_exists() {
    let command = command();
    let mut options = BTreeSet::new();
    reflexes::long_options(&command, &mut options);
    for name in reflexes::SUBCOMMANDS.iter().flat_map(|(names, _)| *names) {
        assert!(command.find_subcommand(name).is_none(), "{name} exists");
    }
    // Tips name options and commands that exist.
    for (_, tip) in reflexes::SUBCOMMANDS.iter().chain(&reflexes::OPTIONS) {
        for word in tip.split(['`', ' ', ';', ',', ':']).filter(|word| word.starts_with("--")) {
            assert!(options.contains(word.trim_start_matches('-')), "{word} in {tip}");
        }
        for (at, _) in tip.match_indices("`brokkr-publish ") {
            let name = tip[at + 16..].split([' ', '`']).next().unwrap_or_default();
            assert!(name.starts_with('-') || command.find_subcommand(name).is_some(), "{name} in {tip}");
        }
    }
}

#[test]
fn every_command_has_a_lesson_whose_examples_it_takes() {
    for (_, line) in teaching::LESSONS.iter().flat_map(|lesson| lesson.examples).chain(teaching::FIRST) {
        let start = line.find("brokkr-publish").expect("the program");
        let line = line[start..].split([')', '|']).next().unwrap_or_default().trim();
        if let Err(error) = Cli::try_parse_from(line.split(' ')) {
            panic!("{line}: {error}");
        }
    }
    let command = command();
    for name in command.get_subcommands().map(clap::Command::get_name) {
        let has = teaching::LESSONS.iter().any(|lesson| lesson.command.split(' ').next() == Some(name));
        assert!(has, "{name} has no lesson");
    }
}

#[test]
fn the_sections_of_a_page_are_in_the_order_of_manuals() {
    let page = teaching::sections("plan");
    let at =
        |title: &str| page.find(&format!(".SH \"{title}\"")).or_else(|| page.find(&format!(".SH {title}")));
    let order: Vec<_> =
        ["EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"].map(at).into_iter().flatten().collect();
    assert!(order.len() == 4 && order.is_sorted(), "{page}");
    assert!(page.contains("there are changes"), "{page}");
}
