//! Everything the run knows to exist: its accounts, the currencies its gateways issue, the objects of
//! the ledger that concern them, and what of all that transactions in flight may take.

use rustc_hash::FxHashSet;
use serde_json::{Map, Value as Json};
use smallvec::SmallVec;
use xrpl_protocol::{
    AccountId, Amount, Currency, Hash256, Issue, IssuedValue, LedgerIndex, Sequence,
    hash::sha512_half,
};

use crate::{
    accounts::{Accounts, Index},
    holdings::{AssetId, XrpBalance},
    lane::Lane,
    metadata::{Change, Metadata, Moment, Node},
    objects::Objects,
};

/// An issued currency of one gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its code.
    pub currency: Currency,
    /// Who issues it.
    pub issuer: AccountId,
    /// The same as an index.
    pub gateway: Index,
}

impl Asset {
    /// An amount of it.
    #[must_use]
    pub fn amount(&self, value: IssuedValue) -> Amount {
        Amount::issued(value, self.currency, self.issuer)
    }
}

/// Issued value on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssuedMove {
    /// Of what.
    pub asset: AssetId,
    /// Whose line it leaves; none when it is issued.
    pub from: Option<Index>,
    /// Whose line it comes to; none when it is redeemed.
    pub to: Option<Index>,
    /// How much.
    pub value: IssuedValue,
}

/// XRP and reserve that a transaction may take of another account than its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OthersXrp {
    /// Whose.
    pub account: Index,
    /// Drops.
    pub drops: u64,
    /// Objects it may add to that account.
    pub owners: u32,
}

/// What a transaction may take until its end is known. Nobody else is given it meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    /// Its fee.
    pub fee: u64,
    /// Who pays that, if not its sender (a delegate).
    pub payer: Option<Index>,
    /// XRP it sends, and to which of the run's accounts, if to one.
    pub xrp: u64,
    /// See `xrp`.
    pub to: Option<Index>,
    /// Objects it may add to its sender.
    pub owners: u32,
    /// Issued value it moves.
    pub issued: SmallVec<[IssuedMove; 1]>,
    /// What it may take of others.
    pub others: SmallVec<[OthersXrp; 1]>,
    /// What it alone may use: ids of objects, those that it makes too.
    pub objects: SmallVec<[Hash256; 2]>,
}

impl Holds {
    /// What a transaction takes that does nothing but pay its fee.
    #[must_use]
    pub fn fee(drops: u64) -> Self {
        Self { fee: drops, ..Self::default() }
    }
}

/// See the [module](self).
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The accounts.
    pub accounts: Accounts,
    /// The assets; the first ones are those every user holds.
    pub assets: Vec<Asset>,
    /// How many of the assets every user holds.
    pub common_assets: usize,
    /// What they own besides, and what is for them.
    pub objects: Objects,
    /// Transactions that were learnt from.
    learnt: FxHashSet<Moment>,
    /// The newest validated ledger.
    pub head: LedgerIndex,
    /// When it closed, seconds since 2000-01-01 00:00 UTC.
    pub close_time: u32,
    /// The ids of the amendments that the network has enabled, where it says so.
    pub amendments: Option<FxHashSet<Hash256>>,
    /// Whether the node queues or refuses for now.
    pub busy: bool,
    /// The longest that a transaction made now may take to its ledger, seconds: what is to happen
    /// after it is later than that.
    pub horizon: u32,
}

impl World {
    /// The asset of a currency and issuer.
    #[must_use]
    pub fn asset(&self, currency: Currency, issuer: AccountId) -> Option<AssetId> {
        let is = |a: &Asset| a.currency == currency && a.issuer == issuer;
        self.assets.iter().position(is).map(|at| at as AssetId)
    }

    /// Sets aside what a transaction may take.
    pub fn reserve(&mut self, sender: Index, holds: &Holds) {
        self.accounts[holds.payer.unwrap_or(sender)].xrp.pending += holds.fee;
        let xrp = &mut self.accounts[sender].xrp;
        xrp.pending += holds.xrp;
        xrp.owners_pending += holds.owners;
        for other in &holds.others {
            let xrp = &mut self.accounts[other.account].xrp;
            xrp.pending += other.drops;
            xrp.owners_pending += other.owners;
        }
        holds.objects.iter().for_each(|id| self.objects.hold(*id));
        self.move_pending(holds, |sum, value| sum.add(value).unwrap_or(sum));
    }

