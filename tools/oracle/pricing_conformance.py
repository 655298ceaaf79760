#!/usr/bin/env python3
"""Prices the same usages with this project's catalog, with genai-prices and with LiteLLM, and writes what differs.

Usage: pricing_conformance.py PRICE_USAGES [REPORT.md]
PRICE_USAGES is the program of that name (cargo build -p prices-converter). Without a report the disagreements are
printed. The exit status is 1 when one of them has no explanation in pricing_causes.py.
"""

import json
import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime, timezone
from decimal import Decimal

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import genai_prices  # noqa: E402
import litellm  # noqa: E402
from litellm._internal_context import pinned_billing_time  # noqa: E402
from litellm.cost_calculator import batch_cost_calculator  # noqa: E402
from litellm.types.utils import (  # noqa: E402
    CacheCreationTokenDetails,
    CompletionTokensDetailsWrapper,
    PromptTokensDetailsWrapper,
    Usage,
)

from pricing_causes import CAUSES  # noqa: E402
from pricing_report import render  # noqa: E402

SEED = 20261102
AT = "2026-11-02T12:00:00Z"
# Half a nano-dollar for our rounding, and what floats lose.
TOLERANCE = Decimal("0.000000001")

MODELS = {
    "openai": [
        "gpt-4o", "gpt-4o-2024-05-13", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-nano", "gpt-5", "gpt-5-mini", "gpt-5.4",
        "gpt-5.6-sol", "gpt-6-sol", "o3", "o4-mini", "gpt-4-turbo", "gpt-3.5-turbo", "text-embedding-3-small",
        "gpt-4o-audio-preview",
    ],
    "anthropic": [
        "claude-3-5-haiku-20241022", "claude-haiku-4-5", "claude-sonnet-4-5-20250929", "claude-opus-4-1",
        "claude-opus-4-5", "claude-sonnet-4-6", "claude-haiku-5-5", "claude-opus-5-5",
    ],
    "google": [
        "gemini-2.0-flash", "gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.5-pro", "gemini-3.1-pro-preview",
        "gemini-3-flash-preview",
    ],
    "bedrock": [
        "anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "eu.anthropic.claude-haiku-4-5-20251001-v1:0", "amazon.nova-pro-v1:0", "us.amazon.nova-lite-v1:0",
        "mistral.mistral-large-2402-v1:0", "meta.llama3-1-70b-instruct-v1:0",
    ],
    "mistral": ["mistral-large-latest", "mistral-small-latest", "codestral-latest", "ministral-8b-latest"],
    "deepseek": ["deepseek-chat", "deepseek-reasoner", "deepseek-v4-pro"],
    "xai": ["grok-3-mini", "grok-4", "grok-4.3", "grok-4.7", "grok-code-fast-1"],
    "groq": ["openai/gpt-oss-120b", "openai/gpt-oss-20b", "llama-3.3-70b-versatile", "qwen/qwen3-32b"],
    "cohere": ["command-a-03-2025", "command-r-plus-08-2024", "command-r7b-12-2024"],
}
TIERS = {"openai": ["flex", "priority", "batch"], "anthropic": ["batch"], "google": ["batch", "priority"], "xai": ["batch"]}
THRESHOLDS = [100_000, 200_000, 272_000]
CACHING = {"openai", "anthropic", "google", "bedrock", "deepseek", "xai", "groq"}
WRITING = ("claude", "gpt-5.6", "gpt-6")
REASONING = ("gpt-5", "gpt-6", "o3", "o4", "gemini-2.5", "gemini-3", "grok", "reasoner", "gpt-oss")
AUDIO_IN = ("audio", "gemini-2.5-flash", "gemini-2.0", "gemini-3-flash")
AUDIO_OUT = ("audio",)


def cases():
    """A case for each model and shape of usage, the same at every run."""
    rng = random.Random(SEED)
    for provider, models in MODELS.items():
        for model in models:
            for shape, usage in usages(provider, model, rng):
                yield {"provider": provider, "model": model, "at": AT, "tier": None, "shape": shape, "usage": usage}
            for tier in [] if "embedding" in model else TIERS.get(provider, []):
                usage = plain(rng)
                yield {"provider": provider, "model": model, "at": AT, "tier": tier, "shape": "plain", "usage": usage}
                if provider in CACHING:
                    usage = with_cache(usage, rng)
                    yield {"provider": provider, "model": model, "at": AT, "tier": tier, "shape": "cached", "usage": usage}


