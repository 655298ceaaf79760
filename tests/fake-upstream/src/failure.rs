//! Errors, as each provider says them.

use serde_json::json;

use crate::{answer::Answer, call::Call};

/// Whose shape a path has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    /// And what is compatible with it, Azure too.
    OpenAi,
    Anthropic,
    Google,
    Bedrock,
}

impl Provider {
    pub(crate) fn of(call: &Call) -> Self {
        let path = call.path.as_str();
        let is_openai = path.contains("/chat/completions") || path.contains("/openai/");
        if path.starts_with("/model/") {
            Self::Bedrock
        } else if path.starts_with("/v1/messages")
            || path.contains("/anthropic/v1/messages")
            || (path.starts_with("/v1/models") && call.headers.contains_key("anthropic-version"))
        {
            Self::Anthropic
        } else if !is_openai
            && (["/v1beta/", "/v1beta1/", "/v1/projects/", "/upload/v1beta/"]
                .iter()
                .any(|start| path.starts_with(start))
                // Its Python SDK asks the stable version.
                || (path.starts_with("/v1/models") && call.headers.contains_key("x-goog-api-key")))
        {
            Self::Google
        } else {
            Self::OpenAi
        }
    }
}

/// What is wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    WrongKey,
    /// Bedrock: the signature is not that of the request.
    WrongSignature,
    NotFound,
    NotJson,
    Missing(&'static str),
    /// Asked for by `x-fake`.
    Status(u16),
}

impl Failure {
    fn status(self, provider: Provider) -> u16 {
        match (self, provider) {
            (Self::WrongKey, Provider::Bedrock) | (Self::WrongSignature, _) => 403,
            // What Google says to a wrong API key.
            (Self::WrongKey, Provider::Google) | (Self::NotJson | Self::Missing(_), _) => 400,
            (Self::WrongKey, _) => 401,
            (Self::NotFound, _) => 404,
            (Self::Status(status), _) => status,
        }
    }

    fn message(self, call: &Call) -> String {
        match self {
            Self::WrongKey => "Incorrect API key provided. You can find your API key in your account.".to_owned(),
            Self::WrongSignature => "The request signature we calculated does not match the signature you provided. \
                Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
                .to_owned(),
            Self::NotFound => format!("Invalid URL ({} {})", call.method, call.path),
            Self::NotJson => "We could not parse the JSON body of your request.".to_owned(),
            Self::Missing(field) => format!("Missing required parameter: '{field}'."),
            Self::Status(429) => "Rate limit reached for requests. Please try again in 7s.".to_owned(),
            Self::Status(503 | 529) => "The engine is currently overloaded, please try again later.".to_owned(),
            Self::Status(_) => "The server had an error while processing your request.".to_owned(),
        }
    }

    /// The reply that says so, in the provider's shape.
    pub(crate) fn answer(self, provider: Provider, call: &Call) -> Answer {
        let status = self.status(provider);
        let message = self.message(call);
        let answer = match provider {
            Provider::OpenAi => openai(self, status, &message, call),
            Provider::Anthropic => anthropic(status, &message, call),
            Provider::Google => google(self, status, &message),
            Provider::Bedrock => bedrock(self, status, &message, call),
        };
        match status {
            429 | 503 => answer.status(status).header("retry-after", "7"),
            _ => answer.status(status),
        }
    }
}

fn openai(failure: Failure, status: u16, message: &str, call: &Call) -> Answer {
    let (kind, code) = match (failure, status) {
        (Failure::WrongKey, _) => ("invalid_request_error", Some("invalid_api_key")),
        (Failure::NotFound, _) => ("invalid_request_error", Some("unknown_url")),
        (Failure::Missing(_), _) => ("invalid_request_error", Some("missing_required_parameter")),
        (_, 429) => ("requests", Some("rate_limit_exceeded")),
        (_, 500..) => ("server_error", None),
        _ => ("invalid_request_error", None),
    };
    let param = if let Failure::Missing(field) = failure { Some(field) } else { None };
    let error = json!({ "error": { "message": message, "type": kind, "param": param, "code": code } });
    Answer::json(&error).header("x-request-id", &call.id("req_"))
}

fn anthropic(status: u16, message: &str, call: &Call) -> Answer {
    let kind = match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    let id = call.id("req_");
    let error = json!({ "type": "error", "error": { "type": kind, "message": message }, "request_id": id });
    Answer::json(&error).header("request-id", &id)
}

fn google(failure: Failure, status: u16, message: &str) -> Answer {
    let name = match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 | 529 => "UNAVAILABLE",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    };
    if failure != Failure::WrongKey {
        return Answer::json(&json!({ "error": { "code": status, "message": message, "status": name } }));
    }
    let detail = json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": { "service": "generativelanguage.googleapis.com" },
    });
    let message = "API key not valid. Please pass a valid API key.";
    Answer::json(
        &json!({ "error": { "code": status, "message": message, "status": name, "details": [detail] } }),
    )
}

fn bedrock(failure: Failure, status: u16, message: &str, call: &Call) -> Answer {
    let (kind, message) = match (failure, status) {
        (Failure::WrongKey, _) => {
            ("UnrecognizedClientException", "The security token included in the request is invalid.")
        }
        (Failure::WrongSignature, _) => ("InvalidSignatureException", message),
        (Failure::NotFound, _) => ("UnknownOperationException", message),
        (_, 404) => ("ResourceNotFoundException", message),
        (_, 429) => ("ThrottlingException", "Too many requests, please wait before trying again."),
        (_, 503 | 529) => ("ServiceUnavailableException", message),
        (_, 500..) => ("InternalServerException", message),
        _ => ("ValidationException", message),
    };
    let domain = "http://internal.amazon.com/coral/com.amazon.bedrock/";
    Answer::json(&json!({ "message": message }))
        .header("x-amzn-requestid", &call.uuid())
        .header("x-amzn-errortype", &format!("{kind}:{domain}"))
}
