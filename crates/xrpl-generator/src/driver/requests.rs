//! Transactions that somebody asked for, one by one: they wait a while for an account and a worker.

use std::{borrow::Cow, time::Duration};

use tokio::time::Instant;
use xrpl_protocol::{
    AccountId, Amount, Definitions, Drops, LedgerIndex, Object, fields, transaction::Payment,
    transaction_cost::least_fee,
};

use super::Driver;
use crate::{
    accounts::{Account, Index, Role},
    command::{Asked, Key, NewAccount, Reply},
    engine::Prepared,
    error::GeneratorError,
    fees::{FeeClass, Fees},
    plan::{Plan, Width},
    setup,
};

/// How long a transaction that was asked for waits for an account.
const ASKED_PATIENCE: Duration = Duration::from_secs(5);

/// Tickets of one account at most.
const MOST_TICKETS: u32 = 250;

/// What counters call a type that only the node's definitions have.
const NEWER: &str = "a newer type";

/// How long after a search through all accounts ends of transactions alone are no reason for another.
const SEARCH_PAUSE: Duration = Duration::from_millis(250);

pub(super) struct Request {
    until: Instant,
    what: What,
    key: Key,
    reply: Reply<Asked>,
    /// The search through all accounts that found none, and why.
    searched: Option<(Situation, &'static str)>,
}

/// What decides whether a search through all accounts may find one where an earlier one did not. A
/// search builds a draft for each of them: it is made anew when that may help, not at every wake.
#[derive(Clone, Copy)]
struct Situation {
    at: Instant,
    head: LedgerIndex,
    /// Whether some account's lane has room.
    room: bool,
    /// Transactions that have ended so far.
    ended: u64,
}

impl Situation {
    fn may_differ_from(self, before: Self) -> bool {
        self.head > before.head
            || (self.room && !before.room)
            || (self.ended != before.ended && self.at >= before.at + SEARCH_PAUSE)
    }
}

pub(super) enum What {
    Create(Option<String>),
    Pay { from: AccountId, to: AccountId, amount: Amount },
    Send { from: AccountId, body: Object },
    Fund { to: Index, drops: Drops },
}

/// The fee that a caller gave, or what the type costs where that is more than the ordinary one.
fn fee_class(body: &Object, fees: &Fees) -> FeeClass {
    if let Some(drops) = body.amount(fields::FEE).and_then(|fee| fee.drops()) {
        return FeeClass::Exactly(drops.unsigned_abs());
    }
    let least = least_fee(body, &fees.figures());
    match least > fees.figures().base {
        true => FeeClass::Least(least),
        false => FeeClass::Ordinary,
    }
}

impl Driver {
    pub(super) fn request(&mut self, what: What, key: Key, reply: Reply<Asked>) {
        let until = Instant::now() + ASKED_PATIENCE;
        self.serve(Request { until, what, key, reply, searched: None });
    }

    pub(super) fn serve(&mut self, mut request: Request) {
        let made = if self.idle.is_empty() {
            Err(GeneratorError::Busy("every submission waits for the endpoint's answer"))
        } else {
            self.fulfil(&mut request)
        };
        match made {
            Ok(prepared) => {
                let account = self.engine.world.accounts[prepared.sender].id;
                let name = self.name_of(&prepared);
                self.asked.insert(prepared.hash, (request.reply, name, account));
                self.dispatch(Prepared { callers_key: request.key, ..prepared });
            }
            Err(GeneratorError::Busy(_)) if Instant::now() < request.until => {
                self.requests.push_back(request);
            }
            Err(error) => {
                if let What::Fund { to, .. } = request.what {
                    self.funding.remove(&to);
                }
                // Who asked may have gone; then nobody reads the reply.
                drop(request.reply.send(Err(error)));
            }
        }
    }

    /// Makes what is requested for, unless the last search through all accounts would only be repeated.
    fn fulfil(&mut self, request: &mut Request) -> Result<Prepared, GeneratorError> {
        if !matches!(request.what, What::Create(_)) {
            return self.make(&request.what);
        }
        let now = Situation {
            at: Instant::now(),
            head: self.engine.head(),
            room: self.engine.free_accounts() > 0,
            ended: self.ended,
        };
        if let Some((before, why)) = request.searched
            && !now.may_differ_from(before)
        {
            return Err(GeneratorError::Busy(why));
        }
        let made = self.make(&request.what);
        if let Err(GeneratorError::Busy(why)) = made {
            request.searched = Some((now, why));
        }
        made
    }

