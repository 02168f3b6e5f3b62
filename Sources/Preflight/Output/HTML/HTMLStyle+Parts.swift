/// The style of an image's parts, of small windows and of paper.
extension HTMLStyle {
    static let parts = """
        .finding { display: flex; gap: .65rem; padding: .55rem .8rem; border-radius: 8px; background: var(--sunk); }
        .finding + .finding { margin-top: .4rem; }
        .finding > .icon { margin-top: .22rem; width: 1.05rem; height: 1.05rem; }
        .finding .kind { margin-right: .35em; }
        .finding .kind::first-letter { text-transform: uppercase; }
        .finding.warning { background: var(--warn-tint); }
        .finding.warning > .icon, .finding.warning .kind { color: var(--warn); }
        .finding.note > .icon, .finding.note .kind { color: var(--soft); }
        .hint { color: var(--soft); font-size: .9rem; }
        .piece { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); column-gap: 1rem; }
        .piece + .piece { margin-top: 1.1rem; }
        .piece-from { color: var(--soft); font-size: .8125rem; line-height: 1.5rem; }
        .piece-from span { display: block; font-variant-numeric: tabular-nums; }
        .piece-from .icon { margin-right: .4em; }
        .piece-what { font-weight: 600; }
        .quote, .terminal, .words pre { background: var(--sunk); border: 1px solid var(--line); border-radius: 8px;
          padding: .6rem .85rem; margin-top: .4rem; max-height: 26rem; overflow: auto; }
        .quote strong { font-weight: 700; background: var(--mark); color: var(--mark-ink); border-radius: 3px;
          box-shadow: 0 0 0 2px var(--mark); }
        .jump { display: inline-block; margin: .4rem 1rem 0 0; font-size: .875rem; }
        .more, .note { color: var(--soft); font-size: .9rem; margin-block: .5rem; }
        .part { border-top: 1px solid var(--line); padding-block: .95rem; }
        .part > summary { cursor: pointer; margin-inline: -.4rem; padding-inline: .4rem; }
        .part > summary h3 { display: inline; margin: 0 .4rem 0 .1rem; }
        .part > summary .aside { font-size: .9rem; }
        .part[open] > summary { margin-bottom: .9rem; }
        .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15.5rem), 1fr));
          gap: .9rem 1.75rem; }
        .facts dt { color: var(--soft); font-size: .8125rem; }
        .facts dd { font-size: .9375rem; line-height: 1.45; }
        .facts .long { max-height: 12rem; overflow: auto; }
        .facts .bad dt, .facts .bad dd { color: var(--warn); }
        .facts dt .icon { margin-right: .35em; }
        .wide { overflow-x: auto; margin-top: 1.25rem; }
        .plain { border-collapse: collapse; font-size: .875rem; width: 100%; }
        .plain caption { text-align: left; color: var(--soft); font-size: .8125rem; padding-bottom: .25rem; }
        .plain th, .plain td { text-align: left; padding: .35rem 1.25rem .35rem 0; border-top: 1px solid var(--line);
          vertical-align: top; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
        .plain th { font-weight: 600; }
        .plain thead th { color: var(--soft); font-size: .8125rem; }
        .plain .number { text-align: right; width: 1%; }
        .events td:nth-child(2) { white-space: nowrap; }
        .events td:last-child { width: 85%; }
        .unanswered { color: var(--warn); }
        """

    static let screens = """
        .gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr));
          gap: 1.25rem 1.25rem; align-items: start; }
        .gallery li { min-width: 0; }
        .shot .open { display: block; border: 1px solid var(--line); border-radius: 8px; overflow: hidden;
          background: #000; aspect-ratio: 16 / 10; cursor: zoom-in; }
        .shot img { display: block; width: 100%; height: 100%; object-fit: contain; }
        .caption { font-size: .875rem; margin-top: .4rem; }
        .caption b { font-weight: 600; }
        .caption span { color: var(--soft); margin-left: .35rem; font-variant-numeric: tabular-nums; }
        .terminal { background: var(--screen); color: var(--screen-ink); font-size: .75rem; margin: 0; }
        .words { font-size: .875rem; }
        .words summary { cursor: pointer; color: var(--soft); }
        .words pre { font-size: .75rem; }
        .shot .close { display: none; }
        .shot:target { position: fixed; inset: 0; z-index: 9; background: #0c0e11; color: #eef0f3; display: flex;
          flex-direction: column; padding: 1rem; }
        .shot:target .open { flex: 1; min-height: 0; aspect-ratio: auto; border: 0; border-radius: 0; cursor: default;
          background: none; }
        .shot:target .caption { text-align: center; }
        .shot:target .caption span { color: #b9c0ca; }
        .shot:target .close { display: block; position: absolute; top: 1rem; right: 1rem; padding: .35rem .9rem;
          background: #eef0f3; color: #14181d; border-radius: 8px; text-decoration: none; font-weight: 600; }
        .none { color: var(--soft); border: 1px dashed var(--line); border-radius: 8px; padding: 2rem 1rem;
          text-align: center; }
        """

