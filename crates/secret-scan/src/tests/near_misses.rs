//! The texts that each rule must leave alone: at least two for each rule.

use super::cases::{self, COMMAND};
use super::made::{ALNUM, BASE32, HEX, Maker, base64};
use super::tokens::{self, SecretText};

/// A text in which a rule must find nothing.
pub(super) struct NearMiss {
    pub rule: &'static str,
    pub path: Option<&'static str>,
    pub text: String,
}

const TEXTS: &[SecretText] = &[
    ("aws-access-key-id", Some("a"), |m| format!("AKIA{}EXAMPLE", m.text(BASE32, 9))),
    ("npmrc-auth", Some("root/.npmrc"), |_| "//registry/:_authToken=${NPM_TOKEN}\n".to_owned()),
    ("npmrc-auth", Some("a.js"), |_| "npmrc._authToken = getToken(x)".to_owned()),
    ("npmrc-password", Some("app/.npmrc"), |m| {
        format!("; _auth={}\n", base64(&format!("ci:{}", m.alnum(9))))
    }),
    ("npmrc-password", Some("app/.npmrc"), |_| format!("_auth={}\n", base64("user:password"))),
    ("docker-config-auth", Some("node_modules/a.json"), |m| format!("{{\"auth\": \"{}\"}}", m.base64(30))),
    ("docker-config-auth", Some("a.json"), |_| format!("{{\"auth\": \"{}\"}}", base64("username:password"))),
    ("docker-config-auth", Some("a.json"), |_| "{\"auths\": {\"h\": {\"auth\": \"\"}}}".to_owned()),
    ("aws-secret-access-key", Some("a"), |_| {
        format!("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY{}KEY", "EXAMPLE")
    }),
    ("aws-secret-access-key", Some("a.py"), |_| {
        "secret_access_key = settings.AWS_SECRET_KEY_OF_THE_USER".to_owned()
    }),
    ("aws-secret-access-key", Some("a"), |m| format!("secret_access_key = {}", m.text("0123abcd", 40))),
    ("google-service-account", Some("a.json"), |m| format!("{{\"private_key_id\": \"{}\"}}", m.hex(40))),
    ("google-service-account", Some("a.json"), |m| {
        let begin = ["-----BEGIN", "PRIVATE KEY-----"].join(" ");
        format!("\"private_key_id\": \"{}\", \"private_key\": \"{begin}\\n...\\n\"", m.hex(40))
    }),
    ("aws-secret-key", Some("a.tf"), |_| "provider \"aws\" {\n  secret_key = var.secret_key\n}".to_owned()),
    ("aws-secret-key", Some("site-packages/settings.py"), |m| format!("SECRET_KEY = \"{}\"", m.alnum(40))),
    ("aws-secret-key", Some("site-packages/settings.py"), |m| {
        format!("# aws\nSECRET_KEY = \"{}\"", m.alnum(50))
    }),
    ("google-refresh-token", Some("node_modules/a.json"), |m| {
        format!("{{\"refresh_token\": \"{}\"}}", m.alnum(60))
    }),
    ("google-refresh-token", Some("a.json"), |_| "{\"refresh_token\": \"1//your-refresh-token\"}".to_owned()),
    ("cargo-token", Some("root/.cargo/credentials.toml"), |_| "[registry]\ntoken = \"<token>\"\n".to_owned()),
    ("cargo-token", Some("root/.cargo/config.toml"), |_| "token = \"cargo:token\"\n".to_owned()),
    ("s3cfg-secret", Some("root/.s3cfg"), |_| "access_token = \nsecret_key = \n".to_owned()),
    ("s3cfg-secret", Some("root/.s3cfg"), |_| "secret_key = ${SECRET}\n".to_owned()),
    ("secret-in-settings", Some("chart/values.yaml"), |_| {
        "auth:\n  password: \"\"\n  existingSecret: my-Release-2-secret\n  token: {{ .Values.token }}\n  apiKey: changeme\n"
            .to_owned()
    }),
    ("secret-in-settings", Some("node_modules/a/secret.yaml"), |m| format!("password: {}\n", m.alnum(20))),
    ("secret-in-settings", Some("app/messages.properties"), |_| {
        "login.password=Enter your password\nfield.password=Password\nsecret=ENC(AbCdEf0123456789)\n"
            .to_owned()
    }),
    ("azure-storage-key", None, |_| "AccountName=a;AccountKey=<key>;".to_owned()),
    ("azure-storage-key", None, |_| "AccountKey=account-key-of-azure".to_owned()),
    ("cloudflare-token", None, |_| {
        "CLOUDFLARE_API_TOKEN=your-token-of-forty-characters-goes-here".to_owned()
    }),
    ("cloudflare-token", Some("a.txt"), |m| format!("the version is v1.0-{}", m.hex(30))),
    ("kubernetes-client-key", Some("a"), |m| {
        format!("client-key-data: {}", base64(&m.pem("CERTIFICATE", "", "MIID", "\n")))
    }),
    ("kubernetes-client-key", Some("a"), |_| "client-key-data: REDACTED".to_owned()),
    ("kubernetes-service-account", None, |m| {
        m.jwt(r#"{"alg":"RS256"}"#, r#"{"iss":"https://accounts.org"}"#)
    }),
    ("kubernetes-service-account", None, |m| {
        format!("eyJhbGciOi{}.eyJ{}.{}", m.alnum(30), m.alnum(30), m.alnum(30))
    }),
    ("slack-webhook", None, |_| {
        format!("https://hooks.slack.com/services/T{0}/B{0}/{1}", "00000000", "X".repeat(24))
    }),
    ("slack-webhook", None, |_| "https://hooks.slack.com/services/".to_owned()),
    ("discord-webhook", None, |_| "https://discord.com/api/webhooks/{id}/{token}".to_owned()),
    ("discord-webhook", None, |m| format!("/api/webhooks/{}/{}", m.hex(18), m.alnum(30))),
    ("twilio-secret", Some("a.py"), |_| "TWILIO_AUTH_TOKEN = os.environ['TWILIO_AUTH_TOKEN']".to_owned()),
    ("twilio-secret", None, |_| format!("TWILIO_AUTH_TOKEN={}", "x".repeat(32))),
    ("discord-bot-token", None, |_| "DISCORD_TOKEN=your.token.here".to_owned()),
    ("discord-bot-token", Some("a.py"), |_| "discord_token = config.get(\"discord\").token".to_owned()),
    ("private-key", Some("a.pem"), |m| m.pem("PUBLIC KEY", "", "MIIB", "\n")),
    ("private-key", Some("a.pem"), |m| m.pem("CERTIFICATE", "", "MIID", "\n")),
    ("private-key", Some("tls.c"), |_| {
        let begin = ["-----BEGIN", "RSA PRIVATE KEY-----"].join(" ");
        format!(
            "#define PEM_RSA \"{begin}\"\n#define PEM_END \"-----END RSA PRIVATE KEY-----\"\nint load(void);\n"
        )
    }),
    ("private-key", Some("docs.txt"), |_| {
        let begin = ["-----BEGIN", "PRIVATE KEY-----"].join(" ");
        format!("{begin}\n{}\n-----END PRIVATE KEY-----\n", "x".repeat(64))
    }),
    ("openssh-private-key", Some("a"), |_| {
        ["-----BEGIN", "OPENSSH PRIVATE KEY-----\n-----END OPENSSH PRIVATE KEY-----\n"].join(" ")
    }),
    ("openssh-private-key", Some("a"), |m| m.pem("OPENSSH PRIVATE KEY", "", "AAAA", "\n")),
    ("gpg-private-key", Some("a"), |m| m.pem("PGP PUBLIC KEY BLOCK", "\n", "mQIN", "\n")),
    ("gpg-private-key", Some("a"), |_| ["-----BEGIN", "PGP PRIVATE KEY BLOCK-----\n\n...\n"].join(" ")),
    ("putty-private-key", Some("a.c"), |_| {
        "static const char header[] = \"PuTTY-User-Key-File-3: \";".to_owned()
    }),
    ("putty-private-key", Some("a.ppk"), |m| {
        format!("PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\nPrivate-Lines: 1\n{}\n", m.base64(6))
    }),
    ("age-key", Some("a"), |m| {
        format!("a key of age {}", m.age().replacen("KEY-1", "KEY-1B", 1).get(..73).unwrap_or_default())
    }),
    ("jwt", None, |m| m.jwt(r#"{"alg":"none"}"#, r#"{"sub":"a-subject"}"#)),
    ("jwt", None, |m| format!("eyJhbGciOi{}.eyJ{}.{}", m.alnum(30), m.alnum(30), m.alnum(30))),
    ("url-with-password", Some("a"), |_| "https://user:password@example.com/".to_owned()),
    ("url-with-password", Some("a"), |_| "postgres://app:${DB_PASSWORD}@db/app".to_owned()),
    ("url-with-password", Some("a"), |_| "http://localhost:8080/users/@me and mailto:a@b.org".to_owned()),
    ("url-with-password", Some("a"), |_| "redis://:<password>@host:6379".to_owned()),
    ("netrc-password", Some("root/.netrc"), |_| "machine a login b password changeme\n".to_owned()),
    ("netrc-password", Some("usr/share/a/netrc.txt"), |m| format!("password {}\n", m.alnum(12))),
    ("pgpass", Some("root/.pgpass"), |m| format!("#db:5432:*:app:{}\n", m.alnum(12))),
    ("pgpass", Some("root/.pgpass"), |_| "db:5432:*:postgres:postgres\n".to_owned()),
    ("pypirc-password", Some("root/.pypirc"), |_| {
        "password = %(PYPI_PASSWORD)s\npassword = <password>\n".to_owned()
    }),
    ("pypirc-password", Some("root/pypirc.md"), |m| format!("password = {}\n", m.alnum(12))),
    ("my-cnf-password", Some("root/.my.cnf"), |_| "[client]\n# password = \npassword=password\n".to_owned()),
    ("my-cnf-password", Some("etc/mysql/other.cnf"), |m| format!("password={}\n", m.alnum(12))),
    ("maven-password", Some("root/.m2/settings.xml"), |m| {
        format!("<password>{{{}}}</password>\n", m.base64(32))
    }),
    ("maven-password", Some("root/.m2/settings.xml"), |_| "<password>${env.TOKEN}</password>\n".to_owned()),
    ("generic-assignment", None, |_| "DB_PASSWORD=changeme API_TOKEN=${TOKEN} SECRET_KEY=secret".to_owned()),
    ("generic-assignment", None, |m| format!("GPG_KEY={} COMMIT={}", m.hex(40).to_uppercase(), m.hex(40))),
    ("generic-assignment", None, |_| {
        "PASSWORD_FILE=/run/secrets/db DB_PASSWORD=/run/secrets/db_password".to_owned()
    }),
    ("generic-assignment", None, |_| "KUBERNETES_SECRET=my-database-credentials TOKEN_TTL=3600".to_owned()),
    ("generic-assignment", Some("app/settings.py"), |m| format!("DB_PASSWORD={}\n", m.alnum(20))),
    ("generic-assignment", Some("app/.env"), |_| {
        "# API_KEY=\nDB_PASSWORD=\nAPP_SECRET='<your secret>'\n".to_owned()
    }),
    ("secret-in-command", Some(COMMAND), |_| {
        "curl -u ci:$PASSWORD -H \"Authorization: Bearer ${TOKEN}\" https://repo.internal/".to_owned()
    }),
    ("secret-in-command", Some(COMMAND), |_| {
        "adduser --disabled-password appuser && cat token | docker login -u ci --password-stdin".to_owned()
    }),
];

/// Returns every near miss: those above, and for each token one that is cut short, one of a single repeated character, and one that
/// is a part of a longer word.
pub(super) fn all() -> Vec<NearMiss> {
    let mut misses: Vec<NearMiss> = (5000..)
        .zip(TEXTS.iter().chain(tokens::NEAR_MISSES))
        .map(|(seed, (rule, path, make))| NearMiss { rule, path: *path, text: make(&mut Maker::new(seed)) })
        .collect();
    let whole_words = ["github-token", "npm-token"]; // their checksum is proof
    for case in cases::all().into_iter().filter(|it| it.path.is_none() && !it.token.is_empty()) {
        let token = case.token;
        let mut miss =
            |text: String| misses.push(NearMiss { rule: case.rule, path: Some("app/data.bin"), text });
        miss(format!("this is a {}\n", &token[..(token.len() * 2 / 3).min(24)]));
        let flat: String = token.chars().rev().take(token.len() / 2).map(|_| 'a').collect();
        miss(
            format!("this is a {}{flat}\n", &token[..token.len() - flat.len()])
                .replace(&token[10..token.len() - flat.len()], ""),
        );
        if !whole_words.contains(&case.rule) && case.rule != "telegram-bot-token" {
            miss(format!("this is a {}{token}{}\n", &ALNUM[..3], &HEX[10..]));
        }
    }
    misses
}
