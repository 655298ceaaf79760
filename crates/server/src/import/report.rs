//! What an import did, for people and for programs.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use jiff::Timestamp;
use pricing::Money;
use serde::Serialize;

use super::{destination::Facts, limits};

/// What an import did; of a trial run, what it would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Nothing was recorded: the rows were read and priced only. Whether they were recorded before was not looked at.
    pub dry_run: bool,
    /// Rows read.
    pub rows: u64,
    /// Rows that were recorded.
    pub new: u64,
    /// Rows that had been recorded before.
    pub duplicates: u64,
    /// Rows that cannot be recorded.
    pub failed: u64,
    /// Records of the new ones without a known cost; what another model did inside a reply is a record of its own.
    pub unpriced: u64,
    /// What the new ones cost, as far as it is known; `null` beyond 9.2 billion dollars.
    pub cost: Option<Money>,
    /// Tokens of the new ones.
    pub tokens: u64,
    /// When the first of the new ones happened, as far as it is known.
    pub first_at: Option<Timestamp>,
    /// When the last of the new ones happened.
    pub last_at: Option<Timestamp>,
    /// The new ones by model, dearest first.
    pub models: Vec<ModelSum>,
    /// The first rows that cannot be recorded.
    pub failures: Vec<Failure>,
}

/// The new records of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelSum {
    /// Provider and model.
    pub model: String,
    /// Records.
    pub records: u64,
    /// Those without a known cost.
    pub unpriced: u64,
    /// What the others cost; `null` beyond 9.2 billion dollars.
    pub cost: Option<Money>,
}

/// A row that cannot be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The file.
    pub file: String,
    /// The line that it starts on, from 1.
    pub line: u64,
    /// Why.
    pub error: String,
}

/// A summary in the making.
#[derive(Debug)]
pub(super) struct Tally {
    summary: Summary,
    models: BTreeMap<String, ModelSum>,
}

impl Tally {
    pub(super) fn new(dry_run: bool) -> Self {
        let summary = Summary {
            dry_run,
            rows: 0,
            new: 0,
            duplicates: 0,
            failed: 0,
            unpriced: 0,
            cost: Some(Money::ZERO),
            tokens: 0,
            first_at: None,
            last_at: None,
            models: Vec::new(),
            failures: Vec::new(),
        };
        Self { summary, models: BTreeMap::new() }
    }

    pub(super) fn add_new(&mut self, facts: &Facts) {
        self.summary.rows += 1;
        self.summary.new += 1;
        std::iter::once(facts).chain(&facts.side_calls).for_each(|facts| self.add_record(facts));
    }

    fn add_record(&mut self, facts: &Facts) {
        let summary = &mut self.summary;
        summary.tokens = summary.tokens.saturating_add(facts.tokens.unwrap_or(0));
        summary.first_at = summary.first_at.into_iter().chain(facts.occurred_at).min();
        summary.last_at = summary.last_at.max(facts.occurred_at);
        add_cost(&mut summary.cost, &mut summary.unpriced, facts.cost);
        let mut name = model_name(facts);
        if self.models.len() >= limits::MODELS_TOLD && !self.models.contains_key(&name) {
            "other models".clone_into(&mut name);
        }
        let sum = self.models.entry(name).or_insert_with_key(|name| ModelSum {
            model: name.clone(),
            records: 0,
            unpriced: 0,
            cost: Some(Money::ZERO),
        });
        sum.records += 1;
        add_cost(&mut sum.cost, &mut sum.unpriced, facts.cost);
    }

    pub(super) fn add_duplicate(&mut self) {
        self.summary.rows += 1;
        self.summary.duplicates += 1;
    }

    pub(super) fn add_failure(&mut self, failure: Failure) {
        self.summary.rows += 1;
        self.summary.failed += 1;
        if self.summary.failures.len() < limits::FAILURES_TOLD {
            self.summary.failures.push(failure);
        }
    }

    pub(super) fn rows(&self) -> u64 {
        self.summary.rows
    }

    pub(super) fn finish(self) -> Summary {
        let mut models: Vec<ModelSum> = self.models.into_values().collect();
        models.sort_by(|a, b| b.cost.cmp(&a.cost).then_with(|| a.model.cmp(&b.model)));
        Summary { models, ..self.summary }
    }
}

fn model_name(facts: &Facts) -> String {
    if facts.provider.is_empty() {
        facts.model.clone()
    } else {
        format!("{}/{}", facts.provider, facts.model)
    }
}

