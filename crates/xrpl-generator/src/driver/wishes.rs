//! Transactions that somebody asked for, one by one: they wait a while for an account and a worker.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use xrpl_protocol::{
    AccountId, Amount, Definitions, Drops, Object, fields, keys::KeyPair, transaction::Payment,
};
use xrpl_tracker::CallersKey;

use super::Driver;
use crate::{
    accounts::{Account, Index, Role, derive},
    catalogue::{Applied, OwnFields, Tx},
    engine::Prepared,
    error::GeneratorError,
    funding::{learn_created, pay_to},
    generator::{Asked, NewAccount, Reply},
    objects::World,
};

/// How long a transaction that was asked for waits for an account.
const ASKED_PATIENCE: Duration = Duration::from_secs(5);

/// Tickets of one account at most.
const MOST_TICKETS: u32 = 250;

pub(super) struct Wish {
    until: Instant,
    what: What,
    reply: Reply<Asked>,
}

pub(super) enum What {
    Create(Option<String>),
    Pay { from: AccountId, to: AccountId, amount: Amount },
    Send { from: AccountId, body: Object, key: Option<Arc<CallersKey>> },
    Fund { to: Index, drops: Drops },
}

impl Driver {
    pub(super) fn wish(&mut self, what: What, reply: Reply<Asked>) {
        self.serve(Wish { until: Instant::now() + ASKED_PATIENCE, what, reply });
    }

    pub(super) fn serve(&mut self, wish: Wish) {
        let made = if self.idle.is_empty() {
            Err(GeneratorError::Busy("every submission waits for the endpoint's answer"))
        } else {
            self.make(&wish.what)
        };
        match made {
            Ok(prepared) => {
                let account = self.engine.world.accounts[prepared.sender].id;
                self.asked.insert(prepared.hash, (wish.reply, prepared.name, account));
                self.dispatch(prepared);
            }
            Err(GeneratorError::Busy(_)) if Instant::now() < wish.until => {
                self.wishes.push_back(wish);
            }
            Err(error) => {
                if let What::Fund { to, .. } = wish.what {
                    self.funding.remove(&to);
                }
                // Who asked may have gone; then nobody is to be told.
                drop(wish.reply.send(Err(error)));
            }
        }
    }

    /// One more user: known at once, taking part once its funding is validated.
    pub(super) fn create_account(&mut self, wanted: NewAccount, reply: Reply<Asked>) {
        let NewAccount { drops, key_type, address } = wanted;
        let config = &self.config;
        let drops = drops.unwrap_or(config.user_drops);
        let accounts = &mut self.engine.world.accounts;
        // One whose funding failed before is still free.
        let waits = |index: &&Index| {
            let account = &accounts[**index];
            !account.active && !self.funding.contains(*index)
        };
        let index = match (accounts.users().iter().find(waits).copied(), key_type) {
            (Some(index), None) => index,
            _ => {
                let n = accounts.users().len() as u32;
                let key_type = key_type.unwrap_or(config.key_type);
                let seed = derive(&config.seed, Role::User, n, key_type);
                let key = KeyPair::from_seed(&seed);
                accounts.add(Account::new(key, Role::User, config.max_pending_per_account))
            }
        };
        // Who asked may have gone; the account is made all the same.
        let _ = address.send(accounts[index].id);
        self.funding.insert(index);
        self.wish(What::Fund { to: index, drops }, reply);
    }

    /// The funding of an account has come to its end.
    pub(super) fn adopted(&mut self, index: Index) {
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
                let tx = Tx { xrp: drops, to: accounts.find(*to), ..Tx::new(body) };
                self.send_asked(index, tx, "Payment")
            }
            What::Fund { to, drops } => self.make_funding(*to, *drops),
            What::Send { from, body, key } => {
                let accounts = &self.engine.world.accounts;
                let index = accounts.find(*from).ok_or(GeneratorError::UnknownAccount(*from))?;
                let code = body.u16(fields::TRANSACTION_TYPE);
                let name = code.and_then(|code| Definitions::builtin().transaction_type_name(code));
                let name = name.ok_or_else(|| GeneratorError::UnknownType {
                    name: "without TransactionType".into(),
                    nearest: None,
                })?;
                let sent = body.amount(fields::AMOUNT).and_then(|amount| amount.drops());
                let tx = Tx {
                    flags: body.u32(fields::FLAGS).unwrap_or(0),
                    // TicketCreate moves the Sequence by its Tickets too; more than the ledger
                    // allows are refused and move nothing.
                    width: 1 + body.u32(fields::TICKET_COUNT).unwrap_or(0).min(MOST_TICKETS),
                    xrp: sent.and_then(|drops| u64::try_from(drops).ok()).unwrap_or(0),
                    to: body.account(fields::DESTINATION).and_then(|id| accounts.find(id)),
                    ..Tx::new(OwnFields(body.clone()))
                };
                let prepared = self.send_asked(index, tx, name)?;
                Ok(Prepared { callers_key: key.clone(), ..prepared })
            }
        }
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
        let has = world.accounts[funder].purse.spendable(fees);
        if has < drops.0 {
            let account = world.accounts[funder].id;
            return Err(GeneratorError::Funds { account, has, needed: drops.0 });
        }
        let mut prepared = self
            .engine
            .send(funder, pay_to(world, to, drops.0), Some(learn_created), true)
            .map_err(|_| {
                GeneratorError::Busy("the funding account has as many in flight as allowed")
            })?;
        prepared.name = "Payment";
        self.adopting.insert(prepared.hash, to);
        Ok(prepared)
    }

    /// A given transaction; what its metadata says about trust lines and Tickets is learnt.
    fn send_asked(
        &mut self,
        index: Index,
        tx: Tx,
        name: &'static str,
    ) -> Result<Prepared, GeneratorError> {
        let learn = |world: &mut World, applied: &Applied<'_>| {
            world.learn_lines(applied.metadata);
            world.learn_tickets(applied.metadata);
        };
        let mut prepared = self
            .engine
            .send(index, tx, Some(learn), true)
            .map_err(|_| GeneratorError::Busy("the account has as many in flight as allowed"))?;
        prepared.name = name;
        Ok(prepared)
    }
}
