//! The terminal pictures of the documentation are those that the program's output makes.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_committed_pictures_are_what_their_script_draws() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let drawn = tempfile::tempdir().expect("a folder");
    let script = root.join("scripts/pictures");
    let status = Command::new("python3").arg(script).arg(testkit::program()).arg(drawn.path()).status();
    assert!(status.expect("python3, which this test needs").success());
    let mut count = 0;
    for entry in fs::read_dir(drawn.path()).expect("a folder") {
        let entry = entry.expect("an entry");
        let made = fs::read_to_string(entry.path()).expect("a picture");
        let place = root.join("docs/pictures").join(entry.file_name());
        let committed = fs::read_to_string(&place).unwrap_or_default();
        assert!(
            made == committed,
            "run scripts/pictures target/debug/brokkr-publish: {} differs",
            place.display()
        );
        assert!(!made.contains('\u{1b}') && made.contains("$ brokkr-publish"), "{made}");
        count += 1;
    }
    assert!(count >= 3, "only {count} pictures");
}
