//! Small integers for words. They are stored for ever: a code is never changed or given to another word.

use domain::usage_record::{CostSource, Flag, Origin, Status};

use crate::StoreError;

/// A word that is stored as a small integer.
pub(super) trait Code: Copy + 'static {
    /// Every word.
    const WORDS: &'static [Self];

    /// Its integer.
    fn code(self) -> i64;

    /// The word of `code`.
    fn of_code(code: i64) -> Result<Self, StoreError> {
        let found = Self::WORDS.iter().copied().find(|word| word.code() == code);
        found.ok_or_else(|| {
            StoreError::Damaged(format!("{code} is not a code of {}", std::any::type_name::<Self>()))
        })
    }
}

impl Code for Status {
    const WORDS: &'static [Self] = Self::ALL;

    fn code(self) -> i64 {
        match self {
            Self::Success => 0,
            Self::Error => 1,
        }
    }
}

impl Code for CostSource {
    const WORDS: &'static [Self] = Self::ALL;

    fn code(self) -> i64 {
        match self {
            Self::Reported => 1,
            Self::Provider => 2,
            Self::Catalog => 3,
            Self::Override => 4,
            Self::Estimated => 5,
            Self::Unpriced => 6,
        }
    }
}

impl Code for Origin {
    const WORDS: &'static [Self] = Self::ALL;

    fn code(self) -> i64 {
        match self {
            Self::Track => 1,
            Self::Sdk => 2,
            Self::Bulk => 3,
            Self::Import => 4,
            Self::Gateway => 5,
            Self::Otlp => 6,
            Self::Demo => 7,
        }
    }
}

/// The set of `flags` as bits.
pub(super) fn flag_bits(flags: &[Flag]) -> i64 {
    flags.iter().fold(0, |bits, flag| bits | flag_bit(*flag))
}

/// The flags of a set, in the order of [`Flag::ALL`].
pub(super) fn flags_of(bits: i64) -> Vec<Flag> {
    Flag::ALL.iter().copied().filter(|flag| bits & flag_bit(*flag) != 0).collect()
}

fn flag_bit(flag: Flag) -> i64 {
    match flag {
        Flag::InconsistentUsage => 1,
        Flag::CostDiffers => 1 << 1,
        Flag::ContentCut => 1 << 2,
        Flag::TierAssumedStandard => 1 << 3,
        Flag::TokensEstimated => 1 << 4,
    }
}
