//! Vaults of a single asset, and what their shares are worth
//! (<https://xrpl.org/docs/concepts/tokens/single-asset-vaults>).

use xrpl_protocol::{
    AccountId, Amount, Hash256, Issue, MptId, Object, Rounding, Value, decimal::Decimal, fields,
    issued_value::ValueError, object_id,
};

use super::number;
use crate::ledger::view::{Entry, ReadView};

/// `lsfVaultPrivate`, and `tfVaultPrivate` of VaultCreate.
pub const PRIVATE: u32 = 0x0001_0000;
/// Who comes first is served first: the only policy of withdrawals there is.
pub const FIRST_COME_FIRST_SERVE: u8 = 1;

/// Whether what is lost, but not written off yet, counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// It lowers what shares are worth.
    Counts,
    /// It does not: who has all shares bears it anyway.
    Waived,
}

/// What a vault holds.
#[must_use]
pub fn asset(vault: &Object) -> Issue {
    vault.issue(fields::ASSET).unwrap_or(Issue::Xrp)
}

/// The account that holds it.
#[must_use]
pub fn account_of(vault: &Object) -> AccountId {
    vault.account(fields::ACCOUNT).unwrap_or_default()
}

/// Whose it is.
#[must_use]
pub fn owner(vault: &Object) -> AccountId {
    vault.account(fields::OWNER).unwrap_or_default()
}

/// The MPT that its shares are.
#[must_use]
pub fn share(vault: &Object) -> MptId {
    match vault.get(fields::SHARE_MPTID) {
        Some(Value::Hash192(id)) => MptId(*id),
        _ => MptId::default(),
    }
}

/// Its decimal places: a share is worth as many zeros less at first.
#[must_use]
pub fn decimals(vault: &Object) -> u8 {
    vault.u8(fields::SCALE).unwrap_or_default()
}

/// Everything in it, lent or not.
#[must_use]
pub fn total(vault: &Object) -> Decimal {
    number::get(vault, fields::ASSETS_TOTAL)
}

/// What is not lent.
#[must_use]
pub fn available(vault: &Object) -> Decimal {
    number::get(vault, fields::ASSETS_AVAILABLE)
}

/// A vault and the issuance of its shares.
#[must_use]
pub fn find(view: &dyn ReadView, id: &Hash256) -> Option<(Entry, Option<Entry>)> {
    let vault = view.read(id)?;
    let issuance = view.read(&object_id::mpt_issuance(share(&vault)));
    Some((vault, issuance))
}

/// What is deposited, with the digits that the vault's total will have (downwards).
///
/// # Errors
/// [`ValueError::Overflow`].
pub fn round_to_vault(amount: &Amount, vault: &Object) -> Result<Amount, ValueError> {
    if !matches!(amount, Amount::Issued { .. }) {
        return Ok(*amount);
    }
    let scale = Rounding::HalfEven
        .during(|| number::scale(total(vault) + amount.decimal(), asset(vault)))?;
    amount.round_to_scale(scale, Rounding::Down)
}

/// The rate at which assets and shares are exchanged.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    asset: Issue,
    share: MptId,
    decimals: i32,
    /// Assets that count.
    assets: Decimal,
    /// Shares that there are.
    shares: Decimal,
}

impl Exchange {
    /// For deposits: what is lost does not count yet.
    #[must_use]
    pub fn for_deposit(vault: &Object, issuance: &Object) -> Self {
        let shares = issuance.u64(fields::OUTSTANDING_AMOUNT).unwrap_or_default();
        Self {
            asset: asset(vault),
            share: share(vault),
            decimals: decimals(vault).into(),
            assets: total(vault),
            shares: Decimal::from(i64::try_from(shares).unwrap_or(i64::MAX)),
        }
    }

    /// For withdrawals.
    #[must_use]
    pub fn for_withdrawal(vault: &Object, issuance: &Object, loss: Loss) -> Self {
        let mut this = Self::for_deposit(vault, issuance);
        if loss == Loss::Counts {
            this.assets = this.assets - number::get(vault, fields::LOSS_UNREALIZED);
        }
        this
    }

    fn share_amount(&self, shares: Decimal) -> Result<Amount, ValueError> {
        Amount::from_decimal(Issue::Mpt(self.share), shares)
    }

