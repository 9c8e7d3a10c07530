//! Every rule against its cases and its near misses.

use std::collections::BTreeMap;

use super::cases::{self, found};
use super::near_misses;
use crate::SecretSeverity;
use crate::rule::{Detection, Rule};
use crate::{Match, Rules, places};

/// Returns the rules that look at contents.
fn about_contents() -> impl Iterator<Item = &'static Rule> {
    Rules::standard()
        .all()
        .iter()
        .filter(|it| !matches!(it.detection, Detection::FileName(_) | Detection::Structure))
}

#[test]
fn every_rule_finds_each_of_its_cases_and_no_other_rule_finds_it_too() {
    let mut wrong = Vec::new();
    for case in cases::all() {
        let found = found(case.path, case.text.as_bytes());
        let rules: Vec<&str> = found.iter().map(|it| it.rule).collect();
        // A variable can match both by its name and by its form.
        if rules != [case.rule] {
            wrong.push(format!("{}: found {rules:?} in {:?} {}", case.rule, case.path, case.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_rule_finds_any_of_its_near_misses() {
    let mut wrong = Vec::new();
    for miss in near_misses::all() {
        let found = found(miss.path, miss.text.as_bytes());
        if found.iter().any(|it| it.rule == miss.rule || it.severity == SecretSeverity::High) {
            wrong.push(format!("{}: {found:?} in {:?} {}", miss.rule, miss.path, miss.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_two_cases_and_two_near_misses() {
    let mut counts: BTreeMap<&str, (usize, usize)> = about_contents().map(|it| (it.id, (0, 0))).collect();
    for case in cases::all() {
        counts.get_mut(case.rule).expect("a rule").0 += 1;
    }
    for miss in near_misses::all() {
        counts.get_mut(miss.rule).expect("a rule").1 += 1;
    }
    let few: Vec<_> = counts.iter().filter(|(_, (cases, misses))| *cases < 2 || *misses < 2).collect();
    assert!(few.is_empty(), "{few:?}");
    assert!(counts.len() >= 40, "{} rules", counts.len());
}

#[test]
fn every_rule_has_a_name_of_its_own_and_a_pattern_that_compiles() {
    let rules = Rules::standard();
    let mut names = std::collections::BTreeSet::new();
    for (position, rule) in rules.all().iter().enumerate() {
        assert!(names.insert(rule.id), "{} twice", rule.id);
        assert!(rule.description.ends_with('.'), "{}: {}", rule.id, rule.description);
        if matches!(rule.detection, Detection::Keyword(_) | Detection::Lines(_)) {
            assert!(rules.pattern(position).is_some(), "the pattern of {}", rule.id);
        }
    }
}

#[test]
fn no_keyword_is_short() {
    let mut keywords: Vec<&str> = about_contents()
        .filter_map(|rule| match rule.detection {
            Detection::Keyword(near) => Some(near.keywords),
            _ => None,
        })
        .flatten()
        .copied()
        .collect();
    keywords.sort_unstable();
    keywords.dedup();
    assert!(keywords.iter().all(|it| it.len() >= 3), "{keywords:?}");
}

#[test]
fn names_of_files_are_found_by_their_last_parts() {
    let rule = |path: &str| Rules::standard().search_file_name(path).map(|it| (it.rule, it.severity));
    for (path, id, severity) in [
        ("app/.env", "dotenv-file", SecretSeverity::Medium),
        ("./app/.env.production", "dotenv-file", SecretSeverity::Medium),
        ("src/.git/HEAD", "git-folder", SecretSeverity::High),
        ("/root/.ssh/id_ed25519", "ssh-key-file", SecretSeverity::Medium),
        ("etc/ssh/ssh_host_rsa_key", "ssh-key-file", SecretSeverity::Medium),
        ("root/.aws/credentials", "credentials-file", SecretSeverity::Medium),
        ("root/.docker/config.json", "registry-config-file", SecretSeverity::Low),
        ("root/.kube/config", "kubeconfig-file", SecretSeverity::Medium),
        ("app/tests/.env", "dotenv-file", SecretSeverity::Medium),
        ("srv/node_modules/a/test/id_rsa", "ssh-key-file", SecretSeverity::Low),
        ("infra/prod.tfstate", "terraform-state-file", SecretSeverity::Medium),
        ("root/.bash_history", "history-file", SecretSeverity::Low),
        ("app/release.keystore", "key-store-file", SecretSeverity::Low),
    ] {
        assert_eq!(rule(path), Some((id, severity)), "{path}");
    }
    for path in [
        "app/.env.example",
        "app/env",
        "app/.environment",
        "root/.ssh/id_rsa.pub",
        "config.json",
        ".aws/config",
        "app/.git/config",
        "etc/ssh/ssh_host_rsa_key.pub",
        "app/.env.sample",
        "",
        "/",
        "usr/bin/env",
    ] {
        assert_eq!(rule(path), None, "{path}");
    }
}

#[test]
fn findings_of_tests_and_documentation_weigh_less() {
    let case = cases::all().into_iter().find(|it| it.rule == "stripe-key").expect("a case");
    let severity = |path: &str| found(Some(path), case.text.as_bytes())[0].severity;
    for path in [
        "usr/share/doc/a",
        "usr/lib/python3.11/test/a.pem",
        "app/node_modules/x/tests/a.js",
        "a/README.md",
        "srv/node_modules/x/fixtures/a.json",
        "usr/share/man/x",
        "root/go/pkg/mod/example.org/a@v1/testdata/key",
        "usr/local/go/src/crypto/tls/testdata/key",
        "root/.cargo/registry/src/index/a-1.0.0/tests/key",
        "opt/node_modules/a/a.test.js",
        "opt/site-packages/x/test/a.py",
    ] {
        assert_eq!(severity(path), SecretSeverity::Low, "{path}");
        assert!(places::of_examples(&places::plain(path)), "{path}");
    }
    for path in [
        "app/config",
        "usr/lib/a",
        "app/latest/a",
        "app/contest.txt",
        "usr/share/nginx/html/config.js",
        "usr/share/elasticsearch/config/elasticsearch.yml",
        "usr/share/grafana/conf/a",
        "usr/share/tomcat9/etc/a",
        "home/test/app/a",
        "home/test/.ssh/a",
        "opt/testing/a",
        "test/a",
        "srv/fixtures/a.json",
        "app/node_modules.txt/tests/a",
        "app/a.test.js",
        "usr/lib/node_modules/a/test/.ssh/a",
        "usr/lib/node_modules/a/test/.npmrc",
        "usr/lib/python3/dist-packages/a/test/.aws/credentials",
        "usr/share/doc/a/.docker/config.json",
    ] {
        assert_eq!(severity(path), SecretSeverity::High, "{path}");
    }
}

#[test]
fn a_checksum_proves_a_secret_in_tests_and_documentation_too() {
    let mut maker = super::made::Maker::new(8);
    for (token, severity) in [
        (maker.with_crc("ghp_"), SecretSeverity::High),
        (maker.age(), SecretSeverity::High),
        (format!("hf_{}", "aBcD".repeat(8)), SecretSeverity::Low),
    ] {
        let found = found(Some("usr/lib/python3/dist-packages/a/tests/a.py"), token.as_bytes());
        assert!(found.iter().all(|it| it.severity == severity), "{found:?}");
    }
    let wrong = found(Some("a/README.md"), format!("npm_{}", maker.alnum(36)).as_bytes());
    assert_eq!(wrong.iter().map(|it| it.severity).collect::<Vec<_>>(), [SecretSeverity::Low]);
}

#[test]
fn the_worst_of_many_findings_of_a_rule_are_kept() {
    let mut maker = super::made::Maker::new(12);
    let weak: String = (0..60).map(|number| format!("A{number}_SECRET=correcthorse{number}\n")).collect();
    let real = format!("APP_SECRET={}\n", maker.alnum(32));
    for text in [format!("{weak}{real}"), format!("{real}{weak}"), format!("{weak}{real}{weak}")] {
        let found = found(Some("app/.env"), text.as_bytes());
        assert_eq!(found.len(), 20, "{found:?}");
        assert_eq!(found.iter().filter(|it| it.severity == SecretSeverity::High).count(), 1, "{found:?}");
        let first = found.iter().find(|it| it.severity == SecretSeverity::Medium).expect("a weak one");
        assert!(first.line <= Some(2), "{first:?}");
    }
    let wrong: String = (0..40).map(|_| format!("ghp_{}\n", maker.alnum(36))).collect();
    let right = maker.with_crc("ghp_");
    let found = found(Some("usr/lib/node_modules/a/b"), format!("{wrong}{right}\n").as_bytes());
    assert_eq!(found.len(), 20);
    let last = found.last().expect("the right one");
    assert_eq!((last.severity, last.line), (SecretSeverity::High, Some(41)));
}

#[test]
fn templates_patterns_and_addresses_are_no_random_values() {
    for (name, value) in [
        ("DB_PASSWORD", "${DB_PASSWORD:-Change_Me1}"),
        ("DB_PASSWORD", "%(ENV_DB_PASSWORD_1)s"),
        ("APP_SECRET", "{{ .Values.app1.Secret | quote }}"),
        ("EMAIL", r"^[A-Z0-9._%+-]+@[A-Z0-9.-]+\.[A-Za-z]{2,}$"),
        ("LS_COLORS", "rs=0:di=01;34:ln=01;36:mh=00:pi=40;33:so=01;35:*.Z=01;31"),
        ("MIRROR", "https://a1B2-c3D4.E5f6.example.org/x/y?Z9=8&w7=Q"),
    ] {
        assert_eq!(Rules::standard().search_variable(name, value), [], "{name}={value}");
    }
}

#[test]
fn the_first_of_rules_that_find_the_same_value_wins_with_the_highest_severity() {
    let mut maker = super::made::Maker::new(14);
    let jwt = maker.jwt(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"sub":"somebody"}"#);
    let token = format!("ghp_{}", maker.alnum(36));
    for (name, value, rule) in [
        ("AUTH_TOKEN", &jwt, "jwt"),
        ("GITHUB_TOKEN", &token, "github-token"),
        ("OTHER", &token, "github-token"),
    ] {
        let shown = |found: Vec<Match>| found.iter().map(|it| (it.rule, it.severity)).collect::<Vec<_>>();
        assert_eq!(shown(Rules::standard().search_variable(name, value)), [(rule, SecretSeverity::High)]);
        assert_eq!(
            shown(found(Some("app/.env"), format!("{name}={value}\n").as_bytes())),
            [(rule, SecretSeverity::High)]
        );
    }
}

#[test]
fn some_values_weigh_more_in_variables_than_in_other_files() {
    let mut maker = super::made::Maker::new(16);
    let google = format!("AIza{}", maker.alnum(35));
    let url = "postgres://app:Str0ng!Pass@db.internal/app".to_owned();
    for (name, value) in [("MAPS", google), ("DATABASE", url)] {
        let severity = |found: Vec<Match>| found.iter().map(|it| it.severity).collect::<Vec<_>>();
        let text = format!("{name}={value}\n");
        assert_eq!(severity(Rules::standard().search_variable(name, &value)), [SecretSeverity::High]);
        assert_eq!(severity(found(Some("srv/.env"), text.as_bytes())), [SecretSeverity::High]);
        assert_eq!(severity(found(Some("srv/.env.example"), text.as_bytes())), [SecretSeverity::Low]);
        let in_program = if name == "MAPS" { SecretSeverity::Medium } else { SecretSeverity::High };
        assert_eq!(severity(found(Some("srv/main.js"), text.as_bytes())), [in_program]);
    }
    for (value, severity) in [
        ("Str0ng!Pass99", SecretSeverity::High),
        ("winter2024", SecretSeverity::High),
        ("correcthorse", SecretSeverity::Medium),
        ("postgres123!", SecretSeverity::Medium),
    ] {
        let found = Rules::standard().search_variable("DB_PASSWORD", value);
        assert_eq!(found.iter().map(|it| it.severity).collect::<Vec<_>>(), [severity], "{value}");
    }
    for (url, severity) in [
        ("postgres://app:correcthorse@db.internal/app", SecretSeverity::Medium),
        ("postgres://app:Str0ng!Pass@localhost/app", SecretSeverity::Medium),
    ] {
        let found = Rules::standard().search_variable("DATABASE", url);
        assert_eq!(found.iter().map(|it| it.severity).collect::<Vec<_>>(), [severity], "{url}");
    }
}

#[test]
fn settings_of_charts_weigh_by_their_values() {
    let random = super::made::Maker::new(18).alnum(20);
    for (path, line, severity) in [
        ("values.yaml", format!("password: {random}"), Some(SecretSeverity::High)),
        ("values.yaml", "  adminPassword: prom-operator".to_owned(), Some(SecretSeverity::Medium)),
        ("values.yaml", "  adminPassword: \"Str0ng!Pass99\"".to_owned(), Some(SecretSeverity::High)),
        ("values.yaml", "  existingSecret: grafana-admin1".to_owned(), None),
        ("values.yaml", "  passwordSecretName: Grafana-admin1".to_owned(), None),
        ("values.yaml", "  token: &token".to_owned(), None),
        ("values.yaml", "# password: Str0ng!Pass99".to_owned(), None),
        ("values.yaml", "  description: Str0ng!Pass99".to_owned(), None),
        ("a.yaml", format!("password: {random}"), Some(SecretSeverity::High)),
        ("usr/lib/node_modules/a/a.yaml", format!("password: {random}"), None),
    ] {
        let found = found(Some(path), line.as_bytes());
        assert_eq!(found.first().map(|it| it.severity), severity, "{path}: {line}");
    }
}

#[test]
fn random_passwords_are_distinguished_from_words() {
    let mut maker = super::made::Maker::new(20);
    let severity =
        |value: &str| Rules::standard().search_variable("APP_SECRET", value).first().map(|it| it.severity);
    let high = (0..2000).filter(|_| severity(&maker.alnum(16)) == Some(SecretSeverity::High)).count();
    assert!(high >= 1980, "{high} of 2000");
    for words in [
        "correcthorsebatterystaple",
        "CorrectHorseBatteryStaple",
        "MyVeryOwnPassPhrase",
        "correct_horse_BATTERY",
    ] {
        assert_eq!(severity(words), Some(SecretSeverity::Medium), "{words}");
    }
}

#[test]
fn a_part_of_placeholders_in_the_middle_of_a_long_token_does_not_hide_it() {
    let mut maker = super::made::Maker::new(22);
    for part in ["fake", "dummy", "sample"] {
        let token = format!("pypi-AgEIcHlwaS5vcmc{}{part}{}", maker.alnum(80), maker.alnum(40));
        assert_eq!(found(Some("a"), token.as_bytes()).len(), 1, "{token}");
        let words = format!("pypi-AgEIcHlwaS5vcmc{}-{part}-{}", maker.alnum(80), maker.alnum(40));
        assert_eq!(found(Some("a"), words.as_bytes()).len(), 0, "{words}");
    }
    for (value, count) in [("R4fAkEq9ZtLw03Pm", 1), ("R4fakeq9ZtLw03Pm", 0), ("FAKE4q9ZtLw03Pm1", 0)] {
        assert_eq!(Rules::standard().search_variable("APP_SECRET", value).len(), count, "{value}");
    }
}

#[test]
fn keys_with_a_passphrase_weigh_less() {
    let severity = |rule: &str, path: &str| {
        let case =
            cases::all().into_iter().find(|it| it.rule == rule && it.path == Some(path)).expect("a case");
        found(case.path, case.text.as_bytes())[0].severity
    };
    assert_eq!(severity("private-key", "app/encrypted.key"), SecretSeverity::Low);
    assert_eq!(severity("openssh-private-key", "root/.ssh/locked"), SecretSeverity::Low);
    assert_eq!(severity("openssh-private-key", "root/.ssh/deploy"), SecretSeverity::High);
    assert_eq!(severity("private-key", "app/server.key"), SecretSeverity::High);
}

#[test]
fn a_wrong_checksum_makes_a_token_less_likely_and_a_right_one_proves_it_anywhere() {
    let token = super::made::Maker::new(7).with_crc("ghp_");
    let severity =
        |text: String| found(Some("a"), format!("- - - - {text}").as_bytes()).first().map(|it| it.severity);
    assert_eq!(severity(token.clone()), Some(SecretSeverity::High));
    assert_eq!(severity(format!("abc{token}def")), Some(SecretSeverity::High));
    let wrong = format!("{}0{}", &token[..20], &token[21..]);
    assert_ne!(wrong, token);
    assert_eq!(severity(wrong.clone()), Some(SecretSeverity::High));
    assert_eq!(severity(format!("abc{wrong}")), None);
    let in_package = |text: &str| {
        let text = format!("- - - - {text}");
        found(Some("usr/lib/node_modules/a/index.js"), text.as_bytes()).first().map(|it| it.severity)
    };
    assert_eq!(in_package(&wrong), Some(SecretSeverity::Medium));
    assert_eq!(in_package(&token), Some(SecretSeverity::High));
    assert_eq!(in_package("AKIAQ4TJ7XZ2M5RWNB3K"), Some(SecretSeverity::Medium));
    assert_eq!(severity("AKIAQ4TJ7XZ2M5RWNB3K".to_owned()), Some(SecretSeverity::High));
}

#[test]
fn a_token_in_a_compiled_program_is_found_after_its_length() {
    let token = format!("sk_live_{}", super::made::Maker::new(5).alnum(40));
    // The length is the letter `0`, which would belong to the word.
    for (before, count) in [(b'0', 1), (b'5', 0), (b'A', 0)] {
        let bytes = [&[0, 1, b'z', before], token.as_bytes(), b"r\x01\x00N"].concat();
        let found = found(Some("a.pyc"), &bytes);
        assert_eq!(found.len(), count, "{before}: {found:?}");
        assert!(found.iter().all(|it| it.line.is_none()));
    }
}

#[test]
fn variables_are_found_by_name_and_by_form_and_reported_once() {
    let rules = |name: &str, value: &str| -> Vec<&str> {
        Rules::standard().search_variable(name, value).into_iter().map(|it| it.rule).collect()
    };
    let mut maker = super::made::Maker::new(3);
    let token = maker.with_crc("ghp_");
    assert_eq!(rules("ANYTHING", &token), ["github-token"]);
    assert_eq!(rules("GITHUB_TOKEN", &token), ["github-token"]);
    assert_eq!(rules("APP_SECRET", &maker.alnum(20)), ["generic-assignment"]);
    assert_eq!(rules("AWS_SECRET_ACCESS_KEY", &maker.base64(30)), ["aws-secret-access-key"]);
    assert_eq!(
        rules("DATABASE_URL", &format!("postgres://a:{}@db.org/a", maker.alnum(18))),
        ["url-with-password"]
    );
    assert_eq!(rules("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"), [""; 0]);
    assert_eq!(rules("PYTHON_SHA256", &maker.hex(64)), [""; 0]);
    let weak = Rules::standard().search_variable("DB_PASSWORD", "correcthorse");
    assert_eq!(weak.iter().map(|it| it.severity).collect::<Vec<_>>(), [SecretSeverity::Medium]);
}

#[test]
fn lines_are_counted_from_one() {
    let case = cases::all().into_iter().find(|it| it.rule == "stripe-key").expect("a case");
    let text = format!("a\nb\n{}\n{}", "x".repeat(30_000) + "\n", case.text);
    assert_eq!(found(Some("a"), text.as_bytes())[0].line, Some(5));
}
