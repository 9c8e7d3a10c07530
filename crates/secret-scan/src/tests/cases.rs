//! The texts in which each rule must find something: at least two for each rule.

use super::made::{ALNUM, BASE32, DIGITS, Maker, UPPER, base64};
use super::tokens::{self, Make, SecretText};
use crate::{Match, Rules};

/// The path that marks a text as a command.
pub(super) const COMMAND: &str = "(a command)";

/// Returns the findings in `text`, the contents of the file `path`.
pub(super) fn found(path: Option<&str>, text: &[u8]) -> Vec<Match> {
    if path == Some(COMMAND) {
        return Rules::standard().search_command(std::str::from_utf8(text).expect("a text"));
    }
    Rules::standard().search_bytes(path, text)
}

/// A text in which a rule must find something.
pub(super) struct Case {
    pub rule: &'static str,
    pub path: Option<&'static str>,
    pub text: String,
    /// The value, whose form other tests spoil. Empty if it is not a token.
    pub token: String,
}

/// Tokens with rules of their own; `tokens` has the rest.
const TOKENS: &[Make] = &[
    ("github-token", |m| m.with_crc("ghp_")),
    ("github-token", |m| m.with_crc("ghs_")),
    ("github-app-token", |m| {
        let jwt = m.jwt(r#"{"alg":"RS256","typ":"JWT"}"#, r#"{"iss":"app","iat":1775000000,"jti":"x"}"#);
        format!("ghs_{}_{jwt}", m.text(DIGITS, 7))
    }),
    ("github-fine-grained-token", |m| format!("github_pat_{}_{}", m.alnum(22), m.alnum(59))),
    ("gitlab-token", |m| format!("glpat-{}", m.alnum(20))),
    ("gitlab-token", |m| format!("glcbt-{}", m.alnum(24))),
    ("atlassian-token", |m| format!("ATATT3{}", m.alnum(186))),
    ("atlassian-token", |m| format!("ATBB{}{}", m.alnum(24), m.text("0123456789ABCDEF", 8))),
    ("npm-token", |m| m.with_crc("npm_")),
    ("pypi-token", |m| format!("pypi-AgEIcHlwaS5vcmc{}", m.alnum(120))),
    ("pypi-token", |m| format!("pypi-AgENdGVzdC5weXBpLm9yZw{}", m.alnum(120))),
    ("rubygems-key", |m| format!("rubygems_{}", m.hex(48))),
    ("docker-hub-token", |m| format!("dckr_pat_{}", m.alnum(27))),
    ("artifactory-key", |m| format!("AKCp{}", m.alnum(69))),
    ("aws-access-key-id", |m| format!("AKIA{}", m.text(BASE32, 16))),
    ("aws-access-key-id", |m| format!("ASIA{}", m.text(BASE32, 16))),
    ("google-api-key", |m| format!("AIza{}", m.alnum(35))),
    ("google-oauth-client-secret", |m| format!("GOCSPX-{}", m.alnum(28))),
    ("azure-client-secret", |m| format!("{}8Q~{}", m.alnum(3), m.alnum(34))),
    ("digitalocean-token", |m| format!("dop_v1_{}", m.hex(64))),
    ("cloudflare-token", |m| format!("v1.0-{}-{}", m.hex(24), m.hex(146))),
    ("terraform-cloud", |m| format!("{}.atlasv1.{}", m.alnum(14), m.alnum(67))),
    ("vault-token", |m| format!("hvs.{}", m.alnum(90))),
    ("vault-token", |m| format!("hvb.{}", m.alnum(150))),
    ("doppler-token", |m| format!("dp.pt.{}", m.alnum(43))),
    ("doppler-token", |m| format!("dp.st.prd.{}", m.alnum(43))),
    ("databricks-token", |m| format!("dapi{}", m.hex(32))),
    ("anthropic-key", |m| format!("sk-ant-api03-{}AA", m.alnum(93))),
    ("anthropic-key", |m| format!("sk-ant-admin01-{}AA", m.alnum(93))),
    ("openai-key", |m| format!("sk-{}T3BlbkFJ{}", m.alnum(20), m.alnum(20))),
    ("openai-key", |m| format!("sk-proj-{}T3BlbkFJ{}", m.alnum(74), m.alnum(74))),
    ("huggingface-token", |m| format!("hf_{}", m.text(&ALNUM[10..], 34))),
    ("huggingface-token", |m| format!("api_org_{}", m.text(&ALNUM[10..], 34))),
    ("slack-token", |m| format!("xoxb-{}-{}-{}", m.text(DIGITS, 12), m.text(DIGITS, 12), m.alnum(24))),
    ("slack-token", |m| format!("xapp-1-{}-{}-{}", m.text(UPPER, 11), m.text(DIGITS, 13), m.hex(64))),
    ("telegram-bot-token", |m| format!("{}:AA{}", m.text("3456789", 9), m.alnum(33))),
    ("stripe-key", |m| format!("sk_live_{}", m.alnum(24))),
    ("stripe-key", |m| format!("rk_live_{}", m.alnum(99))),
    ("sendgrid-key", |m| format!("SG.{}.{}", m.alnum(22), m.alnum(43))),
    ("mailgun-key", |m| format!("key-{}", m.hex(32))),
    ("shopify-token", |m| format!("shpat_{}", m.hex(32))),
    ("linear-key", |m| format!("lin_api_{}", m.alnum(40))),
    ("new-relic-key", |m| format!("NRAK-{}", m.text(UPPER, 27))),
    ("grafana-token", |m| format!("glsa_{}_{}", m.alnum(32), m.hex(8))),
    ("grafana-token", |m| format!("glc_eyJ{}", m.alnum(100))),
    ("sentry-token", |m| format!("sntryu_{}", m.hex(64))),
    ("sentry-token", |m| format!("sntrys_eyJ{}=_{}", m.alnum(120), m.alnum(43))),
    ("age-key", Maker::age),
    ("tailscale-key", |m| format!("tskey-auth-k{}CNTRL-{}", m.alnum(10), m.alnum(32))),
    ("tailscale-key", |m| format!("tskey-client-k{}CNTRL-{}", m.alnum(6), m.alnum(26))),
    ("groq-key", |m| format!("gsk_{}", m.alnum(52))),
    ("postman-key", |m| format!("PMAK-{}-{}", m.hex(24), m.hex(34))),
];

const TEXTS: &[SecretText] = &[
    ("npmrc-auth", Some("root/.npmrc"), |m| format!("//npm.pkg.host/:_authToken={}\n", m.hex(36))),
    ("npmrc-auth", Some("root/.npmrc"), |m| format!("//npm.pkg.host/:_password=\"{}\"\n", m.base64(18))),
    ("npmrc-auth", None, |m| format!("echo //npm.pkg.host/:_authToken={} > .npmrc", m.hex(40))),
    ("npmrc-password", Some("app/.npmrc"), |m| format!("_auth={}\n", base64(&format!("ci:{}", m.alnum(12))))),
    ("npmrc-password", Some("app/.npmrc"), |m| {
        format!("a=b\n//h.org/:_auth = \"{}\"\n", base64(&format!("ci:{}", m.alnum(9))))
    }),
    ("docker-config-auth", Some("root/.docker/config.json"), |m| {
        format!(
            "{{\"auths\": {{\"quay.io\": {{\n\"auth\": \"{}\"}}}}}}",
            base64(&format!("robot:{}", m.alnum(30)))
        )
    }),
    ("docker-config-auth", Some("x.json"), |m| {
        format!(
            "{{\"auths\":{{\"quay.io\":{{\"auth\":\"{}\"}}}}}}",
            base64(&format!("robot:{}", m.alnum(10)))
        )
    }),
    ("aws-secret-access-key", Some("root/.aws/credentials"), |m| {
        format!("[default]\naws_secret_access_key = {}\n", m.base64(30))
    }),
    ("aws-secret-access-key", None, |m| format!("AWS_SECRET_ACCESS_KEY={}", m.base64(30))),
    ("aws-secret-access-key", Some("a.json"), |m| format!("{{\"SecretAccessKey\": \"{}\"}}", m.base64(30))),
    ("google-service-account", Some("key.json"), |m| service_account(m, "\n  ")),
    ("google-service-account", Some("key.json"), |m| service_account(m, "")),
    ("aws-secret-key", Some("infra/main.tf"), |m| {
        format!(
            "provider \"aws\" {{\n  region     = \"eu-west-1\"\n  secret_key = \"{}\"\n}}\n",
            m.base64(30)
        )
    }),
    ("aws-secret-key", Some("app/config.json"), |m| {
        format!("{{\"secretKey\": \"{}\", \"provider\": \"AWS\"}}", m.base64(30))
    }),
    ("google-refresh-token", Some("root/.config/gcloud/application_default_credentials.json"), |m| {
        format!("{{\n  \"refresh_token\": \"1//0{}\",\n  \"type\": \"authorized_user\"\n}}", m.alnum(98))
    }),
    ("google-refresh-token", Some("a.json"), |m| format!("{{\"refresh_token\":\"1//{}\"}}", m.alnum(60))),
    ("cargo-token", Some("root/.cargo/credentials.toml"), |m| {
        format!("[registry]\ntoken = \"{}\"\n", m.alnum(40))
    }),
    ("cargo-token", Some("usr/local/cargo/credentials.toml"), |m| {
        format!("[registries.inner]\ntoken = \"Bearer {}\"\n", m.alnum(20))
    }),
    ("s3cfg-secret", Some("root/.s3cfg"), |m| format!("[default]\nsecret_key = {}\n", m.base64(30))),
    ("s3cfg-secret", Some("home/a/.s3cfg"), |m| {
        format!("host_base = s3.inner\nsecret_key={}\n", m.alnum(20))
    }),
    ("secret-in-settings", Some("chart/values.yaml"), |m| {
        format!("auth:\n  adminPassword: {} # changed\n", m.alnum(16))
    }),
    ("private-key-in-base64", Some("chart/values-prod.yaml"), |m| {
        format!("ingress:\n  tls.key: {}\n", base64(&m.pem("RSA PRIVATE KEY", "", "MII", "\n")))
    }),
    ("secret-in-settings", Some("app/application.properties"), |m| {
        format!("spring.datasource.password={}\n", m.alnum(20))
    }),
    ("secret-in-settings", Some("app/appsettings.Production.json"), |m| {
        format!("{{\n  \"ApiToken\": \"{}\",\n}}", m.alnum(32))
    }),
    ("secret-in-settings", Some("srv/docker-compose.prod.yml"), |_| {
        "    environment:\n      - POSTGRES_PASSWORD=Str0ng!Pass99\n".to_owned()
    }),
    ("azure-storage-key", Some("appsettings.json"), |m| {
        format!("\"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={}\"", m.base64(64))
    }),
    ("azure-storage-key", None, |m| format!("AccountEndpoint=x;AccountKey={};", m.base64(64))),
    ("cloudflare-token", None, |m| format!("CLOUDFLARE_API_TOKEN={}", m.alnum(40))),
    ("kubernetes-client-key", Some("root/.kube/config"), |m| {
        format!("    client-key-data: {}\n", base64(&m.pem("RSA PRIVATE KEY", "", "MII", "\n")))
    }),
    ("kubernetes-client-key", Some("kubeconfig.json"), |m| {
        format!("{{\"client-key-data\": \"{}\"}}", base64(&m.pem("EC PRIVATE KEY", "", "MHc", "\n")))
    }),
    ("kubernetes-service-account", Some("var/run/secrets/token"), |m| {
        m.jwt(r#"{"alg":"RS256","kid":"a"}"#, r#"{"iss":"kubernetes/serviceaccount","sub":"x"}"#)
    }),
    ("kubernetes-service-account", None, |m| {
        m.jwt(r#"{"alg":"RS256"}"#, r#"{"iss":"https://k","sub":"system:serviceaccount:default:ci"}"#)
    }),
    ("slack-webhook", Some("notify.sh"), |m| {
        format!(
            "curl https://hooks.slack.com/services/T{}/B{}/{}",
            m.text(UPPER, 8),
            m.text(UPPER, 10),
            m.alnum(24)
        )
    }),
    ("slack-webhook", None, |m| {
        format!(
            "U=https://hooks.slack.com/services/T{}/B{}/{}",
            m.text(UPPER, 10),
            m.text(UPPER, 10),
            m.alnum(24)
        )
    }),
    ("discord-webhook", Some("a.py"), |m| {
        format!("'https://discord.com/api/webhooks/{}/{}'", m.text(DIGITS, 18), m.alnum(68))
    }),
    ("discord-webhook", None, |m| {
        format!("https://discordapp.com/api/webhooks/{}/{}", m.text(DIGITS, 19), m.alnum(68))
    }),
    ("telegram-bot-token", Some("bot.py"), |m| {
        format!("https://api.telegram.org/bot{}:AA{}/sendMessage", m.text("3456789", 10), m.alnum(33))
    }),
    ("twilio-secret", None, |m| format!("TWILIO_AUTH_TOKEN={}", m.hex(32))),
    ("twilio-secret", Some("config.yml"), |m| format!("twilio_api_secret: \"{}\"", m.alnum(32))),
    ("discord-bot-token", None, |m| format!("DISCORD_TOKEN={}", discord(m))),
    ("discord-bot-token", Some("bot.toml"), |m| format!("discord_bot_token = \"{}\"\n", discord(m))),
    ("private-key", Some("etc/ssl/private/server.key"), |m| m.pem("RSA PRIVATE KEY", "", "MIIEp", "\n")),
    ("private-key", Some("app/server.key"), |m| m.pem("PRIVATE KEY", "", "MIGHA", "\r\n")),
    ("private-key", Some("app/config.json"), |m| {
        format!("{{\"key\": \"{}\"}}", m.pem("EC PRIVATE KEY", "", "MHc", "\\n"))
    }),
    ("private-key", Some("app/key.py"), |m| m.pem("PRIVATE KEY", "", "MII", "\\n'\n     b'")),
    ("private-key", Some("bin/program"), |m| {
        format!("\u{0}\u{1}{}\u{0}", m.pem("DSA PRIVATE KEY", "", "MIIB", "\n"))
    }),
    ("private-key", Some("app/encrypted.key"), |m| m.pem("ENCRYPTED PRIVATE KEY", "", "MIIE", "\n")),
    ("openssh-private-key", Some("root/.ssh/deploy"), |m| {
        m.pem("OPENSSH PRIVATE KEY", "", "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ", "\n")
    }),
    ("openssh-private-key", Some("root/.ssh/locked"), |m| {
        m.pem("OPENSSH PRIVATE KEY", "", "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHI", "\n")
    }),
    ("gpg-private-key", Some("key.asc"), |m| m.pem("PGP PRIVATE KEY BLOCK", "Version: 2\n\n", "lQOY", "\n")),
    ("gpg-private-key", Some("key.asc"), |m| m.pem("PGP PRIVATE KEY BLOCK", "\n", "lQdG", "\n")),
    ("putty-private-key", Some("a.ppk"), |m| putty(m, "3", "none", "\n")),
    ("putty-private-key", Some("a.ppk"), |m| putty(m, "2", "aes256-cbc", "\r\n")),
    ("jwt", Some("a.txt"), |m| m.jwt(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"sub":"somebody","admin":true}"#)),
    ("jwt", None, |m| format!("TOKEN: {}", m.jwt(r#"{"typ":"JWT","alg":"RS256"}"#, r#"{"aud":"somebody"}"#))),
    ("url-with-password", Some("app.yml"), |m| {
        format!("db: postgres://app:{}@db.internal:5432/app\n", m.alnum(20))
    }),
    ("url-with-password", None, |m| format!("git clone https://ci:{}@git.company.org/x", m.alnum(30))),
    ("netrc-password", Some("root/.netrc"), |m| {
        format!("machine git.org login ci password {}\n", m.alnum(12))
    }),
    ("netrc-password", Some("home/a/.netrc"), |m| {
        format!("machine git.org\n  login ci\n  password {}\n", m.alnum(12))
    }),
    ("pgpass", Some("root/.pgpass"), |m| format!("db.internal:5432:*:app:{}\n", m.alnum(12))),
    ("pgpass", Some("root/.pgpass"), |m| format!("# x\n*:*:*:postgres:{}", m.alnum(9))),
    ("pypirc-password", Some("root/.pypirc"), |m| {
        format!("[pypi]\nusername = ci\npassword = {}\n", m.alnum(12))
    }),
    ("pypirc-password", Some(".pypirc"), |m| format!("[pypi]\npassword:{}\n", m.alnum(8))),
    ("my-cnf-password", Some("root/.my.cnf"), |m| format!("[client]\npassword=\"{}\"\n", m.alnum(12))),
    ("my-cnf-password", Some("root/.my.cnf"), |m| format!("[client]\nuser=a\npassword = {}\n", m.alnum(12))),
    ("maven-password", Some("root/.m2/settings.xml"), |m| {
        format!("  <password>{}</password>\n", m.alnum(12))
    }),
    ("maven-password", Some("root/.m2/settings.xml"), |m| {
        format!("<passphrase>{}</passphrase>", m.alnum(12))
    }),
    ("generic-assignment", None, |m| format!("DB_PASSWORD={}", m.alnum(20))),
    ("generic-assignment", Some("srv/.env"), |_| "DB_PASSWORD=Str0ng!Pass99\n".to_owned()),
    ("generic-assignment", None, |m| {
        format!("RUN |2 VERSION=1 DEPLOY_TOKEN={} /bin/sh -c make", m.alnum(24))
    }),
    ("generic-assignment", Some("app/.env"), |m| {
        format!("# x\nPORT=80\nexport SESSION_SECRET=\"{}\"\n", m.alnum(32))
    }),
    ("generic-assignment", Some("app/.env.production"), |m| format!("API_KEY={}", m.hex(32))),
    ("secret-in-command", Some(COMMAND), |m| {
        format!("RUN curl -fsSL -u ci:{} https://repo.internal/a.tgz", m.alnum(20))
    }),
    ("secret-in-command", Some(COMMAND), |m| format!("app serve --api-key={} --port 80", m.alnum(32))),
];

fn service_account(m: &mut Maker, gap: &str) -> String {
    let key = m.pem("PRIVATE KEY", "", "MIIEv", "\\n");
    format!(
        "{{{gap}\"type\": \"service_account\",{gap}\"private_key_id\": \"{}\",{gap}\"private_key\": \"{key}\"}}",
        m.hex(40)
    )
}

fn discord(m: &mut Maker) -> String {
    format!("M{}.{}.{}", m.alnum(23), m.alnum(6), m.alnum(27))
}

fn putty(m: &mut Maker, version: &str, encryption: &str, end: &str) -> String {
    let lines = |m: &mut Maker, count: usize| (0..count).map(|_| m.base64(48) + end).collect::<String>();
    let (public, private) = (lines(m, 6), lines(m, 14));
    let start = ["PuTTY-User", "-Key-File"].concat();
    format!(
        "{start}-{version}: ssh-rsa{end}Encryption: {encryption}{end}Comment: a{end}Public-Lines: 6{end}{public}\
         Private-Lines: 14{end}{private}Private-MAC: {}{end}",
        m.hex(40)
    )
}

/// Returns every case.
pub(super) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for (seed, (rule, make)) in (1..).zip(TOKENS.iter().chain(tokens::TOKENS)) {
        for round in 0..2 {
            let token = make(&mut Maker::new(seed * 10 + round));
            let text = [format!("x: \"{token}\"\n"), format!("{{\"a\": \"1\\n{token}\\n\"}}")];
            for text in text {
                cases.push(Case { rule, path: Some("app/config"), text, token: token.clone() });
            }
            cases.push(Case { rule, path: None, text: token.clone(), token });
        }
    }
    for (seed, (rule, path, make)) in (10_000..).zip(TEXTS.iter().chain(tokens::TEXTS)) {
        let text = make(&mut Maker::new(seed));
        cases.push(Case { rule, path: *path, text, token: String::new() });
    }
    cases
}
