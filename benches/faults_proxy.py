"""A proxy in front of a registry that lets one request fail.

The proxies of one run share a `Script`, which counts the requests in the order of their arrival and knows which one fails, and
how.
"""

import asyncio
import json
import socket
import struct
import time

STATUSES = [400, 401, 403, 404, 405, 408, 409, 413, 415, 416, 422, 429, 500, 502, 503, 504]
CODES = {
    400: "MANIFEST_INVALID", 401: "UNAUTHORIZED", 403: "DENIED", 404: "NAME_UNKNOWN", 405: "UNSUPPORTED",
    409: "CONFLICT", 413: "SIZE_INVALID", 415: "MANIFEST_INVALID", 416: "BLOB_UPLOAD_INVALID",
    422: "MANIFEST_INVALID", 429: "TOOMANYREQUESTS",
}
# The faults of one request. A fault may not apply to a request: there is no upload session to lose in a HEAD.
FAULTS = (
    ["refused", "reset", "lost", "stalled", "cut"]
    + [str(status) for status in STATUSES]
    + ["wrong digest", "no digest", "wrong length", "no location", "lost session", "read lag"]
)
# Refusals that last: the same request is refused until the run ends.
LASTING = [f"lasting {status}" for status in (400, 401, 403, 405, 409, 413, 422)]

# How long nothing listens after `refused`, and how long reads lag.
AWAY, LAG = 0.5, 1.5


class Script:
    """Which request of a run fails."""

    def __init__(self):
        self.arm(None, None)

    def arm(self, index, fault):
        """Lets request `index`, counted from 0, fail; none if `index` is None."""
        self.index, self.fault = index, fault
        self.count, self.fired = 0, False
        self.line, self.lines = None, []
        # What a read that lags still shows, and until when.
        self.old, self.until = {}, 0

    def fails(self, method, path):
        """The fault of the request that arrives now."""
        self.lines.append(f"{method} {path}")
        position, self.count = self.count, self.count + 1
        if self.index is None:
            return None
        if position == self.index:
            self.line = (method, path)
            return self.fault
        if self.fired and self.fault.startswith("lasting") and self.line == (method, path):
            return self.fault
        return None


