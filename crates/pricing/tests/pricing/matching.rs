//! Which model a name means.

use pricing::{Call, Catalog, MatchRule, canonical_provider};

use crate::{NOW, at, catalog, find};

#[test]
fn names_are_recognised_in_order() {
    let vectors = [
        ("openai", "gpt-4o-mini", "gpt-4o-mini", MatchRule::Exact),
        ("openai", "GPT-4o-Mini", "gpt-4o-mini", MatchRule::Exact),
        ("openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini", MatchRule::Alias),
        ("openai", "gpt-4o-mini-20240718", "gpt-4o-mini", MatchRule::Snapshot),
        ("openai", "gpt-4o-mini-2031-01-31", "gpt-4o-mini", MatchRule::Snapshot),
        ("openai", "gpt-4-0613", "gpt-4", MatchRule::Alias),
        ("openai", "ft:gpt-4-0613:org::id", "gpt-4", MatchRule::Pattern),
        ("openai", "openai/gpt-4o", "gpt-4o", MatchRule::Exact),
        ("anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5", MatchRule::Snapshot),
        ("anthropic", "claude-sonnet-4-5@20250929", "claude-sonnet-4-5", MatchRule::Snapshot),
        ("anthropic", "claude-3-5-sonnet-latest", "claude-3-5-sonnet", MatchRule::Pattern),
        ("anthropic", "claude-opus-5-5-20261001", "claude-opus-5-5", MatchRule::Snapshot),
        ("google", "models/gemini-2.5-pro", "gemini-2.5-pro", MatchRule::Exact),
        (
            "vertex_ai",
            "projects/p/locations/l/publishers/google/models/gemini-2.5-flash",
            "gemini-2.5-flash",
            MatchRule::Exact,
        ),
        ("bedrock", "amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", MatchRule::Exact),
        ("bedrock", "eu.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", MatchRule::BedrockGeography),
        (
            "bedrock",
            "us.anthropic.claude-opus-4-5-20251101-v1:0",
            "regional.anthropic.claude-opus-4-5-v1:0",
            MatchRule::BedrockGeography,
        ),
        (
            "bedrock",
            "ca.anthropic.claude-opus-5",
            "regional.anthropic.claude-opus-5",
            MatchRule::BedrockGeography,
        ),
        (
            "bedrock",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
            MatchRule::InferenceProfile,
        ),
        ("azure", "gpt-35-turbo", "gpt-3.5-turbo", MatchRule::Alias),
        ("openrouter", "openai/gpt-4o-mini", "openai/gpt-4o-mini", MatchRule::Exact),
    ];
    for (provider, name, model, rule) in vectors {
        let found = find(provider, name, NOW).unwrap_or_else(|reason| panic!("{provider} {name}: {reason}"));
        assert_eq!((found.price.model.as_str(), found.rule), (model, rule), "{provider} {name}");
    }
}

#[test]
fn a_more_certain_rule_wins() {
    let catalog = catalog(
        r#"{"id": "swift", "patterns": [{"starts_with": "swift"}], "prices": [{"rates": {"input_tokens": "1"}}]},
           {"id": "swift-mini", "aliases": ["swift-small"], "prices": [{"rates": {"input_tokens": "2"}}]},
           {"id": "heron-2024-01-01", "prices": [{"rates": {"input_tokens": "3"}}]},
           {"id": "heron-2025-01-01", "prices": [{"rates": {"input_tokens": "4"}}]},
           {"id": "crane-tts", "prices": [{"rates": {"input_tokens": "5"}}]},
           {"id": "crane", "patterns": [{"all": [{"starts_with": "crane"}, {"not": {"regex": "-tts$"}}]}], "prices": [{"rates": {"input_tokens": "6"}}]}"#,
    );
    let model = |name| {
        let found = catalog.find_price(&Call::new(Some("maker"), name, at(NOW)));
        found.map_or_else(
            |reason| reason.code().to_owned(),
            |found| format!("{} {:?}", found.price.model, found.rule),
        )
    };
    assert_eq!(model("swift-mini"), "swift-mini Exact");
    assert_eq!(model("swift-small"), "swift-mini Alias");
    assert_eq!(model("swift-mini-2025-02-03"), "swift-mini Snapshot");
    assert_eq!(model("swift-large"), "swift Pattern");
    assert_eq!(model("heron"), "heron-2025-01-01 Family");
    assert_eq!(model("heron-20240101"), "heron-2024-01-01 Snapshot");
    assert_eq!(model("crane-x-tts"), "unknown_model");
    assert_eq!(model("crane-x"), "crane Pattern");
}

