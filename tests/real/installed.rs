//! Every way of installing, made from the built program by `packaging/make` and used as a person would: the wheel in a virtual
//! environment, the Debian package in a root of its own, the npm package in a project, the image in a registry, the archive by
//! `install.sh`. Needs python3, npm, dpkg, skopeo, podman and curl; `scripts/test.sh` installs them.
//!
//! The program is that of the tests, without debug information. It takes the place of every target, because no test can build for
//! other systems.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testkit::command::{Folder, clean};
use testkit::docker_registry::{AcceptedClients, DockerRegistry, run};

const VERSION: &str = env!("CARGO_PKG_VERSION");

const TRIPLES: [&str; 5] = [
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The target of the machine that the test runs on.
fn here() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// A folder with `binaries/TRIPLE/brokkr-publish` and `extras`.
struct Made {
    folder: Folder,
}

impl Made {
    fn new(triples: &[&str]) -> Self {
        let folder = Folder::new();
        let stripped = folder.path.join("stripped");
        run(Command::new("strip").arg(env!("CARGO_BIN_EXE_brokkr-publish")).arg("-o").arg(&stripped));
        for triple in triples {
            let ending = if triple.contains("windows") { ".exe" } else { "" };
            let place = folder.path.join("binaries").join(triple);
            fs::create_dir_all(&place).unwrap();
            fs::hard_link(&stripped, place.join(format!("brokkr-publish{ending}"))).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path.join(name)
    }

    /// Runs `packaging/make`, and returns the paths that it prints.
    fn make(&self, arguments: &[&str]) -> Vec<PathBuf> {
        let mut command = Command::new("python3");
        command.arg(root().join("packaging/make")).args(arguments).args(["--out", "dist", "--level", "1"]);
        command.current_dir(&self.folder.path).env("PYTHONDONTWRITEBYTECODE", "1");
        let printed = run(command.args(["--binaries", "binaries", "--extras", "extras"]));
        let printed = String::from_utf8(printed).unwrap();
        printed.lines().map(|line| self.folder.path.join(line)).collect()
    }

    fn extras(&self) {
        let mut command = Command::new("python3");
        command.arg(root().join("packaging/make")).args(["extras", "--out", "extras", "--program"]);
        run(command.arg("stripped").current_dir(&self.folder.path).env("PYTHONDONTWRITEBYTECODE", "1"));
    }

    /// A command with a home of its own.
    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        clean(&mut command, &self.folder.home());
        command.current_dir(&self.folder.path);
        command
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The installed program starts, and its exit code arrives.
fn works(made: &Made, program: &Path) {
    let version = run(made.command(program).arg("--version"));
    assert_eq!(String::from_utf8(version).unwrap(), format!("brokkr-publish {VERSION}\n"));
    made.folder.write("publish.toml", "version = 1\nnonsense = 1\n");
    let output = made.command(program).arg("lint").output().expect("it starts");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("publish::config::unknown_key"), "{}", said(&output));
}

#[test]
fn a_wheel_installs_the_program_into_a_virtual_environment() {
    let made = Made::new(&[&here()]);
    made.make(&["wheel"]);
    run(made.command("python3").args(["-m", "venv", "venv"]));
    let pip = ["-m", "pip", "install", "--no-index", "--find-links", "dist", "brokkr-publish"];
    run(made.command(made.path("venv/bin/python3")).args(pip));
    works(&made, &made.path("venv/bin/brokkr-publish"));
    let shown =
        run(made.command(made.path("venv/bin/python3")).args(["-m", "pip", "show", "-f", "brokkr-publish"]));
    let shown = String::from_utf8(shown).unwrap();
    for line in [&format!("Version: {VERSION}"), "../../../bin/brokkr-publish"] {
        assert!(shown.contains(line), "no {line:?} in\n{shown}");
    }
    run(made.command(made.path("venv/bin/python3")).args([
        "-m",
        "pip",
        "uninstall",
        "--yes",
        "brokkr-publish",
    ]));
    assert!(!made.path("venv/bin/brokkr-publish").exists(), "every file is recorded");
}

#[test]
fn the_npm_package_starts_the_program_of_its_platform() {
    let made = Made::new(&[&here()]);
    let packages = made.make(&["npm"]);
    assert_eq!(packages.len(), 2);
    made.folder.write("package.json", "{\"name\": \"project\", \"version\": \"1.0.0\", \"private\": true}");
    let install = ["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=optional"];
    run(made.command("npm").args(install).args(&packages));
    works(&made, &made.path("node_modules/.bin/brokkr-publish"));

    // Without the package of the platform the message names it.
    fs::remove_dir_all(made.path("node_modules/@brokkr-publish")).unwrap();
    let output = made.command(made.path("node_modules/.bin/brokkr-publish")).output().expect("node starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("the package @brokkr-publish/linux-"), "{}", said(&output));
}

#[test]
fn the_debian_package_installs_into_a_root() {
    let made = Made::new(&["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"]);
    made.extras();
    let tools = root().join("target/tools/bin/cargo-deb");
    let packages = made.make(&["deb", "--cargo-deb", tools.to_str().unwrap()]);
    let names: Vec<_> =
        packages.iter().map(|it| it.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["amd64", "arm64"].map(|it| format!("brokkr-publish_{VERSION}-1_{it}.deb")));
    let package = if here().starts_with("x86_64") { &packages[0] } else { &packages[1] };

    let database = made.path("root/var/lib/dpkg");
    for folder in ["info", "updates", "triggers"] {
        fs::create_dir_all(database.join(folder)).unwrap();
    }
    for file in ["status", "available"] {
        fs::write(database.join(file), "").unwrap();
    }
    let mut install = made.command("dpkg");
    install.args(["--root=root", "--force-not-root", "--log=dpkg.log", "--install"]).arg(package);
    run(&mut install);
    works(&made, &made.path("root/usr/bin/brokkr-publish"));
    let listed = run(made.command("dpkg").args(["--root=root", "--listfiles", "brokkr-publish"]));
    let listed = String::from_utf8(listed).unwrap();
    for path in [
        "/usr/share/man/man1/brokkr-publish.1.gz",
        "/usr/share/man/man1/brokkr-publish-auth-check.1.gz",
        "/usr/share/bash-completion/completions/brokkr-publish",
        "/usr/share/zsh/vendor-completions/_brokkr-publish",
        "/usr/share/fish/vendor_completions.d/brokkr-publish.fish",
        "/usr/share/doc/brokkr-publish/copyright",
    ] {
        assert!(listed.lines().any(|line| line == path), "no {path} in\n{listed}");
        assert!(made.path("root").join(&path[1..]).is_file(), "{path}");
    }
    run(made.command("dpkg").args([
        "--root=root",
        "--force-not-root",
        "--log=dpkg.log",
        "--purge",
        "brokkr-publish",
    ]));
    assert!(!made.path("root/usr/bin/brokkr-publish").exists());
}

/// The image's own `publish.toml` publishes it for a release, and other programs read it.
#[test]
fn the_image_publishes_itself() {
    let made = Made::new(&["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"]);
    let sbom = made.make(&["sbom"]);
    let bom: serde_json::Value = serde_json::from_slice(&fs::read(&sbom[0]).unwrap()).unwrap();
    let names: Vec<&str> =
        bom["components"].as_array().unwrap().iter().filter_map(|it| it["name"].as_str()).collect();
    assert!(names.contains(&"oci-registry") && names.contains(&"rustls"), "{names:?}");
    assert!(!names.contains(&"testkit") && !names.contains(&"insta"), "only what is shipped: {names:?}");
    let image = made.make(&["image"]).remove(0);

    let registry = DockerRegistry::start(&AcceptedClients::None);
    for file in ["Cargo.toml", "packaging/publish.toml"] {
        made.folder.write(&format!("project/{file}"), fs::read(root().join(file)).unwrap());
    }
    fs::create_dir(made.path("project/packaging/dist")).unwrap();
    fs::rename(image, made.path("project/packaging/dist/image.tar")).unwrap();
    made.folder.git_in("project", &["init", "--quiet"]);
    made.folder.git_in("project", &["add", "Cargo.toml", "packaging/publish.toml"]);
    made.folder.git_in("project", &["commit", "--quiet", "--message", "A release"]);
    made.folder.git_in("project", &["tag", &format!("v{VERSION}")]);
    let output = made
        .command(env!("CARGO_BIN_EXE_brokkr-publish"))
        .args(["apply", "--auto-approve", "--config", "packaging/publish.toml"])
        .args(["--ref", &format!("refs/tags/v{VERSION}")])
        .current_dir(made.path("project"))
        .env("BROKKR_PUBLISH_REGISTRIES__GHCR__URL", registry.host())
        .env("BROKKR_PUBLISH_REGISTRIES__GHCR__VISIBILITY", "public")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));

    let reference = format!("{}/brokkr-publish:latest", registry.host());
    let skopeo = |arguments: &[&str]| {
        let address = format!("docker://{reference}");
        let json = run(made.command("skopeo").args(arguments).arg("--tls-verify=false").arg(address));
        serde_json::from_slice::<serde_json::Value>(&json).expect("JSON")
    };
    let index = skopeo(&["inspect", "--raw"]);
    let platforms: Vec<String> =
        index["manifests"].as_array().unwrap().iter().map(|it| it["platform"].to_string()).collect();
    assert_eq!(
        platforms,
        [r#"{"architecture":"amd64","os":"linux"}"#, r#"{"architecture":"arm64","os":"linux"}"#]
    );
    let config = skopeo(&["inspect", "--config", "--override-arch=arm64"]);
    assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/brokkr-publish"]));
    assert_eq!(config["architecture"], "arm64");

    // The layer holds exactly the program, and the user is not root.
    let layout = format!("oci:{}:latest", made.path("copy").display());
    run(made
        .command("skopeo")
        .args(["copy", "--quiet", "--src-tls-verify=false", "--override-arch=amd64"])
        .arg(format!("docker://{reference}"))
        .arg(&layout));
    let store = made.path("store");
    let mut podman = made.command("podman");
    podman.args(["--root"]).arg(&store).arg("--runroot").arg(made.path("run")).args([
        "--storage-driver=vfs",
        "pull",
        "--quiet",
    ]);
    // podman takes the path of a layout for a name, which has no upper case.
    let id = String::from_utf8(run(podman.arg("oci:copy:latest"))).unwrap();
    let mut podman = made.command("podman");
    podman.args(["--root"]).arg(&store).arg("--runroot").arg(made.path("run")).args([
        "--storage-driver=vfs",
        "image",
        "inspect",
    ]);
    let inspected: serde_json::Value = serde_json::from_slice(&run(podman.arg(id.trim()))).unwrap();
    assert_eq!(inspected[0]["User"], "65532:65532");
    assert_eq!(inspected[0]["RootFS"]["Layers"].as_array().map(Vec::len), Some(1));
}

/// A release as a mirror serves it: `v1.2.3/ARCHIVE`, and an `install.sh` that contains the checksums.
fn release(made: &Made) -> PathBuf {
    made.extras();
    made.make(&["archive"]);
    let python = "import sys, pathlib; sys.path.insert(0, sys.argv[1]); from make import formula; \
                  out = pathlib.Path('dist'); formula.installer(out); formula.formula(out); formula.checksums(out)";
    run(made
        .command("python3")
        .args(["-c", python])
        .arg(root().join("packaging"))
        .env("PYTHONDONTWRITEBYTECODE", "1"));
    let place = made.path(&format!("mirror/v{VERSION}"));
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::rename(made.path("dist"), &place).unwrap();
    place
}

fn install(made: &Made, shell: &str, script: &Path, arguments: &[&str]) -> Output {
    let mut command = made.command(shell);
    command.arg(script).args(arguments);
    command.env("BROKKR_INSTALL_DOWNLOADS", format!("file://{}", made.path("mirror").display()));
    command.output().expect("a shell")
}

#[test]
fn the_installer_compares_the_checksum_and_needs_no_root() {
    let made = Made::new(&[&here()]);
    let place = release(&made);
    let script = place.join("install.sh");
    for shell in ["dash", "bash"] {
        let output = install(&made, shell, &script, &[]);
        let text = said(&output);
        assert!(output.status.success(), "{shell}: {text}");
        assert!(text.contains(&format!("Installed brokkr-publish {VERSION}: ")), "{text}");
        assert!(text.contains("This folder is not in PATH"), "{text}");
    }
    works(&made, &made.folder.home().join(".local/bin/brokkr-publish"));
    let output = install(&made, "sh", &script, &["--to", "bin", "--version", &format!("v{VERSION}")]);
    assert!(output.status.success(), "{}", said(&output));
    works(&made, &made.path("bin/brokkr-publish"));

    let other = install(&made, "sh", &script, &["--version", "9.9.9"]);
    assert!(!other.status.success() && said(&other).contains("there is no checksum of"), "{}", said(&other));
    let usage = install(&made, "sh", &script, &["--prefix=/usr"]);
    assert!(
        !usage.status.success() && said(&usage).contains("unknown argument `--prefix=/usr`"),
        "{}",
        said(&usage)
    );

    // Another archive at the same place is refused, and the installed program stays.
    let archive = place.join(format!("brokkr-publish-{VERSION}-{}.tar.gz", here()));
    let mut bytes = fs::read(&archive).unwrap();
    bytes.push(0);
    fs::write(&archive, bytes).unwrap();
    let output = install(&made, "sh", &script, &["--to", "elsewhere"]);
    let text = said(&output);
    assert!(!output.status.success() && text.contains("was expected; nothing was installed"), "{text}");
    assert!(!made.path("elsewhere").exists());

    // A download that breaks off anywhere runs nothing that is incomplete.
    let whole = fs::read_to_string(&script).unwrap();
    let cut = made.path("cut.sh");
    for length in (0..whole.len() - 1).step_by(97) {
        fs::write(&cut, &whole[..length]).unwrap();
        install(&made, "sh", &cut, &["--to", "broken"]);
        assert!(!made.path("broken").exists(), "a script of {length} bytes installed something");
    }
}

/// The names that `cargo binstall`, Homebrew's formula and `install.sh` look for are those of the archives.
#[test]
fn every_installer_names_the_archives_as_they_are_named() {
    let made = Made::new(&TRIPLES);
    let place = release(&made);
    let sums = fs::read_to_string(place.join("SHA256SUMS")).unwrap();
    let check = run(made.command("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(&place));
    assert!(check.is_empty());
    let formula = fs::read_to_string(place.join("brokkr-publish.rb")).unwrap();
    assert!(!formula.contains('@'), "everything is filled in: {formula}");
    run(made.command("ruby").arg("-c").arg(place.join("brokkr-publish.rb")));
    let installer = fs::read_to_string(place.join("install.sh")).unwrap();

    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let binstall = &manifest["package"]["metadata"]["binstall"];
    for triple in TRIPLES {
        let data = binstall["overrides"].get(triple).unwrap_or(binstall);
        let url = data["pkg-url"].as_str().unwrap();
        let values = [
            ("{ repo }", "https://github.com/colliery-io/brokkr-publish"),
            ("{ version }", VERSION),
            ("{ name }", "brokkr-publish"),
            ("{ target }", triple),
        ];
        let url = values.iter().fold(url.to_owned(), |url, (key, value)| url.replace(key, value));
        let name = url.rsplit('/').next().unwrap();
        let line = sums
            .lines()
            .find(|line| line.ends_with(&format!("  {name}")))
            .unwrap_or_else(|| panic!("{name} in {sums}"));
        assert!(installer.contains(line), "{line}");
        if !triple.contains("windows") {
            assert!(formula.contains(line.split(' ').next().unwrap()), "{line}");
            assert!(formula.contains(&format!("-{triple}.tar.gz")), "{triple}");
            let listed = run(made.command("tar").arg("-tzf").arg(place.join(name)));
            let program = format!("brokkr-publish-{VERSION}-{triple}/brokkr-publish\n");
            assert!(String::from_utf8(listed).unwrap().starts_with(&program), "as bin-dir says");
        }
    }
}

/// The hook's project asks for the wheel of exactly this version.
#[test]
fn the_version_is_written_once_for_each_reader() {
    let project: toml::Table = fs::read_to_string(root().join("pyproject.toml")).unwrap().parse().unwrap();
    assert_eq!(project["project"]["version"].as_str(), Some(VERSION));
    let needs = project["project"]["dependencies"].to_string();
    assert_eq!(needs, format!("[\"brokkr-publish=={VERSION}\"]"));
}
