"""Files that name the checksums of a release: Homebrew's formula, install.sh, and the list that the action uses."""

import pathlib

from .archives import archive_name
from .pack import sha256
from .targets import NAME, ROOT, TARGETS, version


def checksums(out):
    """SHA256SUMS of every file in OUT."""
    out = pathlib.Path(out)
    files = sorted(path for path in out.iterdir() if path.is_file() and path.name != "SHA256SUMS")
    path = out / "SHA256SUMS"
    path.write_text("".join(f"{sha256(file.read_bytes())}  {file.name}\n" for file in files), encoding="utf-8")
    return path


def archive_sums(out):
    """The checksum of each archive in OUT, by its target."""
    archives = {target.triple: pathlib.Path(out) / archive_name(target) for target in TARGETS}
    return {triple: sha256(path.read_bytes()) for triple, path in archives.items() if path.is_file()}


def formula(out):
    """Homebrew's formula, for the tap."""
    text = (ROOT / "packaging/homebrew/brokkr-publish.rb").read_text(encoding="utf-8")
    text = text.replace("@VERSION@", version())
    for triple, sum in archive_sums(out).items():
        text = text.replace(f"@SHA256 {triple}@", sum)
    path = pathlib.Path(out) / f"{NAME}.rb"
    path.write_text(text, encoding="utf-8")
    return path


def pinned(out):
    """The lines of packaging/pinned.txt for this release."""
    names = {target.triple: archive_name(target) for target in TARGETS}
    return "".join(f"{sum}  {names[triple]}\n" for triple, sum in sorted(archive_sums(out).items()))


def installer(out):
    """install.sh with the version and the checksums of this release inside."""
    text = (ROOT / "packaging/install.sh").read_text(encoding="utf-8")
    head, mark, tail = text.partition("pinned='")
    assert mark, "packaging/install.sh has no list of checksums"
    path = pathlib.Path(out) / "install.sh"
    path.write_text(head + mark + "\n" + pinned(out) + tail, encoding="utf-8")
    path.chmod(0o755)
    return path
