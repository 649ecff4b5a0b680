# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images there are, when one is built anew, and how an unknown name is answered (nothing is built here)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="the tools of the test bed run on Python 3.11"
)

CLUSTER = Path(__file__).resolve().parents[2] / "cluster"
NAMES = ["busybox", "debian", "debian-bad", "distroless-static"]


@pytest.fixture
def copied_cluster(tmp_path):
    """The cluster's sources, free to be changed."""
    copy = tmp_path / "tests" / "cluster"
    shutil.copytree(CLUSTER / "images", copy / "images", ignore=shutil.ignore_patterns("__pycache__"))
    for source in CLUSTER.glob("*.py"):
        shutil.copy(source, copy)
    shutil.copytree(CLUSTER.parents[1] / "scanner_image", tmp_path / "scanner_image")
    return copy


def run_python(copied_cluster, code):
    command = [sys.executable, "-c", "from cluster.images import image_cache\n" + code]
    return subprocess.run(
        command, cwd=copied_cluster.parent, capture_output=True, text=True, check=True
    ).stdout


def hashes(copied_cluster):
    names = run_python(
        copied_cluster, "print(*[image_cache.input_hash(name) for name in image_cache.image_names()])"
    )
    listed = run_python(copied_cluster, "print(*image_cache.image_names())").split()
    return dict(zip(listed, names.split()))


def append(path):
    with path.open("a") as stream:
        stream.write("\n")


def test_a_changed_recipe_changes_its_image_and_those_built_on_it(copied_cluster):
    before = hashes(copied_cluster)
    assert set(NAMES) <= set(before)
    append(copied_cluster / "images" / "recipes" / "debian.py")
    after = hashes(copied_cluster)
    assert {name for name in NAMES if before[name] != after[name]} == {"debian", "debian-bad"}


@pytest.mark.parametrize("shared", ["archive.py", "rootfs.py", "debian_archive.py", "listener.c"])
def test_what_all_images_share_changes_all(copied_cluster, shared):
    before = hashes(copied_cluster)
    append(copied_cluster / "images" / shared)
    after = hashes(copied_cluster)
    assert not set(before.values()) & set(after.values())


def test_a_file_that_a_recipe_names_changes_its_image_alone(copied_cluster):
    before = hashes(copied_cluster)
    append(copied_cluster / "images" / "two_faced.c")
    append(copied_cluster.parents[1] / "scanner_image" / "Containerfile")
    after = hashes(copied_cluster)
    assert {name for name in before if before[name] != after[name]} == {"scanner", "two-faced"}


def test_every_recipe_says_what_a_recipe_must_say(copied_cluster):
    code = """
for name in image_cache.image_names():
    recipe = image_cache._recipe(name)
    assert recipe.BASE is None or recipe.BASE in image_cache.image_names(), name
    assert recipe.CONFIG.get("Cmd") or recipe.CONFIG.get("Entrypoint"), name
    assert callable(recipe.fill), name
print("checked")
"""
    assert run_python(copied_cluster, code) == "checked\n"


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path):
    command = [sys.executable, str(CLUSTER / "images" / "build.py"), "debian", "fedora"]
    done = subprocess.run(
        command, env={"SECURESCAN_CACHE": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "No such image: fedora" in done.stderr and "distroless-static" in done.stderr
    assert list(tmp_path.iterdir()) == []
