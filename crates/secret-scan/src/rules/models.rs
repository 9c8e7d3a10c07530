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
    // docs.x.ai, "API keys": 80 characters.
    Rule::token("xai-key", "xAI key", "An xAI API key.", &["xai-"], "xai-[0-9A-Za-z]{70,90}"),
    // openrouter.ai, "API authentication".
    Rule::token(
        "openrouter-key",
        "OpenRouter key",
        "An OpenRouter API key.",
        &["sk-or-v"],
        "sk-or-v[0-9]{1,6}-[0-9A-Za-z_-]{20,80}",
    ),
    // docs.perplexity.ai; 48 characters in gitleaks' rule.
    Rule::token(
        "perplexity-key",
        "Perplexity key",
        "A Perplexity API key.",
        &["pplx-"],
        "pplx-[0-9A-Za-z]{48,64}",
    ),
    // replicate.com, "API tokens": 40 characters in all.
    Rule::token(
        "replicate-token",
        "Replicate token",
        "A Replicate API token.",
        &["r8_"],
        "r8_[0-9A-Za-z]{37}",
    ),
    // docs.nvidia.com, "NGC API keys".
    Rule::token("nvidia-key", "NVIDIA key", "An NVIDIA API key.", &["nvapi-"], "nvapi-[0-9A-Za-z_-]{60,80}"),
    // docs.pinecone.io, "API keys".
    Rule::token(
        "pinecone-key",
        "Pinecone key",
        "A Pinecone API key.",
        &["pcsk_"],
        "pcsk_[0-9A-Za-z_]{40,100}",
    ),
    // docs.langchain.com, "Create an account and API key".
    Rule::token(
        "langsmith-key",
        "LangSmith key",
        "A LangSmith personal or service key.",
        &["lsv2_pt_", "lsv2_sk_"],
        "lsv2_(?:pt|sk)_[0-9a-fA-F]{32}_[0-9a-fA-F]{10}",
    ),
    // api-docs.deepseek.com; platform.moonshot.ai; platform.stability.ai.
    Rule::near(
        "model-service-key",
        "Key of a model service",
        "A key of DeepSeek, Moonshot, Stability AI and similar services: `sk-` and 32 hexadecimal digits or 48 characters.",
        NearKeyword {
            keywords: &["sk-"],
            start: PatternStart::Here,
            pattern: "sk-(?:[0-9a-f]{32}|[0-9A-Za-z]{48})",
            entropy: 3.3,
            check: ValueCheck::Random,
        },
    ),
    // ai.google.dev, "Using Gemini API keys".
    Rule::near(
        "gemini-key",
        "Gemini key",
        "A Gemini API key of the form that begins with `AQ.`.",
        NearKeyword {
            keywords: &["AQ."],
            start: PatternStart::Here,
            pattern: r"AQ\.[0-9A-Za-z_-]{40,80}",
            entropy: 4.0,
            check: ValueCheck::Random,
        },
    ),
    // docs.aws.amazon.com, Bedrock, "API keys".
    Rule::near(
        "bedrock-key",
        "Amazon Bedrock key",
        "An Amazon Bedrock API key, long-term or short-term.",
        NearKeyword {
            keywords: &["ABSK", "bedrock-api-key-"],
            start: PatternStart::Here,
            pattern: "(?:ABSK[0-9A-Za-z+/]{100,270}={0,2}|bedrock-api-key-[0-9A-Za-z+/]{60,1500}={0,2})",
            entropy: 4.0,
            check: ValueCheck::Form,
        },
    ),
    Rule::token(
        "together-key",
        "Together AI key",
        "A Together AI API key.",
        &["tgp_v1_"],
        "tgp_v1_[0-9A-Za-z_-]{40,48}",
    ),
    Rule::near(
        "fireworks-key",
        "Fireworks AI key",
        "A Fireworks AI API key.",
        NearKeyword {
            keywords: &["fw_"],
            start: PatternStart::Here,
            pattern: "fw_[0-9A-Za-z]{22,24}",
            entropy: 3.5,
            check: ValueCheck::Random,
        },
    ),
    Rule::token("cerebras-key", "Cerebras key", "A Cerebras API key.", &["csk-"], "csk-[0-9a-z]{48}"),
    Rule::near(
        "voyage-key",
        "Voyage AI key",
        "A Voyage AI API key.",
        NearKeyword {
            keywords: &["pa-"],
            start: PatternStart::Here,
            pattern: "pa-[0-9A-Za-z_-]{43}",
            entropy: 4.0,
            check: ValueCheck::Random,
        },
    ),
    Rule::token(
        "jina-key",
        "Jina AI key",
        "A Jina AI API key.",
        &["jina_"],
        "jina_[0-9a-f]{32}[0-9A-Za-z_-]{28}",
    ),
    Rule::token("elevenlabs-key", "ElevenLabs key", "An ElevenLabs API key.", &["sk_"], "sk_[0-9a-f]{48}"),
    Rule::token(
        "langfuse-key",
        "Langfuse key",
        "A Langfuse secret key.",
        &["sk-lf-"],
        "sk-lf-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    ),
    Rule::token(
        "tavily-key",
        "Tavily key",
        "A Tavily API key.",
        &["tvly-"],
        "tvly-(?:dev-|prod-)?[0-9A-Za-z_-]{32}",
    ),
    Rule::token("firecrawl-key", "Firecrawl key", "A Firecrawl API key.", &["fc-"], "fc-[0-9a-f]{32}"),
    Rule::token("e2b-key", "E2B key", "An E2B API key.", &["e2b_"], "e2b_[0-9a-f]{40}"),
    Rule::token(
        "wandb-key",
        "Weights & Biases key",
        "A Weights & Biases API key.",
        &["wandb_v1_"],
        "wandb_v1_[0-9A-Za-z_-]{60,90}",
    ),
    Rule::token(
        "apify-token",
        "Apify token",
        "An Apify API token.",
        &["apify_api_"],
        "apify_api_[0-9A-Za-z]{34,40}",
    ),
    Rule::near(
        "runpod-key",
        "RunPod key",
        "A RunPod API key.",
        NearKeyword {
            keywords: &["rpa_"],
            start: PatternStart::Here,
            pattern: "rpa_[0-9A-Za-z]{30,58}",
            entropy: 3.5,
            check: ValueCheck::Random,
        },
    ),
];
