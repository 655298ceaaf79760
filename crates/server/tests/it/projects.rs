//! Projects, budgets and members.

use serde_json::json;

use crate::harness::Server;

#[tokio::test]
async fn a_project_is_made_read_changed_and_deleted() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let body = json!({
        "name": " Shop ", "description": "The web shop", "tags": ["b", "a", "a"],
        "settings": { "allowedModels": ["gpt-4o"], "maxTokensPerRequest": 1000, "storePrompts": true },
        "budget": { "amount": 1000, "currency": "USD", "period": "monthly",
            "alerts": [{ "threshold": 50, "type": "email" }, { "threshold": 80, "type": "both" }, { "threshold": 90, "type": "webhook" }] },
    });
    let id = server.project(&owner, body).await;
    assert_eq!((id.len(), id.bytes().all(|digit| digit.is_ascii_hexdigit())), (24, true));
    let path = format!("/api/projects/{id}");
    let project = server.get(&path).by(&owner).send().await.expect(200);
    assert_eq!((&project["name"], &project["tags"]), (&json!("Shop"), &json!(["a", "b"])));
    assert_eq!(project["budget"]["amount"].to_string(), "1000");
    assert_eq!(project["budget"]["alerts"][1]["type"], json!("both"));
    assert_eq!(project["settings"]["storePrompts"], json!(true));

    let changed = server
        .call("PUT", &path)
        .by(&owner)
        .json(&json!({ "name": "Store", "budget": null }))
        .await
        .expect(200);
    assert_eq!(
        (&changed["name"], &changed["description"], changed["budget"].is_null()),
        (&json!("Store"), &json!("The web shop"), true)
    );

    server.call("DELETE", &path).by(&owner).send().await.expect(200);
    server.get(&path).by(&owner).send().await.refused(404, "project_not_found");
    assert_eq!(server.get("/api/projects").by(&owner).send().await.expect(200), json!([]));
}

#[tokio::test]
async fn problems_of_a_project_are_named_by_field() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let body = json!({ "name": "P", "budget": { "amount": -1, "currency": "euro", "period": "monthly", "alerts": [{ "threshold": 0, "type": "email" }] } });
    let (status, code, fields) = server.post("/api/projects").by(&owner).json(&body).await.failure();
    assert_eq!((status, code.as_str()), (422, "invalid_input"));
    assert_eq!(fields, ["budget.amount", "budget.currency", "budget.alerts[0].threshold"]);
    let unknown_period = json!({ "name": "P", "budget": { "amount": 1, "period": "daily" } });
    let (status, code, fields) =
        server.post("/api/projects").by(&owner).json(&unknown_period).await.failure();
    assert_eq!((status, code.as_str(), fields), (400, "malformed_body", vec!["budget.period".to_owned()]));
    let (status, _, fields) = server.post("/api/projects").by(&owner).json(&json!({})).await.failure();
    assert_eq!((status, fields), (422, vec!["name".to_owned()]));
}

#[tokio::test]
async fn spending_counts_the_current_period_of_the_budget() {
    let server = Server::start().await;
    let owner = server.owner().await;
    // The clock stands at 10 February 2024, a Saturday.
    for (period, spent, utilization) in [
        ("weekly", "30", 30.0),
        ("monthly", "70", 70.0),
        ("quarterly", "110", 110.0),
        ("one-time", "150", 150.0),
    ] {
        let id = server
            .project(&owner, json!({ "name": period, "budget": { "amount": 100, "period": period } }))
            .await;
        for (day, cost) in [
            ("2023-12-31", 40),
            ("2024-01-31", 40),
            ("2024-02-01", 40),
            ("2024-02-05", 10),
            ("2024-02-10", 20),
        ] {
            server.track(&owner, json!({ "model": "gpt-4o", "cost": cost, "projectId": id, "timestamp": format!("{day}T08:00:00Z") })).await;
        }
        let project = server.get(&format!("/api/projects/{id}")).by(&owner).send().await.expect(200);
        assert_eq!(project["spending"]["totalCost"].to_string(), spent, "{period}");
        assert_eq!(project["spending"]["budgetUtilization"], json!(utilization), "{period}");
        let analytics = server
            .get(&format!("/api/analytics/projects/{id}?startDate=2023-01-01&endDate=2023-01-31"))
            .by(&owner)
            .send()
            .await
            .expect(200);
        assert_eq!(
            analytics["summary"]["budgetUtilization"],
            json!(utilization),
            "whatever the period asked for"
        );
    }
}

#[tokio::test]
async fn lists_of_projects_search_sort_and_page() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for name in ["beta", "Alpha", "gamma"] {
        server.project(&owner, json!({ "name": name, "tags": [format!("tag-{name}")] })).await;
        server.clock.advance_seconds(1);
    }
    let names = async |query: &str| {
        let page = server.get(&format!("/api/projects?{query}")).by(&owner).send().await.value();
        let names: Vec<String> = page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|project| project["name"].as_str().unwrap().to_owned())
            .collect();
        (
            names.join(" "),
            page["pagination"]["total"].as_u64().unwrap(),
            page["pagination"]["hasNext"].as_bool().unwrap(),
        )
    };
    assert_eq!(names("").await, ("Alpha beta gamma".into(), 3, false));
    assert_eq!(names("sort=createdAt&order=desc&limit=2").await, ("gamma Alpha".into(), 3, true));
    assert_eq!(names("page=2&limit=2").await, ("gamma".into(), 3, false));
    assert_eq!(names("search=TAG-BETA").await, ("beta".into(), 1, false));
}

#[tokio::test]
async fn members_come_change_and_go_but_an_owner_stays() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let id = server.project(&owner, json!({ "name": "P" })).await;
    let guest = server.member(&owner, &id, "guest@example.com", "viewer").await;
    let members = format!("/api/projects/{id}/members");
    let listed = server.get(&members).by(&guest).send().await.expect(200);
    assert_eq!((&listed[1]["email"], &listed[1]["role"]), (&json!("guest@example.com"), &json!("viewer")));
    let path = format!("{members}/{}", guest.id);
    server.call("PATCH", &path).by(&owner).json(&json!({ "role": "admin" })).await.expect(200);
    // An admin neither makes owners nor unmakes them.
    server.call("PATCH", &path).by(&guest).json(&json!({ "role": "owner" })).await.refused(403, "forbidden");
    let of_owner = format!("{members}/{}", owner.id);
    server.call("DELETE", &of_owner).by(&guest).send().await.refused(403, "forbidden");
    server.call("DELETE", &of_owner).by(&owner).send().await.refused(409, "owner_required");
    server
        .call("PATCH", &of_owner)
        .by(&owner)
        .json(&json!({ "role": "viewer" }))
        .await
        .refused(409, "owner_required");
    server.call("DELETE", &path).by(&owner).send().await.expect(200);
    server.call("DELETE", &path).by(&owner).send().await.refused(404, "member_not_found");
}

#[tokio::test]
async fn a_project_that_is_switched_off_takes_no_usage() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let id = server.project(&owner, json!({ "name": "P", "isActive": false })).await;
    let body = json!({ "model": "gpt-4o", "projectId": id });
    server.post("/api/usage/track").by(&owner).json(&body).await.refused(409, "project_inactive");
}
