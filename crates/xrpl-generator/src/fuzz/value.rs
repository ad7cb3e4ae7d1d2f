//! Values of every serialised type: some that may make sense where they stand, and some that are as
//! large, small and strange as they can be written.

use xrpl_protocol::{
    AccountId, Amount, Currency, Field, Hash256, Issue, IssuedValue, MptId, Value,
    amount::AmountError,
    fields,
    number::Number,
    object::{FieldType, PathStep, XChainBridge},
};

use super::draw::{Draw, MOST_DROPS};
use crate::objects::{Entry, Kind};

/// How deep objects lie within objects at most; the ledger reads ten.
const DEEPEST: usize = 4;
/// Seconds between 1970 and 2000, for oracles.
const EPOCH: u32 = 946_684_800;
/// The longest blob.
const LONGEST: u64 = 5_000;
/// A condition that an empty fulfilment fulfils (PREIMAGE-SHA-256).
const CONDITION: &str =
    "A0258020E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855810100";
const FULFILLMENT: &str = "A0028000";
/// How many accounts are asked for an object.
const ASKED: u64 = 12;

impl Draw<'_, '_> {
    /// A value for a field.
    pub(crate) fn value(&mut self, name: &str, field: Field, depth: usize) -> Value {
        if self.chance(self.wild) {
            self.extreme(field, depth)
        } else {
            self.sensible(name, field, depth)
        }
    }

    fn sensible(&mut self, name: &str, field: Field, depth: usize) -> Value {
        match field.field_type() {
            FieldType::UInt8 => Value::UInt8(self.small(name) as u8),
            FieldType::UInt16 => Value::UInt16(self.small(name) as u16),
            FieldType::UInt32 => Value::UInt32(self.number(name)),
            FieldType::UInt64 => Value::UInt64(match name {
                "MaximumAmount" => 1_000 + self.planner.below(1_000_000),
                _ => self.planner.below(1_000),
            }),
            FieldType::Int32 => Value::Int32(self.planner.below(1_000) as i32),
            FieldType::Int64 => Value::Int64(self.planner.below(1_000) as i64),
            FieldType::Hash192 => Value::Hash192(self.issuance().0),
            FieldType::Hash256 => Value::Hash256(self.id(name)),
            FieldType::Vector256 => {
                let many = 1 + self.planner.below(3);
                Value::Vector256((0..many).map(|_| self.id(name)).collect())
            }
            FieldType::Amount => Value::Amount(self.amount(name)),
            FieldType::Number => Value::Number(whole(1 + self.planner.below(100_000))),
            FieldType::Blob => Value::Blob(self.bytes(name)),
            FieldType::AccountId => Value::Account(self.someone()),
            FieldType::Issue => Value::Issue(self.issue()),
            FieldType::Currency => Value::Currency(self.currency()),
            FieldType::XChainBridge => Value::XChainBridge(Box::new(XChainBridge {
                locking_door: self.planner.me().id,
                locking_issue: Issue::Xrp,
                issuing_door: self.someone(),
                issuing_issue: Issue::Xrp,
            })),
            FieldType::PathSet => self.paths(3, 3),
            FieldType::Object => self.object(field, depth),
            FieldType::Array => {
                let many = 1 + self.planner.below(3);
                self.array(field, many, depth)
            }
            _ => self.extreme(field, depth),
        }
    }

