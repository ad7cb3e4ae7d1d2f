//! What makes transactions of a type likely to succeed: fields that belong together, and entries that
//! are there.

mod lending;
mod pools;
mod tokens;
mod vaults;
mod xchain;

pub(crate) use xchain::bridge;

use rand::RngExt as _;
use serde_json::{Value as Json, json};
use xrpl_protocol::{AccountId, Amount, Issue, MptId, Object, Value, fields};
use xrpl_standalone::ledger::{Entry, entry_type as kind};

use super::{
    draw::{Draw, Tx},
    world::account,
};

/// Types that nothing makes likely to succeed: each other one must now and then. They take signatures
/// or proofs that nobody makes here, or something that is wrong or empty first.
pub(crate) const UNPLANNED: [&str; 10] = [
    "AMMDelete",
    "ConfidentialMPTClawback",
    "ConfidentialMPTConvert",
    "ConfidentialMPTConvertBack",
    "ConfidentialMPTMergeInbox",
    "ConfidentialMPTSend",
    "LedgerStateFix",
    "XChainAddAccountCreateAttestation",
    "XChainAddClaimAttestation",
    "XChainClaim",
];

/// Optional fields that a type's plan sets or leaves out on purpose.
pub(crate) fn decides(kind: &str, field: &str) -> bool {
    match kind {
        "AccountSet" => matches!(field, "SetFlag" | "ClearFlag" | "MessageKey" | "NFTokenMinter"),
        "Payment" => !matches!(field, "DestinationTag" | "InvoiceID"),
        "EscrowCreate" | "EscrowFinish" => field != "DestinationTag",
        "CheckCreate" | "TicketCreate" | "SetRegularKey" | "DelegateSet" => false,
        "OfferCreate" => matches!(field, "DomainID" | "OfferSequence"),
        "MPTokenIssuanceSet" => {
            matches!(field, "DomainID" | "MutableFlags" | "TransferFee" | "MPTokenMetadata")
        }
        "NFTokenMint" => {
            matches!(field, "Issuer" | "Amount" | "Destination" | "Expiration" | "TransferFee")
        }
        "TrustSet" => false,
        "PaymentChannelCreate" => field == "CancelAfter",
        "MPTokenIssuanceCreate" => matches!(field, "DomainID" | "TransferFee" | "MutableFlags"),
        _ => true,
    }
}

fn sequence_of(entry: &Object) -> Json {
    entry.u32(fields::SEQUENCE).map_or(Json::Null, Json::from)
}

fn account_in(entry: &Object, field: xrpl_protocol::Field) -> Json {
    entry.account(field).map_or(Json::Null, |account| account.to_string().into())
}

struct Put<'a>(&'a mut Tx);

impl Put<'_> {
    fn set(&mut self, name: &str, value: impl Into<Json>) -> &mut Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// It is this account's transaction.
    fn by(&mut self, account: Option<AccountId>) -> &mut Self {
        if let Some(account) = account {
            self.set("Account", account.to_string());
        }
        self
    }
}

