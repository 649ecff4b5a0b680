# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What two approaches say of one container: what contradicts, what is drift, and what a missing check does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.approach import (
    Collected,
    collected_in,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.auto import AutoApproach
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.cross_check import CrossChecked
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.graded import evidence_of
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.session import Checked, Entered
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.open_exec import ExecPlace
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    ABSENT,
    OK,
    UNREADABLE,
    UNSUPPORTED,
    Fact,
    Facts,
    Query,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import make_request
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import SelectedTarget
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.sample_results import make_target

SHADOW = Query("file", "/etc/shadow")
CONFIG = Query("sha256", "/etc/app.conf")
SETUID = Query("walk", "/usr", (("match", "setuid"),))
PROCESSES = Query("processes")
ALL = (SHADOW, CONFIG, SETUID, PROCESSES)


def a_file(mode: int = 0o640, uid: int = 0, gid: int = 0, kind: str = "file", **more: Any) -> Fact:
    value = {"type": kind, "mode": mode, "uid": uid, "gid": gid, "size": 10, "mtime": 5, "link_target": None}
    return Fact(OK, {**value, **more})


def readable(answer: bool) -> Fact:
    return Fact(OK, {"readable": answer, "refusal": "" if answer else "it cannot be opened for reading"})


def found(*paths: str) -> Fact:
    return Fact(OK, {"entries": [{"path": path} for path in paths], "complete": True, "unreadable": 0})


HONEST: Mapping[Query, Fact] = {
    SHADOW: a_file(0o666),
    CONFIG: Fact(OK, "a" * 64),
    SETUID: found("/usr/bin/su"),
    PROCESSES: Fact(OK, []),
}
LIE: Mapping[Query, Fact] = {**HONEST, SHADOW: a_file(0o640)}
# What a user that is not root cannot write to: the way to /etc/shadow and to /etc/app.conf
CLOSED: Mapping[Query, Fact] = {
    Query("file", path): a_file(0o755, kind="directory") for path in ("/", "/etc", "/usr", "/usr/bin")
}


class Answers:
    """An approach that gives these facts, the last of them for ever."""

    added = not_ended = ()

    def __init__(self, name: str, *looks: Mapping[Query, Fact] | ScanError) -> None:
        self.name, self.looks, self.asked, self.execs, self.closed = name, list(looks), [], 0, 0

    def collect(self, selected: SelectedTarget, request: Any) -> Collected:
        self.execs += 1
        self.asked.append(request.queries)
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, ScanError):
            raise look
        known = {query.key: fact for query, fact in look.items()}
        return Collected(
            Facts({one.key: known.get(one.key, Fact(UNREADABLE)) for one in request.queries}), self.name
        )

    def close(self) -> None:
        self.closed += 1


def selected(
    *, mounts: tuple[str, ...] = (), user: Mapping[str, Any] | None = None, **security: Any
) -> SelectedTarget:
    pod = {
        "metadata": {"namespace": "shop", "name": "api-1", "uid": "uid-api-1"},
        "spec": {
            "containers": [
                {
                    "name": "app",
                    "securityContext": security,
                    "volumeMounts": [{"name": "v", "mountPath": mount} for mount in mounts],
                }
            ]
        },
        "status": {
            "containerStatuses": [{"name": "app", "user": {"linux": dict(user or {"uid": 0, "gid": 0})}}]
        },
    }
    target: Target = make_target()
    return SelectedTarget(target, PodSnapshot.from_object(pod))


def check(
    first: Answers, *others: Answers, is_required: bool = False, asked: tuple[Query, ...] = ALL, **pod: Any
) -> Collected:
    return CrossChecked(first, others, is_required=is_required).collect(selected(**pod), make_request(asked))


def contradiction(*approaches: Answers, **given: Any) -> str:
    with pytest.raises(ScanError) as caught:
        check(*approaches, **given)
    assert caught.value.reason == "contradicting_evidence"
    return caught.value.message


def test_two_that_agree_are_one_result_of_the_first() -> None:
    first, second = Answers("exec", HONEST), Answers("debug", HONEST)
    seen = check(first, second)
    assert seen.approach == "exec" and seen.facts.get_fact(PROCESSES).ok
    assert seen.checked is not None
    assert (seen.checked.approach, seen.checked.compared, seen.checked.drifted) == ("debug", 3, ())
    assert second.asked == [(SHADOW, CONFIG, SETUID)], "processes come and go"
    assert evidence_of(seen).grade == "target" and evidence_of(seen).reasons == ()


