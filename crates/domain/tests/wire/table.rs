//! Each reply says what its row in `expected.txt` expects.

use domain::wire::{
    Dialect, StreamMeter, meter_lines, meter_reply, meter_reply_value, meter_value, usage_from_object,
};
use pricing::{Unit, Usage};
use serde_json::{Value, json};

use crate::fixture::{ByValue, Fixture, all, describe};

/// Checks `fixtures` and shows every one that is not as expected.
fn check(fixtures: &[Fixture], meter: impl Fn(&Fixture) -> String) {
    let wrong: Vec<String> = fixtures
        .iter()
        .map(|fixture| (fixture, meter(fixture)))
        .filter(|(fixture, metered)| *metered != fixture.expected)
        .map(|(fixture, metered)| {
            format!("{}\nexpected\n{}metered\n{metered}", fixture.path, fixture.expected)
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), fixtures.len(), wrong.join("\n"));
}

fn replies() -> Vec<Fixture> {
    all().into_iter().filter(|fixture| fixture.by_value != ByValue::Only).collect()
}

#[test]
fn replies_are_metered_as_their_providers_document() {
    check(&replies(), |fixture| describe(meter_reply(fixture.dialect, &fixture.bytes).as_ref()));
}

#[test]
fn a_passing_stream_is_metered_like_a_kept_one() {
    check(&replies(), |fixture| {
        let mut meter = StreamMeter::new(fixture.dialect);
        fixture.bytes.chunks(61).for_each(|chunk| meter.push(chunk));
        describe(meter.finish().as_ref())
    });
}

#[test]
fn events_of_other_frames_are_metered_by_their_payload() {
    let ndjson: Vec<Fixture> =
        replies().into_iter().filter(|fixture| fixture.path.ends_with(".ndjson")).collect();
    let by_line: Vec<Fixture> = ndjson.into_iter().filter(|fixture| !fixture.path.contains("list")).collect();
    check(&by_line, |fixture| {
        let mut meter = StreamMeter::new(fixture.dialect);
        fixture.bytes.split(|byte| *byte == b'\n').for_each(|payload| meter.push_event(payload));
        describe(meter.finish().as_ref())
    });
}

/// A usage object or a reply of which nobody said in what dialect it is.
#[test]
fn values_are_recognised_by_their_own_keys() {
    let values = |kinds: &'static [ByValue]| -> Vec<Fixture> {
        all()
            .into_iter()
            .filter(|fixture| !fixture.is_stream() && kinds.contains(&fixture.by_value))
            .collect()
    };
    let meter = |provider: Option<&str>, fixture: &Fixture| {
        let value: Value = serde_json::from_slice(&fixture.bytes).unwrap();
        describe(meter_value(provider, &value).as_ref())
    };
    check(&values(&[ByValue::Alone, ByValue::Only]), |fixture| meter(None, fixture));
    check(&values(&[ByValue::Alone, ByValue::WithProvider]), |fixture| {
        meter(Some(&fixture.provider), fixture)
    });
}

/// An application's own answer may look like a reply without being one.
#[test]
fn only_a_usage_object_makes_a_reply() {
    for json in [
        r#"{"data":[{"url":"https://example.com"}]}"#,
        r#"{"seconds":3}"#,
        r#"{"input_tokens":3,"answer":"yes"}"#,
        r#"{"usage":"seldom","duration":3,"task":"clean"}"#,
        r#"{"predictions":[{"bytesBase64Encoded":""}]}"#,
    ] {
        let value: Value = serde_json::from_str(json).unwrap();
        assert_eq!(meter_reply_value(Some("openai"), &value), None, "{json}");
    }
    let value: Value = serde_json::from_str(r#"{"id":"a","usage":{"prompt_tokens":3}}"#).unwrap();
    let expected = "counts: input_tokens 3\nid: a\n";
    assert_eq!(describe(meter_reply_value(None, &value).as_ref()), expected);
}

#[test]
fn a_provider_decides_where_two_share_their_keys() {
    for (provider, json, expected) in [
        (
            "xAI",
            r#"{"prompt_tokens":10,"completion_tokens":5,"completion_tokens_details":{"reasoning_tokens":100}}"#,
            "counts: input_tokens 10, output_tokens 105, reasoning_tokens 100\n",
        ),
        (
            "openai",
            r#"{"prompt_tokens":10,"completion_tokens":105,"completion_tokens_details":{"reasoning_tokens":100}}"#,
            "counts: input_tokens 10, output_tokens 105, reasoning_tokens 100\n",
        ),
        (
            "perplexity",
            r#"{"prompt_tokens":10,"completion_tokens":5,"reasoning_tokens":100,"total_tokens":15}"#,
            "counts: input_tokens 10, output_tokens 105, reasoning_tokens 100\n",
        ),
        (
            "anthropic",
            r#"{"input_tokens":10,"output_tokens":3}"#,
            "counts: input_tokens 10, output_tokens 3\n",
        ),
    ] {
        let value: Value = serde_json::from_str(json).unwrap();
        assert_eq!(describe(meter_value(Some(provider), &value).as_ref()), expected, "{provider} {json}");
    }
}

#[test]
fn a_count_too_large_for_a_call_is_told_only_to_its_sender() {
    let value: Value = serde_json::from_str(r#"{"prompt_tokens":1000000000001}"#).unwrap();
    assert_eq!(meter_value(None, &value), None);
    assert_eq!(
        usage_from_object(None, &value),
        Some(Usage::new().with(Unit::InputTokens, 1_000_000_000_001))
    );
}

#[test]
fn lines_of_a_batch_are_metered_one_by_one() {
    let file = b"\n{\"id\":\"a\",\"custom_id\":\"1\",\"response\":{\"body\":{\"id\":\"x\",\"usage\":{\"prompt_tokens\":1}}}}\r\n\
        not json\n{\"custom_id\":\"2\",\"response\":null,\"error\":{\"code\":\"batch_expired\"}}\n";
    let metered: Vec<String> =
        meter_lines(Dialect::OpenAi, file).map(|metered| describe(metered.as_ref())).collect();
    assert_eq!(metered, ["counts: input_tokens 1\nid: x\ntier: batch\n", "nothing\n", "nothing\n"]);
}

#[test]
fn what_no_dialect_counts_is_nothing() {
    for json in
        ["{}", "null", "[]", "[[]]", "3", "\"usage\"", r#"{"prompt_tokens":-1}"#, r#"{"usage":{"cost":"3"}}"#]
    {
        let value: Value = serde_json::from_str(json).unwrap();
        assert_eq!(meter_value(None, &value), None, "{json}");
        assert_eq!(usage_from_object(None, &value), None, "{json}");
    }
}

#[test]
fn a_request_says_which_kind_of_search_it_wants() {
    for (request, expected) in [
        (
            json!({ "tools": [{ "type": "fetch_url" }, { "type": "web_search", "search_type": "fast" }] }),
            Some("fast"),
        ),
        (json!({ "web_search_options": { "search_type": "pro" } }), Some("pro")),
        (json!({ "tools": [{ "type": "web_search" }], "web_search_options": {} }), None),
        (json!({ "search_type": "fast" }), None),
        (json!([]), None),
    ] {
        assert_eq!(domain::wire::search_type(&request).as_deref(), expected, "{request}");
    }
}
