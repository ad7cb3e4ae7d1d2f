//! The generator's direct path: a transaction written straight into its binary form, signed and
//! hashed in one buffer, without JSON and without a list of fields.
//!
//! ```
//! use xrpl_protocol::{Drops, Sequence, LedgerIndex, keys::{KeyPair, KeyType, Seed}, transaction::*};
//! let key = KeyPair::from_seed(&Seed::from_entropy([1; 16], KeyType::Ed25519));
//! let common = Common::new(key.account_id(), Slot::Sequence(Sequence(7)), Drops(10))
//!     .last_ledger(LedgerIndex(99));
//! let signed = Payment::xrp(key.account_id(), Drops(1)).sign(&common, &key);
//! assert_eq!(signed.hash, xrpl_protocol::hash::transaction_hash(&signed.blob));
//! ```

pub use crate::units::Slot;
use crate::{
    AccountId, Amount, Currency, Drops, LedgerIndex,
    encode::{write_field_id, write_length},
    fields,
    hash::{prefix, transaction_hash},
    keys::KeyPair,
    object::Field,
    sign::SignedTransaction,
};

/// The fields every transaction has.
#[derive(Clone, Copy, Debug)]
pub struct Common {
    /// Who sends it.
    pub account: AccountId,
    /// What it uses up.
    pub slot: Slot,
    /// What it pays the network.
    pub fee: Drops,
    /// Type-specific flags.
    pub flags: u32,
    /// The last ledger it may be in.
    pub last_ledger: Option<LedgerIndex>,
    /// The network it is for; only where the id is above 1024.
    pub network_id: Option<u32>,
    /// Free tag of the sender.
    pub source_tag: Option<u32>,
}

impl Common {
    /// No flags, no LastLedgerSequence.
    #[must_use]
    pub fn new(account: AccountId, slot: Slot, fee: Drops) -> Self {
        Self { account, slot, fee, flags: 0, last_ledger: None, network_id: None, source_tag: None }
    }

    /// With a LastLedgerSequence.
    #[must_use]
    pub fn last_ledger(mut self, index: LedgerIndex) -> Self {
        self.last_ledger = Some(index);
        self
    }

    /// With flags.
    #[must_use]
    pub fn flags(mut self, flags: u32) -> Self {
        self.flags = flags;
        self
    }
}

/// Writes fields in canonical order; a wrong order is a bug that debug builds stop at.
#[derive(Debug)]
pub struct FieldWriter {
    out: Vec<u8>,
    last: Option<Field>,
    signature_at: usize,
}

impl FieldWriter {
    fn begin(&mut self, field: Field) {
        debug_assert!(self.last < Some(field), "{field:?} after {:?}", self.last);
        if self.signature_at == 0 && field > fields::TXN_SIGNATURE {
            self.signature_at = self.out.len();
        }
        self.last = Some(field);
        write_field_id(&mut self.out, field);
    }

    /// An 8-bit number.
    pub fn u8(&mut self, field: Field, n: u8) {
        self.begin(field);
        self.out.push(n);
    }

    /// A 16-bit number.
    pub fn u16(&mut self, field: Field, n: u16) {
        self.begin(field);
        self.out.extend_from_slice(&n.to_be_bytes());
    }

    /// A 32-bit number.
    pub fn u32(&mut self, field: Field, n: u32) {
        self.begin(field);
        self.out.extend_from_slice(&n.to_be_bytes());
    }

    /// An amount.
    pub fn amount(&mut self, field: Field, amount: &Amount) {
        self.begin(field);
        amount.encode(&mut self.out);
    }

    /// Bytes of any length.
    pub fn blob(&mut self, field: Field, bytes: &[u8]) {
        self.begin(field);
        write_length(&mut self.out, bytes.len());
        self.out.extend_from_slice(bytes);
    }

    /// An account.
    pub fn account(&mut self, field: Field, id: AccountId) {
        self.begin(field);
        self.out.push(20);
        self.out.extend_from_slice(&id.0);
    }

    fn optional_u32(&mut self, field: Field, n: Option<u32>) {
        if let Some(n) = n {
            self.u32(field, n);
        }
    }
}

