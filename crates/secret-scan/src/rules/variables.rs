//! Secrets without a distinctive form, recognized by the name of the variable that they are assigned to.

use crate::rule::{Detection, Rule};
use crate::severity::SecretSeverity;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "generic-assignment",
        title: "Secret in a variable",
        severity: SecretSeverity::High,
        description: "A variable with the name of a secret, in an image's environment, history and labels or in a file of \
            variables; medium severity unless its value looks random, or is a password of eight characters or more of two \
            kinds or more.",
        detection: Detection::Variable(&[
            ".env",
            ".env.*",
            "*.env",
            ".envrc",
            "etc/environment",
            ".bashrc",
            ".bash_profile",
            ".profile",
            ".zshrc",
            ".pam_environment",
        ]),
    },
    Rule {
        id: "secret-in-command",
        title: "Secret in a command",
        severity: SecretSeverity::High,
        description: "A password or token in an instruction or a command line: after `curl -u`, `login -p`, `mysql -p` or an \
            option with the name of a secret, in a header, or in text that is written to a `.netrc`; medium severity \
            unless it looks random.",
        detection: Detection::Command,
    },
];
