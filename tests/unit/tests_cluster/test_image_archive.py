# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Image tars: the layout that containerd reads, the same bytes each time, nothing of the folder lost."""

from __future__ import annotations

import hashlib
import io
import json
import os
import socket
import subprocess
import sys
import tarfile

import pytest

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="the tools of the test bed run on Python 3.11"
)

REFERENCE = "securescan.local/sample:1"


def archive_module():
    from ansible_collections.securescan.kubernetes.tests.cluster.images import archive

    return archive


def write_archive(*args, **kwargs):
    archive_module().write_archive(*args, **kwargs)


@pytest.fixture
def rootfs(tmp_path):
    root = tmp_path / "rootfs"
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "tool").write_bytes(b"#!/bin/sh\n")
    (root / "bin" / "tool").chmod(0o4755)
    os.link(root / "bin" / "tool", root / "bin" / "same")
    (root / "bin" / "sh").symlink_to("/bin/tool")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    (root / os.fsdecode(b"odd \n\xff")).write_bytes(b"x")
    return root


def open_layer(tar_path):
    with tarfile.open(tar_path) as image:
        manifest = json.load(image.extractfile("manifest.json"))[0]
        config = json.load(image.extractfile(manifest["Config"]))
        return manifest, config, image.extractfile(manifest["Layers"][0]).read()


def test_the_layout_ties_manifest_config_and_layer_together(rootfs, tmp_path):
    write_archive(
        rootfs, tmp_path / "out" / "sample.tar", REFERENCE, {"User": "65532:65532", "Cmd": ["/bin/tool"]}
    )
    manifest, config, layer = open_layer(tmp_path / "out" / "sample.tar")
    assert manifest["RepoTags"] == [REFERENCE]
    assert config["config"] == {"User": "65532:65532", "Cmd": ["/bin/tool"]}
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(layer).hexdigest()]
    assert config["os"] == "linux"


def test_a_layer_keeps_kinds_modes_links_and_odd_names(rootfs, tmp_path):
    write_archive(rootfs, tmp_path / "sample.tar", REFERENCE)
    with tarfile.open(fileobj=io.BytesIO(open_layer(tmp_path / "sample.tar")[2])) as layer:
        members = {member.name: member for member in layer}
    assert list(members) == sorted(members, key=os.fsencode)
    assert members["bin/same"].mode == 0o4755
    assert members["bin/tool"].islnk() and members["bin/tool"].linkname == "bin/same"
    assert members["bin/sh"].linkname == "/bin/tool"
    assert members["tmp"].isdir() and members["tmp"].mode == 0o1777
    assert os.fsdecode(b"odd \n\xff") in members
    assert {member.mtime for member in members.values()} == {0}
    assert {(member.uname, member.gname) for member in members.values()} == {("", "")}
    assert members["bin"].uid == os.getuid()


def test_the_same_folder_gives_the_same_bytes(rootfs, tmp_path):
    write_archive(rootfs, tmp_path / "one.tar", REFERENCE)
    for path in rootfs.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    write_archive(rootfs, tmp_path / "two.tar", REFERENCE)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()

    (rootfs / "bin" / "tool").chmod(0o755)
    write_archive(rootfs, tmp_path / "three.tar", REFERENCE)
    assert (tmp_path / "one.tar").read_bytes() != (tmp_path / "three.tar").read_bytes()


def test_an_unpacked_archive_gives_the_same_archive_again(rootfs, tmp_path):
    write_archive(rootfs, tmp_path / "one.tar", REFERENCE)
    (tmp_path / "again").mkdir()
    archive_module().extract_archive(tmp_path / "one.tar", tmp_path / "again")
    write_archive(tmp_path / "again", tmp_path / "two.tar", REFERENCE)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_a_file_capability_is_kept(rootfs, tmp_path):
    try:
        # cap_net_raw=ep, revision 2: what getcap shows for ping
        capability = bytes.fromhex("0100000200200000000000000000000000000000")
        os.setxattr(rootfs / "bin" / "tool", "security.capability", capability)
    except OSError:
        pytest.skip("setting file capabilities needs root")
    write_archive(rootfs, tmp_path / "sample.tar", REFERENCE)
    (tmp_path / "layer.tar").write_bytes(open_layer(tmp_path / "sample.tar")[2])
    (tmp_path / "out").mkdir()
    unpack = ["tar", "--xattrs", "--xattrs-include=*", "-xf", "layer.tar", "-C", "out", "bin"]
    subprocess.run(unpack, cwd=tmp_path, check=True)
    assert os.getxattr(tmp_path / "out" / "bin" / "same", "security.capability") == capability


def test_a_missing_folder_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(NotADirectoryError, match="nowhere"):
        write_archive(tmp_path / "nowhere", tmp_path / "sample.tar", REFERENCE)
    assert list(tmp_path.iterdir()) == []


def test_a_socket_is_refused_and_an_older_tar_stays(rootfs, tmp_path, monkeypatch):
    target = tmp_path / "sample.tar"
    write_archive(rootfs, target, REFERENCE)
    before = target.read_bytes()
    monkeypatch.chdir(rootfs)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("sock")
    with pytest.raises(ValueError, match="sock"):
        write_archive(rootfs, target, REFERENCE)
    assert target.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rootfs", "sample.tar"]
