//! Examples: a call of each operation, to paste into a shell.

use super::{node::Node, outline::Operation};

/// Bodies that show what an operation is for. A test holds their fields against the schemas.
pub(super) const BODIES: &[(&str, &str)] = &[
    (
        "register",
        r#"{ "email": "ada@example.com", "password": "correct horse battery staple", "name": "Ada" }"#,
    ),
    ("login", r#"{ "email": "ada@example.com", "password": "correct horse battery staple" }"#),
    (
        "export_traces",
        r#"{
    "resourceSpans": [{ "scopeSpans": [{ "spans": [{
      "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "chat gpt-4o-mini",
      "attributes": [
        { "key": "gen_ai.operation.name", "value": { "stringValue": "chat" } },
        { "key": "gen_ai.provider.name", "value": { "stringValue": "openai" } },
        { "key": "gen_ai.request.model", "value": { "stringValue": "gpt-4o-mini" } },
        { "key": "gen_ai.usage.input_tokens", "value": { "intValue": 1000 } },
        { "key": "gen_ai.usage.output_tokens", "value": { "intValue": 200 } }
      ]
    }] }] }]
  }"#,
    ),
    (
        "export_logs",
        r#"{
    "resourceLogs": [{ "scopeLogs": [{ "logRecords": [{
      "timeUnixNano": "1795521882615000000", "body": { "stringValue": "claude_code.api_request" },
      "attributes": [
        { "key": "session.id", "value": { "stringValue": "0b1c" } },
        { "key": "request_id", "value": { "stringValue": "req_011" } },
        { "key": "model", "value": { "stringValue": "claude-sonnet-4-5" } },
        { "key": "input_tokens", "value": { "intValue": 100 } },
        { "key": "output_tokens", "value": { "intValue": 200 } },
        { "key": "cache_read_tokens", "value": { "intValue": 600 } }
      ]
    }] }] }]
  }"#,
    ),
    (
        "export_metrics",
        r#"{
    "resourceMetrics": [{ "scopeMetrics": [{ "metrics": [{ "name": "claude_code.active_time.total", "unit": "s" }] }] }]
  }"#,
    ),
    (
        "create_annotation",
        r#"{ "title": "v1.4.2", "projectId": "'$PROJECT_ID'", "tags": ["deploy"], "link": "https://ci.example.com/runs/7" }"#,
    ),
    ("refresh_session", r#"{ "refreshToken": "'$REFRESH_TOKEN'" }"#),
    ("logout", r#"{ "refreshToken": "'$REFRESH_TOKEN'" }"#),
    (
        "change_password",
        r#"{ "currentPassword": "correct horse battery staple", "newPassword": "a better one, and longer" }"#,
    ),
    ("forgot_password", r#"{ "email": "ada@example.com" }"#),
    ("reset_password", r#"{ "token": "'$TOKEN'", "newPassword": "a better one, and longer" }"#),
    ("update_profile", r#"{ "name": "Ada Lovelace", "preferences": { "theme": "dark" } }"#),
    ("add_provider_key", r#"{ "service": "openai", "key": "'$OPENAI_API_KEY'" }"#),
    ("create_tracker_key", r#"{ "name": "billing worker", "scopes": ["ingest"] }"#),
    ("update_tracker_key", r#"{ "name": "billing worker, EU", "allowedIps": ["10.0.0.0/8"] }"#),
    (
        "create_project",
        r#"{
    "name": "Support chat",
    "budget": { "amount": 1000, "currency": "USD", "period": "monthly", "alerts": [{ "threshold": 80, "type": "email" }] },
    "tags": ["customer-facing"]
  }"#,
    ),
    ("update_project", r#"{ "budget": { "amount": 1500, "currency": "USD", "period": "monthly" } }"#),
    ("add_member", r#"{ "email": "grace@example.com", "role": "member" }"#),
    ("update_member", r#"{ "role": "admin" }"#),
    ("track_usage", TRACKED),
    (
        "track_usage_sdk",
        r#"{ "provider": "openai", "model": "gpt-4o-mini", "usage": { "promptTokens": 1000, "completionTokens": 500 } }"#,
    ),
    (
        "log_calls",
        r#"{ "logs": [{
    "service": "openai", "operation": "chat_completion", "aiModel": "gpt-4o-mini", "statusCode": 200, "responseTime": 820,
    "inputTokens": 1000, "outputTokens": 500, "requestId": "8a5f6c1e-3c7e-4b42-9d0a-6f0f0a2f4b11"
  }] }"#,
    ),
    ("report_request", r#"{ "context": { "requestId": "8a5f6c1e-3c7e-4b42-9d0a-6f0f0a2f4b11" } }"#),
    (
        "track_usage_bulk",
        r#"{ "usageData": [
    { "model": "gpt-4o-mini", "promptTokens": 1000, "completionTokens": 500, "timestamp": "2026-01-15T10:30:00Z" },
    { "model": "gpt-3.5-turbo", "tokens": 150, "cost": 0.002, "timestamp": "2026-01-15T10:31:00Z" }
  ] }"#,
    ),
    (
        "correct_usage",
        r#"{ "usageIds": ["'$USAGE_ID'"], "change": { "tags": ["product"], "costAllocation": { "department": "marketing" } } }"#,
    ),
    ("erase_person", r#"{ "userEmail": "ada@example.com", "dryRun": true }"#),
    ("update_usage", r#"{ "tags": ["product"], "costAllocation": { "department": "marketing" } }"#),
    (
        "compare_projects_by_body",
        r#"{ "projectIds": ["'$PROJECT_ID'", "'$OTHER_PROJECT_ID'"], "startDate": "2026-01-01", "endDate": "2026-01-31" }"#,
    ),
    ("estimate_cost", TRACKED),
    (
        "simulate_costs",
        r#"{ "projectId": "'$PROJECT_ID'", "startDate": "2026-01-01", "endDate": "2026-01-31", "candidates": [{ "model": "gpt-4o-mini" }] }"#,
    ),
    (
        "replace_price_rules",
        r#"{ "rules": [
    { "id": "enterprise-agreement", "service": "openai", "discountBasisPoints": 1250, "validFrom": "2026-01-01T00:00:00Z" },
    { "id": "resale", "projectId": "'$PROJECT_ID'", "marginBasisPoints": 2000 }
  ] }"#,
    ),
    (
        "replace_model_mappings",
        r#"{ "mappings": [{ "service": "azure", "model": "prod-chat-*", "toService": "openai", "toModel": "gpt-4o-mini" }] }"#,
    ),
    ("update_digest", r#"{ "frequency": "weekly", "timeZone": "Europe/Berlin" }"#),
    ("update_anomaly", r#"{ "expected": true, "note": "load test of the release" }"#),
    (
        "create_budget",
        r#"{
    "name": "Everything, together",
    "scope": { "type": "account" },
    "budget": { "amount": 5000, "currency": "USD", "period": "monthly", "enforcement": "block", "alerts": [{ "threshold": 80, "type": "email" }] }
  }"#,
    ),
    (
        "update_budget",
        r#"{ "name": "Nightly jobs", "scope": { "type": "tag", "tag": "nightly" }, "budget": { "amount": 50, "period": "weekly", "carryOver": true } }"#,
    ),
    (
        "create_budget_increase",
        r#"{ "amount": 200, "until": "2026-02-01T00:00:00Z", "reason": "launch week" }"#,
    ),
    (
        "replace_fx_rates",
        r#"{ "rates": [{ "currency": "EUR", "rate": 1.0843, "effectiveDate": "2026-01-01", "source": "ECB euro foreign exchange reference rates" }] }"#,
    ),
    ("update_alert", r#"{ "read": true }"#),
    (
        "create_webhook",
        r#"{ "url": "https://example.com/hooks/costs", "description": "billing", "events": ["budget.exceeded"] }"#,
    ),
    ("update_webhook", r#"{ "enabled": true }"#),
    ("reprice_usage", r#"{ "startDate": "2026-01-01", "apply": false }"#),
];

/// The call that the first steps make.
const TRACKED: &str = r#"{
    "service": "openai",
    "model": "gpt-4o-mini",
    "promptTokens": 1000,
    "completionTokens": 500,
    "cacheReadTokens": 200,
    "responseTime": 1200,
    "costAllocation": { "department": "marketing", "team": "content" },
    "tags": ["product"]
  }"#;

/// A call of `operation`.
pub(super) fn curl(operation: Operation<'_>) -> String {
    let method = if operation.method == "get" {
        String::new()
    } else {
        format!(" -X {}", operation.method.to_uppercase())
    };
    let mut lines =
        vec![format!("curl{method} \"http://localhost:8000{}{}\"", path(operation.path), query(operation))];
    if !operation.is_open() {
        lines.push("-H \"Authorization: Bearer $TOKEN\"".to_owned());
    }
    if let Some(body) = body(operation.id()) {
        lines.push("-H \"Content-Type: application/json\"".to_owned());
        lines.push(format!("-d '{body}'"));
    }
    lines.join(" \\\n  ")
}

/// The sample body of the operation.
pub(super) fn body(operation_id: &str) -> Option<&'static str> {
    BODIES.iter().find(|(id, _)| *id == operation_id).map(|(_, body)| *body)
}

/// `/projects/{projectId}` → `/projects/$PROJECT_ID`.
fn path(template: &str) -> String {
    let mut path = String::new();
    for piece in template.split('{') {
        match piece.split_once('}') {
            Some((name, rest)) => {
                path.push('$');
                path.push_str(&variable(name));
                path.push_str(rest);
            }
            None => path.push_str(piece),
        }
    }
    path
}

/// The query parameters that an operation cannot do without.
fn query(operation: Operation<'_>) -> String {
    let is_needed = |parameter: &&Node| {
        parameter.text("in") == "query"
            && matches!(parameter.get("required"), Some(Node::Literal(text)) if text == "true")
    };
    let needed = operation.parameters().iter().filter(is_needed).filter(|parameter| !has_default(parameter));
    let pairs: Vec<String> = needed
        .map(|parameter| parameter.text("name"))
        .map(|name| format!("{name}=${}", variable(name)))
        .collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

fn has_default(parameter: &Node) -> bool {
    parameter.get("schema").is_some_and(|schema| schema.get("default").is_some())
}

/// `projectId` → `PROJECT_ID`.
fn variable(name: &str) -> String {
    let mut variable = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            variable.push('_');
        }
        variable.push(letter.to_ascii_uppercase());
    }
    variable
}