/// Sets what belongs together.
pub(crate) fn fill(draw: &mut Draw<'_>, name: &str, sender: AccountId, tx: &mut Tx) {
    let mut put = Put(tx);
    match name {
        "Payment" => payment(draw, sender, &mut put),
        "AccountSet" => account_set(draw, &mut put),
        "TrustSet" => {
            let limit = draw.issued();
            put.set("LimitAmount", limit);
        }
        "Clawback" => clawback(draw, sender, &mut put),
        "CheckCreate" => {
            let most = if draw.chance(50) { draw.drops() } else { draw.issued() };
            put.set("SendMax", most);
        }
        "CheckCash" => check_cash(draw, sender, &mut put),
        "CheckCancel" => {
            let found = draw.world.of_account(draw.rng, kind::CHECK, fields::ACCOUNT, sender);
            if let Some((id, check)) = found {
                put.set("CheckID", id.to_string()).by(check.account(fields::ACCOUNT));
            }
        }
        "EscrowCreate" => escrow_create(draw, &mut put),
        "EscrowFinish" | "EscrowCancel" => {
            if let Some((_, escrow)) = draw.world.any(draw.rng, kind::ESCROW).cloned() {
                put.set("Owner", account_in(&escrow, fields::ACCOUNT));
                put.set("OfferSequence", sequence_of(&escrow));
            }
        }
        "OfferCancel" => {
            let found = draw.world.of_account(draw.rng, kind::OFFER, fields::ACCOUNT, sender);
            if let Some((_, offer)) = found {
                put.set("OfferSequence", sequence_of(offer)).by(offer.account(fields::ACCOUNT));
            }
        }
        "OfferCreate" => {
            let (pays, gets) = match draw.below(3) {
                0 => (draw.drops(), draw.issued()),
                1 => (draw.issued(), draw.drops()),
                _ => (draw.issued(), draw.issued()),
            };
            put.set("TakerPays", pays).set("TakerGets", gets);
        }
        "PaymentChannelCreate" => {
            let amount = draw.drops();
            put.set("Amount", amount);
        }
        "PaymentChannelFund" | "PaymentChannelClaim" => channel(draw, name, sender, &mut put),
        "DepositPreauth" => deposit_preauth(draw, sender, &mut put),
        "CredentialAccept" => {
            let found = draw.world.of_account(draw.rng, kind::CREDENTIAL, fields::SUBJECT, sender);
            if let Some((_, credential)) = found {
                credential_of(credential, &mut put);
                put.set("Issuer", account_in(credential, fields::ISSUER));
                put.by(credential.account(fields::SUBJECT));
            }
        }
        "CredentialDelete" => {
            if let Some((_, credential)) = draw.world.any(draw.rng, kind::CREDENTIAL).cloned() {
                credential_of(&credential, &mut put);
                put.set("Issuer", account_in(&credential, fields::ISSUER));
                put.set("Subject", account_in(&credential, fields::SUBJECT));
                let side = if draw.chance(50) { fields::ISSUER } else { fields::SUBJECT };
                put.by(credential.account(side));
            }
        }
        "PermissionedDomainSet" => {
            let accepted = credentials(draw, sender);
            put.set("AcceptedCredentials", accepted);
            let found = draw.world.all(kind::PERMISSIONED_DOMAIN).is_empty();
            if !found && draw.chance(40) {
                owned_id(
                    draw,
                    kind::PERMISSIONED_DOMAIN,
                    "DomainID",
                    fields::OWNER,
                    sender,
                    &mut put,
                );
            }
        }
        "PermissionedDomainDelete" => {
            owned_id(draw, kind::PERMISSIONED_DOMAIN, "DomainID", fields::OWNER, sender, &mut put);
        }
        "OracleSet" => oracle(draw, &mut put),
        "OracleDelete" => {
            let found = draw.world.of_account(draw.rng, kind::ORACLE, fields::OWNER, sender);
            if let Some((_, oracle)) = found {
                let document = oracle.u32(fields::ORACLE_DOCUMENT_ID);
                put.set("OracleDocumentID", document.map_or(Json::Null, Json::from));
                put.by(oracle.account(fields::OWNER));
            }
        }
        "DIDSet" => {
            let data = draw.value("Data", sender);
            let field = *draw.pick(&["URI", "Data", "DIDDocument"]);
            put.set(field, data);
        }
        "DIDDelete" => {
            let found = draw.world.of_account(draw.rng, kind::DID, fields::ACCOUNT, sender);
            put.by(found.and_then(|(_, did)| did.account(fields::ACCOUNT)));
        }
        "DelegateSet" => {
            let all = ["Payment", "TrustSet", "CheckCreate", "PaymentMint", "TrustlineFreeze"];
            let first = draw.below(5) as usize;
            let many = draw.below(3) as usize;
            let permissions: Vec<_> = (first..first + many)
                .map(|n| json!({"Permission": {"PermissionValue": all[n % all.len()]}}))
                .collect();
            put.set("Permissions", permissions);
        }
        "SetRegularKey" => {
            let key =
                if draw.chance(50) { draw.other(sender).to_string().into() } else { Json::Null };
            put.set("RegularKey", key);
        }
        "SignerListSet" => signer_list(draw, sender, &mut put),
        "NFTokenMint" => {
            put.set("NFTokenTaxon", draw.below(3));
            let flags = draw.below(32) & !4;
            put.set("Flags", flags);
            if flags & 8 != 0 && draw.chance(40) {
                let fee = draw.value("TransferFee", sender);
                put.set("TransferFee", fee);
            }
        }
        "NFTokenBurn" | "NFTokenModify" => {
            if let Some((owner, id)) = draw.world.any_nft(draw.rng) {
                let mut issuer = AccountId::ZERO;
                issuer.0.copy_from_slice(&id.0[4..24]);
                let by = if name == "NFTokenModify" || draw.chance(20) { issuer } else { owner };
                put.by(Some(by)).set("NFTokenID", id.to_string());
                if by != owner {
                    put.set("Owner", owner.to_string());
                }
                if name == "NFTokenModify" {
                    let uri = draw.value("URI", sender);
                    put.set("URI", uri);
                }
            }
        }
        "NFTokenCreateOffer" => tokens::nft_offer(draw, sender, &mut put),
        "NFTokenAcceptOffer" => tokens::nft_accept(draw, sender, &mut put),
        "NFTokenCancelOffer" => {
            let found = draw.world.of_account(draw.rng, kind::NFTOKEN_OFFER, fields::OWNER, sender);
            if let Some((id, offer)) = found {
                put.set("NFTokenOffers", json!([id.to_string()])).by(offer.account(fields::OWNER));
            }
        }
        "MPTokenIssuanceCreate" => {
            put.set("Flags", draw.below(128) & !1);
        }
        "MPTokenIssuanceDestroy" | "MPTokenIssuanceSet" => {
            tokens::issuance(draw, name, sender, &mut put)
        }
        "MPTokenAuthorize" => tokens::mpt_authorize(draw, sender, &mut put),
        "Batch" => {
            put.set("Flags", *draw.pick(&[0x0001_0000, 0x0002_0000, 0x0004_0000, 0x0008_0000]));
            put.set("RawTransactions", json!([]));
        }
        "AMMCreate" => {
            let one = draw.drops();
            let two = match holding(draw) {
                Some((holder, amount)) => {
                    put.by(Some(holder));
                    part(draw, &amount)
                }
                None => draw.issued(),
            };
            put.set("Amount", one).set("Amount2", two).set("TradingFee", draw.below(1_001));
        }
        "AMMDeposit" | "AMMWithdraw" | "AMMVote" | "AMMBid" | "AMMDelete" | "AMMClawback" => {
            pools::amm(draw, name, &mut put);
        }
        name if name.starts_with("XChain") => xchain::fill(draw, name, sender, &mut put),
        name if name.starts_with("Vault") => vaults::vault(draw, name, sender, &mut put),
        name if name.starts_with("Loan") => lending::fill(draw, name, &mut put),
        _ => {}
    }
}

