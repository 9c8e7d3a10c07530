"""Times `plan` against its own registry, which is slow and holds every manifest that it is asked for."""

import asyncio
import collections
import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time

LATENCY = 0.05
IMAGES, TAGS = 100, 10


def config(url):
    """A configuration of IMAGES images with TAGS tags each."""
    rules = "".join(
        f'[tags.t{n}]\non = "manual"\ntemplate = "{{{{ image.name }}}}-{n}"\n' for n in range(TAGS)
    )
    images = "".join(f'[images.i{n}]\nsource = "oci-archive:image.tar"\n' for n in range(IMAGES))
    return f'version = 1\n[registries.slow]\nurl = "{url}"\n{rules}{images}'


class Registry:
    """Answers every HEAD of a manifest with one digest."""

    def __init__(self):
        self.digest, self.size, self.requests = "", 0, collections.Counter()

    async def serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method, path = head.split(" ", 2)[:2]
                self.requests[method + (" manifest" if "/manifests/" in path else "")] += 1
                await asyncio.sleep(LATENCY)
                if "/manifests/" in path:
                    headers = (
                        "Content-Type: application/vnd.oci.image.index.v1+json\r\n"
                        f"Docker-Content-Digest: {self.digest}\r\nContent-Length: {self.size}\r\n"
                    )
                else:
                    headers = "Content-Length: 0\r\n"
                writer.write(f"HTTP/1.1 200 OK\r\n{headers}\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def start(self):
        """Starts it on a thread; returns its address."""
        ready = threading.Event()
        address = []

        async def run():
            server = await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=256)
            address.append("127.0.0.1:%d" % server.sockets[0].getsockname()[1])
            ready.set()
            await server.serve_forever()

        threading.Thread(target=lambda: asyncio.run(run()), daemon=True).start()
        ready.wait()
        return address[0]


def run(binary, folder, *arguments):
    command = [binary, *arguments, "--event", "manual", "--config", os.path.join(folder, "publish.toml")]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def main():
    binary, folder, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(os.path.join(folder, "publish.toml"), "w") as file:
        file.write(config("oci:somewhere"))
    root = json.loads(run(binary, folder, "plan", "--json"))["repositories"][0]["content"]["root"]
    registry = Registry()
    registry.digest, registry.size = root["digest"], root["size"]
    with open(os.path.join(folder, "publish.toml"), "w") as file:
        file.write(config(registry.start()))
    walls = []
    for number in range(1, rounds + 1):
        registry.requests.clear()
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        plan = json.loads(run(binary, folder, "plan", "--json"))
        wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        actions = {change["action"] for it in plan["repositories"] for change in it["changes"]}
        assert actions == {"no-op"}, actions
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        requests = ", ".join(f"{count} {name}" for name, count in sorted(registry.requests.items()))
        print(f"round {number}: {wall:5.2f} s wall, {cpu:5.2f} s cpu; {requests}")
        walls.append(wall)
    print(f"median of {IMAGES * TAGS} tags at {LATENCY * 1000:.0f} ms: {statistics.median(walls):.2f} s")


main()
