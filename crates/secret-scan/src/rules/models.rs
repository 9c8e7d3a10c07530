//! Keys of services that run language models.

use crate::rule::{NearKeyword, PatternStart, Rule, ValueCheck};

pub(super) const RULES: &[Rule] = &[
    Rule::token(
        "anthropic-key",
        "Anthropic key",
        "An Anthropic API key, admin key or OAuth token.",
        &["sk-ant-"],
        "sk-ant-[a-z]{2,8}[0-9]{2}-[0-9A-Za-z_-]{80,120}",
    ),
    // Every key contains the name of the company, in base64, in its middle.
    Rule::near(
        "openai-key",
        "OpenAI key",
        "An OpenAI user, project, service account or admin key.",
        NearKeyword {
            keywords: &["T3BlbkFJ"],
            start: PatternStart::Run,
            pattern: "sk-[0-9A-Za-z_-]{20,180}T3BlbkFJ[0-9A-Za-z_-]{20,180}",
            entropy: 3.5,
            check: ValueCheck::Form,
        },
    ),
    // huggingface.co, "User access tokens"; api_org_ is for organizations.
    Rule::token(
        "huggingface-token",
        "Hugging Face token",
        "A Hugging Face user or organization token.",
        &["hf_", "api_org_"],
        "(?:hf|api_org)_[0-9A-Za-z]{34}",
    ),
    // console.groq.com, "API keys": 52 characters.
    Rule::token("groq-key", "Groq key", "A Groq API key.", &["gsk_"], "gsk_[0-9A-Za-z]{52}"),
];
