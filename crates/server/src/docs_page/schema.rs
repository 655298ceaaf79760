//! Schemas: names of types, tables of fields.

use super::{
    html::Html,
    node::Node,
    outline::{Outline, reference},
};

/// Fields of a nested object are shown in place up to this many; beyond, a link has to do.
const NESTED_FIELDS_MAX: usize = 12;
/// Schemas inside schemas are followed this deep; deeper, a link has to do.
const DEPTH_MAX: usize = 8;

/// A field of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) schema: &'a Node,
    pub(super) required: bool,
}

/// The fields of `schema`, with those of the schemas it is composed of.
pub(super) fn fields_of<'a>(outline: &'a Outline, schema: &'a Node) -> Vec<Field<'a>> {
    let mut fields = Vec::new();
    collect(outline, schema, DEPTH_MAX, &mut fields);
    fields
}

fn collect<'a>(outline: &'a Outline, schema: &'a Node, depth: usize, fields: &mut Vec<Field<'a>>) {
    if depth == 0 {
        return;
    }
    let schema = outline.resolve(schema);
    for part in schema.list("allOf") {
        collect(outline, part, depth - 1, fields);
    }
    let required = schema.list("required");
    let field = |(name, schema): &'a (String, Node)| Field {
        name,
        schema,
        required: required.iter().any(|own| own.is(name)),
    };
    fields.extend(schema.members_of("properties").iter().map(field));
}

/// A table of the fields of a schema in its own section.
fn table(outline: &Outline, schema: &Node) -> Html {
    framed(Html::new().each(fields_of(outline, schema), |field| row("", field, Null::Said)))
}

/// A table of the fields of a request's body, and one level of those inside.
pub(super) fn body_table(outline: &Outline, schema: &Node) -> Html {
    framed(Html::new().each(fields_of(outline, schema), |field| {
        let prefix = format!("{}.", field.name);
        let inner = nested_fields(outline, field.schema);
        row("", field, Null::Left).each(inner, |inner| row(&prefix, inner, Null::Left))
    }))
}

fn framed(rows: Html) -> Html {
    if rows == Html::new() {
        return rows;
    }
    Html::new()
        .raw("<table><thead><tr><th scope=\"col\">Field</th><th scope=\"col\">Type</th><th scope=\"col\">Meaning</th></tr></thead><tbody>")
        .then(&rows)
        .raw("</tbody></table>")
}

fn nested_fields<'a>(outline: &'a Outline, schema: &'a Node) -> Vec<Field<'a>> {
    let fields = fields_of(outline, inner_schema(schema));
    if fields.len() > NESTED_FIELDS_MAX { Vec::new() } else { fields }
}

/// What a list is of, or what an optional value is when it is there.
fn inner_schema(schema: &Node) -> &Node {
    match schema.get("items") {
        Some(items) => inner_schema(items),
        None => present(schema),
    }
}

/// What an optional value is when it is there.
pub(super) fn present(schema: &Node) -> &Node {
    schema.list("oneOf").iter().find(|choice| choice.text("type") != "null").unwrap_or(schema)
}

fn row(prefix: &str, field: Field<'_>, null: Null) -> Html {
    Html::new()
        .raw("<tr><th scope=\"row\"><code>")
        .text(prefix)
        .text(field.name)
        .raw("</code>")
        .raw(if field.required && null == Null::Left {
            " <span class=\"required\">required</span>"
        } else {
            ""
        })
        .raw("</th><td>")
        .then(&typed(field.schema, null))
        .raw("</td><td>")
        .phrase(description_of(field.schema))
        .then(&constraints(field.schema))
        .raw("</td></tr>")
}

/// A schema's own description, or that of its only part.
fn description_of(schema: &Node) -> &str {
    let own = schema.text("description");
    if !own.is_empty() {
        return own;
    }
    let part = schema.list("oneOf").iter().chain(schema.list("allOf")).map(|part| part.text("description"));
    part.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
}

/// Bounds and default, in words.
pub(super) fn constraints(schema: &Node) -> Html {
    const WORDS: &[(&str, &str)] = &[
        ("minimum", "at least"),
        ("exclusiveMinimum", "more than"),
        ("maximum", "at most"),
        ("default", "default"),
    ];
    const LENGTHS: &[(&str, &str)] = &[("minLength", "at least"), ("maxLength", "at most")];
    let bounds = WORDS.iter().filter_map(|(key, word)| Some((*word, schema.get(key)?)));
    let bounds = bounds.filter(|(word, value)| says_something(word, value));
    let bounds = bounds.map(|(word, value)| Html::new().text(word).raw(" ").code(&value.to_string()));
    let lengths = LENGTHS.iter().filter_map(|(key, word)| Some((*word, schema.get(key)?)));
    let lengths = lengths.map(|(word, value)| Html::new().text(&format!("{word} {value} characters")));
    let pieces: Vec<Html> = lengths.chain(bounds).collect();
    if pieces.is_empty() {
        return Html::new();
    }
    Html::new().raw(" <span class=\"bounds\">(").listed(pieces).raw(")</span>")
}

