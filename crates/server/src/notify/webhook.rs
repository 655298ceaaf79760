//! Sending one webhook: the body in its format, the signature, and what the answer means.

use std::{error::Error, time::Duration};

use domain::{
    Secret,
    event::Event,
    text,
    webhook::{Format, SECRET_PREFIX},
};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use reqwest::{StatusCode, Url, header};
use serde::Serialize;
use serde_json::{json, value::RawValue};

use super::{
    Answer, Outcome,
    address::{CheckedResolver, Refused, check_literal},
    message::Message,
    signature::sign,
};
use crate::limits;

/// How long a receiver may take, the connection included. Standard Webhooks advises 15 to 30 seconds.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Sends webhooks: to checked addresses only, without redirects, and past every proxy, which would resolve names itself.
#[derive(Debug)]
pub struct WebhookClient {
    http: reqwest::Client,
    allow_private: bool,
}

/// A webhook to send.
#[derive(Debug)]
pub struct Request<'a> {
    /// Where to.
    pub url: &'a str,
    /// Form of the body.
    pub format: Format,
    /// What sign it: the current secret, and the one before for a day.
    pub secrets: &'a [Secret],
    /// What it tells.
    pub event: &'a Event,
    /// When.
    pub now: Timestamp,
}

/// Our own body, in the form that Standard Webhooks advises.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: Timestamp,
    data: &'a RawValue,
}

impl WebhookClient {
    /// A client; `allow_private` lets it reach this machine and private networks.
    pub fn new(allow_private: bool) -> Result<Self, reqwest::Error> {
        let http = crate::http::client()
            .dns_resolver(std::sync::Arc::new(CheckedResolver { allow_private }))
            .no_proxy()
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self { http, allow_private })
    }

    /// Sends `request` and says what came of it.
    pub async fn send(&self, request: Request<'_>) -> Answer {
        let Ok(url) = request.url.parse::<Url>() else {
            return Answer::none(Outcome::GiveUp("the URL cannot be read".to_owned()));
        };
        if let Err(refused) = check_literal(&url, self.allow_private) {
            return Answer::none(Outcome::GiveUp(refused.to_string()));
        }
        let Some(body) = body(request.format, request.event) else {
            return Answer::none(Outcome::GiveUp("the event cannot be written as JSON".to_owned()));
        };
        let id = message_id(request.event);
        let seconds = request.now.as_second();
        let Some(signature) = sign(request.secrets, &id, seconds, body.as_bytes()) else {
            let why = format!("a secret does not begin with {SECRET_PREFIX}; rotate it");
            return Answer::none(Outcome::GiveUp(why));
        };
        let post = self.http.post(url).header(header::CONTENT_TYPE, "application/json");
        let post = post.header("webhook-id", id).header("webhook-timestamp", seconds);
        match post.header("webhook-signature", signature).body(body).send().await {
            Ok(response) => read(response, request.now).await,
            Err(error) => Answer::none(unanswered(&error)),
        }
    }
}

/// The id under which receivers know an event, over every repetition.
pub fn message_id(event: &Event) -> String {
    format!("msg_{}", event.id)
}

async fn read(response: reqwest::Response, now: Timestamp) -> Answer {
    let status = response.status();
    let retry_after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after_seconds = retry_after.and_then(|value| seconds_to_wait(value.trim(), now));
    let mut excerpt = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(Ok(chunk)) = stream.next().await {
        let room = limits::RESPONSE_EXCERPT_BYTES - excerpt.len();
        excerpt.extend(chunk.iter().take(room));
        if excerpt.len() == limits::RESPONSE_EXCERPT_BYTES {
            break;
        }
    }
    let excerpt = String::from_utf8_lossy(&excerpt);
    let excerpt = text::cut(&excerpt, limits::RESPONSE_EXCERPT_BYTES).to_owned();
    Answer {
        status: Some(status.as_u16()),
        excerpt: (!excerpt.is_empty()).then_some(excerpt),
        outcome: outcome(status),
        retry_after_seconds,
    }
}

/// What `Retry-After` says: seconds, or a date (RFC 9110, 10.2.3), of which one that has passed asks for no pause.
fn seconds_to_wait(value: &str, now: Timestamp) -> Option<u64> {
    if let Ok(seconds) = value.parse() {
        return Some(seconds);
    }
    let date = Timestamp::try_from(httpdate::parse_http_date(value).ok()?).ok()?;
    Some(u64::try_from(date.duration_since(now).as_secs()).unwrap_or(0))
}

/// Only 2xx is a success. A redirect is none: it could lead to where webhooks may not go.
fn outcome(status: StatusCode) -> Outcome {
    if status.is_success() {
        Outcome::Delivered
    } else if status == StatusCode::GONE {
        Outcome::Gone("HTTP 410: the receiver is gone".to_owned())
    } else if status.is_redirection() {
        Outcome::Retry(format!("HTTP {}: redirects are not followed", status.as_u16()))
    } else {
        Outcome::Retry(format!("HTTP {}", status.as_u16()))
    }
}

