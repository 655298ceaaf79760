//! Alerts of budgets: once each, by every way, also under load and over restarts.

use serde_json::{Value, json};
use server::{notify::dispatch::deliver_due, watch::check_marked};
use store::sqlite::{Options, Sqlite};

use crate::{
    harness::{Person, Server},
    receiver::{MailSink, Receiver},
};

/// The budget of the integration guide; its webhooks go to `url`.
fn budget(url: &str) -> Value {
    json!({ "amount": 1000, "currency": "USD", "period": "monthly", "alerts": [
        { "threshold": 50, "type": "email" },
        { "threshold": 80, "type": "both", "webhookUrl": url },
        { "threshold": 90, "type": "webhook", "webhookUrl": url },
    ] })
}

/// The people and programs around a server.
struct Stage {
    server: Server,
    owner: Person,
    project: String,
    receiver: Receiver,
    mail: MailSink,
}

impl Stage {
    async fn set() -> Self {
        let (receiver, mail) = (Receiver::start().await, MailSink::start().await);
        let data = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&data.path().join("test.db"), Options::default()).unwrap();
        let server = start(store, data, &mail);
        let owner = server.owner().await;
        let body = json!({ "name": "Chat", "budget": budget(&receiver.url) });
        let project = server.project(&owner, body).await;
        Self { server, owner, project, receiver, mail }
    }

    async fn spend(&self, dollars: f64) {
        spend(&self.server, &self.owner, &self.project, dollars, None).await;
    }

    /// Lets the watch look and the dispatcher send.
    async fn settle(&self) {
        check_marked(&self.server.app).await;
        while deliver_due(&self.server.app).await.unwrap() > 0 {}
    }

    async fn get(&self, path: &str) -> Value {
        self.server.get(path).by(&self.owner).send().await.expect(200)
    }

    /// Subjects of the letters, and thresholds of the webhooks, that arrived.
    fn told(&self) -> (Vec<String>, Vec<u64>) {
        let subject = |text: &str| {
            text.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap_or_default().to_owned()
        };
        let letters = self.mail.letters().iter().map(|letter| subject(&letter.text)).collect();
        let hooks = self.receiver.taken();
        (letters, hooks.iter().map(|body| body["data"]["threshold"].as_u64().unwrap()).collect())
    }
}

fn start(store: Sqlite, data: tempfile::TempDir, mail: &MailSink) -> Server {
    let settings = mail.settings();
    let mut all: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    all.extend([("notify.allow_private_addresses", "true"), ("auth.allow_signup", "true")]);
    Server::over(store, data, &all)
}

async fn spend(server: &Server, by: &Person, project: &str, dollars: f64, at: Option<&str>) {
    let body = json!({ "model": "gpt-4o", "projectId": project, "cost": dollars, "timestamp": at });
    server.track(by, body).await;
}

#[tokio::test]
async fn the_guides_three_alerts_bring_two_letters_and_two_signed_webhooks() {
    let stage = Stage::set().await;
    for dollars in [499.99, 0.01, 299.0, 1.0, 99.0, 1.0, 50.0] {
        stage.spend(dollars).await;
        stage.settle().await;
    }
    let (letters, hooks) = stage.told();
    assert_eq!(
        letters,
        ["Chat: 50 % of the budget of $1,000.00 is spent", "Chat: 80 % of the budget of $1,000.00 is spent"]
    );
    assert_eq!(hooks, [80, 90]);
    assert!(stage.mail.letters().iter().all(|letter| letter.to == stage.owner.email));
    let of_project = stage.get(&format!("/api/webhooks?projectId={}", stage.project)).await;
    assert_eq!(of_project.as_array().unwrap().len(), 1, "{of_project}");
    let secret = of_project[0]["secret"].as_str().unwrap();
    for received in stage.receiver.received() {
        assert!(received.is_signed_with(secret));
        assert_eq!(received.json()["type"], "budget.threshold_crossed");
    }
    let eighty = &stage.receiver.taken()[0]["data"];
    assert_eq!((&eighty["spent"], &eighty["remaining"]), (&json!(800), &json!(200)));
    assert_eq!(eighty["project"], json!({ "id": stage.project, "name": "Chat" }));
}

