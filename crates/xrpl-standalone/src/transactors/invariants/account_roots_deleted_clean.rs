use xrpl_protocol::{AccountId, Hash256, fields, object_id};

use super::{Invariant, Outcome, Touched};
use crate::ledger::{
    ReadView, amendment, entry_type,
    helpers::account_root::{PSEUDO_FIELDS, balance_of, owner_count},
};

/// A deleted account leaves nothing behind.
#[derive(Default)]
pub(super) struct AccountRootsDeletedClean {
    deleted: Vec<Deleted>,
}

struct Deleted {
    account: AccountId,
    balance: i64,
    owner_count: u32,
    /// What a pseudo-account belonged to.
    owners: Vec<Hash256>,
}

impl Invariant for AccountRootsDeletedClean {
    fn visit(&mut self, touched: &Touched<'_>) {
        if let Some(before) = touched.before_of(entry_type::ACCOUNT_ROOT)
            && touched.deleted
        {
            self.deleted.push(Deleted {
                account: before.account(fields::ACCOUNT).unwrap_or_default(),
                balance: balance_of(touched.after),
                owner_count: owner_count(touched.after),
                owners: PSEUDO_FIELDS.iter().filter_map(|field| before.hash256(*field)).collect(),
            });
        }
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        let rules = outcome.view.rules();
        let enforced = [
            amendment::FIX_CLEANUP_3_2_0,
            amendment::SINGLE_ASSET_VAULT,
            amendment::LENDING_PROTOCOL,
        ];
        if !enforced.into_iter().any(|amendment| rules.enabled(amendment)) {
            return Ok(());
        }
        for deleted in &self.deleted {
            if deleted.balance != 0 {
                return Err("a deleted account still had XRP");
            }
            if deleted.owner_count != 0 {
                return Err("a deleted account still owned something");
            }
            let id = deleted.account;
            let last_page = object_id::nft_page_max(id);
            let mut first_page = last_page;
            first_page.0[20..].fill(0);
            let mut left = vec![
                object_id::account_root(id),
                object_id::owner_dir(id),
                object_id::signer_list(id),
                object_id::did(id),
                first_page,
                last_page,
            ];
            left.extend(&deleted.owners);
            let page = outcome.view.succ(&first_page).is_some_and(|page| page <= last_page);
            if page || left.iter().any(|key| outcome.view.exists(key)) {
                return Err("a deleted account left an entry behind");
            }
        }
        Ok(())
    }
}
