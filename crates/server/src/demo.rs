//! Ninety days of an organisation that never was, to look around in: the work behind `ai-cost-tracker demo`.
//!
//! **Architecture Invariant:** every record belongs to a project that is marked as of the demo, and so does the account
//! that recorded it; taking both out leaves nothing behind. Records are priced by [`domain::ingest::NewUsage::into_records`] like any
//! other; only their times and ids are of the past.

mod briefs;
mod calendar;
mod calls;
mod dice;
mod models;
mod organisation;

use domain::{
    IdSource, Interval, ProjectId, Secret, UserId,
    ingest::Stamp,
    usage_record::{Origin, Status, UsageRecord},
};
use jiff::Timestamp;
use pricing::Money;
use rand::SeedableRng as _;

use briefs::{BRIEFS, Brief};
use calendar::Moment;
use calls::Calls;
use dice::Dice;

use crate::app::App;

/// E-mail address of the demo's account.
pub const EMAIL: &str = "demo@localhost";
/// Records that a demo can have.
pub const RECORDS_MAX: u64 = 10_000_000;
/// Records that one append hands to the store.
const BATCH_RECORDS: usize = 1_000;

/// What a demo is made of.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// How many records; at most [`RECORDS_MAX`].
    pub records: u64,
    /// The same seed at the same moment gives the same records.
    pub seed: u64,
}

/// What was put in.
#[derive(Debug)]
pub struct Filled {
    /// Password of the account, which is kept nowhere else.
    pub password: Secret,
    /// Projects made.
    pub projects: usize,
    /// Records kept.
    pub records: u64,
    /// Those without a known cost.
    pub unpriced: u64,
    /// Those that ended in an error.
    pub errors: u64,
    /// What the others cost.
    pub cost: Money,
}

/// What was taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Projects.
    pub projects: usize,
    /// Their records.
    pub records: u64,
    /// Accounts.
    pub accounts: usize,
    /// Projects that a demo account had made itself; they stay, and administrators see them.
    pub kept_projects: Vec<String>,
}

/// Why no demo was put in.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is one.
    #[error("the demo is there already; take it out with `ai-cost-tracker demo --remove` first")]
    AlreadyThere,
    /// Somebody has its address.
    #[error("the account {EMAIL} is not of the demo; it needs this address for itself")]
    AddressTaken,
}

/// Puts a demo in; `progress` is told how many records are kept so far.
///
/// The account and the projects come first: if it breaks off, [`remove`] takes out what is there.
pub async fn fill(app: &App, recipe: Recipe, progress: impl Fn(u64)) -> anyhow::Result<Filled> {
    organisation::refuse_a_second(app).await?;
    let now = app.clock.now();
    let ids = IdSource::new(&mut rand::rngs::StdRng::seed_from_u64(recipe.seed));
    let (user, password) = organisation::make_account(app, now).await?;
    let projects = organisation::make_projects(app, &user, &ids, now).await?;
    organisation::make_annotations(app, &user, &ids, &projects, now).await?;
    let mut filling = Filling {
        app,
        user: user.id,
        calls: Calls::new(projects.iter().map(|project| project.id).collect(), Dice::new(recipe.seed)),
        ids,
        ledgers: BRIEFS.iter().map(|brief| Ledger::new(brief, now)).collect(),
    };
    let dice = Dice::new(recipe.seed.wrapping_add(1));
    let records =
        filling.keep(calendar::moments(recipe.records.min(RECORDS_MAX), now, dice), progress).await?;
    organisation::set_budgets(app, projects, &filling.ledgers, now).await?;
    Ok(filling.finish(password, records))
}

/// A demo in the making.
struct Filling<'a> {
    app: &'a App,
    user: UserId,
    calls: Calls,
    ids: IdSource,
    ledgers: Vec<Ledger>,
}

