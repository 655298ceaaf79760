//! When the demo's calls were made.

use jiff::{Timestamp, ToSpan as _, civil::Weekday, tz::TimeZone};

use super::{
    briefs::{BRIEFS, Brief, DAYS, Rhythm},
    dice::Dice,
};

/// Hours of history.
const HOURS: u64 = DAYS * 24;
const HOUR_MS: u64 = 3_600_000;

/// How busy an office is in each hour of the day, in UTC.
const OFFICE: [u64; 24] =
    [2, 1, 1, 1, 2, 6, 18, 45, 78, 95, 100, 92, 70, 84, 98, 96, 82, 58, 34, 20, 12, 8, 5, 3];
/// How busy customers are.
const CUSTOMERS: [u64; 24] =
    [22, 16, 13, 12, 14, 20, 34, 52, 68, 78, 82, 84, 80, 82, 86, 90, 94, 98, 100, 96, 84, 66, 46, 32];
const NIGHT: [u64; 24] = [70, 100, 100, 90, 50, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4, 10, 30];

/// A call that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) at: Timestamp,
    /// Which project, by its place among the briefs.
    pub(super) project: usize,
    /// Days since the history began.
    pub(super) day: u64,
}

/// An hour of the history.
#[derive(Debug, Clone, Copy)]
struct Hour {
    start: Timestamp,
    day: u64,
    of_day: usize,
    weekday: Weekday,
}

/// The moments of `records` calls, oldest first, the last of them before `now`. Holds one hour of them at a time.
pub(super) fn moments(records: u64, now: Timestamp, mut dice: Dice) -> impl Iterator<Item = Moment> {
    let hours = move || (0..HOURS).filter_map(move |hour| Hour::nth(hour, now));
    let total: u128 = hours().map(|hour| weights(hour).iter().sum::<u128>()).sum();
    let mut passed = 0_u128;
    hours().flat_map(move |hour| {
        let mut moments = Vec::new();
        for (project, weight) in weights(hour).into_iter().enumerate() {
            // Shares of the whole, so that what is rounded off in one hour comes in another.
            let until = |weight: u128| (u128::from(records) * weight).checked_div(total).unwrap_or(0);
            let count = until(passed + weight) - until(passed);
            passed += weight;
            moments.extend((0..count).map(|_| {
                let offset = i64::try_from(dice.below(HOUR_MS)).unwrap_or(0).milliseconds();
                Moment { at: hour.start.checked_add(offset).unwrap_or(hour.start), project, day: hour.day }
            }));
        }
        moments.sort_by_key(|moment| moment.at);
        moments
    })
}

/// The first moment of the history.
pub(super) fn start(now: Timestamp) -> Timestamp {
    now.checked_sub(i64::try_from(HOURS).unwrap_or(0).hours()).unwrap_or(now)
}

impl Hour {
    fn nth(hour: u64, now: Timestamp) -> Option<Self> {
        let start = start(now).checked_add(i64::try_from(hour).ok()?.hours()).ok()?;
        let local = start.to_zoned_datetime(TimeZone::UTC);
        Some(Self {
            start,
            day: hour / 24,
            of_day: usize::try_from(local.hour()).ok()?,
            weekday: local.weekday(),
        })
    }
}

fn weights(hour: Hour) -> [u128; BRIEFS.len()] {
    std::array::from_fn(|project| BRIEFS.get(project).map_or(0, |brief| u128::from(weight(brief, hour))))
}

fn weight(brief: &Brief, hour: Hour) -> u64 {
    if brief.ends_on_day.is_some_and(|last| hour.day > last) {
        return 0;
    }
    let weekend = matches!(hour.weekday, Weekday::Saturday | Weekday::Sunday);
    let (hours, weekday) = match brief.rhythm {
        Rhythm::Office => (OFFICE, if weekend { 9 } else { 100 }),
        Rhythm::Customers => (CUSTOMERS, if weekend { 55 } else { 100 }),
        Rhythm::Nightly => (NIGHT, if weekend { 30 } else { 100 }),
    };
    let friday = if hour.weekday == Weekday::Friday { 86 } else { 100 };
    // It doubles over the whole history.
    let growth = 100 + 100 * hour.day / DAYS;
    let spike = match brief.spike {
        Some((first, last, factor)) if (first..=last).contains(&hour.day) => factor,
        _ => 1,
    };
    brief.share * hours.get(hour.of_day).copied().unwrap_or(0) * weekday * friday * growth * spike
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-24T10:20:30Z".parse().unwrap()
    }

    #[test]
    fn every_call_has_its_moment_in_order_before_now() {
        for records in [0, 1, 17, 5_000] {
            let moments: Vec<Moment> = moments(records, now(), Dice::new(1)).collect();
            assert_eq!(moments.len() as u64, records);
            assert!(moments.is_sorted_by_key(|moment| moment.at));
            assert!(moments.iter().all(|moment| start(now()) <= moment.at && moment.at < now()));
        }
    }

    #[test]
    fn weeks_grow_and_launches_show() {
        let moments: Vec<Moment> = moments(100_000, now(), Dice::new(1)).collect();
        let on = |day: u64, project: usize| {
            moments.iter().filter(|m| m.day == day && m.project == project).count()
        };
        let of = |days: std::ops::Range<u64>| moments.iter().filter(|m| days.contains(&m.day)).count();
        assert!(of(83..90) > of(0..7) * 3 / 2, "{} {}", of(0..7), of(83..90));
        // 2026-10-29, a Thursday of the launch, and the Thursday a week later.
        assert!(on(64, 3) > 4 * on(71, 3), "{} {}", on(64, 3), on(71, 3));
        let weekend = moments.iter().filter(|moment| {
            matches!(
                moment.at.to_zoned_datetime(TimeZone::UTC).weekday(),
                Weekday::Saturday | Weekday::Sunday
            )
        });
        assert!(weekend.count() * 6 < moments.len());
        assert_eq!(on(41, 11), 0);
        assert!(on(40, 11) > 0);
    }
}
