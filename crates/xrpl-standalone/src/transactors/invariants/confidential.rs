use std::collections::BTreeMap;

use xrpl_protocol::{Field, MptId, Object, fields, object_id};

use super::{Invariant, Outcome, Touched, mpt_payment::id_of};
use crate::ledger::{
    ReadView,
    entry_type::{MPTOKEN, MPTOKEN_ISSUANCE},
    helpers::{account_root::flags_of, mpt::flag},
};

/// The types that move hidden balances, ConfidentialMPTConvert to ConfidentialMPTClawback.
pub(super) const CONFIDENTIAL: std::ops::RangeInclusive<u16> = 85..=89;

/// What only its reader can read. The first three are there together or not at all.
const HIDDEN: [Field; 4] = [
    fields::ISSUER_ENCRYPTED_BALANCE,
    fields::CONFIDENTIAL_BALANCE_INBOX,
    fields::CONFIDENTIAL_BALANCE_SPENDING,
    fields::AUDITOR_ENCRYPTED_BALANCE,
];

/// What became of one MPT.
#[derive(Default)]
struct Change {
    /// By how much there is more in the open, hidden, and altogether.
    open: i128,
    hidden: i128,
    outstanding: i128,
    /// The issuance, if it was touched.
    issuance: Option<Object>,
    /// An MPToken was deleted that held something or may have held something hidden.
    deleted: bool,
    /// Something hidden is new or different.
    rewritten: bool,
    broken: Option<&'static str>,
}

/// Hidden balances are there as a whole, where the issuer allows them, and what is hidden or shown
/// again is neither more nor less for it.
#[derive(Default)]
pub(super) struct ValidConfidentialMpt {
    changes: BTreeMap<MptId, Change>,
}

fn number(entry: &Object, field: Field) -> i128 {
    entry.u64(field).unwrap_or_default().min(i64::MAX.unsigned_abs()).into()
}

impl Change {
    fn holding(&mut self, touched: &Touched<'_>, after: &Object) {
        let before = touched.before_of(MPTOKEN);
        if let Some(before) = before {
            let held = number(before, fields::MPT_AMOUNT);
            self.open -= held;
            let hides = HIDDEN.iter().any(|field| before.contains(*field));
            self.deleted |= touched.deleted && (held > 0 || hides);
        }
        self.open += number(after, fields::MPT_AMOUNT);
        let [issuer, inbox, spending, auditor] = HIDDEN.map(|field| after.contains(field));
        if inbox != spending || inbox != issuer || auditor && !issuer {
            self.broken = Some("an MPToken has a part of a hidden balance only");
        }
        let of_before = |field| before.and_then(|before| before.get(field));
        self.rewritten |= HIDDEN
            .iter()
            .any(|field| after.contains(*field) && of_before(*field) != after.get(*field));
        let spendable = of_before(fields::CONFIDENTIAL_BALANCE_SPENDING);
        let version = fields::CONFIDENTIAL_BALANCE_VERSION;
        if spendable.is_some()
            && spendable != after.get(fields::CONFIDENTIAL_BALANCE_SPENDING)
            && of_before(version) == after.get(version)
        {
            self.broken = Some("a hidden balance changed without its version");
        }
    }

    fn issuance(&mut self, before: Option<&Object>, after: &Object) {
        let hidden = |entry| number(entry, fields::CONFIDENTIAL_OUTSTANDING_AMOUNT);
        let outstanding = |entry| number(entry, fields::OUTSTANDING_AMOUNT);
        if let Some(before) = before {
            self.hidden -= hidden(before);
            self.outstanding -= outstanding(before);
        }
        self.hidden += hidden(after);
        self.outstanding += outstanding(after);
        if hidden(after) > outstanding(after) {
            self.broken = Some("more of an MPT is hidden than outstanding");
        }
        self.issuance = Some(after.clone());
    }

    fn judge(&self, kind: u16, issuance: &Object) -> Result<(), &'static str> {
        if self.deleted && number(issuance, fields::CONFIDENTIAL_OUTSTANDING_AMOUNT) > 0 {
            return Err("an MPToken was deleted that may hide something");
        }
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        if self.rewritten && flags_of(issuance) & flag::CAN_HOLD_CONFIDENTIAL_BALANCE == 0 {
            return Err("a balance was hidden that must not be");
        }
        // Others move what is held in the open to where no MPToken shows it.
        if self.hidden != 0 && self.open + self.hidden != self.outstanding {
            return Err("what was hidden or shown does not add up");
        }
        let moves = self.open != 0 || self.outstanding != 0;
        if self.hidden == 0 && moves && CONFIDENTIAL.contains(&kind) {
            return Err("a hidden transfer changed what is held in the open");
        }
        Ok(())
    }
}

impl Invariant for ValidConfidentialMpt {
    fn visit(&mut self, touched: &Touched<'_>) {
        let after = touched.after;
        if !matches!(touched.kind, MPTOKEN | MPTOKEN_ISSUANCE) {
            return;
        }
        let Some(id) = id_of(after) else { return };
        let change = self.changes.entry(id).or_default();
        match touched.kind {
            MPTOKEN => change.holding(touched, after),
            _ => change.issuance(touched.before_of(MPTOKEN_ISSUANCE), after),
        }
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        if !outcome.succeeded() {
            return Ok(());
        }
        for (id, change) in &self.changes {
            if let Some(issuance) = &change.issuance {
                change.judge(outcome.tx.kind, issuance)?;
            } else if let Some(issuance) = outcome.view.read(&object_id::mpt_issuance(*id)) {
                change.judge(outcome.tx.kind, &issuance)?;
            }
        }
        Ok(())
    }
}
