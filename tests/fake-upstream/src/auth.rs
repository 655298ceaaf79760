//! Who may call.

use crate::{
    AWS_ACCESS_KEY, AWS_SECRET_KEY, KEY,
    bedrock::sigv4::{self, Signed},
    call::Call,
    failure::{Failure, Provider},
};

/// Whether the request has a key that the provider accepts, where the provider looks for it.
pub(crate) fn check(provider: Provider, call: &Call) -> Result<(), Failure> {
    let authorization = call.header("authorization");
    let bearer = authorization.and_then(|value| value.strip_prefix("Bearer "));
    let has = |key: Option<&str>| key == Some(KEY);
    let is_known = match provider {
        // Azure takes `api-key`.
        Provider::OpenAi => has(bearer) || has(call.header("api-key")),
        Provider::Anthropic => has(bearer) || has(call.header("x-api-key")),
        Provider::Google => has(bearer) || has(call.header("x-goog-api-key")) || has(call.query_value("key")),
        Provider::Bedrock => match authorization {
            Some(value) if value.starts_with(sigv4::ALGORITHM) => return check_signature(call, value),
            _ => has(bearer),
        },
    };
    if !is_known {
        return Err(Failure::WrongKey);
    }
    match provider {
        Provider::Anthropic if call.header("anthropic-version").is_none() => {
            Err(Failure::Missing("anthropic-version"))
        }
        _ => Ok(()),
    }
}

fn check_signature(call: &Call, authorization: &str) -> Result<(), Failure> {
    let signed = Signed::parse(authorization).ok_or(Failure::WrongSignature)?;
    if signed.access_key != AWS_ACCESS_KEY {
        return Err(Failure::WrongKey);
    }
    let headers: Vec<(&str, &str)> =
        call.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    let request = sigv4::Unsigned {
        method: call.method.as_str(),
        path: &call.path,
        query: &call.query,
        headers: &headers,
        body: &call.body,
    };
    if signed.service == "bedrock" && signed.is_right(&request, AWS_SECRET_KEY) {
        Ok(())
    } else {
        Err(Failure::WrongSignature)
    }
}
