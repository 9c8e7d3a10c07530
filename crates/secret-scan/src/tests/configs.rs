//! Configurations of images and annotations are searched in every part.

use super::made::github_token;
use crate::Rules;
use crate::display::redact_text;

#[test]
fn configurations_are_searched_in_every_part_and_instructions_show_no_value() {
    let value = github_token("q7Zt3mXc9LwB2vKd8RfYh5Np1SgJx6");
    let text = serde_json::json!({
        "config": { "Env": ["PATH=/bin", format!("GITHUB_TOKEN={value}")], "Labels": { "note": value },
            "Cmd": ["serve", "--token", value] },
        "history": [
            { "created_by": format!("RUN |1 TOKEN={value} /bin/sh -c make install # buildkit") },
            { "created_by": "ENV A=b", "empty_layer": true },
            { "created_by": "/bin/sh -c #(nop) COPY dir:abc in /app " },
        ],
    });
    let bytes = serde_json::to_vec(&text).expect("JSON");
    let matches = Rules::standard().search_config(&bytes);
    let of_token = matches.iter().filter(|it| it.found.rule == "github-token");
    let parts: Vec<String> = of_token.map(|it| it.part.to_string()).collect();
    for part in [
        "environment variable `GITHUB_TOKEN`",
        "label `note`",
        "command",
        "history entry 1 (RUN make install)",
    ] {
        assert!(parts.iter().any(|it| it == part), "{part}: {parts:?}");
    }
    assert!(matches.iter().all(|it| !format!("{it:?}").contains(&value)));
    assert_eq!(Rules::standard().layer_instructions(&bytes, 2), ["RUN make install", "COPY dir:abc in /app"]);
    assert!(Rules::standard().layer_instructions(&bytes, 3).is_empty());
    let shown = redact_text(
        Rules::standard(),
        &format!("RUN curl -H \"Authorization: {value}\" https://example.com"),
    );
    assert!(!shown.contains(&value[4..]) && shown.starts_with("RUN curl"), "{shown}");
}

#[test]
fn every_member_of_a_configuration_is_searched_and_a_secret_reported_once() {
    use base64::Engine as _;
    let [one, two, three] = [
        "q7Zt3mXc9LwB2vKd8RfYh5Np1SgJx6",
        "a8Yu2nWd7MxC3wLe9SgZi6Oq4ThKy5",
        "b9Xv1oVe6NyD4xMf8ThAj7Pr5UiLz4",
    ]
    .map(github_token);
    let info = serde_json::json!({ "attrs": { "build-arg:NPM_TOKEN": one } }).to_string();
    let info = base64::engine::general_purpose::STANDARD.encode(info);
    let text = format!(
        r#"{{"moby.buildkit.buildinfo.v1":"{info}","x":{{"y":["{two}"]}},"config":{{"Env":["A={three}"],"Labels":{{"API_TOKEN":"kd83hZq0fPw7vMt2"}}}},
        "comment":"{two}","comment":"nothing"}}"#
    );
    let matches = Rules::standard().search_config(text.as_bytes());
    let parts: Vec<String> = matches.iter().map(|it| it.part.to_string()).collect();
    for part in [
        "configuration, `moby.buildkit.buildinfo.v1`",
        "configuration, `x`",
        "environment variable `A`",
        "label `API_TOKEN`",
    ] {
        assert_eq!(parts.iter().filter(|it| *it == part).count(), 1, "{part}: {parts:?}");
    }
    assert_eq!(parts.len(), 4, "{parts:?}");
    // JSON keeps only one of two members with the same name.
    let twice = format!(r#"{{"comment":"{one}","comment":"nothing"}}"#);
    let matches = Rules::standard().search_config(twice.as_bytes());
    assert_eq!(matches.len(), 1);
    assert_eq!(Rules::standard().search_annotation("com.example.API_TOKEN", "kd83hZq0fPw7vMt2").len(), 1);
}
