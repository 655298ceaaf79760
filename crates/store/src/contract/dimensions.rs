//! Every dimension, as a filter and as a group.

use std::{collections::BTreeSet, sync::Arc};

use domain::query::{Dimension, Filter, Visibility};

use super::{
    model::{Model, values},
    questions::{check_aggregate, check_filter, select, sums},
    random::Random,
    sample::{everything, id, period, project_id, varied_record},
};
use crate::UsageStore;

/// Each value of each dimension finds its records, and the groups of a dimension are its values.
pub async fn every_dimension_selects_and_groups(store: Arc<dyn UsageStore>) {
    let model = fill(&*store).await;
    for dimension in Dimension::ALL {
        let known: BTreeSet<String> =
            model.records().iter().flat_map(|record| values(dimension, record)).collect();
        assert!(!known.is_empty(), "{dimension:?} is not tested");
        check_aggregate(&*store, &model, &sums(everything(), None, &[dimension])).await;
        for value in &known {
            let filter = select(everything(), dimension, &[value], &[]);
            check_filter(&*store, &model, &filter, &[dimension, Dimension::Service]).await;
        }
    }
}

/// Any of what is included, none of what is excluded.
pub async fn selections_include_and_exclude(store: Arc<dyn UsageStore>) {
    let model = fill(&*store).await;
    for dimension in Dimension::ALL {
        let known: BTreeSet<String> =
            model.records().iter().flat_map(|record| values(dimension, record)).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let last = &known[known.len() - 1..];
        for (include, exclude) in [(&known[..], &[][..]), (&[], last), (&known[..], last), (last, last)] {
            let filter = select(everything(), dimension, include, exclude);
            check_filter(&*store, &model, &filter, &[dimension]).await;
        }
    }
}

/// An empty value includes or excludes the records that have none.
pub async fn the_empty_value_stands_for_none(store: Arc<dyn UsageStore>) {
    let model = fill(&*store).await;
    for dimension in Dimension::ALL {
        let known = model.records().iter().flat_map(|record| values(dimension, record)).next().unwrap();
        for (include, exclude) in
            [(&[""][..], &[][..]), (&["", &known], &[]), (&[], &[""]), (&[], &["", &known]), (&[""], &[""])]
        {
            let filter = select(everything(), dimension, include, exclude);
            check_filter(&*store, &model, &filter, &[dimension]).await;
        }
    }
}

/// Unknown values are not an error; they find nothing and exclude nothing.
pub async fn values_nobody_has_find_nothing(store: Arc<dyn UsageStore>) {
    let model = fill(&*store).await;
    for dimension in Dimension::ALL {
        for value in ["nobody", "0", "' or 1 = 1 --", "65a508000000000000000063"] {
            let included = select(everything(), dimension, &[value], &[]);
            assert_eq!(
                store.aggregate(&sums(included.clone(), None, &[])).await.unwrap(),
                [],
                "{dimension:?} {value}"
            );
            check_filter(&*store, &model, &included, &[dimension]).await;
            check_filter(&*store, &model, &select(everything(), dimension, &[], &[value]), &[dimension])
                .await;
        }
    }
}

/// Asking for what may not be seen finds nothing of it.
pub async fn selections_stay_inside_what_is_visible(store: Arc<dyn UsageStore>) {
    let model = fill(&*store).await;
    let member = Filter::all(Visibility::Of { user: id(2), projects: vec![project_id(11), project_id(12)] });
    let member = member.during(period("2024-03-04T00:00:00Z", "2024-04-01T00:00:00Z"));
    let (own, foreign) = (project_id(11).to_string(), project_id(13).to_string());
    for include in [&[own.as_str()][..], &[&foreign], &[&own, &foreign], &["", &foreign], &[""]] {
        let filter = select(member.clone(), Dimension::Project, include, &[]);
        check_filter(&*store, &model, &filter, &[Dimension::Project, Dimension::User]).await;
        let of_user = select(filter, Dimension::User, &[&id::<()>(1).to_string()], &[]);
        check_filter(&*store, &model, &of_user, &[Dimension::Project]).await;
    }
}

async fn fill(store: &dyn UsageStore) -> Model {
    let mut random = Random::new(3);
    let records: Vec<_> = (1..=150).map(|n| varied_record(n, &mut random)).collect();
    let mut model = Model::default();
    let expected: Vec<_> = records.iter().map(|record| model.append(record.clone())).collect();
    assert_eq!(store.append(records).await.unwrap(), expected);
    model
}
