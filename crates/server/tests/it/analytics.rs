//! Sums, timelines, breakdowns, comparisons.

use serde_json::{Value, json};

use crate::harness::{Person, Server};

/// A server with calls of two projects around the turn of a month and a change of the clocks.
async fn scene() -> (Server, Person, [String; 2]) {
    let server = Server::start().await;
    let owner = server.owner().await;
    let a = server
        .project(&owner, json!({ "name": "A", "budget": { "amount": 100, "period": "monthly" } }))
        .await;
    let b = server.project(&owner, json!({ "name": "B" })).await;
    let rows = json!([
        { "model": "gpt-4o", "projectId": a, "cost": 1, "promptTokens": 10, "completionTokens": 5, "timestamp": "2024-01-30T23:30:00Z", "responseTime": 100, "costAllocation": { "team": "x", "department": "d" }, "tags": ["t1", "t2"] },
        { "model": "gpt-4o", "projectId": a, "cost": 2, "promptTokens": 20, "completionTokens": 5, "timestamp": "2024-01-31T00:00:00Z", "responseTime": 200, "costAllocation": { "team": "x" }, "tags": ["t1"] },
        { "model": "claude-sonnet-4-5", "projectId": a, "cost": 4, "tokens": 100, "timestamp": "2024-01-31T23:59:59.999Z", "responseTime": 300, "status": "error" },
        { "model": "claude-sonnet-4-5", "projectId": b, "cost": 8, "tokens": 100, "timestamp": "2024-02-01T00:00:00Z", "responseTime": 1000 },
        { "model": "nobodys", "projectId": b, "promptTokens": 7, "completionTokens": 1, "timestamp": "2024-02-02T10:00:00Z" },
    ]);
    let outcome = server.post("/api/usage/bulk").by(&owner).json(&rows).await.expect(200);
    assert_eq!(outcome["successful"], json!(5), "{outcome}");
    (server, owner, [a, b])
}

async fn ask(server: &Server, by: &Person, path: &str) -> Value {
    server.get(path).by(by).send().await.expect(200)
}

fn points(answer: &Value) -> Vec<(String, String)> {
    let point = |point: &Value| (point["date"].as_str().unwrap().to_owned(), point["cost"].to_string());
    answer["timeline"].as_array().unwrap().iter().map(point).collect()
}

fn parts(answer: &Value, dimension: &str) -> Vec<(String, String, u64)> {
    let part = |part: &Value| {
        (
            part["name"].as_str().unwrap().to_owned(),
            part["cost"].to_string(),
            part["requests"].as_u64().unwrap(),
        )
    };
    answer["breakdown"][dimension].as_array().unwrap().iter().map(part).collect()
}

#[tokio::test]
async fn a_bare_end_date_includes_its_day_and_periods_are_half_open() {
    let (server, owner, _) = scene().await;
    for (query, total) in [
        ("startDate=2024-01-31&endDate=2024-01-31", "6"),
        ("startDate=2024-01-31&endDate=2024-02-01", "14"),
        ("startDate=2024-01-31T00:00:00Z&endDate=2024-02-01T00:00:00Z", "6"),
        ("startDate=2024-01-31T00:00:00.001Z&endDate=2024-02-01T00:00:00.001Z", "12"),
        ("startDate=2024-01-31&endDate=2024-01-31&timeZone=Europe/Berlin", "3"),
        ("startDate=2024-01-31&endDate=2024-01-31&timeZone=America/New_York", "12"),
    ] {
        let answer = ask(&server, &owner, &format!("/api/analytics?{query}")).await;
        assert_eq!(answer["summary"]["totalCost"].to_string(), total, "{query}");
    }
}

#[tokio::test]
async fn the_summary_has_every_figure() {
    let (server, owner, _) = scene().await;
    let answer = ask(&server, &owner, "/api/analytics?startDate=2024-01-01&endDate=2024-02-10").await;
    let summary = &answer["summary"];
    let digits = |name: &str| summary[name].to_string();
    assert_eq!(
        (digits("totalCost"), digits("totalTokens"), digits("totalRequests")),
        ("15".into(), "248".into(), "5".into())
    );
    // Averages leave out the call whose cost is unknown: 15 ÷ 4 and 15 ÷ 240 × 1,000.
    assert_eq!(
        (digits("averageCostPerRequest"), digits("costPerThousandTokens")),
        ("3.75".into(), "62.5".into())
    );
    assert_eq!((digits("unpricedRequests"), digits("errorRate")), ("1".into(), "0.2".into()));
    assert_eq!(summary["latency"], json!({ "p50": 200, "p95": 1000, "p99": 1000 }));
    assert_eq!(summary["budgetUtilization"], Value::Null);
}