/// A transaction type with a direct path. The common fields lie between the type's own; each
/// method writes the own fields of one stretch.
pub trait Direct {
    /// Code of the type, as in the definitions.
    const TYPE: u16;

    /// 32-bit fields between Sequence and LastLedgerSequence: `Expiration` to `OfferSequence`.
    fn numbers(&self, _out: &mut FieldWriter) {}
    /// 32-bit fields after LastLedgerSequence; the writer is told the Ticket to place.
    fn late_numbers(&self, out: &mut FieldWriter, ticket: Option<u32>) {
        out.optional_u32(fields::TICKET_SEQUENCE, ticket);
    }
    /// Amounts before Fee.
    fn amounts(&self, _out: &mut FieldWriter) {}
    /// Amounts after Fee.
    fn late_amounts(&self, _out: &mut FieldWriter) {}
    /// Blobs after TxnSignature.
    fn blobs(&self, _out: &mut FieldWriter) {}
    /// Accounts after Account, and everything behind.
    fn accounts(&self, _out: &mut FieldWriter) {}

    /// Builds, signs and hashes.
    fn sign(&self, common: &Common, key: &KeyPair) -> SignedTransaction {
        let mut w = FieldWriter { out: Vec::with_capacity(320), last: None, signature_at: 0 };
        w.out.extend_from_slice(&prefix::TRANSACTION_SIGN);
        w.u16(fields::TRANSACTION_TYPE, Self::TYPE);
        w.optional_u32(fields::NETWORK_ID, common.network_id);
        w.u32(fields::FLAGS, common.flags);
        w.optional_u32(fields::SOURCE_TAG, common.source_tag);
        let (sequence, ticket) = match common.slot {
            Slot::Sequence(n) => (n.0, None),
            Slot::Ticket(n) => (0, Some(n.0)),
        };
        w.u32(fields::SEQUENCE, sequence);
        self.numbers(&mut w);
        w.optional_u32(fields::LAST_LEDGER_SEQUENCE, common.last_ledger.map(|l| l.0));
        self.late_numbers(&mut w, ticket);
        self.amounts(&mut w);
        w.amount(fields::FEE, &Amount::xrp(common.fee));
        self.late_amounts(&mut w);
        w.blob(fields::SIGNING_PUB_KEY, &key.public_key().0);
        self.blobs(&mut w);
        w.account(fields::ACCOUNT, common.account);
        self.accounts(&mut w);
        finish(w, key)
    }
}

fn finish(w: FieldWriter, key: &KeyPair) -> SignedTransaction {
    let signature = key.sign(&w.out);
    let signature = signature.as_bytes();
    // The signing prefix in front gives way; the signature goes to its place among the fields.
    let (before, after) = w.out[4..].split_at(w.signature_at - 4);
    let mut blob = Vec::with_capacity(w.out.len() + signature.len() - 1);
    blob.extend_from_slice(before);
    write_field_id(&mut blob, fields::TXN_SIGNATURE);
    blob.push(signature.len() as u8);
    blob.extend_from_slice(signature);
    blob.extend_from_slice(after);
    let hash = transaction_hash(&blob);
    SignedTransaction { blob, hash }
}

/// A Payment without paths (<https://xrpl.org/docs/references/protocol/transactions/types/payment>).
#[derive(Clone, Copy, Debug)]
pub struct Payment {
    /// Who gets it.
    pub destination: AccountId,
    /// How much, and of what.
    pub amount: Amount,
    /// The most it may cost the sender.
    pub send_max: Option<Amount>,
    /// Free tag of the receiver.
    pub destination_tag: Option<u32>,
}

impl Payment {
    /// XRP to an account.
    #[must_use]
    pub fn xrp(destination: AccountId, drops: Drops) -> Self {
        Self { destination, amount: Amount::xrp(drops), send_max: None, destination_tag: None }
    }
}

