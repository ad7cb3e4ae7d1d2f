//! What the run's accounts own, as validated ledgers show it, and what is in flight against it.
//!
//! Balances change by the differences in metadata, so that the order in which outcomes arrive does
//! not matter. What is in flight is set aside until its end is known: a valid-intent transaction
//! is only built when it succeeds even if all others in flight succeed too.

use serde::Deserialize;
use serde_json::{Map, Value as Json};
use smallvec::SmallVec;
use xrpl_protocol::{AccountId, Amount, Currency, Issue, IssuedValue};

use crate::{
    accounts::{Accounts, Index},
    fees::Fees,
};

/// Position of an asset in `crate::assets::Assets`.
pub type AssetId = u16;

/// An account's XRP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purse {
    /// Drops in the newest validated ledger that was learned from.
    pub balance: u64,
    /// Objects it owns there.
    pub owners: u32,
    /// Drops that transactions in flight may take.
    pub pending: u64,
    /// Objects that transactions in flight may add.
    pub owners_pending: u32,
}

impl Purse {
    /// What can be spent now without touching the reserve, whatever becomes of what is in flight.
    #[must_use]
    pub fn spendable(&self, fees: &Fees) -> u64 {
        self.spendable_with(fees, 0)
    }

    /// The same with so many more objects owned.
    #[must_use]
    pub fn spendable_with(&self, fees: &Fees, more: u32) -> u64 {
        let reserve = fees.reserve(self.owners + self.owners_pending + more);
        self.balance.saturating_sub(self.pending).saturating_sub(reserve)
    }

    fn change(&mut self, drops: i64) {
        self.balance = self.balance.saturating_add_signed(drops);
    }
}

/// A trust line, from its holder's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of which asset.
    pub asset: AssetId,
    /// What the holder trusts for.
    pub limit: IssuedValue,
    /// What the holder has.
    pub balance: IssuedValue,
    /// What is in flight out of it.
    pub leaving: IssuedValue,
    /// What is in flight into it.
    pub coming: IssuedValue,
    /// Whether a validated ledger has it.
    pub exists: bool,
}

impl Line {
    /// What can leave now.
    #[must_use]
    pub fn available(&self) -> IssuedValue {
        self.balance.sub(self.leaving).unwrap_or(IssuedValue::ZERO)
    }

    /// Whether this much more fits under the limit.
    #[must_use]
    pub fn has_room(&self, value: IssuedValue) -> bool {
        let then = self.balance.add(self.coming).and_then(|held| held.add(value));
        self.exists && then.is_ok_and(|held| held <= self.limit)
    }
}

/// An account's trust lines.
#[derive(Clone, Debug, Default)]
pub struct Lines(SmallVec<[Line; 4]>);

impl Lines {
    /// The line of an asset.
    #[must_use]
    pub fn get(&self, asset: AssetId) -> Option<&Line> {
        self.0.iter().find(|line| line.asset == asset)
    }

    /// All of them, those not yet in a validated ledger too.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Line> {
        self.0.iter()
    }

    /// The line of an asset, made empty if there is none.
    pub fn entry(&mut self, asset: AssetId) -> &mut Line {
        let at = self.0.iter().position(|line| line.asset == asset).unwrap_or_else(|| {
            let zero = IssuedValue::ZERO;
            let (limit, balance, leaving, coming) = (zero, zero, zero, zero);
            self.0.push(Line { asset, limit, balance, leaving, coming, exists: false });
            self.0.len() - 1
        });
        &mut self.0[at]
    }
}

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

/// Everything the run knows to exist.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The accounts.
    pub accounts: Accounts,
    /// The assets; the first ones are those every user holds.
    pub assets: Vec<Asset>,
    /// How many of the assets every user holds.
    pub common_assets: usize,
}

/// What a transaction in flight may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stake {
    /// Its fee.
    pub fee: u64,
    /// XRP it sends, and to which of the run's accounts, if to one.
    pub xrp: u64,
    /// See `xrp`.
    pub to: Option<Index>,
    /// Objects it may add to its sender.
    pub owners: u32,
    /// Issued value it moves.
    pub issued: Option<IssuedMove>,
}

