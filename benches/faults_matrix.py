"""One fault at each request of an apply to two registries: a first release, a second one that moves tags, and a promotion."""

import asyncio
import collections
import json
import os
import time

from faults_proxy import FAULTS, LASTING, Proxy, Script
from faults_world import Registry, configuration, environment, floating, image

OLD, NEW = "1.0.0", "1.0.1"
SCENARIOS = ["first release", "second release", "promotion"]
NOT_RESTORED = "publish::apply::not_restored"
# What a plan says of a forward tag that stays because nothing shows which version it names.
KEPT = "kept, because it might move backward"
NOT_RIGHT = "exit 0, but a tag is not right"


class World:
    """Two registries, and the content of the scenarios in them."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.registries = [Registry(os.path.join(folder, name)) for name in ("a", "b")]
        self.digests = {it: image(os.path.join(folder, "images", it), it) for it in (OLD, NEW)}

    async def prepare(self):
        """Publishes what the scenarios start from."""
        places = [(name, f"127.0.0.1:{it.port}/seed") for name, it in zip("ab", self.registries)]
        await self.publish("seed", places, OLD)
        await self.publish("staging", [("a", f"127.0.0.1:{self.registries[0].port}/staging")], NEW)

    async def publish(self, name, places, version):
        self.configure(name, places, f"oci:images/{version}")
        code, said = await self.apply(name, version)
        assert code == 0, said

    def configure(self, name, places, source):
        with open(os.path.join(self.folder, f"{name}.toml"), "w") as file:
            file.write(configuration(places, source))

    async def apply(self, name, version, record=None):
        """Runs an apply. Returns its exit code and what it printed."""
        arguments = ["apply", "--auto-approve", "--ref", f"refs/tags/v{version}", "--config", f"{name}.toml"]
        arguments += ["--record", record] if record else []
        process = await asyncio.create_subprocess_exec(
            self.binary, *arguments, cwd=self.folder, env=environment(self.folder),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return process.returncode, said.decode(errors="replace")

    def stop(self):
        for registry in self.registries:
            registry.stop()


class Worker:
    """Runs one cell of the matrix after the other, with proxies of its own."""

    def __init__(self, world, number):
        self.world, self.number, self.cells = world, number, 0
        self.script = Script()
        self.proxies = [Proxy(it.port, self.script) for it in world.registries]

    async def start(self):
        for proxy in self.proxies:
            await proxy.start()
        return self

    async def cell(self, scenario, index, fault):
        """Runs one cell. Returns what it found; None if the fault did not happen."""
        self.cells += 1
        world, name = self.world, f"{self.number}-{self.cells}"
        repository, source = f"c{name}/app", f"oci:images/{NEW}"
        if scenario != "first release":
            for registry in world.registries:
                registry.copy("seed/app", repository)
        if scenario == "promotion":
            world.registries[0].copy("staging/app", f"s{name}/app")
            source = f"docker://127.0.0.1:{self.proxies[0].port}/s{name}/app:v{NEW}"
        places = [(it, f"127.0.0.1:{proxy.port}/c{name}") for it, proxy in zip("ab", self.proxies)]
        config = f"worker-{self.number}"
        world.configure(config, places, source)
        self.script.arm(index, fault)
        record = os.path.join(world.folder, f"{config}.json")
        if os.path.exists(record):
            os.remove(record)
        code, said = await world.apply(config, NEW, record)
        fired, requests = self.script.fired, self.script.count
        line = self.script.line
        found = None
        if fired or index is None:
            found = self.look(repository, scenario, code, said, record)
            found["requests"], found["line"] = requests, line
            self.script.arm(None, None)
            code, again = await world.apply(config, NEW)
            second = self.look(repository, scenario, code, again, None)
            found["converged"] = code == 0 and second["all new"] and not second["incomplete"]
            if not found["converged"]:
                found["said"] += "\n--- again ---\n" + again
        for registry in world.registries:
            registry.forget(f"c{name}")
            registry.forget(f"s{name}")
        return found

    def look(self, repository, scenario, code, said, record):
        """Compares what stands in the registries with what the run claims."""
        world = self.world
        old, new = world.digests[OLD], world.digests[NEW]
        stands = [registry.tags(repository) for registry in world.registries]
        names = floating(NEW)
        moved = [tags.get(tag) == new for tags in stands for tag in names]
        before = None if scenario == "first release" else old
        kept = [tags.get(tag) == before for tags in stands for tag in names]
        versions = [tags.get(f"v{NEW}") for tags in stands]
        incomplete = [
            (tag, lacking)
            for registry, tags in zip(world.registries, stands)
            for tag, digest in tags.items()
            if (lacking := registry.missing(repository, digest))
        ]
        all_new = all(moved) and all(digest == new for digest in versions)
        wrong = []
        if code == 0 and not all_new:
            wrong.append(NOT_RIGHT)
        if any(digest not in (None, new) for digest in versions):
            wrong.append("the version names something else")
        if before is not None and any(tags.get(f"v{OLD}") != old for tags in stands):
            wrong.append("an immutable tag changed")
        outcome = recorded(record)
        hosts = dict(zip("ab", stands))
        for change in outcome.get("outcome", {}).get("changes", []):
            stood = hosts[change["address"].split("@")[1][0]].get(change["tag"])
            wanted = change.get("after", {}).get("digest")
            was = change.get("before", {}).get("digest")
            expected = {
                "created": [wanted], "moved": [wanted], "unchanged": [wanted], "restored": [was], "skipped": [was],
                "failed": [was, wanted], "kept": [was],
            }.get(change["result"], [stood])
            if stood not in expected:
                wrong.append(f"{change['address']} is {change['result']}, but names {stood}")
        half = not all(moved) and not all(kept)
        reported = said.count(NOT_RESTORED)
        # A tag that stays because nothing shows which version it names is neither half moved nor a wrong claim, if the plan says so.
        undecided = [
            (change["address"].split("@")[1][0], change["tag"])
            for change in outcome.get("outcome", {}).get("changes", [])
            if change["result"] == "kept" and KEPT in said and hosts[change["address"].split("@")[1][0]].get(change["tag"]) == before
        ]
        if undecided:
            decided = [tags.get(tag) == new for host, tags in hosts.items() for tag in names if (host, tag) not in undecided]
            if all(decided) and all(digest == new for digest in versions):
                wrong = [it for it in wrong if it != NOT_RIGHT]
                half = False
        return {
            "code": code, "said": said, "wrong": wrong, "incomplete": incomplete, "all new": all_new,
            "undecided": bool(undecided), "half": half and not reported, "reported": half and reported > 0,
            "restored": any(it["result"] == "restored" for it in outcome.get("outcome", {}).get("changes", [])),
        }


def recorded(path):
    try:
        with open(path) as file:
            return json.load(file)
    except (OSError, TypeError, ValueError):
        return {}


def summed(tallies):
    total = Tally()
    for tally in tallies:
        total.update(tally)
    return total


class Tally(collections.Counter):
    """The counts of one row of the table."""

    def add(self, found):
        self["runs"] += 1
        self["done"] += found["code"] == 0
        self["restored"] += found["restored"]
        self["wrong"] += bool(found["wrong"])
        self["incomplete"] += bool(found["incomplete"])
        self["undecided"] += found["undecided"]
        self["half"] += found["half"]
        self["reported"] += found["reported"]
        self["converged"] += found["converged"]

    def row(self, name):
        share = 100 * self["converged"] / self["runs"] if self["runs"] else 100
        cells = [self[key] for key in ("runs", "done", "restored", "reported", "undecided", "half", "incomplete", "wrong")]
        return f"| {name} | " + " | ".join(str(cell) for cell in cells) + f" | {share:g} % |"

    def surprises(self):
        bad = self["wrong"] + self["incomplete"] + self["half"]
        return bad + self["runs"] - self["converged"]


async def run(binary, folder, chosen):
    """Runs the matrix, and prints its table. Returns the number of surprises."""
    started = time.monotonic()
    world = World(binary, os.path.join(folder, "matrix"))
    try:
        await world.prepare()
        counter = await Worker(world, 0).start()
        scenarios = chosen.scenarios.split(",") if chosen.scenarios else SCENARIOS
        faults = chosen.faults.split(",") if chosen.faults else FAULTS + LASTING
        cells = []
        for scenario in scenarios:
            found = await counter.cell(scenario, None, None)
            assert found["code"] == 0 and found["converged"], found["said"]
            print(f"{scenario}: {found['requests']} requests", flush=True)
            for number, fault in enumerate(faults):
                requests = range(number % chosen.step, found["requests"], chosen.step)
                cells += [(scenario, index, fault) for index in requests]
        # A request that stalls takes a minute of waiting.
        cells.sort(key=lambda cell: cell[2] != "stalled")
        tallies = await everything(world, cells, chosen.jobs)
    finally:
        world.stop()
    table(tallies, scenarios, faults)
    total = summed(tallies.values())
    print(f"\n{total['runs']} faults in {(time.monotonic() - started) / 60:.0f} minutes")
    return total.surprises()


async def everything(world, cells, jobs):
    """Runs all cells, several at once."""
    tallies, waiting = collections.defaultdict(Tally), asyncio.Queue()
    stalled = [cell for cell in cells if cell[2] == "stalled"]
    for cell in cells[len(stalled) :]:
        waiting.put_nowait(cell)
    sleeping = asyncio.Queue()
    for cell in stalled:
        sleeping.put_nowait(cell)
    shown = [0]

    async def work(number, queue):
        worker = await Worker(world, number).start()
        while not queue.empty():
            scenario, index, fault = queue.get_nowait()
            found = await worker.cell(scenario, index, fault)
            if found is None:
                continue
            tally = Tally()
            tally.add(found)
            tallies[scenario, fault].update(tally)
            if tally.surprises() and shown[0] < 20:
                shown[0] += 1
                print(f"\n{scenario}, request {index} ({found['line']}), {fault}: {found['wrong']}")
                print(f"{found['incomplete']}\nexit code {found['code']}\n{found['said']}", flush=True)

    workers = [work(number + 1, waiting) for number in range(jobs)]
    workers += [work(1000 + number, sleeping) for number in range(min(48, len(stalled)))]
    await asyncio.gather(*workers)
    return tallies


def table(tallies, scenarios, faults):
    print("\n| fault | runs | done at once | put back | said not put back | said to be undecided | half moved | incomplete | wrong claims | converged |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for fault in faults:
        print(summed(tallies[scenario, fault] for scenario in scenarios).row(fault))
    for scenario in scenarios:
        print(summed(tallies[scenario, fault] for fault in faults).row(f"**{scenario}**"))
    print(summed(tallies.values()).row("**all**"))
