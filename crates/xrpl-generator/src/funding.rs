//! Before and after the load: accounts are funded, gateways made, trust lines opened, balances
//! issued; and at the end funds return.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use futures_util::{StreamExt, TryStreamExt, stream};
use rustc_hash::FxHashMap;
use serde_json::Value as Json;
use tokio::time::Instant;
use tracing::{debug, info, warn};
use xrpl_client::{
    Pool,
    request::{AccountLines, AccountObjects, LedgerSpec, ServerState},
    response,
};
use xrpl_protocol::{
    AccountId, IssuedValue, LedgerIndex,
    keys::{KeyPair, KeyType, Seed},
};
use xrpl_tracker::{Row, RowFilter, State};

use crate::{
    accounts::{Account, Index, PASSING, Role, derive},
    command::Progress,
    config::Funding,
    driver::Driver,
    error::GeneratorError,
    fees::FeeClass,
    lane::Lane,
    metadata::Moment,
    objects::Kind,
    plan::Plan,
    reading, setup,
    world::{Asset, World},
};

/// Setup transactions of one account in flight: they go straight into the open ledger.
const SETUP_PENDING: usize = 2_000;
/// Times a setup transaction is made again if it did not succeed.
const TRIES: u32 = 3;
/// How long those of an earlier process may take whose last ledger has passed and that are in none
/// that was seen. Whether they are in one that was not is mostly a matter of reading it.
const UNDECIDED_PATIENCE: Duration = Duration::from_secs(60);
/// Ledgers that a transaction of an earlier process may have been given at the most, where that process had
/// other settings.
const LONGEST_LIFE: u32 = 256;
/// Rows read from the store at a time.
const PAGE: usize = 1_000;
/// How often an earlier process's transactions are counted.
const RESUME_POLL: Duration = Duration::from_millis(500);
/// How many numbers in a row must be in no ledger for the series of users made on request to end. A
/// number is given out again while its account is in no ledger, so that holes are few.
const MADE_GAP: u32 = 20;
/// Reads of accounts at once.
const READS: usize = 32;
const LSF_REQUIRE_DEST: u32 = 0x0002_0000;
const LSF_DEFAULT_RIPPLE: u32 = 0x0080_0000;
const LSF_ALLOW_TRUST_LINE_CLAWBACK: u32 = 0x8000_0000;
const LSF_ALLOW_TRUST_LINE_LOCKING: u32 = 0x4000_0000;
/// What the account that demands tags gets: its reserve and some fees.
const TAGGED_RESERVES: u64 = 2;

type Make = Box<dyn Fn(&World) -> Plan + Send>;

struct Job {
    sender: Index,
    make: Make,
    tries: u32,
}

/// What a survey found of an account.
struct Found {
    index: Index,
    root: Option<response::AccountData>,
    lines: Vec<response::Line>,
    objects: Vec<Json>,
}

pub(crate) async fn prepare(
    driver: &mut Driver,
    progress: &(impl Fn(Progress) + Send),
) -> Result<(), GeneratorError> {
    settle_previous(driver, progress).await?;
    read_network(driver).await?;
    let funder = populate(driver)?;
    let known = driver.tracker.ledger().borrow().index;
    let ledger = reading::newest(&driver.pool, known).await;
    driver.read_at(ledger);
    survey(driver, ledger, progress).await?;
    if funder.is_some() {
        adopt_made(driver, ledger).await?;
        survey_band(driver, ledger).await?;
    }
    driver.watch_fee = true;
    driver.ask_fee();
    driver.engine.set_max_pending(SETUP_PENDING);
    match funder {
        Some(funder) => fund(driver, funder, progress).await?,
        None => all_exist(driver)?,
    }
    set_flags(driver, progress).await?;
    open_lines(driver, progress).await?;
    issue_balances(driver, progress).await?;
    driver.gather_band();
    driver.watch_fee = false;
    driver.engine.set_max_pending(driver.config().max_pending_per_account);
    driver.engine.reset_stats();
    Ok(())
}

