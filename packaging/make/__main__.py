"""Makes the packages of a release from binaries that are built already. Needs Python 3.11 or newer.

    python3 packaging/make extras --program PROGRAM --out DIR      manual pages and completions
    python3 packaging/make all --binaries DIR --extras DIR --out DIR [--cargo-deb PROGRAM]
    python3 packaging/make wheel|npm|deb|archive|image --binaries DIR …    only these
    python3 packaging/make version                                 the version in Cargo.toml

DIR/TRIPLE/brokkr-publish is the binary of a target: targets.py has the list.
"""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from make import archives, debian, formula, image, npm, sbom, wheel  # noqa: E402
from make.targets import TARGETS, built, version  # noqa: E402

KINDS = ("archive", "wheel", "npm", "deb", "sbom", "image")


def make(kind, arguments, targets):
    out, level = arguments.out, arguments.level
    linux = [(target, binary) for target, binary in targets if target.image]
    if kind == "archive":
        return [archives.archive(target, binary, arguments.extras, out) for target, binary in targets]
    if kind == "wheel":
        return [wheel.wheel(target, binary, out, level) for target, binary in targets]
    if kind == "npm":
        return [*(npm.carrier(target, binary, out, level) for target, binary in targets), npm.starter(out)]
    if kind == "deb":
        return [debian.debian(target, binary, arguments.extras, out, arguments.cargo_deb) for target, binary in linux]
    if kind == "sbom":
        return [sbom.sbom(out)]
    return [image.image(linux, next(out.glob("*.cdx.json"), None), out)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=[*KINDS, "all", "extras", "version"])
    parser.add_argument("--binaries", type=pathlib.Path)
    parser.add_argument("--extras", type=pathlib.Path)
    parser.add_argument("--program", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--cargo-deb", default="cargo-deb")
    parser.add_argument("--level", type=int, default=9, help="of compression; the tests use 1")
    arguments = parser.parse_args()
    if arguments.kind == "version":
        print(version())
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.kind == "extras":
        archives.extras(arguments.program.resolve(), arguments.out)
        return
    targets = built(arguments.binaries)
    if not targets or (arguments.kind == "all" and len(targets) < len(TARGETS)):
        missing = [target.triple for target in TARGETS if target.triple not in {found.triple for found, _ in targets}]
        sys.exit(f"no binary below {arguments.binaries} for {', '.join(missing)}")
    for kind in KINDS if arguments.kind == "all" else [arguments.kind]:
        for path in make(kind, arguments, targets):
            print(path)
    if arguments.kind == "all":
        for path in (formula.formula(arguments.out), formula.installer(arguments.out), formula.checksums(arguments.out)):
            print(path)


main()
