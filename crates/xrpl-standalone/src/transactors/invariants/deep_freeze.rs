use super::{Invariant, Outcome, Touched};
use crate::ledger::{
    amendment,
    entry_type::RIPPLE_STATE,
    helpers::{account_root::flags_of, trust_line::Side},
};

/// What is frozen deeply is frozen.
#[derive(Default)]
pub(super) struct NoDeepFreezeWithoutFreeze {
    bad: bool,
}

impl Invariant for NoDeepFreezeWithoutFreeze {
    fn visit(&mut self, touched: &Touched<'_>) {
        if let Some(line) = touched.after_of(RIPPLE_STATE) {
            let flags = flags_of(line);
            let bad = [Side::Low, Side::High]
                .into_iter()
                .any(|side| flags & side.deep_freeze() != 0 && flags & side.freeze() == 0);
            self.bad = bad || (self.bad && touched.rules.enabled(amendment::FIX_CLEANUP_3_1_3));
        }
    }

    fn judge(&self, _: &Outcome<'_>) -> Result<(), &'static str> {
        if self.bad { Err("a trust line is frozen deeply but not frozen") } else { Ok(()) }
    }
}
