"""The frame of a page: one file without anything outside it."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jaxvqa._version import __version__
from jaxvqa.report._html._text import escaped, fingerprint, script_json

_PAGE = string.Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="jaxvqa $version">
<meta http-equiv="Content-Security-Policy" content="$policy">
<title>$title</title>
<style>$style</style>
</head>
<body>
<a class="skip" href="#main">Skip to the results</a>
<div class="bar"><div class="wrap">
<span class="brand">jaxvqa</span>
<nav aria-label="Sections">$links</nav>
<button type="button" id="theme">Dark</button>
</div></div>
<main id="main" class="wrap">
<header><h1>$title</h1>
<p class="lead">$lead</p></header>
<noscript><p class="none">Charts need JavaScript.</p></noscript>
$body
<footer>Made by jaxvqa $version. This page is one file and loads nothing. Charts: uPlot, © 2022
Leon Sorokin, MIT licence.</footer>
</main>
<script type="application/json" id="data">$data</script>
<script>$script</script>
</body>
</html>
""")


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Args:
        name: its address in the page.
        title: its heading.
        body: markup.
    """

    name: str
    title: str
    body: str


def assemble(
    title: str, lead: str, top: str, sections: Sequence[Section], data: Any, scripts: Sequence[str]
) -> str:
    """A whole page.

    Args:
        title: plain text.
        lead: plain text below it.
        top: markup before the first section.
        sections: in order.
        data: what the scripts show, as plain values.
        scripts: names of the scripts that the page needs beside the common ones.
    """
    style = _asset("uplot/uPlot.min.css") + "\n" + _asset("page.css")
    names = ("uplot/uPlot.iife.min.js", "common.js", "charts.js", *scripts)
    script = "\n".join(_asset(name) for name in names)
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{fingerprint(style)}'; script-src '{fingerprint(script)}'"
    )
    body = "\n".join(
        f'<section id="{s.name}" aria-labelledby="{s.name}-title">\n'
        f'<h2 id="{s.name}-title">{escaped(s.title)}</h2>\n{s.body}\n</section>'
        for s in sections
    )
    links = "".join(f'<a href="#{s.name}">{escaped(s.title)}</a>' for s in sections)
    return _PAGE.substitute(
        version=escaped(__version__), policy=escaped(policy), title=escaped(title),
        style=style, lead=escaped(lead), body=f"{top}\n{body}", data=script_json(data),
        script=script, links=links,
    )  # fmt: skip


@cache
def _asset(name: str) -> str:
    return files("jaxvqa.report._html").joinpath("assets").joinpath(name).read_text("utf-8")
