/// The page's pictograms, drawn on 16 by 16 in the text's colour.
enum Icons {
    static let sprite: Markup = """
        <svg class="sprite" aria-hidden="true">
        <symbol id="i-passed" viewBox="0 0 16 16"><path d="M3 8.5 6.5 12 13 4.5"/></symbol>
        <symbol id="i-failed" viewBox="0 0 16 16"><path d="m4 4 8 8M12 4l-8 8"/></symbol>
        <symbol id="i-unknown" viewBox="0 0 16 16"><path d="M5.2 5.6a2.8 2.8 0 1 1 4.2 2.4c-.9.5-1.4 1-1.4 2M8 12.8v.1"/>\
        </symbol>
        <symbol id="i-warning" viewBox="0 0 16 16"><path d="M8 2.2 14.4 13.4H1.6ZM8 6.6v3M8 11.5v.1"/></symbol>
        <symbol id="i-note" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.2"/><path d="M8 7.4v3.8M8 4.9v.1"/></symbol>
        <symbol id="i-firmware" viewBox="0 0 16 16"><path d="M4 4h8v8H4ZM6 4V2M10 4V2M6 14v-2M10 14v-2M4 6H2M4 10H2M14 6\
        h-2M14 10h-2"/></symbol>
        <symbol id="i-serial" viewBox="0 0 16 16"><path d="M1.8 3h12.4v10H1.8ZM4.5 6l2 2-2 2M8.5 10.3h3"/></symbol>
        <symbol id="i-screen" viewBox="0 0 16 16"><path d="M1.8 2.8h12.4v8.4H1.8ZM8 11.2v2.4M5 13.8h6"/></symbol>
        <symbol id="i-network" viewBox="0 0 16 16"><path d="M6 2h4v3.4H6ZM1.6 10.6h4V14h-4ZM10.4 10.6h4V14h-4ZM8 5.4V8M3.6\
         10.6V8h8.8v2.6"/></symbol>
        <symbol id="i-witness" viewBox="0 0 16 16"><path d="M1.4 8C3 5 5.3 3.6 8 3.6S13 5 14.6 8C13 11 10.7 12.4 8 12.4S3 11\
         1.4 8Z"/><circle cx="8" cy="8" r="1.9"/></symbol>
        <symbol id="i-agent" viewBox="0 0 16 16"><path d="M2 3h12v8H7.5L4.5 13.6V11H2Z"/></symbol>
        <symbol id="i-machine" viewBox="0 0 16 16"><path d="M2 3h12v4.4H2ZM2 8.6h12V13H2ZM4.6 5.2v.1M4.6 10.8v.1"/></symbol>
        <symbol id="i-disk" viewBox="0 0 16 16"><path d="M2.6 4.2v7.6c0 1 2.4 1.8 5.4 1.8s5.4-.8 5.4-1.8V4.2"/>\
        <ellipse cx="8" cy="4.2" rx="5.4" ry="1.9"/></symbol>
        </svg>
        """
}
