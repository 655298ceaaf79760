"""The calls of the Python SDKs, each by its name. A call gets where to send and with what key; it answers what it parsed."""

import io

import anthropic
import boto3
import botocore.config
import botocore.exceptions
import openai
from google import genai
from google.genai import errors as genai_errors
from google.genai import types

PROMPT = "Say something about the price of things"
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def calls() -> dict:
    """Every call of this file: `provider_what`."""
    providers = ("openai_", "anthropic_", "google_", "bedrock_")
    return {name: call for name, call in globals().items() if name.startswith(providers)}


def _openai(to):
    return openai.OpenAI(
        base_url=f"{to.url}/v1", api_key=to.key, default_headers=to.headers, max_retries=0
    )


def _messages():
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": PROMPT}]


def openai_chat(to):
    return _openai(to).chat.completions.create(model="gpt-4o-mini", messages=_messages()).model_dump()


def openai_chat_stream(to):
    with _openai(to).chat.completions.create(
        model="gpt-4o-mini",
        messages=_messages(),
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        return [chunk.model_dump() for chunk in stream]


def openai_chat_stream_without_usage(to):
    with _openai(to).chat.completions.create(model="gpt-4o-mini", messages=_messages(), stream=True) as stream:
        return [chunk.model_dump() for chunk in stream]


def openai_tools(to):
    tool = {"type": "function", "function": {"name": "weather", "parameters": WEATHER}}
    completion = _openai(to).chat.completions.create(
        model="gpt-4.1-mini", messages=_messages(), tools=[tool], tool_choice="required"
    )
    assert completion.choices[0].message.tool_calls[0].function.name == "weather"
    return completion.model_dump()


def openai_responses(to):
    response = _openai(to).responses.create(model="gpt-4.1-mini", input=PROMPT)
    assert response.output_text.startswith("Every call")
    return response.model_dump()


def openai_responses_stream(to):
    with _openai(to).responses.create(model="gpt-4.1-mini", input=PROMPT, stream=True) as stream:
        return [event.model_dump() for event in stream]


def openai_embeddings(to):
    return _openai(to).embeddings.create(model="text-embedding-3-small", input=[PROMPT, "and more"]).model_dump()


def openai_transcription(to):
    sound = io.BytesIO(b"RIFF" + bytes(2000))
    sound.name = "speech.wav"
    return _openai(to).audio.transcriptions.create(model="whisper-1", file=sound).model_dump()


def openai_image(to):
    return _openai(to).images.generate(model="gpt-image-1", prompt=PROMPT).model_dump()


def openai_speech(to):
    return _openai(to).audio.speech.create(model="tts-1", voice="alloy", input=PROMPT).content.hex()


def openai_speech_unpriced(to):
    return _openai(to).audio.speech.create(model="gpt-4o-mini-tts", voice="alloy", input=PROMPT).content.hex()


def openai_file(to):
    return _openai(to).files.create(file=("in.jsonl", b"{}\n"), purpose="batch").model_dump()


def openai_batch(to):
    batch = _openai(to).batches.create(
        input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h"
    )
    return batch.model_dump()


def openai_batch_results(to):
    return _openai(to).files.content("file-out-python").text


def openai_models(to):
    return [model.model_dump() for model in _openai(to).models.list()]


def openai_error_429(to):
    try:
        _openai(to).chat.completions.create(
            model="gpt-4o-mini", messages=_messages(), extra_headers={"x-fake": "status=429"}
        )
    except openai.RateLimitError as error:
        return ["RateLimitError", error.status_code, error.code, error.response.headers["retry-after"]]


def openai_error_400(to):
    try:
        _openai(to).chat.completions.create(
            model="gpt-4o-mini", messages=_messages(), extra_headers={"x-fake": "status=400"}
        )
    except openai.BadRequestError as error:
        return ["BadRequestError", error.status_code, error.type]


def _anthropic(to):
    return anthropic.Anthropic(base_url=to.url, api_key=to.key, default_headers=to.headers, max_retries=0)


def _ask(**more):
    return {
        "model": "claude-haiku-4-5",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": PROMPT}],
        **more,
    }


def anthropic_messages(to):
    return _anthropic(to).messages.create(**_ask()).model_dump()


def anthropic_stream(to):
    with _anthropic(to).messages.stream(**_ask()) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    assert message.content[0].text == text
    return message.model_dump()


def _cached():
    return [
        {"type": "text", "text": "A long text.", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "A longer text.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ]


def anthropic_cache_write(to):
    return _anthropic(to).messages.create(**_ask(system=_cached())).model_dump()


def anthropic_cache_read(to):
    return (
        _anthropic(to)
        .messages.create(**_ask(system=_cached()), extra_headers={"x-fake": "cache-read"})
        .model_dump()
    )


def anthropic_tools(to):
    tool = {"name": "weather", "input_schema": WEATHER}
    message = _anthropic(to).messages.create(**_ask(tools=[tool], tool_choice={"type": "any"}))
    assert message.stop_reason == "tool_use"
    return message.model_dump()


def anthropic_count_tokens(to):
    asked = _ask()
    del asked["max_tokens"]
    return _anthropic(to).messages.count_tokens(**asked).model_dump()


def anthropic_batch(to):
    asked = {"custom_id": "one", "params": _ask()}
    return _anthropic(to).messages.batches.create(requests=[asked]).model_dump(mode="json")


def anthropic_batch_results(to):
    results = _anthropic(to).messages.batches.results("msgbatch_python")
    return [result.model_dump() for result in results]


def anthropic_models(to):
    return [model.model_dump(mode="json") for model in _anthropic(to).models.list()]


def anthropic_error_529(to):
    try:
        _anthropic(to).messages.create(**_ask(), extra_headers={"x-fake": "status=529"})
    except anthropic.InternalServerError as error:
        return [type(error).__name__, error.status_code, error.body]


def anthropic_error_429(to):
    try:
        _anthropic(to).messages.create(**_ask(), extra_headers={"x-fake": "status=429"})
    except anthropic.RateLimitError as error:
        return ["RateLimitError", error.status_code, error.body]


_held = []


def _google(to, **headers):
    options = types.HttpOptions(base_url=to.url, headers={**to.headers, **headers})
    # A client that nobody holds closes its connections.
    _held.append(genai.Client(api_key=to.key, vertexai=False, http_options=options))
    return _held[-1]


def _parsed(reply):
    # What it keeps of the HTTP reply is not the same by two ways.
    return reply.model_dump(mode="json", exclude={"sdk_http_response"})


def google_generate(to):
    reply = _google(to).models.generate_content(model="gemini-2.5-flash", contents=PROMPT)
    assert reply.text.startswith("Every call")
    return _parsed(reply)


def google_stream(to):
    stream = _google(to).models.generate_content_stream(model="gemini-2.5-flash", contents=PROMPT)
    return [_parsed(chunk) for chunk in stream]


def google_embed(to):
    return _parsed(_google(to).models.embed_content(model="gemini-embedding-001", contents=[PROMPT, "and more"]))


def google_count_tokens(to):
    return _parsed(_google(to).models.count_tokens(model="gemini-2.5-flash", contents=PROMPT))


def google_models(to):
    return [model.model_dump(mode="json") for model in _google(to).models.list()]


def google_error_429(to):
    try:
        _google(to, **{"x-fake": "status=429"}).models.generate_content(
            model="gemini-2.5-flash", contents=PROMPT
        )
    except genai_errors.ClientError as error:
        return ["ClientError", error.code, error.status, error.message]


def _bedrock(to, fake=""):
    client = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=to.url,
        aws_access_key_id=to.aws_access_key,
        aws_secret_access_key=to.aws_secret_key,
        config=botocore.config.Config(retries={"total_max_attempts": 1}),
    )

    def add(request, **_):
        for name, value in {**to.headers, **({"x-fake": fake} if fake else {})}.items():
            request.headers[name] = value

    client.meta.events.register("before-sign.bedrock-runtime.*", add)
    return client


def _converse():
    return {
        "modelId": "amazon.nova-lite-v1:0",
        "messages": [{"role": "user", "content": [{"text": PROMPT}]}],
        "inferenceConfig": {"maxTokens": 100},
    }


def _without_http(reply):
    reply.pop("ResponseMetadata", None)
    return reply


def bedrock_converse(to):
    return _without_http(_bedrock(to).converse(**_converse()))


def bedrock_converse_stream(to):
    return list(_bedrock(to).converse_stream(**_converse())["stream"])


INVOKE = (
    '{"anthropic_version":"bedrock-2023-05-31","max_tokens":100,'
    f'"messages":[{{"role":"user","content":"{PROMPT}"}}]}}'
)
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"


def bedrock_invoke(to):
    return _bedrock(to).invoke_model(modelId=HAIKU, body=INVOKE)["body"].read().decode()


def bedrock_invoke_stream(to):
    stream = _bedrock(to).invoke_model_with_response_stream(modelId=HAIKU, body=INVOKE)["body"]
    return [event["chunk"]["bytes"].decode() for event in stream]


def bedrock_error_429(to):
    try:
        _bedrock(to, fake="status=429").converse(**_converse())
    except botocore.exceptions.ClientError as error:
        return ["ThrottlingException", error.response["Error"]]
