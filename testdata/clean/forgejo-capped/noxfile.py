"""Sessions for local use and for CI."""

import os

import nox

nox.options.sessions = ["unit_tests"]


def _default_processes() -> int:
    """How many behave processes run at once."""
    configured = os.environ.get("TEST_PROCESSES")
    if configured:
        return int(configured)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _run_behave(session: nox.Session, folder: str) -> None:
    session.install("-e", ".[tests]", "behavex")
    session.run(
        "behavex",
        "--parallel-processes",
        str(_default_processes()),
        "--parallel-scheme",
        "scenario",
        folder,
        *session.posargs,
    )


@nox.session(python="3.13")
def unit_tests(session: nox.Session) -> None:
    """The scenarios that need no server."""
    _run_behave(session, "features/unit")


@nox.session(python="3.13")
def e2e_tests(session: nox.Session) -> None:
    """The scenarios that need one."""
    _run_behave(session, "features/e2e")
