// audit.html: one file that shows entries and verifies them, offline, in any browser. The page is a
// function of its data: the same data make the same bytes, so that a check can compare them.
import { createHash } from "node:crypto";
import { type PageData, formatPageData } from "./data.ts";
import { PAGE_SCRIPT } from "./script.ts";
import { PAGE_STYLE } from "./style.ts";

/** SHA-256 of the page's script, 64 hex digits: docs/evidence.md publishes it for each version. */
export const PAGE_SCRIPT_SHA256: string = createHash("sha256").update(PAGE_SCRIPT).digest("hex");

/** The begin of the element with the data. It is in a page once. */
export const DATA_BEGIN = '<script type="application/json" id="audit-data">';
/** Its end, with the begin of the script. */
export const DATA_END = "</script>\n<script>";

/** The page of some data. */
export function renderPage(data: PageData): string {
  return `${BEFORE}${DATA_BEGIN}${formatPageData(data)}${DATA_END}${PAGE_SCRIPT}${AFTER}`;
}

/** The hash of an inline element, as a Content-Security-Policy names it. */
function source(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** No request leaves the page, and nothing runs but its own script. */
const POLICY = [
  "default-src 'none'",
  `script-src ${source(PAGE_SCRIPT)}`,
  `style-src ${source(PAGE_STYLE)}`,
  "worker-src blob:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const BEFORE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Evidence from an audit log</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<p id="caution"><span>A page proves nothing about itself. The command <code>ai-audit check audit.html --trust VKEY</code> decides: it takes the data of this file and ignores its script. SHA-256 of the script: <code>${PAGE_SCRIPT_SHA256}</code></span></p>
<main>
<h1>Evidence from an audit log</h1>
<noscript><p>This page verifies and shows its entries by a script, which is switched off here.</p></noscript>
<div id="verdict" role="status" aria-live="polite"></div>
<form id="key-form" autocomplete="off">
<label for="key">Verification key of the log’s owner</label>
<p class="hint" id="key-hint">From the owner, by another way than this file. Several keys: one a line.</p>
<div class="pair"><textarea id="key" rows="1" spellcheck="false" aria-describedby="key-hint" placeholder="example.com/audit+1a2b3c4d+AQ…"></textarea><button>Verify</button></div>
</form>
<dl id="facts"></dl>
<div class="tools">
<input id="find" type="search" aria-label="Find in the entries" placeholder="Find in the entries">
<select id="only" aria-label="Show"><option value="">all</option><option>blocked</option><option>error</option><option>interrupted</option><option>flagged</option><option value="altered">altered</option></select>
<span id="shown" role="status"></span>
</div>
<div class="head" aria-hidden="true"><span>State</span><span>Time (UTC)</span><span>Operation</span><span>Model or tool</span><span>Actor</span><span>Outcome</span></div>
<div id="list" tabindex="0" role="group" aria-label="Entries"></div>
<section id="detail" tabindex="-1" hidden aria-label="The entry"></section>
</main>
`;

const AFTER = `</script>
</body>
</html>
`;
