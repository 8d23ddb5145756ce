// The style sheet of audit.html.

/** The style sheet: light and dark, on a narrow screen and on paper. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d5dae0;--paper:#fff;--wash:#f5f7f9;--link:#0b5394;--good:#116329;--goodwash:#e6f4ea;--bad:#a40e26;--badwash:#fdecee;--open:#7a4d00;--openwash:#fff6e0}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9aa4af;--line:#363d46;--paper:#14181d;--wash:#1b2027;--link:#7fb8f0;--good:#7ad491;--goodwash:#12301c;--bad:#ff9aa5;--badwash:#43141b;--open:#f2c46d;--openwash:#3a2c0c}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:78rem;margin:0 auto;padding:0 1.5rem 3rem}
#caution{margin:0;padding:.6rem 1.5rem;background:var(--wash);border-bottom:1px solid var(--line);font-size:13px;color:var(--soft)}
#caution span{display:block;max-width:75rem;margin:0 auto;overflow-wrap:anywhere}
code,pre,#key,.row span:nth-child(2){font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.92em}
h1{font-size:1.6rem;line-height:1.2;margin:1.6rem 0 1rem;font-weight:650;letter-spacing:-.01em}
h2{font-size:1.05rem;margin:0 0 .5rem;overflow-wrap:anywhere}
h3{font-size:.8rem;margin:1.3rem 0 .4rem;text-transform:uppercase;letter-spacing:.06em;color:var(--soft)}
#verdict{display:flex;gap:.2rem 1rem;flex-wrap:wrap;align-items:baseline;padding:.9rem 1.1rem;border-radius:6px;border:1px solid var(--line);border-left-width:6px;background:var(--wash)}
#verdict strong{font-size:1.15rem}
#verdict span{overflow-wrap:anywhere}
#verdict.good{background:var(--goodwash);border-color:var(--good)}#verdict.good strong{color:var(--good)}
#verdict.bad{background:var(--badwash);border-color:var(--bad)}#verdict.bad strong{color:var(--bad)}
#verdict.open{background:var(--openwash);border-color:var(--open)}#verdict.open strong{color:var(--open)}
form{display:grid;gap:.4rem;margin:1rem 0 1.4rem}
label{font-weight:600}
.hint{margin:0;color:var(--soft);font-size:13px}
.pair{display:flex;gap:.6rem}
input,textarea,select,button{font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:5px;padding:.4rem .6rem}
textarea{flex:1;min-width:0;resize:vertical;min-height:2.4rem}
form button{background:var(--ink);color:var(--paper);border-color:var(--ink);font-weight:600;cursor:pointer;align-self:start}
:focus-visible{outline:2px solid var(--link);outline-offset:1px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.2rem;margin:0 0 1.4rem}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.tools{display:flex;gap:.6rem;flex-wrap:wrap;align-items:center;margin:0 0 .6rem}
.tools input{flex:1;min-width:12rem}
.head,.row{display:grid;grid-template-columns:7.5rem 15.5rem 8rem minmax(8rem,1fr) minmax(6rem,.7fr) 6.5rem;gap:.8rem;align-items:center;text-align:left}
.head{padding:0 .8rem;font-size:12px;color:var(--soft);text-transform:uppercase;letter-spacing:.05em;border-bottom:1px solid var(--line);height:2rem}
#list{height:min(60vh,40rem);overflow:auto;border-bottom:1px solid var(--line)}
.rows{position:relative}
.row{width:100%;height:30px;border:0;border-bottom:1px solid var(--line);border-radius:0;padding:0 .8rem;cursor:pointer;background:none;font-size:14px}
.row span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.row:hover,.row[aria-current]{background:var(--wash)}
.row.proven span:first-child,.state.proven{color:var(--good)}
.row.altered{background:var(--badwash)}.row.altered span:first-child,.state.altered{color:var(--bad);font-weight:700}
.row.unknown-key span:first-child,.row.unsigned span:first-child,.state.unknown-key,.state.unsigned{color:var(--open)}
.row.notable span:last-child{color:var(--bad);font-weight:600}
#detail{margin-top:1.6rem;padding:1.2rem;border:1px solid var(--line);border-radius:6px;background:var(--wash)}
.state{margin:0 0 1rem;font-weight:600}
.message{border-left:3px solid var(--line);padding:.1rem 0 .1rem .8rem;margin:0 0 .6rem}
.message b{font-size:12px;color:var(--soft);font-weight:600}
pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;max-height:30rem;overflow:auto}
details{margin-top:1.2rem}summary{cursor:pointer;color:var(--soft)}
@media (max-width:54rem){main{padding:0 1rem 2rem}.head{display:none}.row{grid-template-columns:6.5rem 1fr 5rem}.row span:nth-child(3),.row span:nth-child(4),.row span:nth-child(5){display:none}dl{grid-template-columns:1fr}dd{margin:0 0 .4rem}}
@media print{:root{--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--wash:#fff}form,.tools,#detail[hidden]{display:none}#list{height:auto;overflow:visible}.rows{height:auto!important}body{font-size:10pt}main{max-width:none;padding:0}.row{break-inside:avoid;height:auto;min-height:22px;font-size:8.5pt}pre{max-height:none}#verdict{print-color-adjust:exact}}
`;
