"""Debian packages, by cargo-deb from `[package.metadata.deb]` in Cargo.toml.

The program is built already, for another system or by another job. cargo-deb gets a folder with a manifest that contains only the
package's data, and the built files at the paths that the data names.
"""

import pathlib
import shutil
import subprocess
import tempfile

from .targets import NAME, ROOT, manifest, version

MANIFEST = """[workspace]

[package]
name = {name}
version = {version}
edition = "2021"
license = {license}
description = {description}
repository = {repository}

[package.metadata.deb]
"""


def text(value):
    """A value of TOML."""
    if isinstance(value, list):
        return "[" + ", ".join(text(item) for item in value) + "]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def debian(target, binary, extras_folder, out, cargo_deb="cargo-deb"):
    package, workspace = manifest()["package"], manifest()["workspace"]["package"]
    extras_folder = pathlib.Path(extras_folder)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        values = {
            "name": NAME,
            "version": version(),
            "license": workspace["license"],
            # The synopsis is one line of at most 80 characters.
            "description": package["description"].split(":")[0],
            "repository": workspace["repository"],
        }
        head = MANIFEST.format(**{key: text(value) for key, value in values.items()})
        data = "".join(f"{key} = {text(value)}\n" for key, value in package["metadata"]["deb"].items())
        (folder / "Cargo.toml").write_text(head + data, encoding="utf-8")
        (folder / "src").mkdir()
        (folder / "src/main.rs").write_text("fn main() {}\n", encoding="utf-8")
        for name in ("LICENSE", "README.md", "CHANGELOG.md"):
            shutil.copy(ROOT / name, folder / name)
        release = folder / "target" / target.triple / "release"
        release.mkdir(parents=True)
        shutil.copy(binary, release / NAME)
        shutil.copytree(extras_folder, folder / "target/packaging")
        path = pathlib.Path(out).resolve() / f"{NAME}_{version()}-1_{target.debian}.deb"
        command = [cargo_deb, "--no-build", "--no-strip", "--fast", "--target", target.triple, "--output", path]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
    return path
