//! Paths made into strands: what a path leaves out is filled in, and each pair of its elements
//! becomes a step.

use std::rc::Rc;

use xrpl_protocol::{
    AccountId, Currency, EngineResult, Issue, MptId, ResultClass, object::PathStep,
};

use super::{
    Crossing, Request,
    amm::AmmContext,
    book::BookStep,
    direct::DirectStep,
    mpt_endpoint::MptEndpoint,
    step::{Place, Seen, Step, StrandContext, issuer},
    xrp_endpoint::XrpEndpoint,
};
use crate::ledger::{ReadView, Ter};

/// Steps from the source to the destination.
pub(super) type Strand = Vec<Step>;

/// A currency, whoever issues it, or an MPT.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PathAsset {
    Currency(Currency),
    Mpt(MptId),
}

impl PathAsset {
    fn of(issue: Issue) -> Self {
        match issue {
            Issue::Xrp => Self::Currency(Currency::XRP),
            Issue::Issued { currency, .. } => Self::Currency(currency),
            Issue::Mpt(id) => Self::Mpt(id),
        }
    }

    fn is_xrp(self) -> bool {
        self == Self::Currency(Currency::XRP)
    }
}

/// An element of a path: an account, or else a book. Account zero stands for XRP.
#[derive(Clone, Copy)]
struct Node {
    account: Option<AccountId>,
    asset: Option<PathAsset>,
    issuer: Option<AccountId>,
}

impl Node {
    fn account(account: AccountId) -> Self {
        Self { account: Some(account), asset: None, issuer: None }
    }

    fn book(issue: Issue) -> Self {
        Self { account: None, asset: Some(PathAsset::of(issue)), issuer: Some(issuer(issue)) }
    }

    fn of(step: &PathStep) -> Self {
        let currency = step.currency.map(PathAsset::Currency);
        let asset = currency.or(step.mpt.map(PathAsset::Mpt));
        Self { account: step.account, asset, issuer: step.issuer }
    }
}

/// What flows at an element. An issued currency is there with the account at which it is, which need
/// not be its issuer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flowing {
    Currency(Currency, AccountId),
    Mpt(MptId),
}

impl Flowing {
    /// At the beginning of a strand: the first step goes from the source to the issuer.
    fn at_source(issue: Issue, source: AccountId) -> Self {
        match issue {
            Issue::Xrp => Self::Currency(Currency::XRP, AccountId::ZERO),
            Issue::Issued { currency, .. } => Self::Currency(currency, source),
            Issue::Mpt(id) => Self::Mpt(id),
        }
    }

    fn of(issue: Issue) -> Self {
        match issue {
            Issue::Issued { currency, issuer } => Self::Currency(currency, issuer),
            issue => Self::at_source(issue, AccountId::ZERO),
        }
    }

    fn issue(self) -> Issue {
        match self {
            Self::Currency(currency, _) if currency.is_xrp() => Issue::Xrp,
            Self::Currency(currency, issuer) => Issue::Issued { currency, issuer },
            Self::Mpt(id) => Issue::Mpt(id),
        }
    }

    fn issuer(self) -> AccountId {
        match self {
            Self::Currency(_, account) => account,
            Self::Mpt(id) => id.issuer(),
        }
    }

    fn is_xrp(self) -> bool {
        matches!(self, Self::Currency(currency, _) if currency.is_xrp())
    }

    fn asset(self) -> PathAsset {
        match self {
            Self::Currency(currency, _) => PathAsset::Currency(currency),
            Self::Mpt(id) => PathAsset::Mpt(id),
        }
    }

