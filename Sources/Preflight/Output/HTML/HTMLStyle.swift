/// The page's style sheet.
enum HTMLStyle {
    static let source = [colours, base, top, image, timeline, parts, screens, log, narrow, paper].joined(
        separator: "\n")

    private static let colours = """
        :root {
          color-scheme: light dark;
          --page: #f4f5f7; --card: #ffffff; --sunk: #f6f7f9; --line: #dfe2e8; --ink: #1b1f26; --soft: #545c6a;
          --link: #0b57c2; --bar: #3f6fb5; --bar-2: #93b1dd;
          --good: #17693a; --good-ink: #ffffff; --good-tint: #e6f4ea;
          --bad: #b42318; --bad-ink: #ffffff; --bad-tint: #fdeceb;
          --dim: #5a6473; --dim-ink: #ffffff; --dim-tint: #eceff3;
          --warn: #855200; --warn-tint: #fff4dc; --mark: #ffe9a8; --mark-ink: #1b1f26;
          --screen: #101317; --screen-ink: #e4e7ec;
          --mono: ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono",
            "Liberation Mono", monospace;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #111418; --card: #1a1e24; --sunk: #14181d; --line: #313842; --ink: #e7eaef; --soft: #a5aebb;
            --link: #86b6ff; --bar: #7aa7ea; --bar-2: #41628f;
            --good: #5fd08a; --good-ink: #06210f; --good-tint: #14291c;
            --bad: #ff8b80; --bad-ink: #2f0703; --bad-tint: #341a18;
            --dim: #a9b3c1; --dim-ink: #14181d; --dim-tint: #262c34;
            --warn: #f0bd5c; --warn-tint: #2f2615; --mark: #5c4a14; --mark-ink: #fff3d0;
            --screen: #0b0d10;
          }
        }
        """

    private static let base = """
        * { box-sizing: border-box; }
        [hidden] { display: none !important; }
        html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
        body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.5; overflow-wrap: anywhere;
          font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; }
        .page { max-width: 1240px; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
        h1, h2, h3, h4, p, ul, ol, dl, dd, figure, pre { margin: 0; padding: 0; }
        ul, ol { list-style: none; }
        h1 { font-size: 1.65rem; line-height: 1.25; letter-spacing: -.015em; }
        h2 { font-size: 1.35rem; line-height: 1.3; letter-spacing: -.01em; }
        h3 { font-size: 1rem; line-height: 1.4; }
        h4 { font-size: .875rem; margin: 1.25rem 0 .5rem; color: var(--soft); }
        a { color: var(--link); text-underline-offset: .15em; }
        :focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
        pre { font: .8125rem/1.55 var(--mono); white-space: pre-wrap; tab-size: 8; }
        .sprite { position: absolute; width: 0; height: 0; overflow: hidden; }
        .icon { width: 1em; height: 1em; flex: none; fill: none; stroke: currentColor; stroke-width: 1.6;
          stroke-linecap: round; stroke-linejoin: round; vertical-align: -.12em; }
        .unseen { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; white-space: nowrap; }
        .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        .badge { display: inline-flex; align-items: center; gap: .4em; padding: .16em .62em .16em .5em;
          border-radius: 6px; font-weight: 650; font-size: .875rem; line-height: 1.45; white-space: nowrap;
          border: 1px solid transparent; }
        .badge .icon { stroke-width: 2.4; }
        .badge.big { font-size: 1.2rem; padding: .26em .8em .26em .62em; border-radius: 8px; }
        .badge.passed { background: var(--good); color: var(--good-ink); }
        .badge.failed { background: var(--bad); color: var(--bad-ink); }
        .badge.unknown { background: var(--dim); color: var(--dim-ink); }
        .aside { color: var(--soft); font-weight: 400; }
        """

