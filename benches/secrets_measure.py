"""The measuring half of secrets.sh: BINARY, a working directory, the number of rounds, and how many MiB of files to take.

The image has four gzip layers of this machine's files. In each round the programs take turns: a plan that searches all of it
with an empty cache, the same plan without a search, and each of the peers, which decompress and hash every layer, as many
at a time as there are processors. The cost of the search is the first time less the second. Exits with 1 if the plan did not
search every byte.
"""

import gzip
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import time

TREES = ("/usr/lib", "/usr/share", "/usr/bin", "/usr/local", "/opt")
LAYERS = 4

# The zlib of this system and its SHA-256, in one process and without a pipe.
ZLIB = """
import hashlib, sys, zlib
digest, stream = hashlib.sha256(), zlib.decompressobj(31)
with open(sys.argv[1], "rb") as file:
    while piece := file.read(1 << 18):
        digest.update(stream.decompress(piece))
digest.update(stream.flush())
"""


def main(binary, work, rounds, mebibytes):
    binary = os.path.abspath(binary)
    layers, unpacked = make_image(work, mebibytes * 1024 * 1024)
    packed = sum(os.path.getsize(layer) for layer in layers)
    print(f"{len(layers)} layers, {packed / 2**20:.0f} MiB of {unpacked / 2**20:.0f} MiB, {os.cpu_count()} processors")
    peers = {"zlib, sha256": [sys.executable, "-c", ZLIB]}
    for name in ("gzip", "pigz", "igzip"):
        if shutil.which(name):
            peers[f"{name}, sha256sum"] = ["sh", "-c", f'{name} -dc < "$1" | sha256sum > /dev/null', "sh"]
    results = {name: [] for name in ("plan, searched", "plan, not searched", *peers)}
    for number in range(rounds):
        results["plan, searched"].append(plan(binary, work, "deny"))
        results["plan, not searched"].append(plan(binary, work, "off"))
        for name, command in peers.items():
            results[name].append(peer(command, layers))
        print(f"round {number + 1}: " + ", ".join(f"{name} {times[-1]:.2f} s" for name, times in results.items()), flush=True)
    medians = {name: statistics.median(times) for name, times in results.items()}
    search = medians["plan, searched"] - medians["plan, not searched"]
    fastest = min(peers, key=lambda name: medians[name])
    print(f"search: {search:.2f} s, {unpacked / 2**20 / search:.0f} MiB of files a second")
    for name in peers:
        print(f"ratio to {name}: {search / medians[name]:.2f}" + ("  (the bar: 1.30)" if name == fastest else ""))


def make_image(work, wanted):
    """Writes the layout. Returns the files of its layers and the size of their content."""
    blobs = os.path.join(work, "image", "blobs", "sha256")
    os.makedirs(blobs)
    files, total = [], 0
    for path, size in walk():
        if total + size > wanted:
            break
        files.append((path, size))
        total += size
    # Each file goes to the layer that is the smallest so far, so that every layer has files of every kind.
    parts, sizes = [[] for _ in range(LAYERS)], [0] * LAYERS
    for path, size in files:
        smallest = sizes.index(min(sizes))
        parts[smallest].append(path)
        sizes[smallest] += size
    described, paths = [], []
    for part in parts:
        path = os.path.join(work, "layer")
        # The level that docker and buildkit use.
        with open(path, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=6, mtime=0) as packed:
            with tarfile.open(fileobj=packed, mode="w|") as archive:
                for name in part:
                    archive.add(name, recursive=False)
        digest = sha256_of(path)
        os.rename(path, os.path.join(blobs, digest))
        paths.append(os.path.join(blobs, digest))
        described.append(descriptor("application/vnd.oci.image.layer.v1.tar+gzip", digest, os.path.getsize(paths[-1])))
    config = put(blobs, {"os": "linux", "architecture": "amd64", "config": {}, "rootfs": {"type": "layers", "diff_ids": []}})
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": descriptor("application/vnd.oci.image.config.v1+json", *config), "layers": described}
    root = descriptor("application/vnd.oci.image.manifest.v1+json", *put(blobs, manifest))
    write(os.path.join(work, "image", "oci-layout"), '{"imageLayoutVersion":"1.0.0"}')
    write(os.path.join(work, "image", "index.json"), json.dumps({"schemaVersion": 2, "manifests": [root]}))
    return paths, total


def walk():
    """Returns the readable files of this machine and their sizes, the same ones in each run."""
    for tree in TREES:
        for folder, folders, names in os.walk(tree):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(folder, name)
                if os.path.isfile(path) and not os.path.islink(path) and os.access(path, os.R_OK):
                    yield path, os.path.getsize(path)


def descriptor(media_type, digest, size):
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": size}


def put(blobs, value):
    data = json.dumps(value).encode()
    digest = hashlib.sha256(data).hexdigest()
    write(os.path.join(blobs, digest), data.decode())
    return digest, len(data)


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def plan(binary, work, policy):
    write(os.path.join(work, "publish.toml"), f"""version = 1
[registries.local]
url = "oci:registry"
[tags.latest]
on = "manual"
template = "latest"
mutability = "mutable"
[images.image]
source = "oci:image"
[secrets]
policy = "{policy}"
""")
    cache = os.path.join(work, "cache")
    shutil.rmtree(cache, ignore_errors=True)
    environment = {**os.environ, "XDG_CACHE_HOME": cache}
    begun = time.monotonic()
    done = subprocess.run([binary, "plan", "--json", "--event", "manual"], cwd=work, env=environment,
                          stdout=subprocess.PIPE, check=False)
    elapsed = time.monotonic() - begun
    said = json.loads(done.stdout)
    searched = said.get("secrets", {}).get("searched", {})
    if policy == "deny" and (searched.get("from_cache") != 0 or searched.get("blobs") != LAYERS + 1):
        sys.exit(f"secrets_measure: the plan searched {searched}")
    if policy == "deny":
        write(os.path.join(work, "found.json"), json.dumps(said["secrets"].get("findings", []), indent=1))
    return elapsed


def peer(command, layers):
    """Measures the time to decompress and hash every layer, as many at a time as there are processors."""
    begun = time.monotonic()
    waiting, running = sorted(layers, key=os.path.getsize, reverse=True), []
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            running.append(subprocess.Popen([*command, waiting.pop(0)]))
        running = [process for process in running if process.poll() is None]
        time.sleep(0.005)
    return time.monotonic() - begun


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
