//! Connections and their requests.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::{
    Response,
    body::Incoming,
    header::{CONTENT_ENCODING, HeaderName, HeaderValue},
    http::request::Parts,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    Behaviour, Request,
    answer::{Answer, Content},
    auth,
    body::Reply,
    call::Call,
    failure::{Failure, Provider},
    route,
    upstream::State,
};

const HUGE_HEADERS: usize = 64;
const HUGE_HEADER_BYTES: usize = 1024;

/// Accepts for as long as it is polled; its connections end with it.
pub(crate) async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                // Chunks are seen when they are sent.
                drop(stream.set_nodelay(true));
                state.count(|counts| counts.connections += 1);
                let state = Arc::clone(&state);
                connections.spawn(async move {
                    let service = service_fn(|request: hyper::Request<Incoming>| respond(request, Arc::clone(&state)));
                    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn respond(
    request: hyper::Request<Incoming>,
    state: Arc<State>,
) -> Result<Response<Reply>, Infallible> {
    let (parts, body) = request.into_parts();
    if let Some(operation) = parts.uri.path().strip_prefix("/_fake/") {
        let answer = control(operation, &state);
        return Ok(reply(&answer, &Behaviour::default(), &state, 0));
    }
    let behaviour = Behaviour::of(&parts.headers);
    // Before the request can be seen: a test that saw it and releases it means this one.
    let releases = state.releases();
    if behaviour.early {
        return Ok(early(parts, behaviour, &state, releases));
    }
    let Ok(body) = body.collect().await else {
        let answer = Answer::json(&json!({})).status(400);
        return Ok(reply(&answer, &Behaviour::default(), &state, releases));
    };
    let body = body.to_bytes();
    let answer = decide(&state, parts, body, behaviour);
    if behaviour.hold {
        let mut waiting = Waiting { state: Arc::clone(&state), is_over: false };
        state.released_since(releases).await;
        waiting.is_over = true;
    }
    Ok(reply(&answer, &behaviour, &state, releases))
}

/// What is answered; written down before it is sent.
fn decide(state: &Arc<State>, parts: Parts, body: Bytes, behaviour: Behaviour) -> Arc<Answer> {
    let request = state.settings.keeps_records.then(|| Request::new(&parts, body.clone()));
    let call = Call::new(parts, body, behaviour);
    let answer = if behaviour.redirect {
        let location = format!("{}{}", state.base_url, route::ELSEWHERE);
        Arc::new(Answer::bytes("text/plain", Bytes::new()).status(302).header("location", &location))
    } else if behaviour.is_plain() && call.method == hyper::Method::POST {
        prepared(state, call)
    } else {
        Arc::new(route::answer(call))
    };
    let answer = if state.settings.makes_ids_unique {
        Arc::new(answer.renumbered(state.next_number()))
    } else {
        answer
    };
    if let Some(bill) = &answer.billed {
        state.keep_bill(bill);
    }
    state.keep_request(|| request.unwrap());
    answer
}

/// The same request was answered before: only its key is looked at again.
fn prepared(state: &Arc<State>, call: Call) -> Arc<Answer> {
    let key = (call.hash.clone(), call.query.clone());
    if let Some(answer) = state.prepared(&key)
        && auth::check(Provider::of(&call), &call).is_ok()
    {
        return answer;
    }
    let answer = Arc::new(route::answer(call));
    if answer.status.is_success() {
        state.prepare(key, &answer);
    }
    answer
}

fn early(parts: Parts, behaviour: Behaviour, state: &Arc<State>, releases: u64) -> Response<Reply> {
    state.keep_request(|| Request::new(&parts, Bytes::new()));
    let call = Call::new(parts, Bytes::new(), behaviour);
    let answer = Failure::Status(behaviour.status.unwrap_or(413)).answer(Provider::of(&call), &call);
    reply(&answer, &behaviour, state, releases)
}

fn reply(answer: &Answer, behaviour: &Behaviour, state: &Arc<State>, releases: u64) -> Response<Reply> {
    let mut response = Response::new(Reply::new(&answer.content, behaviour, Arc::clone(state), releases));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.reserve(answer.headers.len());
    for (name, value) in &answer.headers {
        headers.append(name, value.clone());
    }
    if behaviour.gzip && !matches!(&answer.content, Content::Whole(bytes) if bytes.is_empty()) {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if behaviour.huge_headers {
        let value = HeaderValue::from_str(&"x".repeat(HUGE_HEADER_BYTES)).unwrap();
        for index in 0..HUGE_HEADERS {
            let name = HeaderName::from_bytes(format!("x-huge-{index}").as_bytes()).unwrap();
            headers.insert(name, value.clone());
        }
    }
    response
}

/// A request whose reply is held; dropped before it is over when the client leaves.
struct Waiting {
    state: Arc<State>,
    is_over: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.is_over {
            self.state.count(|counts| counts.disconnects += 1);
        }
    }
}

/// What the handle offers, over HTTP.
fn control(operation: &str, state: &Arc<State>) -> Answer {
    match operation {
        "requests" => {
            let requests: Vec<_> = state.kept().requests.iter().map(Request::to_json).collect();
            return Answer::json(&json!(requests));
        }
        "ledger" => return Answer::json(&json!(state.kept().ledger)),
        "reset" => state.reset(),
        "release" => state.release(),
        _ => return Answer::json(&json!({})).status(404),
    }
    Answer::json(&json!({}))
}
