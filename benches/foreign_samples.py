"""Measures the recall of the secret search on samples of the forms that other scanners have rules for: BINARY, a seed, a directory.

The directory is not needed. It may hold rules of other scanners (see foreign_rules.py), a folder `secrets` of files that each hold a
secret, and a folder `quiet` of files in which none may be found at severity high. Each line of FORMS is a name, the alphabet and length of a value, and the variables or texts that hold it. The forms are those that
services document, and those of the public rules of gitleaks, trivy, detect-secrets and secretlint. Values are random, so that a
rule that knows only published examples does not count. Prints each form that is not found at severity high.
"""

import hashlib
import io
import json
import os
import random
import string
import subprocess
import sys
import tarfile
import tempfile

import foreign_rules

LOWER, HEX, ALNUM = string.ascii_lowercase + string.digits, "0123456789abcdef", string.ascii_letters + string.digits
WIDE = ALNUM + "_-"
AT_ONCE = 300

# Services whose values have no mark of their own, so that only the name beside them tells: name, alphabet, length.
NAMED = """
adafruit_api_key LW 32|adobe_client_secret H 32|airtable_api_key L 17|algolia_api_key L 32|alibaba_secret_key L 30
asana_client_secret L 32|atlassian_api_token L 24|beamer_api_token b_,L 44|bitbucket_client_secret LW 64|bittrex_secret_key L 32
meraki_api_key H 40|cloudflare_api_token W 40|cloudflare_api_key H 37|codecov_token L 32|cohere_api_key A 40|coinbase_access_token L 64
confluent_secret_key L 64|contentful_delivery_token LW 43|datadog_api_key L 40|datadog_app_key H 40|discord_client_secret A 32
drone_token L 32|dropbox_api_secret L 15|etsy_access_token L 24|facebook_app_secret H 32|fastly_api_token W 32|finicity_client_secret L 20
finnhub_access_token L 20|flickr_access_token L 32|freshbooks_access_token L 64|gitter_access_token LW 40|hubspot_api_key U 36
intercom_api_token LW 60|kraken_access_token W 80|kucoin_secret_key U 36|launchdarkly_access_token LW 40|linear_client_secret H 32
linkedin_client_secret A 16|looker_client_secret L 24|mattermost_access_token L 26|messagebird_api_token L 25|netlify_access_token W 43
nytimes_access_token LW 32|okta_access_token W 42|plaid_secret_key L 30|privateai_api_token L 32|rapidapi_access_token W 50
sendbird_access_token H 40|sentry_access_token H 64|snyk_token U 36|squarespace_access_token U 36|sumologic_access_token L 64
travisci_access_token L 22|trello_access_token A 32|twitch_api_token L 30|twitter_access_secret A 45|twitter_api_secret A 50
yandex_access_token A 42|zendesk_secret_key L 40|fireworks_api_key A 24|mistral_api_key A 32|deepseek_api_key sk-,H 32|ibm_cloud_api_key W 44
softlayer_api_key H 64|artifactory_password A 40|cloudant_password H 64|mailchimp_api_key H 32|square_access_token A 60|vault_approle_secret_id U 36
db_password A 20|postgres_password A 24|redis_password A 32|mysql_root_password A 16|jwt_secret A 48|session_secret H 64|encryption_key H 64
secret_key_base H 128|django_secret_key A 50|app_key base64:,B 44|rails_master_key H 32|admin_password A 18|smtp_password A 16|ldap_bind_password A 20
client_secret A 40|oauth_token A 36|refresh_token A 60|signing_key B 44|webhook_secret H 40|private_token A 20|access_token A 40|service_key A 40
""".replace("\n", "|")

