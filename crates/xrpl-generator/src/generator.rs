//! The handle: prepares a run, runs it, and controls it while it runs.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use xrpl_client::Pool;
use xrpl_protocol::{AccountId, Amount, Drops, Hash256, LedgerIndex, Object, keys::KeyType};
use xrpl_tracker::{CallersKey, Tracker};

use crate::{
    command::{Asked, Command, NewAccount, Progress, Reply},
    config::GeneratorConfig,
    coverage::Coverage,
    diagnosis::TypeDiagnosis,
    driver::Driver,
    error::GeneratorError,
    findings::Finding,
    funding,
    journey::JourneyRun,
    lanes::LaneList,
    measure::Measure,
    pacing::Pace,
    stage::{Stage, StageProgress},
    stats::{AccountListing, Status},
};

/// What is known of a run that has ended.
#[derive(Default)]
struct Last {
    coverage: Coverage,
    diagnoses: Vec<TypeDiagnosis>,
    measures: Vec<Arc<Measure>>,
}

/// A prepared run. Clones are handles to the same one.
#[derive(Clone)]
pub struct Generator {
    commands: mpsc::Sender<Command>,
    status: watch::Receiver<Arc<Status>>,
    accounts: watch::Receiver<Arc<AccountListing>>,
    driver: Arc<Mutex<Option<Driver>>>,
    findings: watch::Receiver<Arc<[Arc<Finding>]>>,
    journeys: watch::Receiver<Arc<[JourneyRun]>>,
    /// As these were when the run ended.
    last: Arc<parking_lot::Mutex<Last>>,
}

impl std::fmt::Debug for Generator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generator").finish_non_exhaustive()
    }
}

/// The highest rate that can be asked for, transactions a second.
const MOST_TPS: f64 = 1_000_000.0;

/// A driver at work. What it has counted and measured outlives it, however it ends: whoever waits no
/// longer for what is in flight drops it.
struct Running {
    driver: Driver,
    last: Arc<parking_lot::Mutex<Last>>,
}

impl Running {
    fn note(&mut self) {
        self.driver.publish();
        *self.last.lock() = Last {
            coverage: self.driver.engine.coverage(),
            diagnoses: self.driver.engine.diagnoses(),
            measures: self.driver.measures(),
        };
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.note();
    }
}

impl Generator {
    /// Derives the accounts, funds what is missing, opens trust lines and issues balances. What the
    /// ledger has already is left as it is, so that a run can go on where another ended.
    ///
    /// # Errors
    /// When a setting is wrong, the node does not answer, the funding account has too little, or a
    /// step does not succeed.
    pub async fn prepare(
        tracker: Tracker,
        pool: Pool,
        config: GeneratorConfig,
        progress: impl Fn(Progress) + Send,
    ) -> Result<Self, GeneratorError> {
        config.check()?;
        let (commands, inbox) = mpsc::channel(256);
        let (status_to, status) = watch::channel(Arc::new(Status::default()));
        let mut driver = Driver::new(tracker, pool, config, inbox, status_to)?;
        funding::prepare(&mut driver, &progress).await?;
        let accounts = driver.list_accounts();
        let findings = driver.findings();
        let journeys = driver.journeys();
        driver.publish();
        Ok(Self {
            commands,
            status,
            accounts,
            findings,
            journeys,
            driver: Arc::new(Mutex::new(Some(driver))),
            last: Arc::default(),
        })
    }

