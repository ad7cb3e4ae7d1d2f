//! What accounts hold and trust, read once per search (xrpld's AssetCache).

use std::{collections::HashMap, rc::Rc};

use xrpl_protocol::{
    AccountId, Currency, Hash256, Issue, IssuedValue, MptId, Object, Value, fields, object_id,
};

use super::{
    PathAsset,
    books::{self, Books},
};
use crate::ledger::{
    ReadView, directory, entry_type,
    helpers::{
        BAD_CURRENCY,
        book::Book,
        mpt,
        trust_line::{self, Side},
    },
};

/// A trust line as one of its sides sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    peer: AccountId,
    currency: Currency,
    balance: IssuedValue,
    limit: IssuedValue,
    peer_limit: IssuedValue,
    auth: bool,
    no_ripple: bool,
    no_ripple_peer: bool,
    freeze_peer: bool,
}

impl Line {
    fn of(entry: &Object, account: AccountId) -> Option<Self> {
        if entry_type::of(entry) != entry_type::RIPPLE_STATE {
            return None;
        }
        let (low, currency) = line_end(entry, Side::Low)?;
        let (high, _) = line_end(entry, Side::High)?;
        let own = if low == account { Side::Low } else { Side::High };
        let peer = if own == Side::Low { high } else { low };
        let flags = entry.u32(fields::FLAGS).unwrap_or(0);
        let value = |field| trust_line::value_of(entry, field);
        Some(Self {
            peer,
            currency,
            balance: trust_line::balance(entry, own),
            limit: value(own.limit()),
            peer_limit: value(own.other().limit()),
            auth: flags & own.auth() != 0,
            no_ripple: flags & own.no_ripple() != 0,
            no_ripple_peer: flags & own.other().no_ripple() != 0,
            freeze_peer: flags & own.other().freeze() != 0,
        })
    }

    /// Whether the peer would owe more.
    fn has_credit(&self) -> bool {
        !self.peer_limit.is_zero() && self.balance.negated() < self.peer_limit
    }
}

fn line_end(entry: &Object, side: Side) -> Option<(AccountId, Currency)> {
    match entry.amount(side.limit())? {
        xrpl_protocol::Amount::Issued { currency, issuer, .. } => Some((issuer, currency)),
        _ => None,
    }
}

/// An MPT that somebody issued or holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    id: MptId,
    is_empty: bool,
    /// As much is issued as may be.
    is_maxed: bool,
}

impl Token {
    fn of(view: &dyn ReadView, entry: &Object) -> Option<Self> {
        match entry_type::of(entry) {
            entry_type::MPTOKEN_ISSUANCE => {
                let sequence = entry.u32(fields::SEQUENCE)?;
                let id = MptId::new(sequence, mpt::issuer_of(entry));
                Some(Self { id, is_empty: false, is_maxed: mpt::available(entry) == 0 })
            }
            entry_type::MPTOKEN => {
                let Some(Value::Hash192(id)) = entry.get(fields::MP_TOKEN_ISSUANCE_ID) else {
                    return None;
                };
                let id = MptId(*id);
                let is_empty = entry.u64(fields::MPT_AMOUNT).unwrap_or(0) == 0;
                let issuance = view.read(&object_id::mpt_issuance(id));
                let is_maxed = issuance.is_none_or(|issuance| mpt::available(&issuance) == 0);
                Some(Self { id, is_empty, is_maxed })
            }
            _ => None,
        }
    }
}

/// From where lines are looked at: one that its account does not let ripple leads nowhere for what
/// came in over such another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Outgoing,
    Incoming,
}

/// A way from an account to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) peer: AccountId,
    /// Whether anything can go over it.
    pub(super) is_usable: bool,
    pub(super) direction: Direction,
    pub(super) no_ripple_peer: bool,
    pub(super) is_frozen: bool,
}

/// What accounts of a ledger hold and trust.
pub(crate) struct Assets<'a> {
    pub(super) view: &'a dyn ReadView,
    domain: Option<Hash256>,
    lines: HashMap<AccountId, (Direction, Rc<[Line]>)>,
    tokens: HashMap<AccountId, Rc<[Token]>>,
    /// What books may give, if not all of the ledger is to be looked through.
    likely: Option<Vec<Issue>>,
    books: Option<Books>,
}

impl std::fmt::Debug for Assets<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assets").field("domain", &self.domain).finish_non_exhaustive()
    }
}

impl<'a> Assets<'a> {
    /// Of a ledger; `domain` is whose books are used instead of the open ones.
    pub(crate) fn new(view: &'a dyn ReadView, domain: Option<Hash256>) -> Self {
        Self {
            view,
            domain,
            lines: HashMap::new(),
            tokens: HashMap::new(),
            likely: None,
            books: None,
        }
    }

    /// Asks for single books only: a fork's ledger cannot be looked through. At the level at which
    /// paths are searched, books give XRP and what is to be delivered: whose, the destination's lines
    /// tell.
    pub(crate) fn ask_for_books(&mut self, deliver: Issue, destination: AccountId) {
        let mut likely = vec![Issue::Xrp, deliver];
        if let Issue::Issued { currency, .. } = deliver {
            let lines = self.lines(destination, Direction::Outgoing);
            let lines = lines.iter().filter(|line| line.currency == currency);
            likely.extend(lines.map(|line| Issue::Issued { currency, issuer: line.peer }));
        }
        likely.sort();
        likely.dedup();
        self.likely = Some(likely);
    }

