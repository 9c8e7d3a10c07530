//! Registries that repeat what they were sent, in every part of an answer and in many encodings. No output shows it: neither standard
//! output nor errors nor the log, neither JSON nor a plan nor a record.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use testkit::command::Folder;
use testkit::test_registry::{Fault, RequiredCredentials, TestRegistry, TestRegistryOptions};
use testkit::world::{configuration, image};

const USER: &str = "acme-bot";
/// A password with characters that every encoding treats specially.
const WORD: &str = "R7dQ2m<Vx9KcT&4nLw8\"ZbH3/sYf6";

/// The encodings of the password.
fn encodings() -> Vec<(&'static str, String)> {
    let pair = format!("{USER}:{WORD}");
    let each = |write: fn(u8) -> String| WORD.bytes().map(write).collect::<String>();
    let percent = each(|byte| format!("%{byte:02X}"));
    vec![
        ("as it is", WORD.to_owned()),
        ("header", format!("Basic {}", STANDARD.encode(&pair))),
        ("base64", STANDARD.encode(WORD)),
        ("base64 of a part", URL_SAFE_NO_PAD.encode(format!("is {WORD}!"))),
        ("base64 twice", STANDARD.encode(STANDARD.encode(&pair))),
        ("hexadecimal", each(|byte| format!("{byte:02x}"))),
        ("html", WORD.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")),
        ("numbers of html", each(|byte| format!("&#{byte};"))),
        ("percent", percent.clone()),
        ("percent twice", percent.replace('%', "%25")),
        ("json", Value::String(WORD.to_owned()).to_string()),
        ("json in json", Value::String(Value::String(WORD.to_owned()).to_string()).to_string()),
        ("unicode escapes", each(|byte| format!("\\u{byte:04x}"))),
        ("zero width", WORD.chars().flat_map(|it| [it, '\u{200b}']).collect()),
        ("spaces", WORD.chars().flat_map(|it| [it, ' ']).collect()),
        ("capitals", WORD.to_uppercase()),
        ("backwards", WORD.chars().rev().collect()),
    ]
}

/// The parts of an answer.
#[derive(Debug, Clone, Copy)]
enum Part {
    Message,
    Detail,
    Key,
    Code,
    Halves,
    Text,
    Xml,
    Warning,
    Realm,
    Service,
    Redirect,
    OtherHost,
    Location,
    ContentType,
    Digest,
    Manifest,
    Tags,
    Link,
}

const PARTS: [Part; 18] = [
    Part::Message,
    Part::Detail,
    Part::Key,
    Part::Code,
    Part::Halves,
    Part::Text,
    Part::Xml,
    Part::Warning,
    Part::Realm,
    Part::Service,
    Part::Redirect,
    Part::OtherHost,
    Part::Location,
    Part::ContentType,
    Part::Digest,
    Part::Manifest,
    Part::Tags,
    Part::Link,
];

impl Part {
    /// Whether a text can stand in a header.
    fn is_header(self) -> bool {
        !matches!(
            self,
            Self::Message
                | Self::Detail
                | Self::Key
                | Self::Code
                | Self::Halves
                | Self::Text
                | Self::Xml
                | Self::Manifest
                | Self::Tags
        )
    }

    /// Makes `registry` repeat `text` here. `other` is the host of another server.
    fn repeat(self, registry: &TestRegistry, text: &str, other: &str) {
        let refuse = |status: u16, body: String| {
            registry.on(
                "GET",
                "/manifests/",
                999,
                Fault::Answer(status, Vec::new(), body.clone().into_bytes()),
            );
            registry.on("HEAD", "/manifests/", 999, Fault::Answer(status, Vec::new(), Vec::new()));
        };
        let errors = |error: Value| refuse(403, json!({ "errors": [error] }).to_string());
        let headers = |status: u16, headers: Vec<(&'static str, String)>| {
            for method in ["GET", "HEAD"] {
                let answer = Fault::Answer(status, headers.clone(), Vec::new());
                registry.on(method, "/manifests/", 999, answer);
            }
        };
        let path: String = percent(text);
        match self {
            Self::Message => errors(json!({ "code": "DENIED", "message": format!("no: {text}") })),
            Self::Detail => errors(json!({ "code": "DENIED", "detail": { "sent": [text] } })),
            Self::Key => errors(json!({ "code": "DENIED", "detail": { text: 1 } })),
            Self::Code => errors(json!({ "code": text })),
            Self::Halves => {
                let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
                errors(json!({ "code": text[..half], "message": text[half..] }));
            }
            Self::Text => refuse(403, format!("refused: {text}")),
            Self::Xml => {
                refuse(403, format!("<Error><Code>AccessDenied</Code><Message>{text}</Message></Error>"));
            }
            Self::Warning => registry.on(
                "GET",
                "/",
                999,
                Fault::Headers(vec![("warning", format!("299 - \"{}\"", text.replace('"', "\\\"")))]),
            ),
            Self::Realm => headers(
                401,
                vec![("www-authenticate", format!("Bearer realm=\"http://{other}/{path}\",service=\"x\""))],
            ),
            Self::Service => headers(
                401,
                vec![("www-authenticate", format!("Negotiate service=\"{}\"", text.replace('"', "'")))],
            ),
            Self::Redirect => headers(307, vec![("location", format!("/v2/app/manifests/{path}/x"))]),
            Self::OtherHost => headers(307, vec![("location", format!("http://{other}/{path}"))]),
            Self::Location => {
                let location = vec![("location", format!("http://{other}/{path}"))];
                registry.on("POST", "/blobs/uploads/", 999, Fault::Answer(202, location, Vec::new()));
            }
            Self::ContentType => headers(200, vec![("content-type", format!("application/{path}"))]),
            Self::Digest => headers(200, vec![("docker-content-digest", path)]),
            Self::Manifest => refuse(
                200,
                json!({ "schemaVersion": 2, "mediaType": text, "config": { "mediaType": text } }).to_string(),
            ),
            Self::Tags => {
                let tags = json!({ "name": "app", "tags": [text, "v1.0.0"] }).to_string();
                registry.on("GET", "/tags/list", 999, Fault::Answer(200, Vec::new(), tags.into_bytes()));
            }
            Self::Link => {
                let link = vec![("link", format!("</v2/{path}/tags/list?n=1>; rel=\"next\""))];
                registry.on("GET", "/tags/list", 999, Fault::Answer(200, link, b"{\"tags\":[]}".to_vec()));
            }
        }
    }
}

/// Returns `text` as a part of an address.
fn percent(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-._~=".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(byte).collect()
}

/// The letters and digits of `text`, in small letters.
fn squeezed(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|it| it.to_ascii_lowercase()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_output_repeats_what_a_registry_repeats() {
    let other = TestRegistry::start(TestRegistryOptions::default()).await;
    other.on("GET", "/", 9999, Fault::Answer(404, Vec::new(), Vec::new()));
    let all = encodings();
    let forbidden: Vec<String> = all
        .iter()
        .map(|(_, text)| squeezed(text))
        .chain([squeezed(&STANDARD.encode(format!("{USER}:{WORD}")))])
        .collect();
    let mut runs = 0;
    for (position, part) in PARTS.into_iter().enumerate() {
        // Each part gets some of the encodings, and each encoding some of the parts.
        let fits = |text: &str| !part.is_header() || text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        let from = all.iter().cycle().skip(position * 3).take(all.len());
        for (encoding, text) in from.filter(|(_, text)| fits(text)).take(3) {
            runs += 1;
            let options = TestRegistryOptions {
                user: Some((USER, WORD)),
                auth: RequiredCredentials::Basic,
                ..TestRegistryOptions::default()
            };
            let registry = TestRegistry::start(options).await;
            part.repeat(&registry, text, &other.host());
            let url = format!("url = \"{}\"\n", registry.host());
            let auth = "auth = { username_env = \"A_USER\", password_env = \"A_WORD\" }\n";
            let text = configuration(&[("one", &registry.host())]).replace(&url, &format!("{url}{auth}"));
            let folder = Folder::with(&[("publish.toml", &text)]);
            folder.image("image", &image("text"));
            let mut shown = String::new();
            for command in [
                "-vv plan --json --out plan.json --ref refs/tags/v1.2.3",
                "-vv apply --auto-approve --record record.json --ref refs/tags/v1.2.3",
            ] {
                let run = folder.run(command).wide().env("A_USER", USER).env("A_WORD", WORD);
                shown += &run.done().shown();
            }
            for file in ["plan.json", "record.json"] {
                shown += &std::fs::read_to_string(folder.path.join(file)).unwrap_or_default();
            }
            let plain = squeezed(&shown);
            for secret in &forbidden {
                assert!(!plain.contains(secret), "{part:?}, {encoding}: {secret} in\n{shown}");
            }
        }
    }
    assert!(runs >= 54, "{runs} runs");
}
