//! The description of the API as a page for people.
//!
//! It is written from the same OpenAPI document that programs read, so that the two cannot differ. The page is whole in
//! itself: no script, no font, nothing from another host; its one style sheet is allowed by its hash.

mod errors;
mod html;
mod node;
mod operation;
mod outline;
mod sample;
mod schema;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};
use utoipa::openapi::OpenApi;

use crate::error::ApiError;
use html::Html;
use node::Node;
use outline::Outline;

const STYLE: &str = include_str!("docs_page/page.css");
const INTRODUCTION: &str = include_str!("docs_page/intro.html");

/// The page for `document`.
pub fn render(document: &OpenApi) -> Result<String, ApiError> {
    let text = serde_json::to_string(document).map_err(ApiError::internal)?;
    let document: Node = serde_json::from_str(&text).map_err(ApiError::internal)?;
    Ok(page(&Outline::new(document)).into_string())
}

fn page(outline: &Outline) -> Html {
    Html::new()
        .raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
        .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
        .raw("<meta http-equiv=\"Content-Security-Policy\" content=\"")
        .text(&content_security_policy())
        .raw("\"><title>")
        .text(outline.info("title"))
        .raw(" API</title><style>")
        .raw(STYLE)
        .raw("</style></head><body><a class=\"skip\" href=\"#main\">Skip to the content</a>")
        .then(&head(outline))
        .raw("<div class=\"layout\">")
        .then(&contents(outline))
        .raw("<main id=\"main\">")
        .raw(INTRODUCTION)
        .each(outline.tags(), |tag| tag_section(outline, tag))
        .then(&schemas(outline))
        .then(&errors::section())
        .raw("</main></div></body></html>\n")
}

/// Nothing may be loaded or run but the style sheet in the page.
fn content_security_policy() -> String {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
}

fn head(outline: &Outline) -> Html {
    Html::new()
        .raw("<header><h1>")
        .text(outline.info("title"))
        .raw(" API</h1><p>")
        .phrase(outline.info("description").split("\n\n").next().unwrap_or_default())
        .raw("</p><p class=\"muted\">Version ")
        .text(outline.info("version"))
        .raw(" · <a href=\"/docs/openapi.json\">OpenAPI document</a> · <a href=\"/\">Dashboard</a></p></header>")
}

fn contents(outline: &Outline) -> Html {
    Html::new()
        .raw("<nav aria-label=\"Contents\"><ul><li><a href=\"#authentication\">Authentication</a></li><li><a href=\"#answers\">Answers</a></li><li><a href=\"#errors\">Error codes</a></li><li><a href=\"#schemas\">Schemas</a></li></ul>")
        .each(outline.tags(), |tag| {
            Html::new().raw("<h2>").text(tag).raw("</h2><ul>").each(outline.operations_of_tag(tag), entry).raw("</ul>")
        })
        .raw("</nav>")
}

fn entry(operation: outline::Operation<'_>) -> Html {
    Html::new()
        .raw("<li><a href=\"#")
        .text(operation.id())
        .raw("\">")
        .then(&operation::signature(operation))
        .raw("</a></li>")
}

fn tag_section(outline: &Outline, tag: &str) -> Html {
    let anchor = tag.to_lowercase().replace(' ', "-");
    Html::new()
        .raw("<section id=\"tag-")
        .text(&anchor)
        .raw("\"><h2><a class=\"anchor\" href=\"#tag-")
        .text(&anchor)
        .raw("\">")
        .text(tag)
        .raw("</a></h2>")
        .each(outline.operations_of_tag(tag), |operation| operation::section(outline, operation))
        .raw("</section>")
}

fn schemas(outline: &Outline) -> Html {
    let named = outline.schemas().iter().filter(|(name, _)| !outline::is_envelope(name));
    Html::new()
        .raw("<section id=\"schemas\"><h2><a class=\"anchor\" href=\"#schemas\">Schemas</a></h2>")
        .each(named, |(name, schema)| schema::section(outline, name, schema))
        .raw("</section>")
}

#[cfg(test)]
mod tests;
