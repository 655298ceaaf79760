//! Instants in a catalog file: `2025-06-10` for midnight UTC, `2025-06-10T08:30:00Z` for others.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

#[expect(clippy::ref_option, reason = "serde calls it so")]
pub(super) fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        None => serializer.serialize_none(),
        Some(at) => {
            let utc = TimeZone::UTC.to_datetime(*at);
            if utc.time() == Time::midnight() {
                serializer.collect_str(&utc.date())
            } else {
                serializer.collect_str(at)
            }
        }
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| parse(&text).map_err(D::Error::custom)).transpose()
}

fn parse(text: &str) -> Result<Timestamp, jiff::Error> {
    const DATE_BYTES: usize = 10;
    if text.len() == DATE_BYTES { midnight(text.parse()?) } else { text.parse() }
}

/// The first instant of a day, UTC; an error on the days at the ends of time.
pub(crate) fn midnight(day: Date) -> Result<Timestamp, jiff::Error> {
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0))
}