#[tokio::test]
async fn the_status_shows_what_fired_and_what_came_of_it() {
    let stage = Stage::set().await;
    stage.receiver.answers(500);
    stage.spend(850.5).await;
    stage.settle().await;
    let status = stage.get(&format!("/api/budgets/{}/status", stage.project)).await;
    assert_eq!((&status["spent"], &status["reserved"]), (&json!(850.5), &json!(0)));
    assert_eq!((&status["remaining"], &status["utilization"]), (&json!(149.5), &json!(85.05)));
    assert_eq!(status["periodEnd"], json!("2024-03-01T00:00:00Z"));
    assert_eq!(status["pace"]["elapsed"], json!(32.75));
    assert_eq!((&status["forecast"], &status["exceededAt"]), (&Value::Null, &Value::Null));
    let alerts = status["alerts"].as_array().unwrap();
    let fired: Vec<&Value> = alerts.iter().map(|alert| &alert["firedAt"]).collect();
    assert_eq!(fired, [&json!("2024-02-10T12:00:00Z"), &json!("2024-02-10T12:00:00Z"), &Value::Null]);
    assert_eq!(alerts[0]["deliveries"][0]["state"], json!("delivered"));
    assert_eq!(alerts[0]["deliveries"][0]["to"], json!(stage.owner.email));
    let hook = &alerts[1]["deliveries"][1];
    assert_eq!((&hook["channel"], &hook["state"]), (&json!("webhook"), &json!("waiting")));
    assert!(hook["to"].as_str().unwrap().starts_with("127.0.0.1:"), "only the host: {hook}");
    assert_eq!(hook["reason"], json!("HTTP 500"));
    let budgets = stage.get("/api/budgets").await;
    assert_eq!(budgets[0]["spending"]["budgetUtilization"], json!(85.05));
    let other = stage.server.project(&stage.owner, json!({ "name": "No budget" })).await;
    let none = stage.server.get(&format!("/api/budgets/{other}/status")).by(&stage.owner).send().await;
    none.refused(404, "budget_not_found");
}

