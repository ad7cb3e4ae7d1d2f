//! What a type sees when it plans: the world, the sender, and this plan's own random numbers.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use xrpl_protocol::{
    AccountId, Amount, Hash256, IssuedValue, fields, hash::sha512_half, object_id,
};

use crate::{
    accounts::{Account, Index, Role},
    fees::{FeeClass, Fees},
    holdings::AssetId,
    objects::{Entry, Kind, Nft},
    plan::{Plan, Wait},
    world::{IssuedMove, World},
};

/// See the [module](self).
pub struct Planner<'a> {
    /// Everything that exists.
    pub world: &'a World,
    /// Fees and reserves.
    pub fees: &'a Fees,
    /// Who sends.
    pub sender: Index,
    /// Random numbers that depend on nothing but the run's seed, the account and the plan's number.
    pub rng: &'a mut ChaCha8Rng,
}

impl std::fmt::Debug for Planner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Planner").field("sender", &self.sender).finish_non_exhaustive()
    }
}

impl<'a> Planner<'a> {
    /// The sender.
    #[must_use]
    pub fn me(&self) -> &'a Account {
        &self.world.accounts[self.sender]
    }

    /// An account's address.
    #[must_use]
    pub fn id(&self, index: Index) -> AccountId {
        self.world.accounts[index].id
    }

    /// A number below `n` (0 if `n` is 0).
    pub fn below(&mut self, n: u64) -> u64 {
        below(self.rng, n)
    }

    /// One in so many.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of several; none if there is none.
    pub fn pick<'t, T>(&mut self, among: &'t [T]) -> Option<&'t T> {
        among.get(self.below(among.len() as u64) as usize)
    }

    /// A user other than the sender, of those that were prepared: who is made later is not drawn, so
    /// that the others' plans stay what they were.
    ///
    /// # Errors
    /// There is none.
    pub fn other_user(&mut self) -> Result<Index, Wait> {
        let users = self.world.accounts.users();
        let start = self.below(users.len() as u64) as usize;
        let turn = users[start..].iter().chain(&users[..start]);
        turn.copied()
            .find(|index| *index != self.sender && self.world.accounts[*index].active)
            .ok_or(Wait::Until("there is no other user"))
    }

    /// The address of another user.
    ///
    /// # Errors
    /// There is none.
    pub fn other_id(&mut self) -> Result<AccountId, Wait> {
        self.other_user().map(|index| self.id(index))
    }

    /// An account of the run that no ledger has now, and that nothing in flight creates; none if there is
    /// none.
    pub fn unborn(&mut self) -> Option<AccountId> {
        let accounts = &self.world.accounts;
        let free = |index: &Index| {
            let account = &accounts[*index];
            let root = object_id::account_root(account.id);
            !account.active && !self.world.objects.is_held(root)
        };
        accounts.passing().iter().copied().find(free).map(|index| accounts[index].id)
    }

    /// An account that no ledger has.
    pub fn nobody(&mut self) -> AccountId {
        let mut id = AccountId::ZERO;
        self.rng.fill_bytes(&mut id.0);
        id
    }

    /// A hash that names nothing.
    pub fn nothing(&mut self) -> Hash256 {
        let mut hash = Hash256::default();
        self.rng.fill_bytes(&mut hash.0);
        hash
    }

    /// Whether the sender can pay its fee and so much more without touching its reserve.
    ///
    /// # Errors
    /// [`Wait::Funds`].
    pub fn afford(&self, drops: u64, more_objects: u32) -> Result<(), Wait> {
        let fee = self.fees.fee(FeeClass::Ordinary).0;
        self.has(self.sender, drops.saturating_add(fee), more_objects)
    }

    /// Whether an account has so much above its reserve.
    ///
    /// # Errors
    /// [`Wait::Funds`].
    pub fn has(&self, who: Index, drops: u64, more_objects: u32) -> Result<(), Wait> {
        let has = self.world.accounts[who].xrp.spendable_with(self.fees, more_objects);
        if has >= drops { Ok(()) } else { Err(Wait::Funds) }
    }

    /// Whether the network has an amendment that a form of the type needs. Those that do not tell are
    /// taken to have it.
    #[must_use]
    pub fn has_amendment(&self, name: &str) -> bool {
        self.world.has_amendment(name)
    }

    /// A time after any ledger that a transaction made now can be in.
    #[must_use]
    pub fn later(&self) -> u32 {
        self.world.close_time.saturating_add(self.world.horizon)
    }

    /// Whether a time has passed in the newest ledger, so that it has in every later one.
    #[must_use]
    pub fn has_passed(&self, time: u64) -> bool {
        time < u64::from(self.world.close_time)
    }

    /// Whether a time will not have passed in any ledger that a transaction made now can be in.
    #[must_use]
    pub fn is_ahead(&self, time: Option<u64>) -> bool {
        time.is_none_or(|time| time > u64::from(self.later()))
    }

    /// Whether an account has fewer of a type than that.
    ///
    /// # Errors
    /// It has enough.
    pub fn fewer(&self, kind: Kind, than: usize) -> Result<(), Wait> {
        match self.world.objects.owned(kind, self.sender).nth(than.saturating_sub(1)) {
            Some(_) => Err(Wait::Until("it has enough of these objects")),
            None => Ok(()),
        }
    }

    /// One of the sender's objects of a type that nothing in flight uses.
    ///
    /// # Errors
    /// [`Wait::Object`].
    pub fn own(&mut self, kind: Kind, fits: impl Fn(&Entry) -> bool) -> Result<&'a Entry, Wait> {
        let world = self.world;
        self.choose(kind, world.objects.owned(kind, self.sender), fits)
    }

    /// One for the sender.
    ///
    /// # Errors
    /// [`Wait::Object`].
    pub fn mine(&mut self, kind: Kind, fits: impl Fn(&Entry) -> bool) -> Result<&'a Entry, Wait> {
        let world = self.world;
        self.choose(kind, world.objects.toward(kind, self.sender), fits)
    }

    /// One of anybody's.
    ///
    /// # Errors
    /// [`Wait::Object`].
    pub fn any(&mut self, kind: Kind, fits: impl Fn(&Entry) -> bool) -> Result<&'a Entry, Wait> {
        let world = self.world;
        self.look(kind, world.objects.ids(kind), fits)
    }

    /// One of those that are parts of something, see [`Objects::parts`](crate::objects::Objects::parts).
    ///
    /// # Errors
    /// [`Wait::Object`].
    pub fn part(
        &mut self,
        kind: Kind,
        of: Hash256,
        fits: impl Fn(&Entry) -> bool,
    ) -> Result<&'a Entry, Wait> {
        let world = self.world;
        self.look(kind, world.objects.part_ids(kind, of), fits)
    }

    /// The first that fits from anywhere on, so that most need not be looked at.
    fn look(
        &mut self,
        kind: Kind,
        ids: &[Hash256],
        fits: impl Fn(&Entry) -> bool,
    ) -> Result<&'a Entry, Wait> {
        /// Enough to choose from: a plan is not to look through thousands.
        const LOOKED_AT: usize = 64;
        let objects = &self.world.objects;
        let (before, from) = ids.split_at(self.below(ids.len() as u64) as usize);
        let mut some = from.iter().chain(before).take(LOOKED_AT);
        let free = some.by_ref().filter(|id| !objects.is_held(**id));
        let mut entries = free.filter_map(|id| objects.get(*id));
        entries.find(|entry| fits(entry)).ok_or(Wait::Object(kind))
    }

    fn choose(
        &mut self,
        kind: Kind,
        among: impl Iterator<Item = &'a Entry>,
        fits: impl Fn(&Entry) -> bool,
    ) -> Result<&'a Entry, Wait> {
        let objects = &self.world.objects;
        let fitting: smallvec::SmallVec<[&Entry; 8]> =
            among.filter(|entry| !objects.is_held(entry.id) && fits(entry)).collect();
        self.pick(&fitting).copied().ok_or(Wait::Object(kind))
    }

    /// One of the sender's non-fungible tokens that nothing in flight uses.
    ///
    /// # Errors
    /// It has none that fits.
    pub fn own_nft(&mut self, fits: impl Fn(Nft) -> bool) -> Result<Nft, Wait> {
        let objects = &self.world.objects;
        let tokens = objects.owned(Kind::NftPage, self.sender).flat_map(Entry::nfts);
        let fitting: smallvec::SmallVec<[Nft; 8]> =
            tokens.filter(|nft| !objects.is_held(nft.0) && fits(*nft)).collect();
        self.pick(&fitting).copied().ok_or(Wait::First("NFTokenMint"))
    }

    /// One of another user's, and whose.
    ///
    /// # Errors
    /// Nobody has one that fits.
    pub fn foreign_nft(&mut self, fits: impl Fn(Nft) -> bool) -> Result<(Index, Nft), Wait> {
        let objects = &self.world.objects;
        let me = self.sender;
        let fitting = |page: &Entry| {
            page.nfts().filter(|nft| !objects.is_held(nft.0) && fits(*nft)).collect::<Vec<_>>()
        };
        let theirs = |page: &Entry| page.owner.is_some_and(|owner| owner != me);
        let page = self.any(Kind::NftPage, |page| theirs(page) && !fitting(page).is_empty())?;
        let nft = *self.pick(&fitting(page)).ok_or(Wait::Object(Kind::NftPage))?;
        Ok((page.owner.ok_or(Wait::Object(Kind::NftPage))?, nft))
    }

    /// Whether nothing in flight uses that.
    ///
    /// # Errors
    /// [`Wait::InFlight`].
    pub fn free(&self, id: Hash256) -> Result<Hash256, Wait> {
        match self.world.objects.is_held(id) {
            true => Err(Wait::InFlight),
            false => Ok(id),
        }
    }

    /// Whether the node takes everything at once now. Its queue has no change of keys beside others
    /// (`telCAN_NOT_QUEUE_BLOCKS`), and a Batch that waits there holds up all its accounts.
    ///
    /// # Errors
    /// [`Wait::Until`].
    pub fn node_is_calm(&self) -> Result<(), Wait> {
        match self.world.busy {
            true => Err(Wait::Until("the node queues or refuses for now")),
            false => Ok(()),
        }
    }

    /// What stands for an account's own settings: who changes its keys or signs otherwise holds it.
    #[must_use]
    pub fn keys_of(&self, who: Index) -> Hash256 {
        object_id::account_root(self.id(who))
    }

    /// An issued value of at most 10.0000, so that hundreds in flight fit into any balance.
    ///
    /// # Errors
    /// Never: a number of six digits is a value.
    pub fn small_value(&mut self) -> Result<IssuedValue, Wait> {
        IssuedValue::new(1 + self.below(100_000) as i64, -4)
            .map_err(|_| Wait::Never("there is no such value"))
    }

    /// An asset that every user has, as the preparation left it: so the draw is the same whenever it
    /// is made.
    ///
    /// # Errors
    /// The run has none.
    pub fn asset(&mut self) -> Result<AssetId, Wait> {
        match self.world.common_assets as u64 {
            0 => Err(Wait::Never("the run has no issued currency")),
            n => Ok(self.below(n) as AssetId),
        }
    }

    /// Whether an account holds so much of an asset that nothing in flight takes.
    ///
    /// # Errors
    /// [`Wait::Until`].
    pub fn holds(&self, who: Index, asset: AssetId, value: IssuedValue) -> Result<(), Wait> {
        let line = self.world.accounts[who].lines.get(asset);
        match line.is_some_and(|line| line.exists && line.available() >= value) {
            true => Ok(()),
            false => Err(Wait::Until("it holds too little of the currency")),
        }
    }

    /// A plan that takes this amount of the sender, whatever it is of.
    ///
    /// # Errors
    /// It has not so much that nothing in flight takes.
    pub fn paying(&self, mut plan: Plan, amount: Amount) -> Result<Plan, Wait> {
        let objects = plan.holds.owners;
        match amount {
            Amount::Xrp(drops) => {
                self.afford(drops.unsigned_abs(), objects)?;
                Ok(plan.spending(drops.unsigned_abs()))
            }
            Amount::Issued { value, currency, issuer } => {
                self.afford(0, objects)?;
                let asset = self.world.asset(currency, issuer);
                let asset = asset.ok_or(Wait::Until("none of its lines is for the currency"))?;
                self.holds(self.sender, asset, value)?;
                let from = Some(self.sender);
                plan.holds.issued.push(IssuedMove { asset, from, to: None, value });
                Ok(plan)
            }
            Amount::Mpt { value, id } => {
                self.afford(0, objects)?;
                let token = self.free(object_id::mptoken(id, self.me().id))?;
                let entry = self.world.objects.get(token);
                let has = entry.and_then(|entry| entry.number(fields::MPT_AMOUNT)).unwrap_or(0);
                match has >= value.unsigned_abs() {
                    true => Ok(plan.holding(token)),
                    false => Err(Wait::Object(Kind::MpToken)),
                }
            }
        }
    }

    /// Whether an account may get so much more of an asset.
    #[must_use]
    pub fn has_room(&self, who: Index, asset: AssetId, value: IssuedValue) -> bool {
        self.world.accounts[who].lines.get(asset).is_some_and(|line| line.has_room(value))
    }

    /// An amount of a currency that nobody has a trust line for, of a gateway.
    ///
    /// # Errors
    /// The run has no gateway.
    pub fn unheld(&mut self, value: IssuedValue) -> Result<Amount, Wait> {
        let mut code = [0; 20];
        code[..8].copy_from_slice(b"\xffunheld!");
        let world = self.world;
        let asset = self.pick(&world.assets).ok_or(Wait::Never("the run has no gateway"))?;
        Ok(Amount::issued(value, xrpl_protocol::Currency(code), asset.issuer))
    }

    /// A secret of the sender's, the n-th: it follows from the run's seed, so that a run that goes on
    /// knows it again.
    #[must_use]
    pub fn secret(&self, who: Index, what: &str, n: u8) -> [u8; 32] {
        let account = &self.world.accounts[who];
        let told = sha512_half(&[b"xrpl-workload", what.as_bytes(), &[n], &account.id.0]);
        // Without the account's key nobody can tell it in advance.
        let signed = account.key.sign(&told.0);
        sha512_half(&[&told.0, signed.as_bytes()]).0
    }

    /// Whether nothing of an account is in flight, so that its next transaction can be within another
    /// account's Batch.
    #[must_use]
    pub fn is_idle(&self, who: Index) -> bool {
        let lane = &self.world.accounts[who].lane;
        lane.in_flight() == 0 && lane.may_take(1).is_ok()
    }

    /// Whether an account sends load, so that its objects are used.
    #[must_use]
    pub fn is_user(&self, index: Index) -> bool {
        let account = &self.world.accounts[index];
        account.active && account.role == Role::User
    }
}

/// A uniform number below `n`, by multiplication: the same on every machine and version.
pub(crate) fn below(rng: &mut impl Rng, n: u64) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(n)) >> 64) as u64
}
