//! Why something has no cost.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Unit;

/// Why a call has no catalog cost. Unknown is not zero: the record carries this instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Unpriced {
    /// No model of the catalog goes by this name.
    #[error("model {model} of {} is not in the catalog", provider.as_deref().unwrap_or("an unknown provider"))]
    UnknownModel {
        /// The provider, as far as it is known.
        provider: Option<String>,
        /// The model as it was called.
        model: String,
    },
    /// The model is known, but no price of it was in force.
    #[error("model {model} of {provider} had no price at {at}")]
    NoPriceAt {
        /// The provider of the price.
        provider: String,
        /// The model in the catalog.
        model: String,
        /// When the call was made.
        at: Timestamp,
    },
    /// Something was counted that the price says nothing about.
    #[error("the price of {model} of {provider} has no rate for {unit}")]
    UnitNotPriced {
        /// The provider of the price.
        provider: String,
        /// The model in the catalog.
        model: String,
        /// What was counted.
        unit: Unit,
    },
    /// Only the total of input and output is known, and they cost differently.
    #[error("only the total of tokens is known, not how many were input and output")]
    TotalOnly,
    /// Nothing was counted.
    #[error("nothing was counted")]
    NoUsage,
    /// The cost is beyond what a call can cost, or what [`crate::Money`] can hold.
    #[error("the cost is beyond what a call can cost")]
    Overflow,
}

impl Unpriced {
    /// A stable name of the reason.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownModel { .. } => "unknown_model",
            Self::NoPriceAt { .. } => "no_price_at",
            Self::UnitNotPriced { .. } => "unit_not_priced",
            Self::TotalOnly => "total_only",
            Self::NoUsage => "no_usage",
            Self::Overflow => "overflow",
        }
    }
}
