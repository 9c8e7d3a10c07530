"""npm packages: one for each target that carries the binary, and one that depends on all of them and starts the one that was installed.
Nothing is downloaded at installation, and no script runs."""

import json
import pathlib

from . import pack
from .targets import NAME, ROOT, TARGETS, manifest, version


def package(fields, files, out, level=9):
    """Writes a package as `npm pack` does."""
    workspace = manifest()["workspace"]["package"]
    common = {
        "version": version(),
        "description": manifest()["package"]["description"],
        "license": workspace["license"],
        "repository": {"type": "git", "url": f"git+{workspace['repository']}.git"},
    }
    fields = {"name": fields.pop("name"), **common, **fields}
    content = [("package/package.json", (json.dumps(fields, indent=2) + "\n").encode(), False)]
    content.append(("package/LICENSE", (ROOT / "LICENSE").read_bytes(), False))
    content += [(f"package/{name}", data, executable) for name, data, executable in files]
    file_name = fields["name"].removeprefix("@").replace("/", "-")
    path = pathlib.Path(out) / f"{file_name}-{version()}.tgz"
    path.write_bytes(pack.tar_gz(content, level))
    return path


def carrier(target, binary, out, level=9):
    """The package of one target."""
    fields = {"name": target.npm, "os": [target.npm_os], "cpu": [target.npm_cpu], "preferUnplugged": True}
    return package(fields, [(f"bin/{target.program}", binary.read_bytes(), True)], out, level)


def starter(out):
    """The package that people install."""
    script = (ROOT / "packaging/npm/brokkr-publish.js").read_bytes()
    readme = (ROOT / "README.md").read_bytes()
    fields = {
        "name": NAME,
        "bin": {NAME: "bin/brokkr-publish.js"},
        "engines": {"node": ">=18"},
        "optionalDependencies": {target.npm: version() for target in TARGETS},
    }
    return package(fields, [("bin/brokkr-publish.js", script, True), ("README.md", readme, False)], out)