/// Whether a generator can have sent it: one that somebody submitted over the API may have no last ledger,
/// or a distant one, and so stay open for ever.
fn may_be_ours(row: &Row, offset: u32) -> bool {
    let life = |last: LedgerIndex| last.0.saturating_sub(row.created_ledger.0);
    row.last_ledger_seq.is_some_and(|last| life(last) <= offset.max(LONGEST_LIFE))
}

/// Those that an earlier process sent and that have no end yet, and how many of them are undecided.
async fn left_open(driver: &Driver) -> Result<(usize, usize), GeneratorError> {
    let open = RowFilter {
        states: vec![State::Created, State::Submitted, State::Retryable],
        ..RowFilter::default()
    };
    let offset = driver.config().last_ledger_offset;
    let (mut left, mut undecided, mut cursor) = (0, 0, None);
    loop {
        let page = driver.tracker.rows(&open, cursor, PAGE).await?;
        let ours = page.rows.iter().filter(|row| may_be_ours(row, offset));
        let (all, lost) =
            ours.fold((0, 0), |(n, lost), row| (n + 1, lost + usize::from(row.undecided)));
        (left, undecided) = (left + all, undecided + lost);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok((left, undecided));
        }
    }
}

/// Waits for what an earlier process left in flight: only then is the validated Sequence the one
/// to go on with.
async fn settle_previous(
    driver: &mut Driver,
    progress: &(impl Fn(Progress) + Send),
) -> Result<(), GeneratorError> {
    let (mut total, mut since) = (None, None);
    loop {
        let (left, undecided) = left_open(driver).await?;
        if left == 0 {
            return Ok(());
        }
        if left > undecided {
            since = None;
        } else if since.get_or_insert_with(Instant::now).elapsed() >= UNDECIDED_PATIENCE {
            // Their last ledgers have passed: they move no Sequence any more.
            warn!(undecided, "going on although the end of some is not proven");
            return Ok(());
        }
        let total = *total.get_or_insert(left);
        progress(Progress { stage: "resuming", done: total.saturating_sub(left), total });
        tokio::time::sleep(RESUME_POLL).await;
    }
}

async fn read_network(driver: &mut Driver) -> Result<(), GeneratorError> {
    let state = driver.pool.request(&ServerState {}).await?.state;
    let validated = state.validated_ledger.ok_or_else(|| GeneratorError::Answer {
        method: "server_state",
        why: "the node has no validated ledger yet".into(),
    })?;
    let fees = &mut driver.engine.fees;
    fees.set_ledger(validated.base_fee, validated.reserve_base, validated.reserve_inc);
    fees.set_open_ledger(validated.base_fee);
    driver.engine.set_head(validated.seq);
    driver.engine.set_network_id(driver.config().network_id.or(state.network_id));
    driver.take_head();
    read_amendments(driver).await;
    Ok(())
}

/// Which amendments the network has: types that need others are not drawn. Nodes that do not tell are
/// asked by sending: the first answer `temDISABLED` switches a type off.
async fn read_amendments(driver: &mut Driver) {
    let Some(enabled) = reading::amendments(&driver.pool).await else { return };
    driver.engine.set_amendments(enabled);
}

/// The fuzz band's accounts: of those that an earlier process of the same seed made, whoever can still
/// send, and as many fresh ones as are missing. The ledger is what remembers which are lost.
async fn survey_band(driver: &mut Driver, ledger: LedgerIndex) -> Result<(), GeneratorError> {
    let (config, pool) = (driver.config().clone(), driver.pool.clone());
    let mut missing = driver.engine.band_lacks();
    while missing > 0 {
        let batch: Vec<(Index, AccountId)> = (0..missing.min(READS))
            .map(|_| {
                let index = driver.engine.band_recruit(&config);
                (index, driver.engine.world.accounts[index].id)
            })
            .collect();
        let mut read = stream::iter(batch)
            .map(|(index, id)| read_account(pool.clone(), index, id, ledger))
            .buffered(READS);
        while let Some(found) = read.try_next().await? {
            let (index, fresh) = (found.index, found.root.is_none());
            take_in(&mut driver.engine.world, found, ledger);
            missing -= usize::from(fresh || driver.engine.band_joins(index));
        }
    }
    Ok(())
}

