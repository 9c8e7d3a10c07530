"""Fills the inputs of the CI component with their defaults, or with NAME=VALUE arguments: component.py TEMPLATE OUT [NAME=VALUE…]

Writes the job to OUT/.gitlab-ci.yml, and its scripts, as a runner would run them, to OUT/job.sh."""

import pathlib
import re
import sys

import yaml

template, out, *given = sys.argv[1:]
spec, job = pathlib.Path(template).read_text(encoding="utf-8").split("\n---\n")
inputs = {name: value["default"] for name, value in yaml.safe_load(spec)["spec"]["inputs"].items()}
inputs.update(argument.split("=", 1) for argument in given)
job = re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda found: str(inputs[found.group(1)]), job)
folder = pathlib.Path(out)
(folder / ".gitlab-ci.yml").write_text(job, encoding="utf-8")
(one,) = yaml.safe_load(job).values()
variables = "".join(f"export {name}='{value}'\n" for name, value in one["variables"].items())
scripts = "\n".join(one["before_script"] + one["script"])
(folder / "job.sh").write_text(f"set -eu\n{variables}{scripts}\n", encoding="utf-8")
