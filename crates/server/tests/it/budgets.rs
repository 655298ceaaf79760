//! Budgets of tracker keys, of tags and of the whole account; increases, carry-over, and other currencies.

use std::sync::Arc;

use domain::limits::{GROUPS_MAX, TAGS_MAX};
use jiff::ToSpan as _;
use serde_json::{Value, json};
use server::{
    notify::dispatch::deliver_due,
    watch::{check_marked, mark_ended_increases},
};
use store::sqlite::{Options, Sqlite};

use crate::{
    harness::{Person, Server},
    receiver::MailSink,
};

fn account(amount: u32, more: &Value) -> Value {
    let mut terms = json!({ "amount": amount, "period": "monthly" });
    for (name, value) in more.as_object().into_iter().flatten() {
        terms[name] = value.clone();
    }
    json!({ "name": "Everything", "scope": { "type": "account" }, "budget": terms })
}

async fn create(server: &Server, by: &Person, body: &Value) -> String {
    let made = server.post("/api/budgets").by(by).json(body).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

async fn status(server: &Server, by: &Person, id: &str) -> Value {
    server.get(&format!("/api/budgets/{id}/status")).by(by).send().await.expect(200)
}

async fn spend(server: &Server, by: &Person, dollars: f64, more: Value) {
    let mut body = json!({ "model": "gpt-4o", "cost": dollars });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    server.track(by, body).await;
}

/// Logs in again: access tokens do not last as long as the clock of a test moves.
async fn log_in(server: &Server, person: &Person) -> Person {
    let login = json!({ "email": person.email, "password": "correct horse battery" });
    let session = server.post("/api/auth/login").json(&login).await.expect(200);
    Person { credential: session["accessToken"].as_str().unwrap().to_owned(), ..person.clone() }
}

#[tokio::test]
async fn a_call_counts_in_the_budgets_of_its_project_its_key_its_tags_and_the_account() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let key = server.key(&owner, json!({ "name": "worker", "scopes": ["ingest"] })).await;
    let key_id = server.get("/api/user/dashboard-api-keys").by(&owner).send().await.expect(200)[0]["keyId"]
        .as_str()
        .unwrap()
        .to_owned();
    let project = server
        .project(&owner, json!({ "name": "Chat", "budget": { "amount": 10, "period": "monthly" } }))
        .await;
    let mut ids = vec![project.clone()];
    for scope in [
        json!({ "type": "key", "keyId": key_id }),
        json!({ "type": "tag", "tag": "nightly" }),
        json!({ "type": "account" }),
    ] {
        let body =
            json!({ "name": scope["type"], "scope": scope, "budget": { "amount": 10, "period": "monthly" } });
        ids.push(create(&server, &owner, &body).await);
    }
    spend(&server, &owner, 1.0, json!({})).await;
    spend(&server, &owner, 2.0, json!({ "tags": ["nightly", "other"], "projectId": project })).await;
    let bulk = json!({ "usageData": [{ "model": "gpt-4o", "cost": 4, "tags": ["other"] }] });
    server.post("/api/usage/bulk").by(&key).json(&bulk).await.expect(200);
    let mut spent = Vec::new();
    for id in &ids {
        spent.push(status(&server, &owner, id).await["spent"].clone());
    }
    assert_eq!(spent, [json!(2), json!(4), json!(2), json!(7)]);
    let listed = server.get("/api/budgets").by(&owner).send().await.expect(200);
    let listed: Vec<(&Value, &Value)> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|budget| (&budget["scope"]["type"], &budget["spending"]["totalCost"]))
        .collect();
    assert_eq!(
        listed,
        [
            (&json!("project"), &json!(2)),
            (&json!("account"), &json!(7)),
            (&json!("key"), &json!(4)),
            (&json!("tag"), &json!(2)),
        ]
    );
    let by_key = server.get("/api/analytics?groupBy=trackerKey").by(&owner).send().await.expect(200);
    assert!(by_key.to_string().contains(&key_id), "{by_key}");
    let of_key = server.get(&format!("/api/usage?trackerKey={key_id}")).by(&owner).send().await.expect(200);
    assert_eq!((of_key.as_array().unwrap().len(), &of_key[0]["trackerKey"]), (1, &json!(key_id)));
}

