"""The measuring half of lint.sh: `generate IMAGES`, `report IMAGES HYPERFINE-JSON`, `time IMAGES RUNS COMMAND…`."""

import json
import statistics
import subprocess
import sys
import time

# The rules of a usual project, and images that use many features of the language.
HEAD = """version = 1

[project]
source = "https://github.com/example/project"

[registries.ghcr]
url = "ghcr.io/example"
visibility = "public"

[registries.bundle]
url = "oci:dist/registry"

[tags.version]
on = "tag"
template = "v{{ version }}"

[tags.minor]
on = "tag"
template = "v{{ version.major }}.{{ version.minor }}"
mutability = "forward"

[tags.major]
on = "tag"
template = "v{{ version.major }}"
mutability = "forward"

[tags.latest]
on = "tag"
template = "latest"
mutability = "forward"

[tags.sha]
on = ["branch", "pull_request"]
template = "sha-{{ git.short_sha }}"
on_conflict = "keep"

[tags.branch]
on = "branch"
match = ["main", "develop"]
template = "{{ git.branch | slug }}"
mutability = "forward"

[tags.pr]
on = "pull_request"
template = "pr-{{ pr.number }}"
mutability = "mutable"
"""

IMAGE = """
[images.service-{number}]
source = "oci-archive:dist/service-{number}.tar"
repository = "group-{group}/service-{number}"
platforms = ["linux/amd64", "linux/arm64"]

[images.service-{number}.annotations]
"org.opencontainers.image.title" = "{{{{ image.name }}}}"
"""


def main(task, images, *rest):
    if task == "generate":
        print(HEAD + "".join(IMAGE.format(number=number, group=number % 7) for number in range(int(images))))
    elif task == "report":
        with open(rest[0], encoding="utf-8") as file:
            report(images, json.load(file)["results"][0]["times"])
    elif task == "time":
        report(images, [run(rest[1:]) for _ in range(int(rest[0]) + 3)][3:])
    else:
        sys.exit(f"lint_measure: no task `{task}`")


def run(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def report(images, seconds):
    median, least, most = statistics.median(seconds), min(seconds), max(seconds)
    print(f"lint of {images:>4} images: median {median * 1000:6.1f} ms "
          f"({least * 1000:.1f}–{most * 1000:.1f}, {len(seconds)} runs)")


main(*sys.argv[1:])
