"""Python wheels that carry the binary. They have the form that maturin gives to `bindings = "bin"`, for a program that is built already:
all ways of installing carry the same bytes."""

import base64
import hashlib
import pathlib

from . import pack
from .targets import NAME, ROOT, manifest, version

DISTRIBUTION = NAME.replace("-", "_")


def metadata():
    package = manifest()["package"]
    workspace = manifest()["workspace"]["package"]
    head = [
        "Metadata-Version: 2.4",
        f"Name: {NAME}",
        f"Version: {version()}",
        f"Summary: {package['description']}",
        f"Keywords: {','.join(package['keywords'])}",
        f"License-Expression: {workspace['license']}",
        "License-File: LICENSE",
        "Requires-Python: >=3.8",
        f"Project-URL: Source, {workspace['repository']}",
        "Description-Content-Type: text/markdown; charset=UTF-8; variant=GFM",
    ]
    return "\n".join(head) + "\n\n" + (ROOT / "README.md").read_text(encoding="utf-8")


def wheel(target, binary, out, level=9):
    tag = f"py3-none-{target.wheel}"
    info = f"{DISTRIBUTION}-{version()}.dist-info"
    tags = "".join(f"Tag: py3-none-{part}\n" for part in target.wheel.split("."))
    files = [
        (f"{DISTRIBUTION}-{version()}.data/scripts/{target.program}", binary.read_bytes(), True),
        (f"{info}/METADATA", metadata().encode(), False),
        (f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: {NAME} packaging\nRoot-Is-Purelib: false\n{tags}".encode(), False),
        (f"{info}/licenses/LICENSE", (ROOT / "LICENSE").read_bytes(), False),
    ]
    record = ""
    for name, content, _ in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(content)}\n"
    files.append((f"{info}/RECORD", f"{record}{info}/RECORD,,\n".encode(), False))
    path = pathlib.Path(out) / f"{DISTRIBUTION}-{version()}-{tag}.whl"
    path.write_bytes(pack.zip_(files, level))
    return path
