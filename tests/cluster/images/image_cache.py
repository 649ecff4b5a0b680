# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds each image's tar in the cache, or builds it: recipe, base image, rootfs folder, tar.

An image is one file in recipes/ (`debian_bad.py` is the image `debian-bad`) with three things: `BASE`, the name of the
image it starts from or None; `CONFIG`, what the image says about its containers; `fill(root)`, which makes the content.
A recipe that compiles a program of its own names the files beside rootfs.py in `SOURCES`.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from ..failure import ClusterError, say
from ..places import cache
from .archive import extract_archive, write_archive
from .rootfs import Rootfs

_HERE = Path(__file__).resolve().parent
# What every image depends on; a change here makes all of them anew.
_SHARED_SOURCES = ("archive.py", "rootfs.py", "debian_archive.py", "listener.c")
_WORK_PREFIX = "work-"


def main(arguments: list[str]) -> int:
    """The command line of build.py. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="build.py", description="Build the sample images; print the tars' paths."
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"one of {', '.join(image_names())} (default: all)"
    )
    os.umask(0o022)  # folders made on the way get the modes that images have
    try:
        for tar in build_images(parser.parse_args(arguments).names or image_names()):
            print(tar, flush=True)
    except ClusterError as error:
        say(str(error))
        return 1
    return 0


def image_names() -> list[str]:
    """Every image there is a recipe for, sorted."""
    return sorted(file.stem.replace("_", "-") for file in (_HERE / "recipes").glob("[a-z]*.py"))


def reference(name: str) -> str:
    """What a pod's spec calls the image."""
    return f"securescan.local/{name}:1"


def build_images(names: list[str]) -> list[Path]:
    """The tars of these images, built where missing. Raises ClusterError for an unknown name or a failing step."""
    unknown = sorted(set(names) - set(image_names()))
    if unknown:
        raise ClusterError(f"No such image: {', '.join(unknown)}. There are {', '.join(image_names())}.")
    tars = {name: tar_path(name) for name in names}
    if not all(tar.exists() for tar in tars.values()):
        if os.geteuid() != 0:
            raise ClusterError("Images are built by root: a rootfs has files of several owners.")
        with _only_builder():
            for name in names:
                _ensure(name)
    return list(tars.values())


def tar_path(name: str) -> Path:
    """Where the tar of the image lies in the cache, built or not."""
    return _images() / input_hash(name) / f"{name}.tar"


def input_hash(name: str) -> str:
    """Changes when anything changes that the image is made of, its base included."""
    recipe_file = _HERE / "recipes" / f"{name.replace('-', '_')}.py"
    recipe = _recipe(name)
    own_sources = getattr(recipe, "SOURCES", ())
    digest = hashlib.sha256(input_hash(recipe.BASE).encode() if recipe.BASE else b"")
    for source in [*(_HERE / file for file in (*_SHARED_SOURCES, *own_sources)), recipe_file]:
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _images() -> Path:
    return cache() / "images"


def _recipe(name: str) -> ModuleType:
    return importlib.import_module(f"{__package__}.recipes.{name.replace('-', '_')}")


@contextmanager
def _only_builder() -> Iterator[None]:
    """Hold the lock of the image cache; what a killed builder left is removed."""
    _images().mkdir(parents=True, exist_ok=True)
    with (_images() / "lock").open("w") as lock:
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another build of images is running; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left_over in _images().glob(f"{_WORK_PREFIX}*"):
            shutil.rmtree(left_over)
        yield


def _ensure(name: str) -> Path:
    tar = tar_path(name)
    if tar.exists():
        return tar
    recipe = _recipe(name)
    base_tar = _ensure(recipe.BASE) if recipe.BASE else None
    say(f"Building the image {name}")
    start = time.monotonic()
    tar.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_images(), prefix=_WORK_PREFIX) as work:
        folder = Path(work, "rootfs")
        folder.mkdir()
        if base_tar:
            extract_archive(base_tar, folder)
        recipe.fill(Rootfs(folder, log=tar.with_suffix(".log")))
        write_archive(folder, tar, reference(name), recipe.CONFIG)
    say(f"Built the image {name}: {tar.stat().st_size / 1e6:.1f} MB in {time.monotonic() - start:.1f} s")
    return tar
