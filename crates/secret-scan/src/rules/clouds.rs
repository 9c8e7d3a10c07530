//! Credentials of clouds, and of tools that run things there.

use crate::rule::{Detection, NearKeyword, PatternStart, Rule, ValueCheck};
use crate::severity::SecretSeverity;

pub(super) const RULES: &[Rule] = &[
    // docs.aws.amazon.com, IAM, "Unique identifiers": AKIA of users, ASIA of sessions, ABIA and ACCA of services.
    Rule::near(
        "aws-access-key-id",
        "AWS access key ID",
        "The ID of an AWS access key. The secret key is rarely far away. Medium severity in packages.",
        NearKeyword {
            keywords: &["AKIA", "ASIA", "ABIA", "ACCA"],
            start: PatternStart::Here,
            pattern: "A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}",
            entropy: 3.0,
            check: ValueCheck::OfOwner,
        },
    ),
    // 40 characters of base64, recognized only by their name.
    Rule::near(
        "aws-secret-access-key",
        "AWS secret access key",
        "An AWS secret access key, recognized by its name.",
        NearKeyword {
            keywords: &["secret_access_key", "SECRET_ACCESS_KEY", "ecretAccessKey"],
            start: PatternStart::Within,
            pattern: r#"(?:(?i:secret_access_key)|ecretAccessKey)["']?\s{0,8}(?:=>|[:=>])\s{0,8}["']?(?P<value>[0-9A-Za-z+/]{40})"#,
            entropy: 4.1,
            check: ValueCheck::Random,
        },
    ),
    // registry.terraform.io, "AWS Provider": `secret_key` beside `access_key`.
    Rule::near(
        "aws-secret-key",
        "AWS secret key",
        "An AWS secret access key after the name `secret_key`, if AWS or one of its access keys is named nearby.",
        NearKeyword {
            keywords: &["secret_key", "SECRET_KEY", "ecretKey"],
            start: PatternStart::Within,
            pattern: r#"(?:(?i:secret_key)|ecretKey)["']?\s{0,16}(?:=>|[:=])\s{0,8}["']?(?P<value>[0-9A-Za-z+/]{40})"#,
            entropy: 4.1,
            check: ValueCheck::NearAws,
        },
    ),
    // cloud.google.com, "API keys". Keys for browsers are public by design.
    Rule {
        severity: SecretSeverity::Medium,
        ..Rule::near(
            "google-api-key",
            "Google API key",
            "A Google API key; high severity in variables and in files of variables.",
            NearKeyword {
                keywords: &["AIza"],
                start: PatternStart::Here,
                pattern: "AIza[0-9A-Za-z_-]{35}",
                entropy: 3.0,
                check: ValueCheck::InVariables,
            },
        )
    },
    // developers.google.com, "Using OAuth 2.0", as `gcloud auth application-default login` writes them.
    Rule::near(
        "google-refresh-token",
        "Google refresh token",
        "A Google refresh token, as in gcloud's application_default_credentials.json.",
        NearKeyword {
            keywords: &["\"refresh_token\""],
            start: PatternStart::Within,
            pattern: r#""refresh_token"\s{0,8}:\s{0,8}"(?P<value>1//[0-9A-Za-z_-]{40,250})""#,
            entropy: 3.5,
            check: ValueCheck::Form,
        },
    ),
    // cloud.google.com, IAM, "Create and delete service account keys".
    Rule::near(
        "google-service-account",
        "Google service account key",
        "The private key of a Google service account, with its ID.",
        NearKeyword {
            keywords: &["\"private_key_id\""],
            start: PatternStart::Within,
            pattern: r#""private_key_id"\s{0,8}:\s{0,8}"[0-9a-f]{40}"\s{0,8},\s{0,64}"private_key"\s{0,8}:\s{0,8}"-----BEGIN (?:RSA )?PRIVATE KEY-----(?P<value>(?:\\n|[0-9A-Za-z+/=])+)"#,
            entropy: 0.0,
            check: ValueCheck::Pem,
        },
    ),
    Rule::token(
        "google-oauth-client-secret",
        "Google OAuth client secret",
        "The secret of a Google OAuth client.",
        &["GOCSPX-"],
        "GOCSPX-[0-9A-Za-z_-]{28}",
    ),
    // learn.microsoft.com, "Configure Azure Storage connection strings": 64 bytes in base64.
    Rule::near(
        "azure-storage-key",
        "Azure account key",
        "A key of an Azure Storage or Cosmos DB account, in a connection string.",
        NearKeyword {
            keywords: &["AccountKey="],
            start: PatternStart::Within,
            pattern: "AccountKey=(?P<value>[0-9A-Za-z+/]{86}==)",
            entropy: 4.0,
            check: ValueCheck::Form,
        },
    ),
    // learn.microsoft.com, "entra client secret": three characters, a digit, Q~, and 31 to 34 more.
    Rule::near(
        "azure-client-secret",
        "Azure client secret",
        "A client secret of a Microsoft Entra application.",
        NearKeyword {
            keywords: &["0Q~", "1Q~", "2Q~", "3Q~", "4Q~", "5Q~", "6Q~", "7Q~", "8Q~", "9Q~"],
            start: PatternStart::Back(3),
            pattern: "[0-9A-Za-z_.~-]{3}[0-9]Q~[0-9A-Za-z_.~-]{31,34}",
            entropy: 3.5,
            check: ValueCheck::Form,
        },
    ),
    // docs.digitalocean.com, "Create a personal access token".
    Rule::token(
        "digitalocean-token",
        "DigitalOcean token",
        "A DigitalOcean personal, OAuth or refresh token.",
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        "do[opr]_v1_[0-9a-f]{64}",
    ),
    // developers.cloudflare.com, "Origin CA keys"; API tokens have no distinctive form, so they are recognized by their name.
    Rule::near(
        "cloudflare-token",
        "Cloudflare token",
        "A Cloudflare API token or key, recognized by its name, or an Origin CA key.",
        NearKeyword {
            keywords: &["CLOUDFLARE_API_", "cloudflare_api_", "v1.0-"],
            start: PatternStart::Here,
            pattern: r#"(?:v1\.0-[0-9a-f]{24}-[0-9a-f]{146}|(?i:cloudflare_api_(?:token|key))["']?\s{0,8}[:=]\s{0,8}["']?(?P<value>[0-9A-Za-z_-]{37,40}))"#,
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    // developer.hashicorp.com, "API tokens" of HCP Terraform.
    Rule::near(
        "terraform-cloud",
        "Terraform Cloud token",
        "An API token of HCP Terraform or Terraform Enterprise.",
        NearKeyword {
            keywords: &[".atlasv1."],
            start: PatternStart::Back(14),
            pattern: r"[0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_=-]{60,70}",
            entropy: 3.5,
            check: ValueCheck::Form,
        },
    ),
    // developer.hashicorp.com, Vault, "Token prefixes".
    Rule::token(
        "vault-token",
        "Vault token",
        "A Vault service, batch or recovery token.",
        &["hvs.", "hvb.", "hvr."],
        r"hv[sbr]\.[0-9A-Za-z_-]{24,300}",
    ),
    // docs.doppler.com, "Token formats".
    Rule::token(
        "doppler-token",
        "Doppler token",
        "A Doppler personal, service, CLI or audit token.",
        &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa."],
        r"dp\.(?:pt|ct|sa|st(?:\.[a-z0-9_-]{2,35})?)\.[0-9A-Za-z]{40,44}",
    ),
    // docs.databricks.com, "Personal access token authentication".
    Rule::token(
        "databricks-token",
        "Databricks token",
        "A Databricks personal access token.",
        &["dapi"],
        "dapi[0-9a-f]{32}(?:-[0-9])?",
    ),
    // tailscale.com, "Key prefixes".
    Rule::token(
        "tailscale-key",
        "Tailscale key",
        "A Tailscale auth key, API token or OAuth client secret.",
        &["tskey-"],
        "tskey-(?:[a-z]{2,10}-[0-9A-Za-z]{8,24}-[0-9A-Za-z]{16,64}|api-[0-9A-Za-z_-]{20,64})",
    ),
    // kubernetes.io, "Organizing cluster access using kubeconfig files".
    Rule::near(
        "kubernetes-client-key",
        "Kubernetes client key",
        "The private key of a user in a kubeconfig.",
        NearKeyword {
            keywords: &["client-key-data"],
            start: PatternStart::Here,
            pattern: r#"client-key-data["']?\s{0,8}:\s{0,8}["']?(?P<value>LS0t[0-9A-Za-z+/=]{80,})"#,
            entropy: 3.5,
            check: ValueCheck::PemInBase64,
        },
    ),
    // kubernetes.io, "Managing service accounts".
    Rule {
        id: "kubernetes-service-account",
        title: "Kubernetes service account token",
        severity: SecretSeverity::High,
        description: "A token of a Kubernetes service account.",
        detection: Detection::Keyword(NearKeyword { check: ValueCheck::KubernetesJwt, ..super::texts::JWT }),
    },
];
