//! The mathematics against values that were computed with 80 digits, or as fractions, and rounded
//! once.

use xrpl_protocol::{
    AccountId, Amount, Currency, Issue,
    decimal::Decimal,
    quality::{Amounts, Quality},
};

use super::{
    formula::{
        Adjusted, OneSide, adjusted_late, initial_lp_tokens, solve_quadratic,
        solve_quadratic_smallest,
    },
    pool::{check_precision, lp_issue},
    rounding::{Flow, adjusted_lp_tokens, share_of_asset, share_of_tokens},
    swap::{change_spot_price, swap_in, swap_out, within_distance},
};
use crate::ledger::{Rules, amendment};

fn modern() -> Rules {
    Rules::of(&[
        amendment::FIX_AMM_V1_1.id(),
        amendment::FIX_AMM_V1_2.id(),
        amendment::FIX_AMM_V1_3.id(),
    ])
}

fn usd() -> Issue {
    Issue::Issued { currency: "USD".parse().unwrap(), issuer: AccountId([7; 20]) }
}

fn lpt() -> Issue {
    Issue::Issued { currency: Currency([3; 20]), issuer: AccountId([9; 20]) }
}

fn of(issue: Issue, text: &str) -> Amount {
    let Issue::Issued { currency, issuer } = issue else { panic!("not issued") };
    Amount::Issued { value: text.parse().unwrap(), currency, issuer }
}

fn side(rules: &Rules, fee: u16) -> OneSide<'_> {
    OneSide { rules, balance: of(usd(), "12345.6789"), lp_tokens: of(lpt(), "98765.4321"), fee }
}

/// That two amounts differ by no more than this, and which way.
fn close(found: Amount, exact: Amount, most: Decimal, may_be_less: bool, may_be_more: bool) {
    let difference = found.decimal() - exact.decimal();
    assert!(difference.abs() <= most, "{found:?} is not {exact:?}");
    assert!(may_be_less || difference.signum() >= 0, "{found:?} is less than {exact:?}");
    assert!(may_be_more || difference.signum() <= 0, "{found:?} is more than {exact:?}");
}

#[test]
fn one_side_follows_its_equations() {
    let rules = modern();
    for (fee, tokens_out, asset_in, tokens_in, asset_out) in [
        (0, "3063.294671243243", "83.45305393582135", "3161.396829793386", "83.17194454580834"),
        (1, "3063.279354694456", "83.45347190804423", "3161.412130884801", "83.17153078964954"),
        (500, "3055.617529686127", "83.66308812836112", "3169.066205193242", "82.96506298313526"),
        (1000, "3047.902388350903", "83.87524387840129", "3176.773504902343", "82.75817443971947"),
    ] {
        let side = side(&rules, fee);
        let amount = of(usd(), "777.7");
        let tokens = of(lpt(), "333.25");
        // 19 digits lose two or three where numbers that are nearly equal are taken from each
        // other: the last of the 16 may be one off.
        let last = |exact: &Amount| Decimal::new(1, exact.exponent()).unwrap();
        for (found, exact) in [
            (side.lp_tokens_out(&amount), of(lpt(), tokens_out)),
            (side.asset_in(&tokens), of(usd(), asset_in)),
            (side.lp_tokens_in(&amount), of(lpt(), tokens_in)),
            (side.asset_out(&tokens), of(usd(), asset_out)),
        ] {
            close(found.unwrap(), exact, last(&exact), true, true);
        }
    }
}

#[test]
fn without_a_fee_four_times_the_balance_doubles_the_tokens() {
    let rules = modern();
    let side = side(&rules, 0);
    assert_eq!(side.lp_tokens_out(&of(usd(), "37037.0367")), Ok(side.lp_tokens));
    assert_eq!(side.asset_in(&side.lp_tokens), Ok(of(usd(), "37037.0367")));
    // All tokens take all of the asset; three quarters of it cost half of them.
    assert_eq!(side.asset_out(&side.lp_tokens), Ok(side.balance));
    assert_eq!(side.lp_tokens_in(&of(usd(), "9259.259175")), Ok(of(lpt(), "49382.71605")));
}

#[test]
fn old_rules_round_to_the_nearest() {
    let old = Rules::default();
    let side = side(&old, 0);
    let amount = of(usd(), "777.7");
    // Exactly 3063.2946712432436118...
    assert_eq!(side.lp_tokens_out(&amount), Ok(of(lpt(), "3063.294671243244")));
}