class Proxy:
    """Forwards the requests for one registry, and lets them fail as its script says."""

    def __init__(self, upstream, script):
        self.upstream, self.script = upstream, script
        self.server, self.port, self.writers = None, 0, set()

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port, backlog=256)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def stop(self):
        self.server.close()
        for writer in list(self.writers):
            writer.close()

    async def away(self):
        """Lets nothing listen for a moment, and breaks all connections."""
        self.server.close()
        for writer in list(self.writers):
            reset(writer)
        await asyncio.sleep(AWAY)
        await self.start()

    async def serve(self, reader, writer):
        self.writers.add(writer)
        try:
            while await self.one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def one(self, reader, writer):
        """Answers one request. Returns false if the connection ends."""
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, headers = parse(head)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        script, path = self.script, target.split("?")[0]
        fault = script.fails(method, path)
        if fault is None:
            if method in ("HEAD", "GET") and path in script.old and time.monotonic() < script.until:
                writer.write(script.old[path] if method == "GET" else headed(script.old[path]))
                return True
            writer.write(await self.forward(method, target, headers, body))
            await writer.drain()
            return True
        return await self.fail(fault, reader, writer, (method, target, headers, body))

    async def fail(self, fault, reader, writer, request):
        method, target, headers, body = request
        script, path = self.script, target.split("?")[0]
        script.fired = True
        status = fault.removeprefix("lasting ")
        if status.isdigit():
            code = CODES.get(int(status))
            errors = {"errors": [{"code": code, "message": "refused by the bench"}]} if code else {}
            writer.write(answer(int(status), json.dumps(errors).encode(), method))
            await writer.drain()
            return True
        if fault == "refused":
            asyncio.get_running_loop().create_task(self.away())
            return False
        if fault == "reset":
            return reset(writer)
        if fault == "stalled":
            # Until the client gives up.
            await reader.read()
            return False
        if fault == "lost session":
            script.fired = method in ("PUT", "PATCH") and "/blobs/uploads/" in path
            if script.fired:
                await self.forward("DELETE", target, {}, b"")
        elif fault == "read lag":
            script.fired = method == "PUT" and "/manifests/" in path
            if script.fired:
                script.old[path] = await self.forward("GET", path, accepting(), b"")
                script.until = time.monotonic() + LAG
        got = await self.forward(method, target, headers, body)
        if fault == "lost":
            return reset(writer)
        if fault == "cut":
            script.fired = method != "HEAD" and not got.endswith(b"\r\n\r\n")
            if script.fired:
                end = got.index(b"\r\n\r\n") + 4
                writer.write(got[: end + (len(got) - end) // 2])
                await writer.drain()
                return reset(writer)
        changed = lie(fault, got)
        if changed is not None:
            script.fired = changed != got
            got = changed
        writer.write(got)
        await writer.drain()
        return fault != "wrong length"

    async def forward(self, method, target, headers, body):
        """Sends a request to the registry, and returns its answer as bytes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        try:
            kept = {name: value for name, value in headers.items() if name not in ("connection", "content-length")}
            kept["connection"] = "close"
            if body or method in ("PUT", "POST", "PATCH"):
                kept["content-length"] = str(len(body))
            lines = "".join(f"{name}: {value}\r\n" for name, value in kept.items())
            writer.write(f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + body)
            await writer.drain()
            got = await reader.read()
        finally:
            writer.close()
        return whole(got, method)


def parse(head):
    """The method, the target and the headers of a request; the names in lower case."""
    lines = head.decode("latin-1").split("\r\n")
    method, target = lines[0].split(" ")[:2]
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return method, target, headers


def whole(got, method):
    """An answer with its length instead of chunks, for a connection that stays open."""
    head, _, body = got.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    names = [line.split(b":")[0].lower() for line in lines]
    if b"transfer-encoding" in names:
        chunks, rest = [], body
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size.split(b";")[0], 16)
            if length == 0:
                break
            chunks.append(rest[:length])
            rest = rest[length + 2 :]
        body = b"".join(chunks)
    dropped = [b"transfer-encoding", b"connection"]
    kept = [line for line, name in zip(lines, names) if name not in dropped]
    if b"content-length" not in names and method != "HEAD" and b" 204 " not in lines[0]:
        kept.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(kept) + b"\r\n\r\n" + body


def lie(fault, got):
    """An answer with a header that lies; None if the fault is another one."""
    head, _, body = got.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    name = {
        "wrong digest": b"docker-content-digest", "no digest": b"docker-content-digest",
        "wrong length": b"content-length", "no location": b"location",
    }.get(fault)
    if name is None:
        return None
    changed = []
    for line in lines:
        if line.split(b":")[0].lower() != name:
            changed.append(line)
        elif fault == "wrong digest":
            changed.append(line.split(b":")[0] + b": sha256:" + b"0" * 64)
        elif fault == "wrong length":
            length = int(line.split(b":")[1])
            changed.append(b"Content-Length: %d" % (length + 7))
    return b"\r\n".join(changed) + b"\r\n\r\n" + body


def answer(status, body, method):
    head = f"HTTP/1.1 {status} Refused\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + (b"" if method == "HEAD" else body)


def headed(got):
    """The head of an answer."""
    return got[: got.index(b"\r\n\r\n") + 4]


def accepting():
    types = ["application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"]
    return {"host": "127.0.0.1", "accept": ", ".join(types)}


def reset(writer):
    """Resets a connection. Returns false."""
    plug = writer.transport.get_extra_info("socket")
    if plug is not None and plug.fileno() >= 0:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False
