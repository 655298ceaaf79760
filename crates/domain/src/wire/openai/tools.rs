//! Tools that the provider runs, and charges by the call or at another model's price.

use pricing::{Unit, Usage};
use serde_json::Value;

use super::{
    super::{
        count::{count, each, first, inner, set, sum, text},
        gather::{Gathered, side_call},
    },
    responses,
};

/// Calls of the tools of a response, and images that another model made for it.
///
/// `tool_usage` counts what is charged, <https://platform.openai.com/docs/api-reference/responses/object>. Where it is
/// missing, the calls in `output` do: of a web search, only the action `search` is charged,
/// <https://platform.openai.com/docs/pricing>. Code runs in containers, which are charged by the session.
pub(super) fn gather(reply: &Value, into: &mut Gathered) {
    let of_type =
        |kind: &'static str| each(reply, "output").filter(move |item| text(item, "type") == Some(kind));
    let is_search =
        |item: &&Value| item.get("action").is_none_or(|action| text(action, "type") == Some("search"));
    let used = reply.get("tool_usage");
    let searches = inner(used.and_then(|used| used.get("web_search")), "num_requests");
    let searches = searches.or_else(|| some_of(of_type("web_search_call").filter(is_search).count()));
    set(&mut into.beside, Unit::WebSearches, searches);
    set(&mut into.beside, Unit::FileSearches, some_of(of_type("file_search_call").count()));
    into.set_search_type(search_type(reply));
    let images = used.and_then(|used| used.get("image_gen"));
    let drawing = reply.get("svg_usage").filter(|usage| usage.is_object());
    if images.is_some() || drawing.is_some() {
        let painted = images.map(|images| side_call(image_model(reply), responses(images)));
        let drawn = drawing.map(|drawing| side_call(text(drawing, "model"), responses(drawing)));
        into.side_calls = painted.into_iter().chain(drawn).collect();
    }
}

/// The kind of web search of a request, or of a reply that repeats its tools: `fast` costs less than `web`.
/// <https://docs.perplexity.ai/docs/agent-api/tools/web-search>,
/// <https://docs.perplexity.ai/api-reference/chat-completions-post>.
pub(super) fn search_type(document: &Value) -> Option<&str> {
    let by_tool = each(document, "tools")
        .filter(|tool| text(tool, "type") == Some("web_search"))
        .find_map(|tool| text(tool, "search_type"));
    by_tool.or_else(|| text(document.get("web_search_options")?, "search_type"))
}

fn image_model(reply: &Value) -> Option<&str> {
    let mut tools = each(reply, "tools").filter(|tool| text(tool, "type") == Some("image_generation"));
    tools.find_map(|tool| text(tool, "model"))
}

/// Calls of tools that a usage object counts.
///
/// - Perplexity: `num_search_queries`, and `tool_calls_details` of its agents,
///   <https://docs.perplexity.ai/api-reference/responses-post>.
/// - OpenRouter: `server_tool_use`, as Anthropic.
/// - xAI: `server_side_tool_usage_details`, <https://docs.x.ai/docs/guides/tools/overview>.
pub(super) fn read(usage: &Value, read: &mut Usage) {
    let of_xai = usage.get("server_side_tool_usage_details");
    let of_agent = usage.get("tool_calls_details").and_then(|details| details.get("search_web"));
    let searches = count(usage, "num_search_queries")
        .or_else(|| inner(of_agent, "invocation"))
        .or_else(|| inner(usage.get("server_tool_use"), "web_search_requests"))
        .or_else(|| sum([inner(of_xai, "web_search_calls"), inner(of_xai, "x_search_calls")]));
    set(read, Unit::WebSearches, searches);
    let Some(of_xai) = of_xai else { return };
    let files = sum([count(of_xai, "file_search_calls"), count(of_xai, "document_search_calls")]);
    set(read, Unit::FileSearches, files);
    set(read, Unit::CodeExecutions, first(of_xai, &["code_interpreter_calls"]));
}

fn some_of(calls: usize) -> Option<u64> {
    u64::try_from(calls).ok().filter(|calls| *calls > 0)
}
