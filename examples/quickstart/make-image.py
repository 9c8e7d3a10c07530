#!/usr/bin/env python3
"""Writes image.tar: a small image for linux/amd64 and linux/arm64, as an OCI image layout in a tar file.

Every run writes the same bytes, on any machine: there are no times and no users, and layers are plain tar, because
versions of gzip compress the same bytes differently. Needs only Python 3.8 or newer.
"""

import hashlib
import io
import json
import pathlib
import tarfile

PLATFORMS = [("linux", "amd64"), ("linux", "arm64")]
CREATED = "2024-01-01T00:00:00Z"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def tar(files):
    """A tar of files by name: owned by root, from the start of time, closed with two empty blocks."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, contents in files:
            entry = tarfile.TarInfo(name)
            entry.mode, entry.mtime, entry.size = 0o644, 0, len(contents)
            archive.addfile(entry, io.BytesIO(contents))
        end = archive.offset
    return out.getvalue()[:end].ljust(end + 1024, b"\0")


def text(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


blobs = {}


def put(media_type, contents):
    digest = hashlib.sha256(contents).hexdigest()
    blobs["blobs/sha256/" + digest] = contents
    return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(contents)}


def image(system, architecture):
    greeting = f"Hello from {system}/{architecture}, published by brokkr-publish.\n".encode()
    layer = put(LAYER, tar([("hello.txt", greeting)]))
    config = put(CONFIG, text({
        "architecture": architecture,
        "os": system,
        "created": CREATED,
        "config": {"Labels": {"org.opencontainers.image.title": "hello"}},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
        "history": [{"created": CREATED, "created_by": "examples/quickstart/make-image.py"}],
    }))
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
    entry = put(MANIFEST, text(manifest))
    return {**entry, "platform": {"os": system, "architecture": architecture}}


index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [image(*platform) for platform in PLATFORMS]}
root = put(INDEX, text(index))
files = [
    ("oci-layout", text({"imageLayoutVersion": "1.0.0"})),
    ("index.json", text({"schemaVersion": 2, "mediaType": INDEX, "manifests": [root]})),
    *sorted(blobs.items()),
]
path = pathlib.Path(__file__).with_name("image.tar")
path.write_bytes(tar(files))
print(f"{path}: {root['digest']}")