    /// After an element of the path.
    fn after(self, node: &Node) -> Self {
        let (mut currency, mut account) = match (self, node.asset) {
            (_, Some(PathAsset::Mpt(id))) => return Self::Mpt(id),
            (Self::Mpt(id), None) => return Self::Mpt(id),
            // An MPT leaves no account behind.
            (Self::Mpt(_), Some(PathAsset::Currency(_))) => (Currency::XRP, AccountId::ZERO),
            (Self::Currency(currency, account), _) => (currency, account),
        };
        if let Some(at) = node.account.or(node.issuer) {
            account = at;
        }
        if let Some(PathAsset::Currency(next)) = node.asset {
            currency = next;
            if currency.is_xrp() {
                account = AccountId::ZERO;
            }
        }
        Self::Currency(currency, account)
    }
}

/// Whether a path's elements make sense.
fn is_well_formed(path: &[PathStep]) -> bool {
    let is_nobody = |account: Option<AccountId>| {
        account.is_some_and(|account| account == AccountId::ZERO || account == AccountId::ONE)
    };
    let fits = |at: usize, step: &PathStep| {
        let PathStep { account, currency, issuer, mpt } = *step;
        let any = account.is_some() || currency.is_some() || issuer.is_some() || mpt.is_some();
        let asset = currency.is_some() || mpt.is_some();
        let mixed = account.is_some() && (issuer.is_some() || currency.is_some());
        // An issuer is never account zero here, so a currency with one cannot be XRP.
        let xrp = currency.is_some_and(|currency| currency.is_xrp()) && issuer.is_some();
        let bad_mpt = mpt.is_some_and(|id| {
            currency.is_some()
                || account.is_some()
                || issuer.is_some_and(|issuer| issuer != id.issuer())
        });
        let after_mpt = at > 0 && path[at - 1].mpt.is_some();
        let ripples = after_mpt && (account.is_some() || issuer.is_some() && !asset);
        let wrong = mixed || is_nobody(account) || is_nobody(issuer) || xrp || bad_mpt || ripples;
        any && !wrong
    };
    path.iter().enumerate().all(|(at, step)| fits(at, step))
}

struct Builder<'a> {
    strand: &'a StrandContext<'a>,
    steps: Strand,
    seen: Seen,
}

impl Builder<'_> {
    fn push(
        &mut self,
        last: bool,
        make: impl FnOnce(Place<'_>, &mut Seen) -> Result<Step, EngineResult>,
    ) -> Ter {
        let place = Place {
            strand: self.strand,
            first: self.steps.is_empty(),
            last,
            previous: self.steps.last(),
        };
        let step = make(place, &mut self.seen)?;
        self.steps.push(step);
        Ok(())
    }

    fn push_xrp(&mut self, last: bool, account: AccountId) -> Ter {
        self.push(last, |place, seen| {
            let step = XrpEndpoint::new(place, account);
            step.check(place, seen)?;
            Ok(Step::Xrp(step))
        })
    }

    fn push_direct(&mut self, last: bool, from: AccountId, to: AccountId, of: Currency) -> Ter {
        self.push(last, |place, seen| {
            let step = DirectStep::new(place, from, to, of);
            step.check(place, seen)?;
            Ok(Step::Direct(step))
        })
    }

    fn push_mpt(&mut self, last: bool, from: AccountId, to: AccountId, id: MptId) -> Ter {
        self.push(last, |place, seen| {
            let step = MptEndpoint::new(place, from, to, id);
            step.check(place, seen)?;
            Ok(Step::Mpt(step))
        })
    }

    fn push_book(&mut self, last: bool, input: Issue, output: Issue) -> Ter {
        self.push(last, |place, seen| {
            let step = BookStep::new(place, input, output)?;
            step.check(place, seen)?;
            Ok(Step::Book(Box::new(step)))
        })
    }

    /// The step between two elements that are next to each other.
    fn push_between(&mut self, last: bool, one: &Node, next: &Node, flowing: Flowing) -> Ter {
        if let (Some(account), true) = (one.account, self.steps.is_empty())
            && one.asset.is_some_and(PathAsset::is_xrp)
        {
            return self.push_xrp(last, account);
        }
        match (one.account, next.account) {
            (Some(AccountId::ZERO), Some(to)) if last && one.asset.is_none() => {
                return self.push_xrp(last, to);
            }
            (Some(from), Some(to)) => {
                return match flowing {
                    Flowing::Mpt(id) => self.push_mpt(last, from, to, id),
                    Flowing::Currency(currency, _) => self.push_direct(last, from, to, currency),
                };
            }
            (None, Some(_)) => return Err(EngineResult::TEM_BAD_PATH),
            (_, None) => {}
        }
        let asset = next.asset.unwrap_or(flowing.asset());
        let to = next.issuer.unwrap_or(flowing.issuer());
        if flowing.is_xrp() && asset.is_xrp() {
            return Err(EngineResult::TEM_BAD_PATH);
        }
        let output = match asset {
            PathAsset::Mpt(id) => Issue::Mpt(id),
            PathAsset::Currency(currency) => Flowing::Currency(currency, to).issue(),
        };
        self.push_book(last, flowing.issue(), output)
    }

    /// Whether each step begins where the one before ends.
    fn is_connected(&self, first: Flowing) -> bool {
        let strand = self.strand;
        let (mut account, mut flowing) = (strand.source, first);
        for step in &self.steps {
            let (from, to) = step.ends();
            if from != account {
                return false;
            }
            match (step.book(), flowing) {
                (Some(book), _) if flowing.issue() != book.input => return false,
                (Some(book), _) => flowing = Flowing::of(book.output),
                (None, Flowing::Currency(currency, _)) => {
                    flowing = Flowing::Currency(currency, to);
                }
                (None, Flowing::Mpt(_)) => {}
            }
            account = to;
        }
        let wanted = Flowing::of(strand.deliver);
        account == strand.destination
            && flowing.asset() == wanted.asset()
            && (flowing.issuer() == wanted.issuer() || flowing.issuer() == strand.destination)
    }
}