#[tokio::test]
async fn timelines_have_no_gaps_in_any_length_and_zone() {
    let (server, owner, _) = scene().await;
    let at = async |query: &str| points(&ask(&server, &owner, &format!("/api/analytics?{query}")).await);
    let point = |date: &str, cost: &str| (date.to_owned(), cost.to_owned());
    assert_eq!(
        at("startDate=2024-01-29&endDate=2024-02-02&groupBy=day").await,
        [
            point("2024-01-29", "0"),
            point("2024-01-30", "1"),
            point("2024-01-31", "6"),
            point("2024-02-01", "8"),
            point("2024-02-02", "0")
        ]
    );
    assert_eq!(
        at("startDate=2024-01-30&endDate=2024-02-01&groupBy=day&timeZone=Europe/Berlin").await,
        [point("2024-01-30", "0"), point("2024-01-31", "3"), point("2024-02-01", "12")]
    );
    assert_eq!(
        at("startDate=2024-01-01&endDate=2024-02-29&groupBy=month").await,
        [point("2024-01-01", "7"), point("2024-02-01", "8")]
    );
    assert_eq!(
        at("startDate=2024-01-22&endDate=2024-02-04&groupBy=week").await,
        [point("2024-01-22", "0"), point("2024-01-29", "15")]
    );
    let hours = at("startDate=2024-01-31T22:00:00Z&endDate=2024-02-01T01:00:00Z&groupBy=hour").await;
    assert_eq!(
        hours,
        [
            point("2024-01-31T22:00:00Z", "0"),
            point("2024-01-31T23:00:00Z", "4"),
            point("2024-02-01T00:00:00Z", "8")
        ]
    );
    // The clocks go forward on 31 March and back on 27 October 2024 in Berlin.
    for (day, hours) in [("2024-03-31", 23), ("2024-10-27", 25), ("2024-06-01", 24)] {
        let query = format!("startDate={day}&endDate={day}&groupBy=hour&timeZone=Europe/Berlin");
        assert_eq!(at(&query).await.len(), hours, "{day}");
    }
}

#[tokio::test]
async fn breakdowns_name_every_part_and_what_has_none() {
    let (server, owner, [a, _]) = scene().await;
    let answer = ask(&server, &owner, "/api/analytics?startDate=2024-01-01&endDate=2024-02-10").await;
    let part = |name: &str, cost: &str, requests: u64| (name.to_owned(), cost.to_owned(), requests);
    assert_eq!(
        parts(&answer, "services"),
        [part("anthropic", "12", 2), part("openai", "3", 2), part("unknown", "0", 1)]
    );
    assert_eq!(
        parts(&answer, "models"),
        [part("claude-sonnet-4-5", "12", 2), part("gpt-4o", "3", 2), part("nobodys", "0", 1)]
    );
    assert_eq!(parts(&answer, "projects"), [part("B", "8", 2), part("A", "7", 3)]);
    assert_eq!(parts(&answer, "teams"), [part("(none)", "12", 3), part("x", "3", 2)]);
    assert_eq!(parts(&answer, "departments"), [part("(none)", "14", 4), part("d", "1", 1)]);
    assert_eq!(parts(&answer, "tags"), [part("(none)", "12", 3), part("t1", "3", 2), part("t2", "1", 1)]);
    assert_eq!(parts(&answer, "users"), [part("owner@example.com", "15", 5)]);
    assert_eq!(answer["breakdown"]["projects"][1]["id"], json!(a));
    assert_eq!(answer["breakdown"]["services"][0]["share"], json!(0.8));
    let by_requests = ask(
        &server,
        &owner,
        "/api/analytics?startDate=2024-01-01&endDate=2024-02-10&metric=requests&limit=1",
    )
    .await;
    assert_eq!(parts(&by_requests, "projects"), [part("A", "7", 3)]);
}

