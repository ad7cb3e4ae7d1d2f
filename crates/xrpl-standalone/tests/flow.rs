//! The payment engine and offers where no recording shows a rule: each number here is computed by
//! hand.

mod bed;

use bed::{Bed, genesis, key};
use xrpl_protocol::{
    AccountId, Amount, Currency, EngineResult, Object, Quality, Value, fields, keys::KeyPair,
    object::PathStep, object_id,
};
use xrpl_standalone::ledger::ReadView;

const PAYMENT: u16 = 0;
const ACCOUNT_SET: u16 = 3;
const OFFER_CREATE: u16 = 7;
const TRUST_SET: u16 = 20;

const NO_RIPPLE_DIRECT: u32 = 0x0001_0000;
const PARTIAL: u32 = 0x0002_0000;
const LIMIT_QUALITY: u32 = 0x0004_0000;

const CLEAR_NO_RIPPLE: u32 = 0x0004_0000;
const FREEZE: u32 = 0x0010_0000;
const CLEAR_FREEZE: u32 = 0x0020_0000;
const DEEP_FREEZE: u32 = 0x0040_0000;
const CLEAR_DEEP_FREEZE: u32 = 0x0080_0000;

const DEFAULT_RIPPLE: u32 = 8;
const GLOBAL_FREEZE: u32 = 7;

const PASSIVE: u32 = 0x0001_0000;
const IMMEDIATE_OR_CANCEL: u32 = 0x0002_0000;
const FILL_OR_KILL: u32 = 0x0004_0000;
const SELL: u32 = 0x0008_0000;

const DONE: EngineResult = EngineResult::TES_SUCCESS;

fn amount(value: &str, code: &str, issuer: &KeyPair) -> Amount {
    let currency: Currency = code.parse().unwrap();
    Amount::Issued { value: value.parse().unwrap(), currency, issuer: issuer.account_id() }
}

/// A ledger with a gateway, account 1, whose currencies ripple, and accounts 2 to 5.
struct Market {
    bed: Bed,
}

impl Market {
    fn new() -> Self {
        let mut market = Self { bed: Bed::funded(5) };
        market.set_flag(&key(1), DEFAULT_RIPPLE);
        market
    }

    fn send(&mut self, tx: Object, from: &KeyPair) -> EngineResult {
        self.bed.sign_and_submit(tx, from)
    }

    fn done(&mut self, tx: Object, from: &KeyPair) {
        assert_eq!(self.send(tx, from), DONE);
    }

    /// The same, in a ledger of its own: what follows builds on it, and a ledger has an order of its
    /// own for its transactions.
    fn settled(&mut self, tx: Object, from: &KeyPair) {
        self.done(tx, from);
        self.bed.close();
    }

    fn set_flag(&mut self, of: &KeyPair, flag: u32) {
        let tx = self.bed.of(ACCOUNT_SET, of).with(fields::SET_FLAG, flag);
        self.settled(tx, of);
    }

    /// The gateway takes this many billionths of what moves between others.
    fn set_rate(&mut self, rate: u32) {
        let tx = self.bed.of(ACCOUNT_SET, &key(1)).with(fields::TRANSFER_RATE, rate);
        self.settled(tx, &key(1));
    }

    fn trust_with(&mut self, who: &KeyPair, limit: Amount, flags: u32) -> Object {
        self.bed.of(TRUST_SET, who).with(fields::FLAGS, flags).with(fields::LIMIT_AMOUNT, limit)
    }

    fn trust(&mut self, who: &KeyPair, limit: Amount, flags: u32) {
        let tx = self.trust_with(who, limit, flags);
        self.settled(tx, who);
    }

    /// Trusts the gateway for 1000 and gets some of that.
    fn fund(&mut self, who: &KeyPair, value: &str, code: &str) {
        self.trust(who, amount("1000", code, &key(1)), 0);
        if value != "0" {
            let tx = self.payment(&key(1), who, amount(value, code, &key(1)), 0);
            self.settled(tx, &key(1));
        }
    }

