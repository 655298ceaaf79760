//! Accounts, log-ins and tokens.

use axum::http::header;
use serde_json::json;

use crate::{
    harness::{Person, Server},
    receiver::MailSink,
};

#[tokio::test]
async fn the_first_account_is_the_owner_and_the_door_closes_behind_it() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let me = server.get("/api/auth/me").by(&owner).send().await.expect(200);
    assert_eq!((&me["role"], &me["email"]), (&json!("owner"), &json!("owner@example.com")));
    let second = json!({ "email": "second@example.com", "password": "correct horse", "name": "Second" });
    server.post("/api/auth/register").json(&second).await.refused(403, "signup_closed");
}

#[tokio::test]
async fn sign_up_can_be_opened() {
    let server = Server::with(&[("auth.allow_signup", "true")]).await;
    server.owner().await;
    let second = server.register("second@example.com", None).await;
    assert_eq!(server.get("/api/auth/me").by(&second).send().await.expect(200)["role"], json!("member"));
    let again = json!({ "email": "Second@Example.com", "password": "correct horse", "name": "Second" });
    server.post("/api/auth/register").json(&again).await.refused(409, "email_taken");
}

#[tokio::test]
async fn an_invitation_lets_one_person_in_once() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "P" })).await;
    let path = format!("/api/projects/{project}/members");
    let invite = json!({ "email": "guest@example.com", "role": "viewer" });
    let added = server.post(&path).by(&owner).json(&invite).await.expect(201);
    let token = added["invitation"]["token"].as_str().unwrap();
    let body = |email: &str| json!({ "email": email, "password": "correct horse", "name": "Guest", "invitation": token });
    server.post("/api/auth/register").json(&body("other@example.com")).await.refused(403, "signup_closed");
    let guest = server.post("/api/auth/register").json(&body("guest@example.com")).await.expect(201);
    assert_eq!(guest["user"]["role"], json!("viewer"));
    let guest = Person {
        id: String::new(),
        email: String::new(),
        credential: guest["accessToken"].as_str().unwrap().to_owned(),
    };
    assert_eq!(
        server.get(&format!("/api/projects/{project}")).by(&guest).send().await.expect(200)["role"],
        json!("viewer")
    );
    server.post("/api/auth/register").json(&body("guest@example.com")).await.refused(403, "signup_closed");
}

#[tokio::test]
async fn an_invitation_expires() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "P" })).await;
    let path = format!("/api/projects/{project}/members");
    let added = server
        .post(&path)
        .by(&owner)
        .json(&json!({ "email": "late@example.com", "role": "member" }))
        .await
        .expect(201);
    server.clock.advance_seconds(7 * 24 * 3600);
    let body = json!({ "email": "late@example.com", "password": "correct horse", "name": "Late", "invitation": added["invitation"]["token"] });
    server.post("/api/auth/register").json(&body).await.refused(403, "signup_closed");
}

#[tokio::test]
async fn log_in_says_the_same_of_an_unknown_account_and_a_wrong_password() {
    let server = Server::start().await;
    server.owner().await;
    let log_in = async |email: &str, password: &str| {
        server.post("/api/auth/login").json(&json!({ "email": email, "password": password })).await
    };
    assert_eq!(log_in(" Owner@Example.com ", "correct horse battery").await.status, 200);
    let (wrong, unknown) =
        (log_in("owner@example.com", "wrong").await, log_in("nobody@example.com", "wrong").await);
    wrong.refused(401, "invalid_credentials");
    assert_eq!(wrong.body, unknown.body);
}

#[tokio::test]
async fn guessing_is_slowed_down_per_account() {
    let server = Server::with(&[("auth.login_attempts_per_minute_account", "3")]).await;
    server.owner().await;
    let wrong = json!({ "email": "nobody@example.com", "password": "wrong" });
    for _ in 0..3 {
        server.post("/api/auth/login").json(&wrong).await.refused(401, "invalid_credentials");
    }
    let slowed = server.post("/api/auth/login").json(&wrong).await;
    slowed.refused(429, "rate_limited");
    assert!(slowed.header(header::RETRY_AFTER).parse::<u64>().unwrap() > 0);
    let other = json!({ "email": "someone@example.com", "password": "wrong" });
    server.post("/api/auth/login").json(&other).await.refused(401, "invalid_credentials");
}

