//! Half-open spans of time, and the dates people write for them.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;

use crate::Invalid;

/// The half-open span `[start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Interval {
    /// The first instant inside.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

impl Interval {
    /// Everything that a timestamp can say.
    pub const ALWAYS: Self = Self { start: Timestamp::MIN, end: Timestamp::MAX };

    /// Whether `at` is inside.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// The span of the same length that ends where this one starts.
    pub fn previous(&self) -> Option<Self> {
        let start = self.start.checked_sub(self.end.duration_since(self.start)).ok()?;
        Some(Self { start, end: self.start })
    }

    /// The span that a caller's `startDate` and `endDate` mean in `zone`.
    ///
    /// A bare date as the end includes that whole day. A missing bound is taken from `default`.
    pub fn from_bounds(
        start: Option<&str>,
        end: Option<&str>,
        zone: &TimeZone,
        default: Self,
    ) -> Result<Self, Invalid> {
        let start = start
            .map(|text| Moment::parse("startDate", text)?.first_instant("startDate", zone))
            .transpose()?;
        let end = end.map(|text| Moment::parse("endDate", text)?.end_instant(zone)).transpose()?;
        let interval = Self { start: start.unwrap_or(default.start), end: end.unwrap_or(default.end) };
        if interval.start >= interval.end {
            return Err(Invalid::field("endDate", "must be after startDate"));
        }
        Ok(interval)
    }
}

/// A point in time as a person writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Day(Date),
    Instant(Timestamp),
}

impl Moment {
    fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if let Ok(instant) = text.parse() {
            return Ok(Self::Instant(instant));
        }
        // A date alone has ten characters; `Date` would also take, and cut, a date with a time.
        match text.parse() {
            Ok(day) if text.len() == 10 => Ok(Self::Day(day)),
            _ => Err(Invalid::field(
                field,
                "must be a date (2024-01-31) or an RFC 3339 time (2024-01-31T12:00:00Z)",
            )),
        }
    }

    fn first_instant(self, field: &str, zone: &TimeZone) -> Result<Timestamp, Invalid> {
        match self {
            Self::Instant(instant) => Ok(instant),
            Self::Day(day) => start_of_day(day, zone).ok_or_else(|| Invalid::field(field, "is out of range")),
        }
    }

    fn end_instant(self, zone: &TimeZone) -> Result<Timestamp, Invalid> {
        let out_of_range = || Invalid::field("endDate", "is out of range");
        match self {
            Self::Instant(instant) => Ok(instant),
            Self::Day(day) => {
                let next = day.tomorrow().map_err(|_| out_of_range())?;
                start_of_day(next, zone).ok_or_else(out_of_range)
            }
        }
    }
}

/// The first instant of `day` in `zone`: 01:00 where daylight saving skips midnight.
pub fn start_of_day(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    day.to_zoned_datetime(zone.clone()).ok()?.start_of_day().ok().map(|start| start.timestamp())
}

/// The time zone of this IANA name (`Europe/Berlin`), or a fixed offset (`+02:00`).
pub fn time_zone(field: &str, name: &str) -> Result<TimeZone, Invalid> {
    if name.eq_ignore_ascii_case("utc") || name == "Z" {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(name).or_else(|_| TimeZone::posix(&format!("<utc>{}", posix_offset(name)))).map_err(|_| {
        Invalid::field(field, format!("{name:?} is not a time zone such as Europe/Berlin or +02:00"))
    })
}

/// POSIX counts offsets westwards; people write them eastwards.
fn posix_offset(name: &str) -> String {
    match name.split_at_checked(1) {
        Some(("+", offset)) => format!("-{offset}"),
        Some(("-", offset)) => offset.to_owned(),
        _ => "invalid".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(start: &str, end: &str, zone: &str) -> Result<(String, String), Invalid> {
        Interval::from_bounds(Some(start), Some(end), &time_zone("timeZone", zone)?, Interval::ALWAYS)
            .map(|interval| (interval.start.to_string(), interval.end.to_string()))
    }

    #[test]
    fn a_bare_end_date_includes_its_whole_day() {
        let january = interval("2024-01-01", "2024-01-31", "UTC").unwrap();
        assert_eq!(january, ("2024-01-01T00:00:00Z".into(), "2024-02-01T00:00:00Z".into()));
    }

    #[test]
    fn days_are_those_of_the_zone_over_daylight_saving() {
        let day = interval("2024-03-31", "2024-03-31", "Europe/Berlin").unwrap();
        assert_eq!(day, ("2024-03-30T23:00:00Z".into(), "2024-03-31T22:00:00Z".into()));
        let no_midnight = interval("2018-11-04", "2018-11-04", "America/Sao_Paulo").unwrap();
        assert_eq!(no_midnight, ("2018-11-04T03:00:00Z".into(), "2018-11-05T02:00:00Z".into()));
        let fixed = interval("2024-01-01", "2024-01-01", "+05:30").unwrap();
        assert_eq!(fixed, ("2023-12-31T18:30:00Z".into(), "2024-01-01T18:30:00Z".into()));
    }

    #[test]
    fn instants_are_taken_as_they_are() {
        let span = interval("2024-01-15T10:30:00Z", "2024-01-15T12:30:00+01:00", "Asia/Tokyo").unwrap();
        assert_eq!(span, ("2024-01-15T10:30:00Z".into(), "2024-01-15T11:30:00Z".into()));
    }

    #[test]
    fn nonsense_names_its_field() {
        for (start, end, zone, field) in [
            ("yesterday", "2024-01-31", "UTC", "startDate"),
            ("2024-01-01", "2024-02-30", "UTC", "endDate"),
            ("2024-01-02", "2024-01-01", "UTC", "endDate"),
            ("2024-01-01", "9999-12-31", "UTC", "endDate"),
            ("2024-01-01", "2024-01-31", "Mars/Olympus", "timeZone"),
            ("2024-01-01", "2024-01-31", "+99", "timeZone"),
        ] {
            assert_eq!(interval(start, end, zone).unwrap_err().0[0].field, field, "{start} {end} {zone}");
        }
    }
}
