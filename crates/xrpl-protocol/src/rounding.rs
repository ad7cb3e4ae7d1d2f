//! How decimal arithmetic rounds, and to how many digits.
//!
//! xrpld sets both for a stretch of code, not for each operation: the rounding mode around a formula
//! (an AMM pool must never lose to a trader), the number of digits around a whole transaction, by
//! the amendments of its ledger. The ledger's balances depend on it digit by digit, so the same
//! form is kept here: [`Rounding::during`] and [`Digits::during`] hold on this thread until the
//! closure returns.

use std::cell::Cell;

/// How digits that do not fit are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest, ties to even: the default.
    HalfEven,
    /// Cut off.
    TowardZero,
    /// Toward positive infinity.
    Up,
    /// Toward negative infinity.
    Down,
}

/// How many digits a [`Decimal`](crate::decimal::Decimal) has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digits {
    /// 16, as before SingleAssetVault and LendingProtocol.
    Sixteen,
    /// 19, without the amendment fixCleanup3_2_0: rounding up the largest mantissa goes wrong.
    NineteenLegacy,
    /// 19: the default.
    Nineteen,
}

thread_local! {
    static ROUNDING: Cell<Rounding> = const { Cell::new(Rounding::HalfEven) };
    static DIGITS: Cell<Digits> = const { Cell::new(Digits::Nineteen) };
}

/// Puts the former value back, after a panic too.
struct Restore<T: Copy + 'static>(&'static std::thread::LocalKey<Cell<T>>, T);

impl<T: Copy> Drop for Restore<T> {
    fn drop(&mut self) {
        self.0.set(self.1);
    }
}

impl Rounding {
    /// The mode in force on this thread.
    #[must_use]
    pub fn current() -> Self {
        ROUNDING.get()
    }

    /// Runs `work` in this mode.
    pub fn during<T>(self, work: impl FnOnce() -> T) -> T {
        let _restore = Restore(&ROUNDING, ROUNDING.replace(self));
        work()
    }

    /// [`Rounding::Up`] if `up`, else [`Rounding::Down`].
    #[must_use]
    pub fn toward(up: bool) -> Self {
        if up { Self::Up } else { Self::Down }
    }
}

impl Digits {
    /// The number of digits in force on this thread.
    #[must_use]
    pub fn current() -> Self {
        DIGITS.get()
    }

    /// Runs `work` with this many digits.
    pub fn during<T>(self, work: impl FnOnce() -> T) -> T {
        let _restore = Restore(&DIGITS, DIGITS.replace(self));
        work()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_nest_and_end() {
        Rounding::Up.during(|| {
            assert_eq!(Rounding::current(), Rounding::Up);
            Rounding::Down.during(|| assert_eq!(Rounding::current(), Rounding::Down));
            assert_eq!(Rounding::current(), Rounding::Up);
        });
        let panicked = std::panic::catch_unwind(|| Digits::Sixteen.during(|| panic!("on purpose")));
        assert!(panicked.is_err());
        assert_eq!(
            (Rounding::current(), Digits::current()),
            (Rounding::HalfEven, Digits::Nineteen)
        );
    }
}