/// Makes the accounts and assets; returns who funds.
fn populate(driver: &mut Driver) -> Result<Option<Index>, GeneratorError> {
    let config = driver.config().clone();
    let world = &mut driver.engine.world;
    let mut add = |seed: &Seed, role| {
        world.accounts.add(Account::new(KeyPair::from_seed(seed), role, SETUP_PENDING))
    };
    let funder = match &config.funding {
        Funding::Genesis => Some(Seed::from_passphrase("masterpassphrase", KeyType::Secp256k1)),
        Funding::Seed(seed) => Some(seed.clone()),
        Funding::Accounts(seeds) => {
            for (n, seed) in seeds.iter().enumerate() {
                add(seed, if n < config.gateways { Role::Gateway } else { Role::User });
            }
            None
        }
    };
    let funder = funder.map(|seed| add(&seed, Role::Funder));
    if funder.is_some() {
        for (role, count) in [
            (Role::Gateway, config.gateways as u32),
            (Role::User, config.accounts as u32),
            (Role::Tagged, 1),
            (Role::Passing, PASSING),
        ] {
            for n in 0..count {
                add(&derive(&config.seed, role, n, config.key_type), role);
            }
        }
    }
    let currencies = config.currencies()?;
    let gateways = world.accounts.gateways().to_vec();
    let mut assets = Vec::new();
    // First what every user holds, then every other pair of currency and gateway.
    for shift in 0..gateways.len() {
        for (n, currency) in currencies.iter().enumerate() {
            let gateway = gateways[(n + shift) % gateways.len()];
            let issuer = world.accounts[gateway].id;
            assets.push(Asset { currency: *currency, issuer, gateway });
        }
    }
    world.assets = assets;
    world.common_assets = if gateways.is_empty() { 0 } else { currencies.len() };
    Ok(funder)
}

/// Reads what the validated ledger has of the accounts.
async fn survey(
    driver: &mut Driver,
    ledger: LedgerIndex,
    progress: &(impl Fn(Progress) + Send),
) -> Result<(), GeneratorError> {
    let ids: Vec<(Index, AccountId)> =
        driver.engine.world.accounts.iter().enumerate().map(|(n, a)| (n as Index, a.id)).collect();
    let total = ids.len();
    let pool = driver.pool.clone();
    let mut found = stream::iter(ids)
        .map(|(index, id)| read_account(pool.clone(), index, id, ledger))
        .buffer_unordered(READS);
    let mut done = 0;
    while let Some(found) = found.try_next().await? {
        done += 1;
        progress(Progress { stage: "reading accounts", done, total });
        take_in(&mut driver.engine.world, found, ledger);
    }
    let pools = reading::pools(&driver.pool, &driver.engine.world, ledger).await;
    let world = &mut driver.engine.world;
    for (id, fields) in pools {
        world.objects.put(Kind::Amm, id, &fields, Moment::end_of(ledger), &world.accounts);
    }
    Ok(())
}

/// What the ledger has of an account, into what is known of it.
fn take_in(world: &mut World, found: Found, ledger: LedgerIndex) {
    let as_of = Moment::end_of(ledger);
    let Found { index, root, lines, objects } = found;
    let Some(root) = root else { return };
    let assets: Vec<_> = lines
        .iter()
        .filter_map(|line| {
            let asset = world.asset(line.currency.parse().ok()?, line.account)?;
            Some((asset, line.balance.parse().ok()?, line.limit.parse().ok()?))
        })
        .collect();
    let tickets = objects
        .iter()
        .filter_map(|object| u32::try_from(object.get("TicketSequence")?.as_u64()?).ok());
    let account = &mut world.accounts[index];
    account.active = true;
    account.lane = Lane::new(root.sequence, SETUP_PENDING);
    account.lane.add_tickets(tickets);
    account.xrp.balance = root.balance.0;
    account.xrp.owners = root.owner_count;
    account.flags = root.flags;
    account.regular_key = root.regular_key;
    account.as_of = as_of;
    for (asset, balance, limit) in assets {
        let line = account.lines.entry(asset);
        (line.balance, line.limit, line.exists, line.as_of) = (balance, limit, true, as_of);
    }
    for object in &objects {
        let text = |field: &str| object.get(field).and_then(Json::as_str);
        let kind = text("LedgerEntryType").and_then(Kind::named);
        let id = text("index").and_then(|id| id.parse().ok());
        if let (Some(kind), Some(id), Some(fields)) = (kind, id, object.as_object()) {
            world.objects.put(kind, id, fields, as_of, &world.accounts);
        }
    }
}

