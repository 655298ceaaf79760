//! Hours in which a model is cheaper: `off_peak_pricing`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{DailyWindow, Weekday};

pub(super) const KEY: &str = "off_peak_pricing";

/// Prices by the keys that a model has, and when they hold.
pub(super) struct OffPeak {
    pub(super) prices: BTreeMap<String, Box<RawValue>>,
    pub(super) windows: Vec<DailyWindow>,
}

#[derive(Deserialize)]
struct Window {
    hours_utc: Hours,
    #[serde(default)]
    weekdays: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Hours {
    One(String),
    Many(Vec<String>),
}

impl OffPeak {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut prices: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).ok()?;
        let windows: Vec<Window> = serde_json::from_str(prices.remove("windows")?.get()).ok()?;
        let windows = windows.into_iter().map(Window::daily).collect::<Option<Vec<_>>>()?;
        Some(Self { prices, windows: windows.into_iter().flatten().collect() })
    }
}

impl Window {
    fn daily(self) -> Option<Vec<DailyWindow>> {
        // Monday is 1.
        let weekday = |&day: &usize| Weekday::ALL.get(day.checked_sub(1)?).copied();
        let weekdays: Vec<Weekday> = self.weekdays.iter().map(weekday).collect::<Option<_>>()?;
        let hours = match self.hours_utc {
            Hours::One(hours) => vec![hours],
            Hours::Many(hours) => hours,
        };
        let daily = |hours: &String| {
            let (from, until) = hours.split_once('-')?;
            let (from, until) = (from.parse().ok()?, until.parse().ok()?);
            Some(DailyWindow { from, until, weekdays: weekdays.clone() })
        };
        hours.iter().map(daily).collect()
    }
}
