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
        (annotations.standard, annotations.source)
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
