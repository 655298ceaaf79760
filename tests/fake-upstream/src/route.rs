//! From a request to what answers it.

use crate::{
    answer::Answer,
    anthropic, auth, bedrock,
    call::Call,
    failure::{Failure, Provider},
    google, openai,
};

/// Where a redirect leads.
pub(crate) const ELSEWHERE: &str = "/elsewhere";

pub(crate) fn answer(mut call: Call) -> Answer {
    let provider = Provider::of(&call);
    let result = try_answer(provider, &mut call);
    result.unwrap_or_else(|failure| failure.answer(provider, &call))
}

fn try_answer(provider: Provider, call: &mut Call) -> Result<Answer, Failure> {
    if call.path == ELSEWHERE {
        return Ok(Answer::json(&serde_json::json!({ "elsewhere": true })));
    }
    auth::check(provider, call)?;
    if let Some(status) = call.behaviour.status {
        return Err(Failure::Status(status));
    }
    let is_json = !call.header("content-type").is_some_and(|kind| kind.starts_with("multipart/"));
    if is_json && !call.body.is_empty() {
        call.json = serde_json::from_slice(&call.body).map_err(|_| Failure::NotJson)?;
        call.hash_what_is_asked();
    } else if is_json && call.method == hyper::Method::POST && !call.path.ends_with("/cancel") {
        return Err(Failure::NotJson);
    }
    match provider {
        Provider::OpenAi => openai::answer(call),
        Provider::Anthropic => anthropic::answer(call),
        Provider::Google => google::answer(call),
        Provider::Bedrock => bedrock::answer(call),
    }
}
