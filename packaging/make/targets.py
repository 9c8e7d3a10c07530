"""The targets of a release, and how each way of installing names them."""

import dataclasses
import pathlib
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = "brokkr-publish"


@dataclasses.dataclass(frozen=True)
class Target:
    """A platform that the release has a binary for."""

    triple: str
    # The tags of a wheel: the static Linux binaries run on glibc and on musl.
    wheel: str
    # The names of npm (process.platform and process.arch).
    npm_os: str
    npm_cpu: str
    # The platform of the container image and the architecture of the Debian package; only Linux has them.
    image: str = ""
    debian: str = ""

    @property
    def windows(self):
        return "windows" in self.triple

    @property
    def program(self):
        return f"{NAME}.exe" if self.windows else NAME

    @property
    def npm(self):
        return f"@{NAME}/{self.npm_os}-{self.npm_cpu}"


def linux(cpu, npm_cpu, architecture, triple=None):
    wheel = f"manylinux_2_17_{cpu}.manylinux2014_{cpu}.musllinux_1_1_{cpu}"
    return Target(triple or f"{cpu}-unknown-linux-musl", wheel, "linux", npm_cpu, f"linux/{architecture}", architecture)


TARGETS = [
    linux("x86_64", "x64", "amd64"),
    linux("aarch64", "arm64", "arm64"),
    Target("x86_64-apple-darwin", "macosx_10_12_x86_64", "darwin", "x64"),
    Target("aarch64-apple-darwin", "macosx_11_0_arm64", "darwin", "arm64"),
    Target("x86_64-pc-windows-msvc", "win_amd64", "win32", "x64"),
]


def manifest():
    """The content of Cargo.toml."""
    return tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))


def version():
    return manifest()["workspace"]["package"]["version"]


def built(binaries):
    """The targets that DIR/TRIPLE/ has a binary of, each with the path of the binary."""
    found = [(target, pathlib.Path(binaries) / target.triple / target.program) for target in TARGETS]
    return [(target, path) for target, path in found if path.is_file()]
