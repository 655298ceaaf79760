//! Disjoint buckets: each token of a usage in exactly one of them.

use crate::{Price, Unit, Unpriced, Usage};

/// Units that are charged together, and whose rate to look for, the most specific first.
pub(super) struct Bucket {
    pub(super) unit: Unit,
    pub(super) count: u64,
    pub(super) rate_units: &'static [Unit],
}

/// A [`Usage`] whose wholes are known and not smaller than their parts: what is priced. Made once, it is priced again
/// and again ([`Price::total_of`]).
#[derive(Clone, Debug)]
pub struct Counts {
    by_unit: [u64; Unit::ALL.len()],
    /// The whole prompt.
    pub(super) input_tokens: u64,
    output_tokens: u64,
}

/// Input media: all of it, what of it was read from the cache, and where to look for the rates of both.
const INPUT_MEDIA: [(Unit, &[Unit], Unit, &[Unit]); 3] = [
    (
        Unit::InputAudioTokens,
        &[Unit::InputAudioTokens, Unit::InputTokens],
        Unit::CacheReadAudioTokens,
        &[Unit::CacheReadAudioTokens, Unit::CacheReadTokens, Unit::InputAudioTokens, Unit::InputTokens],
    ),
    (
        Unit::InputImageTokens,
        &[Unit::InputImageTokens, Unit::InputTokens],
        Unit::CacheReadImageTokens,
        &[Unit::CacheReadImageTokens, Unit::CacheReadTokens, Unit::InputImageTokens, Unit::InputTokens],
    ),
    (
        Unit::InputVideoTokens,
        &[Unit::InputVideoTokens, Unit::InputTokens],
        Unit::CacheReadVideoTokens,
        &[Unit::CacheReadVideoTokens, Unit::CacheReadTokens, Unit::InputVideoTokens, Unit::InputTokens],
    ),
];

const OUTPUT_MEDIA: [(Unit, &[Unit]); 3] = [
    (Unit::OutputAudioTokens, &[Unit::OutputAudioTokens, Unit::OutputTokens]),
    (Unit::OutputImageTokens, &[Unit::OutputImageTokens, Unit::OutputTokens]),
    (Unit::OutputVideoTokens, &[Unit::OutputVideoTokens, Unit::OutputTokens]),
];

/// Kinds of text, charged apart only where they have a rate of their own.
const OUTPUT_TEXTS: [(Unit, &[Unit]); 2] =
    [(Unit::ReasoningTokens, &[Unit::ReasoningTokens]), (Unit::CitationTokens, &[Unit::CitationTokens])];

const ONE_HOUR_RATES: &[Unit] = &[Unit::CacheWrite1hTokens, Unit::CacheWriteTokens, Unit::InputTokens];
const TWELVE_HOURS_RATES: &[Unit] = &[Unit::CacheWrite12hTokens, Unit::CacheWriteTokens, Unit::InputTokens];
const HEARD_RATES: &[Unit] = &[Unit::InputAudioMilliseconds, Unit::AudioMilliseconds];
const SPOKEN_RATES: &[Unit] = &[Unit::OutputAudioMilliseconds, Unit::AudioMilliseconds];

const CACHE_UNITS: [Unit; 7] = [
    Unit::CacheReadTokens,
    Unit::CacheWriteTokens,
    Unit::CacheWrite1hTokens,
    Unit::CacheWrite12hTokens,
    Unit::CacheReadAudioTokens,
    Unit::CacheReadImageTokens,
    Unit::CacheReadVideoTokens,
];

/// Units that are not part of anything else.
const SEPARATE: [(Unit, &[Unit]); 9] = [
    (Unit::InputCharacters, &[Unit::InputCharacters]),
    (Unit::InputVideoMilliseconds, &[Unit::InputVideoMilliseconds]),
    (Unit::OutputVideoMilliseconds, &[Unit::OutputVideoMilliseconds]),
    (Unit::InputImages, &[Unit::InputImages]),
    (Unit::Images, &[Unit::Images]),
    (Unit::TextMessages, &[Unit::TextMessages]),
    (Unit::WebSearches, &[Unit::WebSearches]),
    (Unit::FileSearches, &[Unit::FileSearches]),
    (Unit::CodeExecutions, &[Unit::CodeExecutions]),
];

impl Counts {
    /// What is charged of `usage`.
    pub fn of(usage: &Usage) -> Result<Self, Unpriced> {
        if usage.is_empty() {
            return Err(Unpriced::NoUsage);
        }
        let total = usage.count(Unit::TotalTokens);
        let (input, output) = match (usage.get(Unit::InputTokens), usage.get(Unit::OutputTokens)) {
            (None, None) if total > 0 && !usage.iter().any(|(unit, _)| unit.is_measure()) => {
                return Err(Unpriced::TotalOnly);
            }
            (Some(input), None) => (input, total.saturating_sub(input)),
            (None, Some(output)) => (total.saturating_sub(output), output),
            (input, output) => (input.unwrap_or(0), output.unwrap_or(0)),
        };
        let mut counts = Self { by_unit: [0; Unit::ALL.len()], input_tokens: 0, output_tokens: 0 };
        usage.iter().for_each(|(unit, count)| counts.by_unit[unit as usize] = count);
        // Every call is a request, counted or not.
        counts.by_unit[Unit::Requests as usize] = usage.get(Unit::Requests).unwrap_or(1);
        counts.input_tokens = input.max(counts.cached()).max(counts.sum(INPUT_MEDIA.map(|(unit, ..)| unit)));
        counts.output_tokens = output
            .max(counts.sum(OUTPUT_MEDIA.map(|(unit, _)| unit)))
            .max(counts.get(Unit::ReasoningTokens))
            .max(counts.get(Unit::CitationTokens));
        Ok(counts)
    }

