"""Tar, zip and OCI files that are the same for the same content: fixed order, owners, modes and times."""

import gzip
import hashlib
import io
import json
import os
import tarfile
import zipfile

# The time of every file in an archive: that of the commit if the caller sets it, as reproducible builds do.
TIME = int(os.environ.get("SOURCE_DATE_EPOCH", "1767225600"))


def tar(files):
    """A tar with these files: (name, bytes, executable)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content, executable in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(content), TIME, 0o755 if executable else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def tar_gz(files, level=9):
    return gzip.compress(tar(files), level, mtime=0)


def zip_(files, level=9):
    """A zip with these files: (name, bytes, executable)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, content, executable in files:
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.external_attr = (0o100755 if executable else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            # Otherwise a zip that is made on Windows has no modes.
            entry.create_system = 3
            archive.writestr(entry, content)
    return out.getvalue()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Layout:
    """An OCI image layout in memory, written as an archive."""

    def __init__(self):
        self.blobs = {}
        self.manifests = []

    def blob(self, content, media_type, **more):
        """Adds content, and returns its descriptor."""
        digest = sha256(content)
        self.blobs[digest] = content
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content), **more}

    def json(self, value, media_type, **more):
        return self.blob(json.dumps(value, separators=(",", ":")).encode(), media_type, **more)

    def archive(self):
        index = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": self.manifests,
        }
        files = [("oci-layout", b'{"imageLayoutVersion":"1.0.0"}', False)]
        files.append(("index.json", json.dumps(index, separators=(",", ":")).encode(), False))
        files += [(f"blobs/sha256/{digest}", content, False) for digest, content in sorted(self.blobs.items())]
        return tar(files)