/// Users that an earlier process of the same seed made on request take part again, as the ledger has
/// them: they are neither funded nor equipped. The ledger itself is what remembers them: numbers are
/// looked for until [`MADE_GAP`] in a row are in no ledger, with either key type. A number whose
/// funding was never validated is not there, and is given out again.
async fn adopt_made(driver: &mut Driver, ledger: LedgerIndex) -> Result<(), GeneratorError> {
    let pool = driver.pool.clone();
    let seed = driver.config().seed.clone();
    let (mut first, mut end) = (0, MADE_GAP);
    while first < end {
        let batch = (first..end).flat_map(|n| {
            [KeyType::Ed25519, KeyType::Secp256k1]
                .map(|key_type| Account::made(&seed, n, key_type, SETUP_PENDING))
        });
        let mut read = stream::iter(batch)
            .map(|account| {
                let (pool, id) = (pool.clone(), account.id);
                // Its place is known once it is there.
                async move {
                    Ok::<_, GeneratorError>((account, read_account(pool, 0, id, ledger).await?))
                }
            })
            .buffered(READS);
        first = end;
        while let Some((account, found)) = read.try_next().await? {
            if found.root.is_some() {
                end = end.max(account.made.map_or(0, |n| n.saturating_add(1 + MADE_GAP)));
                let world = &mut driver.engine.world;
                let index = world.accounts.add(account);
                take_in(world, Found { index, ..found }, ledger);
            }
        }
    }
    Ok(())
}

async fn read_account(
    pool: Pool,
    index: Index,
    id: AccountId,
    ledger: LedgerIndex,
) -> Result<Found, GeneratorError> {
    let mut found = Found { index, lines: Vec::new(), objects: Vec::new(), root: None };
    let Some((node, root)) = reading::account(&pool, id, ledger).await? else { return Ok(found) };
    let (account, ledger_index) = (Some(id), Some(LedgerSpec::Index(ledger)));
    let limit = Some(400);
    let mut marker = None;
    loop {
        let objects = AccountObjects { account, ledger_index, kind: None, limit, marker };
        let page = pool.request_to(node, &objects).await?;
        found.objects.extend(page.account_objects);
        marker = page.marker;
        if marker.is_none() {
            break;
        }
    }
    if root.owner_count > 0 {
        loop {
            let lines = AccountLines { account, ledger_index, limit, marker };
            let page = pool.request_to(node, &lines).await?;
            found.lines.extend(page.lines);
            marker = page.marker;
            if marker.is_none() {
                break;
            }
        }
    }
    found.root = Some(root);
    Ok(found)
}

async fn fund(
    driver: &mut Driver,
    funder: Index,
    progress: &(impl Fn(Progress) + Send),
) -> Result<(), GeneratorError> {
    let config = driver.config().clone();
    let (world, fees) = (&driver.engine.world, &driver.engine.fees);
    if !world.accounts[funder].active {
        return Err(GeneratorError::NoFundingAccount(world.accounts[funder].id));
    }
    let mut needed = 0u64;
    let mut jobs = Vec::new();
    for (n, account) in world.accounts.iter().enumerate().filter(|(_, a)| a.made.is_none()) {
        let wanted = match account.role {
            Role::User => config.user_drops.0,
            Role::Gateway => config.gateway_drops.0,
            Role::Tagged => fees.reserve(0) * TAGGED_RESERVES,
            // Whoever is there and can send no more is left alone.
            Role::Fuzzer if account.active => continue,
            Role::Fuzzer => config.user_drops.0,
            // The load creates them.
            Role::Passing | Role::Funder => continue,
        };
        // An account of an earlier run that still has half is left alone.
        if account.active && account.xrp.balance >= wanted / 2 {
            continue;
        }
        let drops = wanted.saturating_sub(account.xrp.balance);
        needed += drops + fees.fee(FeeClass::OpenLedger).0;
        jobs.push(Job {
            sender: funder,
            make: Box::new(move |world| setup::funding(world, n as Index, drops)),
            tries: 0,
        });
    }
    let has = world.accounts[funder].xrp.spendable(fees);
    if has < needed {
        return Err(GeneratorError::Funds { account: world.accounts[funder].id, has, needed });
    }
    run(driver, "funding accounts", jobs, progress).await
}