    /// Gives it back, whatever became of the transaction.
    pub fn release(&mut self, sender: Index, holds: &Holds) {
        let mut give = |account: Index, drops: u64, owners: u32| {
            let xrp = &mut self.accounts[account].xrp;
            xrp.pending = xrp.pending.saturating_sub(drops);
            xrp.owners_pending = xrp.owners_pending.saturating_sub(owners);
        };
        give(holds.payer.unwrap_or(sender), holds.fee, 0);
        give(sender, holds.xrp, holds.owners);
        holds.others.iter().for_each(|other| give(other.account, other.drops, other.owners));
        holds.objects.iter().for_each(|id| self.objects.release(*id));
        self.move_pending(holds, |sum, value| sum.sub(value).unwrap_or(sum));
    }

    fn move_pending(&mut self, holds: &Holds, f: impl Fn(IssuedValue, IssuedValue) -> IssuedValue) {
        for issued in &holds.issued {
            if let Some(from) = issued.from {
                let line = self.accounts[from].lines.entry(issued.asset);
                line.leaving = f(line.leaving, issued.value);
            }
            if let Some(to) = issued.to {
                let line = self.accounts[to].lines.entry(issued.asset);
                line.coming = f(line.coming, issued.value);
            }
        }
    }

    /// A validated transaction whose metadata was not asked for: its fee is gone, and if it
    /// succeeded, its XRP moved. Exact for what does nothing else.
    pub fn apply(&mut self, sender: Index, holds: &Holds, success: bool) {
        let signed = |drops: u64| i64::try_from(drops).unwrap_or(i64::MAX);
        self.accounts[holds.payer.unwrap_or(sender)].xrp.change(-signed(holds.fee));
        if success {
            self.accounts[sender].xrp.change(-signed(holds.xrp));
            if let Some(to) = holds.to {
                self.accounts[to].xrp.change(signed(holds.xrp));
            }
        }
    }

    /// A Ticket of this account is gone, and with it an object it owned.
    pub fn ticket_used(&mut self, owner: Index) {
        let xrp = &mut self.accounts[owner].xrp;
        xrp.owners = xrp.owners.saturating_sub(1);
    }

    /// Takes in what a validated transaction did, whoever sent it; once, however often it is reported. Which
    /// of the run's accounts it concerned.
    pub fn learn(&mut self, metadata: &Metadata, ledger: LedgerIndex) -> SmallVec<[Index; 4]> {
        let as_of = metadata.moment(ledger);
        if metadata.has_place() && !self.is_news(as_of) {
            return SmallVec::new();
        }
        let mut concerned = SmallVec::new();
        for node in metadata.all() {
            match node.entry_type {
                "AccountRoot" => concerned.extend(self.learn_account(&node, as_of)),
                "RippleState" => {
                    self.learn_line(&node, as_of, &mut concerned);
                    let lp = self.objects.learn(&node, as_of, &self.accounts);
                    concerned.extend(lp.and_then(|(owner, _)| owner));
                }
                "Ticket" => self.learn_ticket(&node),
                _ => {
                    if let Some((owner, toward)) = self.objects.learn(&node, as_of, &self.accounts)
                    {
                        concerned.extend(owner.into_iter().chain(toward));
                    }
                }
            }
        }
        concerned.sort_unstable();
        concerned.dedup();
        concerned
    }

    /// Whether nothing was learnt of that transaction before.
    fn is_news(&mut self, moment: Moment) -> bool {
        /// How many are remembered at least, and of how many ledgers.
        const REMEMBERED: usize = 100_000;
        const LEDGERS: u32 = 256;
        if self.learnt.len() >= REMEMBERED {
            let oldest = moment.ledger().0.saturating_sub(LEDGERS);
            self.learnt.retain(|learnt| learnt.ledger().0 >= oldest);
        }
        self.learnt.insert(moment)
    }

