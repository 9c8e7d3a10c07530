"""The SBOM: the crates of the program as Cargo.lock pins them, in CycloneDX 1.5."""

import json
import pathlib
import subprocess

from .image import pack_time
from .targets import NAME, ROOT, version


def components():
    """The crates that the program needs on any released target, without those of tests and builds' tools."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--offline"]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = next(id for id, package in packages.items() if package["name"] == NAME)
    needs, open_ids = {}, [root]
    while open_ids:
        id = open_ids.pop()
        if id not in needs:
            kept = [dep["pkg"] for dep in nodes[id]["deps"] if any(kind["kind"] != "dev" for kind in dep["dep_kinds"])]
            needs[id] = kept
            open_ids += kept
    return root, {id: packages[id] for id in needs}, needs


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package):
    out = {"type": "library", "bom-ref": purl(package), "name": package["name"], "version": package["version"]}
    if package.get("license"):
        out["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    return {**out, "purl": purl(package)}


def sbom(out):
    root, packages, needs = components()
    first = {**component(packages[root]), "type": "application"}
    others = sorted((package for id, package in packages.items() if id != root), key=purl)
    links = [{"ref": purl(packages[id]), "dependsOn": sorted(purl(packages[need]) for need in on)} for id, on in needs.items()]
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"timestamp": pack_time(), "component": first},
        "components": [component(package) for package in others],
        "dependencies": sorted(links, key=lambda link: link["ref"]),
    }
    path = pathlib.Path(out) / f"{NAME}-{version()}.cdx.json"
    path.write_text(json.dumps(bom, indent=1) + "\n", encoding="utf-8")
    return path