/// Given accounts are not funded: they must be there.
fn all_exist(driver: &Driver) -> Result<(), GeneratorError> {
    match driver.engine.world.accounts.iter().find(|account| !account.active) {
        Some(account) => Err(GeneratorError::config(
            "accounts_file",
            format!("{} does not exist on this network", account.id),
        )),
        None => Ok(()),
    }
}

/// The settings that an account still needs. Of given accounts what cannot be taken back is left as it
/// is.
fn settings(account: &Account, given: bool) -> Vec<u32> {
    let lacks = |flag: u32| account.flags & flag == 0;
    let mut wanted = Vec::new();
    if account.role == Role::Tagged && lacks(LSF_REQUIRE_DEST) {
        wanted.push(setup::ASF_REQUIRE_DEST);
    }
    if account.role != Role::Gateway {
        return wanted;
    }
    // Whoever has issued already keeps what it promised its holders.
    if !given && account.xrp.owners == 0 && lacks(LSF_ALLOW_TRUST_LINE_CLAWBACK) {
        wanted.push(setup::ASF_ALLOW_TRUST_LINE_CLAWBACK);
    }
    if lacks(LSF_DEFAULT_RIPPLE) {
        wanted.push(setup::ASF_DEFAULT_RIPPLE);
    }
    if !given && lacks(LSF_ALLOW_TRUST_LINE_LOCKING) {
        wanted.push(setup::ASF_ALLOW_TRUST_LINE_LOCKING);
    }
    wanted
}

async fn set_flags(
    driver: &mut Driver,
    progress: &(impl Fn(Progress) + Send),
) -> Result<(), GeneratorError> {
    let given = matches!(driver.config().funding, Funding::Accounts(_));
    let accounts = &driver.engine.world.accounts;
    let senders = accounts.gateways().iter().copied().chain(accounts.tagged());
    let jobs = senders
        .flat_map(|index| {
            let wanted = settings(&accounts[index], given);
            wanted.into_iter().map(move |flag| (index, flag))
        })
        .map(|(sender, flag)| {
            let make: Make = Box::new(move |_| setup::setting(flag));
            Job { sender, make, tries: 0 }
        })
        .collect();
    run(driver, "setting up gateways", jobs, progress).await
}

async fn open_lines(
    driver: &mut Driver,
    progress: &(impl Fn(Progress) + Send),
) -> Result<(), GeneratorError> {
    let world = &driver.engine.world;
    let mut jobs = Vec::new();
    for user in world.accounts.users() {
        for (id, asset) in world.assets[..world.common_assets].iter().copied().enumerate() {
            if !world.accounts[*user].lines.get(id as u16).is_some_and(|line| line.exists) {
                jobs.push(Job {
                    sender: *user,
                    make: Box::new(move |_| setup::line(&asset)),
                    tries: 0,
                });
            }
        }
    }
    run(driver, "opening trust lines", jobs, progress).await
}

async fn issue_balances(
    driver: &mut Driver,
    progress: &(impl Fn(Progress) + Send),
) -> Result<(), GeneratorError> {
    let whole = i32::try_from(driver.config().issued_balance).unwrap_or(i32::MAX);
    let value = IssuedValue::from_whole(whole);
    let world = &driver.engine.world;
    let mut jobs = Vec::new();
    for user in world.accounts.users() {
        for (id, asset) in world.assets[..world.common_assets].iter().copied().enumerate() {
            let held = world.accounts[*user].lines.get(id as u16).map(|line| line.balance);
            if value.is_zero() || held.is_some_and(|held| held.signum() > 0) {
                continue;
            }
            let (to, amount) = (*user, asset.amount(value));
            jobs.push(Job {
                sender: asset.gateway,
                make: Box::new(move |world| setup::issuing(world, to, amount)),
                tries: 0,
            });
        }
    }
    run(driver, "issuing balances", jobs, progress).await
}

