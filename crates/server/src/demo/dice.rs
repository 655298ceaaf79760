//! Chance that comes out the same for the same seed, on every machine and in every version.

/// The generator `SplitMix64` (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014): a few
/// lines that never change, unlike a library's generator.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

/// Quantiles of a distribution in thousandths of its median: the 1st percentile, every sixteenth, the 99.5th percentile.
pub(super) type Spread = [u64; 17];

/// Log-normal, σ = 0.8: sizes of prompts and answers.
pub(super) const SIZES: Spread =
    [156, 293, 398, 492, 583, 676, 775, 882, 1000, 1134, 1290, 1478, 1715, 2033, 2510, 3412, 7851];
/// Log-normal, σ = 0.45: response times.
pub(super) const TIMES: Spread =
    [351, 501, 596, 671, 738, 803, 866, 932, 1000, 1073, 1154, 1246, 1355, 1491, 1678, 1994, 3187];

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` − 1; 0 if that is empty. The bias is below 2⁻³² for the small bounds of a demo.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.roll().checked_rem(bound).unwrap_or(0)
    }

    /// A number from `low` to `high`.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True `thousandths` times out of a thousand.
    pub(super) fn chance(&mut self, thousandths: u64) -> bool {
        self.below(1000) < thousandths
    }

    /// One of `items`, which must not be empty.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = self.below(u64::try_from(items.len()).unwrap_or(u64::MAX));
        items.get(usize::try_from(index).unwrap_or_default())
    }

    /// One of `items`, as often as its weight says.
    pub(super) fn weighted<'a, T>(&mut self, items: &'a [(T, u64)]) -> Option<&'a T> {
        let mut left = self.below(items.iter().map(|(_, weight)| weight).sum());
        items.iter().find_map(|(item, weight)| match left.checked_sub(*weight) {
            Some(rest) => {
                left = rest;
                None
            }
            None => Some(item),
        })
    }

    /// A number that spreads around `median`.
    pub(super) fn spread(&mut self, spread: &Spread, median: u64) -> u64 {
        const STEP: u64 = 1 << 16;
        let at = self.below(16 * STEP);
        let (index, part) = (usize::try_from(at / STEP).unwrap_or_default(), at % STEP);
        let (low, high) = (spread[index], spread[index + 1]);
        median * (low + (high - low) * part / STEP) / 1000
    }

    /// `digits` random hexadecimal digits, 16 at most.
    pub(super) fn hex(&mut self, digits: usize) -> String {
        format!("{:016x}", self.roll()).chars().take(digits).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_everything() {
        // The reference implementation's first numbers for the seed 1234567: https://prng.di.unimi.it/splitmix64.c
        let mut dice = Dice::new(1_234_567);
        let rolls = [dice.roll(), dice.roll(), dice.roll()];
        assert_eq!(rolls, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn spreads_keep_their_median_and_weights_their_shares() {
        let mut dice = Dice::new(7);
        let mut sizes: Vec<u64> = (0..10_001).map(|_| dice.spread(&SIZES, 1000)).collect();
        sizes.sort_unstable();
        assert!((950..1050).contains(&sizes[5_000]), "{}", sizes[5_000]);
        assert!(sizes[0] >= 156 && sizes[10_000] <= 7851);
        let items = [("a", 1), ("b", 0), ("c", 3)];
        let picked: Vec<_> = (0..4_000).filter_map(|_| dice.weighted(&items)).collect();
        let share = |name| picked.iter().filter(|item| **item == &name).count();
        assert_eq!((share("b"), picked.len()), (0, 4_000));
        assert!((900..1100).contains(&share("a")), "{}", share("a"));
        assert_eq!(dice.pick::<u8>(&[]), None);
    }
}