# Values that their own form tells.
MARKED = """
AKIA,U 16|sk-ant-api03-,W 93,AA|ghp_,A 36|glpat-,W 20|xoxb-,D 12,-,D 12,-,A 24|sk_live_,A 24|rk_live_,A 24|SG.,W 22,.,W 43|npm_,A 36|pypi-AgEIcHlwaS5vcmc,W 80
dop_v1_,H 64|doo_v1_,H 64|dor_v1_,H 64|hvs.,W 90|hf_,A 34|shpat_,H 32|shpss_,H 32|lin_api_,A 40|PMAK-,H 24,-,H 34|NRAK-,X 27|glc_,A 40|glsa_,A 32,_,H 8
sntrys_eyJpYXQiO,A 90,_,A 43|sntryu_,H 64|dp.pt.,A 43|dapi,H 32|EZAK,A 54|FLWSECK_TEST-,H 12|fo1_,W 43|ico-,A 32|dckr_pat_,W 27|rubygems_,H 48|CLOJARS_,L 60
xai-,A 80|gsk_,A 52|r8_,A 37|pplx-,A 48|nvapi-,W 64|sk-or-v1-,H 64|tvly-,A 32|pcsk_,A 60|lsv2_pt_,H 32,_,H 10|tfp_,W 59|pul-,H 40|sbp_,H 40|pscale_tkn_,W 43
pscale_pw_,W 43|vercel_blob_rw_,A 40|figd_,W 40|secret_,A 43|ntn_,A 46|shippo_live_,H 40|rzp_live_,A 14|AGE-SECRET-KEY-1,Q 58|ATATT3xFfGF0,W 180|AKCp8,A 68|cmVmdGtu,A 56
tskey-auth-,A 12,-,A 32|xapp-1-A,X 10,-,D 13,-,H 64|xoxe-1-,A 146|sq0atp-,W 22|sq0csp-,W 43|EAAAE,W 59|key-,H 32|re_,A 8,_,A 24|whsec_,B 32|ops_eyJ,B 260|sgp_,H 40
phx_,A 43|phc_,A 43|rpa_,A 42|bkua_,H 40|CCIPAT_,A 22,_,H 40|dt0c01.,X 24,.,X 64|API-,X 26|pnu_,A 36|SK,H 32|AC,H 32|v1.0-,H 24,-,H 146|sl.,W 135|sk-proj-,W 74,T3BlbkFJ,W 74
""".replace("\n", "|")


def alphabet(letter):
    return {
        "L": LOWER, "LW": LOWER + "_-", "H": HEX, "A": ALNUM, "W": WIDE, "D": string.digits, "B": ALNUM + "+/",
        "U": string.ascii_uppercase + "234567", "X": string.ascii_uppercase + string.digits,
        "Q": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
    }[letter]


def made(form, chance):
    """Makes a value: parts with commas between them, each a text or an alphabet and a length."""
    value = ""
    for part in form.split(","):
        letters, _, length = part.rpartition(" ")
        if letters == "U" and length == "36":
            digits = "".join(chance.choice(HEX) for _ in range(32))
            value += "-".join((digits[:8], digits[8:12], "4" + digits[13:16], "a" + digits[17:20], digits[20:]))
        elif length.isdigit() and letters:
            value += "".join(chance.choice(alphabet(letters)) for _ in range(int(length)))
        else:
            value += part
    return value


def samples(chance):
    for number, entry in enumerate(filter(None, NAMED.split("|"))):
        name, _, form = entry.partition(" ")
        for style, path, text in (
            ("env", f"app/{number}/.env", "{upper}={value}\n"),
            ("python", f"app/{number}/settings.py", '{upper} = "{value}"\n'),
            ("yaml", f"app/{number}/config.yaml", "service:\n  {name}: {value}\n"),
            ("json", f"app/{number}/config.json", '{{"{name}": "{value}"}}\n'),
            ("go", f"app/{number}/main.go", '\t{name} := "{value}"\n'),
        ):
            yield f"{name} ({style})", path, text.format(name=name, upper=name.upper(), value=made(form, chance))
    for number, form in enumerate(filter(None, MARKED.split("|"))):
        for style, path, text in (
            ("alone", f"opt/{number}/file", "{value}\n"),
            ("text", f"opt/{number}/notes.txt", "use {value} for this\n"),
            ("js", f"opt/{number}/main.js", 'connect("{value}");\n'),
        ):
            yield f"{form} ({style})", path, text.format(value=made(form, chance))


def files(directory, folder):
    """Yields the files below a folder of the directory, as samples."""
    top = os.path.join(directory, folder)
    for parent, _, names in sorted(os.walk(top)):
        for name in sorted(names):
            path = os.path.join(parent, name)
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                yield os.path.relpath(path, directory), os.path.relpath(path, directory), file.read()