/// The whole path, with what it leaves out: the ends, the issuers next to them, and the book into what
/// is delivered.
fn complete(strand: &StrandContext<'_>, send_max: Option<Issue>, path: &[PathStep]) -> Vec<Node> {
    let (source, deliver) = (strand.source, strand.deliver);
    let first = Flowing::at_source(send_max.unwrap_or(deliver), source);
    let mut nodes = vec![Node {
        account: Some(source),
        asset: Some(first.asset()),
        issuer: Some(first.issuer()),
    }];
    if let Some(max) = send_max
        && issuer(max) != source
        && path.first().is_none_or(|step| step.account != Some(issuer(max)))
    {
        nodes.push(Node::account(issuer(max)));
    }
    nodes.extend(path.iter().map(Node::of));
    let last = nodes.iter().rev().find(|node| node.asset.is_some());
    let is_delivered = last.is_some_and(|last| {
        // Offers cross from one issuer of a currency to another too; payments ripple.
        last.asset == Some(PathAsset::of(deliver))
            && (strand.crossing == Crossing::No
                || last.issuer.unwrap_or_default() == issuer(deliver))
    });
    if !is_delivered {
        nodes.push(Node::book(deliver));
    }
    let ends_at = |nodes: &[Node]| nodes.last().and_then(|node| node.account);
    if ends_at(&nodes) != Some(issuer(deliver)) && strand.destination != issuer(deliver) {
        nodes.push(Node::account(issuer(deliver)));
    }
    if ends_at(&nodes) != Some(strand.destination) {
        nodes.push(Node::account(strand.destination));
    }
    nodes
}