    fn payment(&self, from: &KeyPair, to: &KeyPair, deliver: Amount, flags: u32) -> Object {
        self.bed
            .of(PAYMENT, from)
            .with(fields::FLAGS, flags)
            .with(fields::DESTINATION, to.account_id())
            .with(fields::AMOUNT, deliver)
    }

    /// Pays the gateway's USD.
    fn pay(&mut self, from: &KeyPair, to: &KeyPair, value: &str) -> EngineResult {
        let tx = self.payment(from, to, amount(value, "USD", &key(1)), 0);
        let max = amount("900", "USD", &key(1));
        let is_gateway = from.account_id() == key(1).account_id();
        let tx = if is_gateway { tx } else { tx.with(fields::SEND_MAX, max) };
        self.send(tx, from)
    }

    fn offer(&mut self, who: &KeyPair, pays: Amount, gets: Amount, flags: u32) -> EngineResult {
        let tx = self
            .bed
            .of(OFFER_CREATE, who)
            .with(fields::FLAGS, flags)
            .with(fields::TAKER_PAYS, pays)
            .with(fields::TAKER_GETS, gets);
        self.send(tx, who)
    }

    /// What an account holds of another's currency.
    fn holds(&self, who: &KeyPair, code: &str, issuer: &KeyPair) -> String {
        let (who, issuer) = (who.account_id(), issuer.account_id());
        let line = object_id::trust_line(who, issuer, code.parse().unwrap());
        let line = self.bed.node.current().read(&line);
        let balance = line.and_then(|line| line.amount(fields::BALANCE)?.value());
        let balance = balance.unwrap_or(xrpl_protocol::IssuedValue::ZERO);
        if who < issuer { balance } else { balance.negated() }.to_string()
    }

    fn usd(&self, who: &KeyPair) -> String {
        self.holds(who, "USD", &key(1))
    }

    /// An account's offer with this Sequence: TakerPays and TakerGets.
    fn rests(&self, who: &KeyPair, sequence: u32) -> Option<(Amount, Amount)> {
        let offer = self.bed.node.current().read(&object_id::offer(who.account_id(), sequence))?;
        Some((offer.amount(fields::TAKER_PAYS)?, offer.amount(fields::TAKER_GETS)?))
    }

    fn next(&self, who: &KeyPair) -> u32 {
        self.bed.sequence(who.account_id())
    }
}

/// Accounts of most tests: the gateway and three others.
fn people() -> (KeyPair, KeyPair, KeyPair, KeyPair) {
    (key(1), key(2), key(3), key(4))
}

#[test]
fn the_gateway_takes_its_part_once() {
    let (gateway, a, b, _) = people();
    let mut market = Market::new();
    market.set_rate(1_100_000_000);
    market.fund(&a, "100", "USD");
    market.fund(&b, "0", "USD");
    assert_eq!(market.pay(&a, &b, "10"), DONE);
    assert_eq!((market.usd(&a), market.usd(&b)), ("89".into(), "10".into()));
    // To and from the gateway itself nothing is taken.
    assert_eq!(market.pay(&a, &gateway, "9"), DONE);
    assert_eq!(market.pay(&gateway, &b, "5"), DONE);
    assert_eq!((market.usd(&a), market.usd(&b)), ("80".into(), "15".into()));
    market.bed.close();
    // 10 pay for 10 / 1.1, rounded to the nearest in the last digit.
    let ten = amount("10", "USD", &gateway);
    let partial = |market: &Market, least: &str| {
        let least = amount(least, "USD", &gateway);
        let tx = market.payment(&a, &b, ten, PARTIAL).with(fields::SEND_MAX, ten);
        tx.with(fields::DELIVER_MIN, least)
    };
    let tx = partial(&market, "9.1");
    assert_eq!(market.send(tx, &a), EngineResult::TEC_PATH_PARTIAL);
    let tx = partial(&market, "9");
    market.done(tx, &a);
    assert_eq!((market.usd(&a), market.usd(&b)), ("70".into(), "24.09090909090909".into()));
    market.bed.close();
    let ledger = market.bed.node.closed();
    let delivered: Vec<_> = ledger
        .transactions
        .iter()
        .filter_map(|tx| tx.read().metadata.amount(fields::DELIVERED_AMOUNT))
        .collect();
    assert_eq!(delivered, [amount("9.090909090909091", "USD", &gateway)]);
    // Without leave to deliver less it is nothing, and limited to 10 for 10 it is too dear.
    let tx = market.payment(&a, &b, ten, 0).with(fields::SEND_MAX, ten);
    assert_eq!(market.send(tx, &a), EngineResult::TEC_PATH_PARTIAL);
    let tx = market.payment(&a, &b, ten, PARTIAL | LIMIT_QUALITY).with(fields::SEND_MAX, ten);
    assert_eq!(market.send(tx, &a), EngineResult::TEC_PATH_DRY);
    assert_eq!(market.usd(&b), "24.09090909090909");
}

