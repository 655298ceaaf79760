use serde_json::Value;

use super::*;
use crate::{error::ErrorCode, router};

fn whole_page() -> String {
    render(&router::openapi()).unwrap()
}

fn outline_of(document: &OpenApi) -> Outline {
    Outline::new(serde_json::from_str(&serde_json::to_string(document).unwrap()).unwrap())
}

#[test]
fn every_operation_and_every_error_code_has_an_anchor() {
    let (page, outline) = (whole_page(), outline_of(&router::openapi()));
    let operations = outline.operations();
    assert!(operations.len() > 30, "{}", operations.len());
    for operation in operations {
        assert!(!operation.id().is_empty() && !operation.summary().is_empty(), "{}", operation.path);
        assert_eq!(page.matches(&format!("id=\"{}\"", operation.id())).count(), 1, "{}", operation.id());
        assert!(page.contains(&format!("href=\"#{}\"", operation.id())), "{}", operation.id());
    }
    for code in ErrorCode::ALL {
        assert_eq!(page.matches(&format!("id=\"error-{}\"", code.as_str())).count(), 1, "{}", code.as_str());
    }
}

#[test]
fn links_within_the_page_lead_somewhere() {
    let page = whole_page();
    let targets = page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next());
    let lost: Vec<&str> = targets.filter(|target| !page.contains(&format!("id=\"{target}\""))).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let page = whole_page();
    for loader in
        ["<script", "<link", "<img", "<iframe", "src=", "@import", "url(", "href=\"http", "href=\"//"]
    {
        assert!(!page.contains(loader), "{loader}");
    }
    assert!(page.contains("default-src &#39;none&#39;"));
}

#[test]
fn hostile_text_is_escaped() {
    let hostile = "</style><script>alert(1)</script>";
    let document: OpenApi = serde_json::from_value(serde_json::json!({
        "openapi": "3.1.0",
        "info": { "title": hostile, "version": hostile, "description": hostile },
        "paths": { "/x": { "get": {
            "tags": [hostile], "operationId": "x", "summary": hostile, "description": hostile,
            "parameters": [{ "name": hostile, "in": "query", "required": true, "description": hostile, "schema": { "type": "string" } }],
            "responses": { "200": { "description": hostile } }
        } } },
        "components": { "schemas": { "x": { "type": "object", "description": hostile, "properties": {
            "</style><script>": { "type": "string", "description": hostile }
        } } } }
    }))
    .unwrap();
    assert!(!render(&document).unwrap().contains("<script"));
}

#[test]
fn samples_have_only_fields_that_the_schemas_have() {
    let document = router::openapi();
    let outline = outline_of(&document);
    let mut with_body = 0;
    for operation in outline.operations() {
        let Some((_, content)) =
            operation.body().iter().find(|(media_type, _)| media_type == "application/json")
        else {
            assert_eq!(sample::body(operation.id()), None, "{}", operation.id());
            continue;
        };
        with_body += 1;
        let schema = schema::present(content.get("schema").unwrap());
        let fields: Vec<&str> = schema::fields_of(&outline, schema).iter().map(|field| field.name).collect();
        let text = sample::body(operation.id()).unwrap_or_else(|| panic!("{} has no sample", operation.id()));
        let sample: Value =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{}: {error}", operation.id()));
        for name in sample.as_object().unwrap().keys() {
            let known = fields.contains(&name.as_str()) || matches!(name.as_str(), "provider");
            assert!(known, "{}: {name} is none of {fields:?}", operation.id());
        }
    }
    assert_eq!(with_body, sample::BODIES.len());
}
