//! Query strings of lists, analytics and exports: which records, which page.

use std::collections::BTreeMap;

use domain::{
    Interval, Invalid,
    interval::time_zone,
    limits as bounds,
    query::{Dimension, Filter, Selection, Visibility},
    text,
};
use jiff::tz::TimeZone;

use crate::{input::Pairs, limits, reply::Pagination};

/// Names under which clients also send a dimension.
const ALIASES: &[(&str, Dimension)] = &[
    ("provider", Dimension::Service),
    ("projectId", Dimension::Project),
    ("userId", Dimension::User),
    ("tags", Dimension::Tag),
];

/// How a caller says "has none" of a dimension.
pub const NONE: &str = "(none)";

/// Which records; every filter can be repeated (any of its values) and negated with `!` before a value.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents the parameters that `filter` reads")]
pub struct FilterParams {
    /// First day or instant: `2024-01-01` or RFC 3339.
    #[param(rename = "startDate")]
    start_date: Option<String>,
    /// Last day, which is included whole, or the instant after the last one.
    #[param(rename = "endDate")]
    end_date: Option<String>,
    /// Zone whose days count: `Europe/Berlin` or `+02:00`. UTC unless told otherwise.
    #[param(rename = "timeZone")]
    time_zone: Option<String>,
    /// Who sold the call; also `provider`.
    service: Option<Vec<String>>,
    /// Model that was asked for.
    model: Option<Vec<String>>,
    /// Project id; also `projectId`. `(none)` for records without one, as for every filter.
    project: Option<Vec<String>>,
    /// Id of the account that recorded it; also `userId`.
    user: Option<Vec<String>>,
    /// Department.
    department: Option<Vec<String>>,
    /// Team.
    team: Option<Vec<String>>,
    /// Purpose.
    purpose: Option<Vec<String>>,
    /// Client.
    client: Option<Vec<String>>,
    /// Campaign.
    campaign: Option<Vec<String>>,
    /// Tag; also `tags`.
    tag: Option<Vec<String>>,
    /// `success` or `error`.
    status: Option<Vec<String>>,
    /// E-mail address of the sender's own user.
    #[param(rename = "userEmail")]
    user_email: Option<Vec<String>>,
    /// E-mail address of the sender's customer.
    #[param(rename = "customerEmail")]
    customer_email: Option<Vec<String>>,
    /// `reported`, `provider`, `catalog`, `override`, `estimated` or `unpriced`.
    #[param(rename = "costSource")]
    cost_source: Option<Vec<String>>,
    /// Id of the tracker key that it came in with.
    #[param(rename = "trackerKey")]
    tracker_key: Option<Vec<String>>,
    /// Words in model, provider, tags, allocation, ids, e-mail addresses or error, in any case.
    search: Option<String>,
}

/// Whether [`filter`] reads this parameter.
pub fn is_filter(name: &str) -> bool {
    matches!(name, "startDate" | "endDate" | "timeZone" | "search") || dimension(name).is_some()
}

fn dimension(name: &str) -> Option<Dimension> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, dimension)| *dimension);
    alias.or_else(|| Dimension::from_name(name))
}

/// The time zone that is asked for.
pub fn zone(pairs: &Pairs) -> Result<TimeZone, Invalid> {
    pairs.last("timeZone").map_or(Ok(TimeZone::UTC), |name| time_zone("timeZone", name))
}

/// The period that a body's `startDate`, `endDate` and `timeZone` mean; all of time where it names no bound.
pub fn period(start: Option<&str>, end: Option<&str>, zone: Option<&str>) -> Result<Interval, Invalid> {
    let zone = zone.map_or(Ok(TimeZone::UTC), |name| time_zone("timeZone", name))?;
    Interval::from_bounds(start, end, &zone, Interval::ALWAYS)
}

/// The records that are asked for, within what is visible; `default` bounds the period where the caller does not.
pub fn filter(pairs: &Pairs, visibility: Visibility, default: Interval) -> Result<Filter, Invalid> {
    let period =
        Interval::from_bounds(pairs.last("startDate"), pairs.last("endDate"), &zone(pairs)?, default)?;
    let mut selections: BTreeMap<Dimension, Selection> = BTreeMap::new();
    for (name, value) in &pairs.0 {
        let (Some(dimension), false) = (dimension(name), value.is_empty()) else { continue };
        let selection = selections.entry(dimension).or_default();
        let (list, value) = match value.strip_prefix('!') {
            Some(excluded) => (&mut selection.exclude, excluded),
            None => (&mut selection.include, value.as_str()),
        };
        list.push(selected(name, dimension, value)?);
        if list.len() > bounds::FILTER_VALUES_MAX {
            return Err(Invalid::field(
                name,
                format!("must have at most {} values", bounds::FILTER_VALUES_MAX),
            ));
        }
    }
    let search = pairs.last("search").map(|search| text::dimension_value("search", search)).transpose()?;
    Ok(Filter { visibility, period, selections, search })
}