/// What there is of a trust line: who holds how much of what.
fn held(line: &Object) -> Option<(AccountId, Amount)> {
    let amount = |field| match line.amount(field)? {
        Amount::Issued { value, currency, issuer } => Some((value, currency, issuer)),
        _ => None,
    };
    let (balance, currency, _) = amount(fields::BALANCE)?;
    let (low, high) = (amount(fields::LOW_LIMIT)?.2, amount(fields::HIGH_LIMIT)?.2);
    match balance.signum() {
        0 => None,
        1 => Some((low, Amount::issued(balance, currency, high))),
        _ => Some((high, Amount::issued(balance.negated(), currency, low))),
    }
}

/// Who trusts an issuer on a line, and for which currency.
fn trusting(line: &Object, issuer: AccountId) -> Option<(AccountId, String)> {
    let limit = |field| match line.amount(field)? {
        Amount::Issued { value, currency, issuer } => Some((value, currency, issuer)),
        _ => None,
    };
    let (low, high) = (limit(fields::LOW_LIMIT)?, limit(fields::HIGH_LIMIT)?);
    let (limit, holder) = match (low.2 == issuer, high.2 == issuer) {
        (true, _) => (high.0, high.2),
        (_, true) => (low.0, low.2),
        _ => return None,
    };
    (!limit.is_zero()).then(|| (holder, low.1.to_string()))
}

