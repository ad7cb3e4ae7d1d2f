use std::collections::BTreeMap;

use xrpl_protocol::{MptId, Object, Value, fields};

use super::{Invariant, Outcome, Touched, confidential::CONFIDENTIAL};
use crate::ledger::{
    ReadView, amendment, entry_type,
    helpers::mpt::{issuer_of, maximum},
};

#[derive(Default)]
struct Sums {
    before: i128,
    after: i128,
    /// By how much holders have more.
    held: i128,
}

/// What is outstanding of an MPT is what holders have, and not more than its maximum.
#[derive(Default)]
pub(super) struct ValidMptPayment {
    overflow: bool,
    sums: BTreeMap<MptId, Sums>,
}

fn number(entry: &Object, field: xrpl_protocol::Field) -> u64 {
    entry.u64(field).unwrap_or_default()
}

/// The issuance of an MPTokenIssuance or MPToken.
pub(super) fn id_of(entry: &Object) -> Option<MptId> {
    match entry.get(fields::MP_TOKEN_ISSUANCE_ID) {
        Some(Value::Hash192(id)) => Some(MptId(*id)),
        _ => Some(MptId::new(entry.u32(fields::SEQUENCE)?, issuer_of(entry))),
    }
}

impl ValidMptPayment {
    fn add(&mut self, entry: &Object, after: bool) {
        let kind = entry_type::of(entry);
        if !matches!(kind, entry_type::MPTOKEN_ISSUANCE | entry_type::MPTOKEN) {
            return;
        }
        let Some(id) = id_of(entry) else { return };
        let most = i128::from(i64::MAX);
        let sums = self.sums.entry(id).or_default();
        if kind == entry_type::MPTOKEN_ISSUANCE {
            let outstanding = i128::from(number(entry, fields::OUTSTANDING_AMOUNT));
            self.overflow |= outstanding > most;
            *(if after { &mut sums.after } else { &mut sums.before }) = outstanding;
        } else {
            let held = i128::from(number(entry, fields::MPT_AMOUNT))
                + i128::from(number(entry, fields::LOCKED_AMOUNT));
            self.overflow |= held > most;
            sums.held += if after { held } else { -held };
        }
    }
}

impl Invariant for ValidMptPayment {
    fn visit(&mut self, touched: &Touched<'_>) {
        if let Some(before) = touched.before {
            self.add(before, false);
        }
        if let Some(issuance) = touched.after_of(entry_type::MPTOKEN_ISSUANCE) {
            let outstanding = number(issuance, fields::OUTSTANDING_AMOUNT);
            self.overflow |= outstanding > maximum(issuance).unsigned_abs();
        }
        self.add(touched.after, true);
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        let enforced = outcome.view.rules().enabled(amendment::MPTOKENS_V2);
        // Hidden transfers count in another way.
        if !outcome.succeeded() || !enforced || CONFIDENTIAL.contains(&outcome.tx.kind) {
            return Ok(());
        }
        if self.overflow {
            return Err("more of an MPT is outstanding than may be");
        }
        let fits = |sums: &Sums| sums.after == sums.before + sums.held;
        if self.sums.values().all(fits) {
            Ok(())
        } else {
            Err("what is outstanding of an MPT is not what holders have")
        }
    }
}
