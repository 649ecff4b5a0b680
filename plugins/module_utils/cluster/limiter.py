# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How hard one cluster may be pressed: requests a second, and work in flight per cluster, node and namespace.

The API server exempts exec from its own flow control, so nothing but this protects it, and the nodes, from a scan.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..network.deadline import Deadline


class Limiter:
    """One for each cluster, shared by its threads.

    :param rate: requests a second in the long run; None for no limit
    :param burst: requests that may go at once after a pause
    :param per_cluster: slots that may be held at once; likewise per_node, per_namespace. None for no limit.
    """

    def __init__(
        self,
        rate: float | None = None,
        burst: int = 20,
        per_cluster: int | None = None,
        per_node: int | None = None,
        per_namespace: int | None = None,
    ) -> None:
        self._rate = rate
        self._burst = max(1, burst)
        self._caps = {"cluster": per_cluster, "node": per_node, "namespace": per_namespace}
        self._held: dict[tuple[str, str], int] = {}
        self._changed = threading.Condition()
        self._tokens = float(self._burst)
        self._filled = time.monotonic()

    @contextmanager
    def slot(self, node: str = "", namespace: str = "", deadline: Deadline | None = None) -> Iterator[None]:
        """Hold one place on the cluster, the node and the namespace, and use up one request of the rate.

        All three are taken at once or not at all, so holders never wait for each other.

        :raises ScanError: cancelled, timed_out while waiting
        """
        deadline = deadline or Deadline(threading.TIMEOUT_MAX)
        keys = [("cluster", "")] + [key for key in (("node", node), ("namespace", namespace)) if key[1]]
        with self._changed:
            while not all(self._is_free(key) for key in keys):
                deadline.check()
                self._changed.wait(deadline.slice())
            for key in keys:
                self._held[key] = self._held.get(key, 0) + 1
        try:
            self.pace(deadline)
            yield
        finally:
            with self._changed:
                for key in keys:
                    self._held[key] -= 1
                    if not self._held[key]:
                        del self._held[key]
                self._changed.notify_all()

    def pace(self, deadline: Deadline) -> None:
        """Use up one request of the rate, waiting for it where it must. Takes no slot, so it is free of deadlock.

        :raises ScanError: cancelled, timed_out while waiting
        """
        if self._rate is None:
            return
        with self._changed:
            now = time.monotonic()
            self._tokens = min(float(self._burst), self._tokens + (now - self._filled) * self._rate) - 1
            self._filled = now
            wait = -self._tokens / self._rate
        if wait > 0:
            # The token is ours already, only not yet due: waiters are served in the order in which they came.
            deadline.sleep(wait)

    def in_flight(self) -> int:
        """How many slots are held now."""
        with self._changed:
            return self._held.get(("cluster", ""), 0)

    def _is_free(self, key: tuple[str, str]) -> bool:
        cap = self._caps[key[0]]
        return cap is None or self._held.get(key, 0) < cap
