//! Tests of which annotations an image gets from the project.

use super::*;

#[test]
fn an_image_published_unchanged_gets_no_annotations_of_the_project() {
    let written = |image: &str| {
        let text = GOOD.replace("[project]", "[project]\nannotations = \"standard\"");
        let loaded = load_text(&format!("{text}\n[images.more]\n{image}\n"), &options());
        assert_eq!(said(&loaded), [], "{image}");
        let config = loaded.config.expect("a configuration");
        let annotations = &config.resources[&ResourceId::image("more")].annotations;
        (annotations.standard, annotations.of_project)
    };
    for (image, expected) in [
        ("source = \"oci:x\"", (true, true)),
        ("source = \"oci:x\"\nannotations = \"none\"", (false, false)),
        ("source = \"oci:x\"\nreferrers = true", (false, false)),
        ("source = \"docker://staging.example.com/app:v1\"", (false, false)),
        ("source = \"docker://staging.example.com/app:{{ version }}\"", (false, false)),
        ("source = \"docker://staging.example.com/app:v1\"\nannotations = \"standard\"", (true, true)),
        ("source = [\"docker://staging.example.com/app:v1\", \"oci:x\"]", (true, true)),
    ] {
        assert_eq!(written(image), expected, "{image}");
    }
}

#[test]
fn labels_and_annotations_are_standard_for_the_project_or_for_an_image() {
    let written = |project: &str, image: &str| {
        let text = GOOD.replace("[project]", &format!("[project]\n{project}"));
        let loaded = load_text(&format!("{text}\n[images.more]\nsource = \"oci:x\"\n{image}\n"), &options());
        assert_eq!(said(&loaded), [], "{project} {image}");
        let config = loaded.config.expect("a configuration");
        let DeclaredContent::Image(image) = &config.resources[&ResourceId::image("more")].content else {
            panic!("an image")
        };
        let own: Vec<String> = image.labels.own.keys().cloned().collect();
        (image.labels.standard, image.labels.of_project, own.join(","), config.project.labels.len())
    };
    for (project, image, expected) in [
        ("", "", (false, true, "", 0)),
        ("labels = \"standard\"", "", (true, true, "", 0)),
        ("labels = \"standard\"", "labels = \"none\"", (false, false, "", 0)),
        ("labels = \"standard\"", "labels = { a = \"b\" }", (true, true, "a", 0)),
        ("labels = \"standard\"", "labels = { standard = false, a = \"b\" }", (false, false, "a", 0)),
        ("labels = { standard = true, a = \"b\" }", "", (true, true, "", 1)),
        ("labels = { a = \"b\" }", "labels = { standard = true, c = \"d\" }", (true, true, "c", 1)),
        ("", "labels = { standard = \"a label of this name\" }", (false, true, "standard", 0)),
        ("labels = \"standard\"", "referrers = true", (false, false, "", 0)),
        ("labels = \"standard\"", "referrers = true\nlabels = \"standard\"", (true, true, "", 0)),
    ] {
        let (standard, of_project, own, labels) = expected;
        assert_eq!(
            written(project, image),
            (standard, of_project, own.to_owned(), labels),
            "{project} {image}"
        );
    }
}

#[test]
fn only_standard_may_be_a_boolean() {
    for (labels, message) in [
        ("{ a = true }", "expected a string"),
        ("\"all\"", "cannot be `all`"),
        ("{ standard = 1 }", "expected a"),
    ] {
        let text = GOOD.replace("[project]", &format!("[project]\nlabels = {labels}"));
        let said = format!("{:?}", said(&load_text(&text, &options())));
        assert!(said.contains(message), "{labels}: {said}");
    }
}
