//! Known bills.

use pricing::{Call, Catalog, Money};

use crate::{NOW, at, cost, cost_at, find, usage};

#[test]
fn calls_cost_what_the_providers_charge() {
    let vectors = [
        ("openai", "gpt-4o-mini", "1000 input_tokens, 200 cache_read_tokens, 500 output_tokens", "0.000435"),
        ("openai", "gpt-4o", "1000 input_tokens, 800 cache_read_tokens, 500 output_tokens", "0.0065"),
        (
            "openai",
            "gpt-5",
            "1000 input_tokens, 400 cache_read_tokens, 500 output_tokens, 300 reasoning_tokens",
            "0.0058",
        ),
        (
            "anthropic",
            "claude-sonnet-4-5",
            "8100 input_tokens, 3000 cache_write_tokens, 2000 cache_write_1h_tokens, 5000 cache_read_tokens, 200 output_tokens",
            "0.02055",
        ),
        (
            "google",
            "gemini-2.5-pro",
            "1000 input_tokens, 1000 output_tokens, 900 reasoning_tokens",
            "0.01125",
        ),
        (
            "google",
            "gemini-2.5-pro",
            "262960 input_tokens, 257955 cache_read_tokens, 1744 output_tokens",
            "0.10316125",
        ),
        (
            "google",
            "gemini-2.5-flash",
            "1000 input_tokens, 800 input_audio_tokens, 100 output_tokens",
            "0.00111",
        ),
        ("openai", "gpt-4", "25 input_tokens, 150 output_tokens", "0.00975"),
    ];
    for (provider, model, used, dollars) in vectors {
        assert_eq!(cost(provider, model, used), dollars, "{provider} {model}: {used}");
    }
}

#[test]
fn gpt_5_is_priced_by_the_tier_that_served_it() {
    let vectors = [
        (None, "0.006025", false),
        (Some("default"), "0.006025", false),
        (Some("auto"), "0.006025", false),
        (Some("flex"), "0.0030125", false),
        (Some("priority"), "0.01205", false),
        (Some("Batch"), "0.0030125", false),
        (Some("scale"), "0.006025", true),
    ];
    for (tier, dollars, assumed) in vectors {
        let call = Call::new(Some("openai"), "gpt-5", at(NOW)).service_tier(tier);
        let found = Catalog::embedded().find_price(&call).unwrap();
        let used = usage("1000 input_tokens, 200 cache_read_tokens, 500 output_tokens");
        assert_eq!(found.price.cost_of(&used).unwrap().total.to_string(), dollars, "{tier:?}");
        assert_eq!(found.tier_assumed_standard, assumed, "{tier:?}");
    }
}

#[test]
fn bedrock_is_priced_by_geography() {
    let used = "8100 input_tokens, 3000 cache_write_tokens, 5000 cache_read_tokens, 200 output_tokens";
    let model = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    for geography in ["", "global."] {
        assert_eq!(cost("bedrock", &format!("{geography}{model}"), used), "0.01605", "{geography}");
    }
    for geography in ["us.", "eu.", "apac.", "jp.", "au.", "us-gov."] {
        assert_eq!(cost("aws-bedrock", &format!("{geography}{model}"), used), "0.017655", "{geography}");
    }
}

#[test]
fn calls_of_november_2023_have_the_prices_of_then() {
    let then = "2023-11-16T18:17:03Z";
    let vectors = [
        ("gpt-3.5-turbo-1106", "1000000 input_tokens", "1"),
        ("gpt-3.5-turbo-1106", "1000000 output_tokens", "2"),
        ("gpt-4-0613", "1000000 input_tokens", "30"),
        ("gpt-4-0613", "1000000 output_tokens", "60"),
        ("gpt-4", "25 input_tokens, 150 output_tokens", "0.00975"),
    ];
    for (model, used, dollars) in vectors {
        assert_eq!(cost_at("openai", model, used, then).total.to_string(), dollars, "{model} {used}");
    }
}

