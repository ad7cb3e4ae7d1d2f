from datetime import datetime, timezone

import pytest
from xrpl.account import get_balance
from xrpl.clients import JsonRpcClient
from xrpl.models import Payment
from xrpl.transaction import submit_and_wait
from xrpl.wallet import Wallet

from xrpl_standalone import LedgerError, start_ledger


@pytest.mark.parametrize("round", [1, 2])
def test_each_test_has_the_ledger_as_new(xrpl_ledger, round):
    client = JsonRpcClient(xrpl_ledger.rpc)
    one, other = (Wallet.from_seed(account.seed) for account in xrpl_ledger.accounts[:2])
    assert one.address == xrpl_ledger.accounts[0].address
    assert get_balance(other.address, client, "validated") == 10_000_000_000
    paid = submit_and_wait(Payment(account=one.address, destination=other.address, amount="5"), client, one)
    assert paid.result["meta"]["TransactionResult"] == "tesSUCCESS"
    assert get_balance(other.address, client, "validated") == 10_000_000_005


def test_options_time_and_errors(xrpl_ledger):
    assert len(xrpl_ledger.accounts) == 4
    with start_ledger(start_time=datetime(2026, 1, 1, tzinfo=timezone.utc), amendments=["all", "-DID"]) as ledger:
        clean = ledger.snapshot("clean")
        later = ledger.advance_time(86_400)
        assert later["close_time_iso"].startswith("2026-01-02T")
        assert ledger.close(10)["ledger_index"] == later["ledger_index"] + 10
        ledger.set_closing("manual")
        ledger.revert(clean)
        ledger.drop_snapshot(clean)
        with pytest.raises(LedgerError) as refused:
            ledger.revert(clean)
        assert refused.value.error == "invalidParams"
    with pytest.raises(OSError):
        ledger.request("ping")
    with pytest.raises(RuntimeError, match="mainnet"):
        start_ledger(amendments="some")
