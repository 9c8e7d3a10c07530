//! Lists of tags, page by page.

use super::*;
use brokkr_publish::diagnostic::ToDiagnostic;

async fn with_tags(count: usize, options: Options) -> Scene {
    let scene = Scene::with(options).await;
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
    for (count, page, links, requests) in [
        (5, 2, true, 3),
        (2500, 9999, true, 3),
        (2500, 9999, false, 3),
        (1000, 9999, false, 2),
        (7, 9999, true, 1),
    ] {
        let scene = with_tags(count, Options { page, links, ..Options::default() }).await;
        let tags = scene.repository().list_tags().await.expect("tags");
        assert_eq!((tags.len(), scene.server.count("GET", "/tags/list")), (count, requests));
        assert_eq!(scene.server.requests("GET", "/tags/list")[0].query, "n=1000");
    }
}

#[tokio::test]
async fn listings_that_do_not_end_are_ended() {
    let scene = with_tags(5, Options { page: 2, ..Options::default() }).await;
    let same = headers(&[("link", "</v2/o/n/tags/list?n=1000>; rel=\"next\"")]);
    scene.server.on("GET", "/tags/list", 99, same);
    let error = scene.repository().list_tags().await.expect_err("a circle");
    assert!(error.to_string().contains("without an end"), "{error}");

    let scene = Scene::new().await;
    for number in 0..100 {
        let next = format!("</v2/o/n/tags/list?page={number}>; rel=next");
        scene.server.on("GET", "/tags/list", 1, answer(200, &[("link", &next)], r#"{"tags":["a"]}"#));
    }
    assert!(scene.repository().list_tags().await.is_err());
    assert!(scene.server.count("GET", "/tags/list") < 20);

    let (scene, other) = (Scene::new().await, TestRegistry::start(Options::default()).await);
    let next = format!("<http://{}/v2/o/n/tags/list>; rel=next", other.host());
    scene.server.on("GET", "n=1000", 1, answer(200, &[("link", &next)], r#"{"tags":["a"]}"#));
    let error = scene.repository().list_tags().await.expect_err("another host");
    assert!(error.to_string().contains("another host"), "{error}");
    assert!(other.log().is_empty());
}

#[tokio::test]
async fn listings_of_ever_new_pages_end_in_time() {
    let timeouts = Timeouts { listing: Duration::from_millis(400), ..Timeouts::default() };
    let scene = Scene::within(Options::default(), timeouts).await;
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
        ("{}", Some(0)),
        (r#"{"tags":["ok","not a tag",null,"ok","../x"]}"#, Some(1)),
        ("[]", None),
        ("<html>", None),
        (r#"{"tags":7}"#, None),
    ] {
        let scene = Scene::new().await;
        scene.server.on("GET", "/tags/list", 1, answer(200, &[], body));
        let found = scene.repository().list_tags().await.ok().map(|tags| tags.len());
        assert_eq!(found, expected, "{body}");
    }
    let scene = Scene::new().await;
    scene.server.on("GET", "/tags/list", 1, Fault::Endless);
    assert!(matches!(scene.repository().list_tags().await, Err(RegistryError::Protocol { .. })));
}