#[tokio::test]
async fn every_dimension_can_be_grouped_by_alone_and_with_time() {
    let (server, owner, _) = scene().await;
    for dimension in domain::query::Dimension::ALL {
        let name = dimension.as_str();
        let answer = ask(
            &server,
            &owner,
            &format!("/api/analytics?startDate=2024-01-01&endDate=2024-02-10&groupBy=day,{name}"),
        )
        .await;
        let groups = answer["groups"].as_array().unwrap();
        assert!(
            !groups.is_empty()
                && groups.iter().all(|group| group["key"].get(name).is_some() && group["date"].is_string()),
            "{name}"
        );
        let requests: u64 = groups.iter().map(|group| group["requests"].as_u64().unwrap()).sum();
        assert_eq!(requests, if name == "tag" { 6 } else { 5 }, "{name}");
    }
    let two =
        ask(&server, &owner, "/api/analytics?startDate=2024-01-31&endDate=2024-01-31&groupBy=model,status")
            .await;
    let keys: Vec<&Value> = two["groups"].as_array().unwrap().iter().map(|group| &group["key"]).collect();
    assert_eq!(
        keys,
        [
            &json!({ "model": "claude-sonnet-4-5", "status": "error" }),
            &json!({ "model": "gpt-4o", "status": "success" })
        ]
    );
}

#[tokio::test]
async fn filters_hold_for_every_figure() {
    let (server, owner, [a, b]) = scene().await;
    let period = "startDate=2024-01-01&endDate=2024-02-10";
    for (filter, total, requests) in [
        ("service=openai".to_owned(), "3", 2),
        ("service=!openai".to_owned(), "12", 3),
        ("model=gpt-4o&model=nobodys".to_owned(), "3", 3),
        (format!("project={a}"), "7", 3),
        (format!("projectId=!{a}"), "8", 2),
        ("team=x&tag=t2".to_owned(), "1", 1),
        ("team=(none)".to_owned(), "12", 3),
        ("status=error".to_owned(), "4", 1),
        ("costSource=unpriced".to_owned(), "0", 1),
        (format!("user={}", owner.id), "15", 5),
        ("search=claude".to_owned(), "12", 2),
        ("department=nobody".to_owned(), "0", 0),
        (format!("project={b}&service=openai"), "0", 0),
    ] {
        let answer = ask(&server, &owner, &format!("/api/analytics?{period}&{filter}&groupBy=day")).await;
        assert_eq!(
            (answer["summary"]["totalCost"].to_string().as_str(), &answer["summary"]["totalRequests"]),
            (total, &json!(requests)),
            "{filter}"
        );
        let over_time: i64 = points(&answer).iter().map(|(_, cost)| cost.parse::<i64>().unwrap()).sum();
        assert_eq!(over_time.to_string(), total, "{filter}");
        let by_model: i64 =
            parts(&answer, "models").iter().map(|(_, cost, _)| cost.parse::<i64>().unwrap()).sum();
        assert_eq!(by_model.to_string(), total, "{filter}");
    }
}

#[tokio::test]
async fn trends_compare_with_the_period_before() {
    let (server, owner, _) = scene().await;
    let answer =
        ask(&server, &owner, "/api/analytics?startDate=2024-02-01&endDate=2024-02-02&compare=previous").await;
    let trends = &answer["trends"];
    assert_eq!((trends["previousTotal"].to_string(), trends["change"].to_string()), ("7".into(), "1".into()));
    assert_eq!(trends["changePercentage"], json!(14.285_714));
    let nothing_before = ask(&server, &owner, "/api/analytics?startDate=2024-01-30&endDate=2024-01-30").await;
    assert_eq!(nothing_before["trends"]["changePercentage"], Value::Null);
}

#[tokio::test]
async fn a_forecast_needs_a_week_of_history() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for day in 4..=10 {
        server
            .track(
                &owner,
                json!({ "model": "gpt-4o", "cost": 2, "timestamp": format!("2024-02-{day:02}T08:00:00Z") }),
            )
            .await;
        let forecast = ask(&server, &owner, "/api/analytics").await["trends"]["forecast"].clone();
        assert_eq!(forecast, Value::Null, "six whole days are behind on the 10th");
    }
    server.track(&owner, json!({ "model": "gpt-4o", "cost": 2, "timestamp": "2024-02-03T08:00:00Z" })).await;
    let forecast = ask(&server, &owner, "/api/analytics").await["trends"]["forecast"].clone();
    // Eight days of 2 dollars, the 10th included, the other half of the 10th, and 19 to come.
    assert_eq!(
        (forecast["expected"].to_string(), &forecast["periodEnd"]),
        ("55".into(), &json!("2024-03-01T00:00:00Z"))
    );
    assert_eq!(forecast["low"], forecast["high"]);
}

