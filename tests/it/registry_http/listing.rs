//! Lists of tags, page by page.

use super::*;
use brokkr_publish::diagnostic::ToDiagnostic;
use oci_registry::TagLookup;
use testkit::test_registry::{LinkForm, Logged, Quirks};

async fn with_tags(count: usize, options: TestRegistryOptions) -> ClientFixture {
    let scene = ClientFixture::with(options).await;
    let manifest = tagged(&scene.server, "a");
    {
        let mut content = scene.server.content();
        content.tags.clear();
        for number in 0..count {
            content.tag("o/n", &format!("t{number:05}"), manifest.media_type(), manifest.bytes());
        }
    }
    scene
}

#[tokio::test]
async fn every_page_is_read() {
    for (count, page, link, requests) in [
        (5, 2, LinkForm::Whole, 3),
        (2501, 9999, LinkForm::Whole, 3),
        (2501, 9999, LinkForm::None, 3),
        (1000, 9999, LinkForm::None, 2),
        (7, 9999, LinkForm::Whole, 1),
        (1001, 9999, LinkForm::Whole, 2),
    ] {
        let quirks = Quirks { link, ..Quirks::default() };
        let scene =
            with_tags(count, TestRegistryOptions { page, quirks, ..TestRegistryOptions::default() }).await;
        let listing = scene.repository().list_tags().await.expect("tags");
        assert_eq!((listing.tags().len(), scene.server.count("GET", "/tags/list")), (count, requests));
        assert!(listing.gap([]).is_none(), "{count} {page} {link:?}");
        assert_eq!(scene.server.requests("GET", "/tags/list")[0].query, "n=1000");
    }
}

/// One line for each way in which registries cut lists, with the number of tags that are found of 250, and the sign of a
/// gap, if the end does not show.
#[tokio::test]
async fn a_list_is_whole_or_has_a_gap() {
    let plain = Quirks::default;
    let form = |link| Quirks { link, ..plain() };
    for (thread, page, quirks, found, gap) in [
        ("opencontainers/distribution-spec#461: no link", 100, form(LinkForm::None), 250, None),
        ("heroku/docker-registry-client#11: no brackets", 100, form(LinkForm::NoBrackets), 250, None),
        ("opencontainers/distribution-spec#107: no relation", 100, form(LinkForm::NoRelation), 250, None),
        ("goharbor/harbor#12141: a link to an inner host", 100, form(LinkForm::OtherHost), 250, None),
        (
            "no link, and `last` has no effect",
            100,
            Quirks { ignores_last: true, ..form(LinkForm::None) },
            100,
            Some("ends after 100 tags"),
        ),
        (
            "no brackets, and `last` has no effect",
            100,
            Quirks { ignores_last: true, ..form(LinkForm::NoBrackets) },
            250,
            None,
        ),
        (
            "no relation, and `last` has no effect",
            100,
            Quirks { ignores_last: true, ..form(LinkForm::NoRelation) },
            250,
            None,
        ),
        ("pages in descending order", 100, Quirks { descending: true, ..form(LinkForm::None) }, 250, None),
        ("a page of 64", 64, form(LinkForm::None), 250, None),
        ("a page of 10", 10, form(LinkForm::None), 250, None),
        (
            "distribution/distribution#3143: n is refused",
            999,
            Quirks { most_asked: Some(100), ..plain() },
            250,
            None,
        ),
        (
            "n is refused, and pages are cut",
            50,
            Quirks { most_asked: Some(100), ..form(LinkForm::None) },
            250,
            None,
        ),
        ("the list is forbidden", 100, Quirks { list: Some(403), ..plain() }, 0, Some("UNSUPPORTED")),
        ("the list is not supported", 100, Quirks { list: Some(405), ..plain() }, 0, Some("UNSUPPORTED")),
        ("the list is not implemented", 100, Quirks { list: Some(501), ..plain() }, 0, Some("UNSUPPORTED")),
        ("the list is not there", 100, Quirks { list: Some(404), ..plain() }, 0, Some("UNSUPPORTED")),
    ] {
        let scene =
            with_tags(250, TestRegistryOptions { page, quirks, ..TestRegistryOptions::default() }).await;
        let listing =
            scene.repository().list_tags().await.unwrap_or_else(|error| panic!("{thread}: {error}"));
        let existing: Tag = "t00000".parse().expect("a tag");
        let reason = listing.gap([&existing]).map(|gap| gap.to_string());
        assert_eq!(listing.tags().len(), found, "{thread}: {reason:?}");
        match gap {
            None => assert_eq!(reason, None, "{thread}"),
            Some(words) => {
                assert!(reason.as_ref().is_some_and(|reason| reason.contains(words)), "{thread}: {reason:?}");
            }
        }
        assert!(scene.server.log().iter().all(|request| request.header("host") == scene.server.host()));
    }
}

