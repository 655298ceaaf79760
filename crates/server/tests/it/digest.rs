//! The digest: once for its person and period, with the figures of the dashboard.

use serde_json::{Value, json};
use server::{digest, notify::dispatch::deliver_due};
use store::sqlite::{Options, Sqlite};

use crate::{
    harness::{Person, Server},
    receiver::{MailSink, Receiver},
};

const DAY: i64 = 24 * 3600;

/// Two projects with calls in the week of 29 January and in the one before; now is Saturday, 10 February.
struct Stage {
    server: Server,
    owner: Person,
    mail: MailSink,
}

impl Stage {
    async fn set() -> Self {
        let mail = MailSink::start().await;
        let data = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&data.path().join("test.db"), Options::default()).unwrap();
        let settings = mail.settings();
        let mut all: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
        all.extend([("notify.allow_private_addresses", "true"), ("auth.allow_signup", "true")]);
        let server = Server::over(store, data, &all);
        let person = server.owner().await;
        // An access token would not live as long as these tests.
        let owner = server.key(&person, json!({ "name": "test", "scopes": ["admin"] })).await;
        let budget = json!({ "amount": 1000, "period": "monthly" });
        let chat = server.project(&owner, json!({ "name": "Chat", "budget": budget })).await;
        let search = server.project(&owner, json!({ "name": "Search" })).await;
        for (project, model, cost, at) in [
            (&chat, "gpt-4o", 60.5, "2024-02-05T00:00:00Z"),
            (&chat, "gpt-4o", 20.0, "2024-02-09T12:00:00Z"),
            (&search, "o3", 39.5, "2024-02-08T12:00:00Z"),
            (&chat, "gpt-4o", 100.0, "2024-02-04T23:59:59Z"),
        ] {
            let call = json!({ "service": "openai", "model": model, "projectId": project, "cost": cost,
                "promptTokens": 1000, "completionTokens": 0, "timestamp": at });
            server.track(&owner, call).await;
        }
        Self { server, owner, mail }
    }

    async fn want(&self, frequency: &str) {
        let body = json!({ "frequency": frequency, "timeZone": "UTC" });
        self.server.call("PUT", "/api/user/digest").by(&self.owner).json(&body).await.expect(200);
    }

    /// To Monday, 12 February, so many hours into it.
    fn wait_until_monday(&self, hours: i64) {
        self.server.clock.advance_seconds(DAY + DAY / 2 + hours * 3600);
    }

    async fn send(&self) -> usize {
        let sent = digest::send_due(&self.server.app).await.unwrap();
        while deliver_due(&self.server.app).await.unwrap() > 0 {}
        sent
    }

    async fn get(&self, path: &str) -> Value {
        self.server.get(path).by(&self.owner).send().await.expect(200)
    }
}

#[tokio::test]
async fn it_is_sent_once_on_monday_morning_with_the_figures_of_the_dashboard() {
    let stage = Stage::set().await;
    let receiver = Receiver::start().await;
    for events in [json!(["cost.digest"]), json!([])] {
        let hook = json!({ "url": receiver.url, "events": events });
        stage.server.post("/api/webhooks").by(&stage.owner).json(&hook).await.expect(201);
    }
    stage.want("weekly").await;
    stage.wait_until_monday(6);
    assert_eq!(stage.send().await, 0, "too early");
    stage.server.clock.advance_seconds(3600);
    assert_eq!(stage.send().await, 1);
    assert_eq!(stage.send().await, 0, "it is told");
    let letters = stage.mail.letters();
    assert_eq!(letters.len(), 1);
    assert!(
        letters[0].text.contains("Subject: AI costs, 5 February 2024 to 11 February 2024: $120.00"),
        "{letters:?}"
    );
    let hooks = receiver.taken();
    assert_eq!(hooks.len(), 1, "only to the webhook that asks for it by name");
    let data = &hooks[0]["data"];
    let path = "/api/analytics?startDate=2024-02-05&endDate=2024-02-11&timeZone=UTC";
    let dashboard = stage.get(path).await;
    assert_eq!(data["spent"], dashboard["summary"]["totalCost"]);
    assert_eq!(data["requests"], dashboard["summary"]["totalRequests"]);
    assert_eq!(data["tokens"], dashboard["summary"]["totalTokens"]);
    assert_eq!(data["previousSpent"], dashboard["trends"]["previousTotal"]);
    assert_eq!(
        data["projects"],
        json!([{ "name": "Chat", "spent": 80.5 }, { "name": "Search", "spent": 39.5 }])
    );
    assert_eq!(data["models"][0], json!({ "name": "gpt-4o", "spent": 80.5 }));
    assert_eq!(data["budgets"][0]["spent"], json!(180.5));
    assert_eq!(data["budgets"][0]["utilization"], json!(18.05));
}

