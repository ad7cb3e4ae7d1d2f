"""Pays, trusts and reads with an unmodified xrpl-py; ends with "ok"."""
import os

from xrpl.clients import JsonRpcClient
from xrpl.constants import CryptoAlgorithm
from xrpl.models import AccountInfo, AccountLines, AccountSet, IssuedCurrencyAmount, Payment, TrustSet, Tx
from xrpl.transaction import submit_and_wait
from xrpl.utils import xrp_to_drops
from xrpl.wallet import Wallet

client = JsonRpcClient(os.environ["XRPL_RPC"])
genesis = Wallet.from_seed("snoPBrXtMeMyMHUVTgbuqAfg1SUTb", algorithm=CryptoAlgorithm.SECP256K1)
issuer, holder = Wallet.create(), Wallet.create(algorithm=CryptoAlgorithm.SECP256K1)


def done(transaction, wallet):
    result = submit_and_wait(transaction, client, wallet).result
    assert result["validated"], result
    assert result["meta"]["TransactionResult"] == "tesSUCCESS", result
    return result


for wallet in (issuer, holder):
    done(Payment(account=genesis.address, destination=wallet.address, amount=xrp_to_drops(1000)), genesis)
done(AccountSet(account=issuer.address, set_flag=8), issuer)


def usd(value):
    return IssuedCurrencyAmount(currency="USD", issuer=issuer.address, value=value)


done(TrustSet(account=holder.address, limit_amount=usd("1000")), holder)
paid = done(Payment(account=issuer.address, destination=holder.address, amount=usd("12.5")), issuer)
lines = client.request(AccountLines(account=holder.address)).result["lines"]
assert lines[0]["balance"] == "12.5", lines
assert client.request(Tx(transaction=paid["hash"])).result["validated"]
missing = client.request(AccountInfo(account=Wallet.create().address))
assert not missing.is_successful() and missing.result["error"] == "actNotFound", missing
print("ok")
