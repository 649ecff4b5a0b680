# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rootfs folder becomes an image tar (docker-archive) that containerd imports, without an engine or a registry."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pathlib
import platform
import subprocess
import tarfile
import tempfile

_CAPABILITY = "security.capability"
# as images and Debian call it
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def write_archive(
    rootfs: pathlib.Path, tar_path: pathlib.Path, reference: str, config: dict[str, object] | None = None
) -> None:
    """Write `rootfs` as an image of one layer named `reference` (such as `securescan.local/debian:1`) to `tar_path`.

    `config` is what the image says about its containers (`Cmd`, `User`, `Env` ...). The same folder always gives the
    same bytes. The tar appears whole or not at all. Raises NotADirectoryError when `rootfs` is no folder, ValueError
    when it holds something that no layer can carry (a socket).
    """
    if not rootfs.is_dir():
        raise NotADirectoryError(f"no rootfs folder: {rootfs}")
    tar_path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tar_path.parent, prefix=".archive-") as scratch:
        layer = pathlib.Path(scratch, "layer.tar")
        _write_layer(rootfs, layer)
        with layer.open("rb") as stream:
            diff_id = hashlib.file_digest(stream, "sha256").hexdigest()
        image = {
            "architecture": ARCHITECTURE,
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": config or {},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}"]},
        }
        image_bytes = json.dumps(image, sort_keys=True).encode()
        image_name = f"{hashlib.sha256(image_bytes).hexdigest()}.json"
        layer_name = f"{diff_id}/layer.tar"
        manifest = [{"Config": image_name, "RepoTags": [reference], "Layers": [layer_name]}]

        whole = pathlib.Path(scratch, "image.tar")
        with tarfile.open(whole, "w") as archive:
            _add_bytes(archive, image_name, image_bytes)
            with layer.open("rb") as stream:
                member = _plain_member(layer_name, layer.stat().st_size)
                archive.addfile(member, stream)
            _add_bytes(archive, "manifest.json", json.dumps(manifest).encode())
        whole.replace(tar_path)


def extract_archive(tar_path: pathlib.Path, rootfs: pathlib.Path) -> None:
    """Unpack the layer of a tar made by write_archive into the folder `rootfs`, owners and modes kept (as root)."""
    with tarfile.open(tar_path) as archive:
        layer_name = json.loads(_content(archive, "manifest.json"))[0]["Layers"][0]
        command = [
            "tar",
            "--extract",
            "--preserve-permissions",
            "--numeric-owner",
            "--xattrs",
            "--xattrs-include=*",
        ]
        subprocess.run(
            [*command, "--directory", str(rootfs)], input=_content(archive, layer_name), check=True
        )


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(name)
    if stream is None:
        raise ValueError(f"not a file in the archive: {name}")
    return stream.read()


def _write_layer(rootfs: pathlib.Path, layer: pathlib.Path) -> None:
    with tarfile.open(
        layer, "w", format=tarfile.PAX_FORMAT, encoding="utf-8", errors="surrogateescape"
    ) as archive:
        for path in sorted(rootfs.rglob("*"), key=os.fsencode):
            member = archive.gettarinfo(path, arcname=str(path.relative_to(rootfs)))
            if member is None:
                raise ValueError(f"a layer can't carry this kind of file: {path}")
            member.mtime = 0
            member.uname = member.gname = ""
            if member.isreg():
                if _CAPABILITY in os.listxattr(path):
                    value = os.getxattr(path, _CAPABILITY).decode("utf-8", "surrogateescape")
                    member.pax_headers = {f"SCHILY.xattr.{_CAPABILITY}": value}
                with path.open("rb") as stream:
                    archive.addfile(member, stream)
            else:
                archive.addfile(member)


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    archive.addfile(_plain_member(name, len(content)), io.BytesIO(content))


def _plain_member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    return member
