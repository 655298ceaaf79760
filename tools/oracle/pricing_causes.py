"""Why calculators differ, who is right, and where the provider says so."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Callable


@dataclass(frozen=True)
class Cause:
    """One reason for which costs differ."""

    title: str
    right: str
    why: str
    url: str
    explains: Callable[[str, dict, Decimal, Decimal], bool]


def _is(provider, *models):
    return lambda case: case["provider"] == provider and any(model in case["model"] for model in models)


_SONNET_45 = _is("anthropic", "claude-sonnet-4-5")
_BEDROCK_SONNET_45 = _is("bedrock", "claude-sonnet-4-5")
_REDIRECTED_GROK = _is("xai", "grok-4-0709", "grok-code-fast-1")


def _is_long(case):
    return case["usage"]["input_tokens"] > 200_000


CAUSES = [
    Cause(
        "A model that is not in the list costs 0",
        "ours",
        "LiteLLM deletes models that their provider has retired, and has no batch price of some. What it does not "
        "know it gives as 0, without an error. Here a retired model keeps its last price, and a tier without a price "
        "of its own gets the standard one, which is the most that it can be, and the record is flagged.",
        "https://platform.claude.com/docs/en/about-claude/pricing",
        lambda oracle, case, ours, theirs: oracle == "LiteLLM" and theirs == 0,
    ),
    Cause(
        "Cached tokens in a batch cost nothing",
        "ours",
        "gpt-4-turbo and gpt-3.5-turbo have no cache, so no price for reading from it. LiteLLM's batch calculator "
        "charges such tokens at 0; here they are input, and charged like it. (The combination is made up: these "
        "models never report cached tokens.)",
        "https://developers.openai.com/api/docs/pricing",
        lambda oracle, case, ours, theirs: oracle == "LiteLLM"
        and case["tier"] == "batch"
        and case["model"] in ("gpt-4-turbo", "gpt-3.5-turbo")
        and "cache_read_tokens" in case["usage"],
    ),
    Cause(
        "Half price in a batch, assumed",
        "neither can be checked",
        "Neither list has a batch price of grok-code-fast-1. LiteLLM takes half the standard price; here it is the "
        "standard one, and the record is flagged.",
        "https://docs.x.ai/docs/models",
        lambda oracle, case, ours, theirs: oracle == "LiteLLM"
        and case["tier"] == "batch"
        and case["model"] == "grok-code-fast-1",
    ),
    Cause(
        "Prompts above 200,000 tokens to Claude Sonnet 4.5 at Anthropic",
        "ours, for the time when such prompts were served",
        "Until 2026-04-30 the long-context beta served them at twice the price (half as much again for output). "
        "Since then they are refused, so nothing is billed at either price. LiteLLM has dropped the old price; here "
        "it stays, for records from that time.",
        "https://platform.claude.com/docs/en/release-notes/overview",
        lambda oracle, case, ours, theirs: oracle == "LiteLLM" and _SONNET_45(case) and _is_long(case),
    ),
    Cause(
        "Prompts above 200,000 tokens to Claude Sonnet 4.5 on Bedrock",
        "ours (corrected after this comparison)",
        "AWS lists long-context rates for Sonnet 4 and 4.5. genai-prices, from which our catalog is made, does not "
        "have them; they are now in our overlay, as LiteLLM has them.",
        "https://aws.amazon.com/bedrock/pricing/",
        lambda oracle, case, ours, theirs: oracle == "genai-prices" and _BEDROCK_SONNET_45(case) and _is_long(case),
    ),
    Cause(
        "A Bedrock model id without a geography",
        "ours",
        "`anthropic.claude-…` is priced here like `global.anthropic.claude-…`, as in LiteLLM, which reads the AWS price list; AWS adds 10 % "
        "for ids with a geography (`us.`, `eu.`). genai-prices adds it to the bare id too.",
        "https://aws.amazon.com/bedrock/pricing/",
        lambda oracle, case, ours, theirs: oracle == "genai-prices"
        and case["provider"] == "bedrock"
        and case["model"].startswith("anthropic.claude-sonnet-4-5"),
    ),
    Cause(
        "Retired Grok names are served and billed as their successors",
        "ours (corrected after this comparison)",
        "Since 2026-05-15, 12:00 Pacific time, grok-3, grok-4-0709, the grok-4-fast and grok-4-1-fast models are "
        "billed at the price of grok-4.3, and grok-code-fast-1 at that of grok-build-0.1. genai-prices still has the "
        "old prices. Here the old row is closed at that hour, so older records keep theirs.",
        "https://docs.x.ai/developers/migration/may-15-retirement",
        lambda oracle, case, ours, theirs: oracle == "genai-prices"
        and case["provider"] == "xai"
        and (case["model"] == "grok-4" or _REDIRECTED_GROK(case)),
    ),
    Cause(
        "A batch price of grok-4.7",
        "ours (corrected after this comparison)",
        "xAI gives 20 % off; genai-prices has no batch price of this model and charges the standard one.",
        "https://docs.x.ai/docs/models",
        lambda oracle, case, ours, theirs: oracle == "genai-prices"
        and case["model"] == "grok-4.7"
        and case["tier"] == "batch",
    ),
    Cause(
        "mistral-large-latest has moved to Mistral Large 3",
        "ours (corrected after this comparison)",
        "The name means mistral-large-2512 since that was released, at a quarter of the price. genai-prices still "
        "has it as another name of mistral-large-2411. Here it has rows of its own, with the date.",
        "https://docs.mistral.ai/models/mistral-large-3-25-12",
        lambda oracle, case, ours, theirs: oracle == "genai-prices" and case["model"] == "mistral-large-latest",
    ),
    Cause(
        "deepseek-chat and deepseek-reasoner after their price changes",
        "ours",
        "genai-prices has the prices of early 2025. Since 2025-09-29 both names cost 0.28 and 0.42, cached 0.028, as "
        "LiteLLM has it too.",
        "https://api-docs.deepseek.com/quick_start/pricing",
        lambda oracle, case, ours, theirs: oracle == "genai-prices"
        and case["model"] in ("deepseek-chat", "deepseek-reasoner"),
    ),
    Cause(
        "Cached tokens in OpenAI batches",
        "ours (corrected after this comparison)",
        "OpenAI's batch prices of the models before GPT-5 have none for cached input: it is charged like other batch "
        "input. genai-prices charges the standard cached price in a batch, which is less. LiteLLM agrees with ours.",
        "https://developers.openai.com/api/docs/pricing",
        lambda oracle, case, ours, theirs: oracle == "genai-prices"
        and case["provider"] == "openai"
        and case["tier"] == "batch"
        and "cache_read_tokens" in case["usage"],
    ),
    Cause(
        "Gemini's priority tier",
        "ours (corrected after this comparison)",
        "Google charges 1.8 times the standard price for priority service. genai-prices does not have it and charges "
        "the standard price; the rates are now in our overlay, as LiteLLM has them.",
        "https://ai.google.dev/gemini-api/docs/pricing",
        lambda oracle, case, ours, theirs: oracle == "genai-prices"
        and case["provider"] == "google"
        and case["tier"] == "priority",
    ),
]
