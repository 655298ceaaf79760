//! One operation: who may call it, what it takes, what it answers, how to call it.

use axum::http::StatusCode;

use super::{
    html::Html,
    node::Node,
    outline::{Operation, Outline, is_envelope, reference},
    sample, schema,
};
use crate::error::ErrorCode;

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
        .then(&responses(outline, operation))
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

fn responses(outline: &Outline, operation: Operation<'_>) -> Html {
    Html::new()
        .raw("<h4>Answers</h4><dl class=\"answers\">")
        .each(operation.responses(), |(status, answer)| response(outline, status, answer))
        .raw("</dl>")
}

fn response(outline: &Outline, status: &str, response: &Node) -> Html {
    let known = status.parse::<u16>().ok().and_then(|status| StatusCode::from_u16(status).ok());
    let reason = known.and_then(|status| status.canonical_reason()).unwrap_or_default();
    let contents = if status.starts_with('2') { contents(outline, response) } else { codes(known) };
    Html::new()
        .raw("<div><dt><code>")
        .text(status)
        .raw("</code> ")
        .text(reason)
        .raw("</dt><dd>")
        .phrase(response.text("description"))
        .then(&contents)
        .raw("</dd></div>")
}

fn contents(outline: &Outline, response: &Node) -> Html {
    Html::new().listed(response.members_of("content").iter().map(|(media_type, content)| {
        if media_type != "application/json" {
            return Html::new().code(media_type);
        }
        let schema = content.get("schema").unwrap_or(&Node::Null);
        let is_envelope = reference(schema).is_some_and(is_envelope);
        let data = outline.resolve(schema).get("properties").and_then(|properties| properties.get("data"));
        match data.filter(|_| is_envelope) {
            Some(data) => Html::new().code("data").raw(": ").then(&schema::type_of(data)),
            None => schema::type_of(schema),
        }
    }))
}

/// The error code of a status; a link to them where there are several.
fn codes(status: Option<StatusCode>) -> Html {
    let Some(status) = status else { return Html::new() };
    let codes: Vec<ErrorCode> =
        ErrorCode::ALL.iter().copied().filter(|code| code.status() == status).collect();
    match codes.as_slice() {
        [] => Html::new(),
        [code] => Html::new()
            .raw("<a href=\"#error-")
            .text(code.as_str())
            .raw("\">")
            .code(code.as_str())
            .raw("</a>"),
        _ => Html::new()
            .raw("<a href=\"#status-")
            .text(status.as_str())
            .raw("\">one of the codes of this status</a>"),
    }
}
