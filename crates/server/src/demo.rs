//! Ninety days of an organisation that never was, to look around in: the work behind `ai-cost-tracker demo`.
//!
//! **Architecture Invariant:** every record belongs to a project that is marked as of the demo, and so does the account
//! that recorded it; taking both out leaves nothing behind. Records are priced by [`NewUsage::into_record`] like any
//! other; only their times and ids are of the past.

mod briefs;
mod calendar;
mod calls;
mod dice;
mod models;

use domain::{
    IdSource, ProjectId, Secret,
    allocation::Tags,
    budget::{Alert, AlertKind, Budget},
    ingest::{NewUsage, Stamp},
    project::{Member, Project, ProjectRole, ProjectSettings},
    usage_record::{Origin, Status, UsageRecord},
    user::{Role, User},
};
use jiff::{Timestamp, tz::TimeZone};
use pricing::Money;
use rand::SeedableRng as _;
use store::{Claim, UserWithHash};

use crate::{app::App, auth::token};
use briefs::{BRIEFS, Brief, Limit};
use calls::Calls;
use dice::Dice;

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
pub async fn fill(app: &App, recipe: Recipe, progress: impl Fn(u64)) -> anyhow::Result<Filled> {
    refuse_a_second(app).await?;
    let now = app.clock.now();
    let ids = IdSource::new(&mut rand::rngs::StdRng::seed_from_u64(recipe.seed));
    let (user, password) = make_account(app, now).await?;
    let projects = make_projects(app, &user, &ids, now).await?;
    let mut filling = Filling { app, user: &user, ids: &ids, spending: projects.iter().map(|_| Spending::default()).collect(), now };
    let mut batch = Vec::with_capacity(BATCH_RECORDS);
    let dice = Dice::new(recipe.seed);
    let project_ids = projects.iter().map(|project| project.id).collect();
    let mut calls = Calls::new(project_ids, Dice::new(recipe.seed.wrapping_add(1)));
    let mut kept = 0;
    for moment in calendar::moments(recipe.records.min(RECORDS_MAX), now, dice) {
        let record = calls.make(moment).map(|call| filling.record(moment.project, moment.at, call));
        batch.extend(record);
        if batch.len() == BATCH_RECORDS {
            kept += filling.append(std::mem::take(&mut batch)).await?;
            progress(kept);
        }
    }
    filling.append(batch).await?;
    let spending = filling.spending;
    set_budgets(app, projects, &spending, now).await?;
    summarize(password, &spending)
}
