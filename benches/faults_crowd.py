"""Applies that are killed, and applies that run at once."""

import os
import random
import signal
import subprocess
import time

from faults_world import Registry, configuration, environment, floating, image


class Crowd:
    """One registry, and a folder for each version that is published to it."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.registry = Registry(os.path.join(folder, "registry"))
        self.digests, self.surprises = {}, []

    def stop(self):
        self.registry.stop()

    def version(self, version, namespace="crowd"):
        """Prepares a version; returns its digest."""
        digest = self.digests[version] = image(os.path.join(self.folder, "images", version), version)
        places = [("local", f"127.0.0.1:{self.registry.port}/{namespace}")]
        with open(os.path.join(self.folder, f"{version}.toml"), "w") as file:
            file.write(configuration(places, f"oci:images/{version}", mutable=namespace != "crowd"))
        return digest

    def start(self, version):
        """Starts an apply of a version."""
        arguments = ["apply", "--auto-approve", "--ref", f"refs/tags/v{version}", "--config", f"{version}.toml"]
        return subprocess.Popen(
            [self.binary, *arguments], cwd=self.folder, env=environment(self.folder), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )

    def apply(self, version):
        """Applies a version. Returns its exit code and what it printed."""
        process = self.start(version)
        said, _ = process.communicate()
        return process.returncode, said.decode(errors="replace")

    def surprise(self, what, said=""):
        self.surprises.append(what)
        print(f"surprise: {what}\n{said}", flush=True)

    def complete(self, what, namespace="crowd"):
        """Checks that every tag names a complete manifest."""
        tags = self.registry.tags(f"{namespace}/app")
        for tag, digest in tags.items():
            if self.registry.missing(f"{namespace}/app", digest):
                self.surprise(f"{what}: {tag} names an incomplete manifest")
        return tags

    def expect(self, what, tags, expected, said=""):
        for tag, digest in expected.items():
            if tags.get(tag) != digest:
                self.surprise(f"{what}: {tag} names {tags.get(tag)} instead of {digest}", said)


def kills(binary, folder, count):
    """Kills applies at random moments, and runs each again."""
    crowd = Crowd(binary, os.path.join(folder, "kills"))
    chance, runs, killed, moved = random.Random(1), 0, 0, 0
    try:
        old, new = crowd.version("1.0.0", "seed"), None
        crowd.apply("1.0.0")
        crowd.version("1.0.1", "measure")
        crowd.registry.copy("seed/app", "measure/app")
        started = time.monotonic()
        crowd.apply("1.0.1")
        whole = time.monotonic() - started
        while killed < count:
            runs += 1
            namespace, what = f"k{runs}", f"kill {runs}"
            crowd.registry.copy("seed/app", f"{namespace}/app")
            new = crowd.version("1.0.1", namespace)
            process = crowd.start("1.0.1")
            time.sleep(chance.uniform(0, whole * 1.05))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += process.returncode == -signal.SIGKILL
            tags = crowd.complete(what, namespace)
            crowd.expect(what, tags, {"v1.0.0": old})
            if tags.get("v1.0.1") not in (None, new):
                crowd.surprise(f"{what}: v1.0.1 names {tags.get('v1.0.1')}")
            stand = [tags.get(tag) == new for tag in floating("1.0.1")]
            moved += any(stand) and not all(stand)
            code, said = crowd.apply("1.0.1")
            if code != 0:
                crowd.surprise(f"{what}: exit code {code} of the next run", said)
            tags = crowd.complete(what, namespace)
            crowd.expect(what, tags, {tag: new for tag in ["v1.0.1", *floating("1.0.1")]} | {"v1.0.0": old}, said)
            crowd.registry.forget(namespace)
    finally:
        crowd.stop()
    print(f"kills: {killed} runs were killed before their end ({runs - killed} ended first), {moved} of them between two "
          f"floating tags; {len(crowd.surprises)} surprises after the next run")
    return len(crowd.surprises)


def races(binary, folder, pairs):
    """Runs two releases at once, with the lower version first or last."""
    crowd = Crowd(binary, os.path.join(folder, "races"))
    chance, met = random.Random(2), 0
    try:
        for number in range(pairs):
            versions = [f"1.0.{2 * number}", f"1.0.{2 * number + 1}"]
            digests = {f"v{version}": crowd.version(version) for version in versions}
            order = versions if number % 2 == 0 else versions[::-1]
            processes = []
            for version in order:
                processes.append(crowd.start(version))
                time.sleep(chance.uniform(0, 0.05))
            said = [process.communicate()[0].decode(errors="replace") for process in processes]
            for version, process, words in zip(order, processes, said):
                if process.returncode != 0:
                    crowd.surprise(f"pair {number}: exit code {process.returncode} of {version}", words)
            met += any("meanwhile" in words for words in said)
            highest = crowd.digests[versions[1]]
            expected = digests | {tag: highest for tag in floating(versions[1])[:3]}
            crowd.expect(f"pair {number}", crowd.complete(f"pair {number}"), expected, "\n".join(said))
    finally:
        crowd.stop()
    print(f"races: {pairs} pairs, {met} of which met; {len(crowd.surprises)} surprises")
    return len(crowd.surprises)


def concurrent(binary, folder, count):
    """Runs many releases at once."""
    crowd = Crowd(binary, os.path.join(folder, "concurrent"))
    try:
        versions = [f"1.0.{number}" for number in range(count)]
        digests = {f"v{version}": crowd.version(version) for version in versions}
        order = random.Random(3).sample(versions, count)
        processes = [crowd.start(version) for version in order]
        said = [process.communicate()[0].decode(errors="replace") for process in processes]
        for version, process, words in zip(order, processes, said):
            if process.returncode != 0:
                crowd.surprise(f"exit code {process.returncode} of {version}", words)
        expected = digests | {tag: crowd.digests[versions[-1]] for tag in floating(versions[-1])[:3]}
        crowd.expect("concurrent", crowd.complete("concurrent"), expected)
    finally:
        crowd.stop()
    print(f"concurrent: {count} applies at once; {len(crowd.surprises)} surprises")
    return len(crowd.surprises)
