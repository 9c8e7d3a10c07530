//! Files that are secrets or often hold secrets, recognized by their names. Their contents are searched as well.

use crate::rule::{Detection, Rule};
use crate::severity::SecretSeverity;

pub(super) const RULES: &[Rule] = &[
    name(
        "dotenv-file",
        SecretSeverity::Medium,
        "`.env` file",
        "A file of environment variables, which often holds secrets.",
        &[".env", ".env.*", ".envrc"],
    ),
    name(
        "git-folder",
        SecretSeverity::High,
        "Git repository",
        "The folder of a git repository: its whole history, and perhaps credentials in its configuration.",
        &[".git/head"],
    ),
    name(
        "ssh-key-file",
        SecretSeverity::Medium,
        "SSH key file",
        "An OpenSSH private key, recognized by its usual name.",
        &["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk", "ssh_host_*_key"],
    ),
    name(
        "credentials-file",
        SecretSeverity::Medium,
        "Credentials file",
        "A file whose purpose is to hold credentials: for git, AWS, Google, Azure, PostgreSQL and others.",
        &[
            ".git-credentials",
            ".aws/credentials",
            "gcloud/application_default_credentials.json",
            "gcloud/credentials.db",
            ".azure/accesstokens.json",
            ".azure/msal_token_cache.json",
            ".pgpass",
            ".netrc",
            "_netrc",
            ".pypirc",
            ".cargo/credentials.toml",
            ".gem/credentials",
            ".terraform.d/credentials.tfrc.json",
            ".vault-token",
            ".my.cnf",
        ],
    ),
    name(
        "registry-config-file",
        SecretSeverity::Low,
        "Registry configuration",
        "A file that may hold a registry credential: of npm, Docker, Podman or Helm.",
        &[
            ".npmrc",
            ".yarnrc.yml",
            ".docker/config.json",
            ".dockercfg",
            "containers/auth.json",
            "helm/registry/config.json",
        ],
    ),
    name(
        "kubeconfig-file",
        SecretSeverity::Medium,
        "kubeconfig",
        "Credentials for Kubernetes clusters.",
        &[".kube/config", "kubeconfig", "etc/kubernetes/admin.conf"],
    ),
    name(
        "key-store-file",
        SecretSeverity::Low,
        "Key store",
        "A key store in a format that is not read here: PKCS #12, Java, KeePass.",
        &["*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk"],
    ),
    name(
        "terraform-state-file",
        SecretSeverity::Medium,
        "Terraform state",
        "A Terraform state, which holds every secret that it knows in plain text.",
        &["*.tfstate", "*.tfstate.backup"],
    ),
    name(
        "history-file",
        SecretSeverity::Low,
        "Shell history",
        "The commands typed into a shell or a database client, passwords included.",
        &[
            ".bash_history",
            ".zsh_history",
            ".sh_history",
            ".ash_history",
            ".psql_history",
            ".mysql_history",
            ".python_history",
        ],
    ),
];

const fn name(
    id: &'static str,
    severity: SecretSeverity,
    title: &'static str,
    description: &'static str,
    names: &'static [&'static str],
) -> Rule {
    Rule { id, title, severity, description, detection: Detection::FileName(names) }
}
