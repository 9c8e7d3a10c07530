"""The container image: scratch, with one file, for each Linux target, and the SBOM as a referrer of the index. packaging/publish.toml
publishes it."""

import pathlib

from . import pack
from .targets import NAME, manifest, version

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
SBOM = "application/vnd.cyclonedx+json"


def image(binaries, sbom, out):
    layout = pack.Layout()
    workspace = manifest()["workspace"]["package"]
    created = pack_time()
    manifests = []
    for target, binary in binaries:
        content = pack.tar([(NAME, binary.read_bytes(), True)])
        compressed = pack.gzip.compress(content, 9, mtime=0)
        layer = layout.blob(compressed, "application/vnd.oci.image.layer.v1.tar+gzip")
        system, architecture = target.image.split("/")
        config = {
            "created": created,
            "architecture": architecture,
            "os": system,
            # Any user may run it: it writes only where its working directory is mounted.
            "config": {"User": "65532:65532", "Entrypoint": [f"/{NAME}"], "WorkingDir": "/work", "Env": ["PATH=/"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{pack.sha256(content)}"]},
            "history": [{"created": created, "created_by": f"COPY {NAME} /"}],
        }
        config = layout.json(config, "application/vnd.oci.image.config.v1+json")
        manifest_json = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
        platform = {"architecture": architecture, "os": system}
        manifests.append(layout.json(manifest_json, MANIFEST, platform=platform))
    annotations = {
        "org.opencontainers.image.source": workspace["repository"],
        "org.opencontainers.image.version": version(),
        "org.opencontainers.image.licenses": workspace["license"],
        "org.opencontainers.image.title": NAME,
        "org.opencontainers.image.description": manifest()["package"]["description"],
    }
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests, "annotations": annotations}
    index = layout.json(index, INDEX)
    layout.manifests.append({**index, "annotations": {"org.opencontainers.image.ref.name": version()}})
    if sbom:
        empty = layout.blob(b"{}", "application/vnd.oci.empty.v1+json")
        title = {"org.opencontainers.image.title": pathlib.Path(sbom).name}
        content = layout.blob(pathlib.Path(sbom).read_bytes(), SBOM, annotations=title)
        subject = {key: index[key] for key in ("mediaType", "digest", "size")}
        referrer = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": SBOM, "config": empty, "layers": [content]}
        layout.manifests.append(layout.json({**referrer, "subject": subject}, MANIFEST, artifactType=SBOM))
    path = pathlib.Path(out) / f"{NAME}-{version()}-image.tar"
    path.write_bytes(layout.archive())
    return path


def pack_time():
    import datetime

    return datetime.datetime.fromtimestamp(pack.TIME, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