#[tokio::test]
async fn tags_with_more_companions_than_an_answer_has_groups_are_summed_too() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for tag in ["nightly", "never"] {
        let terms = json!({ "amount": 10, "period": "monthly" });
        let body = json!({ "name": tag, "scope": { "type": "tag", "tag": tag }, "budget": terms });
        create(&server, &owner, &body).await;
    }
    let companions = |call: usize| (1..TAGS_MAX).map(move |tag| format!("{call}-{tag}"));
    let call = |call| {
        let tags: Vec<String> = companions(call).chain(["nightly".to_owned()]).collect();
        json!({ "model": "gpt-4o", "cost": 0.01, "tags": tags })
    };
    let calls = GROUPS_MAX / (TAGS_MAX - 1) + 1;
    let bulk = json!({ "usageData": (0..calls).map(call).collect::<Vec<_>>() });
    server.post("/api/usage/bulk").by(&owner).json(&bulk).await.expect(200);
    let listed = server.get("/api/budgets").by(&owner).send().await.expect(200);
    let requests = |index: usize| listed[index]["spending"]["totalRequests"].clone();
    assert_eq!((&listed[0]["name"], requests(0), requests(1)), (&json!("never"), json!(0), json!(calls)));
}

#[tokio::test]
async fn budgets_are_seen_and_changed_by_administrators_and_by_whose_key_it_is() {
    let server = Server::with(&[("auth.allow_signup", "true")]).await;
    let owner = server.owner().await;
    let member = server.register("member@example.com", None).await;
    let of_account = create(&server, &owner, &account(100, &json!({}))).await;
    let path = format!("/api/budgets/{of_account}");
    server.get(&path).by(&member).send().await.refused(404, "budget_not_found");
    server.post("/api/budgets").by(&member).json(&account(1, &json!({}))).await.refused(403, "forbidden");
    assert_eq!(server.get("/api/budgets").by(&member).send().await.expect(200), json!([]));
    let rates = json!({ "rates": [] });
    server.call("PUT", "/api/fx-rates").by(&member).json(&rates).await.refused(403, "forbidden");

    server.key(&member, json!({ "name": "mine", "scopes": ["ingest"] })).await;
    let keys = server.get("/api/user/dashboard-api-keys").by(&member).send().await.expect(200);
    let scope = json!({ "type": "key", "keyId": keys[0]["keyId"] });
    let mut mine = json!({ "name": "Mine", "scope": scope, "budget": { "amount": 5, "period": "weekly" } });
    let of_key = create(&server, &member, &mine).await;
    mine["budget"]["amount"] = json!(6);
    let path = format!("/api/budgets/{of_key}");
    let changed = server.call("PUT", &path).by(&member).json(&mine).await.expect(200);
    assert_eq!(changed["budget"]["amount"], json!(6));
    mine["scope"] = json!({ "type": "account" });
    server.call("PUT", &path).by(&member).json(&mine).await.refused(422, "invalid_input");
    let stranger = server.register("stranger@example.com", None).await;
    server.get(&path).by(&stranger).send().await.refused(404, "budget_not_found");
    mine["scope"] = scope;
    server.post("/api/budgets").by(&stranger).json(&mine).await.refused(404, "key_not_found");
    server.call("DELETE", &path).by(&member).send().await.expect(200);
    server.get(&path).by(&owner).send().await.refused(404, "budget_not_found");
}

