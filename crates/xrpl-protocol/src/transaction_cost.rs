//! What a transaction must pay at the least, from the node's figures
//! (<https://xrpl.org/docs/concepts/transactions/transaction-cost#special-transaction-costs>).

use crate::{Definitions, Object, fields};

/// A ledger's fee settings, in drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeFigures {
    /// The base fee: what an ordinary transaction with one signature costs.
    pub base: u64,
    /// What an account must hold at the least.
    pub reserve: u64,
    /// What each object that an account owns adds to that.
    pub increment: u64,
}

impl Default for FeeFigures {
    /// The main network's figures.
    fn default() -> Self {
        Self { base: 10, reserve: 1_000_000, increment: 200_000 }
    }
}

/// Flags of LoanPay with which it makes one set of calculations only.
const LOAN_FULL_PAYMENT: u32 = 0x0002_0000;
const LOAN_LATE_PAYMENT: u32 = 0x0004_0000;
/// Base fees of the largest LoanPay: one for each five of at most a hundred payments.
const LOAN_PAY_MOST: u64 = 20;
/// Base fees that a confidential transfer's proofs cost beside the ordinary one.
const CONFIDENTIAL_EXTRA: u64 = 9;

/// The least fee of a transaction, in drops, on a node without load.
///
/// What a node asks under load is a multiple of it. It follows from the transaction alone, but for
/// two types whose cost depends on the ledger: of LoanPay this is the most that it can be, and a
/// SetRegularKey that would be free is counted as an ordinary transaction. Signatures that are not
/// there yet are not counted.
///
/// ```
/// use xrpl_protocol::{Definitions, Object, transaction_cost::{FeeFigures, least_fee}};
/// let tx = serde_json::json!({"TransactionType": "AccountDelete"});
/// let tx = Object::from_json(&tx, Definitions::builtin()).unwrap();
/// assert_eq!(least_fee(&tx, &FeeFigures::default()), 200_000);
/// ```
#[must_use]
pub fn least_fee(tx: &Object, figures: &FeeFigures) -> u64 {
    let base = figures.base;
    let times = |n: u64| base.saturating_mul(n);
    let signed = times(1 + signers(tx));
    let name = tx
        .u16(fields::TRANSACTION_TYPE)
        .and_then(|code| Definitions::builtin().transaction_type_name(code));
    match name.unwrap_or_default() {
        // They remove or make so much that an owner reserve is burnt, however many sign.
        "AccountDelete" | "AMMCreate" | "LedgerStateFix" => figures.increment,
        "EscrowFinish" => match tx.blob(fields::FULFILLMENT) {
            Some(fulfillment) => signed.saturating_add(times(32 + fulfillment.len() as u64 / 16)),
            None => signed,
        },
        "LoanSet" => {
            let other = tx.object(fields::COUNTERPARTY_SIGNATURE).map_or(0, parts);
            signed.saturating_add(times(other))
        }
        "LoanPay" => {
            let flags = tx.u32(fields::FLAGS).unwrap_or(0);
            match flags & (LOAN_FULL_PAYMENT | LOAN_LATE_PAYMENT) {
                0 => signed.saturating_mul(LOAN_PAY_MOST),
                _ => signed,
            }
        }
        "Batch" => {
            let inner = tx.array(fields::RAW_TRANSACTIONS).unwrap_or_default();
            let inner = inner
                .iter()
                .fold(0u64, |sum, (_, tx)| sum.saturating_add(least_inner_fee(tx, figures)));
            let others = tx.array(fields::BATCH_SIGNERS).unwrap_or_default();
            let others = others.iter().map(|(_, signer)| parts(signer)).sum();
            signed.saturating_add(base).saturating_add(inner).saturating_add(times(others))
        }
        name if name.starts_with("ConfidentialMPT") => {
            signed.saturating_add(times(CONFIDENTIAL_EXTRA))
        }
        _ => signed,
    }
}

