//! Secrets in instructions and command lines: after an option, in a header, or in text that is written to a file. A secret that
//! rules recognize in any text is found by `text_search`.

use std::ops::Range;
use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

/// The gap between an option and its value: white space, a sign, or the punctuation between members of a JSON list.
const GAP: &str = r#"(?:["']?\s*,\s*["']?|["']?\s+["']?|=["']?)"#;
/// A value that is one word.
const WORD: &str = r#"(?P<value>[^\s"'`,;|&<>()\\-][^\s"'`,;|&<>()\\]{3,1023})"#;
/// The rest of a command.
const REST: &str = r"[^\n;|&]{0,512}?";

/// The range of a possible secret in a command. If there is a `name`, it must be the name of a secret.
pub(crate) struct CommandValue {
    pub name: Option<Range<usize>>,
    pub value: Range<usize>,
}

/// Returns the possible secrets in `text`.
pub(crate) fn values(text: &[u8]) -> Vec<CommandValue> {
    patterns()
        .iter()
        .flat_map(|pattern| pattern.captures_iter(text))
        .filter_map(|captures| {
            let value = captures.name("value")?.range();
            Some(CommandValue { name: captures.name("name").map(|it| it.range()), value })
        })
        .collect()
}

fn patterns() -> &'static [Regex] {
    // A constant table, compiled when it is first needed; nothing changes it.
    static PATTERNS: OnceLock<Vec<Regex>> = OnceLock::new();
    PATTERNS.get_or_init(|| {
        let texts = texts();
        let compiled = texts.iter().filter_map(|it| RegexBuilder::new(it).unicode(false).build().ok());
        compiled.collect()
    })
}

/// Returns the patterns. The documentation of each program says how it takes a password: `man curl`, `docker login --help`,
/// `man mysql`, `man sshpass`, `redis-cli --help`, `man chpasswd`, RFC 7235 section 4.2, `man ftp` ("THE .netrc FILE"). The
/// other patterns recognize options by name.
pub(crate) fn texts() -> [String; 24] {
    [
            format!(r#"\bcurl\b{REST}[\s,]["']?(?:-u|-U|--(?:proxy-)?user){GAP}?[^\s:"',;|&]{{1,128}}:{WORD}"#),
            format!(r#"\blogin\b{REST}[\s,]["']?-p{GAP}{WORD}"#),
            format!(r#"\b(?:mysql|mariadb)[a-z-]{{0,8}}\b{REST}[\s,]["']?-p{WORD}"#),
            format!(r#"\bsshpass\b{REST}[\s,]["']?-p{GAP}?{WORD}"#),
            format!(r#"\bredis-cli\b{REST}[\s,]["']?-a{GAP}{WORD}"#),
            format!(r#"\becho\b[^\n;|&]{{0,64}}?[\s"'][a-z_][a-z0-9_-]{{0,31}}:{WORD}["']?\s*\|\s*(?:sudo\s+)?chpasswd\b"#),
            r#"(?i:authorization)["']?\s{0,4}[:=]\s{0,4}["']?(?i:bearer|basic|token)\s{1,4}(?P<value>[0-9A-Za-z+/=._~-]{8,1500})"#
                .to_owned(),
            r#"\b(?P<name>(?:[A-Za-z]{1,24}-){1,3}(?i:token|key)):\s{0,4}["']?(?P<value>[0-9A-Za-z+/=._~-]{8,1500})"#.to_owned(),
            format!(r#"(?:^|[\s,\["'])--?(?P<name>[A-Za-z][0-9A-Za-z._-]{{1,63}}){GAP}{WORD}"#),
            r#"\bmachine(?:\s|\\n)+[^\s\\]+(?:\s|\\n)+(?:login(?:\s|\\n)+[^\s\\]+(?:\s|\\n)+)?password(?:\s|\\n)+(?P<value>[^\s"'\\;|&>]{4,512})"#
                .to_owned(),
            // `npm config set NAME VALUE`, `aws configure set NAME VALUE`, `poetry config NAME VALUE`.
            format!(r#"\b(?:config|configure|configuration)\s+(?:set\s+)?(?:-[^\s]+\s+)*["']?(?P<name>[^\s"'=]{{3,200}}){GAP}{WORD}"#),
            format!(r#"\b(?:vault|cargo|ngrok|snyk|hcp|npm|sentry-cli|infracost|supabase|doppler|huggingface-cli|hf|wandb)\s+(?:config\s+)?(?:auth\s+)?(?:login|auth|authtoken|add-authtoken|set)\s+(?:-[^\s]+\s+)*["']?{WORD}"#),
            // `echo TOKEN | docker login --password-stdin`
            format!(r#"\b(?:echo|printf)\s+(?:-n\s+)?(?:["']?%s(?:\\n)?["']?\s+)?["']?{WORD}["']?\s*\|[^\n;&]{{0,256}}?(?:--?password-stdin|--with-token|--token-stdin|-S\b|--passphrase-fd)"#),
            // `gh auth login --with-token <<< TOKEN`
            format!(r#"(?:--with-token|--password-stdin)\s*<<<\s*["']?{WORD}"#),
            format!(r"\bpass:{WORD}"),
            format!(r#"\bldap[a-z]{{3,10}}\b{REST}[\s,]["']?-w{GAP}?{WORD}"#),
            format!(r#"\b(?:smbclient|rpcclient|net|mount\.cifs)\b{REST}[\s,]["']?-U{GAP}?[^\s%]{{1,64}}%{WORD}"#),
            format!(r#"\b(?:add_user|change_password)\s+["']?[0-9A-Za-z_.-]{{1,64}}["']?\s+["']?{WORD}"#),
            format!(r#"\bhttp-basic\.[^\s]{{1,128}}\s+[^\s]{{1,64}}\s+["']?{WORD}"#),
            format!(r#"\bhtpasswd\s+-[a-zA-Z]*b[a-zA-Z]*\s+(?:[^\s]+\s+)?[0-9A-Za-z_.-]{{1,64}}\s+["']?{WORD}"#),
            format!(r#"(?:\bIDENTIFIED\s+(?:WITH\s+[^\s]{{1,40}}\s+)?BY|\bWITH\s+(?:ENCRYPTED\s+)?PASSWORD|\bPASSWORD)\s+["']{WORD}"#),
            format!(r#"\b(?:useradd|usermod)\b{REST}[\s,]["']?(?:-p|--password){GAP}{WORD}"#),
            format!(r#"(?:^|\s)(?:user|proxy-user)\s*[=:]\s*["']?[0-9A-Za-z_.@-]{{1,64}}:{WORD}"#),
            // The older form of the instruction, without a sign.
            format!(r#"\b(?:ENV|ARG)\s+(?P<name>[A-Za-z_][0-9A-Za-z_]{{1,127}})\s+["']?{WORD}"#),
    ]
}