impl World {
    /// The asset of a currency and issuer.
    #[must_use]
    pub fn asset(&self, currency: Currency, issuer: AccountId) -> Option<AssetId> {
        let is = |a: &Asset| a.currency == currency && a.issuer == issuer;
        self.assets.iter().position(is).map(|at| at as AssetId)
    }

    /// Sets a stake aside.
    pub fn reserve(&mut self, sender: Index, stake: &Stake) {
        let purse = &mut self.accounts[sender].purse;
        purse.pending += stake.fee + stake.xrp;
        purse.owners_pending += stake.owners;
        self.move_pending(stake, |sum, value| sum.add(value).unwrap_or(sum));
    }

    /// Gives a stake back, whatever became of the transaction.
    pub fn release(&mut self, sender: Index, stake: &Stake) {
        let purse = &mut self.accounts[sender].purse;
        purse.pending = purse.pending.saturating_sub(stake.fee + stake.xrp);
        purse.owners_pending = purse.owners_pending.saturating_sub(stake.owners);
        self.move_pending(stake, |sum, value| sum.sub(value).unwrap_or(sum));
    }

    fn move_pending(&mut self, stake: &Stake, f: impl Fn(IssuedValue, IssuedValue) -> IssuedValue) {
        let Some(issued) = stake.issued else { return };
        if let Some(from) = issued.from {
            let line = self.accounts[from].lines.entry(issued.asset);
            line.leaving = f(line.leaving, issued.value);
        }
        if let Some(to) = issued.to {
            let line = self.accounts[to].lines.entry(issued.asset);
            line.coming = f(line.coming, issued.value);
        }
    }

    /// A validated transaction whose metadata was not asked for: its fee is gone, and if it
    /// succeeded, its XRP moved. Exact for what does nothing else.
    pub fn apply(&mut self, sender: Index, stake: &Stake, success: bool) {
        let fee = i64::try_from(stake.fee).unwrap_or(i64::MAX);
        let xrp = if success { i64::try_from(stake.xrp).unwrap_or(i64::MAX) } else { 0 };
        self.accounts[sender].purse.change(-(fee + xrp));
        if let Some(to) = stake.to {
            self.accounts[to].purse.change(xrp);
        }
    }

    /// A Ticket of this account is gone, and with it an object it owned.
    pub fn ticket_used(&mut self, owner: Index) {
        let purse = &mut self.accounts[owner].purse;
        purse.owners = purse.owners.saturating_sub(1);
    }

    /// Learns balances and owner counts of the run's accounts from validated metadata.
    pub fn learn_accounts(&mut self, metadata: &Metadata) {
        for node in metadata.nodes("AccountRoot") {
            let Some(index) = node.account("Account").and_then(|id| self.accounts.find(id)) else {
                continue;
            };
            let difference = |field: &str, parse: fn(&Json) -> Option<i64>| {
                let read = |fields: &Map<String, Json>| fields.get(field).and_then(parse);
                let now = read(node.fields)?;
                let before = match (node.change, node.previous) {
                    (Change::Created, _) => 0,
                    (_, previous) => previous.and_then(read)?,
                };
                Some(now - before)
            };
            let purse = &mut self.accounts[index].purse;
            if let Some(drops) = difference("Balance", |v| v.as_str()?.parse().ok()) {
                purse.change(drops);
            }
            if let Some(owners) = difference("OwnerCount", Json::as_i64) {
                purse.owners = purse.owners.saturating_add_signed(owners as i32);
            }
        }
    }