def test_two_shells_of_one_container_that_differ_contradict_each_other() -> None:
    said = contradiction(Answers("exec", LIE), Answers("debug", HONEST))
    assert said == "a difference in 1 fact between exec and debug: file:/etc/shadow"


@pytest.mark.parametrize(
    ("query", "lie"),
    [
        (SHADOW, a_file(0o666, uid=1)),
        (SHADOW, a_file(0o666, size=11)),
        (SHADOW, Fact(ABSENT)),
        (CONFIG, Fact(OK, "b" * 64)),
        (SETUID, found()),
        (Query("shadow"), Fact(OK, [{"name": "evil", "password": "locked"}])),
        (Query("packages"), Fact(OK, {"manager": "dpkg", "packages": []})),
        (
            Query("os"),
            Fact(OK, {"name": "alpine", "family": "alpine", "release": "3", "arch": None, "pretty": ""}),
        ),
        (Query("content", "/etc/app.conf"), Fact(OK, b"good")),
    ],
    ids=lambda value: value.key if isinstance(value, Query) else "",
)
def test_each_stable_kind_of_fact_is_compared(query: Query, lie: Fact) -> None:
    truth: Mapping[Query, Fact] = {
        **HONEST,
        Query("shadow"): Fact(OK, [{"name": "evil", "password": "none"}]),
        Query("packages"): Fact(OK, {"manager": "dpkg", "packages": [{"name": "openssl", "version": "1"}]}),
        Query("os"): Fact(
            OK, {"name": "debian", "family": "debian", "release": "12", "arch": None, "pretty": ""}
        ),
        Query("content", "/etc/app.conf"): Fact(OK, b"bad"),
    }
    asked = tuple(truth)
    said = contradiction(Answers("exec", {**truth, query: lie}), Answers("debug", truth), asked=asked)
    assert said.endswith(": " + query.key)


@pytest.mark.parametrize(
    "path", ["/tmp/x", "/run/x", "/proc/1/status", "/etc/hosts", "/var/log/x", "/data/x", "/.dockerenv"]
)
def test_what_changes_by_itself_is_not_compared(path: str) -> None:
    lively = Query("file", path)
    first = Answers("exec", {**HONEST, lively: a_file(0o600)})
    second = Answers("debug", {**HONEST, lively: a_file(0o644)})
    check(first, second, asked=(*ALL, lively), mounts=("/data",))
    assert lively not in second.asked[0]


def test_a_link_into_a_lively_place_is_not_compared() -> None:
    link = Query("file", "/etc/state")
    first = Answers("exec", {**HONEST, link: a_file(size=1, link_target="../run/state")})
    check(
        first,
        Answers("debug", {**HONEST, link: a_file(size=2, link_target="../run/state")}),
        asked=(*ALL, link),
    )


def test_what_a_search_finds_in_lively_places_is_not_compared() -> None:
    everywhere = Query("walk", "/", (("match", "world_writable"),))
    one = {**HONEST, everywhere: found("/tmp/a", "/data/b", "/usr/c")}
    other = {**HONEST, everywhere: found("/usr/c")}
    check(Answers("exec", one), Answers("debug", other), asked=(*ALL, everywhere), mounts=("/data",))
    contradiction(
        Answers("exec", one),
        Answers("debug", {**HONEST, everywhere: found()}),
        asked=(everywhere,),
        mounts=("/data",),
    )


def test_a_file_that_changed_between_the_looks_is_judged_as_both_have_it_now() -> None:
    now = {**HONEST, CONFIG: Fact(OK, "b" * 64)}
    first = Answers("exec", HONEST, now)
    seen = check(first, Answers("debug", now))
    assert seen.facts.get_fact(CONFIG).value == "b" * 64
    assert first.asked[1:] == [(CONFIG,)], "only what differs is asked again"


def test_one_that_answers_differently_each_time_is_not_believed() -> None:
    looks = ({**HONEST, CONFIG: Fact(OK, letter * 64)} for letter in "bcd")
    contradiction(Answers("exec", *looks), Answers("debug", HONEST))


def test_what_the_second_could_not_read_is_said() -> None:
    seen = check(Answers("exec", HONEST), Answers("debug", {**HONEST, SHADOW: Fact(UNREADABLE)}))
    assert evidence_of(seen).reasons == (
        "The cross-check left out 1 fact that debug could not read: file:/etc/shadow.",
    )


