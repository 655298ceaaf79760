//! Spans of agents that add up what their calls used, whose calls are traced or not.

use serde_json::{Value, json};
use server::otlp::aggregates;

use crate::harness::{Person, Server};

const START_NANOS: u64 = 1_795_521_882_615_000_000;
const SETTLES_AFTER_SECONDS: i64 = 600;

struct Stage {
    server: Server,
    owner: Person,
    key: Person,
}

impl Stage {
    async fn set() -> Self {
        let server = Server::start().await;
        server.clock.set("2026-11-24T23:00:00Z".parse().unwrap());
        let owner = server.owner().await;
        let key = server.key(&owner, json!({ "name": "collector", "scopes": ["ingest", "read"] })).await;
        Self { server, owner, key }
    }

    async fn export(&self, spans: &[Value]) {
        let body = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": spans }] }] });
        let answer = self.server.post("/v1/traces").by(&self.key).json(&body).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "{}"));
    }

    /// Lets the time pass after which spans are decided of.
    async fn settle(&self) {
        use domain::Clock as _;
        let later = self.server.clock.now() + jiff::SignedDuration::from_secs(SETTLES_AFTER_SECONDS);
        self.server.clock.set(later);
        aggregates::settle(&self.server.app).await.unwrap();
    }

    /// What is recorded of a trace: operation and output.
    async fn recorded(&self, trace: u32) -> Vec<(String, u64)> {
        let path = format!("/api/usage?order=asc&limit=100&search={trace:032x}");
        let list = self.server.get(&path).by(&self.key).send().await.expect(200);
        let told = list.as_array().unwrap().iter().map(|record| {
            let operation = record["operation"].as_str().unwrap().to_owned();
            (operation, record["usage"]["output_tokens"].as_u64().unwrap_or_default())
        });
        told.collect()
    }
}

fn span(trace: u32, id: u8, parent: u8, said: &[(&str, Value)]) -> Value {
    let attribute = |(key, value): &(&str, Value)| {
        let value =
            if value.is_string() { json!({ "stringValue": value }) } else { json!({ "intValue": value }) };
        json!({ "key": key, "value": value })
    };
    let start = START_NANOS + u64::from(id) * 1_000_000;
    json!({
        "traceId": format!("{trace:032x}"), "spanId": format!("{id:016x}"),
        "parentSpanId": if parent == 0 { String::new() } else { format!("{parent:016x}") }, "name": "span",
        "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + 5_000_000_000).to_string(),
        "attributes": said.iter().map(attribute).collect::<Vec<_>>(),
    })
}

fn counting(operation: &str, output: u64) -> Vec<(&'static str, Value)> {
    vec![
        ("gen_ai.operation.name", json!(operation)),
        ("gen_ai.provider.name", json!("anthropic")),
        ("gen_ai.request.model", json!("claude-sonnet-4-5")),
        ("gen_ai.usage.input_tokens", json!(1000)),
        ("gen_ai.usage.output_tokens", json!(output)),
    ]
}

fn agent(trace: u32, id: u8, parent: u8, output: u64) -> Value {
    span(trace, id, parent, &counting("invoke_agent", output))
}

fn call(trace: u32, id: u8, parent: u8, output: u64) -> Value {
    span(trace, id, parent, &counting("chat", output))
}

fn recorded(records: &[(&str, u64)]) -> Vec<(String, u64)> {
    records.iter().map(|(operation, output)| ((*operation).to_owned(), *output)).collect()
}

/// Every order of `items`.
fn orders<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let with_first = |index: usize| {
        let mut rest = items.to_vec();
        let first = rest.remove(index);
        orders(&rest).into_iter().map(move |rest| [vec![first.clone()], rest].concat())
    };
    (0..items.len()).flat_map(with_first).collect()
}

#[tokio::test]
async fn an_agent_whose_calls_are_not_traced_is_a_record_when_its_trace_has_settled_also_after_a_restart() {
    let stage = Stage::set().await;
    stage.export(&[agent(1, 2, 1, 200)]).await;
    assert_eq!(stage.recorded(1).await, []);
    let Stage { server, owner, key } = stage;
    let server = server.restart().await;
    server.clock.set("2026-11-24T23:00:00Z".parse().unwrap());
    let stage = Stage { server, owner, key };
    aggregates::settle(&stage.server.app).await.unwrap();
    assert_eq!(stage.recorded(1).await, [], "not yet");
    stage.settle().await;
    assert_eq!(stage.recorded(1).await, recorded(&[("invoke_agent", 200)]));
    let list = stage.server.get("/api/usage").by(&stage.owner).send().await.expect(200);
    // 1000 × 3 + 200 × 15 per million.
    assert_eq!((list[0]["cost"].to_string().as_str(), &list[0]["costSource"]), ("0.006", &json!("catalog")));
    let path = format!("/api/usage/{}", list[0]["id"].as_str().unwrap());
    let record = stage.server.get(&path).by(&stage.owner).send().await.expect(200);
    assert_eq!(record["metadata"]["aggregate"], true);
    // Sent again, it is known.
    stage.export(&[agent(1, 2, 1, 200)]).await;
    stage.settle().await;
    assert_eq!(stage.recorded(1).await.len(), 1);
    assert_eq!(store::UsageStore::verify(&stage.server.store).await.unwrap().difference_count, 0);
}

