//! What a call used, in normal form.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Unit;

/// What a call used: a count for each [`Unit`] that is known. A missing unit is unknown, not zero.
///
/// **Normal form.** `input_tokens` and `output_tokens` are totals; the details are subsets of them, each token counted
/// once in its total however many details it appears in:
/// - input ⊇ cache read, cache write (⊇ those for one and for twelve hours), and ⊇ audio, image, video;
/// - cached audio is part of both the cache read and the audio, and so for image and video;
/// - output ⊇ reasoning, citations, and ⊇ audio, image, video;
/// - `total_tokens` = input + output; `audio_milliseconds` ⊇ its input and output; `pages` ⊇ annotated pages.
///
/// Providers count in other ways (Anthropic leaves cached tokens out of the input, Gemini thoughts out of the
/// candidates); whoever reads their replies brings them to this form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Usage(BTreeMap<Unit, u64>);

/// Parts that are larger than the whole that should contain them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inconsistency {
    /// The unit that should contain the parts.
    pub whole: Unit,
    /// What was counted of the whole.
    pub whole_count: u64,
    /// The disjoint parts that were counted.
    pub parts: Vec<Unit>,
    /// What there must be of the parts together.
    pub parts_count: u64,
}

/// Wholes and the disjoint parts whose sum they bound.
const PARTS: &[(Unit, &[Unit])] = &[
    (Unit::TotalTokens, &[Unit::InputTokens, Unit::OutputTokens]),
    (Unit::InputTokens, &[Unit::CacheReadTokens, Unit::CacheWriteTokens]),
    (Unit::InputTokens, &[Unit::InputAudioTokens, Unit::InputImageTokens, Unit::InputVideoTokens]),
    (
        Unit::CacheReadTokens,
        &[Unit::CacheReadAudioTokens, Unit::CacheReadImageTokens, Unit::CacheReadVideoTokens],
    ),
    (Unit::CacheWriteTokens, &[Unit::CacheWrite1hTokens, Unit::CacheWrite12hTokens]),
    (Unit::InputAudioTokens, &[Unit::CacheReadAudioTokens]),
    (Unit::InputImageTokens, &[Unit::CacheReadImageTokens]),
    (Unit::InputVideoTokens, &[Unit::CacheReadVideoTokens]),
    (Unit::OutputTokens, &[Unit::OutputAudioTokens, Unit::OutputImageTokens, Unit::OutputVideoTokens]),
    (Unit::OutputTokens, &[Unit::ReasoningTokens]),
    (Unit::OutputTokens, &[Unit::CitationTokens]),
    (Unit::AudioMilliseconds, &[Unit::InputAudioMilliseconds, Unit::OutputAudioMilliseconds]),
    (Unit::Pages, &[Unit::AnnotatedPages]),
];

impl Usage {
    /// A usage of which nothing is known.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The same usage with `count` of `unit`.
    #[must_use]
    pub fn with(mut self, unit: Unit, count: u64) -> Self {
        self.set(unit, count);
        self
    }

    /// Sets the count of `unit`.
    pub fn set(&mut self, unit: Unit, count: u64) {
        self.0.insert(unit, count);
    }

    /// Makes the count of `unit` unknown.
    pub fn remove(&mut self, unit: Unit) {
        self.0.remove(&unit);
    }

    /// The count of `unit`, if it is known.
    pub fn get(&self, unit: Unit) -> Option<u64> {
        self.0.get(&unit).copied()
    }

    /// The count of `unit` for billing, where what was not counted is not charged. Elsewhere use [`Usage::get`].
    pub fn count(&self, unit: Unit) -> u64 {
        self.get(unit).unwrap_or(0)
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The known counts, in the order of [`Unit::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Unit, u64)> + '_ {
        self.0.iter().map(|(&unit, &count)| (unit, count))
    }

    /// The wholes that are smaller than their parts. Such a usage is still billed, and its record is flagged.
    pub fn inconsistencies(&self) -> Vec<Inconsistency> {
        PARTS.iter().filter_map(|&(whole, parts)| self.inconsistency(whole, parts)).collect()
    }

    fn inconsistency(&self, whole: Unit, parts: &[Unit]) -> Option<Inconsistency> {
        let whole_count = self.get(whole)?;
        let counted = parts.iter().map(|&part| (part, self.at_least(part))).filter(|&(_, count)| count > 0);
        let parts_count = counted.clone().map(|(_, count)| count).fold(0, u64::saturating_add);
        let parts = counted.map(|(part, _)| part);
        (parts_count > whole_count).then(|| Inconsistency {
            whole,
            whole_count,
            parts: parts.collect(),
            parts_count,
        })
    }

    /// What there is of `unit` at least: what was counted of it, or of its parts when that is more.
    fn at_least(&self, unit: Unit) -> u64 {
        let groups = PARTS.iter().filter(|&&(whole, _)| whole == unit).map(|&(_, parts)| parts);
        let sums =
            groups.map(|parts| parts.iter().map(|&part| self.at_least(part)).fold(0, u64::saturating_add));
        sums.fold(self.count(unit), u64::max)
    }
}

impl FromIterator<(Unit, u64)> for Usage {
    fn from_iter<I: IntoIterator<Item = (Unit, u64)>>(counts: I) -> Self {
        Self(counts.into_iter().collect())
    }
}
