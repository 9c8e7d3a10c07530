"""The subcommands of faults.sh: what they run, what they check, and the tables that they print."""

import argparse
import asyncio
import os
import sys

import faults_crowd
import faults_matrix
import faults_signed
import faults_soak


def main():
    binary, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    parser = argparse.ArgumentParser(prog="faults.sh")
    commands = parser.add_subparsers(dest="command", required=True)
    matrix = commands.add_parser("matrix", help="one fault at each request")
    everything = commands.add_parser("all", help="all of these")
    for command in (matrix, everything):
        command.add_argument("--quick", dest="step", action="store_const", const=7, default=1, help="--step 7")
        command.add_argument("--step", type=int, help="every so many requests only, others for each fault")
        command.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1))
        command.add_argument("--faults", help="only these, with commas")
        command.add_argument("--scenarios", help="only these, with commas")
    for name, noun, count in [
        ("kills", "count", 200), ("races", "pairs", 100), ("concurrent", "count", 20), ("soak", "minutes", 15),
        ("signed-kills", "count", 200), ("signed-cost", "images", 10),
    ]:
        commands.add_parser(name).add_argument(noun, type=float, nargs="?", default=count)
    chosen = parser.parse_args(sys.argv[3:])
    surprises = 0
    if chosen.command in ("matrix", "all"):
        surprises += asyncio.run(faults_matrix.run(binary, folder, chosen))
    if chosen.command in ("kills", "all"):
        surprises += faults_crowd.kills(binary, folder, int(getattr(chosen, "count", 200)))
    if chosen.command in ("races", "all"):
        surprises += faults_crowd.races(binary, folder, int(getattr(chosen, "pairs", 100)))
    if chosen.command in ("concurrent", "all"):
        surprises += faults_crowd.concurrent(binary, folder, int(getattr(chosen, "count", 20)))
    if chosen.command in ("soak", "all"):
        surprises += asyncio.run(faults_soak.run(binary, folder, getattr(chosen, "minutes", 15)))
    if chosen.command in ("signed-kills", "all"):
        surprises += faults_signed.kills(binary, folder, int(getattr(chosen, "count", 200)))
    if chosen.command in ("signed-cost", "all"):
        surprises += faults_signed.cost(binary, folder, int(getattr(chosen, "images", 10)))
    print(f"\n{surprises} surprises" if surprises != 1 else "\n1 surprise")
    sys.exit(1 if surprises else 0)


main()
