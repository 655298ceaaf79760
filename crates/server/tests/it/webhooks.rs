//! Webhooks: who may have them, what they are sent, and what happens when nobody answers.

use serde_json::{Value, json};
use server::notify::dispatch::deliver_due;

use crate::{
    harness::{Person, Server},
    receiver::Receiver,
};

/// A server whose webhooks may go to loopback.
async fn server() -> Server {
    Server::with(&[("notify.allow_private_addresses", "true"), ("auth.allow_signup", "true")]).await
}

/// Sends what is due until nothing is.
async fn deliver(server: &Server) {
    while deliver_due(&server.app).await.unwrap() > 0 {}
}

async fn webhook(server: &Server, owner: &Person, body: Value) -> Value {
    server.post("/api/webhooks").by(owner).json(&body).await.expect(201)
}

async fn test(server: &Server, owner: &Person, webhook: &Value) -> Value {
    let path = format!("/api/webhooks/{}/test", webhook["id"].as_str().unwrap());
    server.post(&path).by(owner).send().await.expect(201)
}

async fn log(server: &Server, owner: &Person, webhook: &Value) -> Vec<Value> {
    let path = format!("/api/webhooks/{}/deliveries", webhook["id"].as_str().unwrap());
    server.get(&path).by(owner).send().await.expect(200).as_array().unwrap().clone()
}

#[tokio::test]
async fn a_test_arrives_signed_and_is_in_the_log() {
    let (server, receiver) = (server().await, Receiver::start().await);
    let owner = server.owner().await;
    let made = webhook(&server, &owner, json!({ "url": receiver.url })).await;
    let secret = made["secret"].as_str().unwrap();
    let queued = test(&server, &owner, &made).await;
    assert_eq!((&queued["state"], &queued["event"]), (&json!("waiting"), &json!("webhook.test")));
    deliver(&server).await;
    let received = receiver.received();
    assert_eq!(received.len(), 1);
    assert!(received[0].is_signed_with(secret));
    assert!(!received[0].is_signed_with("whsec_AAAA"));
    assert_eq!(received[0].header("webhook-id"), queued["messageId"].as_str().unwrap());
    assert_eq!(received[0].header("webhook-timestamp"), "1707566400");
    assert_eq!(received[0].header("content-type"), "application/json");
    let body = received[0].json();
    assert_eq!((&body["type"], &body["timestamp"]), (&json!("webhook.test"), &json!("2024-02-10T12:00:00Z")));
    assert_eq!(body["data"]["userId"], json!(owner.id));
    let log = log(&server, &owner, &made).await;
    assert_eq!(log.len(), 1);
    assert_eq!((&log[0]["state"], &log[0]["attempts"]), (&json!("delivered"), &json!(1)));
    let attempt = &log[0]["log"][0];
    assert_eq!((&attempt["status"], &attempt["response"]), (&json!(200), &json!("seen")));
    assert_eq!(attempt["failure"], Value::Null);
}

#[tokio::test]
async fn a_secret_is_shown_once_and_rotated_with_a_day_of_both() {
    let (server, receiver) = (server().await, Receiver::start().await);
    let owner = server.owner().await;
    let made = webhook(&server, &owner, json!({ "url": receiver.url })).await;
    let old = made["secret"].as_str().unwrap().to_owned();
    let path = format!("/api/webhooks/{}", made["id"].as_str().unwrap());
    let listed = server.get("/api/webhooks").by(&owner).send().await.expect(200);
    let found = server.get(&path).by(&owner).send().await.expect(200);
    assert_eq!((&listed[0]["secret"], &found["secret"]), (&Value::Null, &Value::Null));
    let rotated = server.post(&format!("{path}/rotate-secret")).by(&owner).send().await.expect(200);
    let new = rotated["secret"].as_str().unwrap().to_owned();
    assert_eq!(rotated["previousSecretUntil"], json!("2024-02-11T12:00:00Z"));
    for (pause_seconds, old_signs) in [(0, true), (24 * 3600 - 1, true), (1, false)] {
        server.clock.advance_seconds(pause_seconds);
        // The access token has expired by then; the webhook is tested past the API.
        let renewed = renewed(&server, &owner).await;
        test(&server, &renewed, &made).await;
        deliver(&server).await;
        let last = receiver.received().pop().unwrap();
        assert!(last.is_signed_with(&new));
        assert_eq!(last.is_signed_with(&old), old_signs, "after {pause_seconds}");
    }
}

/// The same person, logged in anew.
async fn renewed(server: &Server, person: &Person) -> Person {
    let body = json!({ "email": person.email, "password": "correct horse battery" });
    let session = server.post("/api/auth/login").json(&body).await.expect(200);
    Person { credential: session["accessToken"].as_str().unwrap().to_owned(), ..person.clone() }
}

