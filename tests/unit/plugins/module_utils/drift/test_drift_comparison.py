# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two listings compared: each way to differ, what is no drift, and what cannot be compared."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.drift.comparison import (
    Surroundings,
    compare,
    mount_over,
)

STARTED = 1000
AROUND = Surroundings(("/etc/hosts", "/data", "/var/run/secrets/token"), STARTED, ("/srv/work",))
FILE = {
    "type": "file",
    "mode": 0o644,
    "uid": 0,
    "gid": 0,
    "size": 5,
    "mtime": 10,
    "ctime": 20,
    "link_target": None,
}
FOLDER = dict(FILE, type="directory", mode=0o755, size=4096)
LINK = dict(FILE, type="symlink", mode=0o777, link_target="/x")
PIPE = dict(FILE, type="pipe", size=0)


def value(entries, place="/", link_target=None, unread=()):
    return {
        "place": place,
        "link_target": link_target,
        "unread": list(unread),
        "entries": [[path, *entry.values()] for path, entry in entries.items()],
    }


def found(image, live, around=AROUND, ignore=()):
    """{path: (change, what differs)} of one place."""
    drift = compare(
        {"/": tuple(None if side is None else value(side) for side in (image, live))}, around, ignore
    )
    assert [difference.path for difference in drift.differences] == sorted(
        difference.path for difference in drift.differences
    )
    return {difference.path: (difference.change, *difference.differs) for difference in drift.differences}


@pytest.mark.parametrize(
    ("before", "now", "differs"),
    [
        (FILE, FILE, None),
        (FILE, dict(FILE, mode=0o755), ("changed", "mode")),
        (FILE, dict(FILE, mode=0o4644), ("changed", "mode")),
        (FILE, dict(FILE, uid=1), ("changed", "owner")),
        (FILE, dict(FILE, gid=1), ("changed", "group")),
        (FILE, dict(FILE, size=6), ("changed", "size")),
        (FILE, dict(FILE, mtime=11), ("changed", "mtime")),
        (FILE, dict(FILE, mtime=9), ("changed", "mtime")),
        (FILE, dict(FILE, size=6, mtime=11, ctime=STARTED + 5), ("changed", "size", "mtime")),
        (FILE, FOLDER, ("changed", "type")),
        (FILE, LINK, ("changed", "type")),
        (FILE, dict(FILE, ctime=STARTED), None),
        (FILE, dict(FILE, ctime=STARTED + 1), ("touched", "ctime")),
        (FOLDER, dict(FOLDER, size=8192, mtime=STARTED + 9, ctime=STARTED + 9), None),
        (FOLDER, dict(FOLDER, mode=0o777), ("changed", "mode")),
        (FOLDER, dict(FOLDER, uid=7), ("changed", "owner")),
        (LINK, dict(LINK, link_target="/y"), ("changed", "link_target")),
        (LINK, dict(LINK, mtime=11, link_target="/y"), ("changed", "mtime", "link_target")),
        (LINK, dict(LINK, ctime=STARTED + 1), ("touched", "ctime")),
        (LINK, dict(LINK, size=9), None),
        (PIPE, dict(PIPE, mtime=99), None),
        (PIPE, dict(PIPE, gid=99), ("changed", "group")),
    ],
)
def test_what_differs_of_one_file(before, now, differs):
    assert found({"/usr/x": before}, {"/usr/x": now}) == ({} if differs is None else {"/usr/x": differs})


def test_added_and_removed_are_counted_one_by_one():
    image = {"/": FOLDER, "/a": FOLDER, "/a/one": FILE, "/a/two": FILE}
    live = {"/": FOLDER, "/b": FOLDER, "/b/tool": dict(FILE, mode=0o4755), "/b/lib": FILE}
    drift = compare({"/": (value(image), value(live))}, AROUND)
    assert drift.counts() == {"added": 3, "changed": 0, "removed": 3, "touched": 0} and drift.compared == 7
    rows = {difference.path: difference.row() for difference in drift.differences}
    assert (rows["/b/tool"]["gained_setuid"], rows["/b/tool"]["executable"]) == (True, True)
    assert (rows["/b/lib"]["gained_setuid"], rows["/b/lib"]["executable"]) == (False, False)
    assert rows["/b/tool"]["image"] is None and rows["/b/tool"]["live"]["mode"] == 0o4755
    assert (
        rows["/a/one"]["live"] is None
        and rows["/a/one"]["image"]["size"] == 5
        and rows["/a/one"]["type"] == "file"
    )


@pytest.mark.parametrize(
    ("before", "now", "gained"),
    [
        (0o755, 0o4755, True),
        (0o755, 0o2755, True),
        (0o4755, 0o6755, True),
        (0o4755, 0o4755, False),
        (0o4755, 0o755, False),
        (0o4755, 0o4711, False),
    ],
)
def test_setuid_that_is_new(before, now, gained):
    drift = compare(
        {"/": (value({"/x": dict(FILE, mode=before)}), value({"/x": dict(FILE, mode=now, mtime=3)}))}, AROUND
    )
    assert drift.differences[0].row()["gained_setuid"] is gained


