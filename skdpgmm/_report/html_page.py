"""A page in HTML: one file, no script, nothing from elsewhere, all text escaped."""

from __future__ import annotations

from html import escape

from skdpgmm._report.blocks import (
    Block,
    Drawing,
    Facts,
    Page,
    Picture,
    Section,
    Table,
    Text,
)

_STYLE = """
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0 auto;max-width:54rem;padding:1.5rem 1.25rem 4rem;color:#1f2430;
background:#fff;font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
h1{font-size:1.7rem;line-height:1.25;margin:.5rem 0 1rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2.4rem 0 .6rem;padding-top:.8rem;
border-top:1px solid #dcdfe3}
p{margin:.5rem 0;max-width:44rem}
.promise{padding:.8rem 1rem;border-left:.4rem solid #0b5cad;background:#eef4fb;
font-size:1.15rem;font-weight:600;overflow-wrap:anywhere}
.alarm{color:#b00020}
.promise.alarm{border-color:#b00020;background:#fdecee;font-weight:800}
dl{display:grid;grid-template-columns:minmax(8rem,13rem) 1fr;gap:.3rem 1rem;
margin:.7rem 0}
dt{color:#566072;overflow-wrap:anywhere}
dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;margin:.8rem 0;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:.28rem .9rem .28rem 0;
border-bottom:1px solid #e6e8eb;overflow-wrap:break-word}
.wide{overflow-x:auto}
th{color:#566072;font-weight:600;border-bottom:2px solid #cbd0d6}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
figure{margin:1rem 0;max-width:30rem}
figure svg,figure img{display:block;width:100%;height:auto}
figcaption{color:#566072;font-size:.9rem;overflow-wrap:anywhere}
footer{margin-top:3rem;color:#566072;font-size:.9rem}
@media (max-width:40rem){
body{padding:1rem .9rem 3rem}
dl{grid-template-columns:1fr;gap:0}
dd{margin:0 0 .6rem}
th,td{padding-right:.6rem}
td{overflow-wrap:anywhere}
td:first-child{min-width:6.5rem}
td:last-child{min-width:4.8rem}
.cards thead{display:none}
.cards,.cards tbody,.cards tr,.cards td{display:block;width:100%}
.cards tr{padding:.5rem 0;border-bottom:1px solid #cbd0d6}
.cards td{display:flex;gap:1rem;justify-content:space-between;border:0;
padding:.1rem 0;text-align:right}
.cards td:first-child{display:block;text-align:left;font-weight:600}
.cards td:first-child::before{content:none}
.cards td:empty{display:none}
.cards td::before{content:attr(data-label);color:#566072;text-align:left;
white-space:nowrap}
}
@media print{
@page{margin:16mm}
body{max-width:none;padding:0;font-size:10pt}
h2{break-after:avoid}
figure,tr,.promise,dt,dd{break-inside:avoid}
figure{max-width:9.5cm}
table{font-size:8.5pt}
.wide{overflow:visible}
td:last-child{overflow-wrap:anywhere}
figcaption,footer{font-size:8.5pt}
.promise{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""
# Rows of more columns become cards on a phone.
_MOST_COLUMNS = 3


def as_html(page: Page) -> str:
    """Return a page as one HTML document."""
    title = escape(f"NOT PRIVATE: {page.title}" if page.alarm else page.title)
    kind = " alarm" if page.alarm else ""
    shown = "".join(map(_section, page.sections))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">"
        f"<title>{title}</title><style>{_STYLE}</style></head><body>\n"
        f'<h1 class="title{kind}">{title}</h1>\n'
        f'<p class="promise{kind}">{escape(page.promise)}</p>\n{shown}'
        "<footer>Numbers on this page are public, or were released by the fit with the "
        "noise that the ledger tells. No record was read to make it.</footer>"
        "</body></html>\n"
    )


def _section(section: Section) -> str:
    blocks = "\n".join(map(_block, section.blocks))
    return f"<section><h2>{escape(section.title)}</h2>\n{blocks}</section>\n"


def _block(block: Block) -> str:
    match block:
        case Text(text):
            return f"<p>{escape(text)}</p>"
        case Facts(rows):
            told = (f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in rows)
            return f"<dl>{''.join(told)}</dl>"
        case Table():
            return _table(block)
        case Drawing(svg, caption):
            return _figure(svg, caption)
        case Picture(uri, caption):
            shown = f'<img src="{escape(uri)}" alt="{escape(caption)}">'
            return _figure(shown, caption)


def _figure(shown: str, caption: str) -> str:
    return f"<figure>{shown}<figcaption>{escape(caption)}</figcaption></figure>"


def _table(table: Table) -> str:
    header, *body = table.rows

    def kind(i):
        return ' class="n"' if i in table.numbers else ""

    ths = "".join(f"<th{kind(i)}>{escape(cell)}</th>" for i, cell in enumerate(header))
    trs = "".join(
        "<tr>"
        + "".join(
            f'<td{kind(i)} data-label="{escape(header[i])}">{escape(cell)}</td>'
            for i, cell in enumerate(row)
        )
        + "</tr>"
        for row in body
    )
    many = ' class="cards"' if len(header) > _MOST_COLUMNS else ""
    inside = f"<thead><tr>{ths}</tr></thead><tbody>{trs}</tbody>"
    return f'<div class="wide"><table{many}>{inside}</table></div>'
