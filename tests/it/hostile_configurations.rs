//! Configurations, variables and options with a secret in a place for something else. The program may refuse them, but shows none of it.

use testkit::command::Folder;

const START: &str = "version = 1\n[registries.r]\nurl = \"localhost:1/acme\"\n[tags.version]\non = \"tag\"\ntemplate = \"v{{ version }}\"\n[images.app]\nsource = \"oci:image\"\n";
/// A password that looks like one, put together here so that no scanner finds it in this file.
fn word() -> String {
    ["R7dQ2m", "Vx9KcT", "4nLw8Z"].concat()
}

/// A token of GitHub's form that nobody has.
fn token() -> String {
    ["gh", "p_", "R7dQ2mVx9KcT4nLw8ZbH3sYf6JgA1p0uEoXi"].concat()
}

/// One configuration: what follows the usual beginning, options and variables. `WORD` and `TOKEN` stand for secrets.
struct Case {
    more: &'static str,
    options: &'static [&'static str],
    variables: &'static [(&'static str, &'static str)],
}

const fn file(more: &'static str) -> Case {
    Case { more, options: &[], variables: &[] }
}

const fn option(options: &'static [&'static str]) -> Case {
    Case { more: "", options, variables: &[] }
}

const fn variable(variables: &'static [(&'static str, &'static str)]) -> Case {
    Case { more: "", options: &[], variables }
}

const CASES: [Case; 44] = [
    file("[registries.s]\nurl = \"localhost:1\"\npassword = \"WORD\"\n"),
    file("[registries.s]\nurl = \"localhost:1\"\npasword = \"WORD\"\n"),
    file("[registries.s]\nurl = \"localhost:1\"\ntokne = \"WORD\"\n"),
    file("[registries.s]\nurl = \"localhost:1\"\nsecert = \"WORD\"\n"),
    file("[registries.s]\nurl = \"localhost:1\"\napi_key = \"WORD\"\n"),
    file("[registries.s]\nurl = \"localhost:1\"\nAUTH = \"WORD\"\n"),
    file("[registries.s]\nurl = \"localhost:1\"\nauth = { username = \"bot\", password = \"WORD\" }\n"),
    file(
        "[registries.s]\nurl = \"localhost:1\"\nauth = { username_env = \"U\", password_env = \"WORD-1\" }\n",
    ),
    file("[registries.s]\nurl = \"localhost:1\"\nauth = \"bot:WORD\"\n"),
    file("[registries.s]\nurl = \"localhost:1\"\nauth = [\"bot\", \"WORD\"]\n"),
    file("[registries.s]\nurl = \"https://bot:WORD@localhost:1\"\n"),
    file("[registries.s]\nurl = \"bot:WORD@localhost:1\"\n"),
    file(
        "[registries.s]\nurl = \"localhost:1\"\nprovider = \"harbor\"\napi_url = \"https://bot:WORD@localhost\"\n",
    ),
    file(
        "[registries.s]\nurl = \"localhost:1\"\nprovider = \"harbor\"\napi_url = \"https://localhost/?token=WORD\"\n",
    ),
    file("[registries.s]\nurl = \"localhost:1\"\napi_token_env = \"TOKEN\"\n"),
    file("[registries.s]\nurl = \"localhost:1\"\nprovider = \"TOKEN\"\n"),
    file("[registries.s]\nurl = \"localhost:1\"\nvisibility = \"TOKEN\"\n"),
    file("[registries.TOKEN]\nurl = \"localhost:1\"\nnothing = 1\n"),
    file("[credentials]\npassword = \"WORD\"\n"),
    file("[token]\nvalue = \"WORD\"\n"),
    file("password = \"WORD\"\n"),
    file("# password = \"TOKEN\"\nwrong = 1\n"),
    file("[vars]\ntoken = { value = \"WORD\" }\n"),
    file(
        "[vars]\npassword = \"WORD\"\nother = \"{{ nothing }}\"\n[tags.x]\non = \"tag\"\ntemplate = \"{{ vars.pasword }}\"\n",
    ),
    file("[vars]\nt = \"TOKEN\"\n[tags.x]\non = \"tag\"\ntemplate = \"{{ vars.t }} x\"\n"),
    file("[tags.x]\non = \"tag\"\ntemplate = \"TOKEN {{\"\n"),
    file("[tags.x]\non = \"TOKEN\"\ntemplate = \"x\"\n"),
    file("[images.b]\nsource = \"docker://bot:WORD@localhost:1/app\"\n"),
    file("[images.b]\nsource = \"https://bot:WORD@localhost:1/app\"\n"),
    file("[images.b]\nsource = \"oci:x\"\nrepository = \"TOKEN/APP\"\n"),
    file("[images.b]\nsource = \"oci:x\"\nregistries = [\"TOKEN\"]\n"),
    file("[images.b]\nsource = \"oci:x\"\nplatforms = [\"TOKEN\"]\n"),
    file("[secrets]\npolicy = \"TOKEN\"\n"),
    file("[secrets]\nallow = [{ rule = \"TOKEN\", reason = \"x\" }]\n"),
    file("[registries.s]\nurl = \"localhost:1\"\npassword = \"\"\"WORD\n"),
    option(&["--set", "registries.r.pasword=WORD"]),
    option(&["--set", "registries.r.auth.password=WORD"]),
    option(&["--set", "token=WORD"]),
    option(&["--set", "registries.r.url=https://bot:WORD@localhost:1"]),
    option(&["--set", "TOKEN"]),
    variable(&[("BROKKR_PUBLISH_TOKEN", "WORD")]),
    variable(&[("BROKKR_PUBLISH_PASSWORD", "WORD")]),
    variable(&[("BROKKR_PUBLISH_REGISTRIES__R__PASSWORD", "WORD")]),
    variable(&[("BROKKR_PUBLISH_REGISTRIES__R__URL", "https://bot:WORD@localhost:1")]),
];

#[test]
fn no_output_shows_a_secret_of_a_configuration() {
    let (word, token) = (word(), token());
    let fill = |text: &str| text.replace("WORD", &word).replace("TOKEN", &token);
    for (number, case) in CASES.iter().enumerate() {
        let is_top = case.more.starts_with(['p', '#']);
        let text = if is_top {
            START.replacen('\n', &format!("\n{}", fill(case.more)), 1)
        } else {
            format!("{START}{}", fill(case.more))
        };
        let folder = Folder::with(&[("publish.toml", &text)]);
        for command in [
            "lint",
            "lint --format json",
            "lint --format github",
            "lint --format sarif",
            "plan --ref refs/tags/v1.2.3",
        ] {
            let arguments = command.split(' ').map(str::to_owned);
            let arguments: Vec<String> = case.options.iter().map(|it| fill(it)).chain(arguments).collect();
            let mut run = folder.run_with(&arguments).wide();
            for (name, value) in case.variables {
                run = run.env(name, fill(value));
            }
            let shown = run.done().shown();
            for secret in [&word, &token] {
                assert!(!shown.contains(secret.as_str()), "case {number}, {command}: {shown}");
            }
        }
    }
}