#[test]
fn paths_are_named_or_else_the_default_one_is_taken() {
    let (gateway, a, b, _) = people();
    let mut market = Market::new();
    market.fund(&a, "100", "USD");
    market.fund(&b, "0", "USD");
    let ten = amount("10", "USD", &gateway);
    let tx = market.payment(&a, &b, ten, NO_RIPPLE_DIRECT);
    assert_eq!(market.send(tx, &a), EngineResult::TEM_RIPPLE_EMPTY);
    let through = |account: AccountId| PathStep {
        account: Some(account),
        currency: None,
        issuer: None,
        mpt: None,
    };
    let along = |market: &Market, path: Vec<PathStep>| {
        let mut tx = market.payment(&a, &b, ten, NO_RIPPLE_DIRECT);
        tx.set(fields::PATHS, Value::PathSet(vec![path]));
        tx.with(fields::SEND_MAX, ten)
    };
    let tx = along(&market, vec![through(gateway.account_id())]);
    market.done(tx, &a);
    assert_eq!(market.usd(&b), "10");
    // Twice through one account, and through nobody.
    let twice = vec![through(gateway.account_id()), through(gateway.account_id())];
    let tx = along(&market, twice);
    assert_eq!(market.send(tx, &a), EngineResult::TEM_BAD_PATH);
    let tx = along(&market, vec![through(AccountId::ZERO)]);
    assert_eq!(market.send(tx, &a), EngineResult::TEM_BAD_PATH);
}

#[test]
fn nothing_ripples_against_the_will_of_who_is_in_between() {
    let (_, a, b, c) = people();
    // Nothing ripples through this issuer by default.
    let issuer = key(5);
    let mut market = Market::new();
    for who in [&a, &b] {
        market.trust(who, amount("100", "USD", &issuer), 0);
    }
    let ten = amount("10", "USD", &issuer);
    let tx = market.payment(&issuer, &a, ten, 0);
    market.done(tx, &issuer);
    let pay = |market: &Market| market.payment(&a, &b, ten, 0).with(fields::SEND_MAX, ten);
    market.bed.close();
    let tx = pay(&market);
    assert_eq!(market.send(tx, &a), EngineResult::TEC_PATH_DRY);
    market.bed.close();
    // One of the two lines is enough.
    market.trust(&issuer, amount("0", "USD", &a), CLEAR_NO_RIPPLE);
    let tx = pay(&market);
    market.done(tx, &a);
    assert_eq!(market.holds(&b, "USD", &issuer), "10");
    // Who has no line gets nothing.
    let tx = market.payment(&b, &c, ten, 0);
    assert_eq!(market.send(tx, &b), EngineResult::TEC_PATH_DRY);
}