#[tokio::test]
async fn a_projects_budget_is_changed_in_the_project() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let body = json!({ "name": "Chat", "budget": { "amount": 10, "period": "monthly" } });
    let project = server.project(&owner, body).await;
    let path = format!("/api/budgets/{project}");
    assert_eq!(server.get(&path).by(&owner).send().await.expect(200)["scope"]["projectId"], json!(project));
    let scope = json!({ "type": "project", "projectId": project });
    let body = json!({ "name": "Chat", "scope": scope, "budget": { "amount": 10, "period": "monthly" } });
    let refused = server.post("/api/budgets").by(&owner).json(&body).await;
    assert_eq!(refused.failure(), (422, "invalid_input".to_owned(), vec!["scope.type".to_owned()]));
    server.call("DELETE", &path).by(&owner).send().await.refused(422, "invalid_input");
}

#[tokio::test]
async fn a_budget_in_another_currency_needs_a_rate_and_keeps_that_of_its_periods_start() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let euros = account(1000, &json!({ "currency": "EUR" }));
    let refused = server.post("/api/budgets").by(&owner).json(&euros).await;
    assert_eq!(refused.failure(), (422, "fx_rate_missing".to_owned(), vec!["budget.currency".to_owned()]));
    let project = json!({ "name": "Chat", "budget": euros["budget"] });
    server.post("/api/projects").by(&owner).json(&project).await.refused(422, "fx_rate_missing");

    let rates = json!({ "rates": [
        { "currency": "EUR", "rate": 1.5, "effectiveDate": "2024-02-05", "source": "a bank" },
        { "currency": "EUR", "rate": "1.084300000001", "effectiveDate": "2024-01-15" },
    ] });
    let kept = server.call("PUT", "/api/fx-rates").by(&owner).json(&rates).await.text();
    assert!(kept.contains(r#""rate":1.084300000001,"#), "{kept}");
    let id = create(&server, &owner, &euros).await;
    spend(&server, &owner, 84.3, json!({})).await;
    let status = server.get(&format!("/api/budgets/{id}/status")).by(&owner).send().await;
    // February began before the fifth, so that January's rate holds all of it.
    assert!(
        status.text().contains(r#""limit":{"total":1084.300000001,"amount":1084.300000001,"increased":0"#)
    );
    let conversion =
        r#""conversion":{"currency":"EUR","amount":1000,"rate":1.084300000001,"rateDate":"2024-01-15"}"#;
    assert!(status.text().contains(conversion), "{}", status.text());
    assert!(status.text().contains(r#""remaining":1000.000000001"#), "{}", status.text());
    let none = json!({ "rates": [] });
    server.call("PUT", "/api/fx-rates").by(&owner).json(&none).await.refused(422, "invalid_input");
}

#[tokio::test]
async fn alerts_of_a_budget_in_another_currency_say_at_which_rate() {
    let (server, mail) = with_mail().await;
    let owner = server.owner().await;
    let rates = json!({ "rates": [{ "currency": "EUR", "rate": 1.1, "effectiveDate": "2024-01-01" }] });
    server.call("PUT", "/api/fx-rates").by(&owner).json(&rates).await.expect(200);
    let alerts = json!({ "currency": "EUR", "alerts": [{ "threshold": 50, "type": "email" }] });
    create(&server, &owner, &account(100, &alerts)).await;
    spend(&server, &owner, 54.99, json!({})).await;
    settle(&server).await;
    assert_eq!(mail.letters().len(), 0);
    spend(&server, &owner, 0.01, json!({})).await;
    settle(&server).await;
    let letters = mail.letters();
    assert_eq!(letters.len(), 1);
    assert!(
        letters[0].text.contains("The budget: 100 EUR, at 1.1 USD since 2024-01-01"),
        "{}",
        letters[0].text
    );
    let alerts = server.get("/api/alerts").by(&owner).send().await.expect(200);
    assert_eq!((&alerts[0]["amount"], &alerts[0]["conversion"]["rate"]), (&json!(110), &json!(1.1)));
}

#[tokio::test]
async fn an_increase_counts_while_it_lasts() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let alerts = json!({ "alerts": [{ "threshold": 80, "type": "in-app" }] });
    let id = create(&server, &owner, &account(100, &alerts)).await;
    let path = format!("/api/budgets/{id}/increases");
    for wrong in [
        json!({ "amount": 0, "until": "2024-02-11T00:00:00Z", "reason": "x" }),
        json!({ "amount": 1, "until": "2024-02-10T12:00:00Z", "reason": "x" }),
        json!({ "amount": 1, "until": "2024-02-11T00:00:00Z", "reason": " " }),
    ] {
        server.post(&path).by(&owner).json(&wrong).await.refused(422, "invalid_input");
    }
    let launch = json!({ "amount": 50, "until": "2024-02-11T00:00:00Z", "reason": "launch" });
    let first = server.post(&path).by(&owner).json(&launch).await.expect(201);
    let second = server.post(&path).by(&owner).json(&launch).await.expect(201);
    spend(&server, &owner, 100.0, json!({})).await;
    check_marked(&server.app).await;
    let now = status(&server, &owner, &id).await;
    assert_eq!((&now["limit"]["total"], &now["utilization"]), (&json!(200), &json!(50.0)));
    assert_eq!(server.get("/api/alerts").by(&owner).send().await.expect(200), json!([]));

    let withdrawn = format!("{path}/{}", second["id"].as_str().unwrap());
    server.call("DELETE", &withdrawn).by(&owner).send().await.expect(200);
    server.call("DELETE", &withdrawn).by(&owner).send().await.refused(404, "increase_not_found");
    assert_eq!(status(&server, &owner, &id).await["limit"]["total"], json!(150));
    check_marked(&server.app).await;
    assert_eq!(server.get("/api/alerts").by(&owner).send().await.expect(200), json!([]), "66 %");

    server.clock.advance_seconds(12 * 3600 - 1);
    let before = server.app.clock.now();
    let looked_at = mark_ended_increases(&server.app, before - 1.hour()).await;
    check_marked(&server.app).await;
    let owner = log_in(&server, &owner).await;
    assert_eq!(server.get("/api/alerts").by(&owner).send().await.expect(200), json!([]), "a second is left");

    server.clock.advance_seconds(1);
    assert_eq!(status(&server, &owner, &id).await["limit"]["total"], json!(100));
    assert_eq!(mark_ended_increases(&server.app, looked_at).await, looked_at, "not twice a minute");
    check_marked(&server.app).await;
    assert_eq!(server.get("/api/alerts").by(&owner).send().await.expect(200), json!([]));
    server.clock.advance_seconds(59);
    assert_eq!(mark_ended_increases(&server.app, looked_at).await, server.app.clock.now());
    check_marked(&server.app).await;
    let alerts = server.get("/api/alerts").by(&owner).send().await.expect(200);
    assert_eq!(alerts.as_array().unwrap().len(), 2, "80 % and the end: {alerts}");
    let listed = server.get(&path).by(&owner).send().await.expect(200);
    assert!(
        listed.as_array().unwrap().iter().all(|increase| increase["isActive"] == json!(false)),
        "{listed}"
    );
    assert_eq!(listed[1]["id"], first["id"]);
}

#[tokio::test]
async fn what_a_period_leaves_over_is_carried_into_the_next_one_only() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let id = create(&server, &owner, &account(100, &json!({ "carryOver": true }))).await;
    spend(&server, &owner, 70.0, json!({ "timestamp": "2024-01-20T00:00:00Z" })).await;
    assert_eq!(status(&server, &owner, &id).await["limit"]["carriedOver"], json!(0), "not there in January");
    spend(&server, &owner, 60.0, json!({})).await;
    let limit = async |now: &str| {
        server.clock.set(now.parse().unwrap());
        let owner = log_in(&server, &owner).await;
        status(&server, &owner, &id).await["limit"].clone()
    };
    let march = limit("2024-03-01T00:00:00Z").await;
    assert_eq!((&march["carriedOver"], &march["total"]), (&json!(40), &json!(140)));
    // A late call of February takes its part of what was carried.
    let late = json!({ "timestamp": "2024-02-20T00:00:00Z" });
    spend(&server, &log_in(&server, &owner).await, 15.0, late).await;
    assert_eq!(limit("2024-03-02T00:00:00Z").await["carriedOver"], json!(25));
    spend(&server, &log_in(&server, &owner).await, 120.0, json!({})).await;
    assert_eq!(limit("2024-04-01T00:00:00Z").await["carriedOver"], json!(0), "March spent more than its own");
    assert_eq!(limit("2024-06-01T00:00:00Z").await["carriedOver"], json!(100), "and May nothing: one amount");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_senders_and_two_watchers_tell_once_of_each_budget_also_after_a_restart() {
    let (server, mail) = with_mail().await;
    let owner = server.owner().await;
    let key = server.key(&owner, json!({ "name": "worker", "scopes": ["ingest"] })).await;
    let keys = server.get("/api/user/dashboard-api-keys").by(&owner).send().await.expect(200);
    for scope in [
        json!({ "type": "key", "keyId": keys[0]["keyId"] }),
        json!({ "type": "tag", "tag": "nightly" }),
        json!({ "type": "account" }),
    ] {
        let terms = json!({ "amount": 1000, "period": "monthly", "alerts": [
            { "threshold": 50, "type": "email" }, { "threshold": 90, "type": "email" } ] });
        create(&server, &owner, &json!({ "name": scope["type"], "scope": scope, "budget": terms })).await;
    }
    let server = Arc::new(server);
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (server, key) = (Arc::clone(&server), key.clone());
        senders.spawn(async move {
            for _ in 0..4 {
                spend(&server, &key, 4.0, json!({ "tags": ["nightly"] })).await;
                check_marked(&server.app).await;
            }
        });
    }
    senders.join_all().await;
    settle(&server).await;
    let unread = async |server: &Server| {
        let counted = server.get("/api/alerts/unread-count").by(&owner).send().await.expect(200);
        counted["count"].as_u64().unwrap()
    };
    // 50 %, 90 % and the end of each of three; a letter to the installation's owner for each threshold.
    assert_eq!((unread(&server).await, mail.letters().len()), (9, 6));
    assert!(mail.letters().iter().all(|letter| letter.to == owner.email));
    let server = Arc::into_inner(server).unwrap().restart().await;
    server.app.watch.mark_everything(server.app.clock.now());
    settle(&server).await;
    assert_eq!((unread(&server).await, mail.letters().len()), (9, 6));
}

#[tokio::test]
async fn late_records_of_a_closed_period_tell_nobody_also_in_bulk() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let alerts = json!({ "alerts": [{ "threshold": 50, "type": "in-app" }] });
    let id = create(&server, &owner, &account(10, &alerts)).await;
    let late = json!({ "model": "gpt-4o", "cost": 9, "timestamp": "2024-01-31T23:59:59Z" });
    server.track(&owner, late.clone()).await;
    let bulk = json!({ "usageData": [late, { "model": "gpt-4o", "cost": 4.99 }] });
    server.post("/api/usage/bulk").by(&owner).json(&bulk).await.expect(200);
    check_marked(&server.app).await;
    assert_eq!(server.get("/api/alerts").by(&owner).send().await.expect(200), json!([]));
    assert_eq!(status(&server, &owner, &id).await["spent"], json!(4.99));
    let bulk = json!({ "usageData": [{ "model": "gpt-4o", "cost": 0.01 }] });
    server.post("/api/usage/bulk").by(&owner).json(&bulk).await.expect(200);
    check_marked(&server.app).await;
    let alerts = server.get("/api/alerts").by(&owner).send().await.expect(200);
    assert_eq!((alerts.as_array().unwrap().len(), &alerts[0]["scope"]["type"]), (1, &json!("account")));
}

async fn settle(server: &Server) {
    check_marked(&server.app).await;
    while deliver_due(&server.app).await.unwrap() > 0 {}
}

async fn with_mail() -> (Server, MailSink) {
    let mail = MailSink::start().await;
    let data = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&data.path().join("test.db"), Options::default()).unwrap();
    let settings = mail.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    (Server::over(store, data, &settings), mail)
}
