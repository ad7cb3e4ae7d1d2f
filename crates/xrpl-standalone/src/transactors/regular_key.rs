//! SetRegularKey (<https://xrpl.org/docs/references/protocol/transactions/types/setregularkey>).

use xrpl_protocol::{EngineResult, Value, fields, keys::PublicKey, object_id};

use super::{ApplyContext, Consequences, PreflightContext, Transactor, default_base_fee};
use crate::ledger::{
    PreparedTx, ReadView, Ter,
    helpers::account_root::{flag, flags_of},
};

/// The type.
#[derive(Debug)]
pub(super) struct SetRegularKey;

/// Whether the account's own key signed.
pub(super) fn signed_with_master(tx: &PreparedTx) -> bool {
    let key = tx.object.blob(fields::SIGNING_PUB_KEY).unwrap_or_default();
    PublicKey::from_slice(key).is_ok_and(|key| key.account_id() == tx.account)
}

impl Transactor for SetRegularKey {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        if tx.object.account(fields::REGULAR_KEY) == Some(tx.account) {
            return Err(EngineResult::TEM_BAD_REGKEY);
        }
        Ok(())
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        // The free change is judged by the ledger before this transaction.
        let free = self.base_fee(ctx.view.base(), tx) == 0;
        let has_signers = ctx.view.exists(&object_id::signer_list(tx.account));
        let root = ctx.account_root()?;
        if free {
            let flags = flags_of(root) | flag::PASSWORD_SPENT;
            root.set(fields::FLAGS, flags.into());
        }
        match tx.object.account(fields::REGULAR_KEY) {
            Some(key) => root.set(fields::REGULAR_KEY, Value::Account(key)),
            None => {
                if flags_of(root) & flag::DISABLE_MASTER != 0 && !has_signers {
                    return Err(EngineResult::TEC_NO_ALTERNATIVE_KEY);
                }
                root.remove(fields::REGULAR_KEY);
            }
        }
        Ok(())
    }

    /// An account may change its key once without a fee; receiving XRP renews the right.
    fn base_fee(&self, view: &dyn ReadView, tx: &PreparedTx) -> u64 {
        let unspent = || {
            view.account(tx.account).is_some_and(|root| flags_of(&root) & flag::PASSWORD_SPENT == 0)
        };
        if signed_with_master(tx) && unspent() { 0 } else { default_base_fee(view, tx) }
    }

    fn consequences(&self, tx: &PreparedTx) -> Consequences {
        Consequences::blocker(tx)
    }
}
