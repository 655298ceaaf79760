//! Price lists of others.

use pricing::import::{self, Edition, Format, ImportError, Imported};
use pricing::{Call, Catalog, Unit, file};

use crate::{NOW, at};

fn read(format: Format, text: &str) -> Result<Imported, ImportError> {
    import::read(format, text, &Edition { version: "7".to_owned(), checked_on: None })
}

fn litellm(text: &str) -> Imported {
    read(Format::Litellm, text).unwrap()
}

fn notes(imported: &Imported) -> Vec<String> {
    imported.notes.iter().map(ToString::to_string).collect()
}

/// A `LiteLLM` model of this mode with these prices.
fn priced(mode: &str, prices: &str) -> Imported {
    litellm(&format!(r#"{{"m": {{"litellm_provider": "openai", "mode": "{mode}", {prices}}}}}"#))
}

fn only_row(imported: &Imported) -> &file::Row {
    &imported.catalog.providers[0].models[0].prices[0]
}

fn rates(row: &file::Row) -> String {
    serde_json::to_string(&row.rates).unwrap()
}

#[test]
fn litellm_prices_are_read_digit_by_digit() {
    let vectors = [
        (
            "chat",
            r#""input_cost_per_token": 1e-06, "output_cost_per_token": 0.0000025"#,
            r#"{"input_tokens":"1","output_tokens":"2.5"}"#,
        ),
        ("chat", r#""input_cost_per_token": 1.0000000000000001e-07"#, r#"{"input_tokens":"0.1"}"#),
        (
            "chat",
            r#""input_cost_per_token": 1e-6, "input_cost_per_token_above_200k_tokens": 2e-6, "cache_read_input_token_cost": 1e-7,
               "cache_creation_input_token_cost": 2e-6, "cache_creation_input_token_cost_above_1hr": 3e-6,
               "cache_creation_input_token_cost_above_12hr": 4e-6"#,
            r#"{"input_tokens":[[0,"1"],[200001,"2"]],"cache_read_tokens":"0.1","cache_write_tokens":"2","cache_write_1h_tokens":"3","cache_write_12h_tokens":"4"}"#,
        ),
        (
            "chat",
            r#""tiered_pricing": [{"range": [0, 32000.0], "input_cost_per_token": 1e-6}, {"range": [32000.0, 64000.0], "input_cost_per_token": 2e-6}]"#,
            r#"{"input_tokens":[[0,"1"],[32001,"2"]]}"#,
        ),
        (
            "chat",
            r#""input_cost_per_audio_token": 1e-4, "output_cost_per_audio_token": 2e-4, "output_cost_per_reasoning_token": 3e-6"#,
            r#"{"reasoning_tokens":"3","input_audio_tokens":"100","output_audio_tokens":"200"}"#,
        ),
        (
            "audio_transcription",
            r#""input_cost_per_second": 0.0001, "output_cost_per_second": 0.0001"#,
            r#"{"input_audio_milliseconds":"0.36/hour"}"#,
        ),
        ("audio_speech", r#""input_cost_per_character": 1.5e-05"#, r#"{"input_characters":"15"}"#),
        (
            "video_generation",
            r#""output_cost_per_second": 0.1"#,
            r#"{"output_video_milliseconds":"360/hour"}"#,
        ),
        ("image_generation", r#""output_cost_per_image": 0.04"#, r#"{"images":"40000"}"#),
        (
            "rerank",
            r#""input_cost_per_query": 0.002, "input_cost_per_token": 0.0"#,
            r#"{"input_tokens":"0","requests":"2000"}"#,
        ),
        (
            "ocr",
            r#""ocr_cost_per_page": 0.004, "annotation_cost_per_page": 0.005"#,
            r#"{"pages":"4000","annotated_pages":"5000"}"#,
        ),
        (
            "chat",
            r#""search_context_cost_per_query": {"search_context_size_low": 0.03, "search_context_size_medium": 0.035, "search_context_size_high": 0.05}"#,
            r#"{"web_searches":"35000"}"#,
        ),
        (
            "chat",
            r#""code_interpreter_cost_per_session": 0.03, "file_search_cost_per_1k_calls": 2.5"#,
            r#"{"file_searches":"2500","code_executions":"30000"}"#,
        ),
    ];
    for (mode, prices, expected) in vectors {
        assert_eq!(rates(only_row(&priced(mode, prices))), expected, "{prices}");
    }
}

#[test]
fn a_litellm_tier_has_the_rates_that_it_does_not_name_in_proportion() {
    let prices = r#""input_cost_per_token": 1e-6, "output_cost_per_token": 4e-6, "cache_read_input_token_cost": 1e-7,
        "input_cost_per_token_batches": 5e-7, "output_cost_per_token_batches": 2e-6, "input_cost_per_token_priority": 2e-6"#;
    let read = |provider: &str| {
        litellm(&format!(r#"{{"m": {{"litellm_provider": "{provider}", "mode": "chat", {prices}}}}}"#))
    };
    let rows = |imported: &Imported| {
        let rows = imported.catalog.providers[0].models[0].prices.iter();
        rows.map(|row| (row.tier.clone(), rates(row))).collect::<Vec<_>>()
    };
    let row = |tier: Option<&str>, input, output, cached| {
        let cached = format!(r#","cache_read_tokens":"{cached}""#);
        let cached = if cached.contains("none") { "" } else { &cached };
        let rates = format!(r#"{{"input_tokens":"{input}","output_tokens":"{output}"{cached}}}"#);
        (tier.map(str::to_owned), rates)
    };
    let standard = row(None, "1", "4", "0.1");
    let priority = row(Some("priority"), "2", "8", "0.2");
    let imported = read("anthropic");
    assert_eq!(rows(&imported), [standard.clone(), row(Some("batch"), "0.5", "2", "0.05"), priority.clone()]);
    assert_eq!(
        notes(&imported),
        ["assumed prices of a service tier that the list does not name, in proportion to those it does: m"]
    );
    // OpenAI gives no discount for cached tokens in a batch unless its price list has one.
    assert_eq!(rows(&read("openai")), [standard, row(Some("batch"), "0.5", "2", "none"), priority]);
}

#[test]
fn litellm_off_peak_hours_are_rows_of_their_own() {
    let imported = priced(
        "chat",
        r#""input_cost_per_token": 2e-6, "off_peak_pricing": {"input_cost_per_token": 1e-6,
           "windows": [{"hours_utc": ["10:00-00:00"], "weekdays": [1, 5]}, {"hours_utc": "00:00-00:00", "weekdays": [6]}]}"#,
    );
    let catalog = Catalog::from_file(imported.catalog).unwrap();
    let rate = |when| {
        let found = catalog.find_price(&Call::new(Some("openai"), "m", at(when))).unwrap();
        found.price.rates[&Unit::InputTokens][0].rate.to_string()
    };
    // A Monday, a Tuesday and a Saturday.
    let vectors = [
        ("2026-11-02T09:59:59Z", "2"),
        ("2026-11-02T10:00:00Z", "1"),
        ("2026-11-03T10:00:00Z", "2"),
        ("2026-11-07T00:00:00Z", "1"),
        ("2026-11-07T23:59:59Z", "1"),
    ];
    for (when, expected) in vectors {
        assert_eq!(rate(when), expected, "{when}");
    }
}

#[test]
fn litellm_names_become_ours() {
    let imported = litellm(
        r#"{"sample_spec": {"litellm_provider": "x", "input_cost_per_token": 1},
            "bedrock/us-east-1/anthropic.claude-v9": {"litellm_provider": "bedrock", "mode": "chat", "input_cost_per_token": 3e-6},
            "anthropic.claude-v9": {"litellm_provider": "bedrock_converse", "mode": "chat", "input_cost_per_token": 2e-6,
                "source": "https://aws.amazon.com/bedrock/pricing/", "deprecation_date": "2027-01-31"},
            "vertex_ai/gemini-9": {"litellm_provider": "vertex_ai-language-models", "mode": "chat", "input_cost_per_token": 1e-6},
            "gemini/gemini-9": {"litellm_provider": "gemini", "mode": "chat", "input_cost_per_token": 2e-6}}"#,
    );
    let catalog = Catalog::from_file(imported.catalog.clone()).unwrap();
    let rate = |provider, model, region| {
        let found = catalog.find_price(&Call::new(Some(provider), model, at(NOW)).region(region)).unwrap();
        found.price.rates[&Unit::InputTokens][0].rate.to_string()
    };
    assert_eq!(rate("bedrock", "anthropic.claude-v9", None), "2");
    assert_eq!(rate("bedrock", "anthropic.claude-v9", Some("us-east-1")), "3");
    assert_eq!(rate("google", "gemini-9", None), "2");
    assert_eq!(catalog.retires_on("bedrock", "anthropic.claude-v9"), Some("2027-01-31".parse().unwrap()));
    assert_eq!(notes(&imported), ["left out second prices of a model that is listed twice: google/gemini-9"]);
    let source = &imported.catalog.source;
    assert_eq!((source.name.as_str(), source.version.as_str()), ("litellm", "7"));
}

#[test]
fn where_tokens_cost_more_than_elsewhere_they_have_rows_of_their_own() {
    let imported = priced(
        "chat",
        r#""input_cost_per_token": 1e-6, "input_cost_per_token_batches": 5e-7, "output_cost_per_token": 1.5e-6,
           "search_context_cost_per_query": {"search_context_size_medium": 0.01},
           "regional_processing_uplift_multiplier_eu": 1.1, "regional_processing_uplift_multiplier_us": 1.05"#,
    );
    assert!(notes(&imported).iter().all(|note| !note.contains("uplift")), "{:?}", notes(&imported));
    let catalog = Catalog::from_file(imported.catalog.clone()).unwrap();
    for (region, tier, expected) in [
        (None, None, ["1", "1.5", "10000"]),
        (Some("eu"), None, ["1.1", "1.65", "10000"]),
        (Some("US"), None, ["1.05", "1.575", "10000"]),
        (Some("eu"), Some("batch"), ["0.55", "0.825", "10000"]),
        (Some("jp"), Some("batch"), ["0.5", "0.75", "10000"]),
    ] {
        let call = Call::new(Some("openai"), "m", at(NOW)).region(region).service_tier(tier);
        let price = catalog.find_price(&call).unwrap().price;
        let rates = [Unit::InputTokens, Unit::OutputTokens, Unit::WebSearches]
            .map(|unit| price.rates[&unit][0].rate.to_string());
        assert_eq!(rates, expected, "{region:?} {tier:?}");
    }
}

#[test]
fn what_litellm_says_and_we_cannot_is_noted() {
    let vectors = [
        (
            r#""output_cost_per_pixel": 1e-8, "output_cost_per_image": 0.1"#,
            "left out output_cost_per_pixel: m",
        ),
        (
            r#""input_cost_per_token": 1e-6, "regional_endpoint_uplift_multiplier": 1.1"#,
            "left out regional_endpoint_uplift_multiplier: m",
        ),
        (
            r#""input_cost_per_token": 1e-6, "provider_specific_entry": {"us": 1.1, "fast": 2.0}"#,
            "left out provider_specific_entry: m",
        ),
        (
            r#""input_cost_per_token": 1e-6, "output_cost_per_token_above_200k_tokens": 2e-6"#,
            "left out rates of output_tokens for long prompts, without one for short ones: m",
        ),
        (
            r#""input_cost_per_token": 1e-6, "output_cost_per_token": "free""#,
            "did not understand a value of output_cost_per_token: m",
        ),
        (
            r#""input_cost_per_token": 1e-6, "output_cost_per_token": -1"#,
            "did not understand a value of output_cost_per_token: m",
        ),
        (
            r#""input_cost_per_token": 1.0000000000000001e-07"#,
            "rounded input_cost_per_token 1.0000000000000001e-07 to 0.1: m",
        ),
        (
            r#""search_context_cost_per_query": {"search_context_size_low": 1, "search_context_size_medium": 2}"#,
            "assumed searches cost what those of medium context size do: m",
        ),
    ];
    for (prices, expected) in vectors {
        let imported = priced(
            "chat",
            &prices.replace("\"output_cost_per_image\": 0.1", "\"input_cost_per_token\": 1e-6"),
        );
        assert_eq!(notes(&imported), [expected], "{prices}");
    }
    let nothing = litellm(
        r#"{"a": {"litellm_provider": "openai", "mode": "chat"},
        "b": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0.0},
        "c": {"mode": "chat", "input_cost_per_token": 1e-6}, "ollama/d": {"litellm_provider": "ollama", "input_cost_per_token": 0.0}}"#,
    );
    assert_eq!(nothing.catalog.providers.len(), 1, "models on the own machine are free");
    assert_eq!(
        notes(&nothing),
        [
            "left out models that cost 0, which the list also writes for unknown: b",
            "left out models without a price: a",
            "left out models without a provider, or with capacity that is paid by time: c",
        ]
    );
}

const GENAI: &str =
    r#"[{"id": "x-ai", "name": "xAI", "pricing_urls": ["https://x.ai/api"], "models": [MODELS]}]"#;

/// Notes without those of the corrections, whose models and providers are not in this small list.
fn genai(models: &str) -> (file::Catalog, Vec<String>) {
    let imported = read(Format::GenaiPrices, &GENAI.replace("MODELS", models)).unwrap();
    let lines = notes(&imported).into_iter().filter(|line| !line.contains("a correction of a model"));
    (imported.catalog, lines.collect())
}

#[test]
fn genai_prices_are_read_with_their_history() {
    let (catalog, notes) = genai(
        r#"{"id": "grok-9", "match": {"or": [{"equals": "Grok-9-Alias"}, {"regex": "^(?!grok-9-x)grok-9"}]},
            "prices": [{"prices": {"input_mtok": 2, "output_mtok": {"base": 10, "tiers": [{"start": 200000, "price": 15}]}}},
                       {"constraint": {"start_date": "2026-03-01"}, "prices": {"input_mtok": 1.5}}],
            "price_variants": [{"when": {"service_tier": "flex"}, "prices": {"input_mtok": 1}}]}"#,
    );
    let xai = &catalog.providers[0];
    assert_eq!((xai.id.as_str(), xai.source_id.as_deref()), ("xai", Some("x-ai")));
    let model = serde_json::to_string(&xai.models[0]).unwrap();
    let expected = r#"{"id":"grok-9","aliases":["grok-9-alias"],"patterns":[{"all":[{"not":{"regex":"^(?:grok-9-x)"}},{"regex":"^grok-9"}]}],"prices":[{"until":"2026-03-01","rates":{"input_tokens":"2","output_tokens":[[0,"10"],[200001,"15"]]}},{"from":"2026-03-01","rates":{"input_tokens":"1.5"}},{"until":"2026-03-01","tier":"flex","rates":{"input_tokens":"1","output_tokens":[[0,"10"],[200001,"15"]]}},{"from":"2026-03-01","tier":"flex","rates":{"input_tokens":"1"}}]}"#;
    assert_eq!(model, expected);
    assert_eq!(notes, ["rewrote ^(?!grok-9-x)grok-9 as not and and: grok-9"]);
}

#[test]
fn what_genai_prices_says_in_a_new_way_is_noted_and_the_rest_read() {
    let model = |id: &str, prices: &str| {
        format!(r#"{{"id": "{id}", "match": {{"equals": "{id}"}}, "prices": {prices}}}"#)
    };
    let models = [
        model("a", r#"{"input_mtok": 1, "moon_mtok": 2}"#),
        model("b", r#"[{"constraint": {"phase": "full"}, "prices": {}}]"#),
        model("c", r#"{"input_mtok": -1}"#),
        model("d", "{}"),
    ];
    let (catalog, notes) = genai(&models.join(", "));
    assert_eq!(catalog.providers[0].models.len(), 1);
    assert_eq!(notes.len(), 4, "{notes:#?}");
    assert!(notes.contains(&"did not understand the price key moon_mtok: xai/a".to_owned()));
    assert!(notes.contains(&"left out models without a price: xai/d".to_owned()));
}

#[test]
fn our_own_format_is_read_as_it_is() {
    let imported = read(Format::Native, Catalog::EMBEDDED_JSON).unwrap();
    assert!(imported.notes.is_empty());
    assert_eq!(imported.catalog.version, Catalog::embedded().version());
}

#[test]
fn what_is_not_a_list_is_refused() {
    for format in [Format::Native, Format::GenaiPrices, Format::Litellm] {
        for text in ["", "null", "[1]", "{\"a\": 1}", "\u{0}"] {
            assert!(matches!(read(format, text), Err(ImportError::Malformed { .. })), "{format} {text:?}");
        }
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    let twice = r#"{"version": "1", "source": {"name": "s", "version": "1"}, "providers": [
        {"id": "m", "name": "M", "models": []}, {"id": "m", "name": "M", "models": []}]}"#;
    assert!(matches!(read(Format::Native, twice), Err(ImportError::Unsound(_))));
    let long = " ".repeat(import::IMPORT_BYTES_MAX + 1);
    assert!(matches!(read(Format::Native, &long), Err(ImportError::TooLong)));
    assert!("csv".parse::<Format>().is_err());
}

/// The native format is shown in the guide; the other examples there are the server's.
#[test]
fn the_example_of_the_guide_is_read() {
    let guide = include_str!("../../../../docs/guides/prices.md");
    let native = guide.split("```json\n").nth(1).and_then(|text| text.split("```").next()).unwrap();
    assert!(read(Format::Native, native).unwrap().notes.is_empty());
}
