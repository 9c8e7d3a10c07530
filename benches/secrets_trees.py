"""The measuring half of secrets_trees.sh: packs each folder of TREES as an image of one layer, and plans their publication."""

import collections
import gzip
import hashlib
import json
import os
import resource
import subprocess
import sys
import tarfile
import time
import zlib

PIECE = 1 << 20


def main(binary, work, trees):
    names = sorted(os.listdir(trees))
    layers = {name: pack(os.path.realpath(os.path.join(trees, name)), os.path.join(work, name)) for name in names}
    images = "".join(f'[images.{name}]\nsource = "oci:{name}"\n' for name in names)
    with open(os.path.join(work, "publish.toml"), "w", encoding="utf-8") as file:
        file.write(
            'version = 1\n[secrets]\npolicy = "warn"\n[registries.here]\nurl = "oci:registry"\n'
            '[tags.version]\non = "tag"\ntemplate = "v{{ version }}"\n' + images
        )
    high = 0
    for name in names:
        before, started = children(), time.monotonic()
        plan = subprocess.run(
            [binary, "plan", "--ref", "refs/tags/v1.0.0", "--json", "--target", f"images.{name}"],
            cwd=work, stdout=subprocess.PIPE, check=False, env={**os.environ, "XDG_CACHE_HOME": f"{work}/cache"},
        )
        took, wall = children() - before, time.monotonic() - started
        if plan.returncode not in (0, 2):
            sys.exit(f"secrets_trees.sh: the plan of {name} ended with {plan.returncode}")
        compare, size = read(layers[name])
        print(f"{name}: {size >> 20} MiB; {took:.2f} s of processor time in {wall:.2f} s, "
              f"gunzipping and hashing {compare:.2f} s, ratio {took / compare:.2f}")
        secrets = json.loads(plan.stdout).get("secrets") or {}
        for what in secrets.get("unsearched", []):
            print(f"  not searched: {what['reason']}")
        found = collections.Counter((it["severity"], it["rule"]) for it in secrets.get("findings", []))
        for (severity, rule), count in sorted(found.items()):
            print(f"  {severity:6} {rule:28} {count:5}")
            high += count if severity == "high" else 0
    print(f"{high} findings of severity high, and there should be none")
    sys.exit(min(high, 1))


def children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def read(path):
    """Returns the processor time to gunzip a layer and to hash it before and after, and its size after."""
    inner, outer, gunzip, size = hashlib.sha256(), hashlib.sha256(), zlib.decompressobj(31), 0
    started = time.process_time()
    with open(path, "rb") as file:
        while piece := file.read(PIECE):
            outer.update(piece)
            plain = gunzip.decompress(piece)
            inner.update(plain)
            size += len(plain)
    return time.process_time() - started, size


def pack(tree, layout):
    """Packs a folder as a layout with an image of one layer. Returns the path of the layer."""
    blobs = os.path.join(layout, "blobs", "sha256")
    os.makedirs(blobs)
    incomplete = os.path.join(blobs, "incomplete")

    def only(entry):
        return entry if entry.isreg() or entry.isdir() or entry.issym() else None

    with gzip.GzipFile(incomplete, "wb", 6, mtime=0) as file, tarfile.open(fileobj=file, mode="w|") as archive:
        archive.add(tree, arcname=".", filter=only)
    outer, inner = hashlib.sha256(), hashlib.sha256()
    with open(incomplete, "rb") as file:
        while piece := file.read(PIECE):
            outer.update(piece)
    with gzip.open(incomplete) as file:
        while piece := file.read(PIECE):
            inner.update(piece)
    layer = os.path.join(blobs, outer.hexdigest())
    size = os.path.getsize(incomplete)
    os.rename(incomplete, layer)

    def put(media_type, value):
        contents = json.dumps(value).encode()
        digest = hashlib.sha256(contents).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as file:
            file.write(contents)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(contents)}

    kind = "application/vnd.oci.image."
    config = put(kind + "config.v1+json", {
        "architecture": "amd64", "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + inner.hexdigest()]},
    })
    descriptor = {"mediaType": kind + "layer.v1.tar+gzip", "digest": "sha256:" + outer.hexdigest(), "size": size}
    manifest = put(kind + "manifest.v1+json", {
        "schemaVersion": 2, "mediaType": kind + "manifest.v1+json", "config": config, "layers": [descriptor],
    })
    for name, value in [("oci-layout", {"imageLayoutVersion": "1.0.0"}),
                        ("index.json", {"schemaVersion": 2, "manifests": [manifest]})]:
        with open(os.path.join(layout, name), "w", encoding="utf-8") as file:
            json.dump(value, file)
    return layer


main(*sys.argv[1:])