    fn learn_account(&mut self, node: &Node<'_>, as_of: Moment) -> Option<Index> {
        let index = node.account("Account").and_then(|id| self.accounts.find(id))?;
        let difference = |field: &str, parse: fn(&Json) -> Option<i64>| {
            let read = |fields: &Map<String, Json>| fields.get(field).and_then(parse);
            let now = read(node.fields)?;
            let before = match (node.change, node.previous) {
                (Change::Created, _) => 0,
                (_, previous) => previous.and_then(read)?,
            };
            Some(now - before)
        };
        let drops = difference("Balance", |v| v.as_str()?.parse().ok());
        let owners = difference("OwnerCount", Json::as_i64);
        let account = &mut self.accounts[index];
        if node.change == Change::Deleted {
            // That it was created anew may have been reported before.
            if as_of >= account.as_of {
                account.as_of = as_of;
                account.active = false;
                account.xrp = XrpBalance::default();
            }
            return Some(index);
        }
        let sequence = node.fields.get("Sequence").and_then(Json::as_u64);
        let sequence = sequence.and_then(|sequence| u32::try_from(sequence).ok()).map(Sequence);
        // A new account's first Sequence is the index of the ledger that made it.
        if let (Change::Created, Some(sequence)) = (node.change, sequence)
            && !(account.active && account.lane.next() >= sequence)
        {
            if account.active {
                // That its earlier self was deleted is reported later.
                account.xrp = XrpBalance::default();
            }
            account.active = true;
            account.lane = Lane::new(sequence, account.lane.max_pending());
        }
        if let Some(drops) = drops {
            account.xrp.change(drops);
        }
        if let Some(owners) = owners {
            account.xrp.owners = account.xrp.owners.saturating_add_signed(owners as i32);
        }
        if as_of >= account.as_of {
            account.as_of = as_of;
            let flags = node.fields.get("Flags").and_then(Json::as_u64);
            account.flags = flags.unwrap_or(account.flags.into()) as u32;
            account.regular_key = node.account("RegularKey");
        }
        Some(index)
    }

    fn learn_line(&mut self, node: &Node<'_>, as_of: Moment, concerned: &mut SmallVec<[Index; 4]>) {
        let limit = |side: &str| node.fields.get(side).and_then(|v| Amount::from_json(v).ok());
        let (Some(low), Some(high)) = (limit("LowLimit"), limit("HighLimit")) else { return };
        let (Some(low_limit), Some(high_limit)) = (low.value(), high.value()) else { return };
        let balance = node.fields.get("Balance").and_then(|balance| balance.get("value"));
        let balance = balance.and_then(Json::as_str).and_then(|value| value.parse().ok());
        let balance: IssuedValue = balance.unwrap_or(IssuedValue::ZERO);
        // A limit's issuer is the side that sets it; the balance is the low side's.
        let (Issue::Issued { currency, issuer: low }, Issue::Issued { issuer: high, .. }) =
            (low.issue(), high.issue())
        else {
            return;
        };
        for (holder, limit, issuer, balance) in
            [(low, low_limit, high, balance), (high, high_limit, low, balance.negated())]
        {
            let (Some(asset), Some(index)) =
                (self.asset(currency, issuer), self.accounts.find(holder))
            else {
                continue;
            };
            concerned.push(index);
            let line = self.accounts[index].lines.entry(asset);
            if as_of >= line.as_of {
                // The ledger's own figure: sums of sixteen digits depend on their order.
                line.as_of = as_of;
                line.balance = balance;
                line.limit = limit;
                line.exists = node.change != Change::Deleted;
            }
        }
    }

    fn learn_ticket(&mut self, node: &Node<'_>) {
        let number = node.fields.get("TicketSequence").and_then(Json::as_u64);
        let owner = node.account("Account").and_then(|id| self.accounts.find(id));
        if let (Change::Created, Some(number), Some(owner)) = (node.change, number, owner) {
            self.accounts[owner].lane.add_tickets(u32::try_from(number));
        }
    }

    /// Whether the network has enabled an amendment; where it does not say, all are taken to be.
    #[must_use]
    pub fn has_amendment(&self, name: &str) -> bool {
        // What the ledger calls it.
        let id = || sha512_half(&[name.as_bytes()]);
        self.amendments.as_ref().is_none_or(|enabled| enabled.contains(&id()))
    }

    /// Whether an account sends load.
    #[must_use]
    pub fn sends(&self, index: Index) -> bool {
        let account = &self.accounts[index];
        account.active && account.role.sends()
    }
}

#[cfg(test)]
mod tests;