    /// Runs until the last stage is over or it is cancelled; then lets what is in flight come to its end, and sweeps if so
    /// configured. The controls below work while this runs.
    ///
    /// # Errors
    /// [`GeneratorError::Ended`] the second time; [`GeneratorError::Tracker`] if the store takes no
    /// more rows, which ends the run; errors of the sweep.
    pub async fn run(&self, cancel: CancellationToken) -> Result<Status, GeneratorError> {
        let driver = self.driver.lock().await.take().ok_or(GeneratorError::Ended)?;
        let mut running = Running { driver, last: Arc::clone(&self.last) };
        let ended = running.driver.run(&cancel).await;
        running.note();
        ended?;
        if running.driver.config().sweep {
            funding::sweep(&mut running.driver).await?;
        }
        running.driver.publish();
        Ok((*running.driver.status()).clone())
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, GeneratorError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| GeneratorError::Ended)?;
        answer.await.map_err(|_| GeneratorError::Ended)?
    }

    /// What nodes did, while the fuzz band ran, that no transaction may make them do, oldest first; and
    /// when there is more.
    #[must_use]
    pub fn findings(&self) -> watch::Receiver<Arc<[Arc<Finding>]>> {
        self.findings.clone()
    }

    /// Starts the load.
    ///
    /// # Errors
    /// [`GeneratorError::AlreadySo`], [`GeneratorError::Ended`].
    pub async fn start(&self) -> Result<(), GeneratorError> {
        self.ask(Command::Start).await
    }

    /// Stops the load; transactions in flight are still followed.
    ///
    /// # Errors
    /// [`GeneratorError::AlreadySo`], [`GeneratorError::Ended`].
    pub async fn stop(&self) -> Result<(), GeneratorError> {
        self.ask(Command::Stop).await
    }

    /// Where it stands, as of now.
    ///
    /// # Errors
    /// [`GeneratorError::Ended`]; [`Generator::last_status`] still answers then.
    pub async fn status(&self) -> Result<Status, GeneratorError> {
        self.ask(Command::Status).await
    }

    /// Where it stood a moment ago, without asking it.
    #[must_use]
    pub fn last_status(&self) -> Arc<Status> {
        self.status.borrow().clone()
    }

    /// Changes the transactions per second (0 for unlimited) until the stage ends; returns what it was (0
    /// where no clock said).
    ///
    /// # Errors
    /// When it is negative or no number; [`GeneratorError::Ended`].
    pub async fn set_tps(&self, tps: f64) -> Result<f64, GeneratorError> {
        if !(0.0..=MOST_TPS).contains(&tps) {
            return Err(GeneratorError::config("tps", "a number from 0 (unlimited) to 1000000"));
        }
        let pace = Pace::from_tps(tps);
        self.ask(|reply| Command::SetPace(pace, reply)).await
    }

    /// Ends the stage early; the next one begins, or the load is over. Where it stands then.
    ///
    /// # Errors
    /// [`GeneratorError::Ended`].
    pub async fn skip_stage(&self) -> Result<StageProgress, GeneratorError> {
        self.ask(Command::SkipStage).await
    }

    /// Ends the stage of the moment and begins this one; stages that were to come follow it. Where it
    /// stands then.
    ///
    /// # Errors
    /// [`GeneratorError::Stage`] if it cannot be; [`GeneratorError::Ended`].
    pub async fn enter_stage(&self, stage: Stage) -> Result<StageProgress, GeneratorError> {
        self.ask(|reply| Command::EnterStage(Box::new(stage), reply)).await
    }

    /// Ends the load as if its last stage were over: what is in flight comes to its end. Where it
    /// stands then.
    ///
    /// # Errors
    /// [`GeneratorError::Ended`].
    pub async fn finish(&self) -> Result<StageProgress, GeneratorError> {
        self.ask(Command::Finish).await
    }

    /// Waits until the load is over: its last stage, or the whole run.
    pub async fn is_over(&self) {
        let mut status = self.status.clone();
        // Who publishes it is gone with the run.
        let _ = status.wait_for(|status| status.stage.over).await;
    }

    /// What was measured, stage by stage, those to come left out. It can be asked for after the end
    /// too.
    pub async fn measures(&self) -> Vec<Arc<Measure>> {
        match self.ask(Command::Measures).await {
            Ok(measures) => measures,
            Err(_) => self.last.lock().measures.clone(),
        }
    }

    /// Changes how many transactions of one account may be in flight; returns what it was.
    ///
    /// # Errors
    /// When it is 0; [`GeneratorError::Ended`].
    pub async fn set_max_pending(&self, max_pending: usize) -> Result<usize, GeneratorError> {
        if max_pending == 0 {
            return Err(GeneratorError::config("max_pending", "at least 1"));
        }
        self.ask(|reply| Command::SetMaxPending(max_pending, reply)).await
    }

    /// Changes the percentage of deliberately invalid transactions; returns what it was.
    ///
    /// # Errors
    /// When it is no percentage; [`GeneratorError::Ended`].
    pub async fn set_intent(&self, invalid_percent: f64) -> Result<f64, GeneratorError> {
        if !(0.0..=100.0).contains(&invalid_percent) {
            return Err(GeneratorError::config("intent.invalid", "a percentage from 0 to 100"));
        }
        self.ask(|reply| Command::SetIntent(invalid_percent, reply)).await
    }

    /// Changes the percentage that is generated at random; returns what it was.
    ///
    /// # Errors
    /// When it is no percentage, or the load comes from given accounts; [`GeneratorError::Ended`].
    pub async fn set_fuzz(&self, percent: f64) -> Result<f64, GeneratorError> {
        if !(0.0..=100.0).contains(&percent) {
            return Err(GeneratorError::config("fuzz", "a percentage from 0 to 100"));
        }
        self.ask(|reply| Command::SetFuzz(percent, reply)).await
    }

    /// Switches a type on or off; returns whether it was on.
    ///
    /// # Errors
    /// [`GeneratorError::UnknownType`], [`GeneratorError::Ended`].
    pub async fn toggle_type(&self, name: &str, enabled: bool) -> Result<bool, GeneratorError> {
        self.ask(|reply| Command::Toggle(name.to_owned(), enabled, reply)).await
    }

    /// Changes how often a type is drawn, relative to the others; returns what it was.
    ///
    /// # Errors
    /// [`GeneratorError::UnknownType`], [`GeneratorError::Ended`].
    pub async fn set_weight(&self, name: &str, weight: u32) -> Result<u32, GeneratorError> {
        self.ask(|reply| Command::SetWeight(name.to_owned(), weight, reply)).await
    }

    /// Why each type runs or does not.
    ///
    /// # Errors
    /// [`GeneratorError::Ended`].
    pub async fn diagnoses(&self) -> Result<Vec<TypeDiagnosis>, GeneratorError> {
        self.ask(Command::Diagnose).await
    }

    /// The same as it was when the run ended.
    #[must_use]
    pub fn last_diagnoses(&self) -> Vec<TypeDiagnosis> {
        self.last.lock().diagnoses.clone()
    }

    /// What was sent in which way and with which result, and what never was. It can be asked for after
    /// the end too.
    pub async fn coverage(&self) -> Coverage {
        match self.ask(Command::Coverage).await {
            Ok(coverage) => coverage,
            Err(_) => self.last_coverage(),
        }
    }

    /// The same as it was when the run ended.
    #[must_use]
    pub fn last_coverage(&self) -> Coverage {
        self.last.lock().coverage.clone()
    }

    /// Who could send now and why the others could not: at most `limit` of them.
    ///
    /// # Errors
    /// [`GeneratorError::Ended`].
    pub async fn lanes(&self, limit: usize) -> Result<LaneList, GeneratorError> {
        self.ask(|reply| Command::Lanes(limit, reply)).await
    }

    /// The ledger in which an object that concerned the run was deleted, if that was lately.
    ///
    /// # Errors
    /// [`GeneratorError::Ended`].
    pub async fn deleted_in(&self, id: Hash256) -> Result<Option<LedgerIndex>, GeneratorError> {
        self.ask(|reply| Command::DeletedIn(id, reply)).await
    }

    /// Sends one transaction of a type, whether load runs or not.
    ///
    /// # Errors
    /// [`GeneratorError::UnknownType`], [`GeneratorError::Busy`], [`GeneratorError::Ended`].
    pub async fn create(
        &self,
        name: &str,
        key: Option<Arc<CallersKey>>,
    ) -> Result<Asked, GeneratorError> {
        self.ask(|reply| Command::Create(Some(name.to_owned()), key, reply)).await
    }

    /// Sends one transaction of any type, drawn by weight.
    ///
    /// # Errors
    /// [`GeneratorError::Busy`], [`GeneratorError::Ended`].
    pub async fn random(&self, key: Option<Arc<CallersKey>>) -> Result<Asked, GeneratorError> {
        self.ask(|reply| Command::Create(None, key, reply)).await
    }

    /// Pays an amount from one of the run's accounts to any account.
    ///
    /// # Errors
    /// [`GeneratorError::UnknownAccount`], [`GeneratorError::Busy`], [`GeneratorError::Ended`].
    pub async fn payment(
        &self,
        from: AccountId,
        to: AccountId,
        amount: Amount,
        key: Option<Arc<CallersKey>>,
    ) -> Result<Asked, GeneratorError> {
        self.ask(|reply| Command::Pay { from, to, amount, key, reply }).await
    }

    /// Sends any transaction of one of the run's accounts: `TransactionType` and its own fields.
    /// Account, Sequence, LastLedgerSequence and signature are filled in, and the Fee where none is
    /// given.
    ///
    /// # Errors
    /// [`GeneratorError::UnknownAccount`], [`GeneratorError::Busy`], [`GeneratorError::Ended`].
    pub async fn send(
        &self,
        from: AccountId,
        body: Object,
        key: Option<Arc<CallersKey>>,
    ) -> Result<Asked, GeneratorError> {
        self.ask(|reply| Command::Send { from, body, key, reply }).await
    }

    /// Funds one more user account from whoever funded the others. It takes part once its funding is
    /// validated.
    ///
    /// # Errors
    /// When nobody funds or the funds do not last; [`GeneratorError::Busy`],
    /// [`GeneratorError::Ended`].
    pub async fn create_account(
        &self,
        drops: Option<Drops>,
        key_type: Option<KeyType>,
        key: Option<Arc<CallersKey>>,
    ) -> Result<(AccountId, Asked), GeneratorError> {
        let (address, told) = oneshot::channel();
        let wanted = NewAccount { drops, key_type, address };
        let asked = self.ask(|reply| Command::NewAccount(wanted, key, reply)).await?;
        Ok((told.await.map_err(|_| GeneratorError::Ended)?, asked))
    }

    /// Begins a journey with accounts of the run, whether load runs or not. [`Generator::journeys`] says
    /// how it goes on. Its first transaction carries the caller's key.
    ///
    /// # Errors
    /// [`GeneratorError::UnknownJourney`]; [`GeneratorError::Journey`] if it cannot begin;
    /// [`GeneratorError::Ended`].
    pub async fn start_journey(
        &self,
        name: &str,
        key: Option<Arc<CallersKey>>,
    ) -> Result<JourneyRun, GeneratorError> {
        self.ask(|reply| Command::StartJourney(name.to_owned(), key, reply)).await
    }

    /// The journeys that run and the last that ended, the newest first; and when one gets further.
    #[must_use]
    pub fn journeys(&self) -> watch::Receiver<Arc<[JourneyRun]>> {
        self.journeys.clone()
    }

    /// The run's accounts: addresses and public data only.
    #[must_use]
    pub fn accounts(&self) -> Arc<AccountListing> {
        self.accounts.borrow().clone()
    }
}
