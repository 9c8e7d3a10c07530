//! Instructions and command lines: those in which a secret is found, and those that are left alone.

use crate::SecretSeverity;
use crate::{Match, Rules};
use oci_registry::Digest;

fn found(text: &str) -> Vec<Match> {
    Rules::standard().search_command(text)
}

#[test]
fn a_password_in_a_command_is_found_wherever_programs_take_one() {
    for (before, after) in [
        ("curl -u ci:", " https://repo.internal/"),
        ("curl -sSL -uci:", " https://repo.internal/"),
        ("curl --user \"ci:", "\" https://repo.internal/"),
        ("curl -H 'Authorization: Bearer ", "' https://api.internal/"),
        ("curl -H \"authorization: Basic ", "\" https://api.internal/"),
        ("curl --header \"PRIVATE-TOKEN: ", "\" https://git.internal/"),
        ("curl -H 'X-Api-Key: ", "' https://api.internal/"),
        ("docker login -u ci -p ", " registry.internal"),
        ("helm registry login -u ci -p '", "' registry.internal"),
        ("docker login --username ci --password ", " registry.internal"),
        ("mysql -u root -p", " -e 'select 1'"),
        ("mysqldump -h db -p", " app"),
        ("sshpass -p ", " ssh host"),
        ("redis-cli -h cache -a ", " ping"),
        ("/app/server --no-cache --password ", ""),
        ("/app/server --db-password=", " --port 80"),
        ("/app/server --api-key ", " --port 80"),
        ("/app/server -token ", ""),
        ("java -Ddb.password=", " -jar a.jar"),
        ("CMD [\"/app/server\", \"--token\", \"", "\"]"),
        ("CMD [\"/app/server\" \"--token\" \"", "\"]"),
        ("echo 'machine git.internal login ci password ", "' > ~/.netrc"),
        ("printf \"machine git.internal\\nlogin ci\\npassword ", "\" > ~/.netrc"),
        ("echo \"root:", "\" | chpasswd"),
        ("/bin/sh -c #(nop)  ENV DB_PASSWORD ", ""),
    ] {
        for (password, severity) in [
            ("troubador9".to_owned(), SecretSeverity::Medium),
            (super::made::Maker::new(9).alnum(24), SecretSeverity::High),
        ] {
            let found = found(&format!("RUN apk add a\n{before}{password}{after}"));
            let shown: Vec<_> =
                found.iter().map(|it| (it.severity, it.line, it.fingerprint.clone())).collect();
            assert_eq!(
                shown,
                [(severity, Some(2), Digest::of(password.as_bytes()))],
                "{before}{password}{after}"
            );
        }
    }
}

#[test]
fn a_command_that_takes_its_secret_from_elsewhere_is_left_alone() {
    for text in [
        "curl -u $USER:$PASSWORD https://repo.internal/",
        "curl -u \"ci:${PASSWORD}\" https://repo.internal/",
        "curl -u ci:password https://repo.internal/",
        "curl -H \"Authorization: Bearer $TOKEN\" https://api.internal/",
        "curl -H \"Authorization: Bearer <token>\" https://api.internal/",
        "docker login -u ci -p $REGISTRY_PASSWORD registry.internal",
        "docker login -u ci --password-stdin registry.internal",
        "mysql -u root -p\"$MYSQL_ROOT_PASSWORD\" -e 'select 1'",
        "mysql -u root -p app",
        "adduser --disabled-password --gecos '' app",
        "adduser --disabled-password appuser",
        "psql --no-password app_database",
        "RUN --mount=type=secret,id=npm-token npm ci",
        "app --token-file /run/token --password-file=/run/password --secret id=abcdef",
        "app --password /run/secrets/db --token @token.txt --api-key changeme",
        "app --port 8080 --name server --key-size 4096",
        "mkdir -p /var/lib/mysql && chown mysql -p /run",
        "echo 'machine git.internal login ci password $TOKEN' > ~/.netrc",
        "apt-get install --no-install-recommends libpassword-perl",
        "ENV PATH /usr/local/bin:/usr/bin",
    ] {
        assert!(found(text).is_empty(), "{text}: {:?}", found(text));
    }
}

#[test]
fn a_command_is_searched_as_any_other_text_too() {
    let token = super::made::Maker::new(4).with_crc("ghp_");
    let shown: Vec<_> = found(&format!("git clone https://x:{token}@git.internal/a && app --token {token}"))
        .into_iter()
        .map(|it| (it.rule, it.severity))
        .collect();
    assert_eq!(shown, [("github-token", SecretSeverity::High)]);
    let jwt = super::made::Maker::new(4).jwt(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"sub":"somebody"}"#);
    let found = found(&format!("curl -H 'Authorization: Bearer {jwt}' https://api.internal/"));
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_command_of_nothing_but_names_of_programs_takes_bounded_time() {
    for word in [
        "curl -u ",
        "login -p ",
        "mysql ",
        "--password ",
        "authorization: bearer ",
        "machine a password ",
        "echo a:b",
        "-a",
    ] {
        let _ = found(&word.repeat(200_000 / word.len()));
        let _ = found(&format!("{word}abcd{word}").repeat(100_000 / word.len()));
    }
}
