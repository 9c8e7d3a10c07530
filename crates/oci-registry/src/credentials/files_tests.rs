//! Tests of the locations of credential files, and of files that do not end.

#![allow(clippy::expect_used, reason = "a fixture that cannot be written fails its test")]

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use super::*;

fn files(variables: &[(&str, &Path)], run: Option<&Path>) -> Vec<CredentialFile> {
    let variables: HashMap<&str, &Path> = variables.iter().copied().collect();
    all(&|name| variables.get(name).map(|path| path.display().to_string()), run)
}

fn pipe(folder: &Path) -> PathBuf {
    let path = folder.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    path
}

fn text(file: &CredentialFile, memory: &CredentialMemory) -> Result<Option<String>, String> {
    file.text(memory, Duration::from_millis(300)).map_err(|error| error.to_string())
}

#[cfg(target_os = "linux")]
#[test]
fn podman_keeps_logins_by_user_if_no_runtime_folder_is_set() {
    use std::os::unix::fs::MetadataExt;
    let run = tempfile::tempdir().expect("a folder");
    let user = run.path().metadata().expect("its owner").uid();
    let home = Path::new("/home/you");
    let shown = |variables: &[(&str, &Path)], run: Option<&Path>| {
        files(variables, run).into_iter().map(|it| it.shown).collect::<Vec<_>>()
    };
    let [podman, docker] = ["`~/.config/containers/auth.json`", "`~/.docker/config.json`"].map(str::to_owned);
    let by_user = format!("`/run/containers/{user}/auth.json`");
    let named = "`/some/containers/auth.json`".to_owned();
    let with_home = [("HOME", home)];
    assert_eq!(shown(&with_home, Some(Path::new("/run"))), [by_user.clone(), podman.clone(), docker.clone()]);
    assert_eq!(shown(&[], Some(Path::new("/run"))), [by_user]);
    assert_eq!(shown(&with_home, None), [podman.clone(), docker.clone()]);
    let set = [("HOME", home), ("XDG_RUNTIME_DIR", Path::new("/some"))];
    assert_eq!(shown(&set, Some(Path::new("/run"))), [named, podman, docker]);

    // The file is read from there.
    let folder = run.path().join(format!("containers/{user}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("auth.json"), "{}").expect("a file");
    let found = files(&[], Some(run.path()));
    let file = found.first().expect("a file");
    assert_eq!(text(file, &CredentialMemory::default()), Ok(Some("{}".to_owned())));
}

#[test]
fn only_a_named_file_may_be_a_pipe_and_nothing_is_read_without_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |variables: &[(&str, &Path)]| {
        let found = files(variables, None);
        text(found.first().expect("a file"), &CredentialMemory::default()).expect_err("no end")
    };
    // The files at default locations must be regular files.
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("config.json")).expect("a link");
    assert!(refused(&[("DOCKER_CONFIG", folder.path())]).ends_with("it is not a regular file"));
    std::fs::remove_file(folder.path().join("config.json")).expect("removed");
    std::fs::rename(pipe(folder.path()), folder.path().join("config.json")).expect("moved");
    assert!(refused(&[("DOCKER_CONFIG", folder.path())]).ends_with("it is not a regular file"));

    // A file named by a variable may be a pipe, within a limit of bytes and of time.
    let said = refused(&[("REGISTRY_AUTH_FILE", Path::new("/dev/zero"))]);
    assert!(said.ends_with("it is larger than 4194304 bytes") || said.ends_with("300ms"), "{said}");
    let path = pipe(folder.path());
    let said = refused(&[("REGISTRY_AUTH_FILE", &path)]);
    assert!(said.contains("/pipe`: ") && said.ends_with("did not end within 300ms"), "{said}");
    assert!(refused(&[("REGISTRY_AUTH_FILE", folder.path())]).ends_with("is a directory"));
}

#[test]
fn a_pipe_is_read_once_in_a_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = pipe(folder.path());
    let (memory, found) = (CredentialMemory::default(), files(&[("REGISTRY_AUTH_FILE", &path)], None));
    let file = found.first().expect("a file");
    let writer = std::thread::spawn(move || {
        let mut pipe = std::fs::OpenOptions::new().write(true).open(path).expect("a pipe");
        pipe.write_all(b"{\"auths\":{}}").expect("written");
    });
    for _ in 0..3 {
        let read = file.text(&memory, Duration::from_secs(20)).expect("a text");
        assert_eq!(read.as_deref(), Some("{\"auths\":{}}"));
    }
    writer.join().expect("written");
}