/// A Batch within a Batch is refused by the ledger; it must not be followed down here.
fn least_inner_fee(tx: &Object, figures: &FeeFigures) -> u64 {
    match tx.contains(fields::RAW_TRANSACTIONS) {
        true => figures.base,
        false => least_fee(tx, figures),
    }
}

fn signers(tx: &Object) -> u64 {
    tx.array(fields::SIGNERS).map_or(0, |signers| signers.len() as u64)
}

/// Signatures in an object that holds one or several.
fn parts(object: &Object) -> u64 {
    match object.contains(fields::TXN_SIGNATURE) {
        true => 1,
        false => signers(object),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    const FIGURES: FeeFigures = FeeFigures { base: 12, reserve: 10_000_000, increment: 2_000_000 };

    fn least(tx: Json) -> u64 {
        let tx = Object::from_json(&tx, Definitions::builtin()).unwrap();
        least_fee(&tx, &FIGURES)
    }

    fn signer() -> Json {
        json!({"Signer": {"Account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"}})
    }

    #[test]
    fn types_with_a_cost_of_their_own() {
        for (tx, drops) in [
            (json!({"TransactionType": "Payment"}), 12),
            (json!({"TransactionType": "Payment", "Signers": [signer(), signer()]}), 36),
            (json!({"TransactionType": "VaultCreate"}), 12),
            (json!({"TransactionType": "AccountDelete"}), 2_000_000),
            (json!({"TransactionType": "AccountDelete", "Signers": [signer()]}), 2_000_000),
            (json!({"TransactionType": "AMMCreate"}), 2_000_000),
            (json!({"TransactionType": "LedgerStateFix"}), 2_000_000),
            (json!({"TransactionType": "EscrowFinish"}), 12),
            (json!({"TransactionType": "EscrowFinish", "Fulfillment": "A0028000"}), 12 * 33),
            (
                json!({
                    "TransactionType": "EscrowFinish",
                    "Fulfillment": "00".repeat(33),
                    "Signers": [signer()],
                }),
                12 * (2 + 32 + 2),
            ),
            (json!({"TransactionType": "LoanSet"}), 12),
            (
                json!({"TransactionType": "LoanSet", "CounterpartySignature": {"TxnSignature": "00"}}),
                24,
            ),
            (
                json!({
                    "TransactionType": "LoanSet",
                    "CounterpartySignature": {"Signers": [signer(), signer()]},
                }),
                36,
            ),
            (json!({"TransactionType": "LoanPay"}), 240),
            (json!({"TransactionType": "LoanPay", "Flags": 0x0002_0000}), 12),
            (json!({"TransactionType": "ConfidentialMPTSend"}), 120),
        ] {
            assert_eq!(least(tx.clone()), drops, "{tx}");
        }
    }

    #[test]
    fn batches() {
        let inner = |name: &str| json!({"RawTransaction": {"TransactionType": name}});
        let batch = |inner: &[Json], signers: Json| json!({"TransactionType": "Batch", "RawTransactions": inner, "BatchSigners": signers});
        assert_eq!(least(batch(&[inner("Payment"), inner("Payment")], json!([]))), 48);
        assert_eq!(
            least(batch(&[inner("Payment"), inner("AccountDelete")], json!([]))),
            36 + 2_000_000
        );
        let signers = json!([
            {"BatchSigner": {"TxnSignature": "00"}},
            {"BatchSigner": {"Signers": [signer(), signer()]}},
            {"BatchSigner": {}},
        ]);
        assert_eq!(least(batch(&[inner("Payment"), inner("Payment")], signers)), 48 + 36);
    }

    #[test]
    fn no_figure_overflows() {
        let tx = json!({"TransactionType": "LoanPay", "Signers": [signer()]});
        let tx = Object::from_json(&tx, Definitions::builtin()).unwrap();
        let figures = FeeFigures { base: u64::MAX, ..FIGURES };
        assert_eq!(least_fee(&tx, &figures), u64::MAX);
    }
}
