"""Reading a request: JSON, query string, or multipart with files. Everything that is not one is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

import orjson
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request as HTTPRequest

from api.graphql.documents import digest_of
from api.graphql.engine import Request
from api.graphql.negotiation import JSON, parse_media_type
from api.graphql.options import EdgeOptions
from schema.errors import RequestRefusedError

T = TypeVar("T")
PREFLIGHT_HEADERS = ("x-requested-with", "apollo-require-preflight")


@dataclass(frozen=True, slots=True)
class Received:
    """A request with the form that owns its temporary files, to be closed when it is answered."""

    request: Request
    form: FormData | None = None

    async def close(self) -> None:
        """Removes the temporary files."""
        if self.form is not None:
            await self.form.close()


async def receive(http: HTTPRequest, options: EdgeOptions) -> Received:
    """The request; RequestRefusedError for a body that is too large, malformed or of another kind."""
    if http.method == "GET":
        return Received(_from_query(http))
    essence, parameters = parse_media_type(http.headers.get("content-type", ""))
    if essence == "multipart/form-data" and options.uploads:
        return await _from_multipart(http, options)
    if essence != JSON or parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        # text/plain and forms are what another site's page can send without a preflight.
        raise RequestRefusedError("UNSUPPORTED_MEDIA_TYPE", 415)
    body = b"".join([chunk async for chunk in _bounded(http, options.body_limit)])
    return Received(from_json(_parsed(body)))


async def _bounded(http: HTTPRequest, most: int) -> AsyncIterator[bytes]:
    declared = http.headers.get("content-length", "0")
    received = 0
    if declared.isdecimal() and int(declared) > most:
        raise RequestRefusedError("PAYLOAD_TOO_LARGE", 413)
    async for chunk in http.stream():
        received += len(chunk)
        if received > most:
            raise RequestRefusedError("PAYLOAD_TOO_LARGE", 413)
        yield chunk


def _parsed(text: bytes | str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _malformed("请求内容不是有效的 JSON", "The body is not valid JSON.") from None


def _malformed(chinese: str, english: str) -> RequestRefusedError:
    return RequestRefusedError("BAD_REQUEST", 400, {"zh": chinese, "en": english})


def _from_query(http: HTTPRequest) -> Request:
    params: dict[str, object] = dict(http.query_params)
    for name in ("variables", "extensions"):
        if text := http.query_params.get(name):
            params[name] = _parsed(text)
    return from_json(params)


def from_json(body: object) -> Request:
    """The request in a JSON object; RequestRefusedError BAD_REQUEST when a member has the wrong type."""
    if isinstance(body, list):
        raise RequestRefusedError("BATCHING_DISABLED")
    if not isinstance(body, dict):
        raise _malformed("请求内容应是 JSON 对象", "The body must be a JSON object.")
    text = _member(body, "query", str)
    return Request(
        text=text,
        document_id=_document_id(body, text),
        operation_name=_member(body, "operationName", str),
        variables=_member(body, "variables", dict) or {},
    )


def _document_id(body: Mapping[str, object], text: str | None) -> str | None:
    document_id = _member(body, "documentId", str)
    persisted = (_member(body, "extensions", dict) or {}).get("persistedQuery")
    if document_id is None and isinstance(persisted, dict):
        document_id = _member(persisted, "sha256Hash", str)
        if text is not None and document_id is not None:
            if digest_of(text) != document_id:
                raise _malformed("sha256Hash 与查询语句不符", "sha256Hash is not the digest of the query.")
            return None
    return document_id


def _member(body: Mapping[str, object], name: str, kind: type[T]) -> T | None:
    value = body.get(name)
    if value is None or isinstance(value, kind):
        return value
    raise _malformed(f"{name} 的类型不正确", f"`{name}` has the wrong type.")


async def _from_multipart(http: HTTPRequest, options: EdgeOptions) -> Received:
    """GraphQL multipart request specification: `operations`, `map`, then the files."""
    if not any(header in http.headers for header in PREFLIGHT_HEADERS):
        raise RequestRefusedError("CSRF_HEADER_REQUIRED", 400)
    most = options.body_limit + options.files * options.file_limit
    parser = MultiPartParser(
        http.headers,
        _bounded(http, most),  # type: ignore[arg-type]  # the parser only iterates
        max_files=options.files,
        max_fields=2,
        max_part_size=options.body_limit,
    )
    try:
        form = await parser.parse()
    except MultiPartException:
        raise _malformed("multipart 请求格式不正确", "The multipart body is malformed.") from None
    try:
        return Received(from_json(_with_files(form, options)), form)
    except RequestRefusedError:
        await form.close()
        raise


def _with_files(form: FormData, options: EdgeOptions) -> object:
    operations, paths = form.get("operations"), form.get("map")
    if not isinstance(operations, str) or not isinstance(paths, str):
        raise _malformed("multipart 请求缺少 operations 或 map", "`operations` or `map` is missing.")
    body, places = _parsed(operations), _parsed(paths)
    if not isinstance(places, dict):
        raise _malformed("map 应是 JSON 对象", "`map` must be a JSON object.")
    for name, targets in places.items():
        file = form.get(name)
        if not isinstance(file, UploadFile) or not isinstance(targets, list):
            raise _malformed("map 中的文件不存在", "A file in `map` is missing.")
        if (file.size or 0) > options.file_limit:
            raise RequestRefusedError("FILE_TOO_LARGE", 413)
        for target in targets:
            _place(body, str(target), file)
    return body


def _place(body: object, path: str, file: UploadFile) -> None:
    *parents, last = path.split(".")
    # JSON of a client: its shape is unknown, and every step that does not exist is caught below.
    holder = cast("dict[object, object]", body)
    try:
        for step in parents:
            holder = cast("dict[object, object]", holder[_key(holder, step)])
        key = _key(holder, last)
        if not path.startswith("variables.") or holder[key] is not None:
            raise KeyError(path)
        holder[key] = file
    except (KeyError, IndexError, ValueError, TypeError):
        raise _malformed("map 指向的变量不存在", "`map` names a place that is not null.") from None


def _key(holder: object, step: str) -> object:
    return int(step) if isinstance(holder, list) else step
