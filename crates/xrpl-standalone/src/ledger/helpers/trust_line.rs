//! Trust lines: reading, creating, crediting, deleting.

use xrpl_protocol::{
    AccountId, Amount, Currency, EngineResult, Field, Hash256, IssuedValue, Object, fields,
    object_id,
};

use super::{
    PARITY,
    account_root::{adjust_owner_count, flag, flags_of, has_flag, is_global_frozen, owner_count},
    terms::Auth,
};
use crate::ledger::{
    directory, entry_type,
    view::{ApplyView, ReadView, Ter},
};

/// `lsfAMMNode`: one side is an AMM's account, which holds an asset of its pool.
pub const AMM_NODE: u32 = 0x0100_0000;

/// A side of a line: the account with the lower or the higher id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The lower id.
    Low,
    /// The higher id.
    High,
}

impl Side {
    /// The side of a line with `peer` that is `account`'s.
    #[must_use]
    pub fn of(account: AccountId, peer: AccountId) -> Self {
        if account > peer { Self::High } else { Self::Low }
    }

    /// The other side.
    #[must_use]
    pub fn other(self) -> Self {
        if self == Self::Low { Self::High } else { Self::Low }
    }

    fn pick<T>(self, low: T, high: T) -> T {
        if self == Self::Low { low } else { high }
    }

    /// `lsfLowReserve` or `lsfHighReserve`.
    #[must_use]
    pub fn reserve(self) -> u32 {
        self.pick(0x0001_0000, 0x0002_0000)
    }

    /// `lsfLowAuth` or `lsfHighAuth`.
    #[must_use]
    pub fn auth(self) -> u32 {
        self.pick(0x0004_0000, 0x0008_0000)
    }

    /// `lsfLowNoRipple` or `lsfHighNoRipple`.
    #[must_use]
    pub fn no_ripple(self) -> u32 {
        self.pick(0x0010_0000, 0x0020_0000)
    }

    /// `lsfLowFreeze` or `lsfHighFreeze`.
    #[must_use]
    pub fn freeze(self) -> u32 {
        self.pick(0x0040_0000, 0x0080_0000)
    }

    /// `lsfLowDeepFreeze` or `lsfHighDeepFreeze`.
    #[must_use]
    pub fn deep_freeze(self) -> u32 {
        self.pick(0x0200_0000, 0x0400_0000)
    }

    /// `LowLimit` or `HighLimit`.
    #[must_use]
    pub fn limit(self) -> Field {
        self.pick(fields::LOW_LIMIT, fields::HIGH_LIMIT)
    }

    /// `LowQualityIn` or `HighQualityIn`.
    #[must_use]
    pub fn quality_in(self) -> Field {
        self.pick(fields::LOW_QUALITY_IN, fields::HIGH_QUALITY_IN)
    }

    /// `LowQualityOut` or `HighQualityOut`.
    #[must_use]
    pub fn quality_out(self) -> Field {
        self.pick(fields::LOW_QUALITY_OUT, fields::HIGH_QUALITY_OUT)
    }
}

/// The number of an issued amount; zero for anything else.
pub fn value_of(entry: &Object, field: Field) -> IssuedValue {
    entry.amount(field).and_then(|amount| amount.value()).unwrap_or(IssuedValue::ZERO)
}

