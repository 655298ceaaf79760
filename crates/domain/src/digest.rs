//! What was spent, by e-mail, once a week or once a month.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Interval, Invalid, interval::time_zone, query::Bucket};

/// How long after a period's end its digest is sent: at seven in the morning.
const SENT_AFTER: SignedDuration = SignedDuration::from_hours(7);
/// How long it is worth sending; who was away for longer gets the next one.
const SENT_BEFORE: SignedDuration = SignedDuration::from_hours(3 * 24);

/// How often a digest is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Frequency {
    /// Never.
    #[default]
    Off,
    /// On Monday, of the week before.
    Weekly,
    /// On the first, of the month before.
    Monthly,
}

/// What somebody wants to be told regularly; a part of their preferences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DigestSettings {
    /// How often.
    pub frequency: Frequency,
    /// IANA name of the zone whose days count; `UTC` unless told otherwise.
    #[serde(default = "utc")]
    pub time_zone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

impl Default for DigestSettings {
    fn default() -> Self {
        Self { frequency: Frequency::Off, time_zone: utc() }
    }
}

impl DigestSettings {
    /// The key under which they are in the preferences.
    pub const KEY: &str = "digest";

    /// Those that `preferences`, a JSON object as text, hold; nothing is sent where they hold none that can be read.
    pub fn of_preferences(preferences: &str) -> Self {
        let mut object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(preferences).unwrap_or_default();
        object.remove(Self::KEY).and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
    }

    /// Whether they can be kept.
    pub fn check(&self) -> Result<(), Invalid> {
        time_zone("timeZone", &self.time_zone).map(drop)
    }

    /// The zone whose days count.
    pub fn zone(&self) -> TimeZone {
        // Checked when it was set; a zone that a later tz database lost counts as UTC.
        time_zone("timeZone", &self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// The last week, or month, that was over before `now`; `None` when nothing is wanted.
    pub fn last_period(&self, now: Timestamp) -> Option<Interval> {
        let bucket = match self.frequency {
            Frequency::Off => return None,
            Frequency::Weekly => Bucket::Week,
            Frequency::Monthly => Bucket::Month,
        };
        // Two months back, so that a whole one is in it; a second on, so that a period that starts now has started.
        let around = Interval {
            start: now.checked_sub(SignedDuration::from_hours(62 * 24)).ok()?,
            end: now.checked_add(SignedDuration::from_secs(1)).ok()?,
        };
        let starts = bucket.starts(around, &self.zone()).ok()?;
        match starts.as_slice() {
            [.., start, end] => Some(Interval { start: *start, end: *end }),
            _ => None,
        }
    }

    /// The period whose digest is to be sent at `now`.
    pub fn period_due(&self, now: Timestamp) -> Option<Interval> {
        let since_end = |period: &Interval| now.duration_since(period.end);
        self.last_period(now).filter(|period| (SENT_AFTER..SENT_BEFORE).contains(&since_end(period)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(frequency: Frequency, zone: &str, now: &str) -> Option<[String; 2]> {
        let settings = DigestSettings { frequency, time_zone: zone.to_owned() };
        let period = settings.period_due(now.parse().unwrap())?;
        Some([period.start.to_string(), period.end.to_string()])
    }

    #[test]
    fn a_week_is_told_on_monday_at_seven_for_three_days() {
        let week = Some(["2024-02-05T00:00:00Z".to_owned(), "2024-02-12T00:00:00Z".to_owned()]);
        let at = |now| due(Frequency::Weekly, "UTC", now);
        assert_eq!(at("2024-02-12T06:59:59Z"), None);
        assert_eq!(at("2024-02-12T07:00:00Z"), week);
        assert_eq!(at("2024-02-14T23:59:59Z"), week);
        assert_eq!(at("2024-02-15T00:00:00Z"), None);
    }

    #[test]
    fn a_month_is_told_on_the_first_of_the_next_in_the_persons_zone() {
        let march = Some(["2024-02-29T23:00:00Z".to_owned(), "2024-03-31T22:00:00Z".to_owned()]);
        assert_eq!(due(Frequency::Monthly, "Europe/Berlin", "2024-04-01T05:00:00Z"), march);
        assert_eq!(due(Frequency::Monthly, "Europe/Berlin", "2024-04-01T04:59:59Z"), None);
        assert_eq!(due(Frequency::Off, "Europe/Berlin", "2024-04-01T05:00:00Z"), None);
    }

    #[test]
    fn a_period_that_ends_now_is_over() {
        let settings = DigestSettings { frequency: Frequency::Weekly, ..DigestSettings::default() };
        let end: Timestamp = "2024-02-12T00:00:00Z".parse().unwrap();
        assert_eq!(settings.last_period(end).unwrap().end, end);
    }

    #[test]
    fn preferences_of_others_are_let_be() {
        let of = DigestSettings::of_preferences;
        let weekly = of(r#"{"theme":"dark","digest":{"frequency":"weekly"}}"#);
        assert_eq!((weekly.frequency, weekly.time_zone.as_str()), (Frequency::Weekly, "UTC"));
        for none in ["{}", "", "[]", r#"{"digest":"weekly"}"#, r#"{"digest":{"frequency":"hourly"}}"#] {
            assert_eq!(of(none), DigestSettings::default(), "{none}");
        }
        let unknown = DigestSettings { frequency: Frequency::Off, time_zone: "Mars/Olympus".to_owned() };
        assert!(unknown.check().is_err());
    }
}
