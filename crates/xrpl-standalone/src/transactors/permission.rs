//! What an account may do for another one that gave it permissions
//! (<https://xrpl.org/docs/concepts/accounts/permission-delegation>).

use xrpl_protocol::{EngineResult, Field, fields, object_id};

use super::{PreclaimContext, Transactor, UNIVERSAL_FLAGS, transaction_type};
use crate::ledger::{PreparedTx, Rules, Ter};

/// A permission for a part of what a type can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
#[repr(u32)]
pub enum Granular {
    TrustlineAuthorize = 65_537,
    TrustlineFreeze,
    TrustlineUnfreeze,
    AccountDomainSet,
    AccountEmailHashSet,
    AccountMessageKeySet,
    AccountTransferRateSet,
    AccountTickSizeSet,
    PaymentMint,
    PaymentBurn,
    MpTokenIssuanceLock,
    MpTokenIssuanceUnlock,
}

/// What a granular permission allows: flags besides the universal ones, fields besides the common
/// ones.
struct Allowed {
    permission: Granular,
    kind: u16,
    flags: u32,
    fields: &'static [Field],
}

const PAYMENT: &[Field] = &[
    fields::DESTINATION,
    fields::AMOUNT,
    fields::SEND_MAX,
    fields::INVOICE_ID,
    fields::DESTINATION_TAG,
    fields::CREDENTIAL_I_DS,
];
const ISSUANCE: &[Field] = &[fields::MP_TOKEN_ISSUANCE_ID, fields::HOLDER];
const TRUST: &[Field] = &[fields::LIMIT_AMOUNT];

const fn allow(permission: Granular, kind: u16, flags: u32, fields: &'static [Field]) -> Allowed {
    Allowed { permission, kind, flags, fields }
}

/// In order of their values.
const GRANULAR: [Allowed; 12] = [
    allow(Granular::TrustlineAuthorize, 20, 0x0001_0000, TRUST),
    allow(Granular::TrustlineFreeze, 20, 0x0010_0000, TRUST),
    allow(Granular::TrustlineUnfreeze, 20, 0x0020_0000, TRUST),
    allow(Granular::AccountDomainSet, 3, 0, &[fields::DOMAIN]),
    allow(Granular::AccountEmailHashSet, 3, 0, &[fields::EMAIL_HASH]),
    allow(Granular::AccountMessageKeySet, 3, 0, &[fields::MESSAGE_KEY]),
    allow(Granular::AccountTransferRateSet, 3, 0, &[fields::TRANSFER_RATE]),
    allow(Granular::AccountTickSizeSet, 3, 0, &[fields::TICK_SIZE]),
    allow(Granular::PaymentMint, 0, 0, PAYMENT),
    allow(Granular::PaymentBurn, 0, 0, PAYMENT),
    allow(Granular::MpTokenIssuanceLock, 56, 1, ISSUANCE),
    allow(Granular::MpTokenIssuanceUnlock, 56, 2, ISSUANCE),
];

/// Fields of every transaction.
const COMMON: [Field; 16] = [
    fields::TRANSACTION_TYPE,
    fields::FLAGS,
    fields::SOURCE_TAG,
    fields::ACCOUNT,
    fields::SEQUENCE,
    fields::PREVIOUS_TXN_ID,
    fields::LAST_LEDGER_SEQUENCE,
    fields::ACCOUNT_TXN_ID,
    fields::FEE,
    fields::OPERATION_LIMIT,
    fields::MEMOS,
    fields::SIGNING_PUB_KEY,
    fields::TICKET_SEQUENCE,
    fields::TXN_SIGNATURE,
    fields::SIGNERS,
    fields::NETWORK_ID,
];

/// Whether a permission (of `PermissionValue`: a type's code plus one, or a granular one) can be
/// given.
#[must_use]
pub fn is_delegable(permission: u32, rules: &Rules) -> bool {
    let granular = GRANULAR.iter().find(|allowed| allowed.permission as u32 == permission);
    let kind = match granular {
        Some(allowed) => Some(allowed.kind),
        None => permission.checked_sub(1).and_then(|kind| u16::try_from(kind).ok()),
    };
    kind.and_then(transaction_type).is_some_and(|row| {
        (granular.is_some() || row.delegable)
            && row.amendment.is_none_or(|amendment| rules.enabled(amendment))
    })
}

/// Whether a transaction of this type can have a delegate at all.
pub(super) fn may_be_delegated(kind: u16, rules: &Rules) -> bool {
    is_delegable(u32::from(kind) + 1, rules) || GRANULAR.iter().any(|allowed| allowed.kind == kind)
}

/// Whether the delegate, if there is one, may send this.
///
/// # Errors
/// `terNO_DELEGATE_PERMISSION`.
pub(super) fn check(ctx: &PreclaimContext<'_>, kind: &dyn Transactor) -> Ter {
    let refused = EngineResult::TER_NO_DELEGATE_PERMISSION;
    let tx = ctx.tx;
    let Some(delegate) = tx.object.account(fields::DELEGATE) else { return Ok(()) };
    let given = ctx.view.read(&object_id::delegate(tx.account, delegate)).ok_or(refused)?;
    let values = || {
        let given = given.array(fields::PERMISSIONS).unwrap_or_default().iter();
        given.filter_map(|(_, permission)| permission.u32(fields::PERMISSION_VALUE))
    };
    if values().any(|value| value == u32::from(tx.kind) + 1) {
        return Ok(());
    }
    let held: Vec<&Allowed> = GRANULAR
        .iter()
        .filter(|allowed| allowed.kind == tx.kind)
        .filter(|allowed| values().any(|value| value == allowed.permission as u32))
        .collect();
    if held.is_empty() || !within(tx, &held) {
        return Err(refused);
    }
    let held: Vec<Granular> = held.iter().map(|allowed| allowed.permission).collect();
    kind.check_granular(ctx.view, tx, &held)
}

/// Whether nothing is in a transaction but what the permissions allow together.
fn within(tx: &PreparedTx, held: &[&Allowed]) -> bool {
    let flags = held.iter().fold(UNIVERSAL_FLAGS, |flags, allowed| flags | allowed.flags);
    let allowed = |field: &Field| {
        COMMON.contains(field)
            || *field == fields::DELEGATE
            || held.iter().any(|allowed| allowed.fields.contains(field))
    };
    tx.flags & !flags == 0 && tx.object.iter().all(|(field, _)| allowed(&field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Amendment, amendment};

    #[test]
    fn what_can_be_delegated() {
        let none = Rules::default();
        let all: Vec<_> = Amendment::all().map(Amendment::id).collect();
        let all = Rules::of(&all);
        // Payment, AccountSet (only in parts), AMMCreate, DelegateSet, and nothing.
        for (value, without, with) in [
            (1, true, true),
            (4, false, false),
            (65_540, true, true),
            (36, false, true),
            (65, false, false),
            (0, false, false),
            (65_547, false, true),
            (99_999, false, false),
        ] {
            assert_eq!(is_delegable(value, &none), without, "{value}");
            assert_eq!(is_delegable(value, &all), with, "{value}");
        }
        assert!(may_be_delegated(3, &none) && !may_be_delegated(64, &all));
        assert!(all.enabled(amendment::AMM));
    }

    #[test]
    fn granular_permissions_are_numbered_in_order() {
        for (value, allowed) in (65_537..).zip(&GRANULAR) {
            assert_eq!(allowed.permission as u32, value);
        }
    }
}