#[tokio::test]
async fn an_access_token_expires_and_a_refresh_token_renews_it_once() {
    let server = Server::with(&[("server.public_url", "https://costs.example.com")]).await;
    let owner = server.owner().await;
    let log_in = json!({ "email": owner.email, "password": "correct horse battery" });
    let first = server.post("/api/auth/login").json(&log_in).await.expect(200);
    server.clock.advance_seconds(3600);
    server.get("/api/auth/me").by(&owner).send().await.refused(401, "token_expired");

    let refresh = async |token: &serde_json::Value| {
        server.post("/api/auth/refresh").json(&json!({ "refreshToken": token })).await
    };
    let second = refresh(&first["refreshToken"]).await.expect(200);
    assert_ne!(first["refreshToken"], second["refreshToken"]);
    let renewed = Person { credential: second["accessToken"].as_str().unwrap().to_owned(), ..owner };
    assert_eq!(server.get("/api/auth/me").by(&renewed).send().await.status, 200);

    refresh(&first["refreshToken"]).await.refused(401, "invalid_refresh_token");
    // The copy was used: whoever holds the newer token is logged out as well.
    refresh(&second["refreshToken"]).await.refused(401, "invalid_refresh_token");
}

#[tokio::test]
async fn without_https_two_tabs_may_send_a_refresh_token_at_the_same_moment() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let log_in = json!({ "email": owner.email, "password": "correct horse battery" });
    let first = server.post("/api/auth/login").json(&log_in).await.expect(200);
    let refresh = json!({ "refreshToken": first["refreshToken"] });
    for _ in 0..2 {
        server.post("/api/auth/refresh").json(&refresh).await.expect(200);
    }
    server.post("/api/auth/refresh").json(&refresh).await.refused(401, "invalid_refresh_token");
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_mail_once_within_half_an_hour() {
    let mail = MailSink::start().await;
    let mut settings = mail.settings();
    settings.push(("server.public_url", "https://costs.example.com/".to_owned()));
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let server = Server::with(&settings).await;
    let owner = server.owner().await;
    let ask =
        async |email: &str| server.post("/api/auth/forgot-password").json(&json!({ "email": email })).await;
    let (known, unknown) = (ask(" Owner@example.com").await, ask("nobody@example.com").await);
    assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
    known.expect(202);
    let reset = async |token: &str, password: &str| {
        let body = json!({ "token": token, "newPassword": password });
        server.post("/api/auth/reset-password").json(&body).await
    };
    let first = token_in(&mail, 1).await;
    ask("owner@example.com").await.expect(202);
    let second = token_in(&mail, 2).await;
    reset(&first, "another long one").await.refused(422, "invalid_reset_token");
    let (status, _, fields) = reset(&second, "short").await.failure();
    assert_eq!((status, fields), (422, vec!["newPassword".to_owned()]));
    let log_in = json!({ "email": owner.email, "password": "correct horse battery" });
    let session = server.post("/api/auth/login").json(&log_in).await.expect(200);
    reset(&second, "another long one").await.expect(200);
    reset(&second, "and another one").await.refused(422, "invalid_reset_token");
    server.post("/api/auth/login").json(&log_in).await.refused(401, "invalid_credentials");
    let refresh = json!({ "refreshToken": session["refreshToken"] });
    server.post("/api/auth/refresh").json(&refresh).await.refused(401, "invalid_refresh_token");
    ask("owner@example.com").await.expect(202);
    let third = token_in(&mail, 3).await;
    server.clock.advance_seconds(30 * 60);
    reset(&third, "too late, too late").await.refused(422, "invalid_reset_token");
    ask("owner@example.com").await.refused(429, "rate_limited");
    let log_in = json!({ "email": owner.email, "password": "another long one" });
    server.post("/api/auth/login").json(&log_in).await.expect(200);
    assert_eq!(mail.letters().len(), 3, "nothing went to an address without an account");
}

/// The token of the letter that is the `count`th.
async fn token_in(mail: &MailSink, count: usize) -> String {
    while mail.letters().len() < count {
        tokio::task::yield_now().await;
    }
    let letter = mail.letters().pop().unwrap();
    assert_eq!(letter.to, "owner@example.com");
    let text = letter.text.replace("=\n", "").replace("=3D", "=");
    let link = "https://costs.example.com/reset-password#token=";
    assert_eq!(text.matches(link).count(), 3, "once as text, twice in HTML\n{text}");
    let (_, rest) = text.split_once(link).unwrap();
    rest.chars().take_while(|letter| letter.is_ascii_alphanumeric() || "-_".contains(*letter)).collect()
}

#[tokio::test]
async fn without_a_mail_server_a_forgotten_password_says_so() {
    let server = Server::start().await;
    let body = json!({ "email": "owner@example.com" });
    server.post("/api/auth/forgot-password").json(&body).await.refused(409, "mail_not_configured");
}

