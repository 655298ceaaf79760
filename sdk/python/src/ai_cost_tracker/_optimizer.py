"""The client. What it does is written once, as steps that yield what is to be sent: `AICostOptimizer` sends it and
waits, `AsyncAICostOptimizer` awaits it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import httpx

from ._call import Call, Context
from ._context import attribution_here, merged
from ._exchange import Exchange
from ._http import Metering
from ._observe import observe_client
from ._options import OptionFields, Options, access_of, tracker_of
from ._prompt import ALL, Change, Optimizations, Prompt, prepare
from ._providers import Access, Ask, ProviderRequest, counts_of, request_of, text_of
from ._queue import Queue, QueueStats, close_at_exit
from ._reply import Json, is_object
from ._savings import cheaper_model, saving_of
from ._target import Target, service_at
from ._tracker import Tracker, TrackerError, TrackerRequest, read
from ._types import (
    Attributing,
    Attribution,
    BulkOutcome,
    Message,
    Optimization,
    OptimizeResponse,
    TokenCounts,
    Tracked,
    UsageRecord,
    wire_names,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

# Records in one request of an import.
_IMPORT_BATCH = 500
# Seconds that a provider may take, unless the client's own bound is another one.
_PROVIDER_TIMEOUT = 600.0

_Client = TypeVar("_Client")
_Result = TypeVar("_Result")
_Steps = Generator[TrackerRequest | ProviderRequest, Any, _Result]


class ProviderError(Exception):
    """The provider refused: what the call itself would have raised."""

    def __init__(self, message: str, *, status: int, body: object = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


@dataclass(frozen=True)
class OptimizeRequest:
    """What `optimize` is asked."""

    model: str
    prompt: Prompt
    max_tokens: int | None = None
    temperature: float | None = None
    # Fields for the provider as they are: tools, response_format, …
    extra: Mapping[str, Any] | None = None
    # Instead of the `optimizations` of the client.
    optimizations: bool | Optimizations | None = None


class _Base:
    """What both clients share: options, queue, observing, and the steps."""

    def __init__(self, options: Options, transport: httpx.BaseTransport | None) -> None:
        self._options = options
        self._clock = options.clock
        self._tracker: Tracker = tracker_of(options, os.environ)
        self._access: Access | None = access_of(options, os.environ)
        self._queue = Queue(self._tracker, self._clock, options.queue, options.on_problem, transport)
        project = options.default_project_id or os.environ.get("PROJECT_ID")
        self._defaults: Json = {"projectId": project} if project else {}
        close_at_exit(self._queue)

    @property
    def stats(self) -> QueueStats:
        """Records sent, known before, lost, and waiting."""
        return self._queue.stats

    @property
    def sends_texts(self) -> bool:
        """Whether texts of calls whose tokens nobody counted go to the tracker."""
        return self._options.send_texts != "never"

    def queue_usage(self, record: UsageRecord) -> None:
        """Records one call later, with others. Never raises, never waits."""
        if self._options.track_usage:
            self._push(self._keyed(record))

    def queue_attributed(self, record: Json, attribution: Attributing) -> None:
        """The same for a record in the tracker's own names, as integrations make it. Never raises, never waits."""
        try:
            said = attribution() if callable(attribution) else attribution
            if self._options.track_usage:
                self._push(merged(self._keyed(record), wire_names(said)))
        except Exception:  # Metering never breaks the metered call.
            logging.getLogger("ai_cost_tracker").debug("a call could not be recorded", exc_info=True)

    def observe(self, client: _Client, attribution: Attributing | None = None, service: str | None = None) -> _Client:
        """Meters a client of openai, anthropic, google-genai or boto3's bedrock-runtime in place, streams included, and
        returns it.

        `attribution` may be a function: it is called when a call begins. `service` says whose replies they are where
        the client's address does not."""
        if self._options.track_usage:
            observe_client(client, lambda kind: self._metering(attribution or {}, kind, service))
        return client

    def _metering(self, attribution: Attributing, kind: str, service: str | None) -> Metering:
        gateway = f"{self._tracker.base_url.removesuffix('/api')}/gateway/"

        def begin(target: Target, request: object) -> Call:
            said = attribution() if callable(attribution) else attribution
            return self._begin(target, request, said, self._push)

        return Metering(begin, service or kind, service is not None, lambda url: url.startswith(gateway))

    def _begin(self, target: Target, request: object, attribution: Attribution, record: Any) -> Call:
        said = merged({**self._defaults, **attribution_here()}, wire_names(attribution))
        return Call(target, request, said, Context(self._clock, self._options.send_texts, record))

    def _push(self, record: Json) -> None:
        self._queue.push(record)
        self._queue.start()

    def _keyed(self, record: Mapping[str, Any]) -> Json:
        said = {"requestId": self._clock.unique_key(), **wire_names(record)}
        return merged({**self._defaults, **attribution_here()}, said)

    def _optimize(self, request: OptimizeRequest, attribution: Attribution) -> _Steps[OptimizeResponse]:
        access = self._access
        if access is None:
            raise ProviderError(f"no key for {self._options.provider}", status=401)
        wanted = _wanted(self._options.optimizations if request.optimizations is None else request.optimizations)
        messages, changes = prepare(request.prompt, wanted)
        ask = Ask(request.model, messages, request.max_tokens, request.temperature, request.extra)
        asked = request_of(access, ask, self._clock.now())
        service = service_at(asked.url, access.provider) if access.base_url else access.provider
        records: list[Json] = []
        call = self._begin(Target(service, "chat", request.model), asked.body, attribution, records.append)
        response, reply = yield from self._ask(asked, call, records)
        counts = counts_of(access.provider, reply)
        waits_until = self._clock.now() + self._options.cost_wait
        tracked: Json = _of_gateway(response) or (yield from self._track_now(records, waits_until))
        savings = self._savings(service, request.model, changes, counts, wanted)
        optimizations: list[Optimization] = yield from self._within(savings, waits_until)
        return OptimizeResponse(
            id=tracked.get("id"),
            provider=access.provider,
            model=call.reply.model or request.model,
            text=text_of(access.provider, reply),
            usage=counts,
            cost=tracked.get("cost"),
            optimizations=optimizations,
            response=reply,
        )

    def _ask(self, asked: ProviderRequest, call: Call, records: list[Json]) -> _Steps[tuple[httpx.Response, Json]]:
        """The provider's reply; its refusals are recorded and raised."""
        try:
            response: httpx.Response = yield asked
        except BaseException as error:
            call.ends("unreachable" if isinstance(error, httpx.ConnectError) else "aborted")
            self._push_failed(records)
            raise
        body = _parsed(response)
        if response.is_success and is_object(body):
            call.add(body)
            call.ends("whole", response.status_code)
            return response, body
        call.ends("whole", response.status_code, body)
        if "x-cost-request-id" not in response.headers:
            self._push_failed(records)
        message = f"{response.url.host} answered {response.status_code}"
        raise ProviderError(message, status=response.status_code, body=body or response.text)

    def _push_failed(self, records: list[Json]) -> None:
        if self._options.track_usage:
            for record in records:
                self._push(record)

    def _track_now(self, records: list[Json], waits_until: float) -> _Steps[Json]:
        """What the tracker says of a record at once; else it goes into the queue, under the same key."""
        if not self._options.track_usage:
            return {}
        for record in records:
            try:
                told: Json = yield TrackerRequest("POST", "/usage/track", record, timeout=self._left(waits_until))
            except BaseException as error:
                # Also when the caller gives up now: the provider has answered, and charges.
                self._push(record)
                if not isinstance(error, Exception):
                    raise
            else:
                return told
        return {}

    def _savings(
        self, service: str, model: str, changes: list[Change], counts: TokenCounts, wanted: Optimizations
    ) -> _Steps[list[Optimization]]:
        """What was changed and what could be, with what it saves."""
        asks = self._options.track_usage
        saved: list[Optimization] = []
        for change in changes:
            saved.append((yield from saving_of(change, service, model, ask=asks)))
        if wanted.cheaper_model and asks:
            among = None if isinstance(wanted.cheaper_model, bool) else wanted.cheaper_model
            suggestion = yield from cheaper_model(service, model, counts, among)
            saved += [] if suggestion is None else [suggestion]
        return saved

    def _within(self, steps: _Steps[_Result], until: float) -> _Steps[_Result]:
        """The same steps, each with no more time than is left; what the tracker does not say in time is not known."""
        try:
            request = next(steps)
            while True:
                try:
                    left = self._left(until)
                    answer = yield replace(request, timeout=left) if isinstance(request, TrackerRequest) else request
                except Exception as error:
                    failed = error if isinstance(error, TrackerError) else TrackerError(str(error))
                    request = steps.throw(failed)
                else:
                    request = steps.send(answer)
        except StopIteration as stop:
            result: _Result = stop.value
            return result

    def _left(self, until: float) -> float:
        # No time at all is an error of its own; a little is too little in any case.
        return max(0.001, until - self._clock.now())

    def _track_usage(self, record: UsageRecord) -> _Steps[Tracked]:
        told: Json = yield TrackerRequest("POST", "/usage/track", self._keyed(record))
        return _tracked(told)

    def _track_reply(
        self, request: object, reply: object, service: str | None, attribution: Attribution
    ) -> _Steps[Tracked]:
        records: list[Json] = []
        model = request.get("model") if is_object(request) else None
        target = Target(service or "", "chat", model if isinstance(model, str) else None)
        call = self._begin(target, request, attribution, records.append)
        call.add(reply)
        call.ends("whole")
        (record,) = records or [self._keyed({"model": target.model or "unknown"})]
        # What it was and how long it took is not known here; of a reply with an id the tracker makes the key.
        unknown = {"operation": None, "responseTime": None, "service": service}
        key = {"requestId": None} if call.reply.id else {}
        body = wire_names({**record, **unknown, **key})
        told: Json = yield TrackerRequest("POST", "/usage/track", body)
        return _tracked(told)

    def _track_batch(
        self, results: Iterable[object], service: str | None, attribution: Attribution
    ) -> _Steps[BulkOutcome]:
        records: list[Json] = []
        for result in results:
            call = self._begin(Target(service or "", "chat", None), None, attribution, records.append)
            call.add(_line(result))
            if call.reply.is_batched and call.reply.is_counted:
                call.ends("whole")
        # What kind of calls they were and how long they took is not known here.
        unknown = {"operation": None, "responseTime": None, "service": service}
        return (yield from self._bulk_import([{**record, **unknown} for record in records]))

    def _bulk_import(self, records: Iterable[Mapping[str, Any]]) -> _Steps[BulkOutcome]:
        outcome = BulkOutcome()
        keyed = [self._keyed(record) for record in records]
        for start in range(0, len(keyed), _IMPORT_BATCH):
            body = {"usageData": keyed[start : start + _IMPORT_BATCH]}
            told: Json = yield TrackerRequest("POST", "/usage/bulk", body)
            outcome.successful += told["successful"]
            outcome.duplicates += told["duplicates"]
            outcome.failed += told["failed"]
            outcome.results += [{**item, "index": item["index"] + start} for item in told["results"]]
            outcome.errors += [{**item, "index": item["index"] + start} for item in told["errors"]]
        return outcome

    def _get(self, path: str, query: Mapping[str, object] | None = None) -> _Steps[Json]:
        told: Json = yield TrackerRequest("GET", path, query=wire_names(query or {}))
        return told

    def _estimate(self, call: UsageRecord) -> _Steps[Json]:
        told: Json = yield TrackerRequest("POST", "/prices/estimate", wire_names(call))
        return told


