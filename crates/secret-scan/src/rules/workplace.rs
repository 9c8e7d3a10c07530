//! Tokens of services for documents, design and work.

use crate::rule::{NearKeyword, PatternStart, Rule, ValueCheck};

pub(super) const RULES: &[Rule] = &[
    // developers.notion.com, "Authentication".
    Rule::near(
        "notion-token",
        "Notion token",
        "A Notion integration token.",
        NearKeyword {
            keywords: &["ntn_", "secret_"],
            start: PatternStart::Here,
            pattern: "(?:ntn_[0-9]{11}[0-9A-Za-z]{32,35}|secret_[0-9A-Za-z]{43})",
            entropy: 3.5,
            check: ValueCheck::Random,
        },
    ),
    // airtable.com, "Personal access tokens".
    Rule::near(
        "airtable-token",
        "Airtable token",
        "An Airtable personal access token.",
        NearKeyword {
            keywords: &["pat"],
            start: PatternStart::HereIf(17, b'.'),
            pattern: r"pat[0-9A-Za-z]{14}\.[0-9a-f]{64}",
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    // developers.figma.com, "Personal access tokens".
    Rule::token(
        "figma-token",
        "Figma token",
        "A Figma personal access token.",
        &["figd_", "figo_", "figor_", "figu_"],
        "fig(?:d|o|or|u)_[0-9A-Za-z_-]{36,60}",
    ),
    // developers.hubspot.com, "Private apps".
    Rule::token(
        "hubspot-token",
        "HubSpot token",
        "A token of a private app of HubSpot.",
        &["pat-na", "pat-eu", "pat-ap"],
        "pat-(?:na|eu|ap)[0-9]-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    ),
    // docs.mapbox.com, "Access tokens".
    Rule::token(
        "mapbox-token",
        "Mapbox token",
        "A secret Mapbox token.",
        &["sk.eyJ"],
        r"sk\.eyJ[0-9A-Za-z_-]{30,300}\.[0-9A-Za-z_-]{16,60}",
    ),
    // developers.dropbox.com, "OAuth guide".
    Rule::near(
        "dropbox-token",
        "Dropbox token",
        "A Dropbox access token.",
        NearKeyword {
            keywords: &["sl."],
            start: PatternStart::Here,
            pattern: r"(?:sl\.(?:u\.)?[0-9A-Za-z_=-]{100,1500})",
            entropy: 4.0,
            check: ValueCheck::Random,
        },
    ),
    Rule::token("trello-token", "Trello token", "A Trello token.", &["ATTA"], "ATTA[0-9a-f]{60,76}"),
    Rule::token(
        "clickup-token",
        "ClickUp token",
        "A ClickUp personal token.",
        &["pk_"],
        "pk_[0-9]{6,10}_[0-9A-Z]{32}",
    ),
    Rule::token(
        "contentful-token",
        "Contentful token",
        "A Contentful management token.",
        &["CFPAT-"],
        "CFPAT-[0-9A-Za-z_-]{43}",
    ),
    Rule::token(
        "typeform-token",
        "Typeform token",
        "A Typeform token.",
        &["tfp_"],
        "tfp_[0-9A-Za-z_.=-]{40,60}",
    ),
    Rule::token(
        "frameio-token",
        "Frame.io token",
        "A Frame.io token.",
        &["fio-u-"],
        "fio-u-[0-9A-Za-z_=-]{64}",
    ),
    Rule::near(
        "adobe-secret",
        "Adobe client secret",
        "The secret of an Adobe application.",
        NearKeyword {
            keywords: &["p8e-"],
            start: PatternStart::Here,
            pattern: "p8e-[0-9A-Za-z_-]{32}",
            entropy: 3.5,
            check: ValueCheck::Random,
        },
    ),
    Rule::token(
        "linear-oauth-token",
        "Linear OAuth token",
        "A Linear OAuth token.",
        &["lin_oauth_"],
        "lin_oauth_[0-9a-f]{64}",
    ),
    Rule::token(
        "settlemint-token",
        "SettleMint token",
        "A SettleMint access token.",
        &["sm_aat_", "sm_pat_", "sm_sat_"],
        "sm_(?:aat|pat|sat)_[0-9A-Za-z]{16}",
    ),
    Rule::token(
        "authress-key",
        "Authress key",
        "An Authress service client key.",
        &["sc_", "ext_", "scauth_", "authress_"],
        r"(?:sc|ext|scauth|authress)_[0-9A-Za-z]{5,30}\.[0-9A-Za-z]{4,6}\.acc[_-][0-9a-z-]{10,32}\.[0-9A-Za-z+/_=-]{30,120}",
    ),
    Rule::token("adafruit-key", "Adafruit IO key", "An Adafruit IO key.", &["aio_"], "aio_[0-9A-Za-z]{28}"),
    Rule::near(
        "okta-token",
        "Okta token",
        "An Okta API token in a header.",
        NearKeyword {
            keywords: &["SSWS "],
            start: PatternStart::Within,
            pattern: "SSWS (?P<value>00[0-9A-Za-z_-]{40})",
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    Rule::token(
        "stytch-secret",
        "Stytch secret",
        "A secret of a Stytch project for live mode.",
        &["secret-live-"],
        "secret-live-[0-9A-Za-z_=-]{30,60}",
    ),
    Rule::near(
        "google-chat-webhook",
        "Google Chat webhook",
        "The address of a Google Chat webhook.",
        NearKeyword {
            keywords: &["chat.googleapis.com/v1/spaces/"],
            start: PatternStart::Within,
            pattern: r"chat\.googleapis\.com/v1/spaces/[0-9A-Za-z_-]{8,20}/messages\?key=(?P<value>[0-9A-Za-z_-]{30,50}&token=[0-9A-Za-z_%-]{30,80})",
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    Rule::near(
        "zapier-webhook",
        "Zapier webhook",
        "The address of a Zapier or Make webhook.",
        NearKeyword {
            keywords: &[
                "hooks.zapier.com/hooks/catch/",
                "hook.eu1.make.com/",
                "hook.us1.make.com/",
                "hook.eu2.make.com/",
            ],
            start: PatternStart::Within,
            pattern: r"hooks?\.(?:zapier|(?:eu|us)[0-9]\.make)\.com/(?P<value>(?:hooks/catch/)?[0-9a-z/]{12,60})",
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
];