def usages(provider, model, rng):
    """Shapes of standard calls."""
    if "embedding" in model:
        yield "plain", {"input_tokens": rng.randint(1, 8_000)}
        return
    has = lambda marks: any(mark in model for mark in marks)
    yield "plain", plain(rng)
    yield "one token", {"input_tokens": 1, "output_tokens": 1}
    if provider in CACHING:
        yield "cached", with_cache(plain(rng), rng)
        yield "all cached", (lambda n: {"input_tokens": n, "cache_read_tokens": n, "output_tokens": 7})(rng.randint(1_024, 9_000))
    if has(WRITING):
        yield "written", with_writes(plain(rng), rng, False)
    if "claude" in model:
        yield "written 1h", with_writes(plain(rng), rng, True)
    if has(REASONING):
        usage = plain(rng)
        usage["reasoning_tokens"] = rng.randint(1, usage["output_tokens"])
        yield "reasoning", usage
    if has(AUDIO_IN):
        usage = plain(rng)
        usage["input_audio_tokens"] = rng.randint(1, usage["input_tokens"])
        yield "audio in", usage
    if has(AUDIO_OUT):
        usage = plain(rng)
        usage["output_audio_tokens"] = rng.randint(1, usage["output_tokens"])
        yield "audio out", usage
    for threshold in THRESHOLDS:
        for size in (threshold - 1, threshold, threshold + 1):
            yield f"prompt of {size}", {"input_tokens": size, "output_tokens": rng.randint(1, 2_000)}
    if provider in CACHING:
        yield "long, mostly cached", {"input_tokens": 280_000, "cache_read_tokens": 275_000, "output_tokens": 1_000}


def plain(rng):
    return {"input_tokens": rng.randint(2_000, 60_000), "output_tokens": rng.randint(1, 4_000)}


def with_cache(usage, rng):
    return {**usage, "cache_read_tokens": rng.randint(1, usage["input_tokens"])}


