//! Accounts that could send now, and why the others could not: the accounts' lanes as the API shows them.

use serde::Serialize;
use xrpl_protocol::{AccountId, Sequence};

use crate::{
    accounts::{Account, Accounts},
    lane::Blocked,
};

/// One account's lane at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LaneView {
    /// The account.
    pub account: AccountId,
    /// What it is for: `user`, `gateway`, `passing`.
    pub role: &'static str,
    /// Its transactions in flight, on Sequences and Tickets.
    pub in_flight: usize,
    /// The next Sequence never handed out.
    pub next_sequence: Sequence,
    /// Tickets that nothing uses yet.
    pub free_tickets: usize,
    /// Why it cannot send now; none if it can.
    pub blocked: Option<&'static str>,
    /// The same in words.
    pub reason: Option<&'static str>,
}

/// Some lanes, and how many there are of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LaneList {
    /// Accounts that send.
    pub total: usize,
    /// Those that cannot send now.
    pub blocked: usize,
    /// At most as many as asked for: those that cannot send first, then by what is in flight.
    pub lanes: Vec<LaneView>,
}

fn view(account: &Account) -> LaneView {
    let blocked = account.lane.may_take(1).err();
    LaneView {
        account: account.id,
        role: account.role.name(),
        in_flight: account.lane.in_flight(),
        next_sequence: account.lane.next(),
        free_tickets: account.lane.free_tickets(),
        blocked: blocked.map(Blocked::name),
        reason: blocked.map(Blocked::reason),
    }
}

/// The lanes of those that send load.
pub(crate) fn list(accounts: &Accounts, limit: usize) -> LaneList {
    let sends = |account: &&Account| account.role.sends() && account.active;
    let mut lanes: Vec<_> = accounts.iter().filter(sends).map(view).collect();
    let (total, blocked) = (lanes.len(), lanes.iter().filter(|l| l.blocked.is_some()).count());
    let order = |lane: &LaneView| (lane.blocked.is_none(), std::cmp::Reverse(lane.in_flight));
    // Stable: equal ones keep the order of the accounts, so that a page does not jump.
    lanes.sort_by_key(order);
    lanes.truncate(limit);
    LaneList { total, blocked, lanes }
}

#[cfg(test)]
mod tests {
    use xrpl_protocol::keys::{KeyPair, KeyType};

    use super::*;
    use crate::{
        accounts::{Role, derive},
        lane::Answer,
    };

    fn account(role: Role, n: u32) -> Account {
        let key = KeyPair::from_seed(&derive("lanes", role, n, KeyType::Ed25519));
        let mut account = Account::new(key, role, 2);
        account.active = true;
        account
    }

    #[test]
    fn the_blocked_come_first_with_their_reason_and_idle_roles_do_not_count() {
        let mut accounts = Accounts::default();
        let [_, busy, full] = [0, 1, 2].map(|n| accounts.add(account(Role::User, n)));
        accounts.add(account(Role::Gateway, 0));
        accounts.add(account(Role::Funder, 0));
        let unfunded = accounts.add(account(Role::User, 3));
        accounts[unfunded].active = false;
        accounts[busy].lane.take(1).unwrap();
        for _ in 0..2 {
            let slot = accounts[full].lane.take(1).unwrap();
            accounts[full].lane.answered(slot, 0, Answer::Applied);
        }
        let list = list(&accounts, 3);
        assert_eq!((list.total, list.blocked), (4, 2));
        let seen: Vec<_> =
            list.lanes.iter().map(|l| (l.account, l.role, l.in_flight, l.blocked)).collect();
        assert_eq!(
            seen,
            [
                (accounts[full].id, "user", 2, Some("full")),
                (accounts[busy].id, "user", 1, Some("on_the_wire")),
                (accounts[0].id, "user", 0, None),
            ]
        );
        assert!(list.lanes[0].reason.is_some_and(|words| words.contains("in flight")));
    }
}