/// That a count is not negative, and that what is left out is not there, goes without saying.
fn says_something(word: &str, value: &Node) -> bool {
    match word {
        "at least" => value.to_string() != "0",
        "default" => matches!(value, Node::Literal(_) | Node::Text(_)),
        _ => true,
    }
}

/// Whether a type says that it may be `null`. In what is sent, that is the same as leaving it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Null {
    Said,
    Left,
}

/// The type of a schema in words, with links.
pub(super) fn type_of(schema: &Node) -> Html {
    typed(schema, Null::Said)
}

/// The same for what a caller sends: the type of what is given at all.
pub(super) fn type_if_given(schema: &Node) -> Html {
    typed(schema, Null::Left)
}

fn typed(schema: &Node, null: Null) -> Html {
    if let Some(name) = reference(schema) {
        return link(name);
    }
    let choices = schema.list("oneOf").iter().chain(schema.list("anyOf"));
    let choices = choices.filter(|choice| null == Null::Said || choice.text("type") != "null");
    let choices: Vec<Html> = choices.map(|choice| typed(choice, null)).collect();
    if !choices.is_empty() {
        return joined(choices, " or ");
    }
    let parts: Vec<Html> = schema.list("allOf").iter().filter_map(reference).map(link).collect();
    if !parts.is_empty() {
        return joined(parts, " with ");
    }
    let values = schema.list("enum");
    if !values.is_empty() {
        return joined(values.iter().map(|value| Html::new().code(&value.to_string())).collect(), " or ");
    }
    plain_type(schema, null)
}

fn plain_type(schema: &Node, null: Null) -> Html {
    let names: Vec<&str> = match schema.get("type") {
        Some(Node::Text(name)) => vec![name],
        Some(Node::List(names)) => names.iter().filter_map(Node::as_text).collect(),
        _ => vec!["any"],
    };
    let names = names.into_iter().filter(|name| null == Null::Said || *name != "null");
    joined(names.map(|name| type_word(schema, name)).collect(), " or ")
}

fn type_word(schema: &Node, name: &str) -> Html {
    match (name, schema.get("items"), schema.get("additionalProperties")) {
        ("array", Some(items), _) => Html::new().raw("list of ").then(&type_of(items)),
        ("object", _, Some(values @ Node::Object(_))) => Html::new().raw("object of ").then(&type_of(values)),
        _ => Html::new().text(word_of(name, schema.text("format"))),
    }
}

fn word_of<'a>(name: &'a str, format: &str) -> &'a str {
    match (name, format) {
        ("string", "date-time") => "time (RFC 3339)",
        ("string", "password") => "secret text",
        ("string", _) => "text",
        ("integer", _) => "whole number",
        ("boolean", _) => "true or false",
        _ => name,
    }
}

fn joined(pieces: Vec<Html>, between: &'static str) -> Html {
    let mut html = Html::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        html = if index == 0 { html } else { html.raw(between) }.then(&piece);
    }
    html
}

/// A link to a schema of that name.
pub(super) fn link(name: &str) -> Html {
    Html::new().raw("<a href=\"#schema-").text(name).raw("\">").text(name).raw("</a>")
}

/// The section of one schema.
pub(super) fn section(outline: &Outline, name: &str, schema: &Node) -> Html {
    let html = Html::new()
        .raw("<section class=\"schema\" id=\"schema-")
        .text(name)
        .raw("\"><h3><a class=\"anchor\" href=\"#schema-")
        .text(name)
        .raw("\">")
        .text(name)
        .raw("</a></h3>")
        .prose(schema.text("description"))
        .then(&table(outline, schema));
    let html = if fields_of(outline, schema).is_empty() { html.then(&variants(schema)) } else { html };
    html.raw("</section>")
}

/// What a schema without fields may be.
fn variants(schema: &Node) -> Html {
    let choices = schema.list("oneOf");
    let described = choices.iter().any(|choice| !choice.text("description").is_empty());
    if !described {
        return Html::new().raw("<p>").then(&type_of(schema)).raw("</p>");
    }
    Html::new()
        .raw("<ul>")
        .each(choices, |choice| {
            Html::new()
                .raw("<li>")
                .then(&type_of(choice))
                .raw(": ")
                .phrase(choice.text("description"))
                .raw("</li>")
        })
        .raw("</ul>")
}