/// Somebody's holding of an issued currency.
fn holding(draw: &mut Draw<'_>) -> Option<(AccountId, Amount)> {
    let (_, line) = draw.world.any(draw.rng, kind::RIPPLE_STATE)?;
    held(line)
}

/// Some of an issued amount.
fn part(draw: &mut Draw<'_>, amount: &Amount) -> Json {
    let mut part = amount.to_json();
    if let Amount::Issued { value, currency, issuer } = amount {
        let percent = draw.rng.random_range(1..=60u32);
        let less = value.mul_ratio(percent, 100, false).unwrap_or(*value);
        part = Amount::issued(less, *currency, *issuer).to_json();
    }
    part
}

/// Somebody who has some of an asset, and how much.
fn holder_of(draw: &mut Draw<'_>, asset: &Json) -> Option<(AccountId, Amount)> {
    (0..20).find_map(|_| {
        holding(draw).filter(|(_, amount)| {
            let json = amount.to_json();
            json["currency"] == asset["currency"] && json["issuer"] == asset["issuer"]
        })
    })
}

fn payment(draw: &mut Draw<'_>, sender: AccountId, put: &mut Put<'_>) {
    let to = draw.other(sender);
    put.set("Destination", to.to_string());
    let gateway = draw.gateway();
    match draw.below(8) {
        0..3 => {
            let drops = draw.drops();
            put.set("Amount", drops);
        }
        // Issued, by the issuer or somebody who has some.
        3 => {
            let mut amount = draw.issued();
            amount["issuer"] = gateway.to_string().into();
            // Mostly along a line that is there.
            let found = (0..6).find_map(|_| {
                let (_, line) = draw.world.any(draw.rng, kind::RIPPLE_STATE)?;
                trusting(line, gateway)
            });
            if let Some((holder, currency)) = found {
                amount = json!({
                    "currency": currency, "issuer": gateway.to_string(),
                    "value": draw.rng.random_range(1..=30u32).to_string(),
                });
                put.set("Destination", holder.to_string());
            }
            put.by(Some(gateway)).set("Amount", amount);
        }
        4 => {
            if let Some((holder, amount)) = holding(draw) {
                put.by(Some(holder))
                    .set("Amount", amount.to_json())
                    .set("SendMax", amount.to_json());
            }
        }
        5 => {
            if let Some(id) = draw.issuance() {
                let from = if draw.chance(60) { id.issuer() } else { sender };
                let value = draw.rng.random_range(1..=500u32).to_string();
                let amount = json!({"mpt_issuance_id": id.to_string(), "value": value});
                put.by(Some(from)).set("Amount", amount);
            }
        }
        6 => {
            let (amount, most) = match draw.below(3) {
                0 => (draw.drops(), draw.issued()),
                1 => (draw.issued(), draw.drops()),
                _ => (draw.issued(), draw.issued()),
            };
            put.set("Amount", amount).set("SendMax", most);
            put.set("Flags", *draw.pick(&[0, 0x0002_0000, 0x0002_0000, 0x0004_0000]));
        }
        _ => {
            let amount = draw.amount();
            put.set("Amount", amount);
        }
    }
    if draw.chance(10) {
        let ids = draw.value("CredentialIDs", sender);
        put.set("CredentialIDs", ids);
    }
}

