//! The emptied reply loses nothing that the tracker reads: every fixture of its own readers comes to the counts that are
//! expected of the whole reply.

use std::{collections::BTreeMap, fs, path::Path};

use super::*;
use crate::sse::{Events, data_of};

/// No reply that a client sees: usage objects alone, and what other programs make of them.
const NO_REPLY: &[&str] = &["bare-", "ai-sdk", "published-sdk", "generation.json"];
/// Beyond what the tracker takes in a record: counts without a usage object.
const NOT_TAKEN: &[&str] = &["dall-e", "imagen", "vertex-embed"];

type Counts = BTreeMap<String, u64>;

/// File → counts, as a folder's `expected.txt` says; what is left of a total is 0.
fn expected(folder: &Path) -> BTreeMap<String, Counts> {
    let text = fs::read_to_string(folder.join("expected.txt")).unwrap();
    let read = |block: &str| {
        let file = block.strip_prefix("# ")?.split_whitespace().next()?.to_owned();
        let counts = block.lines().find_map(|line| line.strip_prefix("counts: "))?;
        let pairs = counts.split(", ").filter_map(|pair| pair.split_once(' '));
        let counts: Counts = pairs.map(|(unit, count)| (unit.to_owned(), count.parse().unwrap())).collect();
        let is_reply = !NO_REPLY.iter().chain(NOT_TAKEN).any(|name| file.contains(name));
        (is_reply && !counts.is_empty()).then_some((file, counts))
    };
    text.split("\n\n").filter_map(read).collect()
}

fn digest_of(file: &Path) -> Option<Value> {
    let text = fs::read(file).unwrap();
    let mut reply = Reply::new();
    if let Ok(document) = serde_json::from_slice::<Value>(&text) {
        reply.add(&document);
    } else if file.extension().is_some_and(|kind| kind == "sse") && !text.starts_with(b"{") {
        let mut events = Events::default();
        let mut found = events.push(&text);
        found.push(events.rest());
        found.iter().filter_map(|event| data_of(event)).for_each(|document| reply.add(&document));
    } else {
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.for_each(|line| reply.add(&serde_json::from_slice(line).unwrap()));
    }
    reply.digest()
}

#[test]
fn what_is_left_of_a_reply_says_the_same_to_the_tracker() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/domain/tests/wire/fixtures");
    let (mut wrong, mut replies) = (Vec::new(), 0);
    for provider in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = provider.file_name().unwrap().to_str().unwrap();
        let service = if name.starts_with("bedrock-") { "bedrock" } else { name }.replace("gemini", "google");
        for (file, counts) in expected(&provider) {
            let digest = digest_of(&provider.join(&file)).unwrap_or_default();
            let metered = domain::wire::meter_value(Some(&service), &digest).unwrap_or_default();
            let read: Counts = metered.usage.iter().map(|(unit, count)| (unit.to_string(), count)).collect();
            replies += 1;
            if read != counts {
                wrong.push(format!("{name}/{file}: {read:?} instead of {counts:?}"));
            }
        }
    }
    assert!(replies > 100, "only {replies} replies were found");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn no_text_of_a_reply_is_left_in_what_goes_out() {
    let mut reply = Reply::new();
    let secret = json!({ "role": "assistant", "content": "secret", "tool_calls": [{ "function": { "arguments": "secret" } }] });
    reply.add(&json!({ "id": "1", "model": "m", "choices": [{ "message": secret }], "usage": { "prompt_tokens": 1 } }));
    assert!(!reply.digest().unwrap().to_string().contains("secret"));
    assert_eq!(reply.text(), "secretsecret");
}

#[test]
fn texts_are_cut_where_a_character_begins() {
    let long = json!({ "content": "é".repeat(TEXT_BYTES_MAX) });
    assert_eq!(prompt_of(&long).len(), TEXT_BYTES_MAX);
    let mut odd = Text::new("");
    odd.push("x");
    odd.push(&"é".repeat(TEXT_BYTES_MAX));
    assert_eq!(odd.all.len(), TEXT_BYTES_MAX - 1);
}