#[test]
fn snapshots_with_prices_of_their_own_keep_them() {
    // Dollars for a thousand tokens each way, times a thousand: below every long-prompt tier.
    let vectors = [
        ("openai", "gpt-4o-2024-05-13", "20"),
        ("openai", "gpt-4o-2024-08-06", "12.5"),
        ("openai", "gpt-4-1106-preview", "40"),
        ("openai", "gpt-3.5-turbo-0613", "3.5"),
        ("openai", "gpt-4-32k-0613", "180"),
        ("anthropic", "claude-3-5-haiku-20241022", "4.8"),
        ("google", "claude-sonnet-4-5@20250929", "18"),
    ];
    for (provider, model, dollars) in vectors {
        let cost = cost_at(provider, model, "1000 input_tokens, 1000 output_tokens", NOW);
        assert_eq!(Money::from_nanos(cost.total.nanos() * 1000).to_string(), dollars, "{provider} {model}");
    }
}

#[test]
fn a_tier_whose_history_is_unknown_gets_the_standard_price_and_says_so() {
    let call = Call::new(Some("openai"), "gpt-5", at("2025-09-01T00:00:00Z")).service_tier(Some("flex"));
    let found = Catalog::embedded().find_price(&call).unwrap();
    assert!(found.tier_assumed_standard);
    assert_eq!(found.price.id, find("openai", "gpt-5", NOW).unwrap().price.id);
}

/// What the comparison with other calculators showed, and what was corrected after it.
#[test]
fn redirected_names_cost_what_they_are_served_by() {
    let vectors = [
        ("xai", "grok-4", "2026-05-15T18:59:59Z", "18"),
        ("xai", "grok-4", "2026-05-15T19:00:00Z", "3.75"),
        ("xai", "grok-4-fast-reasoning", "2026-05-15T18:59:59Z", "0.7"),
        ("xai", "grok-4-fast-reasoning", NOW, "3.75"),
        ("xai", "grok-code-fast", NOW, "3"),
        ("mistral", "mistral-large-latest", "2025-12-01T00:00:00Z", "8"),
        ("mistral", "mistral-large-latest", NOW, "2"),
        ("mistral", "mistral-large-2411", NOW, "8"),
    ];
    for (provider, model, when, dollars) in vectors {
        let cost = cost_at(provider, model, "1000 input_tokens, 1000 output_tokens", when);
        assert_eq!(
            Money::from_nanos(cost.total.nanos() * 1000).to_string(),
            dollars,
            "{provider} {model} {when}"
        );
    }
}

#[test]
fn long_prompts_cost_more_on_bedrock_too() {
    let vectors = [
        (
            "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "200000 input_tokens, 1000 output_tokens",
            "0.615",
        ),
        (
            "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "200001 input_tokens, 1000 output_tokens",
            "1.222506",
        ),
        (
            "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "200001 input_tokens, 1000 output_tokens",
            "1.3447566",
        ),
    ];
    for (model, used, dollars) in vectors {
        assert_eq!(cost("bedrock", model, used), dollars, "{model} {used}");
    }
}

#[test]
fn tiers_have_prices_of_their_own() {
    let vectors = [
        // No discount for cached tokens where OpenAI's batch price has none.
        (
            "openai",
            "gpt-4.1",
            "batch",
            "1000 input_tokens, 400 cache_read_tokens, 500 output_tokens",
            "0.003",
        ),
        ("openai", "gpt-5", "batch", "1000 input_tokens, 400 cache_read_tokens, 500 output_tokens", "0.0029"),
        ("google", "gemini-2.5-flash", "priority", "1000 input_tokens, 500 output_tokens", "0.00279"),
        ("xai", "grok-4.7", "batch", "1000 input_tokens, 500 output_tokens", "0.004"),
    ];
    for (provider, model, tier, used, dollars) in vectors {
        let call = Call::new(Some(provider), model, at(NOW)).service_tier(Some(tier));
        let found = Catalog::embedded().find_price(&call).unwrap();
        assert!(!found.tier_assumed_standard, "{model} {tier}");
        assert_eq!(found.price.cost_of(&usage(used)).unwrap().total.to_string(), dollars, "{model} {tier}");
    }
}