# What one side is not permitted to read

KEY = Query("readable", "/root/.ssh/id_rsa")
ACCOUNTS = Query("shadow")
DATABASE = Fact(OK, [{"name": "evil", "password": "none"}])


@pytest.mark.parametrize(
    ("query", "truth", "lie"),
    [
        (KEY, readable(True), readable(False)),
        (ACCOUNTS, DATABASE, Fact(UNREADABLE, cause="it cannot be opened for reading")),
        (SHADOW, HONEST[SHADOW], Fact(UNREADABLE, cause="no permission to search /etc")),
    ],
    ids=["readable", "accounts", "file"],
)
def test_a_shell_is_permitted_what_a_shell_of_the_same_user_is(query: Query, truth: Fact, lie: Fact) -> None:
    asked = (*ALL, query)
    told = contradiction(
        Answers("exec", {**HONEST, query: lie}), Answers("debug", {**HONEST, query: truth}), asked=asked
    )
    assert told.endswith(": " + query.key)
    attack_ends_as("23-no-permission-checked-by-debug", outcome="contradicting_evidence")


def test_the_targets_own_shell_can_have_more_rights_than_one_beside_it() -> None:
    more = {**HONEST, KEY: readable(True), ACCOUNTS: DATABASE}
    less = {**HONEST, KEY: readable(False), ACCOUNTS: Fact(UNREADABLE)}
    asked = (*ALL, KEY, ACCOUNTS)
    seen = check(Answers("exec", more), Answers("debug", less), asked=asked, is_required=True)
    assert seen.facts.get_fact(KEY) == readable(True)
    seen = check(Answers("debug", less), Answers("exec", more), asked=asked, is_required=True)
    assert seen.facts.get_fact(KEY).status == UNSUPPORTED, "the container's user can read it"


def test_what_both_shells_cannot_read_is_not_readable() -> None:
    both = {**HONEST, KEY: readable(False), ACCOUNTS: Fact(UNREADABLE)}
    seen = check(Answers("exec", both), Answers("debug", both), asked=(*ALL, KEY, ACCOUNTS), is_required=True)
    assert seen.facts.get_fact(KEY) == readable(False) and evidence_of(seen).reasons == ()


@pytest.mark.parametrize("fact", [Fact(UNSUPPORTED), readable(False)], ids=["not told", "no"])
def test_an_image_does_not_confirm_that_a_file_cannot_be_read(fact: Fact) -> None:
    secret = Query("readable", "/run/secrets/token")
    live = {**HONEST, KEY: readable(False), secret: readable(False)}
    seen = check(Answers("exec", live), Answers("image", {**HONEST, KEY: fact}), asked=(*ALL, KEY, secret))
    for query in (KEY, secret):
        assert seen.facts.get_fact(query) == Fact(
            UNSUPPORTED, cause="exec says that it cannot be read, and image does not confirm it"
        )
    attack_ends_as("23-no-permission-checked-by-image", outcome="not known", grade=evidence_of(seen).grade)


def test_an_ordinary_user_cannot_have_taken_its_right_to_read() -> None:
    image = {**HONEST, **CLOSED, SHADOW: a_file(0o644), ACCOUNTS: DATABASE}
    live = {**image, ACCOUNTS: Fact(UNREADABLE)}
    said = contradiction(Answers("exec", live), Answers("image", image), asked=(*ALL, ACCOUNTS), **ORDINARY)
    assert said.endswith(": shadow")
    # root can have
    seen = check(Answers("exec", live), Answers("image", image), asked=(*ALL, ACCOUNTS))
    assert "1 fact that image could read and exec could not: shadow" in evidence_of(seen).reasons[0]


@pytest.mark.parametrize("second", ["debug", "image"])
def test_what_a_shell_without_the_programs_does_not_tell_is_not_checked(second: str) -> None:
    link = Fact(UNREADABLE, cause="it is a symbolic link, and the container has no readlink to follow it")
    poor = Answers("exec", {**HONEST, SHADOW: link, SETUID: Fact(UNSUPPORTED)})
    reasons = evidence_of(check(poor, Answers(second, HONEST))).reasons
    assert len(reasons) == 1 and f"2 facts that {second} could read and exec could not" in reasons[0]
    with pytest.raises(ScanError) as caught:
        check(poor, Answers(second, HONEST), is_required=True)
    assert caught.value.reason == "not_cross_checked"


