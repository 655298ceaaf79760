//! What an answer about costs holds: what is not asked for is not computed.

use domain::Invalid;

use crate::input::Pairs;

/// A part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Sums.
    Summary,
    /// Percentiles of the response time, in the sums.
    Latency,
    /// Sums over time.
    Timeline,
    /// Sums by each dimension.
    Breakdown,
    /// Sums by the dimensions asked for.
    Groups,
    /// How costs develop.
    Trends,
    /// How long calls took, by the dimensions asked for and over time.
    Durations,
}

impl Part {
    const ALL: [(&'static str, Self); 7] = [
        ("summary", Self::Summary),
        ("latency", Self::Latency),
        ("timeline", Self::Timeline),
        ("breakdown", Self::Breakdown),
        ("groups", Self::Groups),
        ("trends", Self::Trends),
        ("durations", Self::Durations),
    ];

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, part)| part)
    }
}

/// The parts that are asked for.
#[derive(Debug)]
pub struct Include(Vec<Part>);

impl Include {
    /// Those that the query names; without any, all that cost little enough.
    pub fn from_pairs(pairs: &Pairs) -> Result<Self, Invalid> {
        let words = pairs.all("include").flat_map(|value| value.split(','));
        let named = words.map(str::trim).filter(|word| !word.is_empty());
        let known: Vec<&str> = Part::ALL.iter().map(|(name, _)| *name).collect();
        let unknown = || Invalid::field("include", format!("must be some of {}", known.join(", ")));
        let parts: Vec<Part> =
            named.map(|name| Part::from_name(name).ok_or_else(unknown)).collect::<Result<_, _>>()?;
        if parts.is_empty() {
            let usual = Part::ALL.into_iter().map(|(_, part)| part).filter(|part| *part != Part::Durations);
            return Ok(Self(usual.collect()));
        }
        Ok(Self(parts))
    }

    /// Whether the part is asked for.
    pub fn has(&self, part: Part) -> bool {
        self.0.contains(&part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn include(words: &str) -> Result<Include, Invalid> {
        Include::from_pairs(&Pairs(vec![("include".to_owned(), words.to_owned())]))
    }

    #[test]
    fn an_answer_holds_what_is_asked_for() {
        let some = include("summary, groups").unwrap();
        assert!(some.has(Part::Summary) && some.has(Part::Groups) && !some.has(Part::Latency));
        let usual = include("").unwrap();
        assert!(usual.has(Part::Breakdown) && usual.has(Part::Latency) && !usual.has(Part::Durations));
        assert_eq!(include("summary,nothing").unwrap_err().0[0].field, "include");
    }
}
