//! Questions and records, to the real server and back.

use ai_cost_tracker_client::{
    AiCostTrackerService, AnalyticsQuery, AnalyticsService, CostAllocation, CostSource, Money, ProjectQuery,
    TrackOptions, Tracker, TrackerError, UsageRecord,
};
use serde_json::json;

use crate::servers::Server;

/// A chat of 1,000 tokens in and 500 out: 1000 × 0.15 + 500 × 0.60 millionths of a dollar.
fn chat() -> UsageRecord {
    UsageRecord { prompt_tokens: Some(1000), completion_tokens: Some(500), ..UsageRecord::new("gpt-4o-mini") }
}

fn cost_of_chat() -> Money {
    "0.00045".parse().unwrap()
}

#[tokio::test]
async fn a_record_is_acknowledged_with_its_cost_and_counts_once() {
    let server = Server::start().await;
    let tracker = server.client().build().unwrap();
    let record = UsageRecord { request_id: Some("one".to_owned()), ..chat() };
    let first = tracker.track_now(record.clone()).await.unwrap();
    let again = tracker.track_now(record).await.unwrap();
    assert_eq!((first.cost, first.cost_source), (Some(cost_of_chat()), Some(CostSource::Catalog)));
    assert_eq!((first.total_tokens, first.duplicate), (Some(1500), false));
    assert_eq!((again.id, again.duplicate), (first.id, true));
}

#[tokio::test]
async fn money_goes_there_and_back_with_every_digit() {
    let server = Server::start().await;
    let tracker = server.client().build().unwrap();
    let cost: Money = "98765.000000001".parse().unwrap();
    let tracked = tracker.track_now(UsageRecord { cost: Some(cost), ..chat() }).await.unwrap();
    assert_eq!((tracked.cost, tracked.cost_source), (Some(cost), Some(CostSource::Reported)));
    let analytics = tracker.get_project_analytics(&server.project, &AnalyticsQuery::default()).await.unwrap();
    assert_eq!(analytics.summary.total_cost, cost);
}

#[tokio::test]
async fn an_import_answers_for_each_record_across_its_batches() {
    let server = Server::start().await;
    let tracker = server.client().build().unwrap();
    let mut records: Vec<UsageRecord> =
        (0..600).map(|index| UsageRecord { request_id: Some(format!("r{index}")), ..chat() }).collect();
    records[550] = UsageRecord::new("");
    records[599] = records[0].clone();
    let outcome = tracker.bulk_import(records).await.unwrap();
    assert_eq!((outcome.successful, outcome.duplicates, outcome.failed), (598, 1, 1));
    let error = &outcome.errors[0];
    assert_eq!((error.index, error.details[0].field.as_str()), (550, "model"));
    let last = outcome.results.last().unwrap();
    assert_eq!((last.index, last.duplicate, last.cost), (599, true, Some(cost_of_chat())));
}

#[tokio::test]
async fn questions_are_answered_in_types() {
    let server = Server::start().await;
    let tracker = server.client().build().unwrap();
    tracker.track_now(chat()).await.unwrap();

    let query = AnalyticsQuery {
        group_by: vec!["day".to_owned(), "service".to_owned()],
        compares_previous: true,
        filters: vec![("service".to_owned(), "openai".to_owned())],
        ..AnalyticsQuery::default()
    };
    let analytics = tracker.get_project_analytics(&server.project, &query).await.unwrap();
    assert_eq!((analytics.summary.total_cost, analytics.summary.total_requests), (cost_of_chat(), 1));
    assert_eq!(analytics.breakdown.services[0].name, "openai");
    assert_eq!(analytics.groups[0].key["service"].as_deref(), Some("openai"));
    assert_eq!(analytics.project.unwrap().id, server.project);

    let compared = tracker.compare_projects(&[&server.project], &AnalyticsQuery::default()).await.unwrap();
    assert_eq!(compared.projects[0].summary.total_cost, cost_of_chat());
    let status = tracker.get_budget_status(&server.project).await.unwrap();
    assert_eq!((status.spent, status.limit.total), (cost_of_chat(), "100".parse().unwrap()));
    let estimate = tracker.estimate(&chat()).await.unwrap();
    assert_eq!((estimate.cost, estimate.cost_source), (Some(cost_of_chat()), CostSource::Catalog));
    let page =
        tracker.list_projects(&ProjectQuery { limit: Some(1), ..ProjectQuery::default() }).await.unwrap();
    assert_eq!((page.projects[0].id.as_str(), page.pagination.has_next), (server.project.as_str(), false));
}