    private static let top = """
        .top { margin-bottom: 1.5rem; }
        .meta { color: var(--soft); margin-top: .25rem; }
        .totals { display: flex; flex-wrap: wrap; gap: .35rem 1.5rem; margin-top: 1rem; font-size: 1.05rem; }
        .total .icon { margin-right: .35em; stroke-width: 2.4; }
        .total.passed > .icon, .total.passed > b { color: var(--good); }
        .total.failed > .icon, .total.failed > b { color: var(--bad); }
        .summary, .image { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
          margin-bottom: 1.5rem; }
        .bar { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; justify-content: space-between;
          align-items: baseline; padding: 1.1rem 1.5rem .6rem; }
        .filter { font-size: .9rem; color: var(--soft); cursor: pointer; }
        .overview { width: 100%; border-collapse: collapse; }
        .overview th { text-align: left; font-size: .8125rem; font-weight: 600; color: var(--soft); }
        .overview th.number { text-align: right; }
        .overview th, .overview td { padding: .6rem .75rem; border-top: 1px solid var(--line); vertical-align: top; }
        .overview thead th { border-top: 0; padding-block: .25rem .45rem; }
        .overview th:first-child, .overview td:first-child { padding-left: 1.5rem; }
        .overview th:last-child, .overview td:last-child { padding-right: 1.5rem; }
        .overview td { line-height: 1.55rem; }
        .cell-verdict { width: 1%; }
        .cell-image { width: 46%; min-width: 12rem; }
        .cell-image a { font-weight: 600; margin-right: .75rem; }
        .cell-level { white-space: nowrap; }
        .cell-address { font-variant-numeric: tabular-nums; }
        .why { display: block; color: var(--soft); font-size: .875rem; line-height: 1.4; max-width: 44rem; }
        .warned { color: var(--warn); font-size: .875rem; white-space: nowrap; }
        .warned .icon { margin-right: .3em; }
        .steps { display: inline-flex; gap: 2px; margin-right: .6rem; vertical-align: -1px; }
        .steps i { width: 5px; height: 12px; border-radius: 1.5px; background: var(--line); }
        .steps i.seen { background: var(--bar); }
        """

    private static let image = """
        .image { overflow: clip; }
        .image > :not(.hero) { padding-inline: 1.5rem; }
        .image h3 { margin-bottom: .6rem; }
        .hero { padding: 1.5rem 1.5rem 1.35rem; border-bottom: 1px solid var(--line); }
        .image.passed .hero { background: var(--good-tint); }
        .image.failed .hero { background: var(--bad-tint); }
        .image.unknown .hero { background: var(--dim-tint); }
        .hero-line { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; }
        .took { color: var(--soft); }
        .took b { color: var(--ink); font-weight: 600; }
        .back { margin-left: auto; font-size: .875rem; }
        .hero h2 { margin-top: .9rem; }
        .hero h2.unseen { margin: 0; }
        .unseen + .path, .unseen + .reason { margin-top: .9rem; }
        .path { font: .8125rem/1.5 var(--mono); color: var(--soft); }
        .reason { margin-top: .55rem; font-size: 1.075rem; max-width: 62rem; }
        .remedy { margin-top: .7rem; padding: .6rem .9rem; background: var(--card); border: 1px solid var(--line);
          border-radius: 8px; }
        .remedy b { margin-right: .5em; }
        .chips { display: flex; flex-wrap: wrap; gap: .4rem; margin-top: 1rem; font-size: .8125rem; }
        .chips li { padding: .12rem .55rem; border: 1px solid var(--line); border-radius: 6px; background: var(--card);
          font-weight: 550; }
        .chips span { color: var(--soft); font-weight: 400; margin-right: .2em; }
        .image > section { padding-block: 1.35rem; }
        .image > section + section { border-top: 1px solid var(--line); }
        .foot { padding-block: .8rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .8125rem; }
        .disks { list-style: decimal; padding-left: 1.4em; margin-bottom: .4rem; }
        """

    private static let timeline = """
        .graph { display: block; width: 100%; height: 52px; overflow: visible; }
        .graph path { fill: none; vector-effect: non-scaling-stroke; }
        .graph .span { stroke-width: 5; }
        .graph .odd { stroke: var(--bar); }
        .graph .even { stroke: var(--bar-2); }
        .graph .rest { stroke: var(--line); }
        .graph .rest.failed { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 4 5; }
        .graph .lead { stroke: var(--soft); stroke-width: 1; opacity: .5; }
        .graph .dot { stroke-width: 11; stroke-linecap: round; stroke: var(--bar); }
        .graph .dot.start { stroke: var(--soft); }
        .graph .dot.passed { stroke: var(--good); stroke-width: 15; }
        .graph .dot.failed { stroke: var(--bad); stroke-width: 15; }
        .graph .dot.unknown { stroke: var(--dim); stroke-width: 15; }
        .columns { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); text-align: center; }
        .columns li { padding: .3rem .35rem 0; min-width: 0; line-height: 1.35; }
        .columns .when, .columns .what, .columns .sign, .columns .from { display: block; }
        .when { font-variant-numeric: tabular-nums; font-size: .875rem; }
        .columns .when { min-height: 2.2rem; }
        .step { color: var(--soft); font-size: .75rem; display: block; }
        .what { font-size: .875rem; margin-top: .15rem; }
        .from { color: var(--soft); font-size: .75rem; margin-top: .1rem; }
        .sign { font: .6875rem/1.4 var(--mono); color: var(--soft); margin-top: .3rem; max-height: 5.6em;
          overflow: hidden; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 4; }
        .columns .sign { display: -webkit-box; }
        .columns .end.passed .what { color: var(--good); }
        .columns .end.failed .what { color: var(--bad); }
        .columns .start .what { font-weight: 500; }
        .missing { color: var(--soft); font-size: .875rem; margin-top: .9rem; }
        """
}