#[tokio::test]
async fn it_is_not_sent_to_who_does_not_want_it_nor_when_it_is_old() {
    let stage = Stage::set().await;
    stage.wait_until_monday(7);
    assert_eq!(stage.send().await, 0, "nobody asked for it");
    stage.want("weekly").await;
    stage.want("off").await;
    assert_eq!(stage.send().await, 0, "nobody asks for it any more");
    stage.want("weekly").await;
    stage.server.clock.advance_seconds(3 * DAY);
    assert_eq!(stage.send().await, 0, "on Thursday it is old");
}

#[tokio::test]
async fn a_preview_shows_what_one_may_see() {
    let stage = Stage::set().await;
    stage.wait_until_monday(1);
    let preview = stage.get("/api/user/digest/preview").await;
    assert_eq!(preview["title"], "AI costs, 5 February 2024 to 11 February 2024: $120.00");
    assert_eq!(preview["lines"][1], "The week before: $100.00, 20 % more");
    let stranger = stage.server.register("stranger@example.com", None).await;
    let theirs = stage.server.get("/api/user/digest/preview").by(&stranger).send().await.expect(200);
    assert_eq!((&theirs["facts"]["spent"], &theirs["facts"]["projects"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn it_tells_every_budget_that_one_may_see_with_the_limit_as_it_is_now() {
    let stage = Stage::set().await;
    let (server, owner) = (&stage.server, &stage.owner);
    let member = server.register("member@example.com", None).await;
    let member = server.key(&member, json!({ "name": "worker", "scopes": ["admin"] })).await;
    let keys = server.get("/api/user/dashboard-api-keys").by(&member).send().await.expect(200);
    let own = json!({ "type": "key", "keyId": keys[0]["keyId"] });
    for (name, scope, by) in [
        ("My worker", own, &member),
        ("Nightly", json!({ "type": "tag", "tag": "nightly" }), owner),
        ("Everything", json!({ "type": "account" }), owner),
    ] {
        let terms = json!({ "amount": 100, "period": "monthly" });
        let body = json!({ "name": name, "scope": scope, "budget": terms });
        let made = server.post("/api/budgets").by(by).json(&body).await.expect(201);
        let increase = json!({ "amount": 100, "until": "2024-02-20T00:00:00Z", "reason": "launch" });
        let path = format!("/api/budgets/{}/increases", made["id"].as_str().unwrap());
        server.post(&path).by(owner).json(&increase).await.expect(201);
    }
    server.track(&member, json!({ "model": "gpt-4o", "cost": 30, "tags": ["nightly"] })).await;
    stage.wait_until_monday(1);
    let lines = async |by: &Person| {
        let preview = server.get("/api/user/digest/preview").by(by).send().await.expect(200);
        let lines = preview["facts"]["budgets"].as_array().unwrap().clone();
        lines.into_iter().map(|line| json!([line["name"], line["amount"], line["spent"]])).collect::<Vec<_>>()
    };
    let all = [
        json!(["Everything", 200, 250]),
        json!(["Chat", 1000, 180.5]),
        json!(["My worker", 200, 30]),
        json!(["Nightly", 200, 30]),
    ];
    assert_eq!(lines(owner).await, all);
    assert_eq!(lines(&member).await, [json!(["My worker", 200, 30])]);
}

#[tokio::test]
async fn settings_are_kept_beside_other_preferences_and_checked() {
    let stage = Stage::set().await;
    let profile = json!({ "preferences": { "theme": "dark" } });
    stage.server.call("PUT", "/api/user/profile").by(&stage.owner).json(&profile).await.expect(200);
    assert_eq!(stage.get("/api/user/digest").await, json!({ "frequency": "off", "timeZone": "UTC" }));
    stage.want("monthly").await;
    assert_eq!(stage.get("/api/user/digest").await["frequency"], "monthly");
    assert_eq!(stage.get("/api/user/profile").await["preferences"]["theme"], "dark");
    for (body, status, field) in [
        (json!({ "frequency": "weekly", "timeZone": "Mars/Olympus" }), 422, "timeZone"),
        (json!({ "frequency": "hourly" }), 400, "frequency"),
    ] {
        let answer = stage.server.call("PUT", "/api/user/digest").by(&stage.owner).json(&body).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.text().contains(field), "{}", answer.text());
    }
}
