//! VaultCreate (<https://xrpl.org/docs/references/protocol/transactions/types/vaultcreate>).

use xrpl_protocol::{EngineResult, Hash256, Issue, Object, Value, fields, object_id};

use super::{valid_data, valid_maximum, written};
use crate::{
    ledger::{
        ApplyView, PreparedTx, ReadView, Ter, amendment, directory, entry_type,
        helpers::{
            account_root::{
                adjust_owner_count, create_pseudo_account, is_pseudo_account,
                pseudo_account_address, reserve,
            },
            copy_fields, mpt, number, token,
            vault::{FIRST_COME_FIRST_SERVE, PRIVATE},
        },
    },
    transactors::{
        ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure,
        mpt::{MAX_METADATA, create_issuance},
    },
};

/// `tfVaultShareNonTransferable`.
const SHARE_NON_TRANSFERABLE: u32 = 0x0002_0000;
/// Decimal places of the shares of a vault of an issued currency.
const DEFAULT_SCALE: u8 = 6;
const MAX_SCALE: u8 = 18;
/// The Sequence of a share's issuance: its issuer never sends a transaction.
const SHARE_SEQUENCE: u32 = 1;
/// Vault and pseudo-account count for the owner's reserve.
const OWNED: u32 = 2;

/// The type.
#[derive(Debug)]
pub(crate) struct Create;

fn asset(tx: &PreparedTx) -> Issue {
    tx.object.issue(fields::ASSET).unwrap_or(Issue::Xrp)
}

fn vault_id(tx: &PreparedTx) -> Hash256 {
    object_id::vault(tx.account, tx.seq.value())
}

impl Transactor for Create {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        ctx.rules.enabled(amendment::MPTOKENS_V1)
            && (!ctx.tx.object.contains(fields::DOMAIN_ID)
                || ctx.rules.enabled(amendment::PERMISSIONED_DOMAINS))
    }

    fn flags(&self, _ctx: &PreflightContext<'_>) -> u32 {
        PRIVATE | SHARE_NON_TRANSFERABLE
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let (tx, object) = (ctx.tx, &ctx.tx.object);
        let policy = object.u8(fields::WITHDRAWAL_POLICY).unwrap_or(FIRST_COME_FIRST_SERVE);
        let domain = object.hash256(fields::DOMAIN_ID);
        let metadata = object.blob(fields::MP_TOKEN_METADATA);
        let scale = object.u8(fields::SCALE);
        let scales = matches!(asset(tx), Issue::Issued { .. });
        let good = valid_data(object, fields::DATA)
            && policy == FIRST_COME_FIRST_SERVE
            && domain.is_none_or(|domain| !domain.is_zero() && tx.has_flag(PRIVATE))
            && valid_maximum(object)
            && metadata.is_none_or(|metadata| (1..=MAX_METADATA).contains(&metadata.len()))
            && scale.is_none_or(|scale| scales && scale <= MAX_SCALE);
        ensure(good, EngineResult::TEM_MALFORMED)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let asset = asset(tx);
        token::can_add_holding(view, asset)?;
        // Shares of vaults and LP tokens could not be clawed back any more.
        let of_pseudo =
            token::issuer_of(asset).is_some_and(|issuer| is_pseudo_account(view, issuer));
        ensure(!of_pseudo, EngineResult::TEC_WRONG_ASSET)?;
        token::check_frozen(view, tx.account, asset)?;
        if let Some(domain) = tx.object.hash256(fields::DOMAIN_ID) {
            let exists = view
                .read(&domain)
                .is_some_and(|entry| entry_type::of(&entry) == entry_type::PERMISSIONED_DOMAIN);
            ensure(exists, EngineResult::TEC_OBJECT_NOT_FOUND)?;
        }
        let free = pseudo_account_address(view, vault_id(tx)).is_some();
        ensure(free, EngineResult::TER_ADDRESS_COLLISION)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, object, prior_balance) = (ctx.tx, &ctx.tx.object, ctx.prior_balance);
        let view = &mut ctx.view;
        let (owner, id, asset) = (tx.account, vault_id(tx), asset(tx));
        let page = directory::add_owned(view, owner, id).ok_or(EngineResult::TEC_DIR_FULL)?;
        adjust_owner_count(view, owner, OWNED.into())?;
        let root = view.account(owner).ok_or(EngineResult::TEF_INTERNAL)?;
        let enough = prior_balance >= reserve(view, &root, 0);
        drop(root);
        ensure(enough, EngineResult::TEC_INSUFFICIENT_RESERVE)?;
        let pseudo = create_pseudo_account(view, id, fields::VAULT_ID)?;
        token::add_empty_holding(view, pseudo, prior_balance, asset)?;
        let scale = match asset {
            Issue::Issued { .. } => object.u8(fields::SCALE).unwrap_or(DEFAULT_SCALE),
            _ => 0,
        };
        let mut share_flags = 0;
        if !tx.has_flag(SHARE_NON_TRANSFERABLE) {
            share_flags |= mpt::flag::CAN_ESCROW | mpt::flag::CAN_TRADE | mpt::flag::CAN_TRANSFER;
        }
        if tx.has_flag(PRIVATE) {
            share_flags |= mpt::flag::REQUIRE_AUTH;
        }
        let mut more = Object::new().with(fields::ASSET_SCALE, scale);
        copy_fields(object, &mut more, &[fields::MP_TOKEN_METADATA, fields::DOMAIN_ID]);
        if view.rules().enabled(amendment::FIX_CLEANUP_3_2_0) {
            let holding = match asset {
                Issue::Xrp => None,
                Issue::Mpt(id) => Some(object_id::mptoken(id, pseudo)),
                Issue::Issued { currency, issuer } => {
                    Some(object_id::trust_line(pseudo, issuer, currency))
                }
            };
            if let Some(holding) = holding {
                more.set(fields::REFERENCE_HOLDING, holding.into());
            }
        }
        let share = create_issuance(view, pseudo, SHARE_SEQUENCE, share_flags, more)?;
        let policy = object.u8(fields::WITHDRAWAL_POLICY).unwrap_or(FIRST_COME_FIRST_SERVE);
        let mut vault = entry_type::new(entry_type::VAULT)
            .with(fields::FLAGS, tx.flags & PRIVATE)
            .with(fields::SEQUENCE, tx.seq.value())
            .with(fields::OWNER_NODE, page)
            .with(fields::OWNER, owner)
            .with(fields::ACCOUNT, pseudo)
            .with(fields::ASSET, asset)
            .with(fields::WITHDRAWAL_POLICY, policy);
        vault.set(fields::SHARE_MPTID, Value::Hash192(share.0));
        if scale != 0 {
            vault.set(fields::SCALE, scale.into());
        }
        copy_fields(object, &mut vault, &[fields::DATA]);
        written(number::set(
            &mut vault,
            fields::ASSETS_MAXIMUM,
            number::get(object, fields::ASSETS_MAXIMUM),
        ))?;
        written(number::associate(&mut vault, asset))?;
        view.insert(id, vault);
        mpt::authorize(view, owner, prior_balance, share)?;
        if tx.has_flag(PRIVATE) {
            mpt::set_authorized(view, pseudo, share, owner, true)?;
        }
        Ok(())
    }
}