/// A line's balance as a side sees it: positive is what it holds.
pub fn balance(line: &Object, side: Side) -> IssuedValue {
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
pub struct NewLine {
    /// Who wants it and pays its reserve.
    pub account: AccountId,
    /// The other side.
    pub peer: AccountId,
    /// Of which currency.
    pub currency: Currency,
    /// What the account holds on it from the beginning.
    pub balance: IssuedValue,
    /// The account's limit.
    pub limit: IssuedValue,
    /// `lsf` flags of the account's side.
    pub flags: u32,
    /// `QualityIn` of the account's side; 0 for none.
    pub quality_in: u32,
    /// `QualityOut` of the account's side; 0 for none.
    pub quality_out: u32,
}

impl NewLine {
    /// A line without limit and settings.
    #[must_use]
    pub fn new(account: AccountId, peer: AccountId, currency: Currency) -> Self {
        Self {
            account,
            peer,
            currency,
            balance: IssuedValue::ZERO,
            limit: IssuedValue::ZERO,
            flags: 0,
            quality_in: 0,
            quality_out: 0,
        }
    }
}

/// Creates a line for the account, which owns it from now on.
///
/// # Errors
/// `tecDIR_FULL`, `tecNO_TARGET` without a peer.
pub fn create(view: &mut dyn ApplyView, new: &NewLine) -> Ter {
    let side = Side::of(new.account, new.peer);
    let (low, high) = (new.account.min(new.peer), new.account.max(new.peer));
    if low == high {
        return Err(EngineResult::TEC_INTERNAL);
    }
    let key = object_id::trust_line(low, high, new.currency);
    let full = EngineResult::TEC_DIR_FULL;
    let low_node = directory::add_owned(view, low, key).ok_or(full)?;
    let high_node = directory::add_owned(view, high, key).ok_or(full)?;
    let peer = view.account(new.peer).ok_or(EngineResult::TEC_NO_TARGET)?;
    let mut flags = side.reserve() | new.flags;
    if flags_of(&peer) & flag::DEFAULT_RIPPLE == 0 {
        flags |= side.other().no_ripple();
    }
    let balance = if side == Side::Low { new.balance } else { new.balance.negated() };
    let amount = |value, issuer| Amount::Issued { value, currency: new.currency, issuer };
    let mut line = entry_type::new(entry_type::RIPPLE_STATE)
        .with(fields::FLAGS, flags)
        .with(fields::BALANCE, amount(balance, AccountId::ONE))
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
    adjust_owner_count(view, new.account, 1)?;
    view.credit_hook_iou(new.peer, new.account, new.currency, new.balance, IssuedValue::ZERO);
    Ok(())
}

/// Deletes a line. Its owners' counts are the caller's business.
///
/// # Errors
/// `tefBAD_LEDGER`.
pub fn delete(view: &mut dyn ApplyView, key: &Hash256, low: AccountId, high: AccountId) -> Ter {
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

/// Moves an amount along a line, whatever its limits, and creates the line for the receiver if there
/// is none. A sender whose side holds nothing any more and wants nothing is freed of its reserve, and
/// a line that nobody wants goes. (xrpld's `rippleCredit`, `issueIOU`.)
///
/// # Errors
/// `tefINTERNAL` without a receiver, `tefEXCEPTION` when a balance gets too large to be written, and
/// those of [`create`] and [`delete`].
pub fn credit(
    view: &mut dyn ApplyView,
    sender: AccountId,
    receiver: AccountId,
    currency: Currency,
    value: IssuedValue,
) -> Ter {
    let side = Side::of(sender, receiver);
    let key = object_id::trust_line(sender, receiver, currency);
    let Some(line) = view.read(&key) else {
        let root = view.account(receiver).ok_or(EngineResult::TEF_INTERNAL)?;
        let ripples = flags_of(&root) & flag::DEFAULT_RIPPLE != 0;
        let flags = if ripples { 0 } else { side.other().no_ripple() };
        let new = NewLine { balance: value, flags, ..NewLine::new(receiver, sender, currency) };
        return create(view, &new);
    };
    let root = view.account(sender).ok_or(EngineResult::TEF_INTERNAL)?;
    let default_ripple = flags_of(&root) & flag::DEFAULT_RIPPLE != 0;
    let before = balance(&line, side);
    drop((line, root));
    let after = before.sub(value).map_err(|_| EngineResult::TEF_EXCEPTION)?;
    view.credit_hook_iou(sender, receiver, currency, value, before);
    let line = view.get_mut(&key).ok_or(EngineResult::TEF_INTERNAL)?;
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
        delete(view, &key, sender.min(receiver), sender.max(receiver))?;
    }
    Ok(())
}

/// An issuer gives some of its currency to an account. (xrpld's `issueIOU`.)
///
/// # Errors
/// As [`credit`].
pub fn issue(
    view: &mut dyn ApplyView,
    account: AccountId,
    issuer: AccountId,
    currency: Currency,
    value: IssuedValue,
) -> Ter {
    credit(view, issuer, account, currency, value)
}

/// An account gives some of a currency back to its issuer, on a line that exists. (xrpld's
/// `redeemIOU`.)
///
/// # Errors
/// `tefINTERNAL` without a line, and as [`credit`].
pub fn redeem(
    view: &mut dyn ApplyView,
    account: AccountId,
    issuer: AccountId,
    currency: Currency,
    value: IssuedValue,
) -> Ter {
    if !view.exists(&object_id::trust_line(account, issuer, currency)) {
        return Err(EngineResult::TEF_INTERNAL);
    }
    credit(view, account, issuer, currency, value)
}

/// An account's limit on a line; zero without one.
#[must_use]
pub fn credit_limit(
    view: &dyn ReadView,
    account: AccountId,
    peer: AccountId,
    currency: Currency,
) -> IssuedValue {
    let line = view.read(&object_id::trust_line(account, peer, currency));
    line.map_or(IssuedValue::ZERO, |line| value_of(&line, Side::of(account, peer).limit()))
}

/// What an account owes its peer on a line (negative: what it holds); zero without one.
#[must_use]
pub fn credit_balance(
    view: &dyn ReadView,
    account: AccountId,
    peer: AccountId,
    currency: Currency,
) -> IssuedValue {
    let line = view.read(&object_id::trust_line(account, peer, currency));
    line.map_or(IssuedValue::ZERO, |line| balance(&line, Side::of(account, peer)).negated())
}

fn line_flags(
    view: &dyn ReadView,
    account: AccountId,
    issuer: AccountId,
    currency: Currency,
) -> Option<u32> {
    view.read(&object_id::trust_line(account, issuer, currency)).map(|line| flags_of(&line))
}

/// Whether the issuer has frozen this account's line.
#[must_use]
pub fn is_individual_frozen(
    view: &dyn ReadView,
    account: AccountId,
    currency: Currency,
    issuer: AccountId,
) -> bool {
    !currency.is_xrp()
        && issuer != account
        && line_flags(view, account, issuer, currency)
            .is_some_and(|flags| flags & Side::of(issuer, account).freeze() != 0)
}

/// Whether a freeze, of the line or of everything, keeps this account from spending the currency.
#[must_use]
pub fn is_frozen(
    view: &dyn ReadView,
    account: AccountId,
    currency: Currency,
    issuer: AccountId,
) -> bool {
    !currency.is_xrp()
        && (is_global_frozen(view, issuer) || is_individual_frozen(view, account, currency, issuer))
}

/// Whether either side has frozen the line deeply: then nothing can come in either.
#[must_use]
pub fn is_deep_frozen(
    view: &dyn ReadView,
    account: AccountId,
    currency: Currency,
    issuer: AccountId,
) -> bool {
    let deep = Side::Low.deep_freeze() | Side::High.deep_freeze();
    !currency.is_xrp()
        && issuer != account
        && line_flags(view, account, issuer, currency).is_some_and(|flags| flags & deep != 0)
}

/// Whether an account is authorised to hold a currency, if its issuer wants that.
///
/// # Errors
/// `tecNO_LINE`, `tecNO_AUTH`.
pub fn require_auth(
    view: &dyn ReadView,
    currency: Currency,
    issuer: AccountId,
    account: AccountId,
    auth: Auth,
) -> Ter {
    if currency.is_xrp() || issuer == account {
        return Ok(());
    }
    let flags = line_flags(view, account, issuer, currency);
    if flags.is_none() && auth == Auth::Strong {
        return Err(EngineResult::TEC_NO_LINE);
    }
    if !has_flag(view, issuer, flag::REQUIRE_AUTH) {
        return Ok(());
    }
    match flags {
        None => Err(EngineResult::TEC_NO_LINE),
        Some(flags) if flags & Side::of(issuer, account).auth() != 0 => Ok(()),
        Some(_) => Err(EngineResult::TEC_NO_AUTH),
    }
}

/// Whether a currency may move between two accounts other than its issuer: it must ripple through at
/// least one of their lines.
///
/// # Errors
/// `terNO_RIPPLE`, `tefINTERNAL` without an issuer.
pub fn can_transfer(
    view: &dyn ReadView,
    currency: Currency,
    issuer: AccountId,
    from: AccountId,
    to: AccountId,
) -> Ter {
    if currency.is_xrp() || from == issuer || to == issuer {
        return Ok(());
    }
    let root = view.account(issuer).ok_or(EngineResult::TEF_INTERNAL)?;
    let stopped = |account| match line_flags(view, account, issuer, currency) {
        Some(flags) => flags & Side::of(issuer, account).no_ripple() != 0,
        // The transfer may create the line.
        None => flags_of(&root) & flag::DEFAULT_RIPPLE == 0,
    };
    if stopped(from) && stopped(to) { Err(EngineResult::TER_NO_RIPPLE) } else { Ok(()) }
}

/// Creates an empty line for an account that is to hold a currency.
///
/// # Errors
/// `tecDUPLICATE` if there is one, `tecNO_LINE_INSUF_RESERVE`, `tecFROZEN`, `tecINTERNAL`.
pub fn add_empty_holding(
    view: &mut dyn ApplyView,
    account: AccountId,
    prior_balance: i64,
    currency: Currency,
    issuer: AccountId,
) -> Ter {
    if currency.is_xrp() || account == issuer {
        return Ok(());
    }
    if is_global_frozen(view, issuer) {
        return Err(EngineResult::TEC_FROZEN);
    }
    let issuer_root = view.account(issuer).ok_or(EngineResult::TEF_INTERNAL)?;
    let root = view.account(account).ok_or(EngineResult::TEF_INTERNAL)?;
    if flags_of(&issuer_root) & flag::DEFAULT_RIPPLE == 0 {
        return Err(EngineResult::TEC_INTERNAL);
    }
    if view.exists(&object_id::trust_line(account, issuer, currency)) {
        return Err(EngineResult::TEC_DUPLICATE);
    }
    let reserve = view.info().fees.account_reserve(owner_count(&root).saturating_add(1));
    if prior_balance < i64::try_from(reserve).unwrap_or(i64::MAX) {
        return Err(EngineResult::TEC_NO_LINE_INSUF_RESERVE);
    }
    let flags = Side::of(account, issuer).no_ripple();
    create(view, &NewLine { flags, ..NewLine::new(account, issuer, currency) })
}

/// Deletes an account's empty line.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND`, `tecHAS_OBLIGATIONS` if it is not empty.
pub fn remove_empty_holding(
    view: &mut dyn ApplyView,
    account: AccountId,
    currency: Currency,
    issuer: AccountId,
) -> Ter {
    let key = object_id::trust_line(account, issuer, currency);
    let is_issuer = account == issuer;
    let Some(line) = view.read(&key) else {
        return if is_issuer { Ok(()) } else { Err(EngineResult::TEC_OBJECT_NOT_FOUND) };
    };
    if !is_issuer && !value_of(&line, fields::BALANCE).is_zero() {
        return Err(EngineResult::TEC_HAS_OBLIGATIONS);
    }
    drop(line);
    let (low, high) = (account.min(issuer), account.max(issuer));
    for (side, owner) in [(Side::Low, low), (Side::High, high)] {
        let line = view.get_mut(&key).ok_or(EngineResult::TEC_INTERNAL)?;
        let flags = flags_of(line);
        if flags & side.reserve() != 0 {
            line.set(fields::FLAGS, (flags & !side.reserve()).into());
            adjust_owner_count(view, owner, -1)?;
        }
    }
    delete(view, &key, low, high)
}

/// Deletes a line between an AMM's account and another one, which is freed of its reserve.
///
/// # Errors
/// `terNO_AMM` if neither side is the AMM, `tecINTERNAL`.
pub fn delete_amm_line(view: &mut dyn ApplyView, key: &Hash256, amm: Option<AccountId>) -> Ter {
    let internal = EngineResult::TEC_INTERNAL;
    let line = view.read(key).ok_or(internal)?;
    if entry_type::of(&line) != entry_type::RIPPLE_STATE {
        return Err(internal);
    }
    let issuer = |field| match line.amount(field) {
        Some(Amount::Issued { issuer, .. }) => Ok(issuer),
        _ => Err(internal),
    };
    let (low, high) = (issuer(fields::LOW_LIMIT)?, issuer(fields::HIGH_LIMIT)?);
    let is_amm =
        |account| view.account(account).map(|root| root.contains(fields::AMMID)).ok_or(internal);
    let holder = match (is_amm(low)?, is_amm(high)?) {
        (true, true) => return Err(internal),
        (false, false) => return Err(EngineResult::TER_NO_AMM),
        (true, false) => Side::High,
        (false, true) => Side::Low,
    };
    if amm.is_some_and(|amm| amm != low && amm != high) {
        return Err(EngineResult::TER_NO_AMM);
    }
    delete(view, key, low, high)?;
    if flags_of(&line) & holder.reserve() == 0 {
        return Err(internal);
    }
    adjust_owner_count(view, if holder == Side::Low { low } else { high }, -1)
}

/// A side's `QualityIn` or `QualityOut`; none counts as [`PARITY`].
#[must_use]
pub fn quality(line: &Object, field: Field) -> u32 {
    line.u32(field).filter(|quality| *quality != 0).unwrap_or(PARITY)
}
