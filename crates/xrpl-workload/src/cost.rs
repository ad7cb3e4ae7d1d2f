//! What a transaction costs on a node now, and how much of it may be paid.

use xrpl_client::{ClientError, Pool, request, response::ValidatedLedger};
use xrpl_protocol::{
    Object,
    transaction_cost::{FeeFigures, least_fee},
};

use crate::config::Config;

/// Why a fee is not paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CostError {
    /// The given one is more than may be paid.
    #[error(
        "Fee: {drops} drops are above --max-fee-drops {limit}: give less, or allow it with \
         --max-fee-drops {drops}"
    )]
    Given {
        /// That much.
        drops: u64,
        /// What may be paid.
        limit: u64,
    },
    /// What the node asks now is.
    #[error(
        "the fee is {drops} drops now, above --max-fee-drops {limit}: try later, or allow it with \
         --max-fee-drops {drops}"
    )]
    Now {
        /// That much.
        drops: u64,
        /// What may be paid.
        limit: u64,
    },
}

/// In drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Without load.
    pub(crate) at_rest: u64,
    /// What gets into the open ledger now.
    pub(crate) now: u64,
}

impl Cost {
    /// Of a transaction, from the figures that the node has now.
    pub(crate) async fn of(tx: &Object, pool: &Pool) -> Result<Self, ClientError> {
        let state = pool.request(&request::ServerState::default()).await?.state;
        let load = pool.request(&request::Fee::default()).await?.drops;
        let figures = state.validated_ledger.as_ref().map_or_else(FeeFigures::default, figures);
        Ok(Self::at(tx, &figures, load.base_fee.0, load.open_ledger_fee.0))
    }

    /// Nodes scale what a transaction costs at rest as they scale the base fee.
    fn at(tx: &Object, figures: &FeeFigures, base: u64, open_ledger: u64) -> Self {
        let at_rest = least_fee(tx, figures);
        let scaled = (u128::from(at_rest) * u128::from(open_ledger)).div_ceil(base.max(1).into());
        Self { at_rest, now: u64::try_from(scaled).unwrap_or(u64::MAX).max(at_rest) }
    }

    /// The most that may be paid: --max-fee-drops, which bounds what load makes of a fee. A type
    /// whose own cost is above its default costs that much on every node; who does not want that
    /// says so by the flag.
    pub(crate) fn limit(&self, config: &Config) -> u64 {
        match config.is_default("max_fee_drops") {
            true => config.max_fee_drops.max(self.at_rest),
            false => config.max_fee_drops,
        }
    }

    /// The fee to pay: the given one, or what is asked now.
    pub(crate) fn choose(&self, given: Option<u64>, config: &Config) -> Result<u64, CostError> {
        let limit = self.limit(config);
        match given {
            Some(drops) if drops > limit => Err(CostError::Given { drops, limit }),
            Some(drops) => Ok(drops),
            None if self.now > limit => Err(CostError::Now { drops: self.now, limit }),
            None => Ok(self.now),
        }
    }
}

fn figures(ledger: &ValidatedLedger) -> FeeFigures {
    let ValidatedLedger { base_fee: base, reserve_base: reserve, reserve_inc: increment, .. } =
        *ledger;
    FeeFigures { base, reserve, increment }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use xrpl_protocol::Definitions;

    use super::*;
    use crate::config::Sources;

    const FIGURES: FeeFigures = FeeFigures { base: 10, reserve: 10_000_000, increment: 2_000_000 };

    fn cost(kind: &str, open_ledger: u64) -> Cost {
        let tx = json!({"TransactionType": kind});
        let tx = Object::from_json(&tx, Definitions::builtin()).unwrap();
        Cost::at(&tx, &FIGURES, 10, open_ledger)
    }

    fn config(most: Option<&str>) -> Config {
        let mut sources = Sources::default();
        if let Some(most) = most {
            sources.flags.insert("max_fee_drops", vec![most.into()]);
        }
        Config::load(&sources).unwrap()
    }

    #[test]
    fn load_scales_what_a_type_costs() {
        assert_eq!(cost("Payment", 10), Cost { at_rest: 10, now: 10 });
        assert_eq!(cost("Payment", 5), Cost { at_rest: 10, now: 10 });
        assert_eq!(cost("Payment", 35), Cost { at_rest: 10, now: 35 });
        assert_eq!(cost("AccountDelete", 11), Cost { at_rest: 2_000_000, now: 2_200_000 });
    }

    #[test]
    fn what_may_be_paid() {
        let chosen = |cost: Cost, given, most| cost.choose(given, &config(most)).ok();
        assert_eq!(chosen(cost("Payment", 10), None, None), Some(10));
        assert_eq!(chosen(cost("Payment", 200_000), None, None), None);
        assert_eq!(chosen(cost("Payment", 200_000), None, Some("200000")), Some(200_000));
        assert_eq!(chosen(cost("Payment", 10), Some(100_000), None), Some(100_000));
        assert_eq!(chosen(cost("Payment", 10), Some(100_001), None), None);
        // A fee that is too low is what the caller asked for.
        assert_eq!(chosen(cost("Payment", 10), Some(1), None), Some(1));
        // What the type itself costs is above the default limit, but not above a given one.
        assert_eq!(chosen(cost("AccountDelete", 10), None, None), Some(2_000_000));
        assert_eq!(chosen(cost("AccountDelete", 10), Some(2_000_000), None), Some(2_000_000));
        assert_eq!(chosen(cost("AccountDelete", 10), Some(2_000_001), None), None);
        assert_eq!(chosen(cost("AccountDelete", 11), None, None), None);
        assert_eq!(chosen(cost("AccountDelete", 10), None, Some("100000")), None);
        let error = cost("Payment", 10).choose(Some(100_001), &config(None)).unwrap_err();
        assert!(error.to_string().contains("--max-fee-drops 100001"), "{error}");
    }
}
