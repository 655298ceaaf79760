//! Budgets that are not a project's, increases, and exchange rates.

use std::sync::Arc;

use domain::{
    UserId,
    budget::{Budget, Increase, Scope, ScopedBudget},
    fx::FxRate,
};
use pricing::Money;

use super::{
    keys::tracker_key,
    sample::{at, id, insert_users, project},
};
use crate::{MetaStore, StoreError};

const NOW: &str = "2024-02-10T12:00:00Z";

/// What is kept comes back as it was, and every change of it.
pub async fn a_budget_comes_back(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    store.insert_tracker_key(&tracker_key(3, user), &[3; 32]).await.unwrap();
    let scopes = [Scope::Account, Scope::Tag { tag: "a \"tag\"".to_owned() }, Scope::Key { key_id: id(3) }];
    for (n, scope) in (1..).zip(scopes) {
        let kept = budget(n, scope, user);
        store.insert_budget(&kept).await.unwrap();
        assert_eq!(store.find_budget(kept.id).await.unwrap(), Some(kept));
    }
    let names = |list: Vec<ScopedBudget>| list.into_iter().map(|budget| budget.name).collect::<Vec<_>>();
    assert_eq!(names(store.list_budgets().await.unwrap()), ["Budget 1", "Budget 2", "Budget 3"]);
    let again = store.insert_budget(&budget(1, Scope::Account, user)).await;
    assert!(matches!(again, Err(StoreError::Conflict("budget"))), "{again:?}");
    let mut changed = budget(1, Scope::Account, user);
    "Renamed".clone_into(&mut changed.name);
    changed.terms.carry_over = true;
    changed.updated_at = at("2024-03-01T00:00:00Z");
    assert!(store.update_budget(&changed).await.unwrap());
    assert_eq!(store.find_budget(id(1)).await.unwrap(), Some(changed));
    assert!(!store.update_budget(&budget(9, Scope::Account, user)).await.unwrap());
    assert!(store.delete_budget(id(1)).await.unwrap());
    assert!(!store.delete_budget(id(1)).await.unwrap());
    assert_eq!(store.find_budget(id(1)).await.unwrap(), None);
}

/// A budget goes with its tracker key, and takes its increases along; so does a project.
pub async fn budgets_vanish_with_what_they_are_over(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    store.insert_tracker_key(&tracker_key(3, user), &[3; 32]).await.unwrap();
    store.insert_budget(&budget(1, Scope::Key { key_id: id(3) }, user)).await.unwrap();
    let demo = domain::project::Project { demo: true, ..project(11, user) };
    store.insert_project(&demo).await.unwrap();
    for (n, of) in [(21, 1), (22, 11)] {
        store.insert_increase(&increase(n, of, user)).await.unwrap();
    }
    store.delete_tracker_key(user, id(3)).await.unwrap();
    store.purge_demo_projects().await.unwrap();
    assert_eq!(store.list_budgets().await.unwrap(), []);
    for of in [1, 11] {
        assert_eq!(store.list_increases(id(of)).await.unwrap(), []);
    }
}

/// An increase is withdrawn once, and found as long as it may count.
pub async fn increases_are_listed_and_withdrawn_once(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    let (first, second) = (increase(21, 1, user), Increase { id: id(22), ..increase(22, 1, user) });
    for kept in [&first, &second, &increase(23, 2, user)] {
        store.insert_increase(kept).await.unwrap();
    }
    assert_eq!(store.list_increases(id(1)).await.unwrap(), [second.clone(), first.clone()]);
    let ending = async |after: &str| store.list_increases_ending_after(at(after)).await.unwrap().len();
    assert_eq!((ending(NOW).await, ending("2024-02-20T00:00:00Z").await), (3, 0));
    let later = at("2024-02-11T00:00:00Z");
    assert!(!store.withdraw_increase(id(2), first.id, later).await.unwrap(), "of another budget");
    assert!(store.withdraw_increase(id(1), first.id, later).await.unwrap());
    assert!(!store.withdraw_increase(id(1), first.id, later).await.unwrap(), "only once");
    assert!(!store.withdraw_increase(id(1), second.id, second.until).await.unwrap(), "it has ended");
    let withdrawn = Increase { withdrawn_at: Some(later), ..first };
    assert_eq!(store.list_increases(id(1)).await.unwrap(), [second, withdrawn]);
    assert_eq!(ending("2024-02-11T00:00:00Z").await, 2);
}

/// Rates keep their digits, and are replaced as a whole.
pub async fn exchange_rates_are_replaced(store: Arc<dyn MetaStore>) {
    let rate = |currency: &str, day: &str, rate: &str| FxRate {
        currency: currency.to_owned(),
        rate: rate.parse().unwrap(),
        effective_date: day.parse().unwrap(),
        source: "the bank's \"fixing\"".to_owned(),
    };
    let rates = [
        rate("EUR", "2024-01-01", "1.1"),
        rate("EUR", "2024-02-01", "1.084300000001"),
        rate("JPY", "2024-01-01", "0.0067"),
    ];
    store.replace_fx_rates(&[rates[2].clone(), rates[1].clone(), rates[0].clone()]).await.unwrap();
    assert_eq!(store.list_fx_rates().await.unwrap(), rates);
    store.replace_fx_rates(&rates[..1]).await.unwrap();
    assert_eq!(store.list_fx_rates().await.unwrap(), &rates[..1]);
}

/// Whoever remembers budgets, increases or rates hears of every change of them.
pub async fn changes_of_budgets_are_counted(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    let mut counts = vec![store.change_count()];
    store.insert_budget(&budget(1, Scope::Account, user)).await.unwrap();
    counts.push(store.change_count());
    store.update_budget(&budget(1, Scope::Account, user)).await.unwrap();
    counts.push(store.change_count());
    store.insert_increase(&increase(21, 1, user)).await.unwrap();
    counts.push(store.change_count());
    store.withdraw_increase(id(1), id(21), at(NOW)).await.unwrap();
    counts.push(store.change_count());
    store.replace_fx_rates(&[]).await.unwrap();
    counts.push(store.change_count());
    store.delete_budget(id(1)).await.unwrap();
    counts.push(store.change_count());
    assert!(counts.windows(2).all(|pair| pair[0] < pair[1]), "{counts:?}");
}

/// A budget of one dollar a month, number `n`.
pub(super) fn budget(n: u32, scope: Scope, user: UserId) -> ScopedBudget {
    let terms: Budget = serde_json::from_str(r#"{"amount":1,"currency":"EUR","period":"monthly"}"#).unwrap();
    ScopedBudget {
        id: id(n),
        name: format!("Budget {n}"),
        scope,
        terms,
        created_by: Some(user),
        created_at: at(NOW),
        updated_at: at(NOW),
    }
}

fn increase(n: u32, of: u32, user: UserId) -> Increase {
    Increase {
        id: id(n),
        budget_id: id(of),
        amount: Money::from_nanos(i64::from(n)),
        reason: "a launch".to_owned(),
        created_by: user,
        created_at: at(NOW),
        until: at("2024-02-20T00:00:00Z"),
        withdrawn_at: None,
    }
}