fn selected(name: &str, dimension: Dimension, value: &str) -> Result<String, Invalid> {
    if value == NONE {
        return Ok(String::new());
    }
    let value = text::dimension_value(name, value)?;
    Ok(match dimension {
        Dimension::Service => pricing::canonical_provider(&value).into_owned(),
        Dimension::Project
        | Dimension::User
        | Dimension::UserEmail
        | Dimension::CustomerEmail
        | Dimension::TrackerKey => value.to_lowercase(),
        Dimension::Model
        | Dimension::Department
        | Dimension::Team
        | Dimension::Purpose
        | Dimension::Client
        | Dimension::Campaign
        | Dimension::Tag
        | Dimension::Status
        | Dimension::CostSource => value,
    })
}

/// Which page.
#[derive(Debug, Clone, Copy, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Number of the page, from 1.
    #[param(minimum = 1, default = 1, required = false)]
    pub page: u64,
    /// Items on a page.
    #[param(minimum = 1, maximum = 100, default = 20, required = false)]
    pub limit: u64,
}

impl Paging {
    /// The page that is asked for.
    pub fn from_pairs(pairs: &Pairs) -> Result<Self, Invalid> {
        let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0);
        let page = pairs.parsed("page", number, "a whole number from 1")?.unwrap_or(1);
        let in_bound = |text: &str| number(text).filter(|limit| *limit <= limits::PAGE_ITEMS_MAX);
        let expected = format!("a whole number from 1 to {}", limits::PAGE_ITEMS_MAX);
        let limit = pairs.parsed("limit", in_bound, &expected)?.unwrap_or(limits::PAGE_ITEMS_DEFAULT);
        let paging = Self { page, limit };
        if paging.offset() > limits::PAGE_OFFSET_MAX {
            return Err(Invalid::field("page", "is too deep; use the cursor of the page before"));
        }
        Ok(paging)
    }

    /// Items before this page.
    pub fn offset(self) -> u64 {
        (self.page - 1).saturating_mul(self.limit)
    }

    /// Where this page is in a list of `total` items.
    pub fn pagination(self, total: u64) -> Pagination {
        Pagination {
            page: Some(self.page),
            limit: self.limit,
            total: Some(total),
            pages: Some(total.div_ceil(self.limit)),
            has_next: self.offset().saturating_add(self.limit) < total,
            has_prev: self.page > 1,
            next_cursor: None,
            records_from: None,
        }
    }

    /// This page of a list that is held whole.
    pub fn page_of<T>(self, items: Vec<T>) -> (Vec<T>, Pagination) {
        let total = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let skip = usize::try_from(self.offset()).unwrap_or(usize::MAX);
        let take = usize::try_from(self.limit).unwrap_or(usize::MAX);
        (items.into_iter().skip(skip).take(take).collect(), self.pagination(total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(query: &[(&str, &str)]) -> Pairs {
        Pairs(query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn filters_repeat_negate_and_name_what_is_missing() {
        let query = pairs(&[
            ("service", "openai"),
            ("provider", "google-ai"),
            ("tag", "!beta"),
            ("team", "(none)"),
            ("model", ""),
        ]);
        let filter = filter(&query, Visibility::Everything, Interval::ALWAYS).unwrap();
        let selection = |include: &[&str], exclude: &[&str]| Selection {
            include: include.iter().map(|text| (*text).to_owned()).collect(),
            exclude: exclude.iter().map(|text| (*text).to_owned()).collect(),
        };
        assert_eq!(filter.selections.get(&Dimension::Service), Some(&selection(&["openai", "google"], &[])));
        assert_eq!(filter.selections.get(&Dimension::Tag), Some(&selection(&[], &["beta"])));
        assert_eq!(filter.selections.get(&Dimension::Team), Some(&selection(&[""], &[])));
        assert_eq!(filter.selections.get(&Dimension::Model), None);
    }

    #[test]
    fn pages_are_bounded() {
        assert_eq!(Paging::from_pairs(&pairs(&[("page", "3"), ("limit", "50")])).unwrap().offset(), 100);
        for (name, value) in
            [("page", "0"), ("page", "x"), ("limit", "101"), ("limit", "0"), ("page", "99999999")]
        {
            assert_eq!(Paging::from_pairs(&pairs(&[(name, value)])).unwrap_err().0[0].field, name, "{value}");
        }
        let paging = Paging { page: 2, limit: 20 };
        assert_eq!((paging.pagination(40).has_next, paging.pagination(41).has_next), (false, true));
    }
}