#[tokio::test]
async fn projects_stand_side_by_side() {
    let (server, owner, [a, b]) = scene().await;
    let period = "startDate=2024-01-30&endDate=2024-02-01";
    let by_query = ask(
        &server,
        &owner,
        &format!("/api/analytics/projects/compare?projectIds={b},{a}&{period}&groupBy=day"),
    )
    .await;
    let body =
        json!({ "projectIds": [b, a], "startDate": "2024-01-30", "endDate": "2024-02-01", "groupBy": "day" });
    let by_body = server.post("/api/analytics/compare").by(&owner).json(&body).await.expect(200);
    assert_eq!(by_query, by_body);
    let projects = by_query["projects"].as_array().unwrap();
    let seen: Vec<(&Value, String, usize)> = projects
        .iter()
        .map(|project| {
            (
                &project["name"],
                project["summary"]["totalCost"].to_string(),
                project["timeline"].as_array().unwrap().len(),
            )
        })
        .collect();
    assert_eq!(seen, [(&json!("B"), "8".to_owned(), 3), (&json!("A"), "7".to_owned(), 3)]);
    for wrong in ["projectIds=", "projectIds=x"] {
        let (status, _, fields) =
            server.get(&format!("/api/analytics/projects/compare?{wrong}")).by(&owner).send().await.failure();
        assert_eq!((status, fields), (422, vec!["projectIds".to_owned()]), "{wrong}");
    }
}

#[tokio::test]
async fn costs_are_allocated_by_each_dimension() {
    let (server, owner, [a, _]) = scene().await;
    let path = format!("/api/projects/{a}/cost-allocation?startDate=2024-01-01&endDate=2024-02-10");
    for (group_by, first) in [
        ("department", "(none)"),
        ("team", "(none)"),
        ("purpose", "(none)"),
        ("client", "(none)"),
        ("campaign", "(none)"),
        ("tag", "(none)"),
    ] {
        let answer = ask(&server, &owner, &format!("{path}&groupBy={group_by}")).await;
        assert_eq!(
            (&answer["groupBy"], &answer["groups"][0]["name"], answer["totalCost"].to_string()),
            (&json!(group_by), &json!(first), "7".to_owned())
        );
    }
    let answer = server.get(&format!("{path}&groupBy=model")).by(&owner).send().await;
    assert_eq!(answer.failure(), (422, "invalid_input".to_owned(), vec!["groupBy".to_owned()]));
}

#[tokio::test]
async fn cached_tokens_and_their_savings_are_counted() {
    let server = Server::start().await;
    let owner = server.owner().await;
    server.track(&owner, json!({ "model": "gpt-4o", "promptTokens": 1000, "cacheReadTokens": 800, "completionTokens": 500 })).await;
    let summary = ask(&server, &owner, "/api/usage/stats").await;
    // Uncached: 1,000 × 2.50 + 500 × 10 = 0.0075 dollars; cached reads cost half.
    assert_eq!(
        (summary["totalCost"].to_string(), summary["cacheSavings"].to_string(), &summary["cachedTokens"]),
        ("0.0065".into(), "0.001".into(), &json!(800))
    );
}

#[tokio::test]
async fn questions_that_cannot_be_answered_name_the_parameter() {
    let (server, owner, _) = scene().await;
    for (query, field) in [
        ("groupBy=colour", "groupBy"),
        ("groupBy=model,team,client,tag", "groupBy"),
        ("groupBy=hour&startDate=2015-01-01&endDate=2024-01-01", "groupBy"),
        ("startDate=tomorrow", "startDate"),
        ("startDate=2024-02-02&endDate=2024-02-01", "endDate"),
        ("timeZone=Mars", "timeZone"),
        ("limit=0", "limit"),
        ("metric=joy", "metric"),
        ("compare=next", "compare"),
        ("compare=2024-02-01..", "compare"),
        ("include=everything", "include"),
        ("modell=gpt-4o", "modell"),
    ] {
        let failure = server.get(&format!("/api/analytics?{query}")).by(&owner).send().await.failure();
        assert_eq!(failure, (422, "invalid_input".to_owned(), vec![field.to_owned()]), "{query}");
    }
}