impl Direct for Payment {
    const TYPE: u16 = 0;
    fn numbers(&self, out: &mut FieldWriter) {
        out.optional_u32(fields::DESTINATION_TAG, self.destination_tag);
    }
    fn amounts(&self, out: &mut FieldWriter) {
        out.amount(fields::AMOUNT, &self.amount);
    }
    fn late_amounts(&self, out: &mut FieldWriter) {
        if let Some(most) = &self.send_max {
            out.amount(fields::SEND_MAX, most);
        }
    }
    fn accounts(&self, out: &mut FieldWriter) {
        out.account(fields::DESTINATION, self.destination);
    }
}

/// A TrustSet (<https://xrpl.org/docs/references/protocol/transactions/types/trustset>).
#[derive(Clone, Copy, Debug)]
pub struct TrustSet {
    /// Currency, issuer and limit.
    pub limit: Amount,
    /// Incoming balances count this many billionths; 0 for face value.
    pub quality_in: Option<u32>,
    /// Outgoing balances likewise.
    pub quality_out: Option<u32>,
}

impl Direct for TrustSet {
    const TYPE: u16 = 20;
    fn numbers(&self, out: &mut FieldWriter) {
        out.optional_u32(fields::QUALITY_IN, self.quality_in);
        out.optional_u32(fields::QUALITY_OUT, self.quality_out);
    }
    fn amounts(&self, out: &mut FieldWriter) {
        out.amount(fields::LIMIT_AMOUNT, &self.limit);
    }
}

/// An AccountSet (<https://xrpl.org/docs/references/protocol/transactions/types/accountset>);
/// without anything set it is the ledger's no-op.
#[derive(Clone, Debug, Default)]
pub struct AccountSet {
    /// `asf` flag to set.
    pub set_flag: Option<u32>,
    /// `asf` flag to clear.
    pub clear_flag: Option<u32>,
    /// Transfer rate in billionths; 0 or 1,000,000,000 for none.
    pub transfer_rate: Option<u32>,
    /// Domain in bytes; empty clears it.
    pub domain: Option<Vec<u8>>,
}

impl Direct for AccountSet {
    const TYPE: u16 = 3;
    fn numbers(&self, out: &mut FieldWriter) {
        out.optional_u32(fields::TRANSFER_RATE, self.transfer_rate);
    }
    fn late_numbers(&self, out: &mut FieldWriter, ticket: Option<u32>) {
        out.optional_u32(fields::SET_FLAG, self.set_flag);
        out.optional_u32(fields::CLEAR_FLAG, self.clear_flag);
        out.optional_u32(fields::TICKET_SEQUENCE, ticket);
    }
    fn blobs(&self, out: &mut FieldWriter) {
        if let Some(domain) = &self.domain {
            out.blob(fields::DOMAIN, domain);
        }
    }
}

/// A TicketCreate (<https://xrpl.org/docs/references/protocol/transactions/types/ticketcreate>).
#[derive(Clone, Copy, Debug)]
pub struct TicketCreate {
    /// How many, 1 to 250.
    pub count: u32,
}

impl Direct for TicketCreate {
    const TYPE: u16 = 10;
    fn late_numbers(&self, out: &mut FieldWriter, ticket: Option<u32>) {
        out.u32(fields::TICKET_COUNT, self.count);
        out.optional_u32(fields::TICKET_SEQUENCE, ticket);
    }
}