#[tokio::test]
async fn a_refusal_has_its_code_status_and_fields() {
    let server = Server::start().await;
    let tracker = server.client().build().unwrap();
    let error = tracker.track_now(UsageRecord::new("")).await.unwrap_err();
    assert_eq!((error.status(), error.is_temporary()), (Some(422), false));
    assert_eq!(error.refusal().unwrap().details[0].field, "model");
    let error = tracker.get_budget_status("65a0000000000000000000ff").await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(404), Some("budget_not_found")));
    let stranger = server.client().api_key("aict_none").build().unwrap();
    assert_eq!(stranger.list_projects(&ProjectQuery::default()).await.unwrap_err().status(), Some(401));
}

#[tokio::test]
async fn who_does_not_answer_is_named() {
    let tracker = Tracker::builder().base_url("http://127.0.0.1:1/api").build().unwrap();
    let error = tracker.track_now(chat()).await.unwrap_err();
    assert!(matches!(&error, TrackerError::Unreachable { .. }) && error.is_temporary(), "{error:?}");
    assert!(error.to_string().starts_with("http://127.0.0.1:1/api cannot be reached: "), "{error}");
}

#[test]
fn any_executor_will_do() {
    let server = tokio::runtime::Runtime::new().unwrap().block_on(Server::start());
    let tracker = server.client().build().unwrap();
    let cost = block_on(tracker.track_now(chat())).unwrap().cost;
    assert_eq!(cost, Some(cost_of_chat()));
}

/// An executor of the simplest kind: no runtime of tokio's.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(output) =
            future.as_mut().poll(&mut std::task::Context::from_waker(&waker))
        {
            return output;
        }
        std::thread::park();
    }
}

#[tokio::test]
async fn the_guides_services_record_and_ask() {
    let server = Server::start().await;
    let tracker = server.client().build().unwrap();
    let costs = AiCostTrackerService::new(tracker.clone());
    let request = json!({ "model": "gpt-4o-mini", "messages": [{ "role": "user", "content": "Say hello" }] });
    let response = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-mini-2024-07-18",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "Hello" }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500 },
    });
    let options = TrackOptions {
        project_id: Some(server.project.clone()),
        service: Some("openai".to_owned()),
        tags: vec!["tag1".to_owned(), "tag2".to_owned()],
        cost_allocation: Some(CostAllocation {
            department: Some("engineering".to_owned()),
            team: Some("ai-team".to_owned()),
            ..CostAllocation::default()
        }),
    };
    let tracked = costs.track_request(&request, &response, "user-7", options.clone()).await.unwrap();
    assert_eq!((tracked.cost, tracked.duplicate), (Some(cost_of_chat()), false));
    assert!(costs.track_request(&request, &response, "user-7", options).await.unwrap().duplicate);
    let record = server.get(&format!("/api/usage/{}", tracked.id)).await;
    assert_eq!((&record["service"], &record["tags"]), (&json!("openai"), &json!(["tag1", "tag2"])));
    assert_eq!(record["costAllocation"]["team"], "ai-team");
    assert_eq!(record["metadata"]["userId"], "user-7");

    let (bare, nothing) = (json!({ "model": "gpt-4o-mini" }), TrackOptions::default());
    let counted = json!({ "id": "chatcmpl-2", "usage": response["usage"] });
    // Without a service it follows from the model, without a project it is the client's.
    let of_her = costs.track_request(&bare, &counted, "her@example.com", nothing).await.unwrap();
    assert_eq!(of_her.cost, Some(cost_of_chat()));
    assert_eq!(server.get(&format!("/api/usage/{}", of_her.id)).await["userEmail"], "her@example.com");

    let filters = AnalyticsQuery::default();
    let analytics =
        AnalyticsService::new(tracker).get_project_analytics(&server.project, &filters).await.unwrap();
    assert_eq!((analytics.summary.total_requests, analytics.summary.total_tokens), (2, 3000));
}