#[test]
fn a_new_pool_has_the_geometric_mean() {
    let issue = lpt();
    let (modern, old) = (modern(), Rules::default());
    let made = |rules, a, b| initial_lp_tokens(rules, &a, &b, issue);
    assert_eq!(made(&modern, Amount::Xrp(2), of(usd(), "1")), Ok(of(lpt(), "1.414213562373095")));
    assert_eq!(
        made(&modern, Amount::Xrp(123_456_789), of(usd(), "98765.4321")),
        Ok(of(lpt(), "3491885.323326573"))
    );
    assert_eq!(made(&modern, Amount::Xrp(4), of(usd(), "9")), Ok(of(lpt(), "6")));
    // √3 = 1.73205080756887729...: down since fixAMMv1_3, to the nearest before.
    assert_eq!(made(&modern, Amount::Xrp(3), of(usd(), "1")), Ok(of(lpt(), "1.732050807568877")));
    // √7 = 2.64575131106459059...
    assert_eq!(made(&old, Amount::Xrp(7), of(usd(), "1")), Ok(of(lpt(), "2.645751311064591")));
    assert_eq!(made(&modern, Amount::Xrp(7), of(usd(), "1")), Ok(of(lpt(), "2.645751311064590")));
}

#[test]
fn tokens_that_would_vanish_in_the_sum_are_none() {
    let all = of(lpt(), "9999999999999999");
    for (tokens, kept_in, kept_out) in
        [("0.5", "0", "0"), ("1.5", "1", "1"), ("2", "1", "2"), ("11", "11", "11")]
    {
        let tokens = of(lpt(), tokens);
        let kept = |flow| adjusted_lp_tokens(&all, &tokens, flow);
        assert_eq!(kept(Flow::In), Ok(of(lpt(), kept_in)), "{tokens:?} in");
        assert_eq!(kept(Flow::Out), Ok(of(lpt(), kept_out)), "{tokens:?} out");
    }
    let all = of(lpt(), "1000000000000000");
    let tokens = of(lpt(), "0.05");
    assert_eq!(adjusted_lp_tokens(&all, &tokens, Flow::In), Ok(of(lpt(), "0")));
    assert_eq!(adjusted_lp_tokens(&all, &tokens, Flow::Out), Ok(of(lpt(), "0")));
}

#[test]
fn shares_are_rounded_for_the_pool() {
    let rules = modern();
    let third = Decimal::one() / Decimal::from(3);
    let one = of(usd(), "1");
    let asset = |balance: &Amount, flow| share_of_asset(&rules, balance, third, flow).unwrap();
    assert_eq!(asset(&one, Flow::In), of(usd(), "0.3333333333333334"));
    assert_eq!(asset(&one, Flow::Out), of(usd(), "0.3333333333333333"));
    assert_eq!(asset(&Amount::Xrp(10), Flow::In), Amount::Xrp(4));
    assert_eq!(asset(&Amount::Xrp(10), Flow::Out), Amount::Xrp(3));
    let tokens = |flow| share_of_tokens(&rules, &of(lpt(), "1"), third, flow).unwrap();
    assert_eq!(tokens(Flow::In), of(lpt(), "0.333333333333333"));
    assert_eq!(tokens(Flow::Out), of(lpt(), "0.3333333333333334"));
}

#[test]
fn before_fix_amm_v1_3_amounts_follow_the_tokens_that_could_be_added() {
    let rules = Rules::of(&[amendment::FIX_AMM_V1_1.id()]);
    let all = of(lpt(), "1000000000000000");
    let side =
        OneSide { rules: &rules, balance: of(usd(), "1000000000000000"), lp_tokens: all, fee: 0 };
    let wanted = Adjusted {
        amount: of(usd(), "1.25"),
        amount2: Some(Amount::Xrp(5)),
        tokens: of(lpt(), "1.25"),
    };
    let late = adjusted_late(&side, wanted, Flow::In).unwrap();
    assert_eq!(late.tokens, of(lpt(), "1"));
    assert_eq!(late.amount, of(usd(), "1"));
    assert_eq!(late.amount2, Some(Amount::Xrp(4)));
    let modern = modern();
    let side = OneSide { rules: &modern, ..side };
    assert_eq!(adjusted_late(&side, wanted, Flow::In), Ok(wanted));
}

