//! A transaction as it arrives: decoded, named, its signature checked. None of it needs the ledger,
//! so that callers may do it in parallel and hand the result to [`crate::node::Node::submit`].

use std::sync::Arc;

use xrpl_protocol::{
    AccountId, Amount, Definitions, Object, TxHash, decode::DecodeError, fields,
    hash::transaction_hash, object::Value, sign::verify_transaction,
};

pub(crate) use super::local_checks::{BATCH, INNER_BATCH, MAX_BATCH_SIGNERS, MAX_INNER};
pub use super::seq_proxy::SeqProxy;
use super::{local_checks, template};

/// Bytes a transaction may have.
const MAX_SIZE: usize = 1024 * 1024;

/// How xrpld begins its reasons.
pub(crate) const LOCAL_CHECKS: &str = "fails local checks: ";

/// Why a blob is not taken at all: xrpld answers `invalidTransaction`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidTransaction {
    /// Why, in xrpld's words.
    pub reason: String,
    /// The transaction, when it is its signature that does not match. xrpld remembers those: see
    /// [`crate::node::Node::refusal`].
    pub bad_signature: Option<TxHash>,
}

impl InvalidTransaction {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), bad_signature: None }
    }
}

/// A decoded transaction whose signatures match.
#[derive(Debug)]
pub struct PreparedTx {
    /// Its hash.
    pub hash: TxHash,
    /// Its binary form.
    pub blob: Vec<u8>,
    /// Its fields.
    pub object: Object,
    /// `TransactionType`.
    pub kind: u16,
    /// `Account`.
    pub account: AccountId,
    /// Its Sequence or Ticket.
    pub seq: SeqProxy,
    /// `Fee`, if it is an amount of XRP.
    pub fee: Option<i64>,
    /// `Flags`.
    pub flags: u32,
    /// `LastLedgerSequence`.
    pub last_ledger: Option<u32>,
}

/// What is wrong with a blob in xrpld's words, where it has some for it.
fn words(error: &DecodeError) -> String {
    let missing = error.cause.strip_suffix(" more bytes expected, the input ends");
    match missing {
        Some("1") => "invalid SerialIter get8".into(),
        Some("2") => "invalid SerialIter get16".into(),
        Some("4") => "invalid SerialIter get32".into(),
        Some("8") => "invalid SerialIter get64".into(),
        Some(_) => "invalid SerialIter getRaw".into(),
        None if error.cause.starts_with("unknown field") => "Unknown field".into(),
        None if error.cause.starts_with("uncommon ") => format!("gFID: {}", error.cause),
        None => error.to_string(),
    }
}

impl PreparedTx {
    /// Decodes a blob and checks its form and signatures.
    ///
    /// # Errors
    /// In xrpld's words, for `error_exception`.
    pub fn parse_and_check(blob: &[u8]) -> Result<Arc<Self>, InvalidTransaction> {
        let this = Self::parse(blob)?;
        this.check()?;
        Ok(Arc::new(this))
    }

    /// Decodes a blob without looking at signatures: for transactions that come from a trusted
    /// place, such as one's own store.
    ///
    /// # Errors
    /// As [`Self::parse_and_check`].
    pub fn parse(blob: &[u8]) -> Result<Self, InvalidTransaction> {
        if blob.len() < 32 || blob.len() > MAX_SIZE {
            return Err(InvalidTransaction::new("Transaction length invalid"));
        }
        let object = Object::decode(blob, Definitions::builtin())
            .map_err(|error| InvalidTransaction::new(words(&error)))?;
        Self::from_object(object, blob.to_vec())
    }

    fn from_object(object: Object, blob: Vec<u8>) -> Result<Self, InvalidTransaction> {
        let kind = object
            .u16(fields::TRANSACTION_TYPE)
            .ok_or_else(|| InvalidTransaction::new("Field not found: TransactionType"))?;
        template::check(kind, &object).map_err(InvalidTransaction::new)?;
        let account = object.account(fields::ACCOUNT).unwrap_or_default();
        let fee = match object.amount(fields::FEE) {
            Some(Amount::Xrp(drops)) => Some(drops),
            _ => None,
        };
        Ok(Self {
            hash: transaction_hash(&blob),
            kind,
            account,
            seq: SeqProxy::of(&object),
            fee,
            flags: object.u32(fields::FLAGS).unwrap_or_default(),
            last_ledger: object.u32(fields::LAST_LEDGER_SEQUENCE),
            blob,
            object,
        })
    }

    /// Whether fields that were never in binary make a transaction of their type. (A default value
    /// that was given on purpose may have no binary form at all.)
    ///
    /// # Errors
    /// In xrpld's words.
    pub fn check_form(object: &Object) -> Result<(), InvalidTransaction> {
        let blob = object.encode();
        Self::from_object(object.clone(), blob.clone())?;
        Self::parse(&blob).map(drop)
    }

    /// A transaction inside a Batch: nobody signed it, its Batch vouches for it.
    ///
    /// # Errors
    /// As [`Self::parse_and_check`], for its form.
    pub fn inner(object: &Object) -> Result<Arc<Self>, InvalidTransaction> {
        Self::from_object(object.clone(), object.encode()).map(Arc::new)
    }

    /// Who pays its fee: the delegate if it has one, else its account.
    #[must_use]
    pub fn fee_payer(&self) -> AccountId {
        self.object.account(fields::DELEGATE).unwrap_or(self.account)
    }

    /// xrpld's local checks and the signatures.
    fn check(&self) -> Result<(), InvalidTransaction> {
        let fails = |reason: String, bad_signature| InvalidTransaction {
            reason: format!("{LOCAL_CHECKS}{reason}"),
            bad_signature,
        };
        local_checks::signature(&self.object, self.fee_payer())
            .map_err(|reason| fails(reason, Some(self.hash)))?;
        self.check_local()
    }

    /// xrpld's local checks, but for the signatures: memos, amounts where they may be, what is in a
    /// Batch.
    ///
    /// # Errors
    /// In xrpld's words.
    pub fn check_local(&self) -> Result<(), InvalidTransaction> {
        local_checks::form(&self.object)
            .map_err(|reason| InvalidTransaction::new(format!("{LOCAL_CHECKS}{reason}")))
    }

    /// Whether the signatures match the keys they name.
    #[must_use]
    pub fn signatures_match(&self) -> bool {
        verify_transaction(&self.object).is_ok()
    }

    /// Whether a flag is set.
    #[must_use]
    pub fn has_flag(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// How many signers sign it together.
    #[must_use]
    pub fn signer_count(&self) -> usize {
        match self.object.get(fields::SIGNERS) {
            Some(Value::Array(signers)) => signers.len(),
            _ => 0,
        }
    }
}