    /// The same with nothing cached; `None` when nothing was.
    pub fn uncached(&self) -> Option<Self> {
        let mut uncached = self.clone();
        for unit in CACHE_UNITS {
            uncached.by_unit[unit as usize] = 0;
        }
        (uncached.by_unit != self.by_unit).then_some(uncached)
    }

    /// Tells `add` of every bucket that is not empty, in the order of a bill.
    pub(super) fn each_bucket(&self, price: &Price, mut add: impl FnMut(Bucket)) {
        let mut push = |bucket: Bucket| {
            if bucket.count > 0 {
                add(bucket);
            }
        };
        self.push_input(&mut push);
        self.push_output(price, &mut push);
        self.push_audio_time(&mut push);
        self.push_pages(&mut push);
        for (unit, rate_units) in SEPARATE {
            push(bucket(unit, self.get(unit), rate_units));
        }
        if price.rates.contains_key(&Unit::Requests) {
            push(bucket(Unit::Requests, self.get(Unit::Requests), &[Unit::Requests]));
        }
    }

    /// Uncached tokens by medium (text is what remains), then the cached ones.
    ///
    /// When nobody said which of the media were cached, no more of them are charged as uncached than there are
    /// uncached tokens.
    fn push_input(&self, push: &mut impl FnMut(Bucket)) {
        let mut text = self.input_tokens.saturating_sub(self.cached());
        let mut cached_text = self.cache_read();
        for (unit, rate_units, cached_unit, cached_rate_units) in INPUT_MEDIA {
            let cached = self.get(cached_unit).min(cached_text);
            let uncached = self.get(unit).saturating_sub(cached).min(text);
            text -= uncached;
            cached_text -= cached;
            push(bucket(unit, uncached, rate_units));
            push(bucket(cached_unit, cached, cached_rate_units));
        }
        let one_hour = self.get(Unit::CacheWrite1hTokens);
        let twelve_hours = self.get(Unit::CacheWrite12hTokens);
        let written = self.cache_write().saturating_sub(one_hour).saturating_sub(twelve_hours);
        push(bucket(Unit::InputTokens, text, &[Unit::InputTokens]));
        push(bucket(Unit::CacheReadTokens, cached_text, &[Unit::CacheReadTokens, Unit::InputTokens]));
        push(bucket(Unit::CacheWriteTokens, written, &[Unit::CacheWriteTokens, Unit::InputTokens]));
        push(bucket(Unit::CacheWrite1hTokens, one_hour, ONE_HOUR_RATES));
        push(bucket(Unit::CacheWrite12hTokens, twelve_hours, TWELVE_HOURS_RATES));
    }

    /// Media, then reasoning and citations where they have a rate of their own; text is what remains.
    fn push_output(&self, price: &Price, push: &mut impl FnMut(Bucket)) {
        let mut text = self.output_tokens;
        let priced_texts = OUTPUT_TEXTS.into_iter().filter(|(unit, _)| price.rates.contains_key(unit));
        for (unit, rate_units) in OUTPUT_MEDIA.into_iter().chain(priced_texts) {
            let count = self.get(unit).min(text);
            text -= count;
            push(bucket(unit, count, rate_units));
        }
        push(bucket(Unit::OutputTokens, text, &[Unit::OutputTokens]));
    }

    fn push_audio_time(&self, push: &mut impl FnMut(Bucket)) {
        let (heard, spoken) =
            (self.get(Unit::InputAudioMilliseconds), self.get(Unit::OutputAudioMilliseconds));
        let rest = self.get(Unit::AudioMilliseconds).saturating_sub(heard.saturating_add(spoken));
        push(bucket(Unit::AudioMilliseconds, rest, &[Unit::AudioMilliseconds]));
        push(bucket(Unit::InputAudioMilliseconds, heard, HEARD_RATES));
        push(bucket(Unit::OutputAudioMilliseconds, spoken, SPOKEN_RATES));
    }

    fn push_pages(&self, push: &mut impl FnMut(Bucket)) {
        let annotated = self.get(Unit::AnnotatedPages);
        let plain = self.get(Unit::Pages).saturating_sub(annotated);
        push(bucket(Unit::Pages, plain, &[Unit::Pages]));
        push(bucket(Unit::AnnotatedPages, annotated, &[Unit::AnnotatedPages, Unit::Pages]));
    }

    fn cached(&self) -> u64 {
        self.cache_read().saturating_add(self.cache_write())
    }

    fn cache_read(&self) -> u64 {
        self.get(Unit::CacheReadTokens).max(self.sum(INPUT_MEDIA.map(|(_, _, cached, _)| cached)))
    }

    fn cache_write(&self) -> u64 {
        let long = self.sum([Unit::CacheWrite1hTokens, Unit::CacheWrite12hTokens]);
        self.get(Unit::CacheWriteTokens).max(long)
    }

    fn sum<const N: usize>(&self, units: [Unit; N]) -> u64 {
        units.iter().map(|&unit| self.get(unit)).fold(0, u64::saturating_add)
    }

    fn get(&self, unit: Unit) -> u64 {
        self.by_unit[unit as usize]
    }
}

const fn bucket(unit: Unit, count: u64, rate_units: &'static [Unit]) -> Bucket {
    Bucket { unit, count, rate_units }
}