    fn extreme(&mut self, field: Field, depth: usize) -> Value {
        match field.field_type() {
            FieldType::UInt8 => Value::UInt8(self.bits(8) as u8),
            FieldType::UInt16 => Value::UInt16(self.bits(16) as u16),
            FieldType::UInt32 => Value::UInt32(self.bits(32) as u32),
            FieldType::UInt64 => Value::UInt64(self.bits(64)),
            FieldType::Int32 => Value::Int32(self.bits(32) as i32),
            FieldType::Int64 => Value::Int64(self.bits(64) as i64),
            FieldType::UInt96 => Value::UInt96(self.pattern()),
            FieldType::Hash128 => Value::Hash128(self.pattern()),
            FieldType::Hash160 => Value::Hash160(self.pattern()),
            FieldType::Hash192 => Value::Hash192(self.pattern()),
            FieldType::Hash256 => Value::Hash256(Hash256(self.pattern())),
            FieldType::Hash384 => Value::Hash384(Box::new(self.pattern())),
            FieldType::Hash512 => Value::Hash512(Box::new(self.pattern())),
            FieldType::Amount => Value::Amount(self.strange_amount()),
            FieldType::Number => Value::Number(Number {
                mantissa: self.bits(64) as i64,
                exponent: self.bits(32) as i32,
            }),
            FieldType::Blob => {
                let length = match self.planner.below(5) {
                    0 => 0,
                    1 => 1,
                    2 => 255 + self.planner.below(3),
                    3 => 192 + self.planner.below(3),
                    _ => self.planner.below(LONGEST),
                };
                Value::Blob(self.random(length))
            }
            FieldType::AccountId => Value::Account(AccountId(self.pattern())),
            FieldType::Issue => Value::Issue(self.strange_issue()),
            FieldType::Currency => Value::Currency(Currency(self.pattern())),
            FieldType::XChainBridge => Value::XChainBridge(Box::new(XChainBridge {
                locking_door: AccountId(self.pattern()),
                locking_issue: self.strange_issue(),
                issuing_door: AccountId(self.pattern()),
                issuing_issue: self.strange_issue(),
            })),
            FieldType::PathSet => self.paths(9, 12),
            FieldType::Vector256 => {
                let many = [0, 1, 2, 33][self.planner.below(4) as usize];
                let one = Hash256(self.pattern());
                Value::Vector256(vec![one; many])
            }
            FieldType::Object => self.object(field, depth),
            FieldType::Array => {
                let many = [0, 1, 9, 33][self.planner.below(4) as usize];
                // Many, and each of them large, is more than a transaction may be.
                self.array(field, if depth > 0 { many.min(2) } else { many }, depth)
            }
            FieldType::Unknown => Value::Blob(Vec::new()),
        }
    }

    fn object(&mut self, field: Field, depth: usize) -> Value {
        Value::Object(match depth < DEEPEST {
            true => self.inner(field, depth + 1),
            false => xrpl_protocol::Object::new(),
        })
    }

    fn array(&mut self, field: Field, many: u64, depth: usize) -> Value {
        let name = self.definitions.name(field).unwrap_or_default();
        let Some(element) = self.element_of(name).filter(|_| depth < DEEPEST) else {
            return Value::Array(Vec::new());
        };
        Value::Array((0..many).map(|_| (element, self.inner(element, depth + 2))).collect())
    }

    /// A number of so many bits: none, all, one, or any.
    fn bits(&mut self, width: u32) -> u64 {
        let all = u64::MAX >> (64 - width);
        match self.planner.below(6) {
            0 => 0,
            1 => all,
            2 => all >> 1,
            3 => (all >> 1) + 1,
            4 => 1 << self.planner.below(width.into()),
            _ => self.planner.below(u64::MAX) & all,
        }
    }