#[tokio::test]
async fn an_answer_holds_what_is_asked_for_and_the_same_figures_as_the_whole() {
    let (server, owner, _) = scene().await;
    let query = "/api/analytics?startDate=2024-01-01&endDate=2024-02-10&groupBy=day,model";
    let whole = ask(&server, &owner, query).await;
    let all = ["breakdown", "groups", "period", "summary", "timeline", "trends"];
    assert_eq!(whole.as_object().unwrap().keys().collect::<Vec<_>>(), all);
    for part in ["breakdown", "groups", "timeline", "trends"] {
        let answer = ask(&server, &owner, &format!("{query}&include={part}")).await;
        assert_eq!(answer.as_object().unwrap().len(), 2, "{part}");
        assert_eq!((&answer[part], &answer["period"]), (&whole[part], &whole["period"]));
    }
    let mut summary = ask(&server, &owner, &format!("{query}&include=summary")).await["summary"].clone();
    assert_eq!(summary.get("latency"), None);
    summary["latency"] = whole["summary"]["latency"].clone();
    assert_eq!(summary, whole["summary"]);
    let with_latency = ask(&server, &owner, &format!("{query}&include=summary,latency")).await;
    assert_eq!(with_latency["summary"], whole["summary"]);
}

#[tokio::test]
async fn groups_have_every_figure_names_and_what_they_were_before() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "Shop" })).await;
    let key = server.key(&owner, json!({ "name": "billing worker", "scopes": ["ingest"] })).await;
    let call = |day: &str| {
        json!({ "model": "gpt-4o", "projectId": project, "promptTokens": 1000, "completionTokens": 500,
            "cacheReadTokens": 600, "timestamp": format!("2024-02-{day}T08:00:00Z") })
    };
    let written = json!({ "model": "claude-sonnet-4-5", "projectId": project, "promptTokens": 1000,
        "completionTokens": 10, "cacheWriteTokens": 900, "status": "error", "timestamp": "2024-02-09T08:00:00Z" });
    let unpriced = json!({ "model": "nobodys", "promptTokens": 5, "timestamp": "2024-02-09T08:00:00Z" });
    for call in [call("01"), call("08"), call("09"), written, unpriced] {
        server.track(&key, call).await;
    }
    let period = "startDate=2024-02-08&endDate=2024-02-10&compare=2024-01-30..2024-02-02";
    let answer = ask(&server, &owner, &format!("/api/analytics?{period}&groupBy=model")).await;
    let group = |name: &str| {
        let groups = answer["groups"].as_array().unwrap();
        groups.iter().find(|group| group["key"]["model"] == name).unwrap().clone()
    };
    // (400 × 2.50 + 600 × 1.25 + 500 × 10) ÷ 10⁶ dollars, twice.
    let gpt = group("gpt-4o");
    assert_eq!(
        (gpt["cost"].to_string(), gpt["costPerRequest"].to_string()),
        ("0.0135".into(), "0.00675".into())
    );
    assert_eq!((gpt["costPerMillionTokens"].to_string(), &gpt["cacheHitRate"]), ("4.5".into(), &json!(0.6)));
    let before = &gpt["before"];
    assert_eq!(
        (before["cost"].to_string(), before["change"].to_string()),
        ("0.00675".into(), "0.00675".into())
    );
    assert_eq!((&before["requests"], before["changePercentage"].to_string()), (&json!(1), "100.0".into()));
    let claude = group("claude-sonnet-4-5");
    assert_eq!((&claude["errors"], &claude["cacheWriteTokens"]), (&json!(1), &json!(900)));
    assert_eq!(
        (&claude["before"]["requests"], &claude["before"]["changePercentage"]),
        (&json!(0), &Value::Null)
    );
    let unpriced = group("nobodys");
    assert_eq!((&unpriced["unpricedRequests"], &unpriced["costPerRequest"]), (&json!(1), &Value::Null));
    assert_eq!(answer["compared"]["cost"].to_string(), "0.00675");
    let after = "startDate=2024-02-10&endDate=2024-02-10&compare=2024-02-09..2024-02-09&groupBy=model";
    let after = ask(&server, &owner, &format!("/api/analytics?{after}")).await;
    let vanished = after["groups"].as_array().unwrap().iter().map(|group| {
        let figure = |value: &Value| value.to_string();
        (
            figure(&group["key"]["model"]),
            figure(&group["requests"]),
            figure(&group["before"]["changePercentage"]),
        )
    });
    let expected = [
        ("\"claude-sonnet-4-5\"", "0", "-100.0"),
        ("\"gpt-4o\"", "0", "-100.0"),
        ("\"nobodys\"", "0", "null"),
    ];
    let expected = expected.map(|(model, requests, change)| (model.into(), requests.into(), change.into()));
    assert_eq!(vanished.collect::<Vec<_>>(), expected);

    let named =
        ask(&server, &owner, &format!("/api/analytics?{period}&groupBy=project,user,trackerKey")).await;
    let names: Vec<&Value> =
        named["groups"].as_array().unwrap().iter().map(|group| &group["names"]).collect();
    let who = |project: Value| json!({ "project": project, "user": "owner@example.com", "trackerKey": "billing worker" });
    assert_eq!(names, [&who(json!("Shop")), &who(Value::Null)]);
}

