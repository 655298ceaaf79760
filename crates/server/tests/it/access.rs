//! Who may do what, on every route: a table of the whole API, checked role by role.

use domain::project::ProjectRole;
use serde_json::{Value, json};
use store::ProjectStore as _;

use crate::harness::{Answer, NOW, Person, Server};

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Access {
    /// Everybody.
    Public,
    /// Everybody who is logged in; it touches only what is theirs.
    Own,
    /// Members of the project in the path, from this role on; for others it does not exist.
    Project(ProjectRole),
    /// Members of the project that the record in the path is for, from this role on.
    Record(ProjectRole),
    /// Names a project in its body or query; members of it, from this role on.
    Names(ProjectRole),
}

use Access::{Names, Own, Project, Public, Record};
use ProjectRole::{Admin, Member, Owner, Viewer};

/// A route of the API: method, path, who, and a body that is accepted. `{projectId}` in a body stands for the project.
const ROUTES: &[(&str, &str, Access, &str)] = &[
    ("post", "/api/auth/register", Public, ""),
    ("post", "/api/auth/login", Public, ""),
    ("post", "/api/auth/refresh", Public, ""),
    ("post", "/api/auth/logout", Public, ""),
    ("post", "/api/auth/change-password", Own, ""),
    ("post", "/api/auth/forgot-password", Public, ""),
    ("post", "/api/auth/reset-password", Public, ""),
    ("get", "/api/auth/me", Own, ""),
    ("get", "/api/user/profile", Own, ""),
    ("put", "/api/user/profile", Own, "{}"),
    ("get", "/api/user/api-keys", Own, ""),
    ("post", "/api/user/api-keys", Own, ""),
    ("delete", "/api/user/api-keys/{service}", Own, ""),
    ("get", "/api/user/dashboard-api-keys", Own, ""),
    (
        "post",
        "/api/user/dashboard-api-keys",
        Names(Viewer),
        r#"{"name":"k","scopes":["read"],"projectId":"{projectId}"}"#,
    ),
    ("patch", "/api/user/dashboard-api-keys/{keyId}", Own, ""),
    ("delete", "/api/user/dashboard-api-keys/{keyId}", Own, ""),
    ("get", "/api/projects", Own, ""),
    ("post", "/api/projects", Own, ""),
    ("get", "/api/projects/{projectId}", Project(Viewer), ""),
    ("put", "/api/projects/{projectId}", Project(Admin), r#"{"description":"changed"}"#),
    ("delete", "/api/projects/{projectId}", Project(Owner), ""),
    ("get", "/api/projects/{projectId}/members", Project(Viewer), ""),
    (
        "post",
        "/api/projects/{projectId}/members",
        Project(Admin),
        r#"{"email":"new@example.com","role":"viewer"}"#,
    ),
    ("patch", "/api/projects/{projectId}/members/{userId}", Project(Admin), r#"{"role":"member"}"#),
    ("delete", "/api/projects/{projectId}/members/{userId}", Project(Admin), ""),
    ("get", "/api/projects/{projectId}/analytics", Project(Viewer), ""),
    ("get", "/api/projects/{projectId}/cost-allocation", Project(Viewer), ""),
    ("get", "/api/projects/{projectId}/export", Project(Viewer), ""),
    ("post", "/api/usage/track", Names(Member), r#"{"model":"gpt-4o","projectId":"{projectId}"}"#),
    ("post", "/api/usage/track-sdk", Names(Member), r#"{"model":"gpt-4o","projectId":"{projectId}"}"#),
    ("post", "/api/ai-logs", Own, r#"{"logs":[]}"#),
    ("post", "/api/usage/track-comprehensive", Own, "{}"),
    ("post", "/api/usage/bulk", Own, r#"{"usageData":[]}"#),
    ("get", "/api/usage", Own, ""),
    ("get", "/api/usage/search", Own, ""),
    ("get", "/api/usage/stats", Own, ""),
    ("get", "/api/usage/stream", Own, ""),
    ("post", "/api/usage/corrections", Own, ""),
    ("post", "/api/erasures", Own, ""),
    ("get", "/api/usage/export", Own, ""),
    ("get", "/api/usage/{usageId}", Record(Viewer), ""),
    ("put", "/api/usage/{usageId}", Record(Member), r#"{"tags":["x"]}"#),
    ("delete", "/api/usage/{usageId}", Record(Member), ""),
    ("get", "/api/analytics", Own, ""),
    ("get", "/api/analytics/projects/{projectId}", Project(Viewer), ""),
    ("get", "/api/analytics/projects/compare", Names(Viewer), ""),
    ("post", "/api/analytics/compare", Names(Viewer), r#"{"projectIds":["{projectId}"]}"#),
    ("get", "/api/analytics/export", Own, ""),
    ("get", "/api/annotations", Own, ""),
    ("post", "/api/annotations", Names(Member), r#"{"title":"v1","projectId":"{projectId}"}"#),
    ("delete", "/api/annotations/{annotationId}", Own, ""),
    ("get", "/api/settings", Own, ""),
    ("get", "/api/setup", Public, ""),
    ("get", "/api/prices", Own, ""),
    ("get", "/api/prices/changes", Own, ""),
    ("get", "/api/prices/{model}", Own, ""),
    ("post", "/api/prices/estimate", Own, r#"{"model":"gpt-4o"}"#),
    ("post", "/api/prices/simulate", Names(Viewer), r#"{"projectId":"{projectId}"}"#),
    ("post", "/api/prices/reprice", Own, ""),
    ("get", "/api/prices/overrides", Own, ""),
    ("put", "/api/prices/overrides", Own, ""),
    ("get", "/api/prices/mappings", Own, ""),
    ("put", "/api/prices/mappings", Own, ""),
    ("post", "/api/prices/import", Own, ""),
    ("get", "/api/prices/revisions", Own, ""),
    ("get", "/api/audit", Own, ""),
    ("get", "/api/audit/verify", Own, ""),
    ("get", "/api/audit/export", Own, ""),
    ("get", "/api/budgets", Own, ""),
    ("post", "/api/budgets", Own, ""),
    ("get", "/api/budgets/{budgetId}", Project(Viewer), ""),
    ("put", "/api/budgets/{budgetId}", Own, ""),
    ("delete", "/api/budgets/{budgetId}", Own, ""),
    ("get", "/api/budgets/{budgetId}/status", Project(Viewer), ""),
    ("get", "/api/budgets/{budgetId}/increases", Project(Viewer), ""),
    (
        "post",
        "/api/budgets/{budgetId}/increases",
        Project(Admin),
        r#"{"amount":1,"until":"2024-02-11T00:00:00Z","reason":"a launch"}"#,
    ),
    ("delete", "/api/budgets/{budgetId}/increases/{increaseId}", Own, ""),
    ("get", "/api/fx-rates", Own, ""),
    ("put", "/api/fx-rates", Own, ""),
    ("get", "/api/alerts", Own, ""),
    ("get", "/api/alerts/unread-count", Own, ""),
    ("post", "/api/alerts/read-all", Own, ""),
    ("put", "/api/alerts/{alertId}", Own, "{}"),
    ("delete", "/api/alerts/{alertId}", Own, ""),
    ("get", "/api/anomalies", Own, ""),
    ("put", "/api/anomalies/{anomalyId}", Own, r#"{"expected":true}"#),
    ("get", "/api/user/digest", Own, ""),
    ("put", "/api/user/digest", Own, r#"{"frequency":"weekly"}"#),
    ("get", "/api/user/digest/preview", Own, ""),
    ("post", "/api/notifications/email/test", Own, ""),
    ("get", "/api/webhooks", Own, ""),
    ("post", "/api/webhooks", Names(Admin), r#"{"url":"https://example.com","projectId":"{projectId}"}"#),
    ("get", "/api/webhooks/{webhookId}", Own, ""),
    ("patch", "/api/webhooks/{webhookId}", Own, ""),
    ("delete", "/api/webhooks/{webhookId}", Own, ""),
    ("post", "/api/webhooks/{webhookId}/rotate-secret", Own, ""),
    ("post", "/api/webhooks/{webhookId}/test", Own, ""),
    ("get", "/api/webhooks/{webhookId}/deliveries", Own, ""),
    ("post", "/api/webhooks/{webhookId}/deliveries/{deliveryId}/replay", Own, ""),
    ("post", "/v1/traces", Own, r#"{"resourceSpans":[]}"#),
    ("post", "/v1/logs", Own, r#"{"resourceLogs":[]}"#),
    ("post", "/v1/metrics", Own, r#"{"resourceMetrics":[]}"#),
    ("get", "/docs/openapi.json", Public, ""),
    ("get", "/docs/api", Public, ""),
    ("get", "/healthz", Public, ""),
    ("get", "/readyz", Public, ""),
    ("get", "/metrics", Public, ""),
];

#[test]
fn every_route_is_in_the_table_and_the_table_has_no_other() {
    let document = serde_json::to_value(server::router::openapi()).unwrap();
    let mut routes: Vec<(String, String)> = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        routes.extend(methods.as_object().unwrap().keys().map(|method| (method.clone(), path.clone())));
    }
    let mut table: Vec<(String, String)> =
        ROUTES.iter().map(|(method, path, _, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    routes.sort();
    table.sort();
    assert_eq!(routes, table);
}

#[tokio::test]
async fn without_a_credential_only_public_routes_answer() {
    let server = Server::start().await;
    server.owner().await;
    let someone = "507f1f77bcf86cd799439011";
    for (method, path, access, body) in ROUTES {
        let answer = call(&server, method, &fill(path, someone, someone, someone), None, body).await;
        match access {
            Public => {
                assert_ne!(answer.failure_code(), Some("unauthenticated".to_owned()), "{method} {path}");
            }
            Own | Project(_) | Record(_) | Names(_) => {
                assert_eq!(answer.failure_code(), Some("unauthenticated".to_owned()), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn the_scope_that_the_document_names_is_the_one_that_a_route_needs() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let mut keys = Vec::new();
    for scope in ["ingest", "read", "write", "admin"] {
        keys.push((scope, server.key(&owner, json!({ "name": scope, "scopes": [scope] })).await));
    }
    let document = serde_json::to_value(server::router::openapi()).unwrap();
    let someone = "507f1f77bcf86cd799439011";
    for (method, path, access, _) in ROUTES.iter().filter(|(_, _, access, _)| *access != Public) {
        let named = &document["paths"][path][method]["security"][1]["trackerKey"][0];
        let named = named.as_str().unwrap_or_else(|| panic!("{method} {path} {access:?} names no scope"));
        for (scope, key) in &keys {
            let answers = *scope == "admin" || *scope == named || (*scope == "write" && named == "read");
            let path = fill(path, someone, someone, someone);
            // Opening a stream is enough to see that it is let in.
            let request = server.call(&method.to_uppercase(), &path).by(key);
            let status = request.open(&json!({ "notAField": 1 })).await.status();
            assert!(answers || status == 403, "{method} {path} names {named}, and lets {scope} in");
            assert!(!answers || status != 403, "{method} {path} names {named}, and keeps {scope} out");
        }
    }
}

#[tokio::test]
async fn what_a_caller_may_not_see_does_not_exist_and_what_they_may_not_do_is_forbidden() {
    let stage = Stage::set().await;
    for (method, path, access, body) in ROUTES {
        let (Project(needed) | Record(needed) | Names(needed)) = access else { continue };
        for (role, person) in stage.people() {
            let scene = stage.scene().await;
            let answer = scene.call(method, path, person, body).await;
            let what = format!("{method} {path} as {role:?}: {}", answer.text());
            match role {
                None => assert_eq!(answer.status, 404, "{what}"),
                Some(role) if role < *needed => assert_eq!(answer.status, 403, "{what}"),
                Some(_) => assert!(answer.status.is_success(), "{what}"),
            }
        }
    }
}

#[tokio::test]
async fn lists_and_sums_hold_nothing_of_a_project_one_is_not_a_member_of() {
    let stage = Stage::set().await;
    let scene = stage.scene().await;
    let see = async |person: &Person, path: &str| {
        let answer = stage.server.get(path).by(person).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text().contains(&scene.project) || answer.text().contains("0.123456789")
    };
    for (_, path, access, _) in
        ROUTES.iter().filter(|(method, _, access, _)| *method == "get" && *access == Own)
    {
        if path.contains('{')
            || path.contains("compare")
            || path.contains("/user/")
            || path.contains("/auth/")
            || path.contains("prices")
            || path.contains("webhooks")
            || path.contains("audit")
            || path.contains("alerts")
            || path.contains("anomalies")
            || path.contains("annotations")
            || path.contains("settings")
            || path.contains("stream")
            || path.contains("fx-rates")
        {
            continue;
        }
        let wide = format!(
            "{path}?{}",
            if path.contains("projects") { "" } else { "startDate=2024-01-01&endDate=2024-12-31" }
        );
        assert!(!see(&stage.stranger, &wide).await, "{path} {access:?}");
        assert!(see(&stage.viewer, &wide).await, "{path}: the test would not notice");
    }
}

#[tokio::test]
async fn a_stranger_cannot_move_a_record_into_a_project_or_out_of_it() {
    let stage = Stage::set().await;
    let scene = stage.scene().await;
    let own = stage.server.track(&stage.stranger, json!({ "model": "gpt-4o" })).await;
    let path = format!("/api/usage/{}", own["id"].as_str().unwrap());
    let change = json!({ "projectId": scene.project });
    stage.server.call("PUT", &path).by(&stage.stranger).json(&change).await.refused(404, "project_not_found");
    let path = format!("/api/usage/{}", scene.record);
    stage
        .server
        .call("PUT", &path)
        .by(&stage.viewer)
        .json(&json!({ "tags": [] }))
        .await
        .refused(403, "forbidden");
}

#[tokio::test]
async fn a_role_that_was_taken_away_counts_at_once() {
    let stage = Stage::set().await;
    let scene = stage.scene().await;
    let path = format!("/api/projects/{}", scene.project);
    stage.server.get(&path).by(&stage.viewer).send().await.expect(200);
    let member = format!("{path}/members/{}", stage.viewer.id);
    stage.server.call("DELETE", &member).by(&stage.admin).send().await.expect(200);
    stage.server.get(&path).by(&stage.viewer).send().await.refused(404, "project_not_found");
}

/// A server with a person of each kind.
struct Stage {
    server: Server,
    stranger: Person,
    viewer: Person,
    member: Person,
    admin: Person,
    owner: Person,
}

/// A project of its own for one check, with a record and a further member to act on.
struct Scene<'a> {
    server: &'a Server,
    project: String,
    record: String,
    bystander: String,
}

impl Stage {
    async fn set() -> Self {
        let server = Server::with(&[("auth.allow_signup", "true")]).await;
        server.owner().await;
        let mut people = Vec::new();
        for name in ["stranger", "viewer", "member", "admin", "projectowner"] {
            people.push(server.register(&format!("{name}@example.com"), None).await);
        }
        let [stranger, viewer, member, admin, owner] = people.try_into().unwrap();
        Self { server, stranger, viewer, member, admin, owner }
    }

    fn people(&self) -> [(Option<ProjectRole>, &Person); 5] {
        [
            (None, &self.stranger),
            (Some(Viewer), &self.viewer),
            (Some(Member), &self.member),
            (Some(Admin), &self.admin),
            (Some(Owner), &self.owner),
        ]
    }

    async fn scene(&self) -> Scene<'_> {
        let project = self
            .server
            .project(
                &self.owner,
                json!({ "name": "secret", "budget": { "amount": 1000, "period": "monthly" } }),
            )
            .await;
        let id = project.parse().unwrap();
        for (role, person) in self.people() {
            if let Some(role @ (Viewer | Member | Admin)) = role {
                self.server
                    .store
                    .put_member(id, person.id.parse().unwrap(), role, NOW.parse().unwrap())
                    .await
                    .unwrap();
            }
        }
        let bystander = self.server.app.meta.list_users().await.unwrap()[2].id;
        if !self.people().iter().any(|(_, person)| person.id == bystander.to_string()) {
            self.server.store.put_member(id, bystander, Viewer, NOW.parse().unwrap()).await.unwrap();
        }
        let body = json!({ "model": "gpt-4o", "projectId": project, "cost": 0.123_456_789 });
        let record = self.server.track(&self.owner, body).await["id"].as_str().unwrap().to_owned();
        Scene { server: &self.server, project, record, bystander: bystander.to_string() }
    }
}

impl Scene<'_> {
    async fn call(&self, method: &str, path: &str, person: &Person, body: &str) -> Answer {
        let mut path = fill(path, &self.project, &self.record, &self.bystander);
        if path.ends_with("/compare") && method == "get" {
            path = format!("{path}?projectIds={}", self.project);
        }
        call(self.server, method, &path, Some(person), &body.replace("{projectId}", &self.project)).await
    }
}

fn fill(path: &str, project: &str, record: &str, user: &str) -> String {
    path.replace("{projectId}", project)
        .replace("{budgetId}", project)
        .replace("{usageId}", record)
        .replace("{userId}", user)
        .replace("{keyId}", user)
        .replace("{service}", "openai")
        .replace("{model}", "gpt-4o")
}

async fn call(server: &Server, method: &str, path: &str, person: Option<&Person>, body: &str) -> Answer {
    let mut call = server.call(&method.to_uppercase(), path);
    if let Some(person) = person {
        call = call.by(person);
    }
    if body.is_empty() { call.send().await } else { call.text(body).await }
}

impl Answer {
    fn failure_code(&self) -> Option<String> {
        let value: Value = serde_json::from_slice(&self.body).ok()?;
        // OTLP says it in gRPC's codes.
        let rpc = (value["code"] == 16).then_some("unauthenticated");
        value["error"]["code"].as_str().or(rpc).map(str::to_owned)
    }
}
