"""Listens to ledgers, transactions and a book, and pages through account_tx with an unmodified xrpl-py;
ends with "ok"."""
import os

from xrpl.clients import JsonRpcClient, WebsocketClient
from xrpl.constants import CryptoAlgorithm
from xrpl.models import (
    AccountSet, AccountTx, IssuedCurrency, IssuedCurrencyAmount, OfferCreate, Payment, StreamParameter,
    Subscribe, SubscribeBook, XRP,
)
from xrpl.transaction import submit_and_wait
from xrpl.utils import get_order_book_changes, xrp_to_drops
from xrpl.wallet import Wallet

client = JsonRpcClient(os.environ["XRPL_RPC"])
genesis = Wallet.from_seed("snoPBrXtMeMyMHUVTgbuqAfg1SUTb", algorithm=CryptoAlgorithm.SECP256K1)
alice, gateway = Wallet.create(), Wallet.create()


def send(transaction, wallet):
    result = submit_and_wait(transaction, client, wallet).result
    assert result["meta"]["TransactionResult"] == "tesSUCCESS", result
    return result


with WebsocketClient(os.environ["XRPL_WS"]) as listener:
    listener.send(Subscribe(streams=[StreamParameter.LEDGER, StreamParameter.TRANSACTIONS]))
    book = SubscribeBook(
        taker=gateway.address, taker_gets=XRP(), taker_pays=IssuedCurrency(currency="USD", issuer=gateway.address)
    )
    listener.send(Subscribe(books=[book]))
    wanted = []
    for to in (alice, gateway):
        payment = Payment(account=genesis.address, destination=to.address, amount=xrp_to_drops(100))
        wanted.append(send(payment, genesis)["hash"])
    usd = IssuedCurrencyAmount(currency="USD", issuer=gateway.address, value="5")
    # With a flag: the library reads no new offer without.
    offered = send(OfferCreate(account=alice.address, taker_gets="1000000", taker_pays=usd, flags=0x00080000), alice)
    wanted.append(offered["hash"])
    assert get_order_book_changes(offered["meta"])[0]["maker_account"] == alice.address
    indexes, seen = [], []
    for message in listener:
        if message.get("type") == "ledgerClosed":
            indexes.append(message["ledger_index"])
        if message.get("type") == "transaction":
            assert message["validated"], message
            seen.append(message["hash"])
        if set(wanted) <= set(seen):
            break
    assert indexes == sorted(set(indexes)), indexes

for _ in range(4):
    send(AccountSet(account=alice.address), alice)
pages, marker = [], None
while True:
    result = client.request(AccountTx(account=alice.address, limit=2, marker=marker)).result
    pages.append([one["hash"] for one in result["transactions"]])
    marker = result.get("marker")
    if marker is None:
        break
assert len(pages) >= 3 and all(len(page) <= 2 for page in pages), pages
assert len({one for page in pages for one in page}) == 6, pages
print("ok")
