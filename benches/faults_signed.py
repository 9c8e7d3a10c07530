"""Signed releases to two registries: applies that are killed, and the time that signing takes. The signatures are verified with openssl."""

import base64
import json
import os
import shutil
import signal
import statistics
import subprocess
import time

from faults_world import RULES, Registry, environment, floating, image

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIGNATURE = "https://sigstore.dev/cosign/sign/v1"


class SignedRelease:
    """Two registries without a list of referrers, an image, and a key."""

    def __init__(self, binary, folder):
        self.binary, self.folder, self.surprises = binary, folder, []
        os.makedirs(folder)
        self.registries = [Registry(os.path.join(folder, name)) for name in ("one", "two")]
        for command in (
            "openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out signing.key",
            "openssl pkey -in signing.key -pubout -out signing.pub",
        ):
            subprocess.run(command.split(), cwd=folder, check=True)

    def stop(self):
        for registry in self.registries:
            registry.stop()

    def write(self, namespace, signed=True, count=1):
        """Prepares 1.0.0 with `count` images; returns the digests of their indexes, by name."""
        digests, images = {}, ""
        for number in range(count):
            name = f"app{number}"
            digests[name] = image(os.path.join(self.folder, "images", name), f"{namespace} {name}")
            sign = 'sign = ["release"]\n' if signed else ""
            images += f'[images.{name}]\nsource = "oci:images/{name}"\n{sign}'
        places = "".join(
            f'[registries.r{number}]\nurl = "127.0.0.1:{registry.port}/{namespace}"\n'
            for number, registry in enumerate(self.registries)
        )
        key = '[signing.release]\nkey = { file = "signing.key" }\npublic_key = "signing.pub"\n'
        with open(os.path.join(self.folder, "publish.toml"), "w") as file:
            file.write(f"version = 1\n{places}{RULES}{key}{images}")
        return digests

    def start(self):
        arguments = ["apply", "--auto-approve", "--ref", "refs/tags/v1.0.0"]
        return subprocess.Popen(
            [self.binary, *arguments], cwd=self.folder, env=environment(self.folder), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )

    def apply(self):
        """Applies. Returns the time, the exit code and what was printed."""
        started = time.monotonic()
        process = self.start()
        said, _ = process.communicate()
        return time.monotonic() - started, process.returncode, said.decode(errors="replace")

    def surprise(self, what, said=""):
        self.surprises.append(what)
        print(f"surprise: {what}\n{said}", flush=True)

    def released(self, registry, repository):
        """The tags of releases, without those of lists of referrers."""
        return {tag: it for tag, it in registry.tags(repository).items() if not tag.startswith("sha256-")}

    def bundles(self, registry, repository, digest):
        """The signatures of a digest that clients find and that verify."""
        listed = registry.tags(repository).get(digest.replace(":", "-"))
        contents = registry.blob(listed) if listed else None
        found = 0
        for entry in json.loads(contents)["manifests"] if contents else []:
            manifest = registry.blob(entry["digest"])
            if manifest is None or registry.missing(repository, entry["digest"]):
                continue
            layer = json.loads(manifest)["layers"][0]
            bundle = registry.blob(layer["digest"])
            found += layer["mediaType"] == BUNDLE and bundle is not None and self.verifies(json.loads(bundle), digest)
        return found

    def verifies(self, bundle, digest):
        """Whether openssl verifies a bundle about a digest."""
        envelope = bundle["dsseEnvelope"]
        payload = base64.b64decode(envelope["payload"])
        statement = json.loads(payload)
        subjects = ["sha256:" + it["digest"]["sha256"] for it in statement["subject"]]
        kind = envelope["payloadType"]
        message = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
        files = {"message": message, "signature": base64.b64decode(envelope["signatures"][0]["sig"])}
        for name, contents in files.items():
            with open(os.path.join(self.folder, name), "wb") as file:
                file.write(contents)
        command = "openssl dgst -sha256 -verify signing.pub -signature signature message"
        verified = subprocess.run(command.split(), cwd=self.folder, stdout=subprocess.DEVNULL).returncode == 0
        return verified and digest in subjects and statement["predicateType"] == SIGNATURE

    def check(self, what, namespace, said=""):
        """Checks that each tag in each registry names something signed; returns the number of tags."""
        count = 0
        for registry in self.registries:
            repository = f"{namespace}/app0"
            checked = {}
            for tag, digest in self.released(registry, repository).items():
                count += 1
                if digest not in checked:
                    checked[digest] = self.bundles(registry, repository, digest)
                if not checked[digest]:
                    self.surprise(f"{what}: {tag} names {digest}, which is not signed", said)
                if registry.missing(repository, digest):
                    self.surprise(f"{what}: {tag} names an incomplete manifest", said)
        return count


def kills(binary, folder, count):
    """Kills signed applies at moments that are spread evenly over a run, and runs each again."""
    release = SignedRelease(binary, os.path.join(folder, "signed-kills"))
    partly, ended, runs = 0, 0, 0
    whole_release = 2 * (1 + len([tag for tag in floating("1.0.0") if tag != "stable"]))
    try:
        release.write("measure")
        release.apply()
        release.write("measure2")
        whole = release.apply()[0]
        while runs - ended < count:
            runs += 1
            namespace, what = f"k{runs}", f"kill {runs}"
            digest = release.write(namespace)["app0"]
            process = release.start()
            time.sleep(whole * 1.05 * ((runs * 0.6180339887) % 1))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            ended += process.returncode != -signal.SIGKILL
            partly += 0 < release.check(what, namespace) < whole_release
            _, code, said = release.apply()
            if code != 0:
                release.surprise(f"{what}: exit code {code} of the next run", said)
            if release.check(what, namespace, said) != whole_release:
                release.surprise(f"{what}: the next run did not complete the release", said)
            for registry in release.registries:
                signed = release.bundles(registry, f"{namespace}/app0", digest)
                if signed != 1:
                    release.surprise(f"{what}: {signed} signatures after the next run", said)
                registry.forget(f"{namespace}/app0")
    finally:
        release.stop()
    print(f"signed kills: {runs - ended} signed runs were killed before their end ({ended} ended first), {partly} of them "
          f"with some of the tags; {len(release.surprises)} surprises: no tag without a signature that verifies, in either "
          "registry")
    return len(release.surprises)


def cost(binary, folder, count, rounds=5):
    """Compares signed applies with applies that sign nothing: the same images, to two registries."""
    release = SignedRelease(binary, os.path.join(folder, "signed-cost"))
    times = {True: [], False: []}
    try:
        for number in range(2 * rounds + 2):
            signed = number % 2 == 0
            release.write(f"c{number}", signed, count)
            taken, code, said = release.apply()
            if code != 0:
                release.surprise(f"exit code {code}", said)
            if number >= 2:
                times[signed].append(taken)
            shutil.rmtree(os.path.join(release.folder, "images"))
    finally:
        release.stop()
    signed, plain = (statistics.median(times[it]) for it in (True, False))
    more = (signed - plain) / count
    print(f"signed cost: {count} images to 2 registries in {signed:.2f} s, without signatures in {plain:.2f} s: "
          f"{more * 1000:.0f} ms more for each image (median of {rounds})")
    return len(release.surprises) + (more > 0.5)
