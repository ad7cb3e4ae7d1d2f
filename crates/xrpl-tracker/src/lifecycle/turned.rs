//! Which `tem` a node may answer because of what its ledger holds, so that the same blob may apply on a
//! later one.
//!
//! Nearly every `tem` comes of `preflight`, which sees the transaction and the amendments and nothing
//! else. Some come of `preclaim` or of applying it: an OracleSet without `Provider` is `temMALFORMED`
//! only while there is no such oracle. A node tries what it answered with `tem` on its next five open
//! ledgers once more, so that these are no end.

use xrpl_protocol::{Definitions, EngineResult as R};

use crate::evidence::ResultName;

/// Codes that come of a payment's steps, whatever transaction makes it, and those of types that the node
/// does not know.
const OF_ANY_TYPE: [R; 4] =
    [R::TEM_BAD_PATH, R::TEM_BAD_PATH_LOOP, R::TEM_RIPPLE_EMPTY, R::TEM_UNKNOWN];

/// Those of a type, as `preclaim`, the check of signatures and `doApply` of xrpld 3.3.0-b0 answer them.
#[rustfmt::skip]
const OF_TYPES: &[(&str, R)] = &[
    ("AMMBid", R::TEM_BAD_AMM_TOKENS),             // of a pool whose tokens are others
    ("AMMClawback", R::TEM_BAD_AMM_TOKENS),
    ("AMMDeposit", R::TEM_BAD_AMM_TOKENS),
    ("AMMDeposit", R::TEM_BAD_AMOUNT),             // by what the pool holds
    ("AMMWithdraw", R::TEM_BAD_AMM_TOKENS),
    ("AMMWithdraw", R::TEM_BAD_AMOUNT),
    ("CheckCash", R::TEM_MALFORMED),               // the check names another currency or issuer
    ("Clawback", R::TEM_BAD_AMOUNT),
    ("EscrowCancel", R::TEM_DISABLED),
    ("EscrowCreate", R::TEM_DISABLED),
    ("EscrowFinish", R::TEM_DISABLED),
    ("LoanPay", R::TEM_INVALID_FLAG),              // by what is due of the loan
    ("LoanSet", R::TEM_BAD_SIGNER),                // by the broker's owner
    ("NFTokenAcceptOffer", R::TEM_BAD_OFFER),      // by what the offers say
    ("OfferCancel", R::TEM_BAD_SEQUENCE),          // an offer of a Sequence that is yet to come
    ("OfferCreate", R::TEM_BAD_SEQUENCE),
    ("OracleSet", R::TEM_MALFORMED),               // whether there is the oracle already
    ("PaymentChannelClaim", R::TEM_BAD_SIGNER),    // the key that the channel names
    ("PaymentChannelFund", R::TEM_BAD_EXPIRATION), // by what the channel says
    ("SignerListSet", R::TEM_MALFORMED),
    ("TrustSet", R::TEM_DST_IS_SRC),               // whether there is such a line of old
];

/// Whether a node may answer this of a transaction of this type because of its ledger, so that a later one
/// may have it answer otherwise. Of types and codes that this program does not know, it may.
#[must_use]
pub fn may_depend_on_ledger(transaction_type: &str, result: &ResultName) -> bool {
    let ResultName::Known(code) = result else { return true };
    OF_ANY_TYPE.contains(code)
        || OF_TYPES.contains(&(transaction_type, *code))
        || Definitions::builtin().transaction_type(transaction_type).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_ledger_decides_is_told_from_what_none_does() {
        for (transaction_type, result, may) in [
            ("OracleSet", "temMALFORMED", true),
            ("OfferCancel", "temBAD_SEQUENCE", true),
            ("CheckCash", "temBAD_PATH_LOOP", true),
            ("Payment", "temRIPPLE_EMPTY", true),
            ("Payment", "temMALFORMED", false),
            ("Payment", "temBAD_AMOUNT", false),
            ("OracleSet", "temBAD_FEE", false),
            ("Payment", "temNEW_IN_2031", true),
            ("TypeOf2031", "temMALFORMED", true),
        ] {
            let result = ResultName::new(result);
            assert_eq!(
                may_depend_on_ledger(transaction_type, &result),
                may,
                "{transaction_type} {result:?}"
            );
        }
    }

    #[test]
    fn every_type_of_the_table_exists_and_stands_there_once() {
        for (n, (transaction_type, code)) in OF_TYPES.iter().enumerate() {
            assert!(!OF_TYPES[..n].contains(&(*transaction_type, *code)), "{transaction_type}");
            assert!(Definitions::builtin().transaction_type(transaction_type).is_some());
            assert!(!OF_ANY_TYPE.contains(code), "{transaction_type}");
        }
    }
}
