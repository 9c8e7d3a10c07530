//! Tokens of clouds and hosting platforms that have no rule in `clouds`.

use crate::rule::{NearKeyword, PatternStart, Rule, ValueCheck};

pub(super) const RULES: &[Rule] = &[
    // developers.google.com, "Using OAuth 2.0".
    Rule::near(
        "google-access-token",
        "Google access token",
        "An OAuth access token of Google.",
        NearKeyword {
            keywords: &["ya29."],
            start: PatternStart::Here,
            pattern: r"ya29\.[0-9A-Za-z_-]{30,1200}",
            entropy: 3.5,
            check: ValueCheck::Form,
        },
    ),
    // learn.microsoft.com, Azure DevOps, "Use personal access tokens": 84 characters.
    Rule::near(
        "azure-devops-token",
        "Azure DevOps token",
        "A personal access token of Azure DevOps, in the form with the mark `AZDO`.",
        NearKeyword {
            keywords: &["AZDO"],
            start: PatternStart::Back(76),
            pattern: "[0-9A-Za-z]{76}AZDO[0-9A-Za-z]{4}",
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    // github.com/microsoft/security-utilities, "Identifiable secrets".
    Rule::near(
        "azure-identifiable-key",
        "Azure key",
        "A key of an Azure service, in the form with the mark `JQQJ9`: Azure OpenAI, Cognitive Services and others.",
        NearKeyword {
            keywords: &["JQQJ9"],
            start: PatternStart::Back(52),
            pattern: "[0-9A-Za-z]{52}JQQJ9[0-9A-Za-z]{24,34}(?:==)?",
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    // github.com/microsoft/security-utilities: 52 characters.
    Rule::near(
        "azure-registry-token",
        "Azure Container Registry password",
        "A password of an Azure Container Registry, with the mark `+ACR`.",
        NearKeyword {
            keywords: &["+ACR"],
            start: PatternStart::Back(42),
            pattern: r"[0-9A-Za-z+/]{42}\+ACR[0-9A-Za-z]{6}",
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    // github.com/microsoft/security-utilities.
    Rule::near(
        "azure-function-key",
        "Azure Functions key",
        "A key of an Azure function, with the mark `AzFu`.",
        NearKeyword {
            keywords: &["AzFu"],
            start: PatternStart::Back(44),
            pattern: "[0-9A-Za-z_-]{44}AzFu[0-9A-Za-z_-]{6}(?:==)?",
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    // github.com/microsoft/security-utilities.
    Rule::near(
        "azure-search-key",
        "Azure AI Search key",
        "A key of Azure AI Search, with the mark `AzSe`.",
        NearKeyword {
            keywords: &["AzSe"],
            start: PatternStart::Back(42),
            pattern: "[0-9A-Za-z]{42}AzSe[0-9A-Za-z]{6}",
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    // github.com/microsoft/security-utilities.
    Rule::near(
        "azure-redis-key",
        "Azure Cache for Redis key",
        "A key of Azure Cache for Redis, with the mark `AzCa`.",
        NearKeyword {
            keywords: &["AzCa"],
            start: PatternStart::Back(33),
            pattern: "[0-9A-Za-z]{33}AzCa[0-9A-Za-z]{6}=?",
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    // learn.microsoft.com, "Get an Event Hubs connection string".
    Rule::near(
        "azure-shared-access-key",
        "Azure shared access key",
        "A shared access key of Service Bus, Event Hubs, IoT Hub or Relay, in a connection string.",
        NearKeyword {
            keywords: &["SharedAccessKey="],
            start: PatternStart::Within,
            pattern: "SharedAccessKey=(?P<value>[0-9A-Za-z+/]{42,44}={0,2})",
            entropy: 4.0,
            check: ValueCheck::Form,
        },
    ),
    // learn.microsoft.com, "Grant limited access to Azure Storage": 32 bytes.
    Rule::near(
        "azure-sas",
        "Azure shared access signature",
        "A URL that is signed for Azure Storage, Logic Apps or Power Automate.",
        NearKeyword {
            keywords: &["sig="],
            start: PatternStart::Within,
            pattern: "sig=(?P<value>[0-9A-Za-z%/+_-]{43,70}(?:%3[dD]|=)?)",
            entropy: 4.2,
            check: ValueCheck::Signature,
        },
    ),
    Rule::near(
        "azure-function-url",
        "Azure function URL",
        "The address of an Azure function with its key.",
        NearKeyword {
            keywords: &["?code="],
            start: PatternStart::Within,
            pattern: r"\?code=(?P<value>[0-9A-Za-z_/+%-]{52,64}={1,2})",
            entropy: 4.2,
            check: ValueCheck::Form,
        },
    ),
    Rule::near(
        "teams-webhook",
        "Microsoft Teams webhook",
        "The address of an incoming webhook of Microsoft Teams.",
        NearKeyword {
            keywords: &["webhook.office.com/"],
            start: PatternStart::Within,
            pattern: r"webhook\.office\.com/(?P<value>webhookb2/[0-9a-z]{8}(?:-[0-9a-z]{4}){3}-[0-9a-z]{12}@[0-9a-z]{8}(?:-[0-9a-z]{4}){3}-[0-9a-z]{12}/IncomingWebhook/[0-9a-z]{32}/[0-9a-z]{8}(?:-[0-9a-z]{4}){3}-[0-9a-z]{12}(?:/[0-9A-Za-z_-]{20,60})?)",
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    // devcenter.heroku.com, "API token format".
    Rule::token(
        "heroku-key",
        "Heroku key",
        "A Heroku API key of the form that begins with `HRKU-`.",
        &["HRKU-"],
        "HRKU-[0-9A-Za-z_-]{36,70}",
    ),
    // developers.cloudflare.com, "API token formats".
    Rule::token(
        "cloudflare-prefixed-token",
        "Cloudflare token with a prefix",
        "A Cloudflare user, account or global token of the form that begins with `cfut_`, `cfat_` or `cfk_`.",
        &["cfut_", "cfat_", "cfk_"],
        "cf(?:ut|at|k)_[0-9A-Za-z_-]{36,80}",
    ),
    // alibabacloud.com, "AccessKey pair".
    Rule::near(
        "alibaba-key",
        "Alibaba Cloud key",
        "The ID of an Alibaba Cloud access key. The secret is rarely far away.",
        NearKeyword {
            keywords: &["LTAI"],
            start: PatternStart::Here,
            pattern: "LTAI[0-9A-Za-z]{16,24}",
            entropy: 3.3,
            check: ValueCheck::Random,
        },
    ),
    // cloud.tencent.com, "API keys".
    Rule::near(
        "tencent-key",
        "Tencent Cloud key",
        "The ID of a Tencent Cloud API key. The secret is rarely far away.",
        NearKeyword {
            keywords: &["AKID"],
            start: PatternStart::Here,
            pattern: "AKID[0-9A-Za-z]{32}",
            entropy: 3.5,
            check: ValueCheck::Form,
        },
    ),
    Rule::near(
        "scaleway-key",
        "Scaleway key",
        "The ID of a Scaleway API key.",
        NearKeyword {
            keywords: &["SCW"],
            start: PatternStart::Here,
            pattern: "SCW[0-9A-Z]{17}",
            entropy: 2.5,
            check: ValueCheck::Form,
        },
    ),
    // developer.1password.com, "Service accounts".
    Rule::token(
        "onepassword-token",
        "1Password token",
        "A token of a 1Password service account.",
        &["ops_eyJ"],
        "ops_eyJ[0-9A-Za-z+/_-]{200,1500}={0,2}",
    ),
    Rule::near(
        "onepassword-secret-key",
        "1Password secret key",
        "The secret key of a 1Password account.",
        NearKeyword {
            keywords: &["A3-"],
            start: PatternStart::Here,
            pattern: "A3-[0-9A-Z]{6}-(?:[0-9A-Z]{11}|[0-9A-Z]{6}-[0-9A-Z]{5})-[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}",
            entropy: 3.5,
            check: ValueCheck::Form,
        },
    ),
    // fly.io, "Access tokens"; gitleaks' rule.
    Rule::token(
        "fly-token",
        "Fly.io token",
        "A Fly.io access or deploy token.",
        &["fo1_", "fm1a_", "fm1r_", "fm2_", "FlyV1 "],
        "(?:fo1_[0-9A-Za-z_-]{43}|fm(?:1[ar]|2)_[0-9A-Za-z+/]{100,1500}={0,3}|FlyV1 [0-9A-Za-z=_,/+-]{100,1500})",
    ),
    Rule::near(
        "render-key",
        "Render key",
        "A Render API key.",
        NearKeyword {
            keywords: &["rnd_"],
            start: PatternStart::Here,
            pattern: "rnd_[0-9A-Za-z]{28,40}",
            entropy: 3.5,
            check: ValueCheck::Random,
        },
    ),
    // vercel.com, "Token formats including secret scanning".
    Rule::near(
        "vercel-token",
        "Vercel token",
        "A Vercel token of the forms with a prefix, or a token of Vercel Blob.",
        NearKeyword {
            keywords: &["vcp_", "vci_", "vca_", "vcr_", "vck_", "vercel_blob_rw_"],
            start: PatternStart::Here,
            pattern: "(?:vc[piark]_[0-9A-Za-z_-]{24,80}|vercel_blob_rw_[0-9A-Za-z]{12,24}_[0-9A-Za-z]{24,40})",
            entropy: 3.5,
            check: ValueCheck::Random,
        },
    ),
    // docs.netlify.com, "Token formats".
    Rule::token(
        "netlify-token",
        "Netlify token",
        "A Netlify personal, OAuth or CLI token.",
        &["nfp_", "nfo_", "nfc_", "nfb_"],
        "nf[pocb]_[0-9A-Za-z]{36}",
    ),
    // supabase.com, "Understanding API keys".
    Rule::token(
        "supabase-key",
        "Supabase key",
        "A Supabase access token or secret key.",
        &["sbp_", "sb_secret_"],
        "(?:sbp_(?:oauth_)?[0-9a-z_-]{40}|sb_secret_[0-9A-Za-z_-]{24,60})",
    ),
    Rule::token("neon-key", "Neon key", "A Neon API key.", &["napi_"], "napi_[0-9A-Za-z]{60,70}"),
    // planetscale.com, "Service tokens".
    Rule::token(
        "planetscale-token",
        "PlanetScale token",
        "A PlanetScale token, OAuth token or database password.",
        &["pscale_tkn_", "pscale_oauth_", "pscale_pw_"],
        "pscale_(?:tkn|oauth|pw)_[0-9A-Za-z=._-]{32,64}",
    ),
    Rule::near(
        "aiven-token",
        "Aiven password",
        "A password or token of an Aiven service.",
        NearKeyword {
            keywords: &["AVNS_", "aivenv1_"],
            start: PatternStart::Here,
            pattern: "(?:AVNS_[0-9A-Za-z_-]{18,24}|aivenv1_[0-9A-Za-z_-]{100,400})",
            entropy: 3.3,
            check: ValueCheck::Random,
        },
    ),
    Rule::token(
        "atlas-secret",
        "MongoDB Atlas secret",
        "The secret of a service account of MongoDB Atlas.",
        &["mdb_sa_sk_"],
        "mdb_sa_sk_[0-9A-Za-z_-]{40,60}",
    ),
    Rule::token(
        "databricks-oauth-secret",
        "Databricks OAuth secret",
        "The OAuth secret of a Databricks service principal.",
        &["dose"],
        "dose[0-9a-f]{32}",
    ),
    Rule::near(
        "clickhouse-key",
        "ClickHouse Cloud key",
        "The secret of a ClickHouse Cloud API key.",
        NearKeyword {
            keywords: &["4b1d"],
            start: PatternStart::Here,
            pattern: "4b1d[0-9A-Za-z]{38}",
            entropy: 3.5,
            check: ValueCheck::Random,
        },
    ),
    Rule::near(
        "yandex-key",
        "Yandex Cloud key",
        "A Yandex Cloud API key, OAuth token or static key.",
        NearKeyword {
            keywords: &["AQVN", "y0_A", "YCA", "YCM", "YCP", "YCN", "YCO"],
            start: PatternStart::Here,
            pattern: "(?:AQVN[0-9A-Za-z_-]{35,38}|y0_A[0-9A-Za-z_-]{50,70}|YC[AMNOP][0-9A-Za-z_-]{37})",
            entropy: 3.5,
            check: ValueCheck::Random,
        },
    ),
    // docs.openshift.com, "OAuth access tokens".
    Rule::token(
        "openshift-token",
        "OpenShift token",
        "A token of an OpenShift user.",
        &["sha256~"],
        "sha256~[0-9A-Za-z_-]{43}",
    ),
    Rule::token(
        "harness-token",
        "Harness token",
        "A Harness personal or service account token.",
        &["pat.", "sat."],
        r"(?:pat|sat)\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z]{24}\.[0-9A-Za-z]{20}",
    ),
    // pulumi.com, "Access tokens".
    Rule::token("pulumi-token", "Pulumi token", "A Pulumi access token.", &["pul-"], "pul-[0-9a-f]{40}"),
    Rule::token(
        "scalingo-token",
        "Scalingo token",
        "A Scalingo API token.",
        &["tk-us-"],
        "tk-us-[0-9A-Za-z_-]{48}",
    ),
    Rule::token("infracost-key", "Infracost key", "An Infracost API key.", &["ico-"], "ico-[0-9A-Za-z]{32}"),
    Rule::token(
        "defined-networking-key",
        "Defined Networking key",
        "A Defined Networking API token.",
        &["dnkey-"],
        "dnkey-[0-9A-Za-z=_-]{26}-[0-9A-Za-z=_-]{52}",
    ),
    Rule::token(
        "doppler-other-token",
        "Doppler token",
        "A Doppler SCIM or workplace token.",
        &["dp.scim."],
        r"dp\.scim\.[0-9A-Za-z]{40,44}",
    ),
];