def test_an_images_helper_is_not_root_and_has_nothing_to_explain() -> None:
    image = {**HONEST, ACCOUNTS: Fact(UNREADABLE)}
    exec_ = Answers("exec", {**HONEST, ACCOUNTS: DATABASE})
    seen = check(Answers("image", image), exec_, asked=(*ALL, ACCOUNTS), is_required=True)
    assert evidence_of(seen).reasons == ()


def test_a_false_link_takes_no_file_out() -> None:
    lie = {**HONEST, SHADOW: a_file(0o600, link_target="/tmp/x")}
    assert contradiction(Answers("exec", lie), Answers("debug", HONEST)).endswith(": file:/etc/shadow")
    assert contradiction(Answers("debug", HONEST), Answers("exec", lie)).endswith(": file:/etc/shadow")
    attack_ends_as("23-false-link", outcome="contradicting_evidence")


def test_a_link_to_what_only_the_running_container_has_is_not_compared() -> None:
    link = Query("file", "/etc/state")
    live = {**HONEST, link: a_file(link_target="/run/state")}
    for other in (Fact(ABSENT), a_file(kind="symlink", link_target="/run/state")):
        check(
            Answers("exec", live),
            Answers("image", {**HONEST, link: other}),
            asked=(*ALL, link),
            readOnlyRootFilesystem=True,
        )


# Container and image


def test_a_running_container_may_differ_from_its_image_and_that_is_said() -> None:
    seen = check(Answers("exec", LIE), Answers("image", HONEST))
    assert seen.facts.get_fact(SHADOW) == LIE[SHADOW], "the container is judged, not its image"
    assert seen.checked is not None and seen.checked.drifted == ("file:/etc/shadow",)
    assert (
        "The container differs from its image in 1 fact, which it can have changed"
        in evidence_of(seen).reasons[0]
    )


def test_with_a_read_only_root_no_file_can_differ_from_the_image() -> None:
    said = contradiction(Answers("exec", LIE), Answers("image", HONEST), readOnlyRootFilesystem=True)
    assert said == "a difference in 1 fact between exec and image: file:/etc/shadow"


@pytest.mark.parametrize(
    "security",
    [
        {"privileged": True},
        {"capabilities": {"add": ["CAP_SYS_ADMIN"]}},
        {"capabilities": {"add": ["all"]}},
    ],
    ids=str,
)
def test_a_container_that_can_remount_its_root_can_have_changed_it(security: Mapping[str, Any]) -> None:
    given = {"readOnlyRootFilesystem": True, **security}
    assert check(Answers("exec", LIE), Answers("image", HONEST), **given).checked is not None


ORDINARY = {"allowPrivilegeEscalation": False, "user": {"uid": 1000, "gid": 1000}}


def test_an_ordinary_user_cannot_have_changed_files_of_root() -> None:
    image = Answers("image", {**HONEST, **CLOSED, SHADOW: a_file(0o644)})
    contradiction(Answers("exec", {**HONEST, SHADOW: a_file(0o600)}), image, **ORDINARY)
    assert image.asked[1] == tuple(Query("file", path) for path in ("/", "/etc", "/etc/shadow"))


def test_nor_hidden_a_setuid_program() -> None:
    image = Answers("image", {**HONEST, **CLOSED, Query("file", "/usr/bin/su"): a_file(0o4755)})
    said = contradiction(Answers("exec", {**HONEST, SETUID: found()}), image, **ORDINARY)
    assert said.endswith("walk:/usr[match=setuid]")


OWN = Query("file", "/usr/local")
SU = Query("file", "/usr/bin/su")


def test_each_path_that_a_search_hides_needs_its_own_explanation() -> None:
    own_folder = a_file(0o755, kind="directory", uid=1000)
    image = {
        **HONEST,
        **CLOSED,
        SU: a_file(0o4755),
        OWN: own_folder,
        SETUID: found("/usr/bin/su", "/usr/local/x"),
    }
    said = contradiction(Answers("exec", {**HONEST, SETUID: found()}), Answers("image", image), **ORDINARY)
    assert said.endswith("walk:/usr[match=setuid]")
    seen = check(
        Answers("exec", {**HONEST, SETUID: found("/usr/bin/su")}), Answers("image", image), **ORDINARY
    )
    assert seen.checked is not None and seen.checked.drifted == ("walk:/usr[match=setuid]",)
    attack_ends_as("23-hidden-beside-its-own", outcome="contradicting_evidence")


