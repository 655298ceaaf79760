//! The demo's account, its projects and their budgets.

use domain::{
    IdSource, Secret,
    allocation::Tags,
    annotation::Annotation,
    budget::{Alert, AlertKind, Budget},
    project::{Member, Project, ProjectRole, ProjectSettings},
    user::{Role, User},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use pricing::Money;
use store::{Claim, UserWithHash};

use super::{
    EMAIL, Ledger, Refused,
    briefs::{BRIEFS, Brief},
    calendar,
};
use crate::{app::App, auth::token};

/// A budget without any spending to go by.
const AMOUNT_DEFAULT: Money = Money::from_nanos(100_000_000_000);
/// Budgets are of whole cents.
const CENT_NANOS: i64 = 10_000_000;

pub(super) async fn refuse_a_second(app: &App) -> anyhow::Result<()> {
    let account = app.meta.find_user_by_email(EMAIL).await?;
    if account.as_ref().is_some_and(|found| !found.user.demo) {
        return Err(Refused::AddressTaken.into());
    }
    if account.is_some() || app.meta.list_projects().await?.iter().any(|project| project.demo) {
        return Err(Refused::AlreadyThere.into());
    }
    Ok(())
}

/// The account: a member, so that it can do what most people can.
pub(super) async fn make_account(app: &App, now: Timestamp) -> anyhow::Result<(User, Secret)> {
    let password = token::new_password_reset_token(&mut rand::rng());
    let user = User {
        id: app.ids.next(now),
        email: EMAIL.to_owned(),
        name: "Demo".to_owned(),
        role: Role::Member,
        preferences: "{}".to_owned(),
        demo: true,
        created_at: now,
    };
    let password_hash = app.passwords.hash(password.clone()).await?;
    let user = app.meta.insert_user(&UserWithHash { user, password_hash }, Claim::Open).await?;
    Ok((user, password))
}

pub(super) async fn make_projects(
    app: &App,
    owner: &User,
    ids: &IdSource,
    now: Timestamp,
) -> anyhow::Result<Vec<Project>> {
    let at = calendar::start(now);
    let mut projects = Vec::new();
    for brief in &BRIEFS {
        let project = Project {
            id: ids.next(at),
            name: brief.name.to_owned(),
            description: brief.description.to_owned(),
            budget: None,
            tags: Tags::new("tags", brief.tags.iter().copied())?,
            settings: ProjectSettings::default(),
            members: vec![Member { user_id: owner.id, role: ProjectRole::Owner, added_at: at }],
            is_active: brief.ends_on_day.is_none(),
            demo: true,
            created_at: at,
            updated_at: at,
            archived_at: None,
        };
        app.meta.insert_project(&project).await?;
        projects.push(project);
    }
    Ok(projects)
}

/// What happened in the projects: other models from a day on, and days with far more calls than usual.
pub(super) async fn make_annotations(
    app: &App,
    owner: &User,
    ids: &IdSource,
    projects: &[Project],
    now: Timestamp,
) -> anyhow::Result<()> {
    for (project, brief) in projects.iter().zip(&BRIEFS) {
        let switched = brief.switch.and_then(|(day, models)| {
            let (model, _) = models.first()?;
            Some((day, format!("{} calls {}", brief.name, model.name), "deploy"))
        });
        let launched =
            brief.spike.map(|(first, ..)| (first, format!("Campaign of {}", brief.name), "launch"));
        for (day, title, tag) in [switched, launched].into_iter().flatten() {
            let hours = SignedDuration::from_hours(i64::try_from(day)? * 24 + 9);
            let at = calendar::start(now).checked_add(hours)?;
            let annotation = Annotation {
                id: ids.next(at),
                project_id: Some(project.id),
                at,
                title,
                tags: Tags::new("tags", [tag])?,
                link: None,
                created_by: owner.id,
                created_at: at,
            };
            app.meta.insert_annotation(&annotation).await?;
        }
    }
    Ok(())
}

/// Gives each project the budget of which its brief's share is used.
pub(super) async fn set_budgets(
    app: &App,
    projects: Vec<Project>,
    ledgers: &[Ledger],
    now: Timestamp,
) -> anyhow::Result<()> {
    for ((mut project, brief), ledger) in projects.into_iter().zip(&BRIEFS).zip(ledgers) {
        project.budget = budget(brief, ledger.cost_in_period, now);
        if project.budget.is_some() {
            app.meta.update_project(&project).await?;
        }
    }
    Ok(())
}

/// The brief's budget, after `spent` in the current period.
pub(super) fn budget(brief: &Brief, spent: Money, now: Timestamp) -> Option<Budget> {
    let limit = brief.budget?;
    let once = limit.period == domain::budget::Period::OneTime;
    let start = calendar::start(now).to_zoned_datetime(TimeZone::UTC).date();
    let alert =
        |threshold| Alert { threshold, kind: AlertKind::InApp, recipients: Vec::new(), webhook_url: None };
    Some(Budget {
        amount: amount(spent, limit.used_percent),
        currency: "USD".to_owned(),
        period: limit.period,
        start_date: once.then_some(start),
        time_zone: "UTC".to_owned(),
        enforcement: limit.enforcement,
        carry_over: false,
        alerts: [50, 80, 100].map(alert).to_vec(),
    })
}

/// The amount of which `spent` is this many percent, to three digits.
fn amount(spent: Money, percent: i64) -> Money {
    let exact = i128::from(spent.nanos()) * 100 / i128::from(percent.max(1));
    if exact <= 0 {
        return AMOUNT_DEFAULT;
    }
    let mut unit = i128::from(CENT_NANOS);
    while exact / unit >= 1000 {
        unit *= 10;
    }
    let rounded = ((exact + unit / 2) / unit).max(1) * unit;
    i64::try_from(rounded).map_or(AMOUNT_DEFAULT, Money::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_three_digits_and_whole_cents() {
        let amount = |nanos, percent| amount(Money::from_nanos(nanos), percent).to_string();
        assert_eq!(amount(123_456_789_012, 50), "247");
        assert_eq!(amount(1_234_567_890, 100), "1.23");
        assert_eq!(amount(1, 100), "0.01");
        assert_eq!(amount(0, 50), "100");
    }
}