    /// Bytes: all zero, all one, a one at the end, or any.
    fn pattern<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        match self.planner.below(4) {
            0 => {}
            1 => bytes.fill(0xff),
            2 => bytes[N - 1] = 1,
            _ => bytes.fill_with(|| self.planner.below(256) as u8),
        }
        bytes
    }

    fn random(&mut self, length: u64) -> Vec<u8> {
        (0..length).map(|_| self.planner.below(256) as u8).collect()
    }

    /// For 8 and 16 bits.
    fn small(&mut self, name: &str) -> u64 {
        let most = match name {
            "WasLockingChainSend" => 2,
            "AssetScale" | "Scale" | "TickSize" => 16,
            "TradingFee" => 1_001,
            "TransferFee" => 50_001,
            "SignerWeight" => 4,
            _ => 20,
        };
        self.planner.below(most)
    }

    /// For 32 bits.
    fn number(&mut self, name: &str) -> u32 {
        let close_time = self.planner.world.close_time;
        let below = |draw: &mut Self, n: u64| draw.planner.below(n) as u32;
        match name {
            "Expiration" | "FinishAfter" | "CancelAfter" => {
                let span = [8, 60, 3_000][self.planner.below(3) as usize];
                (close_time + below(self, span)).saturating_sub(if self.chance(20) {
                    20
                } else {
                    0
                })
            }
            "LastUpdateTime" => EPOCH.saturating_add(close_time).saturating_add(below(self, 20)),
            "SetFlag" | "ClearFlag" => {
                let mut flags: Vec<u32> =
                    self.definitions.account_set_flags().map(|(_, n)| n).collect();
                flags.sort_unstable();
                self.planner.pick(&flags).copied().unwrap_or(1)
            }
            "TransferRate" => 1_000_000_000 + below(self, 1_000_000_001),
            "QualityIn" | "QualityOut" => 900_000_000 + below(self, 200_000_000),
            "TicketCount" => 1 + below(self, 4),
            "SignerQuorum" => 1 + below(self, 3),
            "PermissionValue" => match self.chance(50) {
                true => 65_537 + below(self, 12),
                false => 1 + below(self, 90),
            },
            "OfferSequence" | "Sequence" => {
                let back = below(self, 20);
                self.offer_sequence()
                    .unwrap_or(self.planner.me().lane.next().0.saturating_sub(back))
            }
            _ => below(self, 2_000),
        }
    }

    /// The Sequence of an offer of the sender.
    fn offer_sequence(&mut self) -> Option<u32> {
        let (world, me) = (self.planner.world, self.planner.sender);
        let offers: Vec<&Entry> = world.objects.owned(Kind::Offer, me).take(8).collect();
        u32::try_from(self.planner.pick(&offers)?.number(fields::SEQUENCE)?).ok()
    }

    /// An object of the band of a type.
    fn entry(&mut self, kind: Kind) -> Option<&Entry> {
        let world = self.planner.world;
        for _ in 0..ASKED {
            let owner = *self.planner.pick(world.accounts.fuzzers())?;
            let mut all: Vec<&Entry> = world.objects.owned(kind, owner).take(16).collect();
            all.extend(world.objects.toward(kind, owner).take(16));
            if let Some(entry) = self.planner.pick(&all) {
                return Some(entry);
            }
        }
        None
    }

    /// The id that a field names, or of nothing.
    fn id(&mut self, name: &str) -> Hash256 {
        let found = match name {
            "NFTokenID" => self.entry(Kind::NftPage).and_then(|page| Some(page.nfts().next()?.0)),
            _ => kind_of(name).and_then(|kind| self.entry(kind)).map(|entry| entry.id),
        };
        found.unwrap_or_else(|| self.planner.nothing())
    }

    fn issuance(&mut self) -> MptId {
        let found = self.entry(Kind::MpTokenIssuance).and_then(Entry::mpt);
        found.unwrap_or_else(|| {
            let back = self.planner.below(10) as u32;
            let me = self.planner.me();
            MptId::new(me.lane.next().0.saturating_sub(back), me.id)
        })
    }

    fn currency(&mut self) -> Currency {
        let codes = ["FUZ", "USD", "0158415500000000C1F76FF6ECB0BAC600000000"];
        let code: Result<Currency, AmountError> = codes[self.planner.below(3) as usize].parse();
        code.unwrap_or_default()
    }

    fn issue(&mut self) -> Issue {
        match self.planner.below(10) {
            0..3 => Issue::Xrp,
            3..5 => Issue::Mpt(self.issuance()),
            5 => {
                let assets = &self.planner.world.assets;
                let issued = |asset: &crate::world::Asset| Issue::Issued {
                    currency: asset.currency,
                    issuer: asset.issuer,
                };
                self.planner.pick(assets).map_or(Issue::Xrp, issued)
            }
            _ => Issue::Issued { currency: self.currency(), issuer: self.someone() },
        }
    }

    /// One that the binary form tells from others.
    fn strange_issue(&mut self) -> Issue {
        let issuer = AccountId(self.pattern());
        match self.planner.below(3) {
            0 => Issue::Xrp,
            1 => {
                let id: [u8; 24] = self.pattern();
                let mpt = MptId(id);
                // An issuer of zeros is read as XRP.
                if mpt.issuer() == AccountId::ZERO { Issue::Xrp } else { Issue::Mpt(mpt) }
            }
            _ => match Currency(self.pattern()) {
                currency if currency.is_xrp() || issuer == AccountId::ONE => Issue::Xrp,
                currency => Issue::Issued { currency, issuer },
            },
        }
    }

    fn amount(&mut self, name: &str) -> Amount {
        let drops = |draw: &mut Self| {
            let most = [100, 10_000, 5_000_000, 400_000_000][draw.planner.below(4) as usize];
            Amount::Xrp(1 + draw.planner.below(most) as i64)
        };
        let issue = match name {
            "SignatureReward" | "MinAccountCreateAmount" | "NFTokenBrokerFee" | "Fee" => Issue::Xrp,
            "LimitAmount" => Issue::Issued { currency: self.currency(), issuer: self.someone() },
            _ => self.issue(),
        };
        match issue {
            Issue::Xrp => drops(self),
            Issue::Mpt(id) => Amount::Mpt { value: 1 + self.planner.below(5_000) as i64, id },
            Issue::Issued { currency, issuer } => {
                let mantissa = 1 + self.planner.below(9_999) as i64;
                let exponent = [0, 0, -2, 3][self.planner.below(4) as usize];
                let value = IssuedValue::new(mantissa, exponent).unwrap_or(IssuedValue::ONE);
                Amount::issued(value, currency, issuer)
            }
        }
    }

    fn strange_amount(&mut self) -> Amount {
        match self.planner.below(3) {
            0 => {
                let drops = [
                    0,
                    1,
                    -1,
                    100_000_000_000_000_000,
                    100_000_000_000_000_001,
                    MOST_DROPS,
                    -MOST_DROPS,
                ];
                Amount::Xrp(self.planner.pick(&drops).copied().unwrap_or(0))
            }
            1 => {
                let values = [0, 1, -1, i64::MAX, -i64::MAX];
                let value = self.planner.pick(&values).copied().unwrap_or(0);
                let id = if self.chance(50) { self.issuance() } else { MptId(self.pattern()) };
                Amount::Mpt { value, id }
            }
            _ => {
                let values = [
                    IssuedValue::ZERO,
                    IssuedValue::ONE.negated(),
                    IssuedValue::MAX,
                    IssuedValue::MAX.negated(),
                    IssuedValue::LEAST,
                    IssuedValue::LEAST.negated(),
                ];
                let value = self.planner.pick(&values).copied().unwrap_or(IssuedValue::ZERO);
                let currency =
                    if self.chance(50) { self.currency() } else { Currency(self.pattern()) };
                let issuer =
                    if self.chance(50) { self.someone() } else { AccountId(self.pattern()) };
                Amount::issued(value, currency, issuer)
            }
        }
    }

    fn bytes(&mut self, name: &str) -> Vec<u8> {
        let known = |hex: &str| const_hex::decode(hex).unwrap_or_default();
        match name {
            "PublicKey" | "SigningPubKey" | "MessageKey" | "UNLModifyValidator" => {
                self.planner.me().key.public_key().0.to_vec()
            }
            "Condition" if self.chance(70) => known(CONDITION),
            "Fulfillment" if self.chance(70) => known(FULFILLMENT),
            "TxnSignature" | "Signature" => self.random(64),
            "CredentialType" => {
                self.planner.pick(&[b"KYC", b"AML"]).map_or(Vec::new(), |t| t.to_vec())
            }
            _ => {
                let length = 1 + self.planner.below(16);
                self.random(length)
            }
        }
    }

    /// Paths that the binary form can hold: none of them is empty.
    fn paths(&mut self, most_paths: u64, most_steps: u64) -> Value {
        let step = |draw: &mut Self| {
            let mut step = PathStep { account: None, currency: None, issuer: None, mpt: None };
            match draw.planner.below(4) {
                0 => step.account = Some(draw.someone()),
                1 => step.currency = Some(draw.currency()),
                2 => {
                    step.currency = Some(draw.currency());
                    step.issuer = Some(draw.someone());
                }
                _ => step.mpt = Some(draw.issuance()),
            }
            step
        };
        let path = |draw: &mut Self| {
            let steps = 1 + draw.planner.below(most_steps);
            (0..steps).map(|_| step(draw)).collect()
        };
        let many = 1 + self.planner.below(most_paths);
        Value::PathSet((0..many).map(|_| path(self)).collect())
    }
}

fn whole(n: u64) -> Number {
    n.to_string().parse().unwrap_or(Number::ZERO)
}

/// The type of ledger entry whose id a field has, by the field's name.
fn kind_of(name: &str) -> Option<Kind> {
    let entry = match name {
        "Channel" => "PayChannel",
        "DomainID" => "PermissionedDomain",
        "NFTokenBuyOffer" | "NFTokenSellOffer" | "NFTokenOffers" => "NFTokenOffer",
        "CredentialIDs" => "Credential",
        "AMMID" => "AMM",
        name => name.strip_suffix("ID")?,
    };
    Kind::named(entry)
}
