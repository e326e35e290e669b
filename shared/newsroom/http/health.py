"""Is the process alive, and may it be sent work? Answered at `/health/live` and `/health/ready`."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

import structlog

from newsroom.articles import Contract

Check = Callable[[], Awaitable[bool] | bool]
CHECK_SECONDS = 2.0
log = structlog.get_logger(__name__)


class HealthReport(Contract):
    """What `/health/…` says: `ok`, `failing` or `stopping`, and each check by name."""

    status: str
    service: str
    checks: dict[str, bool]

    @property
    def is_good(self) -> bool:
        return self.status == "ok"


class Health:
    """The checks of one process. A check that raises or takes longer than two seconds has failed."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._ready: dict[str, Check] = {}
        self._live: dict[str, Check] = {}
        self._is_stopping = False

    def add_ready(self, name: str, check: Check) -> None:
        """Send no work here unless this holds."""
        self._ready[name] = check

    def add_live(self, name: str, check: Check) -> None:
        """Restart the process unless this holds: for what a restart can mend, never for a dependency."""
        self._live[name] = check

    def stopping(self) -> None:
        """Not ready from now on."""
        self._is_stopping = True

    async def ready(self) -> HealthReport:
        report = await self._ask(self._ready)
        return report.model_copy(update={"status": "stopping"}) if self._is_stopping else report

    async def live(self) -> HealthReport:
        return await self._ask(self._live)

    async def _ask(self, checks: dict[str, Check]) -> HealthReport:
        answers = await asyncio.gather(*(self._holds(name, check) for name, check in checks.items()))
        found = dict(zip(checks, answers, strict=True))
        return HealthReport(status="ok" if all(answers) else "failing", service=self.service, checks=found)

    @staticmethod
    async def _holds(name: str, check: Check) -> bool:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                answer = check()
                return bool(await answer if inspect.isawaitable(answer) else answer)
        except Exception as error:  # noqa: BLE001  (a check that cannot be made has failed; the reason is logged)
            log.warning("health_check_failed", check=name, error=type(error).__name__)
            return False