def test_what_lively_places_hold_explains_nothing_and_needs_no_explanation() -> None:
    image = {**HONEST, **CLOSED, OWN: a_file(0o755, kind="directory", uid=1000)}
    live = {**HONEST, SETUID: found("/usr/bin/su", "/usr/local/x", "/usr/data/y")}
    check(Answers("exec", live), Answers("image", image), mounts=("/usr/data",), **ORDINARY)


def test_who_can_write_the_accounts_can_leave_any_file_without_an_owner() -> None:
    unowned = Query("walk", "/usr", (("match", "unowned"),))
    image = {
        **HONEST,
        **CLOSED,
        unowned: found(),
        SU: a_file(0o755),
        Query("file", "/etc/group"): a_file(0o644),
    }
    live = Answers("exec", {**HONEST, unowned: found("/usr/bin/su")})
    for mode, is_drift in ((0o664, True), (0o644, False)):
        accounts = {**image, Query("file", "/etc/passwd"): a_file(mode, gid=1000)}
        if is_drift:
            check(live, Answers("image", accounts), asked=(SHADOW, unowned), **ORDINARY)
        else:
            contradiction(live, Answers("image", accounts), asked=(SHADOW, unowned), **ORDINARY)


def test_many_findings_hide_no_lie_about_another_file() -> None:
    padded = Query("walk", "/home/app", (("match", "world_writable"),))
    folders = {
        Query("file", "/home"): CLOSED[Query("file", "/")],
        Query("file", "/home/app"): a_file(0o755, kind="directory", uid=1000),
    }
    image = {**HONEST, **CLOSED, **folders, SHADOW: a_file(0o644), padded: found()}
    bad_name = "/home/app/" + "x" * 200_000
    padding = found(bad_name, *(f"/home/app/{number}" for number in range(3000)))
    live = {**HONEST, SHADOW: a_file(0o600), padded: padding}
    said = contradiction(Answers("exec", live), Answers("image", image), asked=(padded, SHADOW), **ORDINARY)
    assert said.endswith(": file:/etc/shadow")
    attack_ends_as("23-padding", outcome="contradicting_evidence")
    # what is beyond the bound is not called drift
    honest = Answers("exec", {**HONEST, SHADOW: a_file(0o644), padded: padding})
    seen = check(honest, Answers("image", image), asked=(padded, SHADOW), **ORDINARY)
    assert seen.checked is not None and seen.checked.drifted == ()
    assert "could not find out whether the container can have changed them" in evidence_of(seen).reasons[0]
    with pytest.raises(ScanError) as caught:
        check(honest, Answers("image", image), asked=(padded, SHADOW), is_required=True, **ORDINARY)
    assert caught.value.reason == "not_cross_checked"


def test_a_difference_that_the_image_does_not_explain_is_not_checked() -> None:
    image = Answers("image", {**HONEST, SHADOW: a_file(0o644)}, ScanError("timed_out", "late"))
    live = Answers("exec", {**HONEST, SHADOW: a_file(0o600)})
    with pytest.raises(ScanError) as caught:
        check(live, image, is_required=True, **ORDINARY)
    assert caught.value.reason == "not_cross_checked" and "file:/etc/shadow" in caught.value.message
    image = Answers("image", {**HONEST, SHADOW: a_file(0o644)}, ScanError("timed_out", "late"))
    seen = check(live, image, **ORDINARY)
    assert evidence_of(seen).grade == "target" and seen.checked is not None and seen.checked.drifted == ()


PACKAGES = Query("packages")
PYTHON = Query("python_packages", "/usr")