impl Filling<'_> {
    /// Keeps a record of every moment; how many there are.
    async fn keep(
        &mut self,
        mut moments: impl Iterator<Item = Moment>,
        progress: impl Fn(u64),
    ) -> anyhow::Result<u64> {
        let mut kept = 0;
        loop {
            let batch: Vec<_> =
                moments.by_ref().filter_map(|moment| self.record(moment)).take(BATCH_RECORDS).collect();
            if batch.is_empty() {
                return Ok(kept);
            }
            kept += u64::try_from(self.app.usage.append(batch).await?.len())?;
            progress(kept);
        }
    }

    fn record(&mut self, moment: Moment) -> Option<UsageRecord> {
        let stamp = Stamp {
            id: self.ids.next(moment.at),
            user_id: self.user,
            tracker_key_id: None,
            origin: Origin::Demo,
            recorded_at: moment.at,
            keeps_content: false,
        };
        let call = self.calls.make(moment)?;
        let record = call.into_records(stamp, &self.app.prices.current(), || self.ids.next(moment.at)).call;
        self.ledgers.get_mut(moment.project)?.add(&record);
        Some(record)
    }

    fn finish(self, password: Secret, records: u64) -> Filled {
        let sum = |count: fn(&Ledger) -> u64| self.ledgers.iter().map(count).sum();
        let costs = self.ledgers.iter().map(|ledger| ledger.cost);
        Filled {
            password,
            projects: self.ledgers.len(),
            records,
            unpriced: sum(|ledger| ledger.unpriced),
            errors: sum(|ledger| ledger.errors),
            cost: costs.fold(Money::ZERO, |sum, cost| sum.checked_add(cost).unwrap_or(Money::MAX)),
        }
    }
}

/// Takes the demo out: its records, its projects, its account. What is not of the demo stays.
pub async fn remove(app: &App) -> anyhow::Result<Removed> {
    let projects = app.meta.list_projects().await?;
    let ids: Vec<ProjectId> =
        projects.iter().filter(|project| project.demo).map(|project| project.id).collect();
    // Records first: if it breaks off, the projects still say whose they are.
    let mut records = app.usage.purge_projects(&ids).await?;
    let gone = app.meta.purge_demo_projects().await?;
    // Those that somebody deleted before were not listed.
    let deleted: Vec<ProjectId> = gone.iter().copied().filter(|id| !ids.contains(id)).collect();
    records += app.usage.purge_projects(&deleted).await?;
    let mut removed = Removed { projects: gone.len(), records, accounts: 0, kept_projects: Vec::new() };
    for account in app.meta.list_users().await?.into_iter().filter(|user| user.demo) {
        let own = app.meta.list_projects_of(account.id).await?;
        removed.kept_projects.extend(own.into_iter().map(|project| project.name));
        app.meta.delete_user(account.id).await?;
        removed.accounts += 1;
    }
    Ok(removed)
}

/// What a project's records come to.
#[derive(Debug)]
struct Ledger {
    unpriced: u64,
    errors: u64,
    cost: Money,
    /// In the current period of its budget.
    cost_in_period: Money,
    period: Option<Interval>,
}

impl Ledger {
    fn new(brief: &Brief, now: Timestamp) -> Self {
        let period =
            organisation::budget(brief, Money::ZERO, now).map(|budget| budget.period_containing(now));
        Self { unpriced: 0, errors: 0, cost: Money::ZERO, cost_in_period: Money::ZERO, period }
    }

    fn add(&mut self, record: &UsageRecord) {
        self.errors += u64::from(record.status == Status::Error);
        self.unpriced += u64::from(record.cost.is_none());
        let cost = record.cost.unwrap_or(Money::ZERO);
        // Ten million of the dearest calls stay far below what money can hold.
        self.cost = self.cost.checked_add(cost).unwrap_or(Money::MAX);
        if self.period.is_some_and(|period| period.contains(record.occurred_at)) {
            self.cost_in_period = self.cost_in_period.checked_add(cost).unwrap_or(Money::MAX);
        }
    }
}
