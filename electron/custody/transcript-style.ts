/** How a transcript looks, on screen and on paper (A4 or Letter). System typefaces only: nothing is fetched. */
export const transcriptStyle = `
@page { size: A4; margin: 18mm 18mm 20mm; }
:root { color-scheme: light; --ink: #1b1f24; --soft: #59636e; --line: #d5dae0; --paper: #fff; --calm: #0b6b4f; --alarm: #a3202a; --warn: #8a5300; }
* { box-sizing: border-box; }
html { background: #eef0f2; }
body { margin: 0; color: var(--ink); font: 10.5pt/1.5 "Source Serif 4", "Noto Serif", Georgia, "Liberation Serif", serif; }
main { max-width: 190mm; margin: 10mm auto; padding: 18mm; background: var(--paper); border: 1px solid var(--line); }
h1, h2, h3, th, .kind, .outcome, .number, .who, .band, .signatures { font-family: "Inter", "Noto Sans", "Segoe UI", "Liberation Sans", system-ui, sans-serif; }
h1 { font-size: 21pt; line-height: 1.2; letter-spacing: -0.01em; margin: 0 0 2mm; text-wrap: balance; }
h2 { font-size: 12.5pt; margin: 9mm 0 3mm; padding-bottom: 1.5mm; border-bottom: 1.5px solid var(--ink); break-after: avoid; }
h3 { font-size: 11pt; margin: 0 0 1mm; display: flex; gap: 2.5mm; align-items: baseline; break-after: avoid; }
p { margin: 0 0 2mm; }
.kind { text-transform: uppercase; letter-spacing: 0.12em; font-size: 8.5pt; color: var(--soft); margin: 0 0 1mm; }
.summary { color: var(--soft); }
.number { min-width: 6mm; color: var(--soft); font-variant-numeric: tabular-nums; }
.step { padding: 3.5mm 0; border-bottom: 1px solid var(--line); break-inside: avoid; }
.step > p, .step > table { margin-left: 8.5mm; }
.step > table { width: calc(100% - 8.5mm); }
.who { font-size: 8.5pt; color: var(--soft); line-height: 1.45; }
.outcome { display: inline-block; margin-left: auto; padding: 0 2mm; border: 1px solid currentColor; border-radius: 1mm; font-size: 8.5pt; font-weight: 600; white-space: nowrap; color: var(--soft); }
.summary .outcome { margin: 0 2mm 0 0; }
.outcome-done, .outcome-run-completed { color: var(--calm); }
.outcome-failed, .outcome-run-abandoned { color: var(--alarm); }
.outcome-working, .outcome-run-open { color: var(--warn); }
.failure { color: var(--alarm); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.8mm 0; }
th { width: 46mm; padding-right: 4mm; font-weight: 500; font-size: 9pt; line-height: 1.7; color: var(--soft); }
td { overflow-wrap: anywhere; }
.exact, code { font-family: "JetBrains Mono", "Noto Sans Mono", "DejaVu Sans Mono", "Liberation Mono", monospace; font-size: 8.8pt; overflow-wrap: anywhere; }
.seal { break-inside: avoid; }
.words { columns: 4; margin: 2mm 0 4mm; padding-left: 7mm; font-size: 9.5pt; }
.words li::marker { color: var(--soft); font-size: 7.5pt; }
.signatures { display: grid; grid-template-columns: 1fr 1fr 1fr; gap: 8mm; margin-top: 20mm; break-inside: avoid; }
.signatures div { border-top: 1px solid var(--ink); padding-top: 1mm; font-size: 8.5pt; color: var(--soft); }
.pages > thead td.band { position: sticky; top: 0; padding: 1.2mm; text-align: center; font-size: 9pt; font-weight: 600; letter-spacing: 0.08em; text-transform: uppercase; color: #3d2a00; background: #ffd978; border: 1px solid #c08a16; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.pages, .page { padding: 0; }
@media print {
  html { background: none; }
  main { max-width: none; margin: 0; padding: 0; border: 0; }
  .pages > thead { display: table-header-group; }
}
@media (max-width: 700px) { main { margin: 0; padding: 8mm 5mm; } th { width: 34mm; } .words { columns: 2; } }
`;
