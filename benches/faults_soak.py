"""Random commands against a registry, compared with a model of what its tags should name."""

import asyncio
import os
import random
import signal
import time

from faults_proxy import FAULTS, Proxy, Script
from faults_world import Registry, configuration, environment, floating, image


class Model:
    """What each tag should name."""

    def __init__(self):
        self.tags, self.digests = {}, {}

    def release(self, version, digest):
        """A release that succeeds. Returns the floating tags that it moves, with what they named before."""
        self.tags[f"v{version}"] = self.digests[version] = digest
        before = {}
        for tag in floating(version):
            if tag == "stable" or number(version) == max(map(number, self.line(tag))):
                before[tag] = self.tags.get(tag)
                self.tags[tag] = digest
        return before

    def line(self, tag):
        """The versions of the line of a forward tag."""
        return [version for version in self.digests if tag in floating(version)]


def number(version):
    return [int(part) for part in version.split(".")]


class Soak:
    """Runs commands until the time is over."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.registry = Registry(os.path.join(folder, "registry"))
        self.script, self.model, self.chance = Script(), Model(), random.Random(4)
        self.proxy = Proxy(self.registry.port, self.script)
        self.surprises, self.counts, self.last = 0, {}, None

    async def command(self, version, *arguments, kill=None):
        process = await asyncio.create_subprocess_exec(
            self.binary, *arguments, "--auto-approve", cwd=self.folder, env=environment(self.folder),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )
        if kill is not None:
            await asyncio.sleep(kill)
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
        said, _ = await process.communicate()
        return process.returncode, said.decode(errors="replace")

    async def apply(self, version, text=None, kill=None):
        """Applies a version; another `text` is another build of it."""
        digest = image(os.path.join(self.folder, "image"), text or version)
        with open(os.path.join(self.folder, "publish.toml"), "w") as file:
            file.write(configuration([("local", f"127.0.0.1:{self.proxy.port}/soak")], "oci:image"))
        arguments = ["apply", "--ref", f"refs/tags/v{version}", "--record", f"{version}.json"]
        return digest, await self.command(version, *arguments, kill=kill)

    def next_version(self):
        """A version that was not published: a patch of some line, a new line, or a new major version."""
        known = sorted(map(number, self.model.digests)) or [[1, 0, -1]]
        major, minor, patch = self.chance.choice(known[-6:])
        kind = self.chance.random()
        if kind < 0.6:
            patches = [it[2] for it in known if it[:2] == [major, minor]]
            return f"{major}.{minor}.{max(patches) + 1}"
        if kind < 0.9:
            return f"{major}.{max(it[1] for it in known if it[0] == major) + 1}.0"
        return f"{known[-1][0] + 1}.0.0"

    async def step(self):
        """One random step."""
        kinds = ["release"] * 5 + ["again", "rebuilt", "rollback", "kill", "fault", "fault", "fault"]
        kind = self.chance.choice(kinds) if self.model.digests else "release"
        if kind == "rollback" and self.last is None:
            kind = "release"
        self.counts[kind] = self.counts.get(kind, 0) + 1
        version = self.next_version()
        if kind == "rollback":
            version, before = self.last
            code, said = await self.command(version, "rollback", f"{version}.json")
            for tag, digest in before.items():
                self.model.tags[tag] = digest
            self.model.tags = {tag: digest for tag, digest in self.model.tags.items() if digest}
            self.last = None
            return self.check(kind, version, code, 0, said)
        if kind == "rebuilt":
            version = self.chance.choice(list(self.model.digests))
            _, (code, said) = await self.apply(version, f"{version} rebuilt")
            return self.check(kind, version, code, 1, said)
        if kind == "again" and self.last is not None:
            version = self.last[0]
            _, (code, said) = await self.apply(version)
            return self.check(kind, version, code, 0, said)
        if kind in ("kill", "fault"):
            if kind == "fault":
                faults = [fault for fault in FAULTS if fault != "stalled"]
                self.script.arm(self.chance.randrange(30), self.chance.choice(faults))
            kill = self.chance.uniform(0, 0.4) if kind == "kill" else None
            await self.apply(version, kill=kill)
            self.script.arm(None, None)
            for tag, digest in self.registry.tags("soak/app").items():
                if self.registry.missing("soak/app", digest):
                    self.surprise(f"{kind}: {tag} is incomplete")
        digest, (code, said) = await self.apply(version)
        before = self.model.release(version, digest)
        self.last = (version, before) if kind == "release" else None
        return self.check(kind, version, code, 0, said)

    def check(self, kind, version, code, expected, said):
        stands = self.registry.tags("soak/app")
        what = f"{kind} of {version}"
        if code != expected:
            self.surprise(f"{what}: exit code {code}", said)
        for tag in sorted(set(stands) | set(self.model.tags)):
            if stands.get(tag) != self.model.tags.get(tag):
                self.surprise(f"{what}: {tag} names {stands.get(tag)}, not {self.model.tags.get(tag)}", said)
        for digest in set(stands.values()):
            if self.registry.missing("soak/app", digest):
                self.surprise(f"{what}: {digest} is incomplete", said)
        # One surprise is not counted again with the next step.
        self.model.tags = dict(stands)

    def surprise(self, what, said=""):
        self.surprises += 1
        print(f"surprise: {what}\n{said}", flush=True)


async def run(binary, folder, minutes):
    """Soaks for some minutes. Returns the number of surprises."""
    soak = Soak(binary, os.path.join(folder, "soak"))
    try:
        await soak.proxy.start()
        end = time.monotonic() + 60 * minutes
        while time.monotonic() < end:
            await soak.step()
    finally:
        soak.registry.stop()
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(soak.counts.items()))
    print(f"soak: {minutes:g} minutes, {sum(soak.counts.values())} steps ({kinds}); {soak.surprises} surprises")
    return soak.surprises
