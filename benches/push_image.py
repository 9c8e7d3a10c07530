"""Writes the image of push.sh: an OCI image layout with one image of four layers of 256 MiB.

The layers are random bytes in a tar in gzip frames that store without compressing. Therefore both programs do the same
work: skopeo compresses layers that are uncompressed (which would take a minute of gzip), and leaves compressed ones
unchanged. Every run writes the same bytes.
"""

import hashlib
import json
import os
import random
import sys
import tarfile
import zlib

LAYERS = int(os.environ.get("BENCH_LAYERS", "4"))
LAYER_SIZE = int(os.environ.get("BENCH_LAYER_MIB", "256")) << 20
PIECE = 1 << 20


def main(directory):
    blobs = os.path.join(directory, "blobs", "sha256")
    os.makedirs(blobs)

    def put(media_type, contents):
        digest = hashlib.sha256(contents).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as file:
            file.write(contents)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(contents)}

    layers, diff_ids = [], []
    for number in range(LAYERS):
        layer, diff_id = put_layer(blobs, number)
        layers.append(layer)
        diff_ids.append(diff_id)
    config = put("application/vnd.oci.image.config.v1+json", text({
        "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }))
    manifest_type = "application/vnd.oci.image.manifest.v1+json"
    root = put(manifest_type, text({
        "schemaVersion": 2, "mediaType": manifest_type, "config": config, "layers": layers,
    }))
    for name, contents in [
        ("oci-layout", {"imageLayoutVersion": "1.0.0"}),
        ("index.json", {"schemaVersion": 2, "manifests": [root]}),
    ]:
        with open(os.path.join(directory, name), "wb") as file:
            file.write(text(contents))


def put_layer(blobs, number):
    """Streams one layer to its file. Returns its descriptor, and the digest of the tar in it."""
    path = os.path.join(blobs, "incomplete")
    inner, outer = hashlib.sha256(), hashlib.sha256()
    frame = zlib.compressobj(0, zlib.DEFLATED, 31)
    entry = tarfile.TarInfo(f"data-{number}")
    entry.size = LAYER_SIZE
    noise = random.Random(number)
    with open(path, "wb") as file:

        def write(plain, end=b""):
            inner.update(plain)
            framed = frame.compress(plain) + end
            outer.update(framed)
            file.write(framed)

        write(entry.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(LAYER_SIZE // PIECE):
            write(noise.randbytes(PIECE))
        write(bytes(1024))
        end = frame.flush()
        outer.update(end)
        file.write(end)
    digest = outer.hexdigest()
    os.rename(path, os.path.join(blobs, digest))
    size = os.path.getsize(os.path.join(blobs, digest))
    media_type = "application/vnd.oci.image.layer.v1.tar+gzip"
    descriptor = {"mediaType": media_type, "digest": "sha256:" + digest, "size": size}
    return descriptor, "sha256:" + inner.hexdigest()


def text(value):
    return json.dumps(value, separators=(",", ":")).encode()


main(sys.argv[1])