    /// One more user: known at once, taking part once its funding is validated.
    pub(super) fn create_account(&mut self, wanted: NewAccount, key: Key, reply: Reply<Asked>) {
        let NewAccount { drops, key_type, address } = wanted;
        let config = &self.config;
        let drops = drops.unwrap_or(config.user_drops);
        let accounts = &mut self.engine.world.accounts;
        let key_type = key_type.unwrap_or(config.key_type);
        // One whose funding failed before is still free.
        let waits = |index: &Index| {
            let account = &accounts[*index];
            let same = account.key.key_type() == key_type;
            same && !account.active && !self.funding.contains(index)
        };
        let index = match accounts.made().iter().copied().find(waits) {
            Some(index) => index,
            None => {
                let (n, pending) = (accounts.next_made(), config.max_pending_per_account);
                accounts.add(Account::made(&config.seed, n, key_type, pending))
            }
        };
        // Who asked may have gone; the account is made all the same.
        let _ = address.send(accounts[index].id);
        self.funding.insert(index);
        self.request(What::Fund { to: index, drops }, key, reply);
    }

    /// The funding of an account has come to its end.
    pub(super) fn adopted(&mut self, index: Index) {
        if self.engine.world.accounts[index].role == Role::Fuzzer {
            self.joining = self.joining.saturating_sub(1);
            self.engine.band_joins(index);
            self.list_accounts();
            return;
        }
        self.funding.remove(&index);
        if self.engine.world.accounts[index].active {
            self.engine.set_max_pending(self.engine.max_pending());
            self.engine.list_all();
            self.list_accounts();
        }
    }

    fn make(&mut self, what: &What) -> Result<Prepared, GeneratorError> {
        match what {
            What::Create(None) => self.engine.ask(None),
            What::Create(Some(name)) => {
                let id = self.engine.catalogue.find(name)?;
                self.engine.ask(Some(id))
            }
            What::Pay { from, to, amount } => {
                let accounts = &self.engine.world.accounts;
                let index = accounts.find(*from).ok_or(GeneratorError::UnknownAccount(*from))?;
                let drops = u64::try_from(amount.drops().unwrap_or(0)).unwrap_or(0);
                let body = Payment {
                    destination: *to,
                    amount: *amount,
                    send_max: None,
                    destination_tag: None,
                };
                let to = accounts.find(*to);
                let mut plan = Plan::payment(body).spending(drops);
                plan.holds.to = to;
                self.send_asked(index, plan, "Payment")
            }
            What::Fund { to, drops } => self.make_funding(*to, *drops),
            What::Send { from, body } => {
                let accounts = &self.engine.world.accounts;
                let index = accounts.find(*from).ok_or(GeneratorError::UnknownAccount(*from))?;
                let no_type = || GeneratorError::config("tx_json", "it has no TransactionType");
                let code = body.u16(fields::TRANSACTION_TYPE).ok_or_else(no_type)?;
                let name = Definitions::builtin().transaction_type_name(code);
                let sent = body.amount(fields::AMOUNT).and_then(|amount| amount.drops());
                let to = body.account(fields::DESTINATION).and_then(|id| accounts.find(id));
                let mut plan = Plan {
                    fee: fee_class(body, &self.engine.fees),
                    // TicketCreate moves the Sequence by its Tickets too; more than the ledger
                    // allows are refused and move nothing.
                    width: Width::Exactly(
                        1 + body.u32(fields::TICKET_COUNT).unwrap_or(0).min(MOST_TICKETS),
                    ),
                    ..Plan::given(body.clone())
                        .flagged(body.u32(fields::FLAGS).unwrap_or(0))
                        .spending(sent.and_then(|drops| u64::try_from(drops).ok()).unwrap_or(0))
                };
                plan.holds.to = to;
                self.send_asked(index, plan, name.unwrap_or(NEWER))
            }
        }
    }