#[test]
fn what_is_frozen_goes_back_to_the_gateway_only() {
    let (gateway, a, b, _) = people();
    let dry = EngineResult::TEC_PATH_DRY;
    let mut market = Market::new();
    market.fund(&a, "100", "USD");
    market.fund(&b, "100", "USD");
    let line = amount("0", "USD", &a);
    market.trust(&gateway, line, FREEZE);
    assert_eq!(market.pay(&a, &b, "1"), dry);
    assert_eq!(market.pay(&b, &a, "1"), DONE);
    assert_eq!(market.pay(&a, &gateway, "1"), DONE);
    market.trust(&gateway, line, DEEP_FREEZE);
    assert_eq!(market.pay(&a, &b, "1"), dry);
    assert_eq!(market.pay(&b, &a, "1"), dry);
    assert_eq!(market.pay(&a, &gateway, "1"), DONE);
    // An offer that asks for what its owner may not get is removed by whoever finds it.
    market.trust(&gateway, line, CLEAR_FREEZE | CLEAR_DEEP_FREEZE);
    let resting = market.next(&a);
    let (xrp, usd) = (Amount::Xrp(10_000_000), amount("10", "USD", &gateway));
    assert_eq!(market.offer(&a, usd, xrp, 0), DONE);
    market.trust(&gateway, line, FREEZE | DEEP_FREEZE);
    assert_eq!(market.offer(&b, xrp, usd, IMMEDIATE_OR_CANCEL), EngineResult::TEC_KILLED);
    assert_eq!(market.rests(&a, resting), None);
    market.set_flag(&gateway, GLOBAL_FREEZE);
    assert_eq!(market.pay(&b, &a, "1"), dry);
    assert_eq!(market.pay(&b, &gateway, "1"), DONE);
    assert_eq!(market.offer(&b, xrp, usd, 0), EngineResult::TEC_FROZEN);
    assert_eq!((market.usd(&a), market.usd(&b)), ("99".into(), "98".into()));
}

/// Who values what comes in at nine tenths gets ten for nine.
#[test]
fn lines_have_qualities() {
    let (gateway, a, b, c) = people();
    let mut market = Market::new();
    let limit = amount("1000", "USD", &gateway);
    let tx = market.trust_with(&b, limit, 0).with(fields::QUALITY_IN, 900_000_000u32);
    market.done(tx, &b);
    let nine = amount("9", "USD", &gateway);
    let tx = market.payment(&gateway, &b, nine, 0);
    assert_eq!(market.send(tx, &gateway), EngineResult::TEC_PATH_PARTIAL);
    let tx = market.payment(&gateway, &b, nine, 0);
    market.done(tx.with(fields::SEND_MAX, amount("10", "USD", &gateway)), &gateway);
    assert_eq!(market.usd(&b), "10");
    // A sends to C by way of B, which holds C's promises and wants six of A's for five of them.
    market.trust(&b, amount("100", "EUR", &a), 0);
    let limit = amount("100", "EUR", &c);
    let tx = market.trust_with(&b, limit, 0).with(fields::QUALITY_OUT, 1_200_000_000u32);
    market.done(tx, &b);
    let tx = market.payment(&c, &b, amount("50", "EUR", &c), 0);
    market.done(tx, &c);
    let step = PathStep { account: Some(b.account_id()), currency: None, issuer: None, mpt: None };
    let mut tx = market.payment(&a, &c, amount("10", "EUR", &c), 0);
    tx.set(fields::PATHS, Value::PathSet(vec![vec![step]]));
    market.done(tx.with(fields::SEND_MAX, amount("100", "EUR", &a)), &a);
    assert_eq!(market.holds(&b, "EUR", &a), "12");
    assert_eq!(market.holds(&b, "EUR", &c), "40");
}

#[test]
fn who_crosses_its_own_offer_replaces_it() {
    let (gateway, a, b, _) = people();
    let mut market = Market::new();
    market.fund(&a, "100", "USD");
    market.fund(&b, "100", "USD");
    let (xrp, usd) = (Amount::Xrp(100_000_000), amount("10", "USD", &gateway));
    let sells = market.next(&a);
    assert_eq!(market.offer(&a, xrp, usd, 0), DONE);
    let behind = market.next(&b);
    assert_eq!(market.offer(&b, xrp, usd, 0), DONE);
    let buys = market.next(&a);
    let half = amount("5", "USD", &gateway);
    assert_eq!(market.offer(&a, half, Amount::Xrp(50_000_000), 0), DONE);
    // Its own is gone, and that of B behind it is taken by half.
    assert_eq!((market.rests(&a, sells), market.rests(&a, buys)), (None, None));
    assert_eq!(market.rests(&b, behind), Some((Amount::Xrp(50_000_000), half)));
    assert_eq!((market.usd(&a), market.usd(&b)), ("105".into(), "95".into()));
}