#[tokio::test]
async fn a_receiver_that_was_down_for_an_hour_gets_everything_once_and_in_order() {
    let (server, receiver) = (server().await, Receiver::start().await);
    let owner = server.owner().await;
    let hook = json!({ "url": receiver.url, "events": ["member.added", "project.created"] });
    webhook(&server, &owner, hook).await;
    receiver.answers(503);
    let project = server.project(&owner, json!({ "name": "Chat" })).await;
    let mut people = Vec::new();
    for n in 0..3 {
        people.push(server.register(&format!("person-{n}@example.com"), None).await);
        let body = json!({ "email": people[n].email, "role": "member" });
        server.post(&format!("/api/projects/{project}/members")).by(&owner).json(&body).await.expect(201);
    }
    for _ in 0..60 {
        deliver(&server).await;
        server.clock.advance_seconds(60);
    }
    let refused = receiver.received();
    assert!((3..=5).contains(&refused.len()), "{} attempts within the hour", refused.len());
    assert!(refused.iter().all(|received| received.json()["type"] == "project.created"), "the others wait");
    receiver.answers(200);
    for _ in 0..5 {
        server.clock.advance_seconds(3600);
        deliver(&server).await;
    }
    let taken = receiver.taken();
    let types: Vec<&str> = taken.iter().map(|body| body["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["project.created", "member.added", "member.added", "member.added"]);
    let joined: Vec<&str> = taken[1..].iter().map(|body| body["data"]["userId"].as_str().unwrap()).collect();
    assert_eq!(joined, people.iter().map(|person| person.id.as_str()).collect::<Vec<_>>());
    let ids: std::collections::BTreeSet<String> =
        receiver.received().iter().map(|received| received.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 4, "a repetition carries the same id");
}

#[tokio::test]
async fn what_arrived_and_was_not_noted_before_a_kill_arrives_again_with_the_same_id() {
    let server = server().await;
    let owner = server.owner().await;
    let receiver = Receiver::start().await;
    let made = webhook(&server, &owner, json!({ "url": receiver.url })).await;
    test(&server, &owner, &made).await;
    receiver.holds(true);
    tokio::select! {
        _ = deliver_due(&server.app) => panic!("the receiver does not answer"),
        () = receiver.has_got(1) => {}
    }
    receiver.holds(false);
    deliver(&server).await;
    assert_eq!(receiver.received().len(), 1, "it may still be under way");
    server.clock.advance_seconds(120);
    deliver(&server).await;
    deliver(&server).await;
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    assert_eq!(log(&server, &owner, &made).await[0]["state"], json!("delivered"));
}

#[tokio::test]
async fn attempts_follow_the_schedule_and_end() {
    let (server, receiver) = (server().await, Receiver::start().await);
    let owner = server.owner().await;
    let made = webhook(&server, &owner, json!({ "url": receiver.url })).await;
    receiver.answers(500);
    test(&server, &owner, &made).await;
    let mut made_at = Vec::new();
    // A minute at a time through two days; a pause is the schedule's, stretched by a fifth at most.
    for minute in 0..48 * 60 {
        let before = receiver.received().len();
        deliver(&server).await;
        if receiver.received().len() > before {
            made_at.push(minute);
        }
        server.clock.advance_seconds(60);
    }
    assert_eq!(made_at.len(), 8, "{made_at:?}");
    let pauses: Vec<i32> = made_at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (pause, (least, most)) in
        pauses.iter().zip([(1, 1), (5, 6), (30, 37), (120, 145), (300, 361), (600, 721), (600, 721)])
    {
        assert!((least..=most).contains(pause), "{pauses:?}");
    }
    let owner = renewed(&server, &owner).await;
    let log = log(&server, &owner, &made).await;
    assert_eq!((&log[0]["state"], &log[0]["reason"]), (&json!("failed"), &json!("HTTP 500")));
    assert_eq!((&log[0]["attempts"], &log[0]["nextAttemptAt"]), (&json!(8), &Value::Null));
    assert_eq!(log[0]["log"].as_array().unwrap().len(), 8);
    receiver.answers(204);
    let path = format!(
        "/api/webhooks/{}/deliveries/{}/replay",
        made["id"].as_str().unwrap(),
        log[0]["id"].as_str().unwrap()
    );
    server.post(&path).by(&owner).send().await.expect(200);
    deliver(&server).await;
    assert_eq!(receiver.taken().len(), 1);
    let ids: std::collections::BTreeSet<String> =
        receiver.received().iter().map(|received| received.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn a_receiver_may_ask_for_time() {
    let (server, receiver) = (server().await, Receiver::start().await);
    let owner = server.owner().await;
    let made = webhook(&server, &owner, json!({ "url": receiver.url })).await;
    receiver.answers(429);
    receiver.answers_with("retry-after", "600");
    test(&server, &owner, &made).await;
    deliver(&server).await;
    let log = log(&server, &owner, &made).await;
    assert_eq!(log[0]["nextAttemptAt"], json!("2024-02-10T12:10:00Z"));
    assert_eq!(log[0]["reason"], json!("HTTP 429"));
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_holds_up_nobody_else() {
    let server = server().await;
    let owner = server.owner().await;
    let (slow, quick) = (Receiver::start().await, Receiver::start().await);
    slow.holds(true);
    for receiver in [&slow, &quick] {
        webhook(&server, &owner, json!({ "url": receiver.url, "events": ["key.added"] })).await;
    }
    server::notify::dispatch::start(&server.app);
    for n in 0..6 {
        server.key(&owner, json!({ "name": format!("key {n}"), "scopes": ["ingest"] })).await;
    }
    quick.has_got(6).await;
    slow.has_got(1).await;
    let names = |receiver: &Receiver| -> Vec<String> {
        receiver
            .received()
            .iter()
            .map(|got| got.json()["data"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let in_order: Vec<String> = (0..6).map(|n| format!("key {n}")).collect();
    assert_eq!((names(&slow).len(), names(&quick)), (1, in_order.clone()));
    slow.holds(false);
    slow.has_got(6).await;
    assert_eq!(names(&slow), in_order);
}

#[tokio::test]
async fn a_webhook_that_is_gone_or_dead_is_switched_off_and_says_why() {
    let (server, receiver) = (server().await, Receiver::start().await);
    let owner = server.owner().await;
    let gone = webhook(&server, &owner, json!({ "url": receiver.url })).await;
    let path = format!("/api/webhooks/{}", gone["id"].as_str().unwrap());
    receiver.answers(410);
    test(&server, &owner, &gone).await;
    deliver(&server).await;
    let found = server.get(&path).by(&owner).send().await.expect(200);
    assert_eq!(
        (&found["enabled"], &found["disabledReason"]),
        (&json!(false), &json!("HTTP 410: the receiver is gone"))
    );
    let refused = server.post(&format!("{path}/test")).by(&owner).send().await;
    refused.refused(409, "webhook_disabled");
    let on = json!({ "enabled": true });
    let found = server.call("PATCH", &path).by(&owner).json(&on).await.expect(200);
    assert_eq!((&found["enabled"], &found["disabledReason"]), (&json!(true), &Value::Null));
    receiver.answers(500);
    test(&server, &owner, &gone).await;
    deliver(&server).await;
    server.clock.advance_seconds(5 * 24 * 3600);
    deliver(&server).await;
    let owner = renewed(&server, &owner).await;
    let found = server.get(&path).by(&owner).send().await.expect(200);
    assert_eq!(found["disabledReason"], json!("nothing arrived for five days; last: HTTP 500"), "{found}");
}

#[tokio::test]
async fn webhooks_reach_no_address_that_only_this_server_reaches() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let receiver = Receiver::start().await;
    let port = receiver.url.rsplit(':').next().unwrap().split('/').next().unwrap();
    for (url, reason) in [
        (receiver.url.clone(), "127.0.0.1 is at 127.0.0.1, a loopback address"),
        (format!("http://localhost:{port}/"), "localhost is at "),
        (format!("http://[::ffff:127.0.0.1]:{port}/"), "a loopback address"),
        ("http://169.254.169.254/latest/meta-data/".to_owned(), "a link-local address, where metadata"),
        ("http://10.0.0.1/".to_owned(), "a private address"),
        ("http://100.64.0.1/".to_owned(), "carrier-grade NAT"),
        ("http://[64:ff9b::a00:1]/".to_owned(), "a NAT64 address"),
        (format!("http://2130706433:{port}/"), "127.0.0.1 is at 127.0.0.1, a loopback address"),
        (format!("http://0177.0.0.1:{port}/"), "127.0.0.1 is at 127.0.0.1, a loopback address"),
        ("http://0.0.0.0/".to_owned(), "an unspecified address"),
    ] {
        let made = webhook(&server, &owner, json!({ "url": url })).await;
        test(&server, &owner, &made).await;
        deliver(&server).await;
        let log = log(&server, &owner, &made).await;
        assert_eq!(log[0]["state"], json!("failed"), "{url}");
        let why = log[0]["reason"].as_str().unwrap();
        assert!(why.contains(reason) && why.contains("public addresses only"), "{url}: {why}");
    }
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (server, receiver, private) = (server().await, Receiver::start().await, Receiver::start().await);
    let owner = server.owner().await;
    let made = webhook(&server, &owner, json!({ "url": receiver.url })).await;
    receiver.answers(302);
    receiver.answers_with("location", &private.url);
    test(&server, &owner, &made).await;
    deliver(&server).await;
    assert!(private.received().is_empty());
    let log = log(&server, &owner, &made).await;
    assert_eq!(log[0]["reason"], json!("HTTP 302: redirects are not followed"));
}

#[tokio::test]
async fn nobody_listening_is_said_so() {
    let server = server().await;
    let owner = server.owner().await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", free.local_addr().unwrap());
    drop(free);
    let made = webhook(&server, &owner, json!({ "url": url })).await;
    test(&server, &owner, &made).await;
    deliver(&server).await;
    let log = log(&server, &owner, &made).await;
    assert!(log[0]["reason"].as_str().unwrap().starts_with("no connection: "), "{log:?}");
    assert_eq!((&log[0]["state"], &log[0]["log"][0]["status"]), (&json!("waiting"), &Value::Null));
}

#[tokio::test]
async fn a_webhook_is_its_owners_and_a_projects_is_its_administrators() {
    let server = server().await;
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "Chat" })).await;
    let admin = server.member(&owner, &project, "admin@example.com", "admin").await;
    let viewer = server.member(&owner, &project, "viewer@example.com", "viewer").await;
    let stranger = server.register("stranger@example.com", None).await;
    let own = webhook(&server, &admin, json!({ "url": "https://example.com" })).await;
    let of_project =
        webhook(&server, &admin, json!({ "url": "https://example.com", "projectId": project })).await;
    assert_eq!((&own["userId"], &own["projectId"]), (&json!(admin.id), &Value::Null));
    assert_eq!((&of_project["userId"], &of_project["projectId"]), (&Value::Null, &json!(project)));
    let paths = [&own, &of_project].map(|made| format!("/api/webhooks/{}", made["id"].as_str().unwrap()));
    for person in [&viewer, &stranger] {
        for path in &paths {
            server.get(path).by(person).send().await.refused(404, "webhook_not_found");
            server.call("DELETE", path).by(person).send().await.refused(404, "webhook_not_found");
            server.call("PATCH", path).by(person).json(&json!({})).await.refused(404, "webhook_not_found");
            for action in ["test", "rotate-secret", "deliveries/507f1f77bcf86cd799439011/replay"] {
                let path = format!("{path}/{action}");
                server.post(&path).by(person).send().await.refused(404, "webhook_not_found");
            }
            let path = format!("{path}/deliveries");
            server.get(&path).by(person).send().await.refused(404, "webhook_not_found");
        }
    }
    let of = format!("/api/webhooks?projectId={project}");
    server.get(&of).by(&viewer).send().await.refused(403, "forbidden");
    server.get(&of).by(&stranger).send().await.refused(404, "project_not_found");
    assert_eq!(server.get(&of).by(&admin).send().await.expect(200).as_array().unwrap().len(), 1);
    assert_eq!(server.get("/api/webhooks").by(&admin).send().await.expect(200).as_array().unwrap().len(), 1);
    server.get(&paths[0]).by(&owner).send().await.refused(404, "webhook_not_found");
    let reader = server.key(&admin, json!({ "name": "r", "scopes": ["read"] })).await;
    server.get(&paths[0]).by(&reader).send().await.expect(200);
    server.call("DELETE", &paths[0]).by(&reader).send().await.refused(403, "scope_missing");
    server.call("DELETE", &paths[0]).by(&admin).send().await.expect(200);
    server.get(&paths[0]).by(&admin).send().await.refused(404, "webhook_not_found");
}

#[tokio::test]
async fn wrong_webhooks_are_refused_by_field_and_their_number_is_bounded() {
    let server = server().await;
    let owner = server.owner().await;
    for (body, field) in [
        (json!({}), "url"),
        (json!({ "url": "ftp://example.com" }), "url"),
        (json!({ "url": "https://user:pass@example.com" }), "url"),
        (json!({ "url": "https://example.com", "description": "x".repeat(4_001) }), "description"),
    ] {
        let (status, code, fields) = server.post("/api/webhooks").by(&owner).json(&body).await.failure();
        assert_eq!((status, code.as_str(), fields), (422, "invalid_input", vec![field.to_owned()]), "{body}");
    }
    let unknown = json!({ "url": "https://example.com", "events": ["everything"] });
    server.post("/api/webhooks").by(&owner).json(&unknown).await.refused(400, "malformed_body");
    for _ in 0..domain::limits::WEBHOOKS_MAX {
        webhook(&server, &owner, json!({ "url": "https://example.com" })).await;
    }
    let one_more = json!({ "url": "https://example.com" });
    server.post("/api/webhooks").by(&owner).json(&one_more).await.refused(422, "invalid_input");
}