def test_what_is_mounted_and_what_the_runtime_makes_for_it_is_no_drift():
    image = {"/etc/hosts": FILE, "/data": FOLDER, "/data/seed": FILE, "/etc": FOLDER}
    live = {
        "/etc/hosts": dict(FILE, size=99),
        "/data": FOLDER,
        "/data/grown": FILE,
        "/etc": FOLDER,
        "/var": FOLDER,
        "/var/run": FOLDER,
        "/var/run/secrets": FOLDER,
        "/var/run/secrets/token": FILE,
        "/srv": FOLDER,
        "/srv/work": FOLDER,
        "/.dockerenv": FILE,
        "/run/.containerenv": FILE,
        "/etc/mtab": dict(LINK, link_target="/proc/mounts"),
    }
    assert found(image, live) == {}
    # what only looks like it
    assert found(
        image,
        {
            **live,
            "/srv/work/x": FILE,
            "/var/run/other": FOLDER,
            "/etc/mtab": dict(LINK, link_target="/tmp/x"),
            "/database": FILE,
        },
    ) == {
        "/srv/work/x": ("added",),
        "/var/run/other": ("added",),
        "/etc/mtab": ("added",),
        "/database": ("added",),
    }
    assert found(image, {**live, "/var/run/secrets": FILE}) == {"/var/run/secrets": ("added",)}


def test_ignored_paths_and_what_is_below_them():
    live = {"/etc/app": FOLDER, "/etc/app/x": FILE, "/etc/apple": FILE}
    assert found({}, live, ignore=["/etc/app"]) == {"/etc/apple": ("added",)}
    assert found({}, live, ignore=["/etc/app/"]) == {"/etc/apple": ("added",)}
    assert found({}, live, ignore=["/etc/app/x"]) == {"/etc/app": ("added",), "/etc/apple": ("added",)}


def test_a_place_that_is_not_there_on_one_side():
    files = {"/opt": FOLDER, "/opt/x": FILE}
    assert found(None, files) == {"/opt": ("added",), "/opt/x": ("added",)}
    assert found(files, None) == {"/opt": ("removed",), "/opt/x": ("removed",)}
    assert found(None, None) == {}


def test_what_one_side_could_not_read_is_not_compared():
    image = {"/root": FOLDER, "/srv": FOLDER}
    live = {
        "/root": dict(FOLDER, mode=0o777),
        "/root/.profile": FILE,
        "/root/a/b": FILE,
        "/srv": FOLDER,
        "/srv/new": FILE,
    }
    drift = compare(
        {"/": (value(image, unread=["/root", "/data/closed"]), value(live, unread=["/srv"]))}, AROUND
    )
    assert [(entry.path, entry.change) for entry in drift.differences] == [("/root", "changed")]
    assert drift.unread == ["/root", "/srv"]
    assert compare({"/": (value(image, unread=["/root"]), value(image))}, AROUND, ["/root"]).unread == []


def test_places_that_overlap_are_compared_once():
    usr = {"/usr/bin": FOLDER, "/usr/bin/x": FILE}
    now = {"/usr/bin": FOLDER, "/usr/bin/x": dict(FILE, size=6)}
    sides = {
        "/usr/bin": (value(usr, "/usr/bin"), value(now, "/usr/bin")),
        "/bin": (value(usr, "/usr/bin", "usr/bin"), value(now, "/usr/bin", "usr/bin")),
    }
    drift = compare(sides, AROUND)
    assert [(entry.path, entry.change) for entry in drift.differences] == [("/usr/bin/x", "changed")]
    # the link itself was led elsewhere
    evil = {"/tmp/b": FOLDER, "/tmp/b/x": FILE}
    drift = compare({"/bin": (value(usr, "/usr/bin", "usr/bin"), value(evil, "/tmp/b", "/tmp/b"))}, AROUND)
    assert {entry.path: (entry.change, *entry.differs) for entry in drift.differences} == {
        "/bin": ("changed", "link_target"),
        "/tmp/b": ("added",),
        "/tmp/b/x": ("added",),
        "/usr/bin": ("removed",),
        "/usr/bin/x": ("removed",),
    }
    # ... and where both are known, the whole status counts
    whole = {
        "/": (
            value({"/bin": dict(LINK, link_target="usr/bin")}),
            value({"/bin": dict(LINK, link_target="/tmp/b")}),
        ),
        "/bin": (value(usr, "/usr/bin", "usr/bin"), value(evil, "/tmp/b", "/tmp/b")),
    }
    (link,) = [entry for entry in compare(whole, AROUND).differences if entry.path == "/bin"]
    assert link.differs == ("link_target",) and link.live.mode == 0o777


@pytest.mark.parametrize(
    ("place", "mount"),
    [
        ("/data", "/data"),
        ("/data/x", "/data"),
        ("/database", ""),
        ("/", ""),
        ("/etc", ""),
        ("/etc/hosts", "/etc/hosts"),
    ],
)
def test_what_a_place_is_on(place, mount):
    assert mount_over(place, AROUND.mounts) == mount


def test_many_files_take_little_time():
    files = {f"/usr/{number % 500}/{number}": FILE for number in range(40_000)}
    drift = compare({"/": (value(files), value({**files, "/new": FILE}))}, AROUND)
    assert drift.counts()["added"] == 1 and drift.compared == 40_001