def test_an_ordinary_user_cannot_have_changed_packages_of_root() -> None:
    libraries = "/usr/lib/python3/dist-packages"
    folders = {
        Query("file", path): CLOSED[Query("file", "/")]
        for path in (
            *("/var", "/var/lib", "/var/lib/dpkg"),
            *("/usr/lib", "/usr/lib/python3", libraries),
        )
    }
    files = {
        Query("file", "/var/lib/dpkg/status"): a_file(0o644),
        Query("file", "/var/lib/dpkg/status.d"): Fact(ABSENT),
    }
    dpkg = Fact(OK, {"manager": "dpkg", "packages": [{"name": "telnet", "version": "1"}]})
    wheels = Fact(OK, [{"name": "old", "version": "1", "path": libraries}])
    image = {**HONEST, **CLOSED, **folders, **files, PACKAGES: dpkg, PYTHON: wheels}
    lies = {
        PACKAGES: (
            Fact(OK, {"manager": "dpkg", "packages": []}),
            Fact(OK, {"manager": "apk", "packages": []}),
        ),
        PYTHON: (Fact(OK, []), Fact(ABSENT)),
    }
    own = {
        PACKAGES: {Query("file", "/var/lib/dpkg/status"): a_file(0o644, uid=1000)},
        PYTHON: {Query("file", libraries): a_file(0o755, kind="directory", uid=1000)},
    }
    for query, told in lies.items():
        for lie in told:
            live = {**HONEST, SHADOW: a_file(0o644), query: lie}
            where = {**image, SHADOW: a_file(0o644)}
            said = contradiction(
                Answers("exec", live), Answers("image", where), asked=(SHADOW, query), **ORDINARY
            )
            assert said.endswith(query.key)
            check(
                Answers("exec", live),
                Answers("image", {**where, **own[query]}),
                asked=(SHADOW, query),
                **ORDINARY,
            )
    attack_ends_as("23-hidden-package", outcome="contradicting_evidence")


@pytest.mark.parametrize(
    ("path", "fact"),
    [
        ("/etc/shadow", a_file(0o4646)),
        ("/etc/shadow", a_file(0o400, uid=1000)),
        ("/etc", a_file(0o777, kind="directory")),
        ("/", a_file(0o755, uid=1000, kind="directory")),
        ("/etc", Fact(UNREADABLE)),
        ("/etc", a_file(0o755, kind="directory", link_target="usr/etc")),
    ],
    ids=["by all", "its own", "folder", "own root", "unread", "link"],
)
def test_what_the_user_can_write_or_what_is_not_known_is_no_contradiction(path: str, fact: Fact) -> None:
    in_image = {**HONEST, SHADOW: a_file(0o644), **CLOSED, Query("file", path): fact}
    own = in_image[SHADOW].value
    # written: another size, and no setuid any more
    live = {**HONEST, SHADOW: a_file(own["mode"] & 0o777, uid=own["uid"], size=99)}
    image = Answers("image", in_image)
    user = {"uid": 1000, "gid": 1000, "supplementalGroups": [7]}
    assert check(Answers("exec", live), image, **{**ORDINARY, "user": user}).checked is not None


@pytest.mark.parametrize("gid", [1000, 7], ids=["its group", "a further group"])
def test_what_a_group_of_the_user_can_write_is_no_contradiction(gid: int) -> None:
    live = {**HONEST, SHADOW: a_file(0o664, gid=gid, mtime=9)}
    image = Answers("image", {**HONEST, **CLOSED, SHADOW: a_file(0o664, gid=gid)})
    user = {"uid": 1000, "gid": 1000, "supplementalGroups": [7]}
    check(Answers("exec", live), image, **{**ORDINARY, "user": user})


def test_who_can_only_write_a_file_cannot_have_set_its_mode_or_made_it_or_removed_it() -> None:
    image = Answers("image", {**HONEST, **CLOSED, SHADOW: a_file(0o666)})
    for lie in (a_file(0o640), a_file(0o666, uid=1), Fact(ABSENT)):
        contradiction(Answers("exec", {**HONEST, SHADOW: lie}), image, **ORDINARY)
    missing = Answers("image", {**HONEST, **CLOSED, SHADOW: Fact(ABSENT)})
    contradiction(Answers("exec", HONEST), missing, **ORDINARY)


@pytest.mark.parametrize(
    "changed",
    [
        {"allowPrivilegeEscalation": True},
        {"user": {"uid": 0, "gid": 0}},
        {"user": {}},
        {"capabilities": {"add": ["CHOWN"]}},
    ],
    ids=str,
)
def test_a_user_that_can_get_more_rights_or_is_not_known_is_no_proof(changed: Mapping[str, Any]) -> None:
    image = Answers("image", {**HONEST, **CLOSED, SHADOW: a_file(0o644)})
    check(Answers("exec", {**HONEST, SHADOW: a_file(0o600)}), image, **{**ORDINARY, **changed})


# No second approach


