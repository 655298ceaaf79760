//! One operation: who may call it, what it takes, what it answers, how to call it.

use axum::http::StatusCode;

use super::{
    html::Html,
    node::Node,
    outline::{Operation, Outline},
    sample, schema,
};
use crate::error::ErrorCode;

/// Codes of one status are named in place up to this many; beyond, a link has to do.
const CODES_IN_PLACE_MAX: usize = 4;

/// The section of `operation`.
pub(super) fn section(outline: &Outline, operation: Operation<'_>) -> Html {
    Html::new()
        .raw("<section class=\"operation\" id=\"")
        .text(operation.id())
        .raw("\"><h3><a class=\"anchor\" href=\"#")
        .text(operation.id())
        .raw("\">")
        .then(&signature(operation))
        .raw("</a></h3>")
        .raw("<p class=\"summary\">")
        .phrase(operation.summary())
        .raw("</p>")
        .prose(operation.description())
        .then(&who(operation))
        .then(&parameters(operation))
        .then(&body(outline, operation))
        .then(&example(operation))
        .then(&responses(operation))
        .raw("</section>")
}

/// Method and path.
pub(super) fn signature(operation: Operation<'_>) -> Html {
    Html::new()
        .raw("<span class=\"method ")
        .text(operation.method)
        .raw("\">")
        .text(&operation.method.to_uppercase())
        .raw("</span> ")
        .path(operation.path)
}

fn who(operation: Operation<'_>) -> Html {
    let html = Html::new().raw("<p class=\"who\"><strong>Who:</strong> ");
    if operation.is_open() {
        return html.raw("anybody; no credential is needed.</p>");
    }
    let html = html.raw("an account, by access token or <a href=\"#authentication\">tracker key</a>");
    let scopes = operation.scopes();
    let html = if scopes.is_empty() {
        html
    } else {
        html.raw("; a tracker key needs the scope ")
            .listed(scopes.into_iter().map(|scope| Html::new().code(scope)))
    };
    html.raw(".</p>")
}

fn parameters(operation: Operation<'_>) -> Html {
    if operation.parameters().is_empty() {
        return Html::new();
    }
    Html::new()
        .raw("<h4>Parameters</h4><table><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">In</th><th scope=\"col\">Type</th><th scope=\"col\">Meaning</th></tr></thead><tbody>")
        .each(operation.parameters(), parameter)
        .raw("</tbody></table>")
}

fn parameter(parameter: &Node) -> Html {
    let required = matches!(parameter.get("required"), Some(Node::Literal(text)) if text == "true");
    let schema = parameter.get("schema").unwrap_or(&Node::Null);
    Html::new()
        .raw("<tr><th scope=\"row\">")
        .code(parameter.text("name"))
        .raw(if required { " <span class=\"required\">required</span>" } else { "" })
        .raw("</th><td>")
        .text(parameter.text("in"))
        .raw("</td><td>")
        .then(&schema::type_if_given(schema))
        .raw("</td><td>")
        .phrase(parameter.text("description"))
        .then(&schema::constraints(schema))
        .raw("</td></tr>")
}

fn body(outline: &Outline, operation: Operation<'_>) -> Html {
    if operation.body().is_empty() {
        return Html::new();
    }
    Html::new().raw("<h4>Body</h4>").each(operation.body(), |(media_type, content)| {
        let schema = content.get("schema").unwrap_or(&Node::Null);
        Html::new()
            .raw("<p>")
            .code(media_type)
            .raw(": ")
            .then(&schema::type_if_given(schema))
            .raw("</p>")
            .then(&schema::body_table(outline, schema::present(schema)))
    })
}

fn example(operation: Operation<'_>) -> Html {
    Html::new()
        .raw("<h4>Example</h4><pre tabindex=\"0\"><code>")
        .text(&sample::curl(operation))
        .raw("</code></pre>")
}

fn responses(operation: Operation<'_>) -> Html {
    Html::new()
        .raw("<h4>Answers</h4><dl class=\"answers\">")
        .each(operation.responses(), response)
        .raw("</dl>")
}

fn response((status, response): &(String, Node)) -> Html {
    let known = status.parse::<u16>().ok().and_then(|status| StatusCode::from_u16(status).ok());
    let reason = known.and_then(|status| status.canonical_reason()).unwrap_or_default();
    let html = Html::new()
        .raw("<div><dt><code>")
        .text(status)
        .raw("</code> ")
        .text(reason)
        .raw("</dt><dd>")
        .phrase(response.text("description"));
    let html =
        if status.starts_with('2') { html.then(&contents(response)) } else { html.then(&codes(known)) };
    html.raw("</dd></div>")
}

fn contents(response: &Node) -> Html {
    let contents = response.members_of("content").iter().map(|(media_type, content)| {
        let kind = schema::type_of(content.get("schema").unwrap_or(&Node::Null));
        if media_type == "application/json" { kind } else { Html::new().code(media_type) }
    });
    Html::new().listed(contents)
}

/// The error codes that go with a status.
fn codes(status: Option<StatusCode>) -> Html {
    let codes = ErrorCode::ALL.iter().filter(|code| Some(code.status()) == status);
    let codes: Vec<&str> = codes.map(|code| code.as_str()).collect();
    let Some(status) = status.filter(|_| !codes.is_empty()) else { return Html::new() };
    if codes.len() > CODES_IN_PLACE_MAX {
        return Html::new()
            .raw("<a href=\"#status-")
            .text(status.as_str())
            .raw("\">one of the codes of this status</a>");
    }
    Html::new().listed(codes.into_iter().map(|code| {
        Html::new().raw("<a href=\"#error-").text(code).raw("\"><code>").text(code).raw("</code></a>")
    }))
}