    /// Learns trust lines from validated metadata.
    pub fn learn_lines(&mut self, metadata: &Metadata) {
        for node in metadata.nodes("RippleState") {
            let limit = |side: &str| node.fields.get(side).and_then(|v| Amount::from_json(v).ok());
            let (Some(low), Some(high)) = (limit("LowLimit"), limit("HighLimit")) else { continue };
            let (Some(low_limit), Some(high_limit)) = (low.value(), high.value()) else { continue };
            let balance_of = |fields: &Map<String, Json>| {
                fields.get("Balance")?.get("value")?.as_str()?.parse::<IssuedValue>().ok()
            };
            let now = balance_of(node.fields).unwrap_or(IssuedValue::ZERO);
            let before = match node.change {
                Change::Created => IssuedValue::ZERO,
                _ => node.previous.and_then(balance_of).unwrap_or(now),
            };
            let Ok(difference) = now.sub(before) else { continue };
            // A limit's issuer is the side that sets it; the balance is the low side's.
            let (Issue::Issued { currency, issuer: low }, Issue::Issued { issuer: high, .. }) =
                (low.issue(), high.issue())
            else {
                continue;
            };
            for (holder, limit, issuer, difference) in
                [(low, low_limit, high, difference), (high, high_limit, low, difference.negated())]
            {
                let (Some(asset), Some(index)) =
                    (self.asset(currency, issuer), self.accounts.find(holder))
                else {
                    continue;
                };
                let line = self.accounts[index].lines.entry(asset);
                line.balance = line.balance.add(difference).unwrap_or(line.balance);
                line.limit = limit;
                line.exists = node.change != Change::Deleted;
            }
        }
    }

    /// Learns Tickets from validated metadata.
    pub fn learn_tickets(&mut self, metadata: &Metadata) {
        for node in metadata.nodes("Ticket") {
            let number = node.fields.get("TicketSequence").and_then(Json::as_u64);
            let owner = node.account("Account").and_then(|id| self.accounts.find(id));
            if let (Change::Created, Some(number), Some(owner)) = (node.change, number, owner) {
                self.accounts[owner].lane.add_tickets(u32::try_from(number));
            }
        }
    }
}

/// What happened to a ledger entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Created,
    /// Its fields changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// A ledger entry in metadata.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// What happened to it.
    pub change: Change,
    /// `NewFields` or `FinalFields`.
    pub fields: &'a Map<String, Json>,
    /// `PreviousFields`: what its changed fields were.
    pub previous: Option<&'a Map<String, Json>>,
    /// Its id, in hexadecimal.
    pub id: &'a str,
}

impl Node<'_> {
    /// An address among its fields.
    #[must_use]
    pub fn account(&self, field: &str) -> Option<AccountId> {
        self.fields.get(field)?.as_str()?.parse().ok()
    }
}

/// Metadata of a validated transaction
/// (<https://xrpl.org/docs/references/protocol/transactions/metadata>), read leniently.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Metadata {
    #[serde(rename = "AffectedNodes", default)]
    affected: Vec<Affected>,
}

#[derive(Clone, Debug, Deserialize)]
enum Affected {
    #[serde(rename = "CreatedNode")]
    Created(RawNode),
    #[serde(rename = "ModifiedNode")]
    Modified(RawNode),
    #[serde(rename = "DeletedNode")]
    Deleted(RawNode),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RawNode {
    ledger_entry_type: String,
    ledger_index: String,
    new_fields: Option<Map<String, Json>>,
    final_fields: Option<Map<String, Json>>,
    previous_fields: Option<Map<String, Json>>,
}

impl Metadata {
    /// Reads it.
    ///
    /// # Errors
    /// When it is no metadata.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// The entries of a type.
    pub fn nodes<'a>(&'a self, entry_type: &'a str) -> impl Iterator<Item = Node<'a>> {
        self.affected.iter().filter_map(move |affected| {
            let (change, node) = match affected {
                Affected::Created(node) => (Change::Created, node),
                Affected::Modified(node) => (Change::Modified, node),
                Affected::Deleted(node) => (Change::Deleted, node),
            };
            let fields = match change {
                Change::Created => &node.new_fields,
                _ => &node.final_fields,
            };
            (node.ledger_entry_type == entry_type).then_some(Node {
                change,
                fields: fields.as_ref()?,
                previous: node.previous_fields.as_ref(),
                id: &node.ledger_index,
            })
        })
    }
}

#[cfg(test)]
mod tests;
