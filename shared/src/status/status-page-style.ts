/**
 * The page's style sheet: system fonts, light and dark by the reader's setting, and paper, on which dark colours would be
 * unreadable. Each pair of colours has a
 * contrast of 4.5 at least (WCAG 2.2, 1.4.3).
 */
export const PAGE_STYLE = `
:root{--ink:#1b1f24;--soft:#565f6a;--line:#dfe3e8;--paper:#fff;--tint:#f5f6f8;--bad:#b3261e;--mind:#7a5200;--good:#1a6b3c}
@media (prefers-color-scheme:dark){:root{--ink:#e4e7eb;--soft:#a3adb8;--line:#2e353d;--paper:#14171b;--tint:#1d2227;--bad:#ff9a91;--mind:#e8b84a;--good:#7fcf9d}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1.25rem clamp(1rem,4vw,2.5rem) 3rem;color:var(--ink);background:var(--paper);font:15px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums}
header{display:flex;flex-wrap:wrap;gap:.25rem 1rem;align-items:baseline;border-bottom:1px solid var(--line);padding-bottom:.6rem}
h1{font-size:1.15rem;margin:0;font-weight:650}
h2{font-size:1.05rem;margin:2rem 0 .5rem;font-weight:650}
h3{font-size:1rem;margin:0 0 .3rem;font-weight:650}
small{font-size:.9em;font-weight:400;color:var(--soft);margin-left:.4em}
header p{margin:0}
.when{margin-left:auto!important;color:var(--soft)}
.trouble{color:var(--bad)}.notice{color:var(--mind)}.well{color:var(--good)}
header .trouble,header .notice,header .well{font-weight:600}
article{color:var(--ink);margin:0 0 1rem;padding:.1rem 0 .1rem .9rem;border-left:3px solid var(--good)}
article.trouble{color:var(--ink);border-color:var(--bad)}
article.notice{color:var(--ink);border-color:var(--mind)}
ul{list-style:none;margin:0;padding:0}
li{margin:.2rem 0 .5rem;max-width:46rem;overflow-wrap:anywhere}
li p{margin:.1rem 0;color:var(--soft)}
code{font:.92em/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{margin:.25rem 0;padding:.4rem .7rem;background:var(--tint);border:1px solid var(--line);border-radius:4px;white-space:pre-wrap;overflow-wrap:anywhere}
pre span{display:inline-block;max-width:100%}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.22rem 1rem .22rem 0;border-bottom:1px solid var(--line);vertical-align:baseline}
th{font-weight:400}
thead th{color:var(--soft);font-size:.87em}
.n{text-align:right;padding-right:0}
tbody tr:hover{background:var(--tint)}
@media (max-width:44rem){body{font-size:14px}th,td{padding-right:.5rem;overflow-wrap:anywhere}}
@media print{:root{--ink:#000;--soft:#454b52;--line:#999;--paper:#fff;--tint:#fff;--bad:#a01b14;--mind:#6b4700;--good:#14552f}body{max-width:none;padding:0;font-size:10pt}h2,h3{break-after:avoid}article,tr{break-inside:avoid}}
`
