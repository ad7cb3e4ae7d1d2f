"""An unmodified xrpl-py gets its wallets from the faucet, and goes forward in time; ends with "ok"."""
import os

from xrpl.account import get_balance
from xrpl.clients import JsonRpcClient
from xrpl.models import EscrowCreate, EscrowFinish, GenericRequest
from xrpl.transaction import submit_and_wait
from xrpl.wallet import generate_faucet_wallet

client = JsonRpcClient(os.environ["XRPL_RPC"])
one, other = (generate_faucet_wallet(client, faucet_host=os.environ["XRPL_RPC"]) for _ in range(2))
assert get_balance(one.address, client, "validated") == 1_000_000_000


def ask(method, **params):
    response = client.request(GenericRequest(method=method, **params))
    assert response.is_successful(), response
    return response.result


finish_after = ask("standalone_info")["close_time"] + 30 * 86400
created = submit_and_wait(
    EscrowCreate(account=one.address, destination=other.address, amount="1000000", finish_after=finish_after),
    client, one,
).result
assert created["meta"]["TransactionResult"] == "tesSUCCESS", created
# A month goes by.
ask("standalone_advance_time", seconds=30 * 86400 + 60)
finished = submit_and_wait(
    EscrowFinish(account=other.address, owner=one.address, offer_sequence=created["tx_json"]["Sequence"]),
    client, other,
).result
assert finished["meta"]["TransactionResult"] == "tesSUCCESS", finished
print("ok")