#[tokio::test]
async fn groups_are_the_same_from_daily_sums_and_from_records() {
    let (server, owner, _) = scene().await;
    let query = "/api/analytics?startDate=2024-01-01&endDate=2024-02-10&groupBy=project,model&include=groups";
    let from_sums = ask(&server, &owner, query).await;
    // Changes nothing, but only records can tell.
    let from_records = ask(&server, &owner, &format!("{query}&team=!nobody")).await;
    assert_eq!(from_sums, from_records);
    assert_eq!(from_sums["groups"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_table_of_groups_adds_up_to_what_is_shown() {
    let (server, owner, [a, _]) = scene().await;
    let query = "startDate=2024-01-01&endDate=2024-02-10&groupBy=project,model&compare=previous";
    let table =
        server.get(&format!("/api/analytics/export?format=csv&{query}")).by(&owner).send().await.text();
    let shown = ask(&server, &owner, &format!("/api/analytics?{query}")).await;
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let head = reader.headers().unwrap().clone();
    let column = |name: &str| head.iter().position(|column| column == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), shown["groups"].as_array().unwrap().len());
    let cost = |row: &csv::StringRecord| match &row[column("cost")] {
        "" => None,
        cost => Some(pricing::Money::parse(cost).unwrap().nanos()),
    };
    let sum: i64 = rows.iter().filter_map(cost).sum();
    let total = pricing::Money::parse(&shown["summary"]["totalCost"].to_string()).unwrap();
    assert_eq!(sum, total.nanos());
    // What nobody knows is not zero.
    let unknown: Vec<&csv::StringRecord> = rows.iter().filter(|row| cost(row).is_none()).collect();
    assert_eq!((unknown.len(), &unknown[0][column("model")]), (1, "nobodys"));
    let of_a = rows.iter().find(|row| row[column("project")] == a).unwrap();
    assert_eq!((&of_a[column("projectName")], &of_a[column("costBefore")]), ("A", "0"));
}

#[tokio::test]
async fn durations_are_exact_over_time_and_by_group() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let rows: Vec<Value> = (1..=100)
        .map(|n| {
            json!({ "model": if n <= 50 { "gpt-4o" } else { "gpt-4o-mini" }, "promptTokens": 1, "responseTime": n * 10,
                "timeToFirstToken": n, "timestamp": format!("2024-02-0{}T08:00:00Z", 1 + n % 2) })
        })
        .chain([json!({ "model": "gpt-4o", "promptTokens": 1, "timestamp": "2024-02-03T08:00:00Z" })])
        .collect();
    server.post("/api/usage/bulk").by(&owner).json(&json!({ "usageData": rows })).await.expect(200);
    let of = async |group_by: &str| {
        let query = format!("startDate=2024-02-01&endDate=2024-02-03&groupBy={group_by}&include=durations");
        ask(&server, &owner, &format!("/api/analytics?{query}")).await["durations"]
            .as_array()
            .unwrap()
            .clone()
    };
    let by_model = of("model").await;
    let first = json!({ "count": 50, "p50": 25, "p95": 48, "p99": 50 });
    let response = json!({ "count": 50, "p50": 750, "p95": 980, "p99": 1000 });
    assert_eq!(
        (by_model.len(), &by_model[0]["firstToken"], &by_model[1]["response"]),
        (2, &first, &response)
    );
    let by_day = of("day").await;
    let days: Vec<&Value> = by_day.iter().map(|group| &group["date"]).collect();
    assert_eq!(days, ["2024-02-01", "2024-02-02"], "nothing is known of the third");
    assert_eq!(by_day[0]["response"], json!({ "count": 50, "p50": 500, "p95": 960, "p99": 1000 }));
    assert_eq!(of("day,model").await.len(), 4);
}