#[test]
fn what_is_unknown_says_so() {
    for (provider, model) in [
        ("openai", "gpt-9-imaginary"),
        ("openai", ""),
        ("no-such-provider", "gpt-4o"),
        ("bedrock", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3"),
        ("openai", "claude-sonnet-4-5"),
    ] {
        assert_eq!(find(provider, model, NOW).unwrap_err().code(), "unknown_model", "{provider} {model}");
    }
    assert_eq!(find("openai", &"gpt-4o".repeat(1000), NOW).unwrap_err().code(), "unknown_model");
}

#[test]
fn a_reseller_without_a_price_charges_the_makers_standard_price() {
    let call = Call::new(Some("azure"), "gpt-5", at(NOW)).service_tier(Some("flex"));
    let found = Catalog::embedded().find_price(&call).unwrap();
    assert_eq!((found.provider, found.price.provider.as_str()), ("azure", "openai"));
    assert!(found.tier_assumed_standard);
}

#[test]
fn a_model_alone_points_to_its_maker() {
    let vectors = [
        ("gpt-4o", Some("openai")),
        ("o3-mini", Some("openai")),
        ("text-embedding-3-small", Some("openai")),
        ("claude-sonnet-4-5", Some("anthropic")),
        ("gemini-2.5-pro", Some("google")),
        ("models/gemini-2.5-pro", Some("google")),
        ("mistral-large-latest", Some("mistral")),
        ("grok-4", Some("xai")),
        ("deepseek-chat", Some("deepseek")),
        ("command-r-plus", Some("cohere")),
        ("anthropic.claude-3-haiku-20240307-v1:0", Some("bedrock")),
        ("us.amazon.nova-pro-v1:0", Some("bedrock")),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-pro-v1:0", Some("bedrock")),
        ("openai/gpt-4o", Some("openai")),
        ("bedrock/amazon.nova-pro-v1:0", Some("bedrock")),
        ("openrouter/anthropic/claude-sonnet-4.5", Some("openrouter")),
        ("my-own-model", None),
        ("", None),
    ];
    for (model, provider) in vectors {
        assert_eq!(Catalog::embedded().resolve_provider(model), provider, "{model}");
    }
}

#[test]
fn a_call_without_a_provider_is_priced() {
    for (provider, model) in
        [(None, "gpt-4o"), (None, "openai/gpt-4o"), (Some("litellm"), "openai/gpt-4o"), (Some(""), "gpt-4o")]
    {
        let found = Catalog::embedded().find_price(&Call::new(provider, model, at(NOW))).unwrap();
        assert_eq!(
            (found.provider, found.price.model.as_str()),
            ("openai", "gpt-4o"),
            "{provider:?} {model}"
        );
    }
}

#[test]
fn providers_have_one_name() {
    let vectors = [
        ("OpenAI", "openai"),
        ("openai.chat", "openai"),
        ("anthropic.messages", "anthropic"),
        ("google-ai", "google"),
        ("gemini", "google"),
        ("vertex_ai", "google"),
        ("gcp.vertex_ai", "google"),
        ("gcp.gemini", "google"),
        ("google.generative-ai", "google"),
        ("aws-bedrock", "bedrock"),
        ("aws.bedrock", "bedrock"),
        ("Amazon Bedrock", "bedrock"),
        ("aws", "bedrock"),
        ("az.ai.openai", "azure"),
        ("azure.ai.openai", "azure"),
        ("x-ai", "xai"),
        ("mistral_ai", "mistral"),
        ("Acme Cloud ", "acme cloud"),
        ("huggingface_novita", "huggingface_novita"),
    ];
    for (name, canonical) in vectors {
        assert_eq!(canonical_provider(name), canonical, "{name}");
    }
}

#[test]
fn every_provider_of_the_catalog_keeps_its_name() {
    for provider in Catalog::embedded().providers() {
        assert_eq!(canonical_provider(provider.id()), provider.id());
    }
}

#[test]
fn why_a_price_applies_is_said_in_a_sentence() {
    let vectors = [
        ("openai", "gpt-4o-mini", "gpt-4o-mini is the model's name in the catalog"),
        ("openai", "gpt-4o-mini-2031-01-31", "gpt-4o-mini-2031-01-31 is a dated snapshot of gpt-4o-mini"),
        ("openai", "ft:gpt-4-0613:org::id", "ft:gpt-4-0613:org::id has the form of the names of gpt-4"),
        (
            "bedrock",
            "eu.amazon.nova-lite-v1:0",
            "eu.amazon.nova-lite-v1:0 is priced by its geography, as amazon.nova-lite-v1:0",
        ),
        ("azure", "gpt-5", "gpt-5 is the model's name in the catalog; azure sells it at the price of openai"),
    ];
    for (provider, name, why) in vectors {
        let call = Call::new(Some(provider), name, at(NOW));
        assert_eq!(Catalog::embedded().find_price(&call).unwrap().why(&call), why);
    }
    let call = Call::new(Some("openai"), "gpt-4o", at("2025-09-01T00:00:00Z"))
        .response_model(Some("gpt-4o-2024-08-06"))
        .service_tier(Some("flex"));
    assert_eq!(
        Catalog::embedded().find_price(&call).unwrap().why(&call),
        "gpt-4o-2024-08-06 is another name of gpt-4o; its tier has no price of its own, so this is the standard one"
    );
}

#[test]
fn the_model_that_answered_decides_as_far_as_it_is_known() {
    let model = |response| {
        let call = Call::new(Some("openai"), "gpt-4o", at(NOW)).response_model(Some(response));
        Catalog::embedded().find_price(&call).unwrap().price.model.clone()
    };
    assert_eq!(model("gpt-4o-2024-05-13"), "gpt-4o-2024-05-13");
    assert_eq!(model("who-knows"), "gpt-4o");
}