def with_writes(usage, rng, long):
    written = rng.randint(2, usage["input_tokens"] // 2)
    read = rng.randint(1, usage["input_tokens"] - written)
    usage = {**usage, "cache_write_tokens": written, "cache_read_tokens": read}
    return {**usage, "cache_write_1h_tokens": rng.randint(1, written)} if long else usage


def price_ours(program, all_cases):
    """One answer a case."""
    keys = ("provider", "model", "at", "tier", "usage")
    lines = "".join(json.dumps({key: case[key] for key in keys}) + "\n" for case in all_cases)
    output = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout
    return [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in output.splitlines()]


GENAI_PROVIDERS = {"bedrock": "aws", "xai": "x-ai"}
GENAI_KEYS = {"reasoning_tokens": "output_reasoning_tokens"}


def price_genai(case):
    """The cost, or None when genai-prices does not know the model."""
    usage = {GENAI_KEYS.get(key, key): count for key, count in case["usage"].items()}
    tier = case["tier"]
    context = None if tier is None else {("processing" if tier == "batch" else "service_tier"): tier}
    try:
        return genai_prices.calc_price(
            genai_prices.Usage(**usage),
            case["model"],
            provider_id=GENAI_PROVIDERS.get(case["provider"], case["provider"]),
            genai_request_timestamp=datetime.fromisoformat(case["at"]).astimezone(timezone.utc),
            price_context=context,
        ).total_price
    except LookupError:
        return None


LITELLM_PROVIDERS = {"google": "gemini", "cohere": "cohere_chat"}


def price_litellm(case):
    """The cost, or None when LiteLLM does not know the model."""
    used = case["usage"].get
    writes = None
    if used("cache_write_1h_tokens"):
        writes = CacheCreationTokenDetails(
            ephemeral_5m_input_tokens=used("cache_write_tokens") - used("cache_write_1h_tokens"),
            ephemeral_1h_input_tokens=used("cache_write_1h_tokens"),
        )
    text = used("input_tokens") - used("cache_read_tokens", 0) - used("cache_write_tokens", 0) - used("input_audio_tokens", 0)
    usage = Usage(
        prompt_tokens=used("input_tokens"),
        completion_tokens=used("output_tokens", 0),
        total_tokens=used("input_tokens") + used("output_tokens", 0),
        cache_creation_input_tokens=used("cache_write_tokens", 0),
        cache_read_input_tokens=used("cache_read_tokens", 0),
        prompt_tokens_details=PromptTokensDetailsWrapper(
            cached_tokens=used("cache_read_tokens", 0),
            audio_tokens=used("input_audio_tokens", 0),
            text_tokens=text,
            cache_write_tokens=used("cache_write_tokens", 0),
            cache_creation_tokens=used("cache_write_tokens", 0),
            cache_creation_token_details=writes,
        ),
        completion_tokens_details=CompletionTokensDetailsWrapper(
            reasoning_tokens=used("reasoning_tokens", 0),
            audio_tokens=used("output_audio_tokens", 0),
            text_tokens=used("output_tokens", 0) - used("reasoning_tokens", 0) - used("output_audio_tokens", 0),
        ),
    )
    provider = LITELLM_PROVIDERS.get(case["provider"], case["provider"])
    call_type = "embedding" if "embedding" in case["model"] else "completion"
    try:
        # By its own clock it would charge peak hours when this is run in them.
        with pinned_billing_time(datetime.fromisoformat(AT)):
            if case["tier"] == "batch":
                parts = batch_cost_calculator(usage=usage, model=case["model"], custom_llm_provider=provider)
            else:
                parts = litellm.cost_per_token(
                    model=case["model"], custom_llm_provider=provider, usage_object=usage, service_tier=case["tier"],
                    call_type=call_type,
                )
    except Exception as error:  # LiteLLM raises plain exceptions for what it does not know.
        if "isn't mapped" in str(error) or "not mapped" in str(error).lower():
            return None
        raise
    return sum(Decimal(repr(part)) for part in parts)


ORACLES = {"genai-prices": price_genai, "LiteLLM": price_litellm}


def compare(program):
    """Tallies by oracle and provider, and the disagreements by cause."""
    all_cases = list(cases())
    tallies, by_cause, unexplained = defaultdict(Counter), defaultdict(list), []
    for case, answer in zip(all_cases, price_ours(program, all_cases), strict=True):
        ours = answer["cost"]
        for oracle, price in ORACLES.items():
            theirs = price(case)
            tally = tallies[oracle, case["provider"]]
            if theirs is None or ours is None:
                tally["only ours" if ours is not None else "not ours"] += 1
                if ours is None:
                    unexplained.append((oracle, case, answer, theirs))
            elif abs(ours - theirs) <= TOLERANCE:
                tally["agree"] += 1
            else:
                tally["differ"] += 1
                cause = next((cause for cause in CAUSES if cause.explains(oracle, case, ours, theirs)), None)
                (by_cause[cause] if cause else unexplained).append((oracle, case, answer, theirs))
    return len(all_cases), tallies, by_cause, unexplained


def describe(oracle, case, answer, theirs):
    used = ", ".join(f"{count} {unit.removesuffix('_tokens')}" for unit, count in case["usage"].items())
    tier = f" ({case['tier']})" if case["tier"] else ""
    ours = "none" if answer["cost"] is None else format(answer["cost"], "f")
    theirs = "none" if theirs is None else format(round(theirs, 15).normalize(), "f")
    return f"{case['provider']}/{case['model']}{tier}, {case['shape']}: {used}; ours {ours}, {oracle} {theirs}"


def main(program, report=None):
    count, tallies, by_cause, unexplained = compare(program)
    if report:
        settings = {"count": count, "models": sum(map(len, MODELS.values())), "at": AT}
        text = render(settings, tallies, by_cause, unexplained, describe)
        with open(report, "w", encoding="utf-8") as file:
            file.write(text)
    for case in unexplained:
        print(describe(*case))
    total = sum(tallies.values(), Counter())
    print(f"{count} usages: {total['agree']} agree, {total['differ']} differ, {len(unexplained)} unexplained", file=sys.stderr)
    return 1 if unexplained else 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