#[tokio::test]
async fn every_answer_says_how_many_requests_are_left_and_one_too_many_is_refused() {
    let limits = [("limits.requests_per_minute_credential", "3")];
    let server = Server::with(&limits).await;
    let owner = server.owner().await;
    for remaining in ["2", "1", "0"] {
        let answer = server.get("/api/auth/me").by(&owner).send().await;
        let header = |name: &'static str| answer.header(header::HeaderName::from_static(name)).to_owned();
        assert_eq!(answer.status, 200);
        assert_eq!(
            (header("ratelimit-limit").as_str(), header("ratelimit-remaining").as_str()),
            ("3", remaining)
        );
        assert!((1..=60).contains(&header("ratelimit-reset").parse::<u64>().unwrap()));
    }
    let refused = server.get("/api/auth/me").by(&owner).send().await;
    assert!((1..=20).contains(&refused.header(header::RETRY_AFTER).parse::<u64>().unwrap()));
    refused.refused(429, "rate_limited");
    assert_eq!(server.get("/healthz").by(&owner).send().await.status, 200);
    // The gateway answers as the provider does.
    let call = server.post("/gateway/anthropic/v1/messages").header("x-api-key", "aict_made-up");
    assert_eq!(call.json(&json!({})).await.status, 401);
    for _ in 0..2 {
        server.post("/v1/messages").header("x-api-key", "aict_made-up").json(&json!({})).await;
    }
    let refused = server.post("/v1/messages").header("x-api-key", "aict_made-up").json(&json!({})).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.value()["error"]["type"], "rate_limit_error");
}

#[tokio::test]
async fn the_refresh_token_also_travels_as_a_cookie_that_scripts_cannot_read() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let log_in = json!({ "email": owner.email, "password": "correct horse battery" });
    let answer = server.post("/api/auth/login").json(&log_in).await;
    let cookie = answer.header(header::SET_COOKIE).to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/api/auth"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let pair = cookie.split(';').next().unwrap();
    server.post("/api/auth/refresh").header("cookie", pair).send().await.expect(200);
    let log_in = server.post("/api/auth/login").json(&log_in).await;
    let pair = log_in.header(header::SET_COOKIE).split(';').next().unwrap().to_owned();
    server.post("/api/auth/logout").header("cookie", &pair).send().await.expect(200);
    server
        .post("/api/auth/refresh")
        .header("cookie", &pair)
        .send()
        .await
        .refused(401, "invalid_refresh_token");
}

#[tokio::test]
async fn a_new_password_ends_every_log_in() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let log_in = async |password: &str| {
        server
            .post("/api/auth/login")
            .json(&json!({ "email": "owner@example.com", "password": password }))
            .await
    };
    let session = log_in("correct horse battery").await.expect(200);
    let change = |current: &str, new: &str| json!({ "currentPassword": current, "newPassword": new });
    let path = "/api/auth/change-password";
    server
        .post(path)
        .by(&owner)
        .json(&change("wrong", "another long one"))
        .await
        .refused(401, "invalid_credentials");
    let (status, _, fields) =
        server.post(path).by(&owner).json(&change("correct horse battery", "short")).await.failure();
    assert_eq!((status, fields), (422, vec!["newPassword".to_owned()]));
    server.post(path).by(&owner).json(&change("correct horse battery", "another long one")).await.expect(200);
    let refresh = json!({ "refreshToken": session["refreshToken"] });
    server.post("/api/auth/refresh").json(&refresh).await.refused(401, "invalid_refresh_token");
    log_in("correct horse battery").await.refused(401, "invalid_credentials");
    log_in("another long one").await.expect(200);
}

#[tokio::test]
async fn every_problem_of_a_registration_is_named() {
    let server = Server::start().await;
    let body = json!({ "email": "nobody", "password": "short", "name": " " });
    let (status, code, fields) = server.post("/api/auth/register").json(&body).await.failure();
    assert_eq!((status, code.as_str()), (422, "invalid_input"));
    assert_eq!(fields, ["email", "name", "password"]);
}

#[tokio::test]
async fn profile_and_preferences_are_ones_own() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let change = json!({ "name": "Ada", "preferences": { "theme": "dark" } });
    server.call("PUT", "/api/user/profile").by(&owner).json(&change).await.expect(200);
    let profile = server.get("/api/user/profile").by(&owner).send().await.expect(200);
    assert_eq!((&profile["name"], &profile["preferences"]), (&json!("Ada"), &json!({ "theme": "dark" })));
    let wrong = json!({ "preferences": [1] });
    let (status, _, fields) = server.call("PUT", "/api/user/profile").by(&owner).json(&wrong).await.failure();
    assert_eq!((status, fields), (422, vec!["preferences".to_owned()]));
}
