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
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.cross_check import CrossChecked
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.graded import evidence_of
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.session import Checked, Entered
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.open_exec import ExecPlace
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    ABSENT,
    OK,
    UNREADABLE,
    Fact,
    Facts,
    Query,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import make_request
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import SelectedTarget
from ansible_collections.securescan.kubernetes.tests.support.sample_results import make_target

SHADOW = Query("file", "/etc/shadow")
CONFIG = Query("sha256", "/etc/app.conf")
SETUID = Query("walk", "/usr", (("match", "setuid"),))
PROCESSES = Query("processes")
ALL = (SHADOW, CONFIG, SETUID, PROCESSES)


def a_file(mode: int = 0o640, uid: int = 0, gid: int = 0, kind: str = "file", **more: Any) -> Fact:
    value = {"type": kind, "mode": mode, "uid": uid, "gid": gid, "size": 10, "mtime": 5, "link_target": None}
    return Fact(OK, {**value, **more})


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