def group_of(name):
    """Returns the scanner and the place that a sample's name has, for the table."""
    scanner = name.partition(":")[0] if ":" in name.partition(" ")[0] else "the list of this file"
    return f"{scanner} {name.rpartition(' (')[2].rstrip(')').partition(' ')[0] if name.endswith(')') else ''}".strip()


def main(binary, seed, directory=None):
    chance = random.Random(seed)
    wanted, quiet = list(samples(chance)), []
    if directory:
        wanted += foreign_rules.samples(directory, chance)
        wanted += [(f"secrets: ({name})", path, text) for name, path, text in files(directory, "secrets")]
        quiet = list(files(directory, "quiet"))
    found = search(binary, wanted + quiet)
    count = {}
    for name, path, text in wanted:
        at = found.get(path or text.partition("=")[0], set())
        row = count.setdefault(group_of(name), [0, 0, 0])
        row[0] += 1
        row[1] += "high" in at
        row[2] += bool(at)
        if "high" not in at:
            print(f"- {name}: {sorted(at)} {text.strip()[:300]}")
    alarms = [path for _, path, _ in quiet if "high" in found.get(path, ())]
    for path in alarms:
        print(f"- false alarm: {path}")
    for name, (total, high, any_severity) in count.items():
        print(f"{name}: {high} of {total} at severity high, {any_severity} at all")
    total, high, any_severity = (sum(row[column] for row in count.values()) for column in range(3))
    print(f"{high} of {total} at severity high, {any_severity} at all")
    if quiet:
        print(f"{len(alarms)} of {len(quiet)} quiet files have a finding of severity high")


def search(binary, all_samples):
    """Returns the severities that each path and each variable has. A plan names so many findings and no more."""
    found = {}
    for start in range(0, len(all_samples), AT_ONCE):
        found.update(search_image(binary, all_samples[start : start + AT_ONCE]))
    return found


def search_image(binary, all_samples):
    """Plans an image with the samples. Returns the severities that each path and each variable has."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for _, path, text in all_samples:
            if path:
                data = text.encode("utf-8", "surrogateescape")
                entry = tarfile.TarInfo(path)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    variables = [text for _, path, text in all_samples if not path]
    with tempfile.TemporaryDirectory() as work:
        write_layout(os.path.join(work, "image"), packed.getvalue(), variables)
        with open(os.path.join(work, "publish.toml"), "w") as file:
            file.write(
                'version = 1\n[registries.r]\nurl = "oci:registry"\n[tags.t]\non = "tag"\ntemplate = "v{{ version }}"\n'
                '[images.app]\nsource = "oci:image"\n[secrets]\npolicy = "warn"\n'
            )
        command = [os.path.abspath(binary), "plan", "--json", "--ref", "refs/tags/v1.0.0"]
        done = subprocess.run(command, cwd=work, capture_output=True, check=True, env=dict(os.environ, HOME=work))
    found = {}
    secrets = json.loads(done.stdout)["secrets"]
    for gap in secrets.get("unsearched", []):
        print(f"- not searched: {gap}")
    for finding in secrets["findings"]:
        place = finding["place"]
        # A part of the configuration is named for people: environment variable `NAME`.
        found.setdefault(place.get("path") or (place["part"].split("`") + [""])[1], set()).add(finding["severity"])
    return found


def write_layout(folder, layer, variables=()):
    blobs = os.path.join(folder, "blobs", "sha256")
    os.makedirs(blobs)

    def put(kind, data):
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as file:
            file.write(data)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    config = {
        "architecture": "amd64", "os": "linux", "config": {"Env": list(variables)},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": put("config.v1+json", json.dumps(config).encode()), "layers": [put("layer.v1.tar", layer)],
    }
    index = {"schemaVersion": 2, "manifests": [put("manifest.v1+json", json.dumps(manifest).encode())]}
    with open(os.path.join(folder, "index.json"), "w") as file:
        json.dump(index, file)
    with open(os.path.join(folder, "oci-layout"), "w") as file:
        file.write('{"imageLayoutVersion": "1.0.0"}')


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1, *sys.argv[3:4])
