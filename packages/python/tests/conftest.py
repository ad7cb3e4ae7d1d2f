import pytest


@pytest.fixture(scope="session")
def xrpl_ledger_options():
    return {"accounts": 4}
