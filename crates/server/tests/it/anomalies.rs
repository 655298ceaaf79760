//! Spending that is far from usual is found, told once, and explained.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use server::{anomalies, notify::dispatch::deliver_due};
use store::sqlite::{Options, Sqlite};

use crate::{
    harness::{NOW, Person, Server},
    receiver::{MailSink, Receiver},
};

const DAY: i64 = 24 * 3600;

/// A project in which gpt-4o costs twenty dollars every day at noon; now is a Saturday, 12:00.
struct Stage {
    server: Server,
    owner: Person,
    project: String,
    mail: MailSink,
}

impl Stage {
    async fn set() -> Self {
        Self::with(&[]).await
    }

    async fn with(more: &[(&str, &str)]) -> Self {
        let mail = MailSink::start().await;
        let data = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&data.path().join("test.db"), Options::default()).unwrap();
        let settings = mail.settings();
        let mut all: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
        all.extend([("notify.allow_private_addresses", "true"), ("auth.allow_signup", "true")]);
        all.extend(more);
        let server = Server::over(store, data, &all);
        let person = server.owner().await;
        // An access token would not live as long as these tests.
        let owner = server.key(&person, json!({ "name": "test", "scopes": ["admin"] })).await;
        let project = server.project(&owner, json!({ "name": "Chat" })).await;
        let stage = Self { server, owner, project, mail };
        for days in 1..=60 {
            stage.spend(20, -24 * days).await;
        }
        stage
    }

    /// Whole dollars, at so many hours from now.
    async fn spend(&self, dollars: i64, hours: i64) {
        self.spend_on("gpt-4o", dollars, hours).await;
    }

    async fn spend_on(&self, model: &str, dollars: i64, hours: i64) {
        let at = NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours);
        let call = json!({ "service": "openai", "model": model, "cost": dollars, "timestamp": at.to_string(),
            "projectId": self.project });
        self.server.track(&self.owner, call).await;
    }

    async fn look(&self) -> usize {
        anomalies::look(&self.server.app).await.unwrap()
    }

    async fn list(&self, query: &str) -> Vec<Value> {
        let path = format!("/api/anomalies{query}");
        self.server.get(&path).by(&self.owner).send().await.expect(200).as_array().unwrap().clone()
    }

    async fn expect_it(&self, anomaly: &Value, by: &Person, body: Value) -> crate::harness::Answer {
        let path = format!("/api/anomalies/{}", anomaly["id"].as_str().unwrap());
        self.server.call("PUT", &path).by(by).json(&body).await
    }
}

#[tokio::test]
async fn a_day_far_above_its_weekday_is_found_while_it_lasts_and_told_once() {
    let stage = Stage::set().await;
    let receiver = Receiver::start().await;
    let hook = json!({ "url": receiver.url, "events": ["cost.anomaly"], "projectId": stage.project });
    stage.server.post("/api/webhooks").by(&stage.owner).json(&hook).await.expect(201);
    stage.spend(59, -2).await;
    assert_eq!(stage.look().await, 0, "not yet three times as much");
    stage.spend(25, -1).await;
    assert_eq!(stage.look().await, 1);
    assert_eq!(stage.look().await, 0, "it is known");
    while deliver_due(&stage.server.app).await.unwrap() > 0 {}
    let told = receiver.taken();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["type"], "cost.anomaly");
    let data = &told[0]["data"];
    assert_eq!((&data["spent"], &data["usual"]), (&json!(84), &json!(20)));
    assert_eq!((&data["times"], &data["usualTime"]), (&json!("4.2"), &json!("Saturday")));
    let letters = stage.mail.letters();
    assert_eq!(letters.len(), 1);
    assert!(
        letters[0].text.contains("Subject: Chat: gpt-4o spent 4.2 times its usual Saturday"),
        "{letters:?}"
    );
    let listed = stage.list("").await;
    assert_eq!(listed.len(), 1);
    for (field, value) in [
        ("projectName", json!("Chat")),
        ("service", json!("openai")),
        ("model", json!("gpt-4o")),
        ("span", json!("day")),
        ("start", json!("2024-02-10T00:00:00Z")),
        ("end", json!("2024-02-11T00:00:00Z")),
        ("deviation", json!(0)),
        ("samples", json!(8)),
        ("basis", json!("same-time")),
        ("explanation", json!("gpt-4o spent 4.2 times its usual Saturday")),
        ("expected", Value::Null),
    ] {
        assert_eq!(listed[0][field], value, "{field}");
    }
}

#[tokio::test]
async fn an_hour_is_compared_with_the_same_hour_of_the_weeks_before() {
    let stage = Stage::set().await;
    stage.spend(81, 0).await;
    // The day is unusual too.
    assert_eq!(stage.look().await, 2);
    let spans: Vec<Value> = stage.list("").await.iter().map(|anomaly| anomaly["span"].clone()).collect();
    assert_eq!(spans, ["hour", "day"]);
    assert_eq!(
        stage.list("").await[0]["explanation"],
        "gpt-4o spent 4.1 times its usual Saturday 12:00 to 13:00 UTC"
    );
}

#[tokio::test]
async fn what_arrived_late_is_found_when_the_day_is_over_and_older_days_are_let_be() {
    let stage = Stage::set().await;
    stage.spend(100, -24 - 6).await;
    stage.spend(100, -24 * 3).await;
    assert_eq!(stage.look().await, 1);
    assert_eq!(stage.list("").await[0]["start"], "2024-02-09T00:00:00Z");
}

