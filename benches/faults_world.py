"""Registries, images and configurations for faults.sh, and what stands in a registry according to its files."""

import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import tarfile
import time

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
RULES = """
[tags.version]
on = "tag"
template = "v{{ version }}"
[tags.minor]
on = "tag"
template = "v{{ version.major }}.{{ version.minor }}"
mutability = "forward"
[tags.major]
on = "tag"
template = "v{{ version.major }}"
mutability = "forward"
[tags.latest]
on = "tag"
template = "latest"
mutability = "forward"
"""
MUTABLE = """
[tags.stable]
on = "tag"
template = "stable"
mutability = "mutable"
"""


def floating(version):
    """The floating tags of a version."""
    major, minor = version.split(".")[:2]
    return [f"v{major}.{minor}", f"v{major}", "latest", "stable"]


def image(folder, text):
    """Writes a layout with an index of one image, which `text` distinguishes; returns the digest of the index."""
    if os.path.exists(folder):
        shutil.rmtree(folder)
    blobs = os.path.join(folder, "blobs", "sha256")
    os.makedirs(blobs)

    def put(media_type, contents, **more):
        digest = hashlib.sha256(contents).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as file:
            file.write(contents)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(contents), **more}

    manifests = []
    for architecture in ("amd64",):
        layer = layer_of(f"{text} {architecture}")
        config = json_bytes({
            "architecture": architecture, "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
        })
        manifest = json_bytes({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": put("application/vnd.oci.image.config.v1+json", config),
            "layers": [put("application/vnd.oci.image.layer.v1.tar", layer)],
        })
        platform = {"os": "linux", "architecture": architecture}
        manifests.append(put(MANIFEST, manifest, platform=platform))
    root = put(INDEX, json_bytes({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}))
    for name, value in [
        ("oci-layout", {"imageLayoutVersion": "1.0.0"}),
        ("index.json", {"schemaVersion": 2, "manifests": [root]}),
    ]:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(json_bytes(value))
    return root["digest"]


def layer_of(text):
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo("text")
        entry.size = len(text.encode())
        archive.addfile(entry, io.BytesIO(text.encode()))
    return layer.getvalue()


def json_bytes(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Registry:
    """A docker-registry of its own."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)
        self.port = free_port()
        config = os.path.join(folder, "config.yml")
        with open(config, "w") as file:
            file.write(
                "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n"
                f"  filesystem:\n    rootdirectory: {folder}/data\n  delete:\n    enabled: true\n"
                f"http:\n  addr: 127.0.0.1:{self.port}\n"
            )
        log = open(os.path.join(folder, "log"), "w")
        self.process = subprocess.Popen(["docker-registry", "serve", config], stdout=log, stderr=log)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("docker-registry did not start")

    def stop(self):
        self.process.kill()
        self.process.wait()

    def path(self, *parts):
        return os.path.join(self.folder, "data", "docker", "registry", "v2", *parts)

    def copy(self, source, target):
        """Lets a repository hold what another one holds."""
        here, there = self.path("repositories", source), self.path("repositories", target)
        if os.path.exists(here):
            shutil.copytree(here, there)

    def forget(self, repository):
        shutil.rmtree(self.path("repositories", repository), ignore_errors=True)

    def tags(self, repository):
        """The digest of each tag."""
        folder, tags = self.path("repositories", repository, "_manifests", "tags"), {}
        for tag in os.listdir(folder) if os.path.exists(folder) else []:
            digest = read(os.path.join(folder, tag, "current", "link"))
            if digest:
                tags[tag] = digest.decode()
        return tags

    def missing(self, repository, digest):
        """What a manifest needs and the repository lacks."""
        contents = self.blob(digest)
        kind, hexadecimal = digest.split(":")
        link = self.path("repositories", repository, "_manifests", "revisions", kind, hexadecimal, "link")
        if contents is None or not os.path.exists(link):
            return [digest]
        manifest, lacking = json.loads(contents), []
        for child in manifest.get("manifests", []):
            lacking += self.missing(repository, child["digest"])
        for part in manifest.get("layers", []) + [manifest[key] for key in ["config"] if key in manifest]:
            kind, hexadecimal = part["digest"].split(":")
            link = self.path("repositories", repository, "_layers", kind, hexadecimal, "link")
            if self.blob(part["digest"]) is None or not os.path.exists(link):
                lacking.append(part["digest"])
        return lacking

    def blob(self, digest):
        """The content of a blob; None if it is not there or not whole."""
        kind, hexadecimal = digest.split(":")
        contents = read(self.path("blobs", kind, hexadecimal[:2], hexadecimal, "data"))
        whole = contents is not None and hashlib.sha256(contents).hexdigest() == hexadecimal
        return contents if whole else None


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def free_port():
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        return plug.getsockname()[1]


def configuration(places, source, mutable=True):
    """A configuration that publishes to these registries: name and address. If several releases meet at a mutable tag, only one
    of them is right about it, so it can be left out."""
    more = MUTABLE if mutable else ""
    registries = "".join(f'[registries.{name}]\nurl = "{url}"\n' for name, url in places)
    return f'version = 1\n{registries}{RULES}{more}[images.app]\nsource = "{source}"\n'


def environment(folder):
    return {"PATH": os.environ["PATH"], "HOME": folder, "NO_COLOR": "1"}
