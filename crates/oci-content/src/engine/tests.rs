//! Engines with faulty answers, and addresses as people write them.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::super::{Surroundings, open as open_source};
use super::endpoint::EngineAddress;
use super::*;
use crate::SourceSpec;
use crate::refusal::shown;

fn surroundings(variables: &[(&str, &str)]) -> Surroundings {
    let variables: Vec<(String, String)> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let find = move |name: &str| variables.iter().find(|(it, _)| it == name).map(|(_, value)| value.clone());
    Surroundings { environment: Arc::new(find), ..Surroundings::local(Path::new("/")) }
}

#[test]
fn addresses_as_docker_writes_them() {
    let found = |variables: &[(&str, &str)]| {
        Endpoint::find(&surroundings(variables))
            .map(|it| it.address.to_string())
            .map_err(|error| shown(&error))
    };
    for (host, place) in [
        ("unix:///run/docker.sock", "unix:///run/docker.sock"),
        ("unix://", "unix:///var/run/docker.sock"),
        ("tcp://127.0.0.1:2375", "tcp://127.0.0.1:2375"),
        ("tcp://docker", "tcp://docker:2375"),
        ("tcp://[::1]:9", "tcp://[::1]:9"),
        ("tcp://[::1]", "tcp://[::1]:2375"),
        ("http://docker:1/", "tcp://docker:1"),
    ] {
        assert_eq!(found(&[("DOCKER_HOST", host)]).as_deref(), Ok(place), "{host}");
    }
    for (host, words) in [
        ("docker", "from `DOCKER_HOST` is not an address"),
        ("/run/docker.sock", "from `DOCKER_HOST` is not an address"),
        ("tcp://", "is not a host and port"),
        ("tcp://docker:1/path", "is not a host and port"),
        ("tcp://docker\r\nX: y", "is not a host and port"),
        ("tcp://me:secret@docker", "contains a user name"),
        ("ssh://me@host", "ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST"),
        ("npipe:////./pipe/docker", "has the scheme `npipe`"),
        ("unix://relative", "has the scheme `unix`"),
    ] {
        let error = found(&[("DOCKER_HOST", host)]).expect_err(host);
        assert!(error.starts_with("Engine: the Docker Engine"), "{error}");
        assert!(error.contains(words) && !error.contains("secret"), "{host}: {error}");
    }
    let tls = [("DOCKER_HOST", "tcp://docker"), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/c")];
    assert_eq!(found(&tls).as_deref(), Ok("tcp://docker:2376"));
    let unverified = [("DOCKER_HOST", "tcp://docker"), ("DOCKER_TLS", "1")];
    assert!(found(&unverified).expect_err("no trust").contains("accepts any certificate"));
}

#[test]
fn contexts_are_read_from_dockers_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let at = folder.path().to_str().expect("a path");
    let found = |variables: &[(&str, &str)]| {
        let all: Vec<(&str, &str)> = variables.iter().copied().chain([("DOCKER_CONFIG", at)]).collect();
        Endpoint::find(&surroundings(&all)).map_err(|error| shown(&error))
    };
    let context = |name: &str, endpoint: &str| {
        let meta = path("contexts/meta").join(Digest::of(name.as_bytes()).hex());
        std::fs::create_dir_all(&meta).expect("a folder");
        let text = format!(r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{{endpoint}}}}}"#);
        std::fs::write(meta.join("meta.json"), text).expect("written");
        let tls = path("contexts/tls").join(Digest::of(name.as_bytes()).hex()).join("docker");
        if endpoint.contains("tcp") {
            std::fs::create_dir_all(tls).expect("a folder");
        }
    };
    context("mine", r#""docker":{"Host":"unix:///mine.sock","SkipTLSVerify":false}"#);
    context("far", r#""docker":{"Host":"tcp://far"}"#);
    context("blind", r#""docker":{"Host":"tcp://blind","SkipTLSVerify":true}"#);
    context("none", "");
    let place = |found: Result<Endpoint, String>| found.expect("an endpoint").address.to_string();
    assert_eq!(place(found(&[("DOCKER_CONTEXT", "mine")])), "unix:///mine.sock");
    assert_eq!(place(found(&[("DOCKER_CONTEXT", "far")])), "tcp://far:2376");
    assert_eq!(place(found(&[("DOCKER_CONTEXT", "mine"), ("DOCKER_HOST", "unix:///a")])), "unix:///a");
    assert_eq!(place(found(&[("DOCKER_CONTEXT", "default")])), "unix:///var/run/docker.sock");
    for (name, words) in [
        ("other", "the Docker context `other` does not exist"),
        ("../mine", "the Docker context `../mine` does not exist"),
        ("blind", "accepts any certificate"),
        ("none", "names no Docker Engine"),
    ] {
        let error = found(&[("DOCKER_CONTEXT", name)]).expect_err(name);
        assert!(error.contains(words), "{error}");
    }
    std::fs::write(path("config.json"), r#"{"auths":{"x":{"auth":"c2VjcmV0"}},"currentContext":"mine"}"#)
        .expect("written");
    let chosen = found(&[]).expect("an endpoint");
    assert_eq!(
        (chosen.address.to_string().as_str(), chosen.named_by.as_str()),
        ("unix:///mine.sock", "of the Docker context `mine`")
    );
    std::fs::write(path("config.json"), r#"{"currentContext":["secret"]}"#).expect("written");
    let error = found(&[]).expect_err("a list");
    assert!(error.contains("line 1, column") && !error.contains("secret"), "{error}");
}

/// Runs an engine that answers each connection with the next of `answers`, and returns the error of opening an image in it.
#[cfg(unix)]
fn asked(answers: Vec<Vec<u8>>) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("s");
    let listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    let thread = std::thread::spawn(move || {
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(&answer);
        }
    });
    let host = format!("unix://{}", socket.display());
    let spec = SourceSpec::One("docker-daemon:app:v1".parse().expect("a source"));
    let error = match open_source(&spec, &surroundings(&[("DOCKER_HOST", &host)])) {
        Ok(_) => panic!("it was accepted"),
        Err(error) => shown(&error),
    };
    // Connecting ends an engine that is still waiting.
    while !thread.is_finished() {
        let _ = std::os::unix::net::UnixStream::connect(&socket);
        std::thread::sleep(Duration::from_millis(1));
    }
    error.replace(&host, "HOST")
}

#[cfg(unix)]
#[test]
fn engines_that_answer_as_none_should() {
    let json = |status: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    let id = format!(r#"{{"Id":"sha256:{}"}}"#, "a".repeat(64));
    for (answers, words) in [
        (
            vec![json("500 Internal Server Error", r#"{"message":"disk \u001b[31mfull"}"#)],
            "answered 500 when asked about the image `app:v1`: disk \u{1b}[31mfull",
        ),
        (vec![json("403 Forbidden", "")], "answered 403 when asked about the image `app:v1`\n"),
        (vec![json("301 Moved", "elsewhere")], "answered 301 when asked about the image `app:v1`: elsewhere"),
        (vec![json("200 OK", "{}")], "missing field `Id`"),
        (vec![json("200 OK", r#"{"Id":"sha256:../../x"}"#)], "is not a digest"),
        (vec![b"hello\r\n\r\n".to_vec()], "gave an unreadable answer: invalid HTTP"),
        (vec![Vec::new()], "gave an unreadable answer: connection closed"),
        (
            vec![json("200 OK", &id), b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf".to_vec()],
            "gave an unreadable answer: ",
        ),
        (
            vec![b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!".to_vec()],
            "gave an unreadable answer: ",
        ),
        (
            vec![format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(1_000_000)).into_bytes()],
            "gave an unreadable answer: ",
        ),
        (vec![json("404 Not Found", "{}"), json("404 Not Found", "{}")], "has no image `app:v1`"),
        (vec![json("200 OK", &id), json("404 Not Found", "{}")], "has no image `app:v1`"),
        (
            vec![json("200 OK", &id), json("500 Oh", r#"{"message":"no space"}"#)],
            "answered 500 when asked for the image `app:v1`: no space",
        ),
        (vec![json("200 OK", &id), json("200 OK", "not a tar")], "Malformed: archive `docker-daemon:app:v1`"),
        (
            vec![
                json("200 OK", &id),
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".to_vec(),
            ],
            "gave an unreadable answer: ",
        ),
        (
            vec![
                json("200 OK", &id),
                json(
                    "200 OK",
                    "half a tar{\"errorDetail\":{\"message\":\"no space\"},\"error\":\"no space\"}\r\n",
                ),
            ],
            "aborted the export of `app:v1`: no space",
        ),
    ] {
        let error = asked(answers);
        assert!(error.contains(words), "{error}\nexpected: {words}");
    }
}

#[cfg(unix)]
#[test]
fn an_engine_that_says_nothing_is_not_waited_for_for_ever() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("s");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    let address = EngineAddress::Unix(socket);
    let error = client::get(&address, "/_ping", Duration::from_millis(100)).expect_err("silence");
    let engine = EngineClient {
        endpoint: Endpoint { address: EngineAddress::Unix("/s".into()), named_by: "here".to_owned() },
    };
    assert!(shown(&engine.failed(&error)).contains("does not answer"));
}

#[test]
fn connection_errors_have_a_way_out() {
    let engine = EngineClient {
        endpoint: Endpoint { address: EngineAddress::Unix("/s".into()), named_by: "here".to_owned() },
    };
    for (kind, words) in [
        (ErrorKind::PermissionDenied, "usermod -aG docker"),
        (ErrorKind::NotFound, "systemctl start docker"),
        (ErrorKind::ConnectionRefused, "docker-archive:FILE"),
    ] {
        let error = shown(&engine.unreachable(&kind.into()));
        assert!(error.contains("the Docker Engine at `unix:///s`, here, cannot be reached"), "{error}");
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn invalid_names_are_refused() {
    for image in ["app v1", "../x", "a/../b", "a//b", "/a", "a\n", "a?b", "a%2fb", "", ".", &"a".repeat(600)]
    {
        assert!(check_name(image).is_err(), "{image}");
    }
    let id = format!("sha256:{}", "a".repeat(64));
    for image in ["app", "app:v1", "localhost:5000/group/app:v1_2", &id, &format!("app@{id}")] {
        assert!(check_name(image).is_ok(), "{image}");
    }
}
