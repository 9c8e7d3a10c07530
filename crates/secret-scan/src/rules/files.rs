//! Passwords in files with certain names, line by line.

use crate::rule::{Detection, FileLines, Rule, ValueCheck};
use crate::severity::SecretSeverity;

pub(super) const RULES: &[Rule] = &[
    // The manual of ftp, "THE .netrc FILE".
    in_lines(
        "netrc-password",
        "Password in `.netrc`",
        "A password for a machine in a .netrc.",
        &[".netrc", "_netrc", "etc/apt/auth.conf", "auth.conf.d/*.conf"],
        r"(?:.*\s)?(?i:password)\s+(?P<value>[^\s]{4,512})",
    ),
    // www.postgresql.org, "The Password File".
    in_lines(
        "pgpass",
        "Password in `.pgpass`",
        "A database password in a PostgreSQL password file.",
        &[".pgpass", "pgpass.conf"],
        r"[^#:][^:]*:[^:]*:[^:]*:[^:]*:(?P<value>.{4,512})",
    ),
    // packaging.python.org, "The .pypirc file".
    in_lines(
        "pypirc-password",
        "Password in `.pypirc`",
        "A password for a package index in a .pypirc.",
        &[".pypirc"],
        r"\s*password\s*[:=]\s*(?P<value>[^\s]{4,1500})",
    ),
    // dev.mysql.com, "Using option files".
    in_lines(
        "my-cnf-password",
        "Password in `.my.cnf`",
        "A password in a MySQL or MariaDB option file.",
        &[".my.cnf", "my.cnf", ".mylogin.cnf"],
        r#"\s*password\s*=\s*["']?(?P<value>[^\s"']{4,512})"#,
    ),
    // docs.npmjs.com, "npmrc": base64 of USER:PASSWORD.
    Rule {
        detection: Detection::Lines(FileLines {
            files: &[".npmrc"],
            pattern: r#"[^#;]*\b_auth\s*=\s*["']?(?P<value>[0-9A-Za-z+/]{10,1500}={0,2})"#,
            check: ValueCheck::BasicAuth,
        }),
        ..in_lines(
            "npmrc-password",
            "Password in `.npmrc`",
            "A user and password for a registry in an .npmrc.",
            &[],
            "",
        )
    },
    // maven.apache.org, "Settings reference". A value between braces is encrypted.
    in_lines(
        "maven-password",
        "Password in Maven's settings",
        "A password or passphrase for a server in a settings.xml.",
        &[".m2/settings.xml", ".m2/settings-security.xml"],
        r".*<(?:password|passphrase)>\s*(?P<value>[^<{$\s][^<\s]{3,512})",
    ),
    // doc.rust-lang.org, Cargo, "Registry Authentication".
    in_lines(
        "cargo-token",
        "Token in Cargo's credentials",
        "A token for crates.io or another registry in Cargo's credentials.toml.",
        &[".cargo/credentials.toml", ".cargo/credentials", "cargo/credentials.toml"],
        r#"\s*(?:secret-)?(?:token|key)\s*=\s*["'](?P<value>[^"']{8,1500})"#,
    ),
    // s3tools.org, "The s3cmd configuration file".
    in_lines(
        "s3cfg-secret",
        "Secret key in `.s3cfg`",
        "An S3 secret key in the settings of s3cmd.",
        &[".s3cfg", "s3cfg", ".s3cfg-*"],
        r"\s*secret_key\s*=\s*(?P<value>[^\s]{8,512})",
    ),
    // httpd.apache.org, "Password Formats".
    hashes(
        "password-hash",
        "Hash of a password",
        "The hash of a password, in a password file of the system or of a web server.",
        &[
            "etc/shadow",
            "etc/shadow-",
            "etc/gshadow",
            ".htpasswd",
            "htpasswd",
            "*.htpasswd",
            ".htdigest",
            "passwd.htpasswd",
        ],
        r"[^:#\s][^:]{0,255}:(?:[^:]{0,255}:)?(?P<value>\$(?:apr1|1|2[abxy]|5|6|7|y|gy|argon2id?)\$[^\s:]{20,}|\{SHA\}[0-9A-Za-z+/=]{27,}|[./0-9A-Za-z]{13}|[0-9a-f]{32})(?:[:\s]|$)",
    ),
    // The manual of pppd; www.postfix.org, "SASL authentication in the Postfix SMTP client"; squid, rsync, PgBouncer.
    in_lines(
        "mail-and-network-password",
        "Password of mail or network",
        "A password of a mail server, a network connection or a proxy, in the file of passwords of the program.",
        &[
            "sasl_passwd",
            "chap-secrets",
            "pap-secrets",
            "passwd.client",
            "rsyncd.secrets",
            "userlist.txt",
            "*.passwd-s3fs",
            ".passwd-s3fs",
        ],
        r#"\s*(?:[^#\s:]+(?::[0-9]+)?\s+[^\s:]+:|["']?[^#\s"']+["']?\s+(?:\*|[^\s"']+)\s+["']?|["'][^"']+["']\s+["']|[^#\s:]+:)(?P<value>[^\s"']{4,512})"#,
    ),
    // Values of Helm charts, Java properties, settings of ASP.NET Core, Compose files, Terraform, programs.
    Rule {
        id: "secret-in-settings",
        title: "Secret in settings",
        severity: SecretSeverity::High,
        description: "A setting with the name of a secret, or a private key in base64, in a file of settings, or assigned in a program, \
             outside of packages; medium severity unless it looks random, or is a strong password.",
        detection: Detection::Setting,
    },
    Rule {
        id: "secret-file",
        title: "Secret that is a whole file",
        severity: SecretSeverity::High,
        description: "A word that looks random and is all that a small file holds, or a password in a file named as a secret, outside of \
             packages.",
        detection: Detection::Lone,
    },
];

/// Returns a rule about a password that a person wrote: any text except the passwords of examples.
const fn in_lines(
    id: &'static str,
    title: &'static str,
    description: &'static str,
    files: &'static [&'static str],
    pattern: &'static str,
) -> Rule {
    let detection = Detection::Lines(FileLines { files, pattern, check: ValueCheck::Password });
    Rule { id, title, severity: SecretSeverity::High, description, detection }
}

/// Returns a rule about hashes of passwords.
const fn hashes(
    id: &'static str,
    title: &'static str,
    description: &'static str,
    files: &'static [&'static str],
    pattern: &'static str,
) -> Rule {
    let detection = Detection::Lines(FileLines { files, pattern, check: ValueCheck::Hash });
    Rule { id, title, severity: SecretSeverity::High, description, detection }
}
