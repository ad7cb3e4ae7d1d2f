"""Sends every transaction type as `every_type.json` has it with an unmodified xrpl-py; ends with "ok"."""
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from xrpl.clients import JsonRpcClient
from xrpl.constants import CryptoAlgorithm
from xrpl.core.binarycodec import encode, encode_for_signing, encode_for_signing_claim
from xrpl.core.keypairs import sign
from xrpl.ledger import get_latest_validated_ledger_sequence
from xrpl.models import GenericRequest, Ledger, Payment, SubmitOnly, Tx
from xrpl.models.transactions.transaction import Transaction
from xrpl.transaction import autofill, sign_and_submit, submit_and_wait
from xrpl.transaction import sign as sign_transaction
from xrpl.utils import get_balance_changes, xrp_to_drops
from xrpl.wallet import Wallet

client = JsonRpcClient(os.environ["XRPL_RPC"])
genesis = Wallet.from_seed("snoPBrXtMeMyMHUVTgbuqAfg1SUTb", algorithm=CryptoAlgorithm.SECP256K1)
with open(os.path.join(os.path.dirname(__file__), "every_type.json")) as file:
    families = json.load(file)["families"]


def ask(request):
    response = client.request(request)
    assert response.is_successful(), response
    return response.result


def closed_at():
    return ask(Ledger(ledger_index="validated"))["ledger"]["close_time"]


def filled(value, known):
    """A value with its placeholders replaced."""
    if isinstance(value, str) and value.startswith("$"):
        return known[value[1:]]
    if isinstance(value, list):
        return [filled(one, known) for one in value]
    if isinstance(value, dict):
        if "$time" in value:
            return closed_at() + value["$time"]
        if "$unix" in value:
            return closed_at() + 946684800 + value["$unix"]
        return {key: filled(one, known) for key, one in value.items()}
    return value


def kept(what, result):
    meta, tx = result["meta"], result["tx_json"]
    if what == "sequence":
        return tx.get("Sequence") or tx["TicketSequence"]
    if what == "ticket":
        return tx["Sequence"] + 1
    if what in ("nftoken_id", "offer_id", "mpt_issuance_id"):
        return meta[what]
    nodes = [node["CreatedNode"] for node in meta["AffectedNodes"] if "CreatedNode" in node]
    found = [node["LedgerIndex"] for node in nodes if node["LedgerEntryType"] == what]
    assert len(found) == 1, result
    return found[0]


def by_codec(tx, wallet):
    """Signs what the library has no model of with its codec, and follows it by its hash."""
    info = ask(GenericRequest(method="account_info", account=wallet.address, ledger_index="current"))
    tx = {"Sequence": info["account_data"]["Sequence"], "Flags": 0, "SigningPubKey": wallet.public_key, **tx}
    tx["TxnSignature"] = sign(bytes.fromhex(encode_for_signing(tx)), wallet.private_key)
    submitted = ask(SubmitOnly(tx_blob=encode(tx)))
    while True:
        result = ask(Tx(transaction=submitted["tx_json"]["hash"]))
        if result.get("validated"):
            return result


def carry_out(step, known, wallets):
    wallet = wallets[step["as"]]
    # All families close ledgers at the same time: the 20 that the library gives may pass while it waits a second.
    last = get_latest_validated_ledger_sequence(client) + 200
    tx = {"Account": wallet.address, "LastLedgerSequence": last, **filled(step["tx"], known)}
    if "claim" in step:
        text = encode_for_signing_claim({"channel": tx["Channel"], "amount": tx["Amount"]})
        tx["Signature"] = sign(bytes.fromhex(text), wallets[step["claim"]].private_key)
    if "attest" in step:
        text = encode({field: tx[field] for field in step["attest"]})
        tx["Signature"] = sign(bytes.fromhex(text), wallet.private_key)
    if tx["TransactionType"] == "LedgerStateFix":
        return by_codec(tx, wallet)
    model = Transaction.from_xrpl(tx)
    if "counterparty" in step:
        # The library's own helper signs what a protocol newer than xrpld 3.3 wants signed.
        both, other = sign_transaction(autofill(model, client), wallet).to_xrpl(), wallets[step["counterparty"]]
        signature = sign(bytes.fromhex(encode_for_signing(both)), other.private_key)
        both["CounterpartySignature"] = {"SigningPubKey": other.public_key, "TxnSignature": signature}
        return submit_and_wait(Transaction.from_xrpl(both), client, autofill=False).result
    return submit_and_wait(model, client, wallet).result


def fund(family):
    """A family's accounts, of both key types, with XRP."""
    wallets = {}
    for n, account in enumerate(family["accounts"]):
        kind = CryptoAlgorithm.SECP256K1 if n % 2 else CryptoAlgorithm.ED25519
        wallets[account] = Wallet.create(algorithm=kind)
        if account not in family.get("unfunded", []):
            to = wallets[account].address
            payment = Payment(account=genesis.address, destination=to, amount=xrp_to_drops(1000))
            done = sign_and_submit(payment, client, genesis).result
            assert done["engine_result"] == "tesSUCCESS", done
    return wallets


def run(name, family, wallets):
    known = {account: wallet.address for account, wallet in wallets.items()}
    known |= {f"{account}.key": wallet.public_key for account, wallet in wallets.items()}
    sent = []
    for step in family["steps"]:
        if "close" in step:
            for _ in range(step["close"]):
                ask(GenericRequest(method="ledger_accept"))
            continue
        if "pass" in step:
            until = closed_at() + step["pass"]
            # Each ledger closes a second after the one before at the least.
            while closed_at() <= until:
                ask(GenericRequest(method="ledger_accept"))
            continue
        try:
            result = carry_out(step, known, wallets)
        except Exception as error:
            raise RuntimeError(f"{name}: {step['tx']['TransactionType']}: {error!r}") from error
        meta = result["meta"]
        assert meta["TransactionResult"] == step.get("expect", "tesSUCCESS"), (name, step, result)
        # The library's own reading of the metadata: whoever sends pays at least the fee.
        changes = {one["account"]: one["balances"] for one in get_balance_changes(meta)}
        payer = result["tx_json"].get("Delegate", result["tx_json"]["Account"])
        assert payer in changes, (name, step, changes)
        for key, what in step.get("keep", {}).items():
            known[key] = kept(what, result)
        sent.append(step["tx"]["TransactionType"])
    return sent


wanted = sys.argv[1:] or list(families)
together = [name for name in wanted if not families[name].get("alone")]
# Before anything else: each payment closes a ledger, and transactions wait for so many only.
everyone = {name: fund(families[name]) for name in wanted}
types, failed = set(), []


def note(name, outcome):
    try:
        types.update(outcome())
        print(name, flush=True)
    except Exception as error:
        failed.append(f"{name}: {error}")


# At the same time: the library waits a second for every transaction.
with ThreadPoolExecutor(max(1, len(together))) as pool:
    running = [(name, pool.submit(run, name, families[name], everyone[name])) for name in together]
    for name, result in running:
        note(name, result.result)
for name in wanted:
    if families[name].get("alone"):
        note(name, lambda: run(name, families[name], everyone[name]))
if failed:
    sys.exit("\n".join(failed))
print(len(types), "types")
print("ok")