#[tokio::test]
async fn in_every_order_an_agent_and_the_call_inside_of_it_are_one_spending() {
    let stage = Stage::set().await;
    let mut trace = 0;
    // The request, the agent in it, a step of the agent, the call of the step.
    let spans = |trace| {
        [span(trace, 1, 0, &[]), agent(trace, 2, 1, 200), span(trace, 3, 2, &[]), call(trace, 4, 3, 150)]
    };
    for order in orders(&[0, 1, 2, 3]) {
        for settled_after in 1..=4 {
            trace += 1;
            for (count, index) in order.iter().enumerate() {
                stage.export(&[spans(trace)[*index].clone()]).await;
                if count + 1 == settled_after {
                    stage.settle().await;
                }
                let now = stage.recorded(trace).await;
                assert!(now.len() <= 1, "{order:?}, settled after {settled_after}: {now:?}");
            }
            stage.settle().await;
            assert_eq!(stage.recorded(trace).await, recorded(&[("chat", 150)]), "{order:?}, {settled_after}");
        }
    }
    assert_eq!(store::UsageStore::verify(&stage.server.store).await.unwrap().difference_count, 0);
}

#[tokio::test]
async fn in_every_order_a_call_beside_an_agent_is_another_spending() {
    let stage = Stage::set().await;
    let spans = |trace| [span(trace, 1, 0, &[]), agent(trace, 2, 1, 200), call(trace, 3, 1, 150)];
    for (trace, order) in (1..).zip(orders(&[0, 1, 2])) {
        for index in &order {
            stage.export(&[spans(trace)[*index].clone()]).await;
        }
        stage.settle().await;
        let expected = recorded(&[("invoke_agent", 200), ("chat", 150)]);
        assert_eq!(stage.recorded(trace).await, expected, "{order:?}");
    }
}

#[tokio::test]
async fn of_agents_inside_of_each_other_the_outermost_is_the_record() {
    let stage = Stage::set().await;
    for (trace, order) in (1..).zip(orders(&[0, 1])) {
        let spans = [agent(trace, 1, 0, 300), agent(trace, 2, 1, 200)];
        for index in &order {
            stage.export(&[spans[*index].clone()]).await;
        }
        stage.settle().await;
        stage.settle().await;
        assert_eq!(stage.recorded(trace).await, recorded(&[("invoke_agent", 300)]), "{order:?}");
    }
    // The inner one became a record before the outer one ended.
    stage.export(&[agent(9, 2, 1, 200)]).await;
    stage.settle().await;
    stage.export(&[agent(9, 1, 0, 300)]).await;
    stage.settle().await;
    assert_eq!(stage.recorded(9).await, recorded(&[("invoke_agent", 300)]));
}

#[tokio::test]
async fn calls_that_say_nothing_of_their_usage_leave_it_to_the_agent() {
    let stage = Stage::set().await;
    let silent =
        span(1, 3, 2, &[("gen_ai.operation.name", json!("chat")), ("gen_ai.request.model", json!("gpt-4o"))]);
    stage.export(&[silent, agent(1, 2, 1, 200)]).await;
    stage.settle().await;
    assert_eq!(stage.recorded(1).await, recorded(&[("invoke_agent", 200), ("chat", 0)]));
}

#[tokio::test]
async fn a_budget_follows_when_an_agents_record_gives_way() {
    let stage = Stage::set().await;
    let budget = json!({ "name": "shop", "budget": { "amount": 1, "period": "monthly" } });
    let project = stage.server.project(&stage.owner, budget).await;
    let key = json!({ "name": "k", "scopes": ["ingest", "read"], "projectId": project });
    let stage = Stage { key: stage.server.key(&stage.owner, key).await, ..stage };
    let spent = async || {
        let status = stage.server.get(&format!("/api/budgets/{project}/status")).by(&stage.owner);
        status.send().await.expect(200)["spent"].to_string()
    };
    stage.export(&[agent(1, 2, 1, 200)]).await;
    stage.settle().await;
    assert_eq!(spent().await, "0.006");
    stage.export(&[call(1, 3, 2, 150)]).await;
    assert_eq!(spent().await, "0.00525", "1000 × 3 + 150 × 15 per million");
}
