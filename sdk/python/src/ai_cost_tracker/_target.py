"""Where a request goes: which provider, which kind of call, which model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from ._reply import is_object


@dataclass(frozen=True)
class Target:
    service: str
    operation: str
    model: str | None


# Ends of the paths that providers charge for, and the kind of call.
_OPERATIONS = (
    ("/chat/completions", "chat"),
    ("/completions", "text_completion"),
    ("/responses", "chat"),
    ("/messages", "chat"),
    ("/embeddings", "embeddings"),
    ("/embed", "embeddings"),
    ("/rerank", "rerank"),
    ("/chat", "chat"),
    ("/images/generations", "image_generation"),
    ("/images/edits", "image_generation"),
    ("/images/variations", "image_generation"),
    ("/audio/transcriptions", "transcription"),
    ("/audio/translations", "transcription"),
    ("/audio/speech", "speech"),
    ("/converse", "chat"),
    ("/converse-stream", "chat"),
    ("/invoke", "invoke_model"),
    ("/invoke-with-response-stream", "invoke_model"),
    (":generateContent", "generate_content"),
    (":streamGenerateContent", "generate_content"),
    (":embedContent", "embeddings"),
    (":batchEmbedContents", "embeddings"),
    (":predict", "predict"),
    (":rawPredict", "chat"),
    (":streamRawPredict", "chat"),
)

# Ends of host names, and whose they are.
_HOSTS = (
    ("api.openai.com", "openai"),
    ("openai.azure.com", "azure"),
    ("services.ai.azure.com", "azure"),
    ("cognitiveservices.azure.com", "azure"),
    ("api.anthropic.com", "anthropic"),
    ("googleapis.com", "google"),
    ("amazonaws.com", "bedrock"),
    ("openrouter.ai", "openrouter"),
    ("api.deepseek.com", "deepseek"),
    ("api.x.ai", "xai"),
    ("api.groq.com", "groq"),
    ("api.mistral.ai", "mistral"),
    ("api.perplexity.ai", "perplexity"),
    ("api.cohere.com", "cohere"),
    ("api.together.xyz", "together"),
    ("api.moonshot.ai", "moonshotai"),
    ("api.fireworks.ai", "fireworks"),
    ("api.cerebras.ai", "cerebras"),
)


def service_at(url: str, otherwise: str) -> str:
    """Who answers there; `otherwise` where it is not known."""
    host = urlsplit(url).hostname or ""
    return next((service for end, service in _HOSTS if host == end or host.endswith(f".{end}")), otherwise)


def target_of(url: str, request: object, service: str) -> Target | None:
    """What a POST to `url` is, or None if it is no call that is charged for."""
    path = urlsplit(url).path.rstrip("/")
    operation = next((kind for end, kind in _OPERATIONS if path.endswith(end)), None)
    if operation is None:
        return None
    model = request.get("model") if is_object(request) else None
    return Target(service, operation, model if isinstance(model, str) else _model_in(path))


def _model_in(path: str) -> str | None:
    """Gemini's and Vertex's `/models/{model}:verb`, Bedrock's `/model/{id}/verb`, Azure's `/deployments/{name}/`."""
    found = re.search(r"/(?:model|deployments)/([^/]+)/", path) or re.search(r"/models/([^:]+):", path)
    return unquote(found[1]) if found else None
