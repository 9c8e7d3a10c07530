"""Types into a shell on a terminal of its own, and prints what the terminal shows: typed.py SECONDS TEXT PROGRAM [ARGUMENTS…]

Each line of TEXT is typed after the shell has been silent for a moment. `\\t` is the TAB key, and nothing presses ENTER unless the line
ends with `\\r`."""

import os
import pty
import select
import sys
import time

seconds, text, program = float(sys.argv[1]), sys.argv[2], sys.argv[3:]
child, terminal = pty.fork()
if child == 0:
    os.environ["TERM"] = "dumb"
    os.execvp(program[0], program)

shown = b""
end = time.monotonic() + seconds


def listen():
    """Reads until the shell has been silent for a moment."""
    global shown
    while time.monotonic() < end:
        ready, _, _ = select.select([terminal], [], [], 1.5)
        if not ready:
            return
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            return
        if not piece:
            return
        shown += piece


listen()
for line in text.split("\n"):
    os.write(terminal, line.replace("\\t", "\t").replace("\\r", "\r").encode())
    listen()
os.write(terminal, b"\x03\x04exit\r")
sys.stdout.buffer.write(shown)