/// The owner of an offer pays the gateway's part of what it gives, and has no more than that leaves.
#[test]
fn owners_pay_for_what_is_crossed() {
    let (gateway, a, b, _) = people();
    let mut market = Market::new();
    market.set_rate(1_100_000_000);
    market.fund(&a, "16.5", "USD");
    market.fund(&b, "0", "USD");
    let (xrp, usd) = (Amount::Xrp(10_000_000), amount("10", "USD", &gateway));
    assert_eq!(market.offer(&a, xrp, usd, 0), DONE);
    assert_eq!(market.offer(&b, usd, xrp, 0), DONE);
    assert_eq!((market.usd(&a), market.usd(&b)), ("5.5".into(), "10".into()));
    // 5.5 are enough for 5. What is left of the offer has no funds and goes; B's rest stays.
    let short = market.next(&a);
    assert_eq!(market.offer(&a, xrp, usd, 0), DONE);
    let rest = market.next(&b);
    assert_eq!(market.offer(&b, usd, xrp, 0), DONE);
    assert_eq!((market.usd(&a), market.usd(&b)), ("0".into(), "15".into()));
    assert_eq!(market.rests(&a, short), None);
    let left = (amount("5", "USD", &gateway), Amount::Xrp(5_000_000));
    assert_eq!(market.rests(&b, rest), Some(left));
}

#[test]
fn tokens_are_exchanged_by_way_of_xrp() {
    let (gateway, a, b, c) = people();
    let mut market = Market::new();
    for (who, value, code) in
        [(&a, "0", "EUR"), (&b, "100", "USD"), (&c, "100", "EUR"), (&c, "0", "USD")]
    {
        market.fund(who, value, code);
    }
    let xrp = Amount::Xrp(10_000_000);
    let (eur, usd) = (amount("10", "EUR", &gateway), amount("10", "USD", &gateway));
    assert_eq!(market.offer(&a, eur, xrp, 0), DONE);
    assert_eq!(market.offer(&b, xrp, usd, 0), DONE);
    let before = (market.bed.balance(a.account_id()), market.bed.balance(b.account_id()));
    let crossing = market.next(&c);
    assert_eq!(market.offer(&c, usd, eur, FILL_OR_KILL), DONE);
    assert_eq!(market.rests(&c, crossing), None);
    assert_eq!(market.holds(&a, "EUR", &gateway), "10");
    assert_eq!((market.usd(&b), market.usd(&c)), ("90".into(), "10".into()));
    let after = (market.bed.balance(a.account_id()), market.bed.balance(b.account_id()));
    assert_eq!(after, (before.0 - 10_000_000, before.1 + 10_000_000));
    // A payment across the same books, in one direct book and from the sender's XRP.
    assert_eq!(market.offer(&b, eur, usd, 0), DONE);
    let five = amount("5", "USD", &gateway);
    let tx = market.payment(&c, &a, five, 0).with(fields::SEND_MAX, eur);
    assert_eq!(market.send(tx, &c), EngineResult::TEC_PATH_DRY, "A has no line for it");
    market.bed.close();
    market.fund(&a, "0", "USD");
    let tx = market.payment(&c, &a, five, 0).with(fields::SEND_MAX, eur);
    market.done(tx, &c);
    assert_eq!(market.usd(&a), "5");
}

