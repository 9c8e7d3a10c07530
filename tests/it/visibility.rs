//! Visibility: the APIs of providers read and set it, and an anonymous pull proves it. The registry is the scripted one, whose
//! anonymous pulls follow what the stand-in of the provider's API says.

mod dockerhub;
mod echo;
mod github;
mod gitlab;
mod harbor;
mod probe;
mod quay;
mod secrets;

use testkit::command::{EndedRun, Folder, ProgramRun};
use testkit::image::{TestImage, TestLayer};
use testkit::test_registry::{RequiredCredentials, TestRegistry, TestRegistryOptions};

/// Compares with the snapshot of that name; all are in one folder.
fn assert_snapshot(name: &str, text: &str) {
    insta::assert_snapshot!(name, text);
}

/// A registry that wants to know who pushes, and a folder to publish from.
struct VisibilityFixture {
    registry: TestRegistry,
    folder: Folder,
    user: (&'static str, &'static str),
}

impl VisibilityFixture {
    /// `keys` are further keys of the registry; everybody may pull if `public` says so.
    async fn new(
        user: (&'static str, &'static str),
        visibility: &str,
        keys: &str,
        public: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::with_images(user, visibility, keys, "[images.app]\nsource = \"oci:image\"\n", public).await
    }

    async fn with_images(
        user: (&'static str, &'static str),
        visibility: &str,
        keys: &str,
        images: &str,
        public: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        let options = TestRegistryOptions {
            auth: RequiredCredentials::Token,
            user: Some(user),
            ..TestRegistryOptions::default()
        };
        let registry = TestRegistry::start(options).await;
        registry.public_where(public);
        let folder = Folder::new();
        let written = TestImage::new()
            .platform("linux/amd64", vec![TestLayer::files(&[("text", b"hello".as_slice())])]);
        written.write(&folder.path.join("image"));
        let scene = Self { registry, folder, user };
        scene.declare(visibility, keys, images);
        scene
    }

    /// Writes `publish.toml`.
    fn declare(&self, visibility: &str, keys: &str, images: &str) {
        let host = self.registry.host();
        let text = format!(
            r#"
version = 1

[registries.home]
url = "{host}/acme"
visibility = "{visibility}"
auth = {{ username_env = "REGISTRY_USER", password_env = "REGISTRY_WORD" }}
{keys}

[tags.version]
on = "tag"
template = "v{{{{ version }}}}"

{images}"#
        );
        self.folder.write("publish.toml", text);
    }

    fn run(&self, arguments: &str) -> ProgramRun {
        let (user, word) = self.user;
        self.folder.run(arguments).wide().env("REGISTRY_USER", user).env("REGISTRY_WORD", word)
    }

    fn plan(&self) -> ProgramRun {
        self.run("plan --detailed-exitcode --ref refs/tags/v1.0.0")
    }

    fn apply(&self) -> ProgramRun {
        self.run("apply --auto-approve --ref refs/tags/v1.0.0")
    }

    fn verify(&self) -> ProgramRun {
        self.run("verify")
    }

    /// The output of a run, with addresses and digests replaced. It must contain no secret.
    #[track_caller]
    fn steady(&self, shown: &str, api: &str) -> String {
        assert!(!shown.contains(self.user.1), "{shown}");
        let api_host = api.trim_start_matches("http://");
        let text = shown.replace(&self.registry.host(), "[REGISTRY]").replace(api_host, "[API]");
        let digests = regex::Regex::new("sha256:[0-9a-f]{12,64}").expect("a pattern");
        digests.replace_all(&text, "sha256:[DIGEST]").into_owned()
    }

    /// The row of the plan about visibility.
    #[track_caller]
    fn row(done: &EndedRun) -> String {
        let text = done.stdout();
        let row = text.lines().find(|line| line.contains("visibility  "));
        let row = row.unwrap_or_else(|| panic!("no row\n{}", done.shown()));
        row.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
