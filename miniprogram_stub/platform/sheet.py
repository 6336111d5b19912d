"""The sheet on which the platforms' pages stand (替身页面): for a phone, and without a script."""

from __future__ import annotations

from typing import Final

_SHEET: Final = """<!doctype html><html lang="zh-CN">
<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="referrer" content="no-referrer"><link rel="icon" href="data:,"><title>{title}</title>
<style>
body{{font:16px/1.6 sans-serif;margin:0 auto;padding:1rem;max-width:26rem;background:#f2f3f5;color:#1f2329}}
h1{{font-size:1rem;font-weight:400;margin:.5rem 0;color:#4e5969;text-align:center}}
main{{background:#fff;border-radius:.75rem;padding:1rem;overflow-wrap:anywhere}}
.amount{{font-size:2.25rem;text-align:center;margin:.5rem 0}}
dl{{display:grid;grid-template-columns:5rem 1fr;gap:.25rem .5rem;margin:1rem 0}}dt{{color:#4e5969}}dd{{margin:0}}
label{{display:block;margin:1rem 0}}
input{{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;border:1px solid #86909c;border-radius:.5rem}}
fieldset{{border:0;margin:1rem 0;padding:0}}legend{{padding:0;color:#4e5969}}
fieldset label,label.choice{{display:flex;align-items:center;gap:.5rem;min-height:2.75rem;margin:0}}
input[type=radio],input[type=checkbox]{{width:1.25rem;height:1.25rem;margin:0;flex:none}}
small{{color:#4e5969}}.wrong{{color:#b3261e}}
button{{font:inherit;width:100%;padding:.75rem;border-radius:.5rem;border:1px solid #86909c;background:#fff}}
button[value=pay],button[value=allow]{{background:{colour};border-color:{colour};color:#fff;margin-bottom:.75rem}}
</style>
<h1>{title}</h1><main>{body}</main></html>"""


def sheet(title: str, colour: str, body: str) -> str:
    """A page of a platform in its colour; `title` and `body` are markup already."""
    return _SHEET.format(title=title, colour=colour, body=body)
