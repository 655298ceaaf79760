//! Something that happened and that people or programs may be told of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{EventId, ProjectId, UserId};

macro_rules! event_types {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal;)+) => {
        /// What kind of thing happened. The names are those that webhooks carry and filter by.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        pub enum EventType {
            $($(#[$doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl EventType {
            /// Every type.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word for it in JSON and in the store.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

event_types! {
    /// Calls were recorded.
    UsageTracked = "usage.tracked";
    /// A project's spending reached the threshold of one of its budget's alerts.
    BudgetThresholdCrossed = "budget.threshold_crossed";
    /// A project's spending reached its budget.
    BudgetExceeded = "budget.exceeded";
    /// A project costs much more than it used to.
    CostAnomaly = "cost.anomaly";
    /// A week or a month is over; to webhooks only if they ask for it by name.
    CostDigest = "cost.digest";
    /// A call was recorded for which no price is known.
    PriceMissing = "price.missing";
    /// A tracker key or a provider key was added.
    KeyAdded = "key.added";
    /// A project was made.
    ProjectCreated = "project.created";
    /// A person became a member of a project.
    MemberAdded = "member.added";
    /// Somebody pressed the test button of a webhook, or of e-mail.
    WebhookTest = "webhook.test";
}

impl EventType {
    /// The type that [`Self::as_str`] names.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Identifies it for ever, over every repetition of its deliveries.
    pub id: EventId,
    /// What kind of thing.
    pub kind: EventType,
    /// What it happened to, e.g. `project:507f…`. Deliveries of one subject to one destination arrive in order.
    pub subject: String,
    /// The project that it is about, if it is about one; its members may know of it.
    pub project_id: Option<ProjectId>,
    /// The account that it is about, if it is about one; its holder may know of it.
    pub user_id: Option<UserId>,
    /// The facts, a JSON object as text: what receivers get as `data`.
    pub payload: String,
    /// When it happened.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_by_its_name_and_written_as_it_in_json() {
        for kind in EventType::ALL {
            assert_eq!(EventType::from_name(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(EventType::from_name("budget"), None);
    }
}