#[tokio::test]
async fn a_tag_is_absent_only_if_nobody_says_that_it_exists() {
    use TagLookup::{Absent, Dangling, Names};
    let plain = Quirks::default;
    for (thread, tag, quirks, listed, expected, requests) in [
        ("a tag that exists costs one request", "v1", plain(), false, "names", 1),
        ("a tag that does not exist has two witnesses", "gone", plain(), false, "absent", 2),
        ("the list is one witness", "gone", plain(), true, "absent", 1),
        ("crazy-max/diun#1614: HEAD 404", "v1", Quirks { head: Some(404), ..plain() }, false, "names", 2),
        ("HEAD 404, listed", "v1", Quirks { head: Some(404), ..plain() }, true, "names", 2),
        (
            "HEAD 404, and not listed",
            "v1",
            Quirks { head: Some(404), hidden: vec!["v1"], ..plain() },
            true,
            "names",
            1,
        ),
        ("HEAD 405", "v1", Quirks { head: Some(405), ..plain() }, false, "names", 2),
        ("HEAD 400", "v1", Quirks { head: Some(400), ..plain() }, false, "names", 2),
        ("HEAD 403", "v1", Quirks { head: Some(403), ..plain() }, false, "names", 2),
        (
            "google/go-containerregistry#971: 403 for a tag that does not exist",
            "gone",
            Quirks { missing: Some(403), ..plain() },
            true,
            "absent",
            1,
        ),
        (
            "403 for a tag that does not exist, without a list",
            "gone",
            Quirks { missing: Some(403), ..plain() },
            false,
            "absent",
            3,
        ),
        (
            "403 for everything",
            "gone",
            Quirks { missing: Some(403), list: Some(403), ..plain() },
            false,
            "denied",
            3,
        ),
        (
            "a tag without a manifest",
            "dangling",
            Quirks { dangling: vec!["dangling"], ..plain() },
            true,
            "dangling",
            2,
        ),
    ] {
        let scene =
            ClientFixture::with(TestRegistryOptions { quirks, ..TestRegistryOptions::default() }).await;
        let manifest = tagged(&scene.server, "v1");
        let repository = scene.repository();
        let listing = repository.list_tags().await.expect("a list");
        repository.head_manifest(&at("latest")).await.ok();
        scene.server.forget_log();
        let tag: Tag = tag.parse().expect("a tag");
        let found = match repository.look_up_tag(&tag, listed.then_some(&listing)).await {
            Ok(Names(found)) => {
                assert_eq!(&found, manifest.digest(), "{thread}");
                "names"
            }
            Ok(Absent) => "absent",
            Ok(Dangling) => "dangling",
            Err(RegistryError::Denied(_)) => "denied",
            Err(error) => panic!("{thread}: {error}"),
        };
        let log: Vec<String> = scene.server.log().iter().map(Logged::line).collect();
        assert_eq!((found, log.len()), (expected, requests), "{thread}: {log:?}");
    }
}

#[tokio::test]
async fn listings_that_do_not_end_are_ended() {
    let scene = with_tags(5, TestRegistryOptions { page: 2, ..TestRegistryOptions::default() }).await;
    let same = headers(&[("link", "</v2/o/n/tags/list?n=1000>; rel=\"next\"")]);
    scene.server.on("GET", "/tags/list", 99, same);
    let gap = scene.repository().list_tags().await.expect("a list").gap([]).expect("a circle");
    assert!(gap.to_string().contains("without an end"), "{gap}");

    let scene = ClientFixture::new().await;
    for number in 0..100 {
        let next = format!("</v2/o/n/tags/list?page={number}>; rel=next");
        scene.server.on("GET", "/tags/list", 1, answer(200, &[("link", &next)], r#"{"tags":["a"]}"#));
    }
    assert!(scene.repository().list_tags().await.expect("a list").gap([]).is_some());
    assert!(scene.server.count("GET", "/tags/list") < 20);

    let (scene, other) =
        (ClientFixture::new().await, TestRegistry::start(TestRegistryOptions::default()).await);
    let next = format!("<http://{}/v2/o/n/tags/list>; rel=next", other.host());
    scene.server.on("GET", "n=1000", 1, answer(200, &[("link", &next)], r#"{"tags":["a"]}"#));
    scene.repository().list_tags().await.expect("a list");
    assert!(other.log().is_empty(), "a list never leads to another host");
}

#[tokio::test]
async fn listings_of_ever_new_pages_end_in_time() {
    let timeouts = Timeouts { listing: Duration::from_millis(400), ..Timeouts::default() };
    let scene = ClientFixture::within(TestRegistryOptions::default(), timeouts).await;
    scene.server.hold(Arc::new(|_| Box::pin(tokio::time::sleep(Duration::from_millis(20)))));
    for number in 0..200 {
        let next = format!("</v2/o/n/tags/list?page={number}>; rel=next");
        let body = format!(r#"{{"tags":["t{number}"]}}"#);
        scene.server.on("GET", "/tags/list", 1, answer(200, &[("link", &next)], &body));
    }
    let error = scene.repository().list_tags().await.expect_err("no end");
    let message = error.to_string();
    assert!(message.contains("/v2/o/n/tags/list: the list has not ended after 400ms, with "), "{message}");
    assert!(message.ends_with(" tags so far"), "{message}");
    assert_eq!(error.to_diagnostic().code, Code::RegistryUnreachable);
    assert!(scene.server.count("GET", "/tags/list") < 30);
}

#[tokio::test]
async fn strange_lists_are_read_or_said() {
    for (body, expected) in [
        (r#"{"tags":null}"#, Some(0)),
        (r#"{"tags":["ok","not a tag",null,"ok","../x"]}"#, Some(1)),
        ("{}", None),
        ("[]", None),
        ("<html>", None),
        (r#"{"tags":7}"#, None),
    ] {
        let scene = ClientFixture::new().await;
        scene.server.on("GET", "/tags/list", 1, answer(200, &[], body));
        let found = scene.repository().list_tags().await.ok().map(|listing| listing.tags().len());
        assert_eq!(found, expected, "{body}");
    }
    let scene = ClientFixture::new().await;
    scene.server.on("GET", "/tags/list", 1, Fault::Endless);
    assert!(matches!(scene.repository().list_tags().await, Err(RegistryError::Protocol { .. })));
}