    /// The name of a transaction's type, which may be one that only the node's definitions have.
    fn name_of(&self, prepared: &Prepared) -> Cow<'static, str> {
        if prepared.name != NEWER {
            return prepared.name.into();
        }
        let definitions = &self.config.definitions;
        let tx = Object::decode(&prepared.blob, definitions).ok();
        let code = tx.and_then(|tx| tx.u16(fields::TRANSACTION_TYPE));
        let name = code.and_then(|code| definitions.transaction_type_name(code));
        name.map_or(NEWER.into(), |name| name.to_owned().into())
    }

    fn make_funding(&mut self, to: Index, drops: Drops) -> Result<Prepared, GeneratorError> {
        let (world, fees) = (&self.engine.world, &self.engine.fees);
        let funder = world.accounts.iter().position(|account| account.role == Role::Funder);
        let funder = funder
            .ok_or_else(|| GeneratorError::config("funding", "nobody funds accounts in this run"))?
            as Index;
        if drops.0 < fees.reserve(0) {
            let least = format!("at least the reserve, {} drops", fees.reserve(0));
            return Err(GeneratorError::config("drops", least));
        }
        let has = world.accounts[funder].xrp.spendable(fees);
        if has < drops.0 {
            let account = world.accounts[funder].id;
            return Err(GeneratorError::Funds { account, has, needed: drops.0 });
        }
        let mut prepared =
            self.engine.send(funder, setup::funding(world, to, drops.0), true).map_err(|_| {
                GeneratorError::Busy("the funding account has as many in flight as allowed")
            })?;
        prepared.name = "Payment";
        self.adopting.insert(prepared.hash, to);
        Ok(prepared)
    }

    /// A given transaction.
    fn send_asked(
        &mut self,
        index: Index,
        plan: Plan,
        name: &'static str,
    ) -> Result<Prepared, GeneratorError> {
        let mut prepared = self
            .engine
            .send(index, plan, true)
            .map_err(|_| GeneratorError::Busy("the account has as many in flight as allowed"))?;
        prepared.name = name;
        Ok(prepared)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fees::FeeStrategy;

    #[tokio::test(start_paused = true)]
    async fn a_search_is_repeated_when_it_may_end_otherwise() {
        let at = Instant::now();
        let before = Situation { at, head: LedgerIndex(7), room: true, ended: 3 };
        assert!(!before.may_differ_from(before), "nothing has happened");
        let later = Situation { at: at + Duration::from_secs(4), ..before };
        assert!(!later.may_differ_from(before), "time alone changes nothing");
        assert!(Situation { head: LedgerIndex(8), ..before }.may_differ_from(before));
        let full = Situation { room: false, ..before };
        assert!(before.may_differ_from(full), "a lane has room again");
        assert!(!full.may_differ_from(before));
        let ended = Situation { ended: 4, ..before };
        assert!(!ended.may_differ_from(before), "ends come by the hundred");
        assert!(Situation { at: at + SEARCH_PAUSE, ..ended }.may_differ_from(before));
    }

    #[test]
    fn a_given_fee_is_paid_and_a_type_pays_what_it_costs() {
        let class = |tx: serde_json::Value, strategy| {
            let body = Object::from_json(&tx, Definitions::builtin()).unwrap();
            let mut fees = Fees::new(strategy, 1000);
            fees.set_ledger(10, 10_000_000, 2_000_000);
            fee_class(&body, &fees)
        };
        let base = FeeStrategy::Base;
        assert_eq!(class(json!({"TransactionType": "Payment"}), base), FeeClass::Ordinary);
        assert_eq!(
            class(json!({"TransactionType": "Payment", "Fee": "7"}), base),
            FeeClass::Exactly(7)
        );
        let delete = json!({"TransactionType": "AccountDelete"});
        assert_eq!(class(delete, base), FeeClass::Least(2_000_000));
        let finish = json!({"TransactionType": "EscrowFinish", "Fulfillment": "A0028000"});
        assert_eq!(class(finish.clone(), base), FeeClass::Least(330));
        let mut fees = Fees::new(FeeStrategy::Fixed(500), 1000);
        fees.set_ledger(10, 10_000_000, 2_000_000);
        let fixed = class(finish, FeeStrategy::Fixed(500));
        assert_eq!(fees.fee(fixed).0, 500, "what was asked for is enough");
    }
}