/// The strand of a path.
fn strand(
    context: &StrandContext<'_>,
    send_max: Option<Issue>,
    path: &[PathStep],
) -> Result<Strand, EngineResult> {
    let bad = EngineResult::TEM_BAD_PATH;
    let StrandContext { source, destination, deliver, .. } = *context;
    let nobody = |account| account == AccountId::ZERO || account == AccountId::ONE;
    let impossible = |issue| match issue {
        Issue::Xrp => false,
        Issue::Issued { currency, issuer } => currency.is_xrp() || nobody(issuer),
        Issue::Mpt(id) => nobody(id.issuer()),
    };
    if nobody(source)
        || nobody(destination)
        || impossible(deliver)
        || send_max.is_some_and(impossible)
        || !is_well_formed(path)
    {
        return Err(bad);
    }
    let first = Flowing::at_source(send_max.unwrap_or(deliver), source);
    let nodes = complete(context, send_max, path);
    if nodes.len() < 2 {
        return Err(bad);
    }
    let mut builder = Builder { strand: context, steps: Vec::new(), seen: Seen::default() };
    let mut flowing = first;
    for (at, pair) in nodes.windows(2).enumerate() {
        let [one, next] = pair else { continue };
        let last = at + 2 == nodes.len();
        flowing = flowing.after(one);
        if let (None, Some(to)) = (one.account, next.account) {
            // The book was made with the element before. What comes out of it may still have to go on
            // from its issuer.
            if flowing.issuer() != to && to != AccountId::ZERO {
                match flowing {
                    Flowing::Mpt(_) => return Err(bad),
                    Flowing::Currency(currency, _) if currency.is_xrp() => {
                        if !last {
                            return Err(bad);
                        }
                        builder.push_xrp(false, to)?;
                    }
                    Flowing::Currency(currency, from) => {
                        builder.push_direct(false, from, to, currency)?;
                    }
                }
            }
            continue;
        }
        // An MPT goes through its issuer, and XRP does not come out of an account into a book.
        let passes = match (one.account, next.account) {
            (Some(from), Some(to)) => flowing.is_xrp() || [from, to].contains(&flowing.issuer()),
            (Some(from), None) => flowing.issuer() == from,
            (None, _) => true,
        };
        if !passes {
            return Err(bad);
        }
        builder.push_between(last, one, next, flowing)?;
    }
    if builder.is_connected(first) { Ok(builder.steps) } else { Err(bad) }
}

/// The strands of a payment's paths, each once.
///
/// # Errors
/// What is wrong with the paths.
pub(super) fn strands(
    view: &dyn ReadView,
    request: &Request<'_>,
    amm: &Rc<AmmContext>,
) -> Result<Vec<Strand>, EngineResult> {
    let is_malformed = |result: EngineResult| result.class() == ResultClass::Tem;
    let send_max = request.send_max.map(|max| max.issue());
    let make = |path: &[PathStep]| {
        let context = StrandContext {
            view,
            source: request.source,
            destination: request.destination,
            deliver: request.deliver.issue(),
            limit_quality: request.limit_quality,
            owner_pays: request.owner_pays,
            crossing: request.crossing,
            default_path: path.is_empty(),
            domain: request.domain,
            amm,
        };
        strand(&context, send_max, path)
    };
    let mut strands: Vec<Strand> = Vec::new();
    let mut add = |strand: Strand| {
        let is_same = |other: &Strand| {
            other.len() == strand.len()
                && other.iter().zip(&strand).all(|(one, other)| one.is_same(other))
        };
        if !strands.iter().any(is_same) {
            strands.push(strand);
        }
    };
    let mut failure = None;
    if request.default_path {
        match make(&[]) {
            Ok(strand) => add(strand),
            Err(result) if is_malformed(result) || request.paths.is_empty() => {
                return Err(result);
            }
            Err(_) => {}
        }
    } else if request.paths.is_empty() {
        return Err(EngineResult::TEM_RIPPLE_EMPTY);
    }
    for path in request.paths {
        match make(path) {
            Ok(strand) => add(strand),
            Err(result) if is_malformed(result) => return Err(result),
            Err(result) => failure = Some(result),
        }
    }
    match failure {
        Some(result) if strands.is_empty() => Err(result),
        _ => Ok(strands),
    }
}