#[test]
fn offers_that_do_not_rest() {
    let (gateway, a, b, _) = people();
    let killed = EngineResult::TEC_KILLED;
    let mut market = Market::new();
    market.fund(&a, "100", "USD");
    market.fund(&b, "0", "USD");
    let usd = |value| amount(value, "USD", &gateway);
    let resting = market.next(&a);
    assert_eq!(market.offer(&a, Amount::Xrp(10_000_000), usd("10"), 0), DONE);
    // At its own price a passive one crosses nothing, and both rest.
    let passive = market.next(&b);
    assert_eq!(market.offer(&b, usd("1"), Amount::Xrp(1_000_000), PASSIVE), DONE);
    assert!(market.rests(&b, passive).is_some());
    let twenty = (usd("20"), Amount::Xrp(20_000_000));
    assert_eq!(market.offer(&b, twenty.0, twenty.1, FILL_OR_KILL), killed);
    let cheap = Amount::Xrp(9_000_000);
    assert_eq!(market.offer(&b, usd("10"), cheap, IMMEDIATE_OR_CANCEL), killed);
    assert_eq!((market.usd(&b), market.rests(&a, resting).is_some()), ("0".into(), true));
    let part = market.next(&b);
    assert_eq!(market.offer(&b, usd("4"), Amount::Xrp(4_000_000), IMMEDIATE_OR_CANCEL), DONE);
    assert_eq!((market.usd(&b), market.rests(&b, part)), ("4".into(), None));
    // To sell 12 XRP for at least 6 gets all that there is for 6, and 6 XRP rest at 3 for 6.
    let sells = market.next(&b);
    assert_eq!(market.offer(&b, usd("6"), Amount::Xrp(12_000_000), SELL), DONE);
    assert_eq!((market.usd(&b), market.rests(&a, resting)), ("10".into(), None));
    let left = Some((usd("3"), Amount::Xrp(6_000_000)));
    assert_eq!(market.rests(&b, sells), left);
    // One without funds goes for good, although whoever finds it gets nothing.
    let broke = market.next(&a);
    assert_eq!(market.offer(&a, Amount::Xrp(1_000_000), usd("90"), 0), DONE);
    assert_eq!(market.pay(&a, &gateway, &market.usd(&a)), DONE);
    assert_eq!(market.offer(&b, usd("90"), Amount::Xrp(1_000_000), FILL_OR_KILL), killed);
    assert_eq!(market.rests(&a, broke), None);
    market.bed.close();
    assert_eq!(market.rests(&a, broke), None);
}

/// Drops are coarse: what one drop buys is rounded so that the rest of the offer is no worse than its
/// place in the book says.
#[test]
fn what_is_left_of_an_offer_is_as_good_as_its_place() {
    let (gateway, a, b, _) = people();
    let mut market = Market::new();
    market.fund(&a, "100", "USD");
    market.fund(&b, "0", "USD");
    let resting = market.next(&a);
    let (pays, gets) = (Amount::Xrp(10), amount("3", "USD", &gateway));
    assert_eq!(market.offer(&a, pays, gets, 0), DONE);
    let place = Quality::of(&pays, &gets);
    for drops in [1, 2, 3] {
        let tx = market.payment(&b, &b, gets, PARTIAL).with(fields::SEND_MAX, Amount::Xrp(drops));
        market.done(tx, &b);
        let (pays, gets) = market.rests(&a, resting).unwrap();
        assert!(Quality::of(&pays, &gets) >= place, "{pays:?} for {gets:?}");
    }
    assert_eq!(market.rests(&a, resting).unwrap().0, Amount::Xrp(4));
    // 3 / 3.333333333333334 and so on, cut after 16 digits: never more than 1.8.
    let bought = market.usd(&b).parse::<xrpl_protocol::IssuedValue>().unwrap();
    let most = "1.8".parse().unwrap();
    assert!(bought <= most && bought > "1.799999999999995".parse().unwrap(), "{bought}");
}

#[test]
fn an_offer_counts_for_the_reserve_unless_it_crossed() {
    let (gateway, a, _, _) = people();
    let mut market = Market::new();
    market.fund(&a, "100", "USD");
    let poor = key(9);
    // The reserve of an account and of one thing, and fees.
    let tx = market.bed.payment(&genesis(), poor.account_id(), 12_000_100);
    assert_eq!(market.bed.submit(&tx), DONE);
    market.trust(&poor, amount("100", "USD", &gateway), 0);
    let (xrp, usd) = (Amount::Xrp(50), amount("5", "USD", &gateway));
    let none = EngineResult::TEC_INSUF_RESERVE_OFFER;
    assert_eq!(market.offer(&poor, usd, xrp, 0), none);
    // What crosses something needs no place in the book.
    assert_eq!(market.offer(&a, Amount::Xrp(10), amount("1", "USD", &gateway), 0), DONE);
    assert_eq!(market.offer(&poor, usd, xrp, 0), DONE);
    assert_eq!(market.usd(&poor), "1");
}