#[test]
fn swaps_never_shrink_the_product() {
    let rules = modern();
    let xrp = Amount::Xrp(10_000_000_000);
    let currency = of(usd(), "12345.6789");
    let buys_usd = Amounts { input: xrp, output: currency };
    let buys_xrp = Amounts { input: currency, output: xrp };
    let (drops, value) = (Amount::Xrp(1_234_567), of(usd(), "7.7"));
    for (fee, usd_out, xrp_out, xrp_in, usd_in) in [
        (0, "1.523968632115405", 6_233_112, 6_240_893, "1.5243449668529"),
        (30, "1.523511497945116", 6_231_243, 6_242_766, "1.524802407575172"),
        (1000, "1.508730808193593", 6_170_819, 6_303_932, "1.539742390760505"),
    ] {
        let swap = |pool, input| swap_in(&rules, pool, input, fee).unwrap();
        // Of 12345 dollars 19 digits leave 14 places, and what they do not show is the pool's.
        let most = Decimal::new(1, -14).unwrap();
        close(swap(&buys_usd, &drops), of(usd(), usd_out), most, true, false);
        assert_eq!(swap(&buys_xrp, &value), Amount::Xrp(xrp_out), "{fee}");
        let swap = |pool, output| swap_out(&rules, pool, output, fee).unwrap();
        assert_eq!(swap(&buys_usd, &value), Amount::Xrp(xrp_in), "{fee}");
        close(swap(&buys_xrp, &drops), of(usd(), usd_in), most, false, true);
    }
    // Nobody can buy all of it.
    assert_eq!(swap_out(&rules, &buys_usd, &currency, 0), Ok(Amount::max(Issue::Xrp)));
    assert!(swap_out(&Rules::default(), &buys_usd, &currency, 0).is_err());
}

/// What a pool keeps has 16 digits too, rounded in its favour: 434.0950173465257 instead of
/// 434.09501734652574 shows in the price. A real ledger has this trade.
#[test]
fn a_pool_keeps_an_amount() {
    let (held, bought) = (of(lpt(), "461.0339142216975"), of(lpt(), "26.93889687517176"));
    let pool = Amounts { input: of(usd(), "325.0494534171228"), output: held };
    assert_eq!(swap_out(&modern(), &pool, &bought, 0), Ok(of(usd(), "20.17179040307848")));
}

#[test]
fn an_offer_brings_the_price_to_a_quality() {
    let rules = modern();
    let pool = Amounts { input: Amount::Xrp(10_000_000_000), output: of(usd(), "10000") };
    let turned = Amounts { input: pool.output, output: pool.input };
    for (pool, fee) in [(pool, 0), (pool, 500), (turned, 0), (turned, 500)] {
        // 10 % worse than the spot price.
        let worse = pool.input.decimal() * Decimal::new(11, -1).unwrap();
        let target =
            Quality::of(&Amount::from_decimal(pool.input.issue(), worse).unwrap(), &pool.output);
        let offer = change_spot_price(&rules, &pool, target, fee).unwrap().unwrap();
        assert!(Quality::of(&offer.input, &offer.output) >= target, "{offer:?}");
        let spot = Quality::of(
            &pool.input.checked_add(&offer.input).unwrap(),
            &pool.output.checked_sub(&offer.output).unwrap(),
        );
        // Without a fee the spot price gets there first; a fee of 0.5 % does not change that.
        assert!(within_distance(spot, target, 5).unwrap(), "{offer:?}");
        let better = pool.input.decimal() * Decimal::new(9, -1).unwrap();
        let better =
            Quality::of(&Amount::from_decimal(pool.input.issue(), better).unwrap(), &pool.output);
        assert_eq!(change_spot_price(&rules, &pool, better, fee), Ok(None));
    }
}

#[test]
fn quadratic_equations() {
    let d = |n: i32| Decimal::from(n);
    // (x - 2)(x + 5), (x - 2)(x - 3).
    assert_eq!(solve_quadratic(d(1), d(3), d(-10)), d(2));
    assert_eq!(solve_quadratic_smallest(d(1), d(-5), d(6)), Some(d(2)));
    assert_eq!(solve_quadratic_smallest(d(1), d(0), d(1)), None);
    assert!(!solve_quadratic(d(1), d(0), d(1)).is_valid());
}

#[test]
fn a_pool_may_lose_a_trace_only() {
    let tokens = of(lpt(), "1000");
    let mean = |text: &str| of(usd(), text).decimal();
    assert!(check_precision(mean("1000"), &tokens).is_ok());
    assert!(check_precision(mean("999.9999999900001"), &tokens).is_ok());
    assert!(check_precision(mean("999.99999999"), &tokens).is_err());
    assert!(check_precision(mean("0"), &of(lpt(), "0")).is_ok());
}

#[test]
fn lp_tokens_are_of_both_currencies_in_one_order() {
    let account = AccountId([9; 20]);
    let usd = Issue::Issued {
        currency: "USD".parse().unwrap(),
        issuer: "rarAVXzeKRtjSDVwkYZZbAsZz4Tc6gwSok".parse().unwrap(),
    };
    let Issue::Issued { currency, issuer } = lp_issue(usd, Issue::Xrp, account) else {
        panic!("not issued")
    };
    assert_eq!(issuer, account);
    // As a recorded xrpld said it.
    assert_eq!(currency.to_string(), "03930D02208264E2E40EC1B0C09E4DB96EE197B1");
    assert_eq!(lp_issue(Issue::Xrp, usd, account), lp_issue(usd, Issue::Xrp, account));
}
