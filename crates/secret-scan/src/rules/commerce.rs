//! Tokens of services for payments, mail, messages and marketing.

use crate::rule::{NearKeyword, PatternStart, Rule, ValueCheck};

pub(super) const RULES: &[Rule] = &[
    // developer.squareup.com, "Access tokens".
    Rule::near(
        "square-token",
        "Square token",
        "A Square access token or application secret.",
        NearKeyword {
            keywords: &["sq0atp-", "sq0csp-", "EAAA"],
            start: PatternStart::Here,
            pattern: "(?:sq0atp-[0-9A-Za-z_-]{22,60}|sq0csp-[0-9A-Za-z_-]{43}|EAAA[0-9A-Za-z_-]{60})",
            entropy: 3.3,
            check: ValueCheck::Random,
        },
    ),
    // twilio.com, "API keys".
    Rule::token(
        "twilio-key",
        "Twilio key",
        "The SID of a Twilio API key. The secret is rarely far away.",
        &[
            "SK0", "SK1", "SK2", "SK3", "SK4", "SK5", "SK6", "SK7", "SK8", "SK9", "SKa", "SKb", "SKc", "SKd",
            "SKe", "SKf", "SKA", "SKB", "SKC", "SKD", "SKE", "SKF",
        ],
        "SK[0-9a-fA-F]{32}",
    ),
    // developer.paypal.com, Braintree, "Access tokens".
    Rule::token(
        "braintree-token",
        "Braintree token",
        "A Braintree access token.",
        &["access_token$"],
        r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}",
    ),
    // mailchimp.com, "Marketing API quick start".
    Rule::near(
        "mailchimp-key",
        "Mailchimp key",
        "A Mailchimp API key: 32 hexadecimal digits and a data center.",
        NearKeyword {
            keywords: &["-us1", "-us2", "-us3", "-us4", "-us5", "-us6", "-us7", "-us8", "-us9"],
            start: PatternStart::Back(32),
            pattern: "[0-9a-f]{32}-us[0-9]{1,2}",
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    Rule::near(
        "mandrill-key",
        "Mandrill key",
        "A Mandrill API key.",
        NearKeyword {
            keywords: &["md-"],
            start: PatternStart::Here,
            pattern: "md-[0-9A-Za-z_-]{22}",
            entropy: 3.3,
            check: ValueCheck::Random,
        },
    ),
    // developers.brevo.com, "API keys".
    Rule::token(
        "brevo-key",
        "Brevo key",
        "A Brevo (Sendinblue) API or SMTP key.",
        &["xkeysib-", "xsmtpsib-"],
        "x(?:key|smtp)sib-[0-9a-fA-F]{64}-[0-9A-Za-z]{16}",
    ),
    // resend.com, "API keys".
    Rule::near(
        "resend-key",
        "Resend key",
        "A Resend API key.",
        NearKeyword {
            keywords: &["re_"],
            start: PatternStart::Here,
            pattern: "re_[0-9A-Za-z]{8}_[0-9A-Za-z]{24}",
            entropy: 3.5,
            check: ValueCheck::Random,
        },
    ),
    // docs.stripe.com, "Webhook signatures"; docs.svix.com.
    Rule::token(
        "webhook-secret",
        "Webhook secret",
        "The signing secret of a webhook of Stripe, Svix or Resend.",
        &["whsec_"],
        "whsec_[0-9A-Za-z+/]{24,100}={0,2}",
    ),
    // docs.easypost.com, "Authentication".
    Rule::token(
        "easypost-key",
        "EasyPost key",
        "An EasyPost production or test key.",
        &["EZAK", "EZTK"],
        "EZ[AT]K[0-9A-Za-z]{54}",
    ),
    // docs.goshippo.com, "API tokens".
    Rule::token(
        "shippo-token",
        "Shippo token",
        "A Shippo API token.",
        &["shippo_live_", "shippo_test_"],
        "shippo_(?:live|test)_[0-9a-fA-F]{40}",
    ),
    Rule::token(
        "flutterwave-key",
        "Flutterwave key",
        "A Flutterwave secret or encryption key.",
        &["FLWSECK"],
        "FLWSECK(?:(?:_TEST)?-[0-9a-h]{32}(?:-[0-9a-z]{8,16})?-X|_TEST-?[0-9a-h]{12})",
    ),
    Rule::token(
        "razorpay-key",
        "Razorpay key",
        "The ID of a Razorpay key for live mode. The secret is rarely far away.",
        &["rzp_live_"],
        "rzp_live_[0-9A-Za-z]{14,20}",
    ),
    Rule::token(
        "plaid-token",
        "Plaid token",
        "A Plaid access token.",
        &["access-production-", "access-sandbox-", "access-development-"],
        "access-(?:production|sandbox|development)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    ),
    // docs.mollie.com; developer.gocardless.com; docs.lob.com.
    Rule::near(
        "live-payment-key",
        "Payment key",
        "A live key of Mollie, GoCardless, Lob and similar services.",
        NearKeyword {
            keywords: &["live_"],
            start: PatternStart::Here,
            pattern: "live_[0-9A-Za-z_-]{30,48}",
            entropy: 3.5,
            check: ValueCheck::Random,
        },
    ),
    Rule::token(
        "duffel-token",
        "Duffel token",
        "A Duffel API token.",
        &["duffel_live_", "duffel_test_"],
        "duffel_(?:live|test)_[0-9A-Za-z_=-]{43}",
    ),
    Rule::token(
        "mailersend-token",
        "MailerSend token",
        "A MailerSend API token.",
        &["mlsn."],
        r"mlsn\.[0-9A-Za-z]{30,100}",
    ),
    Rule::token("klaviyo-key", "Klaviyo key", "A Klaviyo private key.", &["pk_"], "pk_[0-9a-f]{34}"),
    // developers.facebook.com, "Access tokens".
    Rule::near(
        "facebook-token",
        "Facebook token",
        "An access token of Facebook, Instagram or WhatsApp.",
        NearKeyword {
            keywords: &["EAA"],
            start: PatternStart::Here,
            pattern: "EAA[0-9A-Za-z]{90,500}",
            entropy: 4.0,
            check: ValueCheck::Random,
        },
    ),
    Rule::near(
        "twitter-bearer-token",
        "X bearer token",
        "A bearer token of the API of X (Twitter).",
        NearKeyword {
            keywords: &["AAAAAAAAAAAAAAAAAAAAAA"],
            start: PatternStart::Here,
            pattern: "A{22}[0-9A-Za-z%]{60,120}",
            entropy: 3.5,
            check: ValueCheck::Random,
        },
    ),
    Rule::token(
        "pubnub-key",
        "PubNub secret key",
        "A PubNub secret key.",
        &["sec-c-"],
        "sec-c-[0-9A-Za-z_-]{36,64}",
    ),
    Rule::near(
        "adyen-key",
        "Adyen key",
        "An Adyen API key.",
        NearKeyword {
            keywords: &["AQE"],
            start: PatternStart::Here,
            pattern: r"AQE[0-9A-Za-z]{1,8}hmf[0-9A-Za-z+/=_.%*<>(){}\[\]|~!?^$#@&;:,-]{60,300}",
            entropy: 4.0,
            check: ValueCheck::Random,
        },
    ),
    Rule::near(
        "coinbase-key",
        "Coinbase key",
        "The name of a Coinbase API key, whose private key is rarely far away.",
        NearKeyword {
            keywords: &["organizations/"],
            start: PatternStart::Within,
            pattern: "organizations/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/apiKeys/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
];
