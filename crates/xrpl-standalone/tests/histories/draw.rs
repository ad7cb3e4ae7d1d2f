//! Random values of fields, and random transactions of any type from its format.

use rand::{RngExt as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{AccountId, Definitions, MptId, fields};
use xrpl_standalone::ledger::entry_type;

use super::{
    plans,
    world::{GATEWAYS, PLAYERS, World, account},
};

pub(crate) type Tx = Map<String, Json>;

/// Seconds between 1970 and 2000, for oracles.
const EPOCH: u32 = 946_684_800;
const CURRENCIES: [&str; 3] = ["USD", "EUR", "0158415500000000C1F76FF6ECB0BAC600000000"];

pub(crate) struct Draw<'a> {
    pub(crate) rng: &'a mut ChaCha8Rng,
    /// Whether amounts may be as large and as small as they can be written.
    pub(crate) extremes: bool,
    pub(crate) world: &'a World,
}

impl Draw<'_> {
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    pub(crate) fn below(&mut self, n: u32) -> u32 {
        self.rng.random_range(0..n)
    }

    pub(crate) fn pick<'b, T>(&mut self, of: &'b [T]) -> &'b T {
        of.choose(self.rng).expect("there is something to choose from")
    }

    pub(crate) fn player(&mut self) -> AccountId {
        account(self.rng.random_range(0..PLAYERS))
    }

    /// Another player, or rarely the same one or somebody who is not there.
    pub(crate) fn other(&mut self, than: AccountId) -> AccountId {
        match self.below(100) {
            0 => than,
            1 => AccountId([9; 20]),
            _ => loop {
                let other = self.player();
                if other != than {
                    return other;
                }
            },
        }
    }

    pub(crate) fn gateway(&mut self) -> AccountId {
        account(self.rng.random_range(0..GATEWAYS))
    }

    pub(crate) fn drops(&mut self) -> Json {
        let most = *self.pick(&[100, 10_000, 5_000_000, 400_000_000]);
        self.rng.random_range(1..=most).to_string().into()
    }

    pub(crate) fn issue(&mut self) -> Json {
        json!({"currency": *self.pick(&CURRENCIES), "issuer": self.gateway().to_string()})
    }

    pub(crate) fn issued(&mut self) -> Json {
        let mut amount = self.issue();
        let digits = self.rng.random_range(1..=9_999u32);
        let value = match self.below(6) {
            0 => format!("{}.{digits:04}", self.below(50)),
            1 => format!("{digits}e{}", self.rng.random_range(-20..12)),
            2 => format!("0.000{digits}"),
            _ => self.rng.random_range(1..=300u32).to_string(),
        };
        amount["value"] = value.into();
        amount
    }

    pub(crate) fn issuance(&mut self) -> Option<MptId> {
        let (_, entry) = self.world.any(self.rng, entry_type::MPTOKEN_ISSUANCE)?;
        Some(MptId::new(entry.u32(fields::SEQUENCE)?, entry.account(fields::ISSUER)?))
    }

    /// An amount of anything.
    pub(crate) fn amount(&mut self) -> Json {
        match self.below(10) {
            0..5 => self.drops(),
            5..8 => self.issued(),
            _ => match self.issuance() {
                Some(id) => json!({
                    "mpt_issuance_id": id.to_string(),
                    "value": self.rng.random_range(1..=5_000u32).to_string(),
                }),
                None => self.issued(),
            },
        }
    }

    pub(crate) fn asset(&mut self) -> Json {
        match self.below(3) {
            0 => json!({"currency": "XRP"}),
            1 => self.issue(),
            _ => match self.issuance() {
                Some(id) => json!({"mpt_issuance_id": id.to_string()}),
                None => self.issue(),
            },
        }
    }

    /// A time around now: most are still to come.
    pub(crate) fn time(&mut self) -> u32 {
        let span = *self.pick(&[8, 60, 3_000]);
        let later = self.rng.random_range(0..span);
        if self.chance(5) {
            self.world.close_time - later
        } else {
            self.world.close_time + 1 + later
        }
    }

    fn hex(&mut self, most: u32) -> Json {
        let length = self.rng.random_range(1..=most);
        let bytes: Vec<u8> = (0..length).map(|_| self.rng.random()).collect();
        const_hex::encode_upper(bytes).into()
    }

    /// The id of an entry of a type, or of nothing.
    pub(crate) fn id(&mut self, kind: u16) -> Json {
        match self.world.any(self.rng, kind) {
            Some((id, _)) => id.to_string().into(),
            None => "AB".repeat(32).into(),
        }
    }

    /// A value for a field.
    pub(crate) fn value(&mut self, name: &str, sender: AccountId) -> Json {
        match name {
            "Amount" | "SendMax" | "DeliverMin" | "TakerPays" | "TakerGets" | "Amount2" => {
                self.amount()
            }
            "LimitAmount" => self.issued(),
            "NFTokenBrokerFee" | "SignatureReward" | "MinAccountCreateAmount" | "Balance" => {
                self.drops()
            }
            "Asset" | "Asset2" => self.asset(),
            "CheckID" => self.id(entry_type::CHECK),
            "Channel" => self.id(entry_type::PAY_CHANNEL),
            "VaultID" => self.id(entry_type::VAULT),
            "LoanBrokerID" => self.id(entry_type::LOAN_BROKER),
            "LoanID" => self.id(entry_type::LOAN),
            "DomainID" => self.id(entry_type::PERMISSIONED_DOMAIN),
            "NFTokenBuyOffer" | "NFTokenSellOffer" => self.id(entry_type::NFTOKEN_OFFER),
            "NFTokenID" => match self.world.any_nft(self.rng) {
                Some((_, id)) => id.to_string().into(),
                None => "0008".repeat(16).into(),
            },
            "NFTokenOffers" => {
                (0..=self.below(3)).map(|_| self.id(entry_type::NFTOKEN_OFFER)).collect()
            }
            "CredentialIDs" => {
                (0..=self.below(2)).map(|_| self.id(entry_type::CREDENTIAL)).collect()
            }
            "MPTokenIssuanceID" => match self.issuance() {
                Some(id) => id.to_string().into(),
                None => "00".repeat(24).into(),
            },
            "FinishAfter" | "CancelAfter" | "Expiration" => self.time().into(),
            "LastUpdateTime" => (EPOCH + self.world.close_time + self.below(20)).into(),
            "SetFlag" | "ClearFlag" => self.rng.random_range(1..=17).into(),
            "TransferRate" => {
                (*self.pick(&[0u32, 1_000_000_000, 1_002_000_000, 1_500_000_000])).into()
            }
            "QualityIn" | "QualityOut" => {
                (*self.pick(&[0u32, 900_000_000, 1_000_000_000, 1_100_000_000])).into()
            }
            "TransferFee" => (*self.pick(&[0, 1, 500, 5_000, 50_000])).into(),
            "TickSize" => (*self.pick(&[0, 3, 5, 15])).into(),
            "AssetScale" => self.below(10).into(),
            "SettleDelay" => self.below(60).into(),
            "TicketCount" => self.rng.random_range(1..=4).into(),
            "MaximumAmount" | "AssetsMaximum" | "DebtMaximum" => {
                self.rng.random_range(1_000u32..1_000_000).to_string().into()
            }
            "PublicKey" => const_hex::encode_upper(super::world::public_key(3)).into(),
            "Condition" | "Fulfillment" | "Signature" | "MessageKey" => self.hex(33),
            "XChainBridge" => plans::bridge(self, sender),
            "WasLockingChainSend" => self.below(2).into(),
            "Memos" => json!([{"Memo": {"MemoData": self.hex(8)}}]),
            "CredentialType" => (*self.pick(&["4B5943", "414D4C", "01"])).into(),
            "OracleDocumentID" => self.below(3).into(),
            "URI" | "Data" | "DIDDocument" | "Domain" | "Provider" | "AssetClass"
            | "MPTokenMetadata" => self.hex(12),
            name => self.by_type(name, sender),
        }
    }

    fn by_type(&mut self, name: &str, sender: AccountId) -> Json {
        use xrpl_protocol::object::FieldType;
        let field = Definitions::builtin().field(name).expect("the formats name fields");
        match field.field_type() {
            FieldType::AccountId => self.other(sender).to_string().into(),
            FieldType::Amount => self.amount(),
            FieldType::Blob => self.hex(8),
            FieldType::UInt8 | FieldType::UInt16 => self.below(20).into(),
            FieldType::UInt32 => self.below(2_000).into(),
            FieldType::UInt64 | FieldType::Number => self.below(1_000).to_string().into(),
            FieldType::Hash128 => "0A".repeat(16).into(),
            FieldType::Hash160 => "0B".repeat(20).into(),
            FieldType::Hash192 => "00".repeat(24).into(),
            FieldType::Hash256 => "0C".repeat(32).into(),
            _ => json!([]),
        }
    }

    fn flags(&mut self, kind: &str) -> u32 {
        let own: Vec<u32> = Definitions::builtin()
            .transaction_flags(kind)
            .filter(|(_, bits)| *bits < 0x4000_0000)
            .map(|(_, bits)| bits)
            .collect();
        let many = if own.is_empty() { 0 } else { *self.pick(&[0, 0, 0, 1, 1, 2]) };
        (0..many).fold(0, |flags, _| flags | self.pick(&own))
    }

    /// A transaction of a type.
    pub(crate) fn transaction(&mut self, kind: &str) -> Tx {
        let sender = match kind {
            // Issuers change what they issue, and claw it back, more often than others.
            "AccountSet" | "Clawback" | "MPTokenIssuanceCreate" if self.chance(50) => {
                self.gateway()
            }
            _ => self.player(),
        };
        let mut tx = Tx::new();
        tx.insert("TransactionType".into(), kind.into());
        tx.insert("Account".into(), sender.to_string().into());
        tx.insert("Flags".into(), self.flags(kind).into());
        plans::fill(self, kind, sender, &mut tx);
        for (name, optional) in format(kind) {
            let wanted = match optional {
                false => !tx.contains_key(name),
                true => !plans::decides(kind, name) && !tx.contains_key(name) && self.chance(12),
            };
            if wanted {
                let value = self.value(name, sender);
                tx.insert(name.into(), value);
            }
        }
        tx.retain(|_, value| !value.is_null());
        if self.chance(12) {
            self.spoil(kind, sender, &mut tx);
        }
        tx
    }

    /// Changes a valid transaction so that it may be none.
    fn spoil(&mut self, kind: &str, sender: AccountId, tx: &mut Tx) {
        let fields: Vec<_> = format(kind).collect();
        match self.below(6) {
            0 => {
                let flag = 1u32 << self.below(30);
                let flags = tx["Flags"].as_u64().unwrap_or(0) as u32;
                tx.insert("Flags".into(), (flags ^ flag).into());
            }
            1 if !fields.is_empty() => {
                let (name, _) = *self.pick(&fields);
                tx.remove(name);
            }
            2 if !fields.is_empty() => {
                let (name, _) = *self.pick(&fields);
                let value = self.value(name, sender);
                tx.insert(name.into(), value);
            }
            3 => {
                let strange = [json!("0"), json!("100000000000000000"), json!("-1")];
                let name = tx.keys().find(|name| tx[*name].is_string() && name.contains("Amount"));
                if let Some(name) = name.cloned() {
                    let value = self.pick(&strange).clone();
                    tx.insert(name, value);
                }
            }
            4 => {
                let name = tx.keys().find(|name| tx[*name]["value"].is_string()).cloned();
                if let Some(name) = name {
                    let values = ["0", "-5", "9999999999999999e80", "1e-81"];
                    let value = *self.pick(&values[..if self.extremes { 4 } else { 2 }]);
                    tx[&name]["value"] = value.into();
                }
            }
            _ => {
                let player = self.player().to_string();
                let name = *self.pick(&["Destination", "Owner", "Issuer", "Delegate"]);
                if name == "Delegate" || tx.contains_key(name) {
                    tx.insert(name.into(), player.into());
                }
            }
        }
    }
}

/// The fields of a type beside those of every transaction, and whether they are optional.
fn format(kind: &str) -> impl Iterator<Item = (&'static str, bool)> {
    let formats = &Definitions::builtin_json()["TRANSACTION_FORMATS"];
    formats[kind]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|field| Some((field["name"].as_str()?, field["optionality"].as_i64()? != 0)))
}
