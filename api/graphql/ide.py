"""GraphiQL from our own files, under a policy that lets it load nothing else."""

from __future__ import annotations

from html import escape

from starlette.requests import Request as HTTPRequest
from starlette.responses import HTMLResponse

from api.graphql.options import EdgeOptions

# Inline styles: the editor positions its lines with style attributes. Scripts are files only.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE = """<!doctype html>
<html lang="zh">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>邻里 GraphiQL</title>
<link rel="stylesheet" href="{static}/graphiql.min.css">
<link rel="stylesheet" href="{static}/page.css">
</head>
<body>
<div id="graphiql" data-endpoint="{endpoint}"></div>
<script src="{static}/react.production.min.js"></script>
<script src="{static}/react-dom.production.min.js"></script>
<script src="{static}/graphiql.min.js"></script>
<script src="{static}/start.js"></script>
</body>
</html>
"""


def wants_ide(http: HTTPRequest, options: EdgeOptions) -> bool:
    """A browser that opens the address without a query, where the IDE is on."""
    is_page = "text/html" in http.headers.get("accept", "")
    return options.ide and http.method == "GET" and is_page and "query" not in http.query_params


def render_ide(options: EdgeOptions) -> HTMLResponse:
    """The IDE's page."""
    page = PAGE.format(static=escape(options.static_url), endpoint=escape(options.endpoint_url))
    return HTMLResponse(
        page, headers={"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
    )
