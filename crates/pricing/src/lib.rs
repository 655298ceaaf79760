//! What a large-language-model call costs, exactly.
//!
//! A [`Usage`] says what was counted, a [`Call`] says of which model and when, the [`Catalog`] finds the
//! [`Price`] that was in force, and [`Price::cost_of`] gives the [`Cost`] with its line items:
//!
//! ```
//! use pricing::{Call, Catalog, Unit, Usage};
//!
//! let at = "2023-11-16T00:00:00Z".parse()?;
//! let usage = Usage::new().with(Unit::InputTokens, 25).with(Unit::OutputTokens, 150);
//! let found = Catalog::embedded().find_price(&Call::new(Some("openai"), "gpt-4", at))?;
//! assert_eq!(found.price.cost_of(&usage)?.total.to_string(), "0.00975");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`PriceBook`] is what a server holds: the catalog with the operator's own names ([`Mappings`]) and prices
//! ([`Adjustments`]). Newer price lists are read by [`import`], brought in by [`merge()`], compared by [`diff`] and
//! looked over by [`verify()`].
//!
//! **Architecture invariant:** nothing here reads a file, a clock or the network, and no number that is money
//! ever passes through a float. Amounts stay exact fractions until [`Amount::round`], the one place that rounds.

mod adjustment;
mod amount;
mod billing;
mod book;
mod catalog;
mod change;
mod decimal;
mod exchange_rate;
pub mod import;
mod mapping;
mod merge;
mod money;
mod name_pattern;
mod price;
mod provider;
mod rate;
mod unit;
mod unpriced;
mod usage;
mod verify;

pub use adjustment::{
    Adjustment, AdjustmentError, AdjustmentKind, Adjustments, BasisPoints, BasisPointsError, OwnRates, Payer,
    Scope,
};
pub use amount::{Amount, AmountError};
pub use billing::{Cost, Counts, LineItem};
pub use book::{PriceBook, Priced};
pub use catalog::file;
pub use catalog::{Call, Catalog, CatalogError, Found, MatchRule, Matcher, Pattern, PriceHistory, Provider};
pub use change::{Change, ChangeKind, diff};
pub use exchange_rate::{ExchangeRate, ExchangeRateError};
pub use mapping::{Mapping, MappingError, Mappings};
pub use merge::{Merged, merge};
pub use money::{Money, MoneyError};
pub use name_pattern::{NamePattern, NamePatternError};
pub use price::{Conditions, DailyWindow, Price, PriceSource, Weekday};
pub use provider::canonical_provider;
pub use rate::{Per, Rate, RateError, TieredRate};
pub use unit::{Unit, UnknownUnit};
pub use unpriced::Unpriced;
pub use usage::{Inconsistency, Usage};
pub use verify::{Absurdity, Finding, verify};