class AICostOptimizer(_Base):
    """Calls providers, meters clients, and tells an AI Cost Tracker what was used."""

    def __init__(self, *, transport: httpx.BaseTransport | None = None, **options: Unpack[OptionFields]) -> None:
        """Takes the fields of `Options` by name. `transport` is used instead of httpx's own."""
        super().__init__(Options(**options), transport)
        self._http = httpx.Client(transport=transport, timeout=_PROVIDER_TIMEOUT)
        self._exchange = Exchange(self._tracker, self._clock, transport)

    def optimize(
        self,
        *,
        model: str,
        prompt: str | None = None,
        system: str | None = None,
        context: Sequence[str] = (),
        messages: Sequence[Message] = (),
        max_tokens: int | None = None,
        temperature: float | None = None,
        extra: Mapping[str, Any] | None = None,
        optimizations: bool | Optimizations | None = None,
        **attribution: Unpack[Attribution],
    ) -> OptimizeResponse:
        """Asks the provider, tells the tracker, and answers with what it cost.

        Raises only what the provider is to blame for. `attribution` are the fields of `Attribution`."""
        asked = Prompt(prompt, system, context, messages)
        request = OptimizeRequest(model, asked, max_tokens, temperature, extra, optimizations)
        return self._run(self._optimize(request, attribution))

    def track_usage(self, record: UsageRecord) -> Tracked:
        """Records one call and waits for the tracker's word; a `request_id` counts once. Raises `TrackerError`."""
        return self._run(self._track_usage(record))

    def track_reply(
        self, request: object, reply: object, *, service: str | None = None, **attribution: Unpack[Attribution]
    ) -> Tracked:
        """Records a call that was answered, by its request and the provider's whole reply, and waits for the tracker's
        word. A reply with an id counts once. `service` follows from the model. Raises `TrackerError`."""
        return self._run(self._track_reply(request, reply, service, attribution))

    def track_batch(
        self, results: Iterable[object], *, service: str | None = None, **attribution: Unpack[Attribution]
    ) -> BulkOutcome:
        """Records the calls of a batch by its results: the lines of OpenAI's, Gemini's or Bedrock's file, or what
        Anthropic's client answers. They cost what a batch does. Calls that failed are not charged and not recorded; a
        reply counts once. `service` says who answered where the model does not. Raises `TrackerError`."""
        return self._run(self._track_batch(results, service, attribution))

    def bulk_import(self, records: Iterable[UsageRecord]) -> BulkOutcome:
        """Records many calls. Bad ones fail alone and are listed in `errors`. Raises `TrackerError`."""
        return self._run(self._bulk_import(records))

    def get_project_analytics(self, project_id: str, **query: object) -> Json:
        return self._run(self._get(f"/analytics/projects/{quote(project_id, safe='')}", query))

    def compare_projects(self, project_ids: Sequence[str], **query: object) -> Json:
        return self._run(self._get("/analytics/projects/compare", {**query, "project_ids": ",".join(project_ids)}))

    def get_budget_status(self, project_id: str) -> Json:
        return self._run(self._get(f"/budgets/{quote(project_id, safe='')}/status"))

    def estimate(self, call: UsageRecord) -> Json:
        """What a call would cost; records nothing."""
        return self._run(self._estimate(call))

    def flush(self) -> None:
        """Sends what waits."""
        self._queue.flush()

    def close(self) -> None:
        """Sends what waits and ends; what cannot be sent in time is counted and reported."""
        self._queue.close()
        self._exchange.close()
        self._http.close()

    def __enter__(self) -> AICostOptimizer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, steps: _Steps[_Result]) -> _Result:
        try:
            request = next(steps)
            while True:
                try:
                    answer = self._send(request)
                except Exception as error:
                    request = steps.throw(error)
                else:
                    request = steps.send(answer)
        except StopIteration as stop:
            result: _Result = stop.value
            return result
        finally:
            # A caller who gives up: the steps learn of it at once.
            steps.close()

    def _send(self, request: TrackerRequest | ProviderRequest) -> Any:
        if isinstance(request, ProviderRequest):
            return self._http.post(request.url, headers=request.headers, content=request.content)
        return self._exchange.send(request)