/// The limit of a trust line.
#[must_use]
pub fn limit(value: crate::IssuedValue, currency: Currency, issuer: AccountId) -> Amount {
    Amount::issued(value, currency, issuer)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::{
        Definitions, IssuedValue, Object, Sequence,
        keys::{KeyType, Seed},
    };

    fn check(direct: &impl Direct, common: &Common, key: &KeyPair) {
        let signed = direct.sign(common, key);
        let read = Object::decode(&signed.blob, Definitions::builtin()).unwrap();
        assert_eq!(read.encode(), signed.blob);
        crate::sign::verify_transaction(&read).unwrap();
        // Signing is deterministic, so that the path over fields gives the same bytes.
        assert_eq!(crate::sign::sign(read, key), signed);
    }

    /// What the blob says, apart from signature and key.
    fn told(direct: &impl Direct, common: &Common) -> Json {
        let key = KeyPair::from_seed(&Seed::from_entropy([7; 16], KeyType::Ed25519));
        let signed = direct.sign(common, &key);
        let read = Object::decode(&signed.blob, Definitions::builtin()).unwrap();
        let mut json = read.to_json(Definitions::builtin());
        let members = json.as_object_mut().unwrap();
        assert!(members.remove("TxnSignature").is_some());
        assert!(members.remove("SigningPubKey").is_some());
        json
    }

    #[test]
    fn every_field_is_told_under_its_name() {
        let (sender, other) = (AccountId([8; 20]), AccountId([9; 20]));
        let issued = limit(IssuedValue::new(25, -1).unwrap(), "USD".parse().unwrap(), other);
        let usd = json!({"currency": "USD", "issuer": other.to_string(), "value": "2.5"});
        let mut common = Common::new(sender, Slot::Sequence(Sequence(7)), Drops(12)).flags(1 << 17);
        common.network_id = Some(2025);
        common.source_tag = Some(99);
        common = common.last_ledger(LedgerIndex(44));
        let with = |own: Json| {
            let mut json = json!({"Account": sender.to_string(), "Sequence": 7, "Fee": "12",
                "Flags": 1 << 17, "NetworkID": 2025, "SourceTag": 99, "LastLedgerSequence": 44});
            json.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
            json
        };
        let payment = Payment {
            destination: other,
            amount: Amount::xrp(Drops(5)),
            send_max: Some(issued),
            destination_tag: Some(6),
        };
        assert_eq!(
            told(&payment, &common),
            with(json!({"TransactionType": "Payment", "Destination": other.to_string(),
                "Amount": "5", "SendMax": usd, "DestinationTag": 6}))
        );
        let trust = TrustSet { limit: issued, quality_in: Some(1), quality_out: Some(2) };
        assert_eq!(
            told(&trust, &common),
            with(json!({"TransactionType": "TrustSet", "LimitAmount": usd, "QualityIn": 1,
                "QualityOut": 2}))
        );
        let set = AccountSet {
            set_flag: Some(8),
            clear_flag: Some(5),
            transfer_rate: Some(1_000_000_001),
            domain: Some(b"x.y".to_vec()),
        };
        assert_eq!(
            told(&set, &common),
            with(json!({"TransactionType": "AccountSet", "SetFlag": 8, "ClearFlag": 5,
                "TransferRate": 1_000_000_001, "Domain": "782E79"}))
        );
        common.slot = Slot::Ticket(Sequence(31));
        assert_eq!(
            told(&TicketCreate { count: 3 }, &common),
            with(json!({"TransactionType": "TicketCreate", "TicketCount": 3, "Sequence": 0,
                "TicketSequence": 31}))
        );
    }

    proptest! {
        #[test]
        fn equals_the_path_over_fields(
            ed in any::<bool>(), entropy in any::<[u8; 16]>(), n in any::<u32>(), ticket in any::<bool>(),
            last in any::<Option<u32>>(), network in any::<Option<u32>>(), tag in any::<Option<u32>>(),
            drops in 0..Drops::MAX.0, value in any::<i64>(), domain in any::<Option<Vec<u8>>>(),
        ) {
            let key_type = if ed { KeyType::Ed25519 } else { KeyType::Secp256k1 };
            let key = KeyPair::from_seed(&Seed::from_entropy(entropy, key_type));
            let other = AccountId([9; 20]);
            let slot = if ticket { Slot::Ticket(Sequence(n)) } else { Slot::Sequence(Sequence(n)) };
            let mut common = Common::new(key.account_id(), slot, Drops(drops % 1000)).flags(n);
            common.last_ledger = last.map(LedgerIndex);
            common.network_id = network;
            common.source_tag = tag;
            let issued = limit(IssuedValue::new(value, -3).unwrap(), "USD".parse().unwrap(), other);
            check(&Payment::xrp(other, Drops(drops)), &common, &key);
            check(&Payment { destination: other, amount: issued, send_max: Some(issued), destination_tag: tag }, &common, &key);
            check(&TrustSet { limit: issued, quality_in: last, quality_out: tag }, &common, &key);
            check(&AccountSet { set_flag: last, clear_flag: tag, transfer_rate: network, domain }, &common, &key);
            check(&TicketCreate { count: n }, &common, &key);
        }
    }
}
