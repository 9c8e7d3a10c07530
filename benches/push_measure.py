"""The measuring half of push.sh: BINARY, a working directory that holds `image`, and the number of rounds.

Each push goes to a registry that was started for it, with an empty directory. The programs take
turns at going first. After each push the registry must answer with the digest of the source. Exits with 1 otherwise.
"""

import hashlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

REPOSITORY = "bench/image"
TAG = "latest"
ACCEPT = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"


def main(binary, work, rounds):
    binary, work = os.path.abspath(binary), os.path.abspath(work)
    with open(os.path.join(work, "image", "index.json"), "rb") as file:
        root = json.load(file)["manifests"][0]["digest"]
    read_once(os.path.join(work, "image"))
    programs = [("brokkr-publish", lambda port: apply(binary, work, port)), ("skopeo", lambda port: copy(work, port))]
    results = {name: [] for name, _ in programs}
    print(f"{'round':>5}  {'program':<16} {'wall s':>8} {'cpu s':>8} {'peak MiB':>9}")
    for number in range(rounds):
        for name, command in programs if number % 2 == 0 else reversed(programs):
            result = one_push(command, work, root)
            results[name].append(result)
            print(f"{number + 1:>5}  {name:<16} " + row(result), flush=True)
    medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in results.items()}
    for name, median in medians.items():
        print(f"{'median':>6} {name:<16} " + row(median))
    ours, theirs = medians["brokkr-publish"], medians["skopeo"]
    print(f"{'ratio':>6} {'to skopeo':<16} " + " ".join(
        f"{our / their:>{width}.2f}" for our, their, width in zip(ours, theirs, (8, 8, 9))))
    print(f"both registries hold {root}")


def row(result):
    wall, cpu, peak = result
    return f"{wall:>8.2f} {cpu:>8.2f} {peak:>9.1f}"


def one_push(command, work, root):
    storage = os.path.join(work, "registry")
    port = free_port()
    registry = start_registry(storage, port)
    try:
        arguments = command(port)
        os.sync()  # so that no program pays for unwritten data of the one before
        result = measure(arguments, work)
        found = digest_at(port)
        if found != root:
            sys.exit(f"push_measure: {arguments[0]} left {found}, and the source is {root}")
        return result
    finally:
        registry.terminate()
        registry.wait()
        shutil.rmtree(storage, ignore_errors=True)


def apply(binary, work, port):
    path = os.path.join(work, "publish.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"""version = 1
[registries.local]
url = "127.0.0.1:{port}"
[tags.{TAG}]
on = "manual"
template = "{TAG}"
mutability = "mutable"
[images.image]
source = "oci:image"
repository = "{REPOSITORY}"
""")
    return [binary, "apply", "--config", path, "--event", "manual", "--auto-approve"]


def copy(work, port):
    source, target = f"oci:{work}/image", f"docker://127.0.0.1:{port}/{REPOSITORY}:{TAG}"
    options = ["--insecure-policy", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false"]
    return ["skopeo", *options, source, target]


def measure(arguments, work):
    """Runs a program to its end. Returns wall and processor seconds, and peak resident MiB.

    The kernel counts the memory of the process that forks into the peak of the one that it starts, so a peak below that
    of this interpreter (about 15 MiB) cannot be seen."""
    environment = {"HOME": work, "DOCKER_CONFIG": work, "XDG_RUNTIME_DIR": work, "PATH": os.environ["PATH"]}
    log = os.path.join(work, "log")
    with open(log, "wb") as output:
        start = time.monotonic()
        process = subprocess.Popen(
            arguments, cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        with open(log, encoding="utf-8", errors="replace") as output:
            sys.exit(f"push_measure: {' '.join(arguments)} ended with {process.returncode}:\n{output.read()}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def start_registry(storage, port):
    os.makedirs(storage)
    path = storage + ".yml"
    with open(path, "w", encoding="utf-8") as file:
        json.dump({
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": storage}},
            "http": {"addr": f"127.0.0.1:{port}"},
        }, file)
    registry = subprocess.Popen(
        ["docker-registry", "serve", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        if registry.poll() is not None:
            sys.exit("push_measure: docker-registry does not start")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=5).close()
            return registry
        except OSError:
            time.sleep(0.05)
    registry.kill()
    sys.exit("push_measure: docker-registry does not answer")


def digest_at(port):
    url = f"http://127.0.0.1:{port}/v2/{REPOSITORY}/manifests/{TAG}"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": ACCEPT}), timeout=30) as answer:
        return "sha256:" + hashlib.sha256(answer.read()).hexdigest()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def read_once(directory):
    """Reads the image once, so that neither program is the first to read it from the disk."""
    for folder, _, names in os.walk(directory):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                while file.read(1 << 20):
                    pass


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
