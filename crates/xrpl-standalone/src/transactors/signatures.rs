//! Who may sign for an account. Whether signatures match their keys was checked before.

use xrpl_protocol::{AccountId, EngineResult, Object, TxHash, fields, keys::PublicKey, object_id};

use super::{ApplyFlags, PreclaimContext};
use crate::ledger::{
    ReadView, Ter, amendment,
    helpers::account_root::{flag, flags_of, is_pseudo},
};

/// What to check signatures of.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The account for which is signed.
    pub account: AccountId,
    /// What has `SigningPubKey` or `Signers`: a transaction, or a part of one.
    pub object: &'a Object,
    /// Whether an account that does not exist may sign with the key it would have.
    pub uncreated: bool,
}

pub(super) fn check_sign(ctx: &PreclaimContext<'_>) -> Ter {
    let object = &ctx.tx.object;
    let signed = Signed { account: ctx.tx.fee_payer(), object, uncreated: false };
    check_signatures(ctx.view, ctx.flags, ctx.parent_batch, signed)
}

/// Whether the key or keys that signed may do so for the account.
///
/// # Errors
/// `tefBAD_AUTH`, `tefMASTER_DISABLED`, `tefNOT_MULTI_SIGNING`, `tefBAD_SIGNATURE`, `tefBAD_QUORUM`,
/// `temINVALID_FLAG` for a signed part of a Batch, `terNO_ACCOUNT`.
pub fn check_signatures(
    view: &dyn ReadView,
    flags: ApplyFlags,
    parent_batch: Option<TxHash>,
    signed: Signed<'_>,
) -> Ter {
    let rules = view.rules();
    let root = view.account(signed.account);
    let guards_pseudo =
        [amendment::LENDING_PROTOCOL, amendment::BATCH_V1_1, amendment::FIX_CLEANUP_3_3_0];
    if guards_pseudo.into_iter().any(|amendment| rules.enabled(amendment))
        && root.as_deref().is_some_and(is_pseudo)
    {
        return Err(EngineResult::TEF_BAD_AUTH);
    }
    if rules.impersonates(signed.account) {
        return Ok(());
    }
    let key = signed.object.blob(fields::SIGNING_PUB_KEY).unwrap_or_default();
    let signers = signed.object.contains(fields::SIGNERS);
    if parent_batch.is_some() && rules.enabled(amendment::BATCH_V1_1) {
        let bare = !signed.object.contains(fields::TXN_SIGNATURE) && key.is_empty() && !signers;
        return if bare { Ok(()) } else { Err(EngineResult::TEM_INVALID_FLAG) };
    }
    if flags.dry_run && key.is_empty() && !signers {
        return Ok(());
    }
    if signers {
        return multi_sign(view, signed);
    }
    let signer = account_of_key(key).ok_or(EngineResult::TEF_BAD_AUTH)?;
    match root {
        Some(root) => single_sign(&root, signed.account, signer),
        None if !signed.uncreated => Err(EngineResult::TER_NO_ACCOUNT),
        None if signer == signed.account => Ok(()),
        None => Err(EngineResult::TEF_BAD_AUTH),
    }
}

fn account_of_key(key: &[u8]) -> Option<AccountId> {
    PublicKey::from_slice(key).ok().map(|key| key.account_id())
}

fn single_sign(root: &Object, account: AccountId, signer: AccountId) -> Ter {
    if root.account(fields::REGULAR_KEY) == Some(signer) {
        return Ok(());
    }
    let master_disabled = flags_of(root) & flag::DISABLE_MASTER != 0;
    match (signer == account, master_disabled) {
        (true, false) => Ok(()),
        (true, true) => Err(EngineResult::TEF_MASTER_DISABLED),
        (false, _) => Err(EngineResult::TEF_BAD_AUTH),
    }
}

fn multi_sign(view: &dyn ReadView, signed: Signed<'_>) -> Ter {
    let list = view
        .read(&object_id::signer_list(signed.account))
        .ok_or(EngineResult::TEF_NOT_MULTI_SIGNING)?;
    let entries = list.array(fields::SIGNER_ENTRIES).unwrap_or_default();
    let bad = EngineResult::TEF_BAD_SIGNATURE;
    let mut weight: u64 = 0;
    for (_, signer) in signed.object.array(fields::SIGNERS).unwrap_or_default() {
        let id = signer.account(fields::ACCOUNT).unwrap_or_default();
        let is_it = |(_, entry): &&(_, Object)| entry.account(fields::ACCOUNT) == Some(id);
        let (_, entry) = entries.iter().find(is_it).ok_or(bad)?;
        // Without a key it is tried out: then the account stands for itself.
        let of_key = match signer.blob(fields::SIGNING_PUB_KEY).unwrap_or_default() {
            [] => id,
            key => account_of_key(key).ok_or(bad)?,
        };
        let root = view.account(id);
        if of_key == id {
            // An account that is not in the ledger may sign with the key it would have.
            if root.is_some_and(|root| flags_of(&root) & flag::DISABLE_MASTER != 0) {
                return Err(EngineResult::TEF_MASTER_DISABLED);
            }
        } else if root.and_then(|root| root.account(fields::REGULAR_KEY)) != Some(of_key) {
            return Err(bad);
        }
        weight += u64::from(entry.u16(fields::SIGNER_WEIGHT).unwrap_or_default());
    }
    if weight < u64::from(list.u32(fields::SIGNER_QUORUM).unwrap_or(u32::MAX)) {
        return Err(EngineResult::TEF_BAD_QUORUM);
    }
    Ok(())
}