def test_without_a_second_approach_the_evidence_is_no_better_than_the_targets_own() -> None:
    gone = Answers("debug", ScanError("target_privileged", "it runs as root"))
    seen = check(Answers("image", HONEST), gone)
    assert evidence_of(seen).grade == "target"
    assert "there was none (debug: target_privileged)" in evidence_of(seen).reasons[0]
    assert seen.checked is not None and seen.checked.approach == ""


def test_where_it_is_required_the_target_is_not_scanned() -> None:
    with pytest.raises(ScanError) as caught:
        check(Answers("exec", HONEST), Answers("debug", ScanError("timed_out", "late")), is_required=True)
    assert caught.value.reason == "not_cross_checked" and "debug: timed_out" in caught.value.message


def test_one_of_the_same_grade_is_no_check() -> None:
    same, other = Answers("sidecar", HONEST), Answers("image", HONEST)
    seen = check(Answers("debug", HONEST), same, other)
    assert same.asked == [] and seen.checked is not None and seen.checked.approach == "image"


def test_a_second_approach_that_could_read_nothing_is_none() -> None:
    nothing = {query: Fact(UNREADABLE) for query in ALL}
    assert (
        "nothing that it saw can be compared"
        in evidence_of(check(Answers("exec", HONEST), Answers("debug", nothing))).reasons[0]
    )


def test_a_scan_that_is_cancelled_asks_no_further_approach() -> None:
    with pytest.raises(ScanError) as caught:
        check(Answers("exec", HONEST), Answers("debug", ScanError("cancelled", "")), Answers("image", HONEST))
    assert caught.value.reason == "cancelled"


def test_many_long_names_are_bounded() -> None:
    queries = tuple(Query("sha256", f"/opt/{number}{'x' * 200}") for number in range(40))
    said = contradiction(
        Answers("exec", {query: Fact(OK, "a" * 64) for query in queries}),
        Answers("debug", {query: Fact(OK, "b" * 64) for query in queries}),
        asked=queries,
    )
    assert said.startswith("a difference in 40 facts between ") and said.endswith("and 30 more")
    assert len(said) < 1500


def test_all_that_were_opened_are_counted_and_closed_once() -> None:
    first, second = Answers("exec", HONEST), Answers("debug", HONEST)
    checked = CrossChecked(first, [second, first], is_required=False)
    checked.collect(selected(), make_request(ALL))
    checked.close()
    assert checked.execs == 2 and (first.closed, second.closed) == (1, 1)


# A session


class Opened:
    """A session on one target, as far as a cross-check needs one."""

    def __init__(self, first: Answers, target: SelectedTarget) -> None:
        self.entered = Entered(first.name, ExecPlace("shop", "api-1", "app", ("sh",)), "shop/api-1/app")
        self.collecting: Any = lambda request, _is_last: first.collect(target, request).facts

    def change_collecting(self, change: Any) -> None:
        self.collecting = change(self.collecting)


def test_each_answer_of_a_session_is_checked() -> None:
    first, second = Answers("exec", HONEST, LIE), Answers("debug", HONEST)
    first.enter = lambda target: Opened(first, target)  # type: ignore[attr-defined]
    session: Any = CrossChecked(first, [second], is_required=False).enter(selected())
    facts = session.collecting(make_request(ALL), False)
    assert facts.get_fact(SHADOW) == HONEST[SHADOW]
    assert collected_in(session, facts).checked == Checked("debug", 3, ())
    with pytest.raises(ScanError) as caught:
        session.collecting(make_request(ALL), True)
    assert caught.value.reason == "contradicting_evidence"


# Passed over


@pytest.mark.parametrize("approach", ["image", "debug"])
def test_of_a_container_that_hides_its_files_from_one_approach_another_is_not_believed_more(
    approach: str,
) -> None:
    masked = Answers("exec", ScanError("target_unreadable", "something is mounted at '/etc'"))
    seen = AutoApproach([masked, Answers(approach, HONEST)], {}).collect(selected(), make_request(ALL))
    evidence = evidence_of(seen)
    assert seen.approach == approach and evidence.grade == "target"
    assert "shows another file system than its runtime gave it" in evidence.reasons[0]
    no_shell = Answers("exec", ScanError("no_such_program", "sh"))
    seen = AutoApproach([no_shell, Answers(approach, HONEST)], {}).collect(selected(), make_request(ALL))
    assert evidence_of(seen).reasons == ()
