//! Questions to the tracker.

/// Filters and grouping of analytics. Without dates, the last thirty days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnalyticsQuery {
    /// First day or instant: `2024-01-01`.
    pub start_date: Option<String>,
    /// Last day, all of it, or the first instant that no longer counts.
    pub end_date: Option<String>,
    /// IANA name of the zone whose days count; UTC when missing.
    pub time_zone: Option<String>,
    /// A length of time (`hour`, `day`, `week`, `month`) and up to three dimensions.
    pub group_by: Vec<String>,
    /// What groups are ordered by: `cost`, `tokens` or `requests`.
    pub metric: Option<String>,
    /// Groups at most.
    pub limit: Option<u32>,
    /// Whether the period before is asked for, too.
    pub compares_previous: bool,
    /// Names and values of dimensions, of which any may hold: `("service", "openai")`, `("tag", "!internal")`.
    pub filters: Vec<(String, String)>,
}

impl AnalyticsQuery {
    /// From one day to another, both included.
    pub fn between(start_date: impl Into<String>, end_date: impl Into<String>) -> Self {
        Self { start_date: Some(start_date.into()), end_date: Some(end_date.into()), ..Self::default() }
    }

    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        let group_by = (!self.group_by.is_empty()).then(|| self.group_by.join(","));
        let compare = self.compares_previous.then(|| "previous".to_owned());
        let named = [
            ("startDate", self.start_date.clone()),
            ("endDate", self.end_date.clone()),
            ("timeZone", self.time_zone.clone()),
            ("groupBy", group_by),
            ("metric", self.metric.clone()),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("compare", compare),
        ];
        let said = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        said.chain(self.filters.iter().cloned()).collect()
    }
}

/// Which projects are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectQuery {
    /// Number of the page, from 1.
    pub page: Option<u32>,
    /// Projects on a page, 100 at most.
    pub limit: Option<u32>,
    /// Words in name, description or tags.
    pub search: Option<String>,
}

impl ProjectQuery {
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        let named = [
            ("page", self.page.map(|page| page.to_string())),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("search", self.search.clone()),
        ];
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}
