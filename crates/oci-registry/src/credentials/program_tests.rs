//! Tests of credential programs that answer, that do not, and that are malicious. The programs are scripts in a
//! temporary folder.

#![allow(clippy::expect_used, reason = "a fixture that cannot be written fails its test")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::credentials::CredentialMemory;

fn program(name: &str) -> Program {
    let file = "`config.json`".to_owned();
    Program { name: name.to_owned(), key: "credHelpers", file, server: "registry.example:5000".to_owned() }
}

/// Returns an environment whose `PATH` begins with `folder`.
fn within(folder: &Path, patience: Duration) -> ProgramLimits {
    let path = format!("relative:{}:{}", folder.display(), std::env::var("PATH").expect("a path"));
    let environment: EnvironmentLookup = Arc::new(move |name| (name == "PATH").then(|| path.clone()));
    ProgramLimits { environment, patience }
}

fn write(folder: &Path, name: &str, script: &str) {
    let path = folder.join(format!("docker-credential-{name}"));
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
}

/// Asks a program again while it is busy (ETXTBSY), which happens if another test forks while it is written.
async fn asked(
    program: &Program,
    limits: &ProgramLimits,
) -> Result<Option<ProgramCredentials>, RegistryError> {
    for _ in 0..50 {
        match program.ask(limits).await {
            Err(error) if error.to_string().contains("busy") => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            answer => return answer,
        }
    }
    panic!("the program stays busy");
}

async fn ask(script: &str) -> Result<Option<ProgramCredentials>, RegistryError> {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "test", script);
    asked(&program("test"), &within(folder.path(), Duration::from_secs(20))).await
}

#[tokio::test]
async fn a_program_gets_the_server_and_answers() {
    let script = r#"test "$1" = get || exit 9
server="$(cat)"
test "$server" = registry.example:5000 || exit 8
printf '{"ServerURL":"%s","Username":"alice","Secret":"pass:word"}' "$server""#;
    let answer = ask(script).await.expect("an answer").expect("credentials");
    let found = answer.credentials(program("test").origin());
    assert_eq!((found.username(), found.password()), ("alice", "pass:word"));
    assert_eq!(found.origin(), "`config.json` (`credHelpers`: `docker-credential-test`)");
    assert_eq!(found.kind(), CredentialKind::Password);

    let token = r#"printf '{"Username":"<token>","Secret":"refresh"}'"#;
    let found = ask(token).await.expect("an answer").expect("credentials").credentials(String::new());
    assert_eq!((found.kind(), found.password()), (CredentialKind::IdentityToken, "refresh"));
}

#[tokio::test]
async fn a_program_may_have_nothing() {
    for script in [
        "echo credentials not found in native keychain; exit 1",
        "echo credentials not found in native keychain >&2; exit 1",
        "echo credentials not found in native keychain",
        "echo no credentials server URL; exit 1",
        r#"echo '{"Username":"","Secret":""}'"#,
        "echo '{}'",
    ] {
        assert!(ask(script).await.expect(script).is_none(), "{script}");
    }
}

#[tokio::test]
async fn a_failure_names_the_program_and_the_file_and_no_secret() {
    let token = "ghp_0123456789abcdefghijABCDEFGHIJ456789";
    for (script, words) in [
        ("echo the vault is locked; exit 3".to_owned(), "failed (exit status: 3): the vault is locked"),
        (format!("echo {token} >&2; exit 1"), "failed (exit status: 1): ****"),
        ("printf 'a\\033[2Jb\\r\\n'; exit 1".to_owned(), "failed (exit status: 1): ab"),
        ("exit 1".to_owned(), "failed (exit status: 1)"),
        (format!("echo '{{\"Secret\":\"{token}'"), "did not answer with JSON"),
        ("kill -9 $$".to_owned(), "failed (signal: 9"),
        ("head -c 300000 /dev/zero".to_owned(), "answered with more than 262144 bytes"),
        ("echo '[1]'".to_owned(), "did not answer with JSON"),
    ] {
        let Err(error) = ask(&script).await else { panic!("{script} is taken") };
        let said = error.to_string();
        assert!(said.contains(words), "{said}");
        assert!(
            said.starts_with("`docker-credential-test`, which `credHelpers` of `config.json` names"),
            "{said}"
        );
        assert!(!said.contains(token) && !said.chars().any(char::is_control), "{said}");
    }
}

#[tokio::test]
async fn a_program_that_does_not_end_is_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().join("alive");
    write(folder.path(), "slow", &format!("sleep 2\ntouch {}", mark.display()));
    let asked = asked(&program("slow"), &within(folder.path(), Duration::from_millis(300))).await;
    let Err(error) = asked else { panic!("it has no answer") };
    assert!(error.to_string().contains("gave no answer within 300ms, and was stopped"), "{error}");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!(!mark.exists(), "the program went on");
}

/// The program runs as in a CI, whether or not the test is run at a terminal.
#[tokio::test]
async fn child_processes_of_a_program_end_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().join("alive");
    let mut command = Command::new("sh");
    let script = format!("(sleep 2; touch {}) & echo $!; wait", mark.display());
    command.args(["-c", &script]).stdout(Stdio::piped()).kill_on_drop(true);
    ProcessGroup::prepare(&mut command, true);
    let mut child = command.spawn().expect("a program");
    let group = ProcessGroup::of(&child, true);
    let mut first = [0; 1];
    let stdout = child.stdout.as_mut().expect("a pipe");
    stdout.read_exact(&mut first).await.expect("it runs");
    drop(group);
    assert!(!child.wait().await.expect("an end").success());
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!(!mark.exists(), "what it started went on");
}

#[tokio::test]
async fn names_lead_to_no_other_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().join("mark");
    std::fs::create_dir(folder.path().join("docker-credential-")).expect("a folder");
    write(folder.path(), "x", &format!("touch {}", mark.display()));
    let limits = within(folder.path(), Duration::from_secs(5));
    for name in ["/../docker-credential-x", "../x", "x y", "x;touch", "", "$(touch)", "x\n", "\u{fc}"] {
        let Err(error) = program(name).ask(&limits).await else { panic!("{name} is run") };
        assert!(error.to_string().contains("is not a valid program name"), "{error}");
        assert!(!error.to_string().chars().any(char::is_control), "{error}");
    }
    let Err(error) = program("absent").ask(&limits).await else { panic!("it is not there") };
    assert!(error.to_string().contains("is not in any folder of `PATH`"), "{error}");
    assert!(!mark.exists());
}

#[tokio::test]
async fn one_program_is_asked_once_by_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let script =
        format!("echo x >> {}\nsleep 0.2\necho '{{\"Username\":\"u\",\"Secret\":\"s\"}}'", log.display());
    write(folder.path(), "counted", &script);
    let (memory, limits) = (CredentialMemory::default(), within(folder.path(), Duration::from_secs(20)));
    // Waits until the program is not busy any more.
    asked(&program("counted"), &limits).await.expect("an answer");
    std::fs::remove_file(&log).expect("the log");
    let program = program("counted");
    let all = (0..20).map(|_| memory.answer(&program, &limits));
    for answer in futures_util::future::join_all(all).await {
        assert!(answer.expect("an answer").is_some());
    }
    assert_eq!(std::fs::read_to_string(&log).expect("the log"), "x\n");
}