fn add_cost(sum: &mut Option<Money>, unpriced: &mut u64, cost: Option<Money>) {
    match cost {
        Some(cost) => *sum = sum.and_then(|sum| sum.checked_add(cost)),
        None => *unpriced += 1,
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let new = if self.dry_run { "would be recorded" } else { "recorded" };
        let width = grouped(self.rows).len();
        let mut line = |count: u64, what: &str| writeln!(f, "{:>width$}  {what}", grouped(count));
        line(self.rows, "rows read")?;
        line(self.new, new)?;
        if !self.dry_run {
            line(self.duplicates, "recorded before")?;
        }
        line(self.failed, "failed")?;
        line(self.unpriced, "without a known price")?;
        if let (Some(first), Some(last)) = (self.first_at, self.last_at) {
            writeln!(f, "period  {first} to {last}")?;
        }
        writeln!(f, "tokens  {}", grouped(self.tokens))?;
        writeln!(f, "cost    {}", dollars(self.cost))?;
        self.write_models(f)?;
        self.write_failures(f)?;
        if self.dry_run {
            f.write_str(
                "Nothing was recorded. Not checked: the account, the project, and whether rows were recorded before.\n",
            )?;
        }
        Ok(())
    }
}

impl Summary {
    fn write_models(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.models.iter().map(|sum| sum.model.chars().count()).max().unwrap_or(0);
        for sum in &self.models {
            let mut line =
                format!("  {:<width$}  {:>12}  {}", sum.model, grouped(sum.records), dollars(sum.cost));
            if sum.unpriced > 0 {
                write!(line, " and {} without a known price", grouped(sum.unpriced))?;
            }
            writeln!(f, "{line}")?;
        }
        Ok(())
    }

    fn write_failures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Failure { file, line, error } in &self.failures {
            writeln!(f, "{file}:{line}: {error}")?;
        }
        let told = u64::try_from(self.failures.len()).unwrap_or(u64::MAX);
        match self.failed.saturating_sub(told) {
            0 => Ok(()),
            more => writeln!(f, "and {} more rows that failed; --errors FILE lists them all", grouped(more)),
        }
    }
}

/// Dollars with all their digits.
pub fn dollars(money: Option<Money>) -> String {
    money.map_or_else(|| "more than 9.2 billion dollars".to_owned(), |money| format!("${money}"))
}

/// A number with a comma before every three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let comma_before = |place: usize| place > 0 && (digits.len() - place).is_multiple_of(3);
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if comma_before(place) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(model: &str, cost: Option<i64>) -> Facts {
        Facts {
            provider: "openai".to_owned(),
            model: model.to_owned(),
            occurred_at: Some("2023-11-16T18:17:03Z".parse().unwrap()),
            tokens: Some(1_000),
            cost: cost.map(Money::from_nanos),
            side_calls: Vec::new(),
        }
    }

    #[test]
    fn a_summary_reads_as_a_person_would_say_it() {
        let mut tally = Tally::new(false);
        tally.add_new(&facts("gpt-4", Some(30_000_000)));
        tally.add_new(&facts("gpt-4", None));
        tally.add_new(&facts("gpt-4o", Some(90_000_000)));
        tally.add_duplicate();
        for line in 1..=21 {
            tally.add_failure(Failure { file: "a.csv".to_owned(), line, error: "no".to_owned() });
        }
        let text = tally.finish().to_string();
        assert!(text.starts_with(
            "25  rows read\n 3  recorded\n 1  recorded before\n21  failed\n 1  without a known price\n\
             period  2023-11-16T18:17:03Z to 2023-11-16T18:17:03Z\ntokens  3,000\ncost    $0.12\n"
        ));
        assert!(text.contains("  openai/gpt-4o             1  $0.09\n  openai/gpt-4              2  $0.03 and 1 without a known price\n"));
        assert!(
            text.ends_with("a.csv:20: no\nand 1 more rows that failed; --errors FILE lists them all\n"),
            "{text}"
        );
    }

    #[test]
    fn a_file_of_many_models_does_not_fill_the_memory() {
        let mut tally = Tally::new(true);
        (0..5_000).for_each(|number| tally.add_new(&facts(&number.to_string(), Some(1))));
        let summary = tally.finish();
        assert_eq!(summary.models.len(), limits::MODELS_TOLD + 1);
        assert_eq!(summary.models[0].records, 5_000 - limits::MODELS_TOLD as u64);
    }

    #[test]
    fn money_is_written_with_its_digits() {
        let mut tally = Tally::new(false);
        tally.add_new(&facts("gpt-4", Some(1)));
        let json = serde_json::to_string(&tally.finish()).unwrap();
        assert!(json.contains(r#""cost":0.000000001"#), "{json}");
        assert_eq!(
            [grouped(0), grouped(999), grouped(1_000), grouped(28_185_000)],
            ["0", "999", "1,000", "28,185,000"]
        );
    }
}
