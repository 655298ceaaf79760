//! Correcting, deleting and purging records.

use std::sync::Arc;

use domain::{
    allocation::CostAllocation,
    costing::Costing,
    query::{Dimension, Visibility},
    usage_record::{Amendment, CostSource, Flag, UsageRecord},
};
use pricing::Money;

use super::{
    model::Model,
    questions::{check_filter, select},
    random::Random,
    sample::{everything, full_record, id, project_id, record, record_with, tags, usage_id, varied_record},
};
use crate::{Appended, UsageStore};

/// A record that moves takes its part of every sum along.
pub async fn corrections_move_sums_to_another_project(store: Arc<dyn UsageStore>) {
    let mut model = fill(&*store).await;
    for (n, project) in [(1, Some(id(13))), (2, None), (3, Some(id(99))), (4, Some(id(11)))] {
        let amendment = Amendment { project_id: Some(project), ..Amendment::default() };
        let amended = store.amend_record(usage_id(n), &amendment).await.unwrap();
        assert_eq!(amended, model.amend(usage_id(n), &amendment));
        assert_eq!(amended.unwrap().1.project_id, project);
    }
    check(&*store, &model).await;
}

/// What is corrected is replaced as a whole; what is not named stays, the content included.
pub async fn corrections_replace_tags_and_allocation(store: Arc<dyn UsageStore>) {
    let before = full_record();
    store.append(vec![before.clone()]).await.unwrap();
    let allocation = CostAllocation {
        team: Some("new".to_owned()),
        other: [("floor".to_owned(), "3".to_owned())].into(),
        ..CostAllocation::default()
    };
    let amendment =
        Amendment { tags: Some(tags(&["z"])), allocation: Some(allocation.clone()), project_id: None };
    let after = UsageRecord { tags: tags(&["z"]), allocation, ..before.clone() };
    let amended = store.amend_record(before.id, &amendment).await.unwrap();
    assert_eq!(amended, Some((before, after.clone())));
    assert_eq!(store.find_record(&Visibility::Everything, after.id).await.unwrap(), Some(after.clone()));
    let emptied =
        Amendment { tags: Some(tags(&[])), allocation: Some(CostAllocation::default()), project_id: None };
    store.amend_record(after.id, &emptied).await.unwrap();
    let found = store.find_record(&Visibility::Everything, after.id).await.unwrap().unwrap();
    assert!(found.tags.is_empty() && found.allocation.is_empty() && found.content.is_some());
}

/// A new cost replaces the old one in the record, in what explains it, and in every sum.
pub async fn recosted_records_take_their_part_of_every_sum_along(store: Arc<dyn UsageStore>) {
    let mut model = fill(&*store).await;
    let price = full_record().price.unwrap();
    let costing = |record: &UsageRecord| match price.cost_of(&record.usage) {
        Ok(listed) => Costing {
            cost: listed.total.checked_add(Money::from_nanos(1)),
            cost_source: CostSource::Override,
            list_cost: Some(listed.total),
            cache_savings: Some(listed.cache_savings),
            price: Some(Arc::clone(&price)),
            adjustments: full_record().adjustments,
            unpriced_reason: None,
            flags: vec![Flag::TierAssumedStandard],
        },
        Err(reason) => Costing {
            cost: None,
            cost_source: CostSource::Unpriced,
            list_cost: None,
            cache_savings: None,
            price: None,
            adjustments: Vec::new(),
            unpriced_reason: Some(reason.code().to_owned()),
            flags: Vec::new(),
        },
    };
    let costings: Vec<_> = model.records().iter().map(|record| (record.id, costing(record))).collect();
    for (id, costing) in &costings {
        model.recost(*id, costing.clone());
    }
    let unknown = (usage_id(999_999), costing(&full_record()));
    let known = costings.len() as u64;
    assert_eq!(store.recost(costings.into_iter().chain([unknown]).collect()).await.unwrap(), known);
    for record in model.records() {
        let found = store.find_record(&Visibility::Everything, record.id).await.unwrap().unwrap();
        assert_eq!(found, *record);
    }
    check(&*store, &model).await;
}

/// A record that is gone is in no sum.
pub async fn deleted_records_leave_every_sum(store: Arc<dyn UsageStore>) {
    let mut model = fill(&*store).await;
    let all: Vec<_> = model.records().iter().map(|record| record.id).collect();
    for id in all.iter().step_by(3) {
        assert_eq!(store.delete_record(*id).await.unwrap(), model.delete(*id));
    }
    check(&*store, &model).await;
    for id in all {
        assert_eq!(store.delete_record(id).await.unwrap(), model.delete(id));
    }
    check(&*store, &model).await;
    assert_eq!(store.verify().await.unwrap().rollup_rows, 0, "sums of no records are not kept");
}

/// What is not there is told, not made.
pub async fn what_does_not_exist_is_not_changed(store: Arc<dyn UsageStore>) {
    let amendment = Amendment { tags: Some(tags(&["z"])), ..Amendment::default() };
    assert_eq!(store.amend_record(usage_id(1), &amendment).await.unwrap(), None);
    assert_eq!(store.delete_record(usage_id(1)).await.unwrap(), None);
    assert_eq!(store.purge_projects(&[]).await.unwrap(), 0);
    assert_eq!(store.purge_projects(&[project_id(99)]).await.unwrap(), 0);
}

/// After a purge the same records can be sent again.
pub async fn purged_projects_leave_nothing_behind(store: Arc<dyn UsageStore>) {
    let mut model = fill(&*store).await;
    let keyed = |n| {
        record_with(n, |record| {
            record.project_id = Some(id(21));
            record.request_id = Some("demo".to_owned());
        })
    };
    let full = UsageRecord { id: usage_id(900), ..full_record() };
    store.append(vec![keyed(901), full.clone()]).await.unwrap();
    model.append(keyed(901));
    model.append(full.clone());
    let purged = [project_id(21), project_id(12), full.project_id.unwrap(), project_id(99)];
    assert_eq!(store.purge_projects(&purged).await.unwrap(), model.purge(&purged));
    assert_eq!(store.append(vec![keyed(902), full.clone()]).await.unwrap(), [Appended::New, Appended::New]);
    model.append(keyed(902));
    model.append(full.clone());
    check(&*store, &model).await;
}

/// What is derived can be made anew at any time.
pub async fn rebuilt_sums_are_the_same(store: Arc<dyn UsageStore>) {
    let mut model = fill(&*store).await;
    store.rebuild().await.unwrap();
    check(&*store, &model).await;
    store.append(vec![record(501)]).await.unwrap();
    model.append(record(501));
    check(&*store, &model).await;
}

async fn check(store: &dyn UsageStore, model: &Model) {
    check_filter(store, model, &everything(), &[Dimension::Project, Dimension::Model]).await;
    let unhelped = select(everything(), Dimension::Team, &[], &["nobody"]);
    check_filter(store, model, &unhelped, &[Dimension::Tag]).await;
    let verification = store.verify().await.unwrap();
    assert_eq!(verification.differences, Vec::<String>::new());
    assert_eq!(verification.records, model.records().len() as u64);
}

async fn fill(store: &dyn UsageStore) -> Model {
    let mut random = Random::new(4);
    let records: Vec<_> =
        (1..=60).map(|n| UsageRecord { request_id: None, ..varied_record(n, &mut random) }).collect();
    let mut model = Model::default();
    for record in &records {
        model.append(record.clone());
    }
    store.append(records).await.unwrap();
    model
}
