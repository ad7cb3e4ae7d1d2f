//! Trust lines: reading, creating, crediting, deleting.

use xrpl_protocol::{
    AccountId, Amount, Currency, EngineResult, Field, Hash256, IssuedValue, Object, fields,
    object_id,
};

use super::{
    Ter,
    account_root::{adjust_owner_count, flag, flags_of},
};
use crate::ledger::{ReadView, Sandbox, directory, entry_type};

/// A side of a line: the account with the lower or the higher id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Low,
    High,
}

impl Side {
    pub(super) fn of(account: AccountId, peer: AccountId) -> Self {
        if account > peer { Self::High } else { Self::Low }
    }

    pub(super) fn other(self) -> Self {
        if self == Self::Low { Self::High } else { Self::Low }
    }

    fn pick<T>(self, low: T, high: T) -> T {
        if self == Self::Low { low } else { high }
    }

    pub(super) fn reserve(self) -> u32 {
        self.pick(0x0001_0000, 0x0002_0000)
    }

    pub(super) fn auth(self) -> u32 {
        self.pick(0x0004_0000, 0x0008_0000)
    }

    pub(super) fn no_ripple(self) -> u32 {
        self.pick(0x0010_0000, 0x0020_0000)
    }

    pub(super) fn freeze(self) -> u32 {
        self.pick(0x0040_0000, 0x0080_0000)
    }

    pub(super) fn deep_freeze(self) -> u32 {
        self.pick(0x0200_0000, 0x0400_0000)
    }

    pub(super) fn limit(self) -> Field {
        self.pick(fields::LOW_LIMIT, fields::HIGH_LIMIT)
    }

    pub(super) fn quality_in(self) -> Field {
        self.pick(fields::LOW_QUALITY_IN, fields::HIGH_QUALITY_IN)
    }

    pub(super) fn quality_out(self) -> Field {
        self.pick(fields::LOW_QUALITY_OUT, fields::HIGH_QUALITY_OUT)
    }
}

/// The number of an issued amount; zero for anything else.
pub(super) fn value_of(entry: &Object, field: Field) -> IssuedValue {
    entry.amount(field).and_then(|amount| amount.value()).unwrap_or(IssuedValue::ZERO)
}

/// A line's balance as a side sees it: positive is what it holds.
pub(super) fn balance(line: &Object, side: Side) -> IssuedValue {
    let low = value_of(line, fields::BALANCE);
    if side == Side::Low { low } else { low.negated() }
}

fn put_balance(line: &mut Object, side: Side, value: IssuedValue) {
    let Some(Amount::Issued { currency, issuer, .. }) = line.amount(fields::BALANCE) else {
        return;
    };
    let value = if side == Side::Low { value } else { value.negated() };
    line.set(fields::BALANCE, Amount::Issued { value, currency, issuer }.into());
}

/// What a new line is to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewLine {
    pub(super) account: AccountId,
    pub(super) peer: AccountId,
    pub(super) currency: Currency,
    pub(super) limit: IssuedValue,
    /// `lsf` flags of the account's side.
    pub(super) flags: u32,
    pub(super) quality_in: u32,
    pub(super) quality_out: u32,
}

/// Creates a line for the account, which pays its reserve.
pub(super) fn create(view: &mut Sandbox<'_>, new: &NewLine) -> Ter {
    let side = Side::of(new.account, new.peer);
    let (low, high) = match side {
        Side::Low => (new.account, new.peer),
        Side::High => (new.peer, new.account),
    };
    let key = object_id::trust_line(low, high, new.currency);
    let full = EngineResult::TEC_DIR_FULL;
    let low_node = directory::add_owned(view, low, key).ok_or(full)?;
    let high_node = directory::add_owned(view, high, key).ok_or(full)?;
    let peer = view.account(new.peer).ok_or(EngineResult::TEC_NO_TARGET)?;
    let mut flags = side.reserve() | new.flags;
    if flags_of(&peer) & flag::DEFAULT_RIPPLE == 0 {
        flags |= side.other().no_ripple();
    }
    let amount = |value, issuer| Amount::Issued { value, currency: new.currency, issuer };
    let mut line = entry_type::new(entry_type::RIPPLE_STATE)
        .with(fields::FLAGS, flags)
        .with(fields::BALANCE, amount(IssuedValue::ZERO, AccountId::ONE))
        .with(side.limit(), amount(new.limit, new.account))
        .with(side.other().limit(), amount(IssuedValue::ZERO, new.peer))
        .with(fields::LOW_NODE, low_node)
        .with(fields::HIGH_NODE, high_node);
    for (field, quality) in
        [(side.quality_in(), new.quality_in), (side.quality_out(), new.quality_out)]
    {
        if quality != 0 {
            line.set(field, quality.into());
        }
    }
    view.insert(key, line);
    adjust_owner_count(view, new.account, 1)
}

/// Deletes a line.
pub(super) fn delete(
    view: &mut Sandbox<'_>,
    key: &Hash256,
    low: AccountId,
    high: AccountId,
) -> Ter {
    let line = view.read(key).ok_or(EngineResult::TEF_BAD_LEDGER)?;
    for (owner, node) in [(low, fields::LOW_NODE), (high, fields::HIGH_NODE)] {
        let page = line.u64(node).unwrap_or_default();
        if !directory::remove(view, object_id::owner_dir(owner), page, key, false) {
            return Err(EngineResult::TEF_BAD_LEDGER);
        }
    }
    view.erase(key);
    Ok(())
}

/// Moves an amount along an existing line. A sender whose side holds nothing any more and wants
/// nothing is freed of its reserve, and a line that nobody wants goes.
pub(super) fn credit(
    view: &mut Sandbox<'_>,
    sender: AccountId,
    receiver: AccountId,
    currency: Currency,
    value: IssuedValue,
) -> Ter {
    let side = Side::of(sender, receiver);
    let key = object_id::trust_line(sender, receiver, currency);
    let root = view.account(sender).ok_or(EngineResult::TEF_INTERNAL)?;
    let default_ripple = flags_of(&root) & flag::DEFAULT_RIPPLE != 0;
    let line = view.get_mut(&key).ok_or(EngineResult::TEC_NO_LINE)?;
    let before = balance(line, side);
    let after = before.sub(value).map_err(|_| EngineResult::TEC_PATH_DRY)?;
    put_balance(line, side, after);
    let flags = flags_of(line);
    let quality = |field| line.u32(field).unwrap_or_default();
    let unwanted = before.signum() > 0
        && after.signum() <= 0
        && flags & side.reserve() != 0
        && (flags & side.no_ripple() != 0) != default_ripple
        && flags & side.freeze() == 0
        && value_of(line, side.limit()).is_zero()
        && quality(side.quality_in()) == 0
        && quality(side.quality_out()) == 0;
    if !unwanted {
        return Ok(());
    }
    line.set(fields::FLAGS, (flags & !side.reserve()).into());
    adjust_owner_count(view, sender, -1)?;
    if after.is_zero() && flags & side.other().reserve() == 0 {
        let (low, high) = (sender.min(receiver), sender.max(receiver));
        delete(view, &key, low, high)?;
    }
    Ok(())
}