class AsyncAICostOptimizer(_Base):
    """The same, to be awaited."""

    def __init__(self, *, transport: httpx.AsyncBaseTransport | None = None, **options: Unpack[OptionFields]) -> None:
        super().__init__(Options(**options), None)
        self._http = httpx.AsyncClient(transport=transport, timeout=_PROVIDER_TIMEOUT)

    async def optimize(
        self,
        *,
        model: str,
        prompt: str | None = None,
        system: str | None = None,
        context: Sequence[str] = (),
        messages: Sequence[Message] = (),
        max_tokens: int | None = None,
        temperature: float | None = None,
        extra: Mapping[str, Any] | None = None,
        optimizations: bool | Optimizations | None = None,
        **attribution: Unpack[Attribution],
    ) -> OptimizeResponse:
        asked = Prompt(prompt, system, context, messages)
        request = OptimizeRequest(model, asked, max_tokens, temperature, extra, optimizations)
        return await self._run(self._optimize(request, attribution))

    async def track_usage(self, record: UsageRecord) -> Tracked:
        return await self._run(self._track_usage(record))

    async def track_reply(
        self, request: object, reply: object, *, service: str | None = None, **attribution: Unpack[Attribution]
    ) -> Tracked:
        return await self._run(self._track_reply(request, reply, service, attribution))

    async def track_batch(
        self, results: Iterable[object], *, service: str | None = None, **attribution: Unpack[Attribution]
    ) -> BulkOutcome:
        return await self._run(self._track_batch(results, service, attribution))

    async def bulk_import(self, records: Iterable[UsageRecord]) -> BulkOutcome:
        return await self._run(self._bulk_import(records))

    async def get_project_analytics(self, project_id: str, **query: object) -> Json:
        return await self._run(self._get(f"/analytics/projects/{quote(project_id, safe='')}", query))

    async def compare_projects(self, project_ids: Sequence[str], **query: object) -> Json:
        return await self._run(
            self._get("/analytics/projects/compare", {**query, "project_ids": ",".join(project_ids)})
        )

    async def get_budget_status(self, project_id: str) -> Json:
        return await self._run(self._get(f"/budgets/{quote(project_id, safe='')}/status"))

    async def estimate(self, call: UsageRecord) -> Json:
        return await self._run(self._estimate(call))

    async def flush(self) -> None:
        await asyncio.to_thread(self._queue.flush)

    async def close(self) -> None:
        await asyncio.to_thread(self._queue.close)
        await self._http.aclose()

    async def __aenter__(self) -> AsyncAICostOptimizer:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _run(self, steps: _Steps[_Result]) -> _Result:
        try:
            request = next(steps)
            while True:
                try:
                    answer = await self._send(request)
                except Exception as error:
                    request = steps.throw(error)
                else:
                    request = steps.send(answer)
        except StopIteration as stop:
            result: _Result = stop.value
            return result
        finally:
            steps.close()

    async def _send(self, request: TrackerRequest | ProviderRequest) -> Any:
        if isinstance(request, ProviderRequest):
            return await self._http.post(request.url, headers=request.headers, content=request.content)
        arguments = self._tracker.arguments(request)
        try:
            # httpx bounds each read; this is the whole.
            response = await asyncio.wait_for(self._http.request(**arguments), arguments["timeout"])
        except (httpx.HTTPError, asyncio.TimeoutError) as error:
            raise self._tracker.unreachable(error) from error
        return read(response, self._clock.now())


def _tracked(told: Json) -> Tracked:
    return Tracked(told["id"], told["cost"], told["costSource"], told["totalTokens"], told["duplicate"])


def _wanted(optimizations: bool | Optimizations) -> Optimizations:
    if isinstance(optimizations, bool):
        return ALL if optimizations else Optimizations()
    return optimizations


def _line(result: object) -> object:
    """A line of a batch's results: JSON, or an object of the provider's client."""
    if isinstance(result, (str, bytes)):
        try:
            line: object = json.loads(result)
        except ValueError:
            return None
        return line
    dump: Any = getattr(result, "model_dump", None)
    return dump(mode="json") if callable(dump) else result


def _parsed(response: httpx.Response) -> object:
    try:
        body: object = response.json()
    except ValueError:
        return None
    return body


def _of_gateway(response: httpx.Response) -> Json:
    """What the tracker's gateway said of the call, if it came that way."""
    if "x-cost-request-id" not in response.headers:
        return {}
    cost = response.headers.get("x-cost-usd")
    return {"id": response.headers["x-cost-request-id"], "cost": None if cost is None else Decimal(cost)}
