"""Mints and sells NFTs, issues and pays MPTs, uses checks, escrows, channels, offers, pools, delegates
and batches with an unmodified xrpl-py; ends with "ok"."""
import os
from concurrent.futures import ThreadPoolExecutor

from xrpl.clients import JsonRpcClient
from xrpl.constants import CryptoAlgorithm
from xrpl.core.binarycodec import encode_for_signing_claim
from xrpl.core.keypairs import sign
from xrpl.models import (
    AMMCreate, AMMDeposit, AMMInfo, AMMWithdraw, AccountChannels, AccountLines, AccountNFTs,
    AccountObjects, AccountSet, Batch, BookOffers, CheckCash, CheckCreate, DelegateSet, EscrowCreate,
    EscrowFinish, IssuedCurrency, IssuedCurrencyAmount, Ledger, MPTAmount, MPTokenAuthorize,
    MPTokenIssuanceCreate, NFTokenAcceptOffer, NFTokenBurn, NFTokenCreateOffer, NFTokenMint,
    NFTSellOffers, OfferCreate, Payment, PaymentChannelClaim, PaymentChannelCreate, TrustSet, XRP,
)
from xrpl.models.transactions import BatchFlag
from xrpl.models.transactions.delegate_set import Permission
from xrpl.transaction import sign_and_submit, submit_and_wait
from xrpl.utils import xrp_to_drops
from xrpl.account import get_balance
from xrpl.wallet import Wallet

client = JsonRpcClient(os.environ["XRPL_RPC"])
genesis = Wallet.from_seed("snoPBrXtMeMyMHUVTgbuqAfg1SUTb", algorithm=CryptoAlgorithm.SECP256K1)


def send(transaction, wallet):
    result = submit_and_wait(transaction, client, wallet).result
    assert result["meta"]["TransactionResult"] == "tesSUCCESS", result
    return result


def ask(request):
    response = client.request(request)
    assert response.is_successful(), response
    return response.result


def created(result, kind):
    nodes = [node["CreatedNode"] for node in result["meta"]["AffectedNodes"] if "CreatedNode" in node]
    found = [node["LedgerIndex"] for node in nodes if node["LedgerEntryType"] == kind]
    assert len(found) == 1, result
    return found[0]


def nfts(alice, bob, _):
    minted = send(NFTokenMint(account=alice.address, nftoken_taxon=7, flags=8, uri="61"), alice)
    token = minted["meta"]["nftoken_id"]
    offered = send(
        NFTokenCreateOffer(account=alice.address, nftoken_id=token, amount=xrp_to_drops(5), flags=1), alice
    )
    offer = offered["meta"]["offer_id"]
    assert ask(NFTSellOffers(nft_id=token))["offers"][0]["nft_offer_index"] == offer
    send(NFTokenAcceptOffer(account=bob.address, nftoken_sell_offer=offer), bob)
    owned = ask(AccountNFTs(account=bob.address))["account_nfts"]
    assert [nft["NFTokenID"] for nft in owned] == [token], owned
    send(NFTokenBurn(account=bob.address, nftoken_id=token), bob)


def mpts(alice, bob, _):
    issued = send(
        MPTokenIssuanceCreate(account=alice.address, asset_scale=2, maximum_amount="1000", flags=32), alice
    )
    issuance = issued["meta"]["mpt_issuance_id"]
    send(MPTokenAuthorize(account=bob.address, mptoken_issuance_id=issuance), bob)
    amount = MPTAmount(mpt_issuance_id=issuance, value="40")
    send(Payment(account=alice.address, destination=bob.address, amount=amount), alice)
    held = ask(AccountObjects(account=bob.address, type="mptoken"))["account_objects"]
    assert held[0]["MPTAmount"] == "40", held


def checks(alice, bob, _):
    made = send(
        CheckCreate(account=alice.address, destination=bob.address, send_max=xrp_to_drops(7)), alice
    )
    check = created(made, "Check")
    send(CheckCash(account=bob.address, check_id=check, amount=xrp_to_drops(6)), bob)
    assert ask(AccountObjects(account=alice.address))["account_objects"] == []


def escrows(alice, bob, _):
    def now():
        return ask(Ledger(ledger_index="validated"))["ledger"]["close_time"]

    until = now() + 20
    made = send(
        EscrowCreate(
            account=alice.address, destination=bob.address, amount=xrp_to_drops(3), finish_after=until
        ),
        alice,
    )
    # Each ledger closes a second after the one before at the least.
    while now() <= until:
        send(AccountSet(account=alice.address), alice)
    sequence = made["tx_json"]["Sequence"]
    send(EscrowFinish(account=bob.address, owner=alice.address, offer_sequence=sequence), bob)


