//! Makers of tokens: a rule, and the function that makes a token of its form.

use super::made::{DIGITS, Maker, UPPER};

/// A rule, and the function that makes a token.
pub(super) type Make = (&'static str, fn(&mut Maker) -> String);

/// The tokens of issuers.
pub(super) const TOKENS: &[Make] = &[
    ("build-service-token", |m| format!("AIK_CI_{}", m.alnum(32))),
    ("build-service-token", |m| format!("AIK_SECRET_{}", m.alnum(64))),
    ("build-service-token", |m| format!("BBDC-{}", m.alnum(44))),
    ("build-service-token", |m| format!("cnvca{}", m.alnum(51))),
    ("build-service-token", |m| format!("csa_{}{}", m.hex(30), m.alnum(6))),
    ("build-service-token", |m| format!("configcat-sdk-1/{}/{}", m.alnum(22), m.alnum(22))),
    ("build-service-token", |m| format!("ddp_{}", m.alnum(36))),
    ("build-service-token", |m| format!("dvc_server_{}", m.alnum(24))),
    ("build-service-token", |m| format!("apk_user_{}", m.alnum(140))),
    ("build-service-token", |m| format!("packagist_out_{}", m.hex(68))),
    ("build-service-token", |m| format!("rootly_{}", m.hex(64))),
    ("build-service-token", |m| format!("vtwn_{}", m.alnum(30))),
    ("build-service-token", |m| format!("waka_{}", m.uuid())),
    ("build-service-token", |m| format!("zpka_{}_{}", m.hex(32), m.hex(8))),
    ("cloud-service-token", |m| format!("CCDB1_{}_{}", m.alnum(22), m.alnum(40))),
    ("cloud-service-token", |m| format!("AstraCS:{}:{}", m.alnum(24), m.hex(64))),
    ("cloud-service-token", |m| format!("SWMKEY-1-{}", m.alnum(43))),
    ("cloud-service-token", |m| format!("essu_{}", m.alnum(80))),
    ("cloud-service-token", |m| format!("EXO{}", m.alnum(26))),
    ("cloud-service-token", |m| format!("ucat_{}", m.alnum(28))),
    ("cloud-service-token", |m| format!("unkey_{}", m.alnum(24))),
    ("payment-service-token", |m| format!("mercury_production_rma_{}_yrucrem", m.alnum(44))),
    ("payment-service-token", |m| format!("polar_oat_{}", m.alnum(40))),
    ("payment-service-token", |m| format!("ramp_sec_{}", m.alnum(48))),
    ("payment-service-token", |m| format!("xnd_production_{}", m.alnum(60))),
    ("payment-service-token", |m| format!("Mid-server-{}", m.alnum(24))),
    ("model-service-token", |m| format!("BSA{}", m.alnum(28))),
    ("model-service-token", |m| format!("sk_car_{}", m.alnum(22))),
    ("model-service-token", |m| format!("llx-{}", m.alnum(48))),
    ("model-service-token", |m| format!("sk-api-{}", m.alnum(119))),
    ("workplace-service-token", |m| format!("lip_{}", m.alnum(24))),
    ("workplace-service-token", |m| format!("eyJtaXJv{}_{}", m.alnum(20), m.alnum(27))),
    ("workplace-service-token", |m| format!("nyk_{}", m.alnum(67))),
    ("workplace-service-token", |m| format!("api_live.{}", m.alnum(40))),
    ("workplace-service-token", |m| format!("pina_{}", m.alnum(60))),
    ("workplace-service-token", |m| format!("samsara_api_{}", m.alnum(30))),
    ("workplace-service-token", |m| format!("prf_{}", m.alnum(32))),
    ("workplace-service-token", |m| format!("tss_{}", m.alnum(40))),
    ("workplace-service-token", |m| format!("s-s4t2ud-{}", m.hex(64))),
    ("xai-key", |m| format!("xai-{}", m.alnum(80))),
    ("openrouter-key", |m| format!("sk-or-v1-{}", m.hex(64))),
    ("perplexity-key", |m| format!("pplx-{}", m.alnum(48))),
    ("replicate-token", |m| format!("r8_{}", m.alnum(37))),
    ("nvidia-key", |m| format!("nvapi-{}", m.alnum(64))),
    ("pinecone-key", |m| format!("pcsk_{}_{}", m.alnum(6), m.alnum(63))),
    ("langsmith-key", |m| format!("lsv2_pt_{}_{}", m.hex(32), m.hex(10))),
    ("langsmith-key", |m| format!("lsv2_sk_{}_{}", m.hex(32), m.hex(10))),
    ("model-service-key", |m| format!("sk-{}", m.hex(32))),
    ("model-service-key", |m| format!("sk-{}", m.alnum(48))),
    ("gemini-key", |m| format!("AQ.{}", m.alnum(50))),
    ("bedrock-key", |m| format!("ABSK{}", m.alnum(128))),
    ("bedrock-key", |m| format!("bedrock-api-key-{}", m.alnum(400))),
    ("together-key", |m| format!("tgp_v1_{}", m.alnum(43))),
    ("fireworks-key", |m| format!("fw_{}", m.alnum(24))),
    ("cerebras-key", |m| format!("csk-{}", m.hex(48))),
    ("voyage-key", |m| format!("pa-{}", m.alnum(43))),
    ("jina-key", |m| format!("jina_{}{}", m.hex(32), m.alnum(28))),
    ("elevenlabs-key", |m| format!("sk_{}", m.hex(48))),
    ("langfuse-key", |m| format!("sk-lf-{}", m.uuid())),
    ("tavily-key", |m| format!("tvly-{}", m.alnum(32))),
    ("tavily-key", |m| format!("tvly-dev-{}", m.alnum(32))),
    ("firecrawl-key", |m| format!("fc-{}", m.hex(32))),
    ("e2b-key", |m| format!("e2b_{}", m.hex(40))),
    ("wandb-key", |m| format!("wandb_v1_{}", m.alnum(77))),
    ("apify-token", |m| format!("apify_api_{}", m.alnum(36))),
    ("runpod-key", |m| format!("rpa_{}", m.text(UPPER, 42))),
    ("google-access-token", |m| format!("ya29.{}", m.alnum(180))),
    ("azure-devops-token", |m| format!("{}AZDO{}", m.alnum(76), m.alnum(4))),
    ("azure-identifiable-key", |m| format!("{}JQQJ99{}", m.alnum(52), m.alnum(26))),
    ("azure-registry-token", |m| format!("{}+ACR{}", m.alnum(42), m.alnum(6))),
    ("azure-function-key", |m| format!("{}AzFu{}", m.alnum(44), m.alnum(6))),
    ("azure-search-key", |m| format!("{}AzSe{}", m.alnum(42), m.alnum(6))),
    ("azure-redis-key", |m| format!("{}AzCa{}", m.alnum(33), m.alnum(6))),
    ("heroku-key", |m| format!("HRKU-AA{}", m.alnum(58))),
    ("heroku-key", |m| format!("HRKU-{}", m.uuid())),
    ("cloudflare-prefixed-token", |m| format!("cfut_{}", m.alnum(48))),
    ("cloudflare-prefixed-token", |m| format!("cfat_{}", m.alnum(48))),
    ("alibaba-key", |m| format!("LTAI{}", m.alnum(20))),
    ("tencent-key", |m| format!("AKID{}", m.alnum(32))),
    ("scaleway-key", |m| format!("SCW{}", m.text(UPPER, 17))),
    ("onepassword-token", |m| format!("ops_eyJ{}", m.alnum(400))),
    ("onepassword-secret-key", |m| {
        format!(
            "A3-{}-{}-{}-{}-{}-{}",
            m.text(UPPER, 6),
            m.text(UPPER, 6),
            m.text(UPPER, 5),
            m.text(UPPER, 5),
            m.text(UPPER, 5),
            m.text(UPPER, 5)
        )
    }),
    ("fly-token", |m| format!("fo1_{}", m.alnum(43))),
    ("fly-token", |m| format!("fm2_{}", m.alnum(200))),
    ("render-key", |m| format!("rnd_{}", m.alnum(32))),
    ("vercel-token", |m| format!("vcp_{}", m.alnum(56))),
    ("vercel-token", |m| format!("vercel_blob_rw_{}_{}", m.alnum(16), m.alnum(30))),
    ("netlify-token", |m| format!("nfp_{}", m.alnum(36))),
    ("supabase-key", |m| format!("sbp_{}", m.hex(40))),
    ("supabase-key", |m| format!("sb_secret_{}_{}", m.alnum(22), m.alnum(8))),
    ("neon-key", |m| format!("napi_{}", m.hex(64))),
    ("planetscale-token", |m| format!("pscale_tkn_{}", m.alnum(43))),
    ("planetscale-token", |m| format!("pscale_pw_{}", m.alnum(43))),
    ("aiven-token", |m| format!("AVNS_{}", m.alnum(19))),
    ("atlas-secret", |m| format!("mdb_sa_sk_{}", m.alnum(40))),
    ("databricks-oauth-secret", |m| format!("dose{}", m.hex(32))),
    ("clickhouse-key", |m| format!("4b1d{}", m.alnum(38))),
    ("yandex-key", |m| format!("AQVN{}", m.alnum(36))),
    ("yandex-key", |m| format!("YCP{}", m.alnum(37))),
    ("openshift-token", |m| format!("sha256~{}", m.alnum(43))),
    ("harness-token", |m| format!("pat.{}.{}.{}", m.alnum(22), m.hex(24), m.alnum(20))),
    ("pulumi-token", |m| format!("pul-{}", m.hex(40))),
    ("scalingo-token", |m| format!("tk-us-{}", m.alnum(48))),
    ("infracost-key", |m| format!("ico-{}", m.alnum(32))),
    ("defined-networking-key", |m| format!("dnkey-{}-{}", m.alnum(26), m.alnum(52))),
    ("doppler-other-token", |m| format!("dp.scim.{}", m.alnum(43))),
    ("square-token", |m| format!("sq0atp-{}", m.alnum(22))),
    ("square-token", |m| format!("sq0csp-{}", m.alnum(43))),
    ("square-token", |m| format!("EAAA{}", m.alnum(60))),
    ("twilio-key", |m| format!("SK{}", m.hex(32))),
    ("braintree-token", |m| format!("access_token$production${}${}", m.hex(16), m.hex(32))),
    ("mailchimp-key", |m| format!("{}-us12", m.hex(32))),
    ("mandrill-key", |m| format!("md-{}", m.alnum(22))),
    ("brevo-key", |m| format!("xkeysib-{}-{}", m.hex(64), m.alnum(16))),
    ("brevo-key", |m| format!("xsmtpsib-{}-{}", m.hex(64), m.alnum(16))),
    ("resend-key", |m| format!("re_{}_{}", m.alnum(8), m.alnum(24))),
    ("webhook-secret", |m| format!("whsec_{}", m.alnum(32))),
    ("easypost-key", |m| format!("EZAK{}", m.alnum(54))),
    ("easypost-key", |m| format!("EZTK{}", m.alnum(54))),
    ("shippo-token", |m| format!("shippo_live_{}", m.hex(40))),
    ("flutterwave-key", |m| format!("FLWSECK-{}-X", m.hex(32))),
    ("flutterwave-key", |m| format!("FLWSECK_TEST-{}-X", m.hex(32))),
    ("razorpay-key", |m| format!("rzp_live_{}", m.alnum(14))),
    ("plaid-token", |m| format!("access-production-{}", m.uuid())),
    ("live-payment-key", |m| format!("live_{}", m.alnum(35))),
    ("duffel-token", |m| format!("duffel_live_{}", m.alnum(43))),
    ("mailersend-token", |m| format!("mlsn.{}", m.hex(64))),
    ("klaviyo-key", |m| format!("pk_{}", m.hex(34))),
    ("facebook-token", |m| format!("EAAM{}", m.alnum(150))),
    ("facebook-token", |m| format!("EAAG{}", m.alnum(150))),
    ("twitter-bearer-token", |m| format!("AAAAAAAAAAAAAAAAAAAAAA{}", m.alnum(80))),
    ("pubnub-key", |m| format!("sec-c-{}", m.alnum(48))),
    ("adyen-key", |m| format!("AQEyhmfuJ{}", m.alnum(90))),
    ("sonar-token", |m| format!("squ_{}", m.hex(40))),
    ("sonar-token", |m| format!("sqp_{}", m.hex(40))),
    ("circleci-token", |m| format!("CCIPAT_{}_{}", m.alnum(22), m.hex(40))),
    ("circleci-token", |m| format!("CCIPRJ_{}_{}", m.alnum(22), m.hex(40))),
    ("buildkite-token", |m| format!("bkua_{}", m.hex(40))),
    ("jfrog-reference-token", |m| format!("cmVmd{}", m.alnum(59))),
    ("clojars-token", |m| format!("CLOJARS_{}", m.hex(60))),
    ("nuget-key", |m| format!("oy2{}", m.hex(43))),
    ("crates-token", |m| format!("cio{}", m.alnum(32))),
    ("gitlab-runner-registration", |m| format!("GR1348941{}", m.alnum(20))),
    ("dynatrace-token", |m| format!("dt0c01.{}.{}", m.text(UPPER, 24), m.text(UPPER, 64))),
    ("new-relic-license-key", |m| format!("{}NRAL", m.hex(36))),
    ("new-relic-insert-key", |m| format!("NRII-{}", m.alnum(32))),
    ("honeycomb-key", |m| format!("hcaik_{}{}", m.hex(26), m.hex(32))),
    ("grafana-api-key", |m| format!("eyJrIjoi{}", m.alnum(90))),
    ("octopus-key", |m| format!("API-{}", m.text(UPPER, 26))),
    ("prefect-key", |m| format!("pnu_{}", m.alnum(36))),
    ("readme-key", |m| format!("rdme_{}", m.hex(70))),
    ("sourcegraph-token", |m| format!("sgp_{}_{}", m.hex(16), m.hex(40))),
    ("sourcegraph-token", |m| format!("sgp_{}", m.hex(40))),
    ("maxmind-key", |m| format!("{}_{}_mmk", m.alnum(6), m.alnum(29))),
    ("launchdarkly-key", |m| format!("sdk-{}", m.uuid())),
    ("launchdarkly-key", |m| format!("api-{}", m.uuid())),
    ("posthog-key", |m| format!("phx_{}", m.alnum(48))),
    ("snyk-token", |m| format!("snyk_uat.{}.{}", m.hex(8), m.alnum(200))),
    ("semgrep-token", |m| format!("sgs_{}", m.hex(64))),
    ("notion-token", |m| format!("ntn_{}{}", m.text(DIGITS, 11), m.alnum(35))),
    ("notion-token", |m| format!("secret_{}", m.alnum(43))),
    ("airtable-token", |m| format!("pat{}.{}", m.alnum(14), m.hex(64))),
    ("figma-token", |m| format!("figd_{}", m.alnum(40))),
    ("hubspot-token", |m| format!("pat-na1-{}", m.uuid())),
    ("hubspot-token", |m| format!("pat-eu1-{}", m.uuid())),
    ("mapbox-token", |m| format!("sk.eyJ{}.{}", m.alnum(70), m.alnum(22))),
    ("dropbox-token", |m| format!("sl.{}", m.alnum(140))),
    ("dropbox-token", |m| format!("sl.u.{}", m.alnum(600))),
    ("trello-token", |m| format!("ATTA{}", m.hex(72))),
    ("clickup-token", |m| format!("pk_{}_{}", m.text(DIGITS, 8), m.text(UPPER, 32))),
    ("contentful-token", |m| format!("CFPAT-{}", m.alnum(43))),
    ("typeform-token", |m| format!("tfp_{}", m.alnum(59))),
    ("frameio-token", |m| format!("fio-u-{}", m.alnum(64))),
    ("adobe-secret", |m| format!("p8e-{}", m.alnum(32))),
    ("linear-oauth-token", |m| format!("lin_oauth_{}", m.hex(64))),
    ("settlemint-token", |m| format!("sm_pat_{}", m.alnum(16))),
    ("authress-key", |m| format!("sc_{}.{}.acc_{}.{}", m.alnum(20), m.alnum(4), m.hex(20), m.alnum(60))),
    ("adafruit-key", |m| format!("aio_{}", m.alnum(28))),
    ("stytch-secret", |m| format!("secret-live-{}", m.alnum(36))),
];

/// A rule, the path of a file, and the function that makes its text.
pub(super) type SecretText = (&'static str, Option<&'static str>, fn(&mut Maker) -> String);

/// Texts of rules that look at more than a token.
pub(super) const TEXTS: &[SecretText] = &[
    ("azure-shared-access-key", Some("app/file.bin"), |m| {
        format!(
            "Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={}",
            m.base64(32)
        )
    }),
    ("azure-shared-access-key", None, |m| {
        format!("HostName=a.azure-devices.net;DeviceId=b;SharedAccessKey={}", m.base64(32))
    }),
    ("azure-sas", Some("app/file.bin"), |m| {
        format!(
            "https://a.blob.core.windows.net/c?sv=2024-11-04&se=2030-01-01&sr=c&sp=rl&sig={}%3D",
            m.alnum(43)
        )
    }),
    ("azure-sas", Some("app/file.bin"), |m| {
        format!(
            "https://a.logic.azure.com:443/workflows/b/triggers/manual/paths/invoke?sp=c&sv=1.0&sig={}",
            m.alnum(43)
        )
    }),
    ("azure-function-url", Some("app/file.bin"), |m| {
        format!("https://a.azurewebsites.net/api/b?code={}==", m.alnum(54))
    }),
    ("azure-function-url", None, |m| format!("https://b.azurewebsites.net/api/c?code={}==", m.alnum(54))),
    ("teams-webhook", Some("app/file.bin"), |m| teams(m)),
    ("teams-webhook", None, |m| teams(m)),
    ("coinbase-key", Some("app/file.bin"), |m| format!("organizations/{}/apiKeys/{}", m.uuid(), m.uuid())),
    ("coinbase-key", None, |m| format!("organizations/{}/apiKeys/{}", m.uuid(), m.uuid())),
    ("docker-identity-token", Some("root/.docker/config.json"), |m| {
        format!("{{\"auths\":{{\"a.azurecr.io\":{{\"identitytoken\":\"{}\"}}}}}}", m.uuid())
    }),
    ("docker-identity-token", Some("app/file.bin"), |m| format!("\"registrytoken\": \"{}\"", m.alnum(60))),
    ("private-key-in-base64", Some("app/file.bin"), |m| {
        super::made::base64(&m.pem("PRIVATE KEY", "", "MII", "\n"))
    }),
    ("private-jwk", Some("app/file.bin"), |m| {
        format!(
            "{{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"{}\",\"y\":\"{}\",\"d\":\"{}\"}}",
            m.alnum(43),
            m.alnum(43),
            m.alnum(43)
        )
    }),
    ("private-jwk", Some("app/file.bin"), |m| {
        format!(
            "{{\"p\":\"{0}\",\"kty\":\"RSA\",\"q\":\"{0}\",\"d\":\"{1}\",\"e\":\"AQAB\"}}",
            m.alnum(171),
            m.alnum(342)
        )
    }),
    ("basic-auth-header", Some("srv/.git/config"), |m| {
        let token = super::made::base64(&format!("x-access-token:{}", m.with_crc("ghs_")));
        format!("[http \"https://github.com/\"]\n\textraheader = AUTHORIZATION: basic {token}\n")
    }),
    ("basic-auth-header", Some("app/file.bin"), |m| {
        format!("\"Authorization\": \"Basic {}\"", super::made::base64(&format!("ci:{}", m.alnum(20))))
    }),
    ("bearer-header", Some("app/file.bin"), |m| format!("Authorization: Bearer {}", m.alnum(40))),
    ("bearer-header", Some("app/file.bin"), |m| format!("{{\"authorization\": \"token {}\"}}", m.hex(40))),
    ("mail-and-network-password", Some("etc/postfix/sasl_passwd"), |m| {
        format!("[smtp.a.org]:587 ci:{}", m.alnum(12))
    }),
    ("mail-and-network-password", Some("etc/ppp/chap-secrets"), |m| format!("ci * {} *", m.alnum(12))),
    ("sigstore-key", Some("app/file.bin"), |m| m.pem("ENCRYPTED COSIGN PRIVATE KEY", "", "eyJr", "\n")),
    ("sigstore-key", Some("app/file.bin"), |m| m.pem("ENCRYPTED SIGSTORE PRIVATE KEY", "", "eyJr", "\n")),
    ("okta-token", Some("app/file.bin"), |m| format!("Authorization: SSWS 00{}", m.alnum(40))),
    ("okta-token", None, |m| format!("the header SSWS 00{}", m.alnum(40))),
    ("google-chat-webhook", Some("app/file.bin"), |m| chat(m)),
    ("google-chat-webhook", None, |m| chat(m)),
    ("zapier-webhook", Some("app/file.bin"), |m| {
        format!("https://hooks.zapier.com/hooks/catch/1234567/{}/", m.hex(7))
    }),
    ("zapier-webhook", None, |m| format!("https://hook.eu1.make.com/{}", m.hex(32))),
    ("url-with-token", Some("app/file.bin"), |m| {
        format!("git clone https://{}@git.company.org/x", m.alnum(40))
    }),
    ("url-with-token", None, |m| format!("https://{}:x-oauth-basic@git.company.org/x", m.hex(40))),
    ("password-hash", Some("etc/shadow"), |m| {
        format!("root:$6${}${}:19000:0:99999:7:::\n", m.alnum(16), m.alnum(86))
    }),
    ("password-hash", Some("etc/nginx/.htpasswd"), |m| {
        format!("admin:$apr1${}${}\n", m.alnum(8), m.alnum(22))
    }),
    ("secret-file", Some("run/secrets/db"), |m| format!("{}\n", m.alnum(24))),
    ("secret-file", Some("srv/db_password"), |_| "Str0ng!Pass99".to_owned()),
];

/// Texts that these rules leave alone.
pub(super) const NEAR_MISSES: &[SecretText] = &[
    ("azure-shared-access-key", None, |_| "SharedAccessKeyName=Root;SharedAccessKey=<key>".to_owned()),
    ("azure-shared-access-key", None, |m| format!("a SharedAccessKey= {}", m.hex(12))),
    ("azure-sas", Some("app/file.bin"), |_| {
        "?sv=2024&sig=your-signature-goes-here-and-it-is-a-long-one".to_owned()
    }),
    ("azure-sas", Some("app/file.bin"), |m| format!("?sv=2024&sig={}", m.alnum(20))),
    ("azure-function-url", Some("app/file.bin"), |m| format!("https://a/callback?code={}", m.alnum(40))),
    ("azure-function-url", Some("app/file.bin"), |_| "https://a/api?code=<code>".to_owned()),
    ("teams-webhook", None, |_| "https://a.webhook.office.com/webhookb2/{id}".to_owned()),
    ("teams-webhook", None, |m| format!("https://a.webhook.office.com/webhookb2/{}", m.uuid())),
    ("coinbase-key", None, |_| "organizations/{org_id}/apiKeys/{key_id}".to_owned()),
    ("coinbase-key", None, |m| format!("organizations/{}/users", m.uuid())),
    ("docker-identity-token", Some("app/file.bin"), |_| "\"identitytoken\": \"\"".to_owned()),
    ("docker-identity-token", Some("app/file.bin"), |_| "\"identitytoken\": \"<identity token>\"".to_owned()),
    ("private-key-in-base64", Some("app/file.bin"), |m| {
        super::made::base64(&m.pem("CERTIFICATE", "", "MII", "\n"))
    }),
    ("private-key-in-base64", Some("app/file.bin"), |m| {
        super::made::base64(&m.pem("PUBLIC KEY", "", "MII", "\n"))
    }),
    ("private-jwk", Some("app/file.bin"), |m| format!("{{\"kty\":\"EC\",\"x\":\"{}\"}}", m.alnum(43))),
    ("private-jwk", Some("app/file.bin"), |m| format!("<path \"d\": \"{}\">", m.alnum(60))),
    ("basic-auth-header", Some("app/file.bin"), |_| {
        format!("Authorization: Basic {}", super::made::base64("username:password"))
    }),
    ("basic-auth-header", Some("app/file.bin"), |_| {
        "Authorization: Basic $(echo -n a:b | base64)".to_owned()
    }),
    ("bearer-header", Some("app/file.bin"), |_| "Authorization: Bearer ${TOKEN_OF_THE_SERVICE}".to_owned()),
    ("bearer-header", Some("app/file.bin"), |_| {
        "Authorization: Bearer the.access.token.of.the.user".to_owned()
    }),
    ("mail-and-network-password", Some("etc/ppp/chap-secrets"), |_| "# client server secret IP\n".to_owned()),
    ("mail-and-network-password", Some("etc/postfix/sasl"), |m| {
        format!("[smtp.a.org]:587 ci:{}", m.alnum(12))
    }),
    ("sigstore-key", Some("app/file.bin"), |m| m.pem("PUBLIC KEY", "", "MFk", "\n")),
    ("sigstore-key", Some("app/file.bin"), |_| {
        "the line BEGIN ENCRYPTED COSIGN PRIVATE KEY----- begins it".to_owned()
    }),
    ("okta-token", None, |_| "Authorization: SSWS ${token}".to_owned()),
    ("okta-token", None, |m| format!("a SSWS 00{}", m.alnum(10))),
    ("google-chat-webhook", None, |_| {
        "https://chat.googleapis.com/v1/spaces/SPACE/messages?key=KEY&token=TOKEN".to_owned()
    }),
    ("google-chat-webhook", None, |_| "https://chat.googleapis.com/v1/spaces/AAAA/messages".to_owned()),
    ("zapier-webhook", None, |_| "https://hooks.zapier.com/hooks/catch/".to_owned()),
    ("zapier-webhook", None, |_| "https://hook.eu1.make.com/".to_owned()),
    ("url-with-token", Some("app/file.bin"), |_| {
        "https://someone.with-a-long.name-of-user@git.company.org/x".to_owned()
    }),
    ("url-with-token", Some("app/file.bin"), |_| "https://${GITHUB_TOKEN}@git.company.org/x".to_owned()),
    ("password-hash", Some("etc/shadow"), |_| "root:*:19000:0:99999:7:::\ndaemon:!:1::::::\n".to_owned()),
    ("password-hash", Some("etc/passwd"), |_| "root:x:0:0:root:/root:/bin/bash\n".to_owned()),
    ("secret-file", Some("app/notes"), |_| "nothing-secret-in-here\n".to_owned()),
    ("secret-file", Some("etc/machine-id"), |m| format!("{}\n", m.hex(32))),
];

fn teams(m: &mut Maker) -> String {
    let (one, two, three) = (m.uuid(), m.uuid(), m.uuid());
    format!("https://a.webhook.office.com/webhookb2/{one}@{two}/IncomingWebhook/{}/{three}", m.hex(32))
}

fn chat(m: &mut Maker) -> String {
    format!(
        "https://chat.googleapis.com/v1/spaces/{}/messages?key={}&token={}%3D",
        m.alnum(11),
        m.alnum(39),
        m.alnum(43)
    )
}