fn unanswered(error: &reqwest::Error) -> Outcome {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut last = String::new();
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<Refused>() {
            return match refused {
                Refused::Address { .. } => Outcome::GiveUp(refused.to_string()),
                Refused::Nowhere(_) => Outcome::Retry(refused.to_string()),
            };
        }
        last = error.to_string();
        cause = error.source();
    }
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "no answer"
    };
    Outcome::Retry(format!("{what}: {last}"))
}

fn body(format: Format, event: &Event) -> Option<String> {
    let message = || {
        let Message { title, lines } = Message::of(event);
        (title, lines.join("\n"))
    };
    let body = match format {
        Format::Json => {
            let data = serde_json::from_str::<&RawValue>(&event.payload).ok()?;
            let body = Body { kind: event.kind.as_str(), timestamp: event.at, data };
            return serde_json::to_string(&body).ok();
        }
        Format::Slack => {
            let (title, lines) = message();
            json!({ "text": format!("*{}*\n{}", escape_slack(&title), escape_slack(&lines)) })
        }
        // Nobody is to be woken by a name of a project that reads "@everyone".
        Format::Discord => {
            let (title, lines) = message();
            let content = format!("**{title}**\n{lines}");
            let content: String = content.chars().take(limits::DISCORD_CHARS_MAX).collect();
            json!({ "content": content, "allowed_mentions": { "parse": [] } })
        }
        Format::Teams => {
            let (title, lines) = message();
            let block = |text: &str, bold: bool| {
                let weight = if bold { "Bolder" } else { "Default" };
                json!({ "type": "TextBlock", "text": text, "weight": weight, "wrap": true })
            };
            let blocks: Vec<_> = std::iter::once(block(&title, true))
                .chain(lines.lines().map(|line| block(line, false)))
                .collect();
            json!({ "type": "message", "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard", "version": "1.4", "body": blocks,
                },
            }] })
        }
    };
    Some(body.to_string())
}

/// Slack reads `&`, `<` and `>` as its own (<https://api.slack.com/reference/surfaces/formatting#escaping>).
fn escape_slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use domain::{EventId, event::EventType};
    use serde_json::Value;

    use super::*;

    fn event(payload: &str) -> Event {
        Event {
            id: EventId::from_bytes([1; 12]),
            kind: EventType::KeyAdded,
            subject: "s".to_owned(),
            project_id: None,
            user_id: None,
            payload: payload.to_owned(),
            at: "2024-02-10T12:00:00Z".parse().unwrap(),
        }
    }

    fn written(format: Format, payload: &str) -> Value {
        serde_json::from_str(&body(format, &event(payload)).unwrap()).unwrap()
    }

    #[test]
    fn our_own_body_keeps_the_digits_of_money() {
        let body = body(Format::Json, &event(r#"{"cost":0.100000000000000005}"#)).unwrap();
        assert_eq!(
            body,
            r#"{"type":"key.added","timestamp":"2024-02-10T12:00:00Z","data":{"cost":0.100000000000000005}}"#
        );
        assert_eq!(super::body(Format::Json, &event("no JSON")), None);
    }

    #[test]
    fn chats_get_words_that_cannot_do_anything() {
        let payload = r#"{"name":"<!channel> & @everyone"}"#;
        let slack = written(Format::Slack, payload);
        assert_eq!(slack["text"], "*A key was added*\nname: &lt;!channel&gt; &amp; @everyone");
        let discord = written(Format::Discord, payload);
        assert_eq!(discord["content"], "**A key was added**\nname: <!channel> & @everyone");
        assert_eq!(discord["allowed_mentions"]["parse"], json!([]));
        let teams = written(Format::Teams, payload);
        assert_eq!(teams["attachments"][0]["content"]["body"][0]["text"], "A key was added");
        let long = written(Format::Discord, &json!({ "name": "ü".repeat(5_000) }).to_string());
        assert_eq!(long["content"].as_str().unwrap().chars().count(), limits::DISCORD_CHARS_MAX);
    }

    #[test]
    fn a_receiver_asks_to_wait_in_seconds_or_until_a_date() {
        let now = "1994-11-06T08:49:07Z".parse().unwrap();
        for (value, seconds) in [
            ("120", Some(120)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(30)),
            ("Sun Nov  6 08:49:37 1994", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-5", None),
            ("", None),
        ] {
            assert_eq!(seconds_to_wait(value, now), seconds, "{value}");
        }
    }

    #[test]
    fn only_2xx_is_a_success_and_410_the_end() {
        let of = |status: u16| outcome(StatusCode::from_u16(status).unwrap());
        assert_eq!([of(200), of(204)], [Outcome::Delivered, Outcome::Delivered]);
        assert!(matches!(of(410), Outcome::Gone(_)));
        for status in [301, 302, 307, 400, 401, 404, 429, 500, 503] {
            assert!(matches!(of(status), Outcome::Retry(_)), "{status}");
        }
    }
}
