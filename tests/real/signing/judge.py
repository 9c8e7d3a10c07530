"""Judges keyless Sigstore bundles with PyPI's sigstore, which shares no code with this project.

    python judge.py TASK.json

The task has `trusted_root` and `cases`, each with `bundle` (a file), `identity`, `issuer` and `digest` (of the image). Prints a list with "" for
each accepted case, and the reason for each refused one.
"""

import json
import pathlib
import sys
import tempfile

from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier, policy

task = json.loads(pathlib.Path(sys.argv[1]).read_text())
with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
    json.dump(task["trusted_root"], file)
    file.flush()
    verifier = Verifier(trusted_root=TrustedRoot.from_file(file.name))


def judge(case):
    bundle = Bundle.from_json(pathlib.Path(case["bundle"]).read_text())
    wanted = policy.Identity(identity=case["identity"], issuer=case["issuer"])
    _, payload = verifier.verify_dsse(bundle, wanted)
    subjects = [f"sha256:{subject['digest']['sha256']}" for subject in json.loads(payload)["subject"]]
    if case["digest"] not in subjects:
        raise ValueError(f"it is about {subjects}")


results = []
for case in task["cases"]:
    try:
        judge(case)
        results.append("")
    except Exception as error:  # noqa: BLE001
        results.append(str(error) or "refused")
print(json.dumps(results))
