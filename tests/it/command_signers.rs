//! Programs that sign: the protocol, its limits, and programs that misbehave, after which no tag is put.

use oci_registry::Digest;
use oci_signing::PublicKey;
use serde_json::{Value, json};
use testkit::command::{EndedRun, Folder};
use testkit::signatures::{OTHER_KEY, PUBLIC_KEY, SIGNING_KEY};
use testkit::world::image;

const APPLY: &str = "apply --auto-approve --ref refs/tags/v1.2.3";

/// A folder whose signer is the script `sign`.
fn project(script: &str, more: &str) -> Folder {
    let text = format!(
        "version = 1\n\n[registries.one]\nurl = \"oci:registry\"\n\n[tags.version]\non = \"tag\"\ntemplate = \"v{{{{ version }}}}\"\n\n[verify]\nsignatures = true\n\n[signing.release]\ncommand = {{ run = [\"./sign\", \"release\"]{more} }}\npublic_key = \"signing.pub\"\n\n[images.app]\nsource = \"oci:image\"\nsign = [\"release\"]\n"
    );
    let folder = Folder::with(&[
        ("publish.toml", &text),
        ("signing.pub", PUBLIC_KEY),
        ("dist/release.key", SIGNING_KEY),
    ]);
    folder.image("image", &image("1.2.3"));
    write_script(&folder, script);
    folder
}

fn write_script(folder: &Folder, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    folder.write("sign", script);
    let permissions = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path.join("sign"), permissions).expect("permissions");
}

/// The script of the page about the protocol.
fn example() -> String {
    let page =
        std::fs::read_to_string(testkit::root().join("docs/reference/signer-protocol.md")).expect("a page");
    let (_, script) = page.split_once("```sh\n").expect("a script");
    script.split_once("```").expect("its end").0.to_owned()
}

fn apply(folder: &Folder) -> EndedRun {
    folder.run(APPLY).wide().env("SECRET", "hunter2").env("REGION", "eu").done()
}

#[test]
fn the_example_signs_with_openssl_and_once() {
    let script = example().replace("set -eu\n", "set -eu\necho run >> runs\n");
    let folder = project(&script, "");
    let plan = folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").wide().done().expect_code(0);
    assert!(plan.stdout().contains("by release with the key sha256:"), "{}", plan.shown());
    let plan: Value = serde_json::from_str(&folder.read("plan.json")).expect("JSON");
    assert_eq!(plan["signers"]["release"]["command"], json!({ "run": ["./sign", "release"], "timeout": 60 }));
    assert_eq!(plan["format_version"], "2.0");
    folder.run("apply plan.json").done().expect_code(0);
    folder.run("verify").done().expect_code(0);
    let again = apply(&folder).expect_code(0);
    assert!(again.stdout().contains("Nothing to do"), "{}", again.shown());
    assert_eq!(folder.read("runs"), "run\n");
}

/// The request, the environment and the working directory are those of the page.
#[test]
fn the_program_gets_the_request_and_nothing_else() {
    let script = "#!/bin/sh\ncat > request.json\nenv | cut -d= -f1 | sort > variables\npwd > folder\necho \"$@\" > arguments\nexit 3\n";
    let folder = project(script, ", env = [\"REGION\", \"UNSET\"]");
    let run = apply(&folder).expect_code(1);
    assert!(
        run.stderr().contains("the program") && run.stderr().contains("exit status: 3"),
        "{}",
        run.shown()
    );
    assert!(
        !folder.path.join("registry/app/index.json").exists()
            || !folder.read("registry/app/index.json").contains("v1.2.3")
    );
    let request: Value = serde_json::from_str(&folder.read("request.json")).expect("JSON");
    let members: Vec<&String> = request.as_object().expect("an object").keys().collect();
    assert_eq!(
        members,
        ["version", "operation", "signer", "subject", "predicate_type", "payload_type", "payload", "message"]
    );
    assert_eq!((&request["version"], &request["signer"]), (&json!(1), &json!("release")));
    let variables = folder.read("variables");
    let own = ["PWD", "SHLVL", "_", "OLDPWD"];
    let given: Vec<&str> = variables.lines().filter(|it| !own.contains(it)).collect();
    assert_eq!(given, ["HOME", "PATH", "REGION"]);
    assert_eq!(folder.read("arguments"), "release\n");
    assert!(
        folder.read("folder").trim().ends_with(&*folder.path.file_name().expect("a name").to_string_lossy())
    );
}