#[tokio::test]
async fn a_forecast_says_when_the_budget_runs_out() {
    let stage = Stage::set().await;
    for day in 1..10 {
        let at = format!("2024-02-{day:02}T12:00:00Z");
        spend(&stage.server, &stage.owner, &stage.project, 60.0, Some(&at)).await;
    }
    let status = stage.get(&format!("/api/budgets/{}/status", stage.project)).await;
    // 540 of 1000 are spent at noon of the tenth; 460 at 60 a day are 7 days and 16 hours.
    assert_eq!(status["projectedExhaustionAt"], json!("2024-02-18T04:00:00Z"));
    // And half of today, and nineteen days: 19.5 times 60.
    assert_eq!(status["forecast"]["expected"], json!(1710));
    assert_eq!(status["forecast"]["basis"], json!("average"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_senders_at_once_and_two_watchers_tell_once() {
    let stage = Stage::set().await;
    let stage = std::sync::Arc::new(stage);
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let stage = std::sync::Arc::clone(&stage);
        senders.spawn(async move {
            for _ in 0..4 {
                stage.spend(4.0).await;
                check_marked(&stage.server.app).await;
            }
        });
    }
    senders.join_all().await;
    stage.settle().await;
    let (letters, hooks) = stage.told();
    assert_eq!((letters.len(), hooks), (2, vec![80, 90]));
    let alerts = stage.get("/api/alerts").await;
    let thresholds: Vec<u64> =
        alerts.as_array().unwrap().iter().map(|alert| alert["threshold"].as_u64().unwrap()).collect();
    assert_eq!(thresholds.iter().collect::<std::collections::BTreeSet<_>>().len(), 4, "{thresholds:?}");
    assert_eq!(thresholds.len(), 4, "50, 80, 90 and the end of the budget");
}

#[tokio::test]
async fn a_restart_between_a_call_and_its_look_loses_nothing_and_repeats_nothing() {
    let (receiver, mail) = (Receiver::start().await, MailSink::start().await);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let open = || Sqlite::open(&path, Options::default()).unwrap();
    let first = start(open(), tempfile::tempdir().unwrap(), &mail);
    let owner = first.owner().await;
    let project = first.project(&owner, json!({ "name": "Chat", "budget": budget(&receiver.url) })).await;
    spend(&first, &owner, &project, 500.0, None).await;
    check_marked(&first.app).await;
    // Claimed and kept, but not sent; and a call that nobody has looked at.
    spend(&first, &owner, &project, 300.0, None).await;
    first.store.close().await.unwrap();
    drop(first);
    let second = start(open(), tempfile::tempdir().unwrap(), &mail);
    second.app.watch.mark_everything(second.app.clock.now());
    for _ in 0..2 {
        check_marked(&second.app).await;
        while deliver_due(&second.app).await.unwrap() > 0 {}
        second.app.watch.mark_everything(second.app.clock.now());
    }
    assert_eq!(mail.letters().len(), 2);
    assert_eq!(receiver.taken().len(), 1);
    second.store.close().await.unwrap();
}

#[tokio::test]
async fn a_new_period_fires_anew_and_late_records_of_an_old_one_do_not() {
    let stage = Stage::set().await;
    stage.spend(500.0).await;
    stage.settle().await;
    // Into March, where nothing is spent yet.
    stage.server.clock.advance_seconds(25 * 24 * 3600);
    let key_of = |credential: String| Person { credential, ..stage.owner.clone() };
    let login = json!({ "email": stage.owner.email, "password": "correct horse battery" });
    let session = stage.server.post("/api/auth/login").json(&login).await.expect(200);
    let owner = key_of(session["accessToken"].as_str().unwrap().to_owned());
    spend(&stage.server, &owner, &stage.project, 450.0, Some("2024-02-20T12:00:00Z")).await;
    stage.settle().await;
    assert_eq!(stage.told().0.len(), 1, "February is over");
    spend(&stage.server, &owner, &stage.project, 500.0, None).await;
    stage.settle().await;
    assert_eq!(stage.told().0.len(), 2);
    let status = stage.server.get(&format!("/api/budgets/{}/status", stage.project)).by(&owner);
    assert_eq!(status.send().await.expect(200)["spent"], json!(500));
}

#[tokio::test]
async fn a_smaller_budget_fires_at_once_and_a_larger_one_does_not_repeat() {
    let stage = Stage::set().await;
    stage.spend(100.0).await;
    stage.settle().await;
    assert_eq!(stage.told().0.len(), 0);
    for (amount, letters) in [(200, 1), (10_000, 1), (190, 1), (120, 2)] {
        let mut changed = budget(&stage.receiver.url);
        changed["amount"] = json!(amount);
        let path = format!("/api/projects/{}", stage.project);
        let body = json!({ "budget": changed });
        stage.server.call("PUT", &path).by(&stage.owner).json(&body).await.expect(200);
        stage.settle().await;
        assert_eq!(stage.told().0.len(), letters, "{amount}");
    }
}

#[tokio::test]
async fn without_a_mail_server_the_list_still_works_and_says_so() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let body = json!({ "name": "Chat", "budget": { "amount": 10, "period": "monthly", "alerts": [
        { "threshold": 50, "type": "both" }] } });
    let project = server.project(&owner, body).await;
    spend(&server, &owner, &project, 6.0, None).await;
    check_marked(&server.app).await;
    assert_eq!(deliver_due(&server.app).await.unwrap(), 0);
    let path = format!("/api/budgets/{project}/status");
    let status = server.get(&path).by(&owner).send().await.expect(200);
    let deliveries = status["alerts"][0]["deliveries"].as_array().unwrap();
    assert!(deliveries.iter().all(|delivery| delivery["state"] == "not_configured"), "{deliveries:?}");
    assert!(deliveries[0]["reason"].as_str().unwrap().contains("[smtp]"));
    let alerts = server.get("/api/alerts").by(&owner).send().await.expect(200);
    assert_eq!((&alerts[0]["threshold"], &alerts[0]["type"]), (&json!(50), &json!("both")));
    server.post("/api/notifications/email/test").by(&owner).send().await.refused(409, "mail_not_configured");
}

#[tokio::test]
async fn a_mail_server_that_refuses_for_now_is_asked_again_and_one_that_refuses_is_not() {
    let stage = Stage::set().await;
    stage.mail.refuses(450);
    stage.spend(500.0).await;
    stage.settle().await;
    assert_eq!(stage.told().0.len(), 0);
    stage.mail.refuses(0);
    stage.server.clock.advance_seconds(6);
    stage.settle().await;
    assert_eq!(stage.told().0.len(), 1);
    stage.mail.refuses(550);
    stage.spend(300.0).await;
    stage.settle().await;
    let status = stage.get(&format!("/api/budgets/{}/status", stage.project)).await;
    let letter = &status["alerts"][1]["deliveries"][0];
    assert_eq!((&letter["state"], &letter["attempts"]), (&json!("failed"), &json!(1)), "{letter}");
    assert!(letter["reason"].as_str().unwrap().contains("not now"), "{letter}");
    let answer = stage.server.post("/api/notifications/email/test").by(&stage.owner).send().await.expect(200);
    assert_eq!((&answer["isTaken"], &answer["status"]), (&json!(false), &json!(550)));
    stage.mail.refuses(0);
    let answer = stage.server.post("/api/notifications/email/test").by(&stage.owner).send().await.expect(200);
    assert_eq!((&answer["isTaken"], &answer["to"]), (&json!(true), &json!(stage.owner.email)));
}

#[tokio::test]
async fn everybody_reads_snoozes_and_deletes_for_themselves() {
    let stage = Stage::set().await;
    let viewer = stage.server.member(&stage.owner, &stage.project, "viewer@example.com", "viewer").await;
    let stranger = stage.server.register("stranger@example.com", None).await;
    stage.spend(1000.0).await;
    stage.settle().await;
    let unread = async |person: &Person| {
        let counted = stage.server.get("/api/alerts/unread-count").by(person).send().await.expect(200);
        counted["count"].as_u64().unwrap()
    };
    assert_eq!((unread(&viewer).await, unread(&stage.owner).await, unread(&stranger).await), (4, 4, 0));
    let page = stage.server.get("/api/alerts?limit=3").by(&viewer).send().await.value();
    let (alerts, cursor) = (&page["data"], page["pagination"]["nextCursor"].as_str().unwrap());
    assert_eq!(alerts[0]["exceeded"], json!(true), "the latest first");
    let next = stage.server.get(&format!("/api/alerts?cursor={cursor}")).by(&viewer).send().await.value();
    assert_eq!((next["data"].as_array().unwrap().len(), &next["pagination"]["hasNext"]), (1, &json!(false)));
    let path = |n: usize| format!("/api/alerts/{}", alerts[n]["id"].as_str().unwrap());
    for (n, change) in [(0, json!({ "read": true })), (1, json!({ "snoozedUntil": "2024-02-11T00:00:00Z" }))]
    {
        stage.server.call("PUT", &path(n)).by(&viewer).json(&change).await.expect(200);
    }
    stage.server.call("DELETE", &path(2)).by(&viewer).send().await.expect(200);
    assert_eq!((unread(&viewer).await, unread(&stage.owner).await), (1, 4));
    let listed = async |query: &str| {
        let path = format!("/api/alerts?{query}");
        stage.server.get(&path).by(&viewer).send().await.expect(200).as_array().unwrap().len()
    };
    assert_eq!((listed("").await, listed("status=snoozed").await, listed("status=all").await), (2, 1, 3));
    stage.server.post("/api/alerts/read-all").by(&viewer).send().await.expect(200);
    assert_eq!((unread(&viewer).await, unread(&stage.owner).await), (0, 4));
    stage.server.call("PUT", &path(0)).by(&viewer).json(&json!({ "read": false })).await.expect(200);
    assert_eq!(unread(&viewer).await, 1);
    stage.server.call("PUT", &path(0)).by(&stranger).json(&json!({})).await.refused(404, "alert_not_found");
    stage.server.call("DELETE", &path(0)).by(&stranger).send().await.refused(404, "alert_not_found");
    assert_eq!(stage.server.get("/api/alerts").by(&stranger).send().await.expect(200), json!([]));
}

#[tokio::test]
async fn a_model_without_a_price_is_told_of_once_a_day() {
    let stage = Stage::set().await;
    let hook = json!({ "url": stage.receiver.url, "events": ["price.missing"] });
    stage.server.post("/api/webhooks").by(&stage.owner).json(&hook).await.expect(201);
    let call = json!({ "service": "nobody", "model": "m 1", "promptTokens": 1, "completionTokens": 1 });
    for _ in 0..3 {
        stage.server.track(&stage.owner, call.clone()).await;
        stage.settle().await;
    }
    let told = stage.receiver.taken();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["data"]["service"], &told[0]["data"]["model"]), (&json!("nobody"), &json!("m 1")));
}
