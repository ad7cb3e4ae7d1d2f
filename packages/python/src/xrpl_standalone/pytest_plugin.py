"""Fixtures for pytest: one ledger a session, as new for each test."""

from typing import Any, Dict, Iterator

import pytest

from . import Ledger, start_ledger


@pytest.fixture(scope="session")
def xrpl_ledger_options() -> Dict[str, Any]:
    """Options of start_ledger; a fixture of this name in a conftest.py takes its place."""
    return {}


@pytest.fixture(scope="session")
def xrpl_ledger_of_session(xrpl_ledger_options: Dict[str, Any]) -> Iterator[Ledger]:
    """The ledger, with what other tests left in it."""
    with start_ledger(**xrpl_ledger_options) as ledger:
        yield ledger


@pytest.fixture
def xrpl_ledger(xrpl_ledger_of_session: Ledger) -> Iterator[Ledger]:
    """The ledger as it was at the start."""
    clean = xrpl_ledger_of_session.snapshot()
    yield xrpl_ledger_of_session
    xrpl_ledger_of_session.revert(clean)
    xrpl_ledger_of_session.drop_snapshot(clean)
