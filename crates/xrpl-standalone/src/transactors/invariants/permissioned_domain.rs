use xrpl_protocol::{AccountId, fields};

use super::{Invariant, Outcome, Touched};
use crate::ledger::{
    ReadView, amendment, entry_type::PERMISSIONED_DOMAIN,
    helpers::credentials::MAX_DOMAIN_CREDENTIALS,
};

const DOMAIN_SET: u16 = 62;
const DOMAIN_DELETE: u16 = 63;

/// A domain that the transaction touched.
struct Domain {
    deleted: bool,
    /// Whether what it accepts is neither nothing nor too much, sorted and without doubles.
    in_form: bool,
}

/// Only the types for it change domains, one at a time and well-formed.
#[derive(Default)]
pub(super) struct ValidPermissionedDomain {
    touched: Vec<Domain>,
}

impl Invariant for ValidPermissionedDomain {
    fn visit(&mut self, touched: &Touched<'_>) {
        let Some(domain) = touched.after_of(PERMISSIONED_DOMAIN) else { return };
        let accepted = domain.array(fields::ACCEPTED_CREDENTIALS).unwrap_or_default();
        let pairs: Vec<(AccountId, &[u8])> = accepted
            .iter()
            .map(|(_, credential)| {
                let issuer = credential.account(fields::ISSUER).unwrap_or_default();
                (issuer, credential.blob(fields::CREDENTIAL_TYPE).unwrap_or_default())
            })
            .collect();
        let in_form = (1..=MAX_DOMAIN_CREDENTIALS).contains(&pairs.len())
            && pairs.windows(2).all(|two| two[0] < two[1]);
        self.touched.push(Domain { deleted: touched.deleted, in_form });
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        let malformed = "a permissioned domain is malformed";
        let kind = outcome.tx.kind;
        if !outcome.view.rules().enabled(amendment::FIX_CLEANUP_3_1_3) {
            let bad = kind == DOMAIN_SET
                && outcome.succeeded()
                && self.touched.first().is_some_and(|domain| !domain.in_form);
            return if bad { Err(malformed) } else { Ok(()) };
        }
        match (kind, &self.touched[..]) {
            (_, [_, _, ..]) => Err("several permissioned domains were changed"),
            (_, [_]) if !outcome.succeeded() => Err("a failed transaction changed a domain"),
            (DOMAIN_SET | DOMAIN_DELETE, []) if outcome.succeeded() => {
                Err("no permissioned domain was changed")
            }
            (DOMAIN_SET, [domain]) if domain.deleted => Err("a domain was deleted by being set"),
            (DOMAIN_SET, [domain]) if !domain.in_form => Err(malformed),
            (DOMAIN_DELETE, [domain]) if !domain.deleted => Err("a domain was not deleted"),
            (DOMAIN_SET | DOMAIN_DELETE, _) | (_, []) => Ok(()),
            (_, [_]) => Err("a permissioned domain was changed by another type"),
        }
    }
}