#[test]
fn a_program_that_misbehaves_signs_nothing() {
    let other = example().replace("dist/$1.key", "dist/other.key");
    for (script, more, words) in [
        ("#!/bin/sh\necho '{\"error\":\"the key is disabled\"}'\n", "", "the key is disabled"),
        ("#!/bin/sh\necho '{}'\n", "", "neither a signature nor a bundle"),
        ("#!/bin/sh\necho nonsense\n", "", "is not JSON of the protocol"),
        ("#!/bin/sh\necho '{\"signature\":\"!\"}'\n", "", "is not base64"),
        ("#!/bin/sh\necho '{\"signature\":\"MEUCIQ==\"}'\n", "", "does not verify with the key"),
        ("#!/bin/sh\necho '{\"bundle\":{}}'\n", "", "not a Sigstore bundle"),
        ("#!/bin/sh\necho 'no access\u{1b}[2J' >&2\nexit 1\n", "", "no access"),
        ("#!/bin/sh\nsleep 600 &\nwait\n", ", timeout = 1", "did not end within 1 s"),
        ("#!/no/such/shell\n", "", "cannot be started"),
        (&other, "", "does not verify with the key"),
    ] {
        let folder = project(script, more);
        folder.write("dist/other.key", OTHER_KEY);
        let run = apply(&folder).expect_code(1);
        assert!(
            run.stderr().contains(words) && run.stderr().contains("so no tag was moved"),
            "{words}: {}",
            run.shown()
        );
        assert!(!run.shown().contains('\u{1b}'), "{words}");
        let index = folder.path.join("registry/app/index.json");
        let text = std::fs::read_to_string(index).unwrap_or_default();
        assert!(!text.contains("v1.2.3"), "{words}: {text}");
    }
}

#[test]
fn a_saved_plan_runs_only_a_declared_program() {
    let folder = project(&example(), "");
    folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    let mut plan: Value = serde_json::from_str(&folder.read("plan.json")).expect("JSON");
    plan["signers"]["release"]["command"]["run"] = json!(["/bin/sh", "-c", "touch evil"]);
    brokkr_publish::saved::seal(&mut plan);
    folder.write("plan.json", format!("{plan:#}\n"));
    let refused = folder.run("apply plan.json").wide().done().expect_code(1);
    assert!(
        refused.stderr().contains("publish::plan::limits")
            && refused.stderr().contains("runs `/bin/sh -c touch evil`"),
        "{}",
        refused.shown()
    );
    assert!(!folder.path.join("evil").exists());
    // Without a configuration nothing is declared.
    let folder = project(&example(), "");
    folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    std::fs::remove_file(folder.path.join("publish.toml")).expect("removed");
    folder.run("apply plan.json").done().expect_code(1);
    let digest = Digest::of(folder.read("plan.json").as_bytes());
    folder.run(&format!("apply plan.json --expect {digest}")).done().expect_code(0);
}

/// An edited plan could send a token, or any other variable, to a service of its own.
#[test]
fn a_saved_plan_sends_tokens_only_to_declared_services() {
    let folder = project(&example(), "");
    folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    let mut plan: Value = serde_json::from_str(&folder.read("plan.json")).expect("JSON");
    plan["signers"]["release"] = json!({ "keyless": { "identity": "a", "issuer": "b", "token_env": "SECRET", "fulcio": "http://127.0.0.1:9" } });
    plan["repositories"][0]["signatures"][0]["identity"] = json!({ "identity": "a", "issuer": "b" });
    brokkr_publish::saved::seal(&mut plan);
    folder.write("plan.json", format!("{plan:#}\n"));
    let refused = folder.run("apply plan.json").wide().env("SECRET", "hunter2").done().expect_code(1);
    assert!(refused.stderr().contains("sends a token to services"), "{}", refused.shown());
}

#[test]
fn a_signer_is_of_one_kind() {
    for (signer, words) in [
        ("command = { run = [\"./sign\"] }", "has no `public_key`"),
        (
            "command = { run = [\"./sign\"] }\nkey = { env = \"KEY\" }\npublic_key = \"signing.pub\"",
            "has both `key` and `command`",
        ),
        ("public_key = \"signing.pub\"", "has none of `key`, `keyless` and `command`"),
        ("command = { run = [] }\npublic_key = \"signing.pub\"", "run"),
        ("command = { run = [\"./sign\"], timeout = 0 }\npublic_key = \"signing.pub\"", "timeout"),
    ] {
        let folder = project("", "");
        let text = folder.read("publish.toml");
        let (before, after) = text.split_once("command = ").expect("a signer");
        let (_, after) = after.split_once("\n\n").expect("its end");
        folder.write("publish.toml", format!("{before}{signer}\n\n{after}"));
        let run = folder.run("lint").wide().done().expect_code(1);
        assert!(run.stderr().contains(words), "{signer}: {}", run.shown());
    }
    assert!(PublicKey::from_pem(PUBLIC_KEY).is_ok());
}
