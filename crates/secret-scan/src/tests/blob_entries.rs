//! The entries of a layer: names, attributes, links, deletions, and more matches than are listed.

use testkit::raw_tar::{file, link, pax};

use super::blob_fixtures::{places, search, secret, tar};
use super::made::github_token;
use crate::SecretSeverity;

#[test]
fn names_are_searched_and_not_shown_if_they_hold_a_secret() {
    let value = github_token("q7Zt3mXc9LwB2vKd8RfYh5Np1SgJx6");
    let searched = search(&tar(&[file(&format!("tmp/{value}/x"), b"")])).expect("a layer");
    assert_eq!(places(&searched), [(Some("tmp/…/x"), None)]);
}

#[test]
fn the_deletions_of_a_layer_are_listed() {
    let layer = tar(&[
        file("app/.wh.key.pem", b""),
        file("etc/.wh..wh..opq", b""),
        file(".wh.gone", b""),
        link("link", "app/key.pem", b'2'),
        link("hard", "app/key.pem", b'1'),
    ]);
    let searched = search(&layer).expect("a layer");
    assert_eq!(searched.deleted, ["app/key.pem", "etc/", "gone"]);
}

#[test]
fn records_attributes_and_links_of_files_are_searched() {
    let value = github_token("q7Zt3mXc9LwB2vKd8RfYh5Np1SgJx6");
    let layer = tar(&[
        pax(&[("SCHILY.xattr.user.note", &value)], b'x'),
        file("attribute", b"x"),
        pax(&[("comment", &github_token("a8Yu2nWd7MxC3wLe9SgZi6Oq4ThKy5"))], b'g'),
        link("link", &github_token("b9Xv1oVe6NyD4xMf8ThAj7Pr5UiLz4"), b'2'),
    ]);
    let searched = search(&layer).expect("a layer");
    let mut found: Vec<&str> = places(&searched).into_iter().filter_map(|(path, _)| path).collect();
    found.sort_unstable();
    assert_eq!(found, ["(records about all files)", "attribute", "link"]);
    assert!(!format!("{searched:?}").contains(&value));
}

#[test]
fn many_harmless_findings_leave_room_for_bad_ones() {
    let mut parts: Vec<Vec<u8>> = (0..1_001).map(|number| file(&format!("{number}.jks"), b"x")).collect();
    parts.push(file("last.txt", &secret()));
    let searched = search(&tar(&parts)).expect("a layer");
    assert_eq!(places(&searched), [(Some("last.txt"), Some(2))]);
    assert_eq!((searched.matches.len(), searched.high_left_out), (1_000, 0));
    assert!(searched.unsearched[0].reason.contains("2 more findings"), "{:?}", searched.unsearched);
    let parts: Vec<Vec<u8>> = (0..1_003).map(|number| file(&format!("{number}.txt"), &secret())).collect();
    let searched = search(&tar(&parts)).expect("a layer");
    assert!(searched.matches.iter().all(|it| it.found.severity == SecretSeverity::High));
    assert_eq!((searched.matches.len(), searched.high_left_out), (1_000, 3));
}
