"""A pytest plugin that counts tests and fails a run which does not test the installed wheel.

Standalone: copied into the environment under test, where wheelworks is not installed. Needs pytest
7 or later and the standard library, in Python 3.8 syntax. Reads three variables: the guarded import
names, the folder they must come from, the JSON file to write. Does nothing without them, nor inside
a test that runs pytest.

PYTEST_DONT_REWRITE: a pytest inside a test would warn that the plugin is already imported.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from pytest import TerminalReporter  # noqa: PT013 - not exported by pytest 7

NAMES_VARIABLE = "WHEELWORKS_GUARD_NAMES"
PREFIX_VARIABLE = "WHEELWORKS_GUARD_PREFIX"
RESULT_VARIABLE = "WHEELWORKS_GUARD_RESULT"
OWNER_VARIABLE = "WHEELWORKS_GUARD_OWNER"
WORKER_KEY = "wheelworks_guard"
PLUGIN_NAME = "wheelworks-guard"
RESULT_SCHEMA = 1
#: The later outranks the earlier when a test reports several (a passed call, then a failed
#: teardown).
RANKS = ("passed", "skipped", "failed", "errors")


def is_within(path: str, folder: str) -> bool:
    """Whether the path lies below the folder, links resolved on both sides."""
    child = os.path.normcase(os.path.realpath(path))
    parent = os.path.normcase(os.path.realpath(folder))
    return child.startswith(parent.rstrip(os.sep) + os.sep)


def module_places(module: object) -> list[str]:
    """Where a module was found: its file, or a namespace package's folders; else nothing."""
    file = getattr(module, "__file__", None)
    if isinstance(file, str):
        return [file]
    try:
        return [place for place in getattr(module, "__path__", ()) if isinstance(place, str)]
    except TypeError:  # A stand-in that a test put there.
        return []


def find_strangers(
    modules: Mapping[str, object], names: Iterable[str], prefix: str
) -> tuple[dict[str, str], bool]:
    """The guarded modules from elsewhere, name -> place; and whether any guarded one is there.

    A namespace package is a stranger only when no folder of it lies below the prefix.
    """
    guarded = tuple(names)
    strangers = {}
    is_imported = False
    for name, module in list(modules.items()):
        if not any(name == one or name.startswith(one + ".") for one in guarded):
            continue
        is_imported = True
        places = module_places(module)
        if places and not any(is_within(place, prefix) for place in places):
            strangers[name] = places[0]
    return strangers, is_imported


