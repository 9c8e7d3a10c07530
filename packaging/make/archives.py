"""The archives of a release: the program, its manual pages, its completions, and the licence."""

import pathlib
import subprocess

from . import pack
from .targets import NAME, ROOT, version

COMPLETIONS = {"bash": NAME, "zsh": f"_{NAME}", "fish": f"{NAME}.fish", "powershell": f"_{NAME}.ps1", "elvish": f"{NAME}.elv"}


def extras(program, out):
    """Writes OUT/man/*.1 and OUT/completions/* with a program that runs here."""
    out = pathlib.Path(out)
    (out / "man").mkdir(parents=True, exist_ok=True)
    (out / "completions").mkdir(parents=True, exist_ok=True)
    subprocess.run([program, "man", "--out", out / "man"], check=True)
    for shell, name in COMPLETIONS.items():
        script = subprocess.run([program, "completions", shell], check=True, capture_output=True).stdout
        (out / "completions" / name).write_bytes(script)


def archive_name(target):
    """As `[package.metadata.binstall]` in Cargo.toml and packaging/install.sh name it."""
    return f"{NAME}-{version()}-{target.triple}.{'zip' if target.windows else 'tar.gz'}"


def archive(target, binary, extras_folder, out):
    top = f"{NAME}-{version()}-{target.triple}"
    files = [(f"{top}/{target.program}", binary.read_bytes(), True)]
    files += [(f"{top}/{name}", (ROOT / name).read_bytes(), False) for name in ("LICENSE", "README.md", "CHANGELOG.md")]
    for folder in ("man", "completions"):
        for path in sorted((pathlib.Path(extras_folder) / folder).iterdir()):
            files.append((f"{top}/{folder}/{path.name}", path.read_bytes(), False))
    path = pathlib.Path(out) / archive_name(target)
    path.write_bytes(pack.zip_(files) if target.windows else pack.tar_gz(files))
    return path