#[tokio::test]
async fn a_model_without_history_and_small_amounts_are_no_anomalies() {
    let stage = Stage::set().await;
    stage.spend_on("o3", 500, -2).await;
    for week in 1..=8 {
        stage.spend_on("gpt-4o-mini", 1, -24 * 7 * week - 2).await;
    }
    stage.spend_on("gpt-4o-mini", 9, -2).await;
    assert_eq!(stage.look().await, 0);
}

#[tokio::test]
async fn a_series_is_told_of_once_a_week_by_the_day() {
    let stage = Stage::set().await;
    stage.spend(90, -2).await;
    assert_eq!(stage.look().await, 1);
    stage.server.clock.advance_seconds(DAY);
    stage.spend(90, 22).await;
    assert_eq!(stage.look().await, 0, "the next day is as unusual, and known");
    stage.server.clock.advance_seconds(7 * DAY);
    stage.spend(200, 24 * 8 - 2).await;
    assert_eq!(stage.look().await, 1);
}

#[tokio::test]
async fn what_somebody_expected_is_not_told_again() {
    let stage = Stage::set().await;
    stage.spend(90, -2).await;
    assert_eq!(stage.look().await, 1);
    let anomaly = stage.list("?expected=false").await[0].clone();
    let said = json!({ "expected": true, "note": " load test " });
    let answer = stage.expect_it(&anomaly, &stage.owner, said).await.expect(200);
    assert_eq!(answer["expected"]["note"], "load test");
    assert_eq!(answer["expected"]["by"], json!(stage.owner.id));
    assert_eq!((stage.list("?expected=false").await.len(), stage.list("?expected=true").await.len()), (0, 1));
    stage.server.clock.advance_seconds(8 * DAY);
    stage.spend(200, 24 * 8 - 2).await;
    assert_eq!(stage.look().await, 0, "less than three times what was expected");
    stage.expect_it(&anomaly, &stage.owner, json!({ "expected": false })).await.expect(200);
    assert_eq!(stage.look().await, 1);
}

#[tokio::test]
async fn who_may_not_see_the_project_sees_no_anomaly_and_a_viewer_changes_none() {
    let stage = Stage::set().await;
    stage.spend(90, -2).await;
    assert_eq!(stage.look().await, 1);
    let anomaly = stage.list(&format!("?projectId={}", stage.project)).await[0].clone();
    let stranger = stage.server.register("stranger@example.com", None).await;
    let viewer = stage.server.member(&stage.owner, &stage.project, "viewer@example.com", "viewer").await;
    let seen = async |person: &Person| {
        let path = format!("/api/anomalies?projectId={}", stage.project);
        let all = stage.server.get("/api/anomalies").by(person).send().await.expect(200);
        let own = stage.server.get(&path).by(person).send().await.expect(200);
        (all.as_array().unwrap().len(), own.as_array().unwrap().len())
    };
    assert_eq!((seen(&stranger).await, seen(&viewer).await), ((0, 0), (1, 1)));
    let said = json!({ "expected": true });
    stage.expect_it(&anomaly, &stranger, said.clone()).await.refused(404, "anomaly_not_found");
    stage.expect_it(&anomaly, &viewer, said.clone()).await.refused(403, "forbidden");
    let none = json!({ "id": "507f1f77bcf86cd799439011" });
    stage.expect_it(&none, &stage.owner, said).await.refused(404, "anomaly_not_found");
    let long = json!({ "expected": true, "note": "x".repeat(501) });
    let failure = stage.expect_it(&anomaly, &stage.owner, long).await.failure();
    assert_eq!(failure, (422, "invalid_input".to_owned(), vec!["note".to_owned()]));
}

#[tokio::test]
async fn pages_follow_each_other_and_calls_without_a_project_are_a_series() {
    let stage = Stage::set().await;
    stage.spend(90, -2).await;
    let call = |dollars: i64, days: i64| {
        let at = NOW.parse::<Timestamp>().unwrap() - SignedDuration::from_hours(24 * days + 2);
        json!({ "service": "openai", "model": "o3", "cost": dollars, "timestamp": at.to_string() })
    };
    for days in 1..=8 {
        stage.server.track(&stage.owner, call(10, days)).await;
    }
    stage.server.track(&stage.owner, call(70, 0)).await;
    assert_eq!(stage.look().await, 2);
    let page = stage.server.get("/api/anomalies?limit=1").by(&stage.owner).send().await.value();
    let cursor = page["pagination"]["nextCursor"].as_str().unwrap();
    let next = stage.list(&format!("?limit=1&cursor={cursor}")).await;
    let models = [&page["data"][0], &next[0]].map(|anomaly| {
        (anomaly["model"].as_str().unwrap().to_owned(), anomaly["basis"].as_str().unwrap().to_owned())
    });
    assert!(models.contains(&("gpt-4o".to_owned(), "same-time".to_owned())), "{models:?}");
    assert!(models.contains(&("o3".to_owned(), "active-times".to_owned())), "{models:?}");
}

#[tokio::test]
async fn thresholds_and_mail_are_settings() {
    let stage = Stage::with(&[("anomalies.times_min", "5"), ("anomalies.mail_owners", "false")]).await;
    stage.spend(99, -2).await;
    assert_eq!(stage.look().await, 0);
    stage.spend(1, -2).await;
    assert_eq!(stage.look().await, 1);
    while deliver_due(&stage.server.app).await.unwrap() > 0 {}
    assert_eq!(stage.mail.letters().len(), 0);
}
