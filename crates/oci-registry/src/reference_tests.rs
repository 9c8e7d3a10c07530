//! Tests of parsing, printing and comparing names of registries and repositories.

use super::*;

#[test]
fn one_repository_has_one_identity() {
    let identity = |location: &str, repository: &str| {
        let location: RegistryLocation = location.parse().expect(location);
        location.identity(&location.repository(&repository.parse().expect(repository)))
    };
    for ((one, other), same) in [
        ((("ghcr.io/acme", "app"), ("ghcr.io", "acme/app")), true),
        ((("ghcr.io", "app"), ("ghcr.io:443", "app")), true),
        ((("docker.io", "app"), ("index.docker.io/library", "app")), true),
        ((("localhost:5000", "app"), ("127.0.0.1:5000", "app")), true),
        ((("localhost:5000", "app"), ("[::1]:5000", "app")), true),
        ((("localhost:5000", "app"), ("localhost:5001", "app")), false),
        ((("ghcr.io", "app"), ("quay.io", "app")), false),
        ((("oci:dist", "app"), ("oci:./dist/", "app")), true),
        ((("oci:dist", "app"), ("oci:out/../dist", "app")), true),
        ((("oci:dist", "app"), ("oci:../dist", "app")), false),
        ((("oci:/dist", "app"), ("oci:dist", "app")), false),
    ] {
        assert_eq!(identity(one.0, one.1) == identity(other.0, other.1), same, "{one:?} {other:?}");
    }
}

#[test]
fn repository_names_follow_the_specification() {
    for text in ["a", "colliery-io/brokkr-broker", "a__b/c.d/e---f", "0/1"] {
        assert!(text.parse::<RepositoryName>().is_ok(), "{text}");
    }
    for text in ["", "A", "a/", "/a", "a//b", "a..b", "a___b", "-a", "a-", "a b", "ä"] {
        assert!(text.parse::<RepositoryName>().is_err(), "{text}");
    }
    let error = "Colliery-IO/Broker".parse::<RepositoryName>().expect_err("upper case");
    assert_eq!(error.suggestion.as_deref(), Some("colliery-io/broker"));
}

#[test]
fn registry_locations() {
    for text in
        ["ghcr.io/colliery-io", "localhost:5000", "127.0.0.1:5000/a/b", "[::1]:5000", "oci:dist/registry"]
    {
        assert_eq!(text.parse::<RegistryLocation>().expect(text).to_string(), text);
    }
    for text in [
        "",
        "https://ghcr.io/x",
        "user:pass@host/x",
        "host:99999",
        "host:0",
        "a b",
        "oci:",
        "host/UP",
        "host/",
        "[::1",
        "[::1]x",
        "-a",
    ] {
        assert!(text.parse::<RegistryLocation>().is_err(), "{text}");
    }
    let suggestion = |text: &str| text.parse::<RegistryLocation>().expect_err(text).suggestion;
    assert_eq!(suggestion("https://ghcr.io/x/").as_deref(), Some("ghcr.io/x"));
    assert_eq!(suggestion("ghcr.io/Colliery").as_deref(), Some("ghcr.io/colliery"));
}

#[test]
fn loopback_is_known_by_name_and_address() {
    for (text, loopback) in [
        ("localhost:5000", true),
        ("127.0.0.2", true),
        ("[::1]:80", true),
        ("a.localhost", true),
        ("localhost.example.com", false),
        ("ghcr.io", false),
        ("10.0.0.1", false),
    ] {
        assert_eq!(text.parse::<RegistryLocation>().expect(text).is_loopback(), loopback, "{text}");
    }
}