fn account_set(draw: &mut Draw<'_>, put: &mut Put<'_>) {
    put.set("Flags", 0);
    match draw.below(4) {
        // What can be taken back; the rest rarely.
        0..2 => {
            let flag = *draw.pick(&[1, 2, 3, 5, 7, 8, 8, 8, 9, 12, 13, 14, 15]);
            let field = *draw.pick(&["SetFlag", "ClearFlag"]);
            put.set(field, flag);
        }
        2 if draw.chance(10) => {
            put.set("SetFlag", draw.rng.random_range(1..=17));
        }
        _ => {}
    }
}

fn clawback(draw: &mut Draw<'_>, sender: AccountId, put: &mut Put<'_>) {
    let found = (0..8).find_map(|_| {
        holding(draw).filter(|(_, amount)| match amount.issue() {
            Issue::Issued { issuer, .. } => issuer == super::world::account(1),
            _ => false,
        })
    });
    match found {
        Some((holder, Amount::Issued { value, currency, issuer })) if draw.chance(70) => {
            // The holder stands where the issuer would.
            let amount = Amount::issued(value, currency, holder);
            put.by(Some(issuer)).set("Amount", amount.to_json());
        }
        _ => {
            let found = draw.world.any(draw.rng, kind::MPTOKEN);
            let token =
                found.and_then(|(_, token)| match token.get(fields::MP_TOKEN_ISSUANCE_ID)? {
                    Value::Hash192(id) => Some((token.account(fields::ACCOUNT)?, MptId(*id))),
                    _ => None,
                });
            if let Some((holder, id)) = token {
                let amount = json!({"mpt_issuance_id": id.to_string(), "value": "3"});
                put.by(Some(id.issuer())).set("Amount", amount).set("Holder", holder.to_string());
            } else {
                let amount = draw.issued();
                put.set("Amount", amount).by(Some(sender));
            }
        }
    }
}

fn check_cash(draw: &mut Draw<'_>, sender: AccountId, put: &mut Put<'_>) {
    let found = draw.world.of_account(draw.rng, kind::CHECK, fields::DESTINATION, sender);
    let Some((id, check)) = found.cloned() else { return };
    put.set("CheckID", id.to_string()).by(check.account(fields::DESTINATION));
    let most = check.amount(fields::SEND_MAX).map_or(Json::Null, |most| most.to_json());
    let field = if draw.chance(70) { "Amount" } else { "DeliverMin" };
    put.set(field, most);
}

fn escrow_create(draw: &mut Draw<'_>, put: &mut Put<'_>) {
    let amount = match draw.below(4) {
        0 => holding(draw).map(|(holder, amount)| {
            put.by(Some(holder));
            amount.to_json()
        }),
        1 => draw.issuance().map(|id| json!({"mpt_issuance_id": id.to_string(), "value": "7"})),
        _ => None,
    };
    let amount = amount.unwrap_or_else(|| draw.drops());
    let finish = draw.world.close_time + 1 + draw.below(30);
    put.set("Amount", amount).set("FinishAfter", finish);
    put.set("CancelAfter", finish + 1 + draw.below(900));
}

fn channel(draw: &mut Draw<'_>, name: &str, sender: AccountId, put: &mut Put<'_>) {
    let found = draw.world.of_account(draw.rng, kind::PAY_CHANNEL, fields::ACCOUNT, sender);
    let Some((id, channel)) = found.cloned() else { return };
    put.set("Channel", id.to_string()).by(channel.account(fields::ACCOUNT));
    if name == "PaymentChannelFund" {
        let amount = draw.drops();
        put.set("Amount", amount);
        return;
    }
    let drops = |field| channel.amount(field).and_then(|amount| amount.drops()).unwrap_or(0);
    let (paid, all) = (drops(fields::BALANCE), drops(fields::AMOUNT));
    if draw.chance(60) && paid < all {
        // Whoever pays needs no signature.
        put.set("Balance", draw.rng.random_range(paid + 1..=all).to_string());
        put.set("Flags", 0);
    } else {
        put.set("Flags", *draw.pick(&[0x0001_0000, 0x0002_0000]));
        let side = if draw.chance(50) { fields::ACCOUNT } else { fields::DESTINATION };
        put.by(channel.account(side));
    }
}

