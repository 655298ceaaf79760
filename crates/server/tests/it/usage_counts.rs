//! What a sender counts by names of its own, and by which a call is known.

use serde_json::{Value, json};

use crate::harness::Server;

#[tokio::test]
async fn images_audio_characters_and_pages_are_counted_priced_and_shown() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let rules =
        json!({ "rules": [{ "model": "painter", "rates": { "images": "40000", "input_images": "1000" } }] });
    server.call("PUT", "/api/prices/overrides").by(&owner).json(&rules).await.expect(200);
    for (body, usage, cost, reason) in [
        // 2 × $0.04 + 3 × $0.001, by the operator's own rates.
        (
            json!({ "model": "painter", "imagesGenerated": 2, "imagesInput": 3 }),
            json!({ "input_images": 3, "images": 2 }),
            "0.083",
            // Of the catalog's cost, which it has none of.
            json!("unknown_model"),
        ),
        // gpt-image-1: 10 of text at $5, 40 of images at $10, 4160 of images at $40 a million.
        (
            json!({ "model": "gpt-image-1", "promptTokens": 50, "imageInputTokens": 40, "completionTokens": 4160, "imageOutputTokens": 4160 }),
            json!({ "input_tokens": 50, "output_tokens": 4160, "input_image_tokens": 40, "output_image_tokens": 4160 }),
            "0.16685",
            Value::Null,
        ),
        // whisper-1: $0.006 a minute.
        (
            json!({ "model": "whisper-1", "audioSeconds": 90.5 }),
            json!({ "audio_milliseconds": 90_500 }),
            "0.00905",
            Value::Null,
        ),
        (
            json!({ "model": "whisper-1", "audioInputSeconds": "9" }),
            json!({ "input_audio_milliseconds": 9_000 }),
            "0.0009",
            Value::Null,
        ),
        // tts-1: $15 a million characters.
        (
            json!({ "model": "tts-1", "inputCharacters": 2000 }),
            json!({ "input_characters": 2000 }),
            "0.03",
            Value::Null,
        ),
        // $1 a thousand pages.
        (json!({ "model": "mistral-ocr-2503", "pages": 12 }), json!({ "pages": 12 }), "0.012", Value::Null),
        // What has no price is not free.
        (
            json!({ "model": "gpt-4o-mini", "imagesGenerated": 1 }),
            json!({ "images": 1 }),
            "null",
            json!("unit_not_priced"),
        ),
        (json!({ "model": "whisper-1" }), json!({}), "null", json!("no_usage")),
    ] {
        let tracked = server.track(&owner, body.clone()).await;
        assert_eq!(tracked["cost"].to_string(), cost, "{body}");
        let path = format!("/api/usage/{}", tracked["id"].as_str().unwrap());
        let record = server.get(&path).by(&owner).send().await.expect(200);
        assert_eq!((&record["usage"], &record["unpricedReason"]), (&usage, &reason), "{body}");
    }
    for (field, value) in [
        ("imagesGenerated", json!(-1)),
        ("imagesInput", json!(1.5)),
        ("inputCharacters", json!(1_000_000_000_001_u64)),
        ("audioSeconds", json!(-1)),
        ("audioSeconds", json!("a minute")),
        ("videoOutputSeconds", json!(1_000_000_000_000_u64)),
    ] {
        let body = json!({ "model": "whisper-1", field: value });
        let refused = server.post("/api/usage/track").by(&owner).json(&body).await;
        refused.refused(422, "invalid_input");
        assert_eq!(refused.value()["error"]["details"][0]["field"], json!(field), "{body}");
    }
}

#[tokio::test]
async fn a_reply_told_with_and_without_its_provider_is_one_record() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let reply = json!({ "id": "chatcmpl-1", "model": "gpt-4o-mini-2024-07-18", "usage": { "prompt_tokens": 1000, "completion_tokens": 500 } });
    let first = server.track(&owner, json!({ "model": "gpt-4o-mini", "response": reply })).await;
    for body in [
        json!({ "service": "openai", "model": "gpt-4o-mini", "response": reply }),
        json!({ "response": reply }),
        json!({ "service": "openai", "model": "gpt-4o-mini", "requestId": "reply:openai:chatcmpl-1" }),
    ] {
        let again = server.track(&owner, body.clone()).await;
        assert_eq!((&again["id"], &again["duplicate"]), (&first["id"], &json!(true)), "{body}");
    }
}