/// Sends everything above the reserves back to the funding account.
pub(crate) async fn sweep(driver: &mut Driver) -> Result<(), GeneratorError> {
    let world = &driver.engine.world;
    let Some(funder) = world.accounts.iter().position(|a| a.role == Role::Funder) else {
        return Ok(());
    };
    let funder = funder as Index;
    let fee = driver.engine.fees.fee(FeeClass::OpenLedger).0;
    let jobs: Vec<Job> = world
        .accounts
        .iter()
        .enumerate()
        .filter(|(_, a)| a.active && a.role != Role::Funder)
        .filter_map(|(n, account)| {
            let drops = account.xrp.spendable(&driver.engine.fees).checked_sub(fee)?;
            (drops > 0).then(|| Job {
                sender: n as Index,
                make: Box::new(move |world| setup::funding(world, funder, drops)),
                tries: 0,
            })
        })
        .collect();
    info!(accounts = jobs.len(), "returning funds");
    run(driver, "returning funds", jobs, &|_| {}).await
}

/// Sends all jobs, several accounts and several of each account at once, and waits for their ends.
async fn run(
    driver: &mut Driver,
    stage: &'static str,
    jobs: Vec<Job>,
    progress: &(impl Fn(Progress) + Send),
) -> Result<(), GeneratorError> {
    let total = jobs.len();
    if total == 0 {
        return Ok(());
    }
    progress(Progress { stage, done: 0, total });
    // Jobs of one account keep their order; accounts go on independently.
    let mut queues: BTreeMap<Index, VecDeque<Job>> = BTreeMap::new();
    for job in jobs {
        queues.entry(job.sender).or_default().push_back(job);
    }
    let mut flying = FxHashMap::default();
    let (mut done, mut failed, mut last) = (0, 0, String::new());
    driver.setup_done.clear();
    while done + failed < total {
        driver.send_urgent();
        for (sender, queue) in &mut queues {
            while driver.has_idle_worker()
                && driver.engine.world.accounts[*sender].lane.may_take(1).is_ok()
                && let Some(job) = queue.pop_front()
            {
                let plan = (job.make)(&driver.engine.world);
                match driver.try_setup(*sender, plan) {
                    Ok(hash) => drop(flying.insert(hash, job)),
                    Err(_) => {
                        queue.push_front(job);
                        break;
                    }
                }
            }
        }
        queues.retain(|_, queue| !queue.is_empty());
        driver.wait(Instant::now() + Duration::from_millis(100), None).await;
        driver.check()?;
        for (ended, how) in std::mem::take(&mut driver.setup_done) {
            let Some(mut job) = flying.remove(&ended.hash) else { continue };
            if ended.success {
                done += 1;
                progress(Progress { stage, done, total });
                continue;
            }
            // Thousands may fail alike; the error at the end counts them and names the last one.
            debug!(stage, result = %how, hash = %ended.hash, "a setup transaction did not succeed");
            last = how;
            job.tries += 1;
            if job.tries < TRIES {
                queues.entry(job.sender).or_default().push_back(job);
            } else {
                failed += 1;
            }
        }
    }
    if failed > 0 {
        return Err(GeneratorError::Prepare { stage, count: failed, last });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_accounts_are_not_changed_for_good() {
        let key = KeyPair::from_seed(&derive("s", Role::Gateway, 0, KeyType::Ed25519));
        let mut gateway = Account::new(key, Role::Gateway, 5);
        let all = [
            setup::ASF_ALLOW_TRUST_LINE_CLAWBACK,
            setup::ASF_DEFAULT_RIPPLE,
            setup::ASF_ALLOW_TRUST_LINE_LOCKING,
        ];
        assert_eq!(settings(&gateway, false), all);
        assert_eq!(settings(&gateway, true), [setup::ASF_DEFAULT_RIPPLE]);
        // Who has trust lines can promise no more.
        gateway.xrp.owners = 1;
        gateway.flags = LSF_DEFAULT_RIPPLE;
        assert_eq!(settings(&gateway, false), [setup::ASF_ALLOW_TRUST_LINE_LOCKING]);
        assert!(settings(&gateway, true).is_empty());
    }
}