    /// What can be had for something in books.
    pub(super) fn outputs(&mut self, input: Issue) -> Vec<Issue> {
        let (view, domain) = (self.view, self.domain);
        if let Some(likely) = &self.likely {
            let is_there =
                |output: &Issue| books::is_there(view, Book { input, output: *output, domain });
            return likely.iter().copied().filter(is_there).collect();
        }
        self.books.get_or_insert_with(|| Books::of(view, domain)).outputs(input).collect()
    }

    fn owned<'v>(&self, account: AccountId) -> impl Iterator<Item = crate::ledger::Entry> + 'v
    where
        'a: 'v,
    {
        let view = self.view;
        directory::iter(view, object_id::owner_dir(account)).filter_map(|key| view.read(&key))
    }

    fn lines(&mut self, account: AccountId, direction: Direction) -> Rc<[Line]> {
        match self.lines.get(&account) {
            // Those that go out include those that come in.
            Some((known, lines)) if *known == direction || *known == Direction::Outgoing => {
                return Rc::clone(lines);
            }
            _ => {}
        }
        let all = direction == Direction::Outgoing;
        let lines = self.owned(account).filter_map(|entry| Line::of(&entry, account));
        let lines: Rc<[Line]> = lines.filter(|line| all || !line.no_ripple).collect();
        self.lines.insert(account, (direction, Rc::clone(&lines)));
        lines
    }

    fn tokens(&mut self, account: AccountId) -> Rc<[Token]> {
        if let Some(tokens) = self.tokens.get(&account) {
            return Rc::clone(tokens);
        }
        let view = self.view;
        let tokens = self.owned(account).filter_map(|entry| Token::of(view, &entry));
        let tokens: Rc<[Token]> = tokens.collect();
        self.tokens.insert(account, Rc::clone(&tokens));
        tokens
    }

    /// Where an account's asset can go; `needs_auth` if its lines need its authorization.
    pub(super) fn links(
        &mut self,
        account: AccountId,
        asset: PathAsset,
        direction: Direction,
        needs_auth: bool,
    ) -> Vec<Link> {
        match asset {
            PathAsset::Currency(currency) => {
                let lines = self.lines(account, direction);
                let lines = lines.iter().filter(|line| line.currency == currency);
                let link = |line: &Line| Link {
                    peer: line.peer,
                    is_usable: line.balance.signum() > 0
                        || line.has_credit() && (!needs_auth || line.auth),
                    direction: match line.no_ripple_peer {
                        true => Direction::Incoming,
                        false => Direction::Outgoing,
                    },
                    no_ripple_peer: line.no_ripple_peer,
                    is_frozen: line.freeze_peer,
                };
                lines.map(link).collect()
            }
            PathAsset::Mpt(id) => {
                let is_frozen = mpt::is_individual_locked(self.view, account, id);
                let tokens = self.tokens(account);
                let link = |token: &Token| Link {
                    peer: id.issuer(),
                    is_usable: !token.is_empty && !token.is_maxed && !needs_auth,
                    direction: Direction::Incoming,
                    no_ripple_peer: false,
                    is_frozen,
                };
                tokens.iter().filter(|token| token.id == id).map(link).collect()
            }
        }
    }

    /// What an account can spend.
    pub(crate) fn sources(&mut self, account: AccountId) -> Vec<PathAsset> {
        let lines = self.lines(account, Direction::Outgoing);
        let lines = lines.iter().filter(|line| line.balance.signum() > 0 || line.has_credit());
        let tokens = self.tokens(account);
        let tokens = tokens.iter().filter(|token| !token.is_empty && !token.is_maxed);
        as_answered(lines, tokens)
    }

    /// What an account can take. Of MPTs xrpld names those of which the account has none.
    pub(crate) fn destinations(&mut self, account: AccountId) -> Vec<PathAsset> {
        let lines = self.lines(account, Direction::Outgoing);
        let lines = lines.iter().filter(|line| line.balance < line.limit);
        let tokens = self.tokens(account);
        let tokens = tokens.iter().filter(|token| token.is_empty && !token.is_maxed);
        as_answered(lines, tokens)
    }
}

/// XRP, currencies of lines and MPTs, each once, the last first: so xrpld's hash table has them, while
/// they are few.
fn as_answered<'l>(
    lines: impl Iterator<Item = &'l Line>,
    tokens: impl Iterator<Item = &'l Token>,
) -> Vec<PathAsset> {
    let mut all = vec![PathAsset::XRP];
    let lines = lines.map(|line| PathAsset::Currency(line.currency));
    for asset in lines.chain(tokens.map(|token| PathAsset::Mpt(token.id))) {
        if asset != PathAsset::Currency(BAD_CURRENCY) && !all.contains(&asset) {
            all.push(asset);
        }
    }
    all.reverse();
    all
}
