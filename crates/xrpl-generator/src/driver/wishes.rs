//! Transactions that somebody asked for, one by one: they wait a while for an account and a worker.

use std::time::Duration;

use tokio::time::Instant;
use xrpl_protocol::{AccountId, Amount, Definitions, Object, fields, transaction::Payment};

use super::Driver;
use crate::{
    accounts::Index,
    catalogue::{Applied, OwnFields, Tx},
    engine::Prepared,
    error::GeneratorError,
    generator::{Asked, Reply},
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
    Send { from: AccountId, body: Object },
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
            // Who asked may have gone; then nobody is to be told.
            Err(error) => drop(wish.reply.send(Err(error))),
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
            What::Send { from, body } => {
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
                self.send_asked(index, tx, name)
            }
        }
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