fn credential_of(credential: &Entry, put: &mut Put<'_>) {
    let kind = credential.blob(fields::CREDENTIAL_TYPE).unwrap_or_default();
    put.set("CredentialType", const_hex::encode_upper(kind));
}

/// A list of kinds of credentials.
fn credentials(draw: &mut Draw<'_>, sender: AccountId) -> Json {
    let list = (0..=draw.below(3)).map(|_| {
        let issuer = draw.other(sender).to_string();
        json!({"Credential": {"Issuer": issuer, "CredentialType": *draw.pick(&["4B5943", "414D4C"])}})
    });
    list.collect()
}

fn deposit_preauth(draw: &mut Draw<'_>, sender: AccountId, put: &mut Put<'_>) {
    let found = draw.world.of_account(draw.rng, kind::DEPOSIT_PREAUTH, fields::ACCOUNT, sender);
    match (draw.below(4), found.cloned()) {
        (0, Some((_, preauth))) => {
            put.by(preauth.account(fields::ACCOUNT));
            match preauth.array(fields::AUTHORIZE_CREDENTIALS) {
                Some(list) => {
                    let list: Vec<Json> = list
                        .iter()
                        .map(|(_, one)| json!({"Credential": one.to_json(xrpl_protocol::Definitions::builtin())}))
                        .collect();
                    put.set("UnauthorizeCredentials", list);
                }
                None => {
                    put.set("Unauthorize", account_in(&preauth, fields::AUTHORIZE));
                }
            }
        }
        (1, _) => {
            let list = credentials(draw, sender);
            put.set("AuthorizeCredentials", list);
        }
        _ => {
            let other = draw.other(sender).to_string();
            put.set("Authorize", other);
        }
    }
}

/// The id of an entry of its owner, who sends.
fn owned_id(
    draw: &mut Draw<'_>,
    of: u16,
    name: &str,
    owner: xrpl_protocol::Field,
    sender: AccountId,
    put: &mut Put<'_>,
) {
    if let Some((id, entry)) = draw.world.of_account(draw.rng, of, owner, sender) {
        put.set(name, id.to_string()).by(entry.account(owner));
    }
}

fn oracle(draw: &mut Draw<'_>, put: &mut Put<'_>) {
    put.set("Provider", "70726F7669646572").set("AssetClass", "63757272656E6379");
    let first = draw.below(8);
    let many = 1 + draw.below(7);
    let series: Vec<Json> = (first..first + many)
        .map(|n| {
            let mut price = json!({
                "BaseAsset": "XRP", "QuoteAsset": format!("A{:02}", n), "Scale": 2,
            });
            // Without a price the pair is taken away.
            if draw.chance(85) {
                price["AssetPrice"] = format!("{:X}", 100 + draw.below(900)).into();
            } else {
                price.as_object_mut().expect("an object").remove("Scale");
            }
            json!({"PriceData": price})
        })
        .collect();
    put.set("PriceDataSeries", series);
}

fn signer_list(draw: &mut Draw<'_>, sender: AccountId, put: &mut Put<'_>) {
    if draw.chance(30) {
        put.set("SignerQuorum", 0);
        return;
    }
    let mut signers: Vec<_> = (0..1 + draw.below(4)).map(|_| draw.other(sender)).collect();
    signers.sort_unstable();
    signers.dedup();
    let entries: Vec<Json> = signers
        .iter()
        .map(|signer| json!({"SignerEntry": {"Account": signer.to_string(), "SignerWeight": 1}}))
        .collect();
    put.set("SignerQuorum", 1).set("SignerEntries", entries);
}