def channels(alice, bob, _):
    made = send(
        PaymentChannelCreate(
            account=alice.address, destination=bob.address, amount=xrp_to_drops(10), settle_delay=60,
            public_key=alice.public_key,
        ),
        alice,
    )
    channel = created(made, "PayChannel")
    amount = xrp_to_drops(4)
    claim = encode_for_signing_claim({"channel": channel, "amount": amount})
    send(
        PaymentChannelClaim(
            account=bob.address, channel=channel, amount=amount, balance=amount,
            signature=sign(claim, alice.private_key), public_key=alice.public_key, flags=0x00020000,
        ),
        bob,
    )
    assert ask(AccountChannels(account=alice.address))["channels"] == []


def exchange(alice, bob, gateway):
    send(AccountSet(account=gateway.address, set_flag=8), gateway)

    def usd(value):
        return IssuedCurrencyAmount(currency="USD", issuer=gateway.address, value=value)

    for holder in (alice, bob):
        send(TrustSet(account=holder.address, limit_amount=usd("10000")), holder)
        send(Payment(account=gateway.address, destination=holder.address, amount=usd("1000")), gateway)
    send(OfferCreate(account=alice.address, taker_gets=usd("10"), taker_pays=xrp_to_drops(20)), alice)
    asset = IssuedCurrency(currency="USD", issuer=gateway.address)
    book = BookOffers(taker_gets=asset, taker_pays=XRP())
    assert len(ask(book)["offers"]) == 1
    send(OfferCreate(account=bob.address, taker_gets=xrp_to_drops(20), taker_pays=usd("10")), bob)
    assert ask(book)["offers"] == []
    lines = ask(AccountLines(account=bob.address))["lines"]
    assert lines[0]["balance"] == "1010", lines
    send(
        AMMCreate(account=alice.address, amount=xrp_to_drops(100), amount2=usd("100"), trading_fee=500), alice
    )
    pool = {"asset": XRP(), "asset2": asset}
    send(
        AMMDeposit(
            account=bob.address, amount=xrp_to_drops(50), amount2=usd("50"), flags=0x00100000, **pool
        ),
        bob,
    )
    amm = ask(AMMInfo(**pool))["amm"]
    assert (amm["amount"], amm["amount2"]["value"]) == (xrp_to_drops(150), "150"), amm
    for trader in (alice, bob):
        send(AMMWithdraw(account=trader.address, flags=0x00020000, **pool), trader)
    assert not client.request(AMMInfo(**pool)).is_successful()


def delegates(alice, bob, carol):
    permission = Permission(permission_value="Payment")
    send(DelegateSet(account=alice.address, authorize=bob.address, permissions=[permission]), alice)
    before = get_balance(alice.address, client)
    payment = Payment(
        account=alice.address, delegate=bob.address, destination=carol.address, amount=xrp_to_drops(2)
    )
    send(payment, bob)
    # The delegate pays the fee.
    assert get_balance(alice.address, client) == before - 2_000_000


def batches(alice, bob, _):
    def inner(drops):
        return Payment(account=alice.address, destination=bob.address, amount=drops)

    before = get_balance(bob.address, client)
    send(
        Batch(
            account=alice.address, flags=BatchFlag.TF_ALL_OR_NOTHING,
            raw_transactions=[inner("1000000"), inner("2000000")],
        ),
        alice,
    )
    assert get_balance(bob.address, client) == before + 3_000_000


parts = (nfts, mpts, checks, escrows, channels, exchange, delegates, batches)
everyone = [
    [Wallet.create(), Wallet.create(algorithm=CryptoAlgorithm.SECP256K1), Wallet.create()] for _ in parts
]
for wallet in (wallet for wallets in everyone for wallet in wallets):
    payment = Payment(account=genesis.address, destination=wallet.address, amount=xrp_to_drops(1000))
    assert sign_and_submit(payment, client, genesis).result["engine_result"] == "tesSUCCESS"
# At the same time: the library waits a second for every transaction.
with ThreadPoolExecutor(len(parts)) as pool:
    running = [pool.submit(part, *wallets) for part, wallets in zip(parts, everyone)]
    for part, result in zip(parts, running):
        result.result()
        print(part.__name__)
print("ok")