class Guard:
    """Watches one pytest session; a pytest-xdist worker only looks and tells the controller."""

    def __init__(
        self, *, names: tuple[str, ...], prefix: str, result: str | None, is_worker: bool
    ) -> None:
        self.names = names
        self.prefix = prefix
        self.result = result
        self.is_worker = is_worker
        self.strangers: dict[str, str] = {}
        self.is_imported = False
        self.outcomes: dict[str, str] = {}
        self.files: dict[str, None] = {}
        self.earlier = earlier_sessions(result)

    def look(self) -> str | None:
        """Compare what is imported with the prefix; the complaint, or None."""
        strangers, is_imported = find_strangers(sys.modules, self.names, self.prefix)
        self.strangers.update(strangers)
        self.is_imported = self.is_imported or is_imported
        return self.complaint()

    def complaint(self) -> str | None:
        """One line about what was imported from elsewhere."""
        if not self.strangers:
            return None
        name, place = min(self.strangers.items())
        return f"{name} was imported from {place}, expected below {self.prefix}"

    def note(self, node_id: str, outcome: str) -> None:
        """Remember a test's outcome; the worst one counts."""
        known = self.outcomes.get(node_id, outcome)
        self.outcomes[node_id] = max(known, outcome, key=RANKS.index)

    def write(self, exit_status: int | None) -> None:
        """Replace the result file.

        The verdict outranks its record, so that a write that fails is no failure.
        """
        if self.result is None or self.is_worker:
            return
        counted = collections.Counter(self.outcomes.values())
        warnings = []
        if exit_status is not None and self.names and not self.is_imported:
            warnings.append("the tests imported no module of {}".format(", ".join(self.names)))
        session = {
            "exit_status": exit_status,
            "counts": {**{rank: counted[rank] for rank in RANKS}, "total": len(self.outcomes)},
            "failed": [
                node for node, rank in self.outcomes.items() if rank in ("failed", "errors")
            ],
            "violations": [
                {"module": name, "file": file} for name, file in sorted(self.strangers.items())
            ],
            "warnings": warnings,
            "last_file": list(self.files)[-1] if self.files else None,
        }
        document = {"schema": RESULT_SCHEMA, "sessions": [*self.earlier, session]}
        unfinished = f"{self.result}.{os.getpid()}.tmp"
        with contextlib.suppress(OSError):
            with open(unfinished, "w", encoding="utf-8") as stream:  # noqa: PTH123
                json.dump(document, stream)
            os.replace(unfinished, self.result)  # noqa: PTH105

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """After collection, when conftest files and test modules are imported."""
        complaint = self.look()
        if complaint is None:
            return
        if self.is_worker:
            session.shouldfail = complaint
        else:
            raise session.Failed(complaint)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, None, None]:
        """After the last test of each module."""
        yield
        if nextitem is None or nextitem.location[0] != item.location[0]:
            complaint = self.look()
            if complaint is not None:
                item.session.shouldfail = complaint

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count; the controller of pytest-xdist sees the reports of its workers here."""
        if report.failed:
            self.note(report.nodeid, "failed" if report.when == "call" else "errors")
        elif report.skipped:
            self.note(report.nodeid, "skipped")
        elif report.passed and report.when == "call":
            self.note(report.nodeid, "passed")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count a file that can't be collected as an error, one that skips itself as skipped."""
        if report.failed:
            self.note(report.nodeid, "errors")
        elif report.skipped:
            self.note(report.nodeid, "skipped")

    def pytest_runtest_logstart(self, location: tuple[str, int | None, str]) -> None:
        """Record the state at each new file, so that a crash of the interpreter leaves it."""
        if location[0] not in self.files:
            self.files[location[0]] = None
            self.write(None)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """Take over what a pytest-xdist worker saw."""
        seen = getattr(node, "workeroutput", {}).get(WORKER_KEY)
        if seen is not None:
            self.strangers.update(seen["strangers"])
            self.is_imported = self.is_imported or seen["is_imported"]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """The last look; a stranger turns any ending into a failure."""
        self.look()
        if self.is_worker:
            output: dict[str, object] = session.config.workeroutput  # type: ignore[attr-defined]
            output[WORKER_KEY] = {"strangers": self.strangers, "is_imported": self.is_imported}
        if self.strangers:
            session.exitstatus = exitstatus = int(pytest.ExitCode.TESTS_FAILED)
        self.write(int(exitstatus))

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """A section that names every stranger."""
        if not self.strangers:
            return
        terminalreporter.write_sep("=", "wheelworks guard: not the installed wheel", red=True)
        for name, place in sorted(self.strangers.items()):
            terminalreporter.write_line(f"module {name} was imported from {place}")
        terminalreporter.write_line(f"expected below {self.prefix}")
        terminalreporter.write_line(
            "hint: keep the package away from the tests ([tool.wheelworks.test] sources)"
        )


def earlier_sessions(result: str | None) -> list[object]:
    """What earlier pytest runs of the same command left in the result file."""
    if result is None:
        return []
    try:
        with open(result, encoding="utf-8") as stream:  # noqa: PTH123
            sessions = json.load(stream)["sessions"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return sessions if isinstance(sessions, list) else []


def pytest_configure(config: pytest.Config) -> None:
    """Start to watch, unless this pytest runs inside a guarded test or nothing asks for it."""
    is_worker = hasattr(config, "workerinput")
    prefix = os.environ.get(PREFIX_VARIABLE)
    if prefix is None or (OWNER_VARIABLE in os.environ and not is_worker):
        return
    guard = Guard(
        names=tuple(filter(None, os.environ.get(NAMES_VARIABLE, "").split(","))),
        prefix=prefix,
        result=os.environ.get(RESULT_VARIABLE),
        is_worker=is_worker,
    )
    config.pluginmanager.register(guard, PLUGIN_NAME)
    if not is_worker:
        os.environ[OWNER_VARIABLE] = str(os.getpid())
    guard.write(None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let a later pytest of this process be watched as well."""
    guard = (
        config.pluginmanager.unregister(name=PLUGIN_NAME)
        if config.pluginmanager.has_plugin(PLUGIN_NAME)
        else None
    )
    if guard is not None and not hasattr(config, "workerinput"):
        os.environ.pop(OWNER_VARIABLE, None)