    static let log = """
        .log { display: flex; max-height: 34rem; overflow: auto; background: var(--sunk); border: 1px solid var(--line);
          border-radius: 8px; contain: content; }
        .log pre { white-space: pre; overflow-wrap: normal; padding: .7rem .9rem; flex: 1 0 auto; font-size: .75rem; }
        .log .gutter { flex: none; position: sticky; left: 0; background: var(--sunk); color: var(--soft);
          text-align: right; user-select: none; padding-right: .6rem; border-right: 1px solid var(--line); }
        .log mark { background: var(--mark); color: var(--mark-ink); font-weight: 700; scroll-margin: 8rem; }
        .log mark:target { outline: 2px solid var(--bad); outline-offset: 1px; }
        .tools { display: flex; flex-wrap: wrap; gap: .5rem; margin-bottom: .6rem; }
        .tools button { font: inherit; font-size: .8125rem; color: var(--ink); background: var(--card); cursor: pointer;
          border: 1px solid var(--line); border-radius: 6px; padding: .15rem .65rem; }
        .tools button[aria-pressed=true] { background: var(--dim); color: var(--dim-ink); }
        .on-paper { display: none; }
        """

    static let narrow = """
        @media (max-width: 860px) {
          .graph { display: none; }
          .columns { display: block; text-align: left; }
          .columns li { display: grid; grid-template-columns: 4.6rem minmax(0, 1fr); column-gap: 1.5rem;
            padding: 0 0 .8rem; position: relative; }
          .columns li > * { grid-column: 2; }
          .columns .when { grid-column: 1; grid-row: 1 / span 3; text-align: right; margin-top: .1rem;
            min-height: 0; }
          .columns .what { margin-top: 0; }
          .columns li::before { content: ""; position: absolute; left: 5.35rem; top: .45rem; bottom: -.45rem;
            border-left: 2px solid var(--bar-2); margin-left: -1px; grid-column: 1; }
          .columns li:last-child::before { display: none; }
          .columns li::after { content: ""; position: absolute; left: 5.35rem; top: .38rem; width: 11px; height: 11px;
            margin-left: -5.5px; border-radius: 50%; background: var(--bar); }
          .columns .start::after { background: var(--soft); }
          .columns .end.passed::after { background: var(--good); }
          .columns .end.failed::after { background: var(--bad); }
          .columns .end.unknown::after { background: var(--dim); }
          .missing { margin-top: .2rem; }
        }
        @media (max-width: 720px) {
          .page { padding: 1.1rem .75rem 3rem; }
          .hero, .image > :not(.hero) { padding-inline: 1rem; }
          .bar { padding-inline: 1rem; }
          .overview, .overview tbody { display: block; }
          .overview thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
          .overview tr { position: relative; display: flex; flex-wrap: wrap; gap: .25rem .7rem; padding: .75rem 1rem; align-items: center;
            border-top: 1px solid var(--line); }
          .overview td, .overview td:first-child, .overview td:last-child { display: block; padding: 0; border: 0;
            width: auto; min-width: 0; text-align: left; font-size: .875rem; }
          .overview .cell-image, .overview td.cell-image { order: -1; width: 100%; font-size: 1rem; }
          .overview td.cell-image { padding-right: 4.5rem; }
          .overview td.cell-time { position: absolute; top: .8rem; right: 1rem; }
          .cell-address.none-known { display: none !important; }
          .piece { grid-template-columns: minmax(0, 1fr); }
          .piece-from { display: flex; gap: .75rem; }
          .facts { grid-template-columns: repeat(auto-fill, minmax(min(100%, 9rem), 1fr)); }
          .quote, .terminal, .words pre { padding: .5rem .6rem; }
        }
        """

    static let paper = """
        @media print {
          :root { color-scheme: light; --page: #fff; --card: #fff; --sunk: #fff; --line: #b5bac4; --ink: #000;
            --soft: #444; --link: #000; --good: #000; --bad: #000; --dim: #000; --warn: #000; --good-ink: #000;
            --bad-ink: #000; --dim-ink: #000; --good-tint: #fff; --bad-tint: #fff; --dim-tint: #fff; --warn-tint: #fff;
            --mark: #e4e4e4; --mark-ink: #000; --bar: #555; --bar-2: #aaa; }
          .page { padding: 0; max-width: none; }
          .hero, .image > :not(.hero), .bar { padding-inline: 0; }
          .finding { padding-inline: 0; }
          .badge { background: none; border: 2px solid #000; }
          .badge.passed, .badge.failed, .badge.unknown { background: none; }
          .summary, .image { border: 0; border-radius: 0; margin: 0; }
          .summary, .image + .image { break-after: auto; }
          .image { border-top: 2px solid #000; overflow: visible; margin-top: 1.5rem; }
          .piece, .finding, .gallery li, .timeline, .hero, .facts > div { break-inside: avoid; }
          h2, h3 { break-after: avoid; }
          .quote, .terminal, .words pre, .facts .long { max-height: none; overflow: visible; }
          details:not(.serial)::details-content { content-visibility: visible; block-size: auto; }
          .serial, .tools, .filter, .jump, .back { display: none !important; }
          .on-paper { display: block; padding-block: 1rem; border-top: 1px solid var(--line); }
          .on-paper pre { font-size: .6875rem; }
          .shot:target { position: static; background: none; color: inherit; }
          .shot:target .close { display: none; }
          .gallery { grid-template-columns: repeat(2, 1fr); }
        }
        """
}