    /// Shares that a deposit makes, downwards. Into an empty vault one for each unit of the last
    /// decimal place.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn shares_for_deposit(&self, amount: &Amount) -> Result<Amount, ValueError> {
        if !self.assets.is_zero() {
            let shares = self.shares * amount.decimal() / self.assets;
            return self.share_amount(shares.checked()?.truncated());
        }
        let shares = match amount {
            Amount::Issued { value, .. } => {
                Decimal::new(value.mantissa(), value.exponent() + self.decimals)?
            }
            whole => whole.decimal(),
        };
        self.share_amount(shares.truncated())
    }

    /// What is taken for shares that a deposit makes.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn assets_for_deposit(&self, shares: &Amount) -> Result<Amount, ValueError> {
        if !self.assets.is_zero() {
            return self.assets_for(shares);
        }
        let Amount::Mpt { value, .. } = *shares else { return Err(ValueError::Overflow) };
        Amount::from_decimal(self.asset, Decimal::new(value, -self.decimals)?)
    }

    fn assets_for(&self, shares: &Amount) -> Result<Amount, ValueError> {
        Amount::from_decimal(self.asset, self.assets * shares.decimal() / self.shares)
    }

    /// Shares that a withdrawal costs: to the nearest, or downwards.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn shares_for_withdrawal(
        &self,
        amount: &Amount,
        downwards: bool,
    ) -> Result<Amount, ValueError> {
        if self.assets.is_zero() {
            return Ok(Amount::zero(Issue::Mpt(self.share)));
        }
        let shares = (self.shares * amount.decimal() / self.assets).checked()?;
        self.share_amount(if downwards { shares.truncated() } else { shares })
    }

    /// What shares are worth.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn assets_for_withdrawal(&self, shares: &Amount) -> Result<Amount, ValueError> {
        if self.assets.is_zero() {
            return Ok(Amount::zero(self.asset));
        }
        self.assets_for(shares)
    }
}

/// Whether an account has all shares of a vault.
#[must_use]
pub fn is_sole_shareholder(
    view: &dyn ReadView,
    account: AccountId,
    share: MptId,
    issuance: &Object,
) -> bool {
    let outstanding = issuance.u64(fields::OUTSTANDING_AMOUNT).unwrap_or_default();
    let held = view.read(&object_id::mptoken(share, account));
    outstanding != 0
        && held.is_some_and(|held| held.u64(fields::MPT_AMOUNT).unwrap_or_default() == outstanding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd() -> Issue {
        Issue::Issued { currency: "USD".parse().unwrap(), issuer: AccountId([7; 20]) }
    }

    fn of(text: &str) -> Amount {
        let Issue::Issued { currency, issuer } = usd() else { panic!("not issued") };
        Amount::Issued { value: text.parse().unwrap(), currency, issuer }
    }

    fn shares(value: i64) -> Amount {
        Amount::Mpt { value, id: MptId([1; 24]) }
    }

    fn vault(total: &str, loss: &str, scale: u8) -> Object {
        let mut vault = Object::new().with(fields::ASSET, usd()).with(fields::SCALE, scale);
        vault.set(fields::SHARE_MPTID, Value::Hash192([1; 24]));
        let d = |text: &str| text.parse::<xrpl_protocol::number::Number>().unwrap().decimal();
        number::set(&mut vault, fields::ASSETS_TOTAL, d(total)).unwrap();
        number::set(&mut vault, fields::LOSS_UNREALIZED, d(loss)).unwrap();
        vault
    }

    fn issuance(outstanding: u64) -> Object {
        Object::new().with(fields::OUTSTANDING_AMOUNT, outstanding)
    }

    #[test]
    fn the_first_deposit_sets_the_rate() {
        let exchange = Exchange::for_deposit(&vault("0", "0", 6), &issuance(0));
        assert_eq!(exchange.shares_for_deposit(&of("1.2345678")), Ok(shares(1_234_567)));
        assert_eq!(exchange.assets_for_deposit(&shares(1_234_567)), Ok(of("1.234567")));
        assert!(exchange.shares_for_deposit(&of("1e20")).is_err());
    }

    #[test]
    fn a_loss_lowers_what_is_taken_out_but_not_what_is_put_in() {
        let (vault, issuance) = (vault("100", "25", 0), issuance(300));
        let deposit = Exchange::for_deposit(&vault, &issuance);
        // 10 * 300 / 100.
        assert_eq!(deposit.shares_for_deposit(&of("10.1")), Ok(shares(30)));
        assert_eq!(deposit.assets_for_deposit(&shares(30)), Ok(of("10")));
        let counted = Exchange::for_withdrawal(&vault, &issuance, Loss::Counts);
        assert_eq!(counted.assets_for_withdrawal(&shares(30)), Ok(of("7.5")));
        assert_eq!(counted.shares_for_withdrawal(&of("7.6"), true), Ok(shares(30)));
        assert_eq!(counted.shares_for_withdrawal(&of("7.65"), false), Ok(shares(31)));
        let waived = Exchange::for_withdrawal(&vault, &issuance, Loss::Waived);
        assert_eq!(waived.assets_for_withdrawal(&shares(30)), Ok(of("10")));
    }

    #[test]
    fn deposits_have_the_digits_of_the_total() {
        let vault = vault("1000000000", "0", 6);
        // Of 16 digits the total leaves six places.
        assert_eq!(round_to_vault(&of("1.23456789"), &vault), Ok(of("1.234567")));
        assert_eq!(round_to_vault(&of("0.0000001"), &vault), Ok(of("0")));
        assert_eq!(round_to_vault(&Amount::Xrp(3), &vault), Ok(Amount::Xrp(3)));
    }
}
