# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The execution environment, really built by ansible-builder with Podman, on a base image of Debian made by debootstrap.

What differs from the shipped definition, because nothing is pulled from an image registry: the name of the base image, and the
collection comes from an archive of this checkout. Images and containers lie in a folder of the cache.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import uuid
from dataclasses import dataclass

import yaml

from ..cluster import debian_packages
from ..environment.python_environment import CACHE, say

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEFINITION = ROOT / "execution_environment"
IMAGE = "localhost/securescan-ee:test"
_BASE = "localhost/securescan-ee-base:1"
_SUITE = "bookworm"
_RUN_THERE = (
    *(
        "bin",
        "execution_environment",
        "extensions",
        "galaxy.yml",
        "meta",
        "playbooks",
        "plugins",
        "profiles",
        "roles",
    ),
    *("requirements.txt", "requirements-push.txt", "requirements-store.txt"),
)
# This machine has no right to raise limits; its control groups are those of the tests' cluster, too.
_CONTAINERS = """[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


@dataclass(frozen=True)
class Podman:
    """Podman with settings and a storage of its own."""

    folder: pathlib.Path

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which every program that starts Podman uses this one."""
        return {
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "BUILDAH_ISOLATION": "chroot",
        }

    def run(self, *arguments: str | pathlib.Path, stdin: bytes | None = None) -> str:
        """What it printed. :raises AssertionError: with its messages, when it failed"""
        done = subprocess.run(
            ["podman", *map(str, arguments)],
            check=False,
            input=stdin,
            env={**os.environ, **self.environ},
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")[-4000:]
        return done.stdout.decode()

    def version(self) -> str:
        return self.run("version", "--format", "{{.Client.Version}}").strip()


def podman() -> Podman:
    """Podman, installed and configured."""
    debian_packages.ensure(["podman", "debootstrap"])
    folder = CACHE / "podman"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "containers.conf").write_text(_CONTAINERS)
    storage = f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/images"\nrunroot = "{folder}/run"\n'
    (folder / "storage.conf").write_text(storage)
    return Podman(folder)


def built_environment() -> Podman:
    """Podman with the image IMAGE of this checkout; it is built where these files have not been built before."""
    engine = podman()
    with (engine.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        digest = _digest()
        if _digest_of_image(engine) != digest:
            _build(engine, digest)
    return engine


def _digest_of_image(engine: Podman) -> str:
    """Of what the image of this name was built; another checkout can have built it. Empty where there is none."""
    if not engine.run("images", "--quiet", IMAGE).strip():
        return ""
    label = '{{index .Labels "securescan.digest"}}'
    return engine.run("image", "inspect", IMAGE, "--format", label).strip()


def _digest() -> str:
    """Of all that runs in the image."""
    total = hashlib.sha256(_SUITE.encode())
    for name in _RUN_THERE:
        for path in sorted([ROOT / name, *(ROOT / name).rglob("*")]):
            if path.is_file() and "__pycache__" not in path.parts:
                total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:16]


def _registries(folder: pathlib.Path) -> list[str]:
    """Options of a build by which apt and pip in it use the registries of this machine; nothing of that stays in the image."""
    options = ["--volume", "/etc/apt:/etc/apt:ro"]
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, text=True, stdout=subprocess.PIPE
    ).stdout
    found = {
        line.partition("=")[0].rpartition(".")[2]: line.partition("=")[2].strip("'\"")
        for line in listed.splitlines()
    }
    settings = {
        name: found[name] for name in ("index-url", "extra-index-url", "find-links", "cert") if name in found
    }
    for name in ("cert", "find-links"):
        if pathlib.Path(settings.get(name, "")).is_absolute():
            # at a place of its own: the package ca-certificates writes its own files
            options += ["--volume", f"{settings[name]}:/run/securescan-{name}:ro"]
            settings[name] = f"/run/securescan-{name}"
    (folder / "pip.conf").write_text(
        "[global]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())
    )
    return [*options, "--volume", f"{folder / 'pip.conf'}:/etc/pip.conf:ro"]


def _build(engine: Podman, digest: str) -> None:
    say("==> building the execution environment (two minutes, once for each state of the collection)")
    if not engine.run("images", "--quiet", _BASE).strip():
        _import_base(engine)
    folder = engine.folder / "definition"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DEFINITION, folder)
    _program("ansible-galaxy", "collection", "build", str(ROOT), "--output-path", str(folder), "--force")
    (archive,) = folder.glob("*.tar.gz")
    definition = yaml.safe_load((DEFINITION / "execution-environment.yml").read_text())
    definition["images"]["base_image"]["name"] = _BASE
    definition["additional_build_files"].append({"src": archive.name, "dest": "collections"})
    (folder / "execution-environment.yml").write_text(yaml.safe_dump(definition, sort_keys=False))
    source = {"name": f"/build/collections/{archive.name}", "type": "file"}
    (folder / "requirements.yml").write_text(yaml.safe_dump({"collections": [source]}))
    _program(
        *("ansible-builder", "build", "--container-runtime", "podman", "--tag", IMAGE, "--verbosity", "2"),
        *("--file", str(folder / "execution-environment.yml"), "--context", str(folder / "context")),
        *(
            "--extra-build-cli-args",
            shlex.join(
                ["--label", f"securescan.digest={digest}", "--pull=never", *_registries(engine.folder)]
            ),
        ),
        environ=engine.environ,
    )
    with contextlib.suppress(AssertionError):
        engine.run("image", "prune", "--force")


def _import_base(engine: Podman) -> None:
    """The base image: Debian as debootstrap makes it."""
    root = engine.folder / f"base-{uuid.uuid4().hex[:8]}"
    try:
        subprocess.run(
            ["debootstrap", "--variant=minbase", "--include=ca-certificates", _SUITE, str(root)],
            check=True,
            stdout=2,
        )
        archive = root.with_suffix(".tar")
        subprocess.run(["tar", "--numeric-owner", "-C", str(root), "-cf", str(archive), "."], check=True)
        engine.run("import", archive, _BASE)
    finally:
        shutil.rmtree(root, ignore_errors=True)
        root.with_suffix(".tar").unlink(missing_ok=True)


def _program(name: str, *arguments: str, environ: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        [str(pathlib.Path(sys.executable).parent / name), *arguments],
        check=False,
        env={**os.environ, **(environ or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-6000:]
