//! Tokens of services: messages, mail, payments, monitoring.

use crate::rule::{NearKeyword, PatternStart, Rule, ValueCheck};

pub(super) const RULES: &[Rule] = &[
    // api.slack.com, "Token types".
    Rule::token(
        "slack-token",
        "Slack token",
        "A Slack bot, user, app, refresh or legacy token.",
        &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe", "xoxo-", "xoxc-", "xoxd-", "xapp-"],
        r"(?:xoxe.xox[bp]-[0-9]{1,10}-[0-9A-Za-z]{146,170}|xoxe-[0-9]{1,10}-[0-9A-Za-z]{120,170}|xox[bpears]-[0-9]{8,14}-[0-9A-Za-z-]{10,200}|xox[ar]-(?:[0-9]-)?[0-9A-Za-z]{16,48}|xox[os]-[0-9]{2,14}-[0-9]{4,14}-[0-9]{4,14}-[0-9a-fA-F]{5,64}|xoxc-[0-9]{9,15}-[0-9]{9,15}-[0-9]{9,15}-[0-9a-f]{64}|xoxd-[0-9A-Za-z%/+_-]{60,400}={0,2}|xapp-[0-9]{1,10}-[0-9A-Za-z]{8,14}-[0-9]{8,16}-[0-9a-fA-F]{64})",
    ),
    // api.slack.com, "Sending messages using incoming webhooks".
    Rule::near(
        "slack-webhook",
        "Slack webhook",
        "The address of a Slack incoming webhook: anybody who has it can post messages.",
        NearKeyword {
            keywords: &["hooks.slack.com/"],
            start: PatternStart::Within,
            pattern: "hooks\\.slack\\.com/(?P<value>services/T[0-9A-Z]{7,12}/B[0-9A-Z]{7,12}/[0-9A-Za-z]{20,26}|(?:workflows|triggers)/[0-9A-Z]{8,14}/[0-9A-Za-z]{8,20}/[0-9A-Za-z]{12,40}(?:/[0-9A-Za-z]{20,40})?)",
            entropy: 3.5,
            check: ValueCheck::Form,
        },
    ),
    // discord.com, "Webhook resource": a snowflake and a token of 68 characters.
    Rule::near(
        "discord-webhook",
        "Discord webhook",
        "The address of a Discord webhook: anybody who has it can post messages.",
        NearKeyword {
            keywords: &["/api/webhooks/"],
            start: PatternStart::Within,
            pattern: "/api/webhooks/(?P<value>[0-9]{17,20}/[0-9A-Za-z_-]{60,80})",
            entropy: 3.5,
            check: ValueCheck::Form,
        },
    ),
    // core.telegram.org, "Bot API": the number of the bot, a colon, and 35 characters that begin with AA.
    Rule::near(
        "telegram-bot-token",
        "Telegram bot token",
        "A Telegram bot token.",
        NearKeyword {
            keywords: &[":AA"],
            start: PatternStart::Run,
            pattern: "(?:bot)?(?P<value>[0-9]{8,10}:AA[0-9A-Za-z_-]{33})",
            entropy: 3.5,
            check: ValueCheck::Form,
        },
    ),
    // docs.stripe.com, "API keys": secret and restricted keys of live mode.
    Rule::token(
        "stripe-key",
        "Stripe key",
        "A secret or restricted key for Stripe's live mode.",
        &["sk_live_", "rk_live_", "sk_prod_", "rk_prod_"],
        "[sr]k_(?:live|prod)_[0-9A-Za-z]{17,247}",
    ),
    Rule::token(
        "sendgrid-key",
        "SendGrid key",
        "A SendGrid API key.",
        &["SG."],
        r"SG\.(?:[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}|[0-9A-Za-z_=.-]{66})",
    ),
    Rule::token("mailgun-key", "Mailgun key", "A Mailgun private API key.", &["key-"], "key-[0-9a-f]{32}"),
    // www.twilio.com, "API keys": a secret has no distinctive form, so it is recognized by its name.
    Rule::near(
        "twilio-secret",
        "Twilio secret",
        "A Twilio auth token, or the secret of a Twilio API key, recognized by its name.",
        NearKeyword {
            keywords: &["TWILIO_A", "twilio_a"],
            start: PatternStart::Here,
            pattern: r#"(?i:twilio_(?:auth_token|api_secret|api_key_secret))["']?\s{0,8}[:=]\s{0,8}["']?(?P<value>[0-9A-Za-z]{32})"#,
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    // shopify.dev, "Access tokens".
    Rule::token(
        "shopify-token",
        "Shopify token",
        "An access token or shared secret of a Shopify app.",
        &["shpat_", "shpca_", "shppa_", "shpss_"],
        "shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
    ),
    Rule::token(
        "linear-key",
        "Linear key",
        "A Linear personal API key.",
        &["lin_api_"],
        "lin_api_[0-9A-Za-z]{40}",
    ),
    // learning.postman.com, "Postman API authentication": 24 and 34 hexadecimal digits.
    Rule::token(
        "postman-key",
        "Postman key",
        "A Postman API key, or a key of a collection.",
        &["PMAK-", "PMAT-"],
        "PM(?:AK-[0-9a-fA-F]{24}-[0-9a-fA-F]{34}|AT-[0-9A-Za-z]{26})",
    ),
    // docs.newrelic.com, "New Relic API keys".
    Rule::token("new-relic-key", "New Relic key", "A New Relic user key.", &["NRAK-"], "NRAK-[0-9A-Z]{27}"),
    // grafana.com, "Service accounts": 32 characters and a checksum; and "Access policies" for Grafana Cloud.
    Rule::token(
        "grafana-token",
        "Grafana token",
        "A token of a Grafana service account, or of a Grafana Cloud access policy.",
        &["glsa_", "glc_"],
        "(?:glsa_[0-9A-Za-z]{32}_[0-9a-fA-F]{8}|glc_[0-9A-Za-z+/]{32,400}={0,2})",
    ),
    // github.com/getsentry/rfcs, 0091: base64 of JSON, an underscore, and 43 characters.
    Rule::token(
        "sentry-token",
        "Sentry token",
        "A Sentry organization or user token.",
        &["sntrys_eyJ", "sntryu_"],
        "(?:sntrys_eyJ[0-9A-Za-z+/]{40,400}={0,2}_[0-9A-Za-z+/]{43}|sntryu_[0-9a-f]{64})",
    ),
    // discord.com, "Reference": base64 of the bot's number, of a time, and of a signature; recognized by its name.
    Rule::near(
        "discord-bot-token",
        "Discord bot token",
        "A Discord bot token, recognized by its name.",
        NearKeyword {
            keywords: &["DISCORD_", "discord_"],
            start: PatternStart::Here,
            pattern: r#"(?i:discord_(?:[a-z]{1,16}_){0,2}token)["']?\s{0,8}[:=]\s{0,8}["']?(?P<value>[MNO][0-9A-Za-z_-]{22,27}\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27,40})"#,
            entropy: 3.5,
            check: ValueCheck::Form,
        },
    ),
];
