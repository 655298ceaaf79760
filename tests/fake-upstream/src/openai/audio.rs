//! Speech to text and text to speech.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{Endpoint, SSE, multipart};
use crate::{
    Usage,
    answer::{Answer, event},
    call::Call,
    failure::Failure,
};

/// Every recording takes so long.
const SECONDS: u64 = 9;
/// Bytes of spoken audio.
const SPEECH_BYTES: usize = 4096;

/// `whisper-1` is billed by its seconds, newer models by tokens.
pub(super) fn transcription(call: &Call, endpoint: &Endpoint<'_>) -> Result<Answer, Failure> {
    let model = endpoint
        .deployment
        .clone()
        .or_else(|| multipart::text(call, "model"))
        .ok_or(Failure::Missing("model"))?;
    if !multipart::parts(call).iter().any(|(name, ..)| name == "file") {
        return Err(Failure::Missing("file"));
    }
    let plan = call.plan(&[], None);
    let (id, text) = (call.id("req_"), plan.text());
    let is_whisper = model.starts_with("whisper");
    let (billed, usage) = if is_whisper {
        let billed = Usage { audio_seconds: SECONDS, ..Usage::default() };
        (billed, json!({ "type": "duration", "seconds": SECONDS }))
    } else {
        let usage = json!({
            "type": "tokens",
            "input_tokens": plan.input,
            "input_token_details": { "text_tokens": 0, "audio_tokens": plan.input },
            "output_tokens": plan.output,
            "total_tokens": plan.input + plan.output,
        });
        (plan.usage_inside(), usage)
    };
    let format = multipart::text(call, "response_format").unwrap_or_default();
    let answer = match format.as_str() {
        "text" | "srt" | "vtt" => Answer::bytes("text/plain; charset=utf-8", format!("{text}\n")),
        _ if multipart::text(call, "stream").as_deref() == Some("true") && !is_whisper => {
            let deltas =
                plan.pieces.iter().map(|piece| json!({ "type": "transcript.text.delta", "delta": piece }));
            let done = json!({ "type": "transcript.text.done", "text": text, "usage": usage });
            Answer::events(SSE, deltas.chain([done]).map(|value| event(&value)).collect())
        }
        "verbose_json" => Answer::json(&json!({
            "task": "transcribe", "language": "english", "duration": SECONDS, "text": text, "segments": [], "usage": usage,
        })),
        _ if plan.says_usage => Answer::json(&json!({ "text": text, "usage": usage })),
        _ => Answer::json(&json!({ "text": text })),
    };
    Ok(answer.billed(&id, &model, billed))
}

/// Sound, which says nothing of its price, or events, which do.
pub(super) fn speech(call: &Call, endpoint: &Endpoint<'_>) -> Result<Answer, Failure> {
    let model = endpoint.model(call)?;
    let plan = call.plan(&["input"], None);
    let sound: Vec<u8> = call.hash.bytes().cycle().take(SPEECH_BYTES).collect();
    let answer = if call.text("stream_format") == Some("sse") {
        let deltas = sound
            .chunks(SPEECH_BYTES / 4)
            .map(|piece| json!({ "type": "speech.audio.delta", "audio": STANDARD.encode(piece) }));
        let usage = json!({
            "input_tokens": plan.input, "output_tokens": plan.output, "total_tokens": plan.input + plan.output,
        });
        let done = json!({ "type": "speech.audio.done", "usage": usage });
        Answer::events(SSE, deltas.chain([done]).map(|value| event(&value)).collect())
    } else {
        Answer::bytes("audio/mpeg", sound)
    };
    Ok(answer.billed(&call.id("req_"), &model, plan.usage_inside()))
}
