extension LoaderMenuHook {
    /// The plugin behind its settings: POSIX sh and awk. What it does line by line is `LoaderEntry`, `LoaderEntries`,
    /// `GrubScript` and `VersionOrder`, under the same names where awk allows it.
    static let program = #"""
        [ "${1:-add}" = add ] || [ "$1" = remove ] || exit 0
        LC_ALL=C
        export LC_ALL entries mount subvolume uuid style
        [ -d "$entries" ] || exit 0
        new=$menu.new
        awk '
        function quoted(text, i, c, out) {
            out = Q
            for (i = 1; i <= length(text); i++) {
                c = substr(text, i, 1)
                out = out (c == Q ? Q "\\" Q Q : c)
            }
            return out Q
        }
        function literal(text) { return text ~ /^[A-Za-z0-9_.,:=@%+\/-]+$/ ? text : quoted(text) }
        function flush() {
            if (piece != "") word = word literal(piece)
            piece = ""
        }
        function words(text, i, c, name, quote, out) {
            out = word = piece = quote = ""
            for (i = 1; i <= length(text); i++) {
                c = substr(text, i, 1)
                if (quote == "" && (c == " " || c == "\t")) {
                    flush()
                    if (word != "") out = out (out == "" ? "" : " ") word
                    word = ""
                } else if (c == quote) {
                    quote = ""
                } else if (quote == "" && (c == Q || c == "\"")) {
                    quote = c
                } else if (c == "\\" && quote != Q) {
                    c = substr(text, i + 1, 1)
                    if (quote == "" || c == "$" || c == "\"" || c == "\\") i++; else c = "\\"
                    piece = piece c
                } else if (c == "$" && quote != Q && match(substr(text, i + 1), VARIABLE)) {
                    name = substr(text, i + 1, RLENGTH)
                    i += RLENGTH
                    gsub(/[{}]/, "", name)
                    flush()
                    word = word (quote == "" ? "${" name "}" : "\"${" name "}\"")
                } else {
                    piece = piece c
                }
            }
            flush()
            if (word != "") out = out (out == "" ? "" : " ") word
            return out
        }
        function order(a, b, m, n, x, y) {
            while (a != "" || b != "") {
                sub(/^[^A-Za-z0-9~+]+/, "", a)
                sub(/^[^A-Za-z0-9~+]+/, "", b)
                m = substr(a, 1, 1)
                n = substr(b, 1, 1)
                if (m == "~" || n == "~") {
                    if (m != "~") return 1
                    if (n != "~") return -1
                    a = substr(a, 2)
                    b = substr(b, 2)
                    continue
                }
                if (m == "+" || n == "+") {
                    if (a == "") return -1
                    if (b == "") return 1
                    if (m != "+") return 1
                    if (n != "+") return -1
                    a = substr(a, 2)
                    b = substr(b, 2)
                    continue
                }
                if (a == "" || b == "") break
                if (m ~ /[0-9]/) {
                    if (!match(b, /^[0-9]+/)) return 1
                    y = substr(b, 1, RLENGTH)
                    match(a, /^[0-9]+/)
                    x = substr(a, 1, RLENGTH)
                    a = substr(a, length(x) + 1)
                    b = substr(b, length(y) + 1)
                    sub(/^0+/, "", x)
                    sub(/^0+/, "", y)
                    if (length(x) != length(y)) return length(x) > length(y) ? 1 : -1
                } else {
                    if (!match(b, /^[A-Za-z]+/)) return -1
                    y = substr(b, 1, RLENGTH)
                    match(a, /^[A-Za-z]+/)
                    x = substr(a, 1, RLENGTH)
                    a = substr(a, length(x) + 1)
                    b = substr(b, length(y) + 1)
                }
                if (("x" x) != ("x" y)) return (("x" x) > ("x" y)) ? 1 : -1
            }
            return a != "" ? 1 : b != "" ? -1 : 0
        }
        function parts(id, field, at) {
            at = match(id, /-[^-]*$/)
            if (!at) return field == 1 ? id : ""
            if (field == 3) return match(substr(id, 1, at - 1), /-[^-]*$/) ? substr(id, at + 1) : ""
            name = substr(id, 1, at - 1)
            if (!match(name, /-[^-]*$/)) return field == 1 ? name : substr(id, at + 1)
            return field == 1 ? substr(name, 1, RSTART - 1) : substr(name, RSTART + 1)
        }
        function before(a, b, r, i) {
            if (style == "systemd") {
                if (spent[a] != spent[b]) return spent[b]
                if ((key[a] != "") != (key[b] != "")) return key[a] != ""
                if (key[a] != "") {
                    if (key[a] != key[b]) return ("x" key[a]) < ("x" key[b])
                    if (machine[a] != machine[b]) return ("x" machine[a]) < ("x" machine[b])
                    r = order(version[a], version[b])
                    if (r) return r > 0
                }
                r = order(id[a], id[b])
                if (r) return r > 0
            } else {
                for (i = 1; i <= 3; i++) {
                    r = order(parts(id[a], i), parts(id[b], i))
                    if (r) return r > 0
                }
            }
            return ("x" id[a]) > ("x" id[b])
        }
        function there(file, line, found) {
            found = (getline line < file) >= 0
            close(file)
            return found
        }
        function place(path) {
            if (path !~ /^\//) path = "/" path
            if (("/" path "/") ~ /\/\.\.\//) return ""
            if (subvolume != "" && index(path, "/" subvolume "/") == 1) {
                found = there(mount substr(path, length(subvolume) + 2))
                if (found) return path
            }
            found = there(mount path)
            return (subvolume == "" ? "" : "/" subvolume) path
        }
        function matches(pattern, text, c) {
            while (pattern != "") {
                c = substr(pattern, 1, 1)
                pattern = substr(pattern, 2)
                if (c == "*") {
                    while (substr(pattern, 1, 1) == "*") pattern = substr(pattern, 2)
                    if (pattern == "") return 1
                    for (; text != ""; text = substr(text, 2)) if (matches(pattern, text)) return 1
                    return 0
                }
                if (text == "" || (c != "?" && c != substr(text, 1, 1))) return 0
                text = substr(text, 2)
            }
            return text == ""
        }
        function read(file, line, name, value) {
            n++
            id[n] = file
            sub(/.*\//, "", id[n])
            sub(/\.conf$/, "", id[n])
            spent[n] = 0
            if (style == "systemd" && match(id[n], /\+[0-9]+(-[0-9]+)?$/)) {
                spent[n] = substr(id[n], RSTART) ~ /^\+0+(-|$)/ ? 1 : 0
                id[n] = substr(id[n], 1, RSTART - 1)
            }
            title[n] = linux[n] = initrd[n] = options[n] = version[n] = machine[n] = key[n] = users[n] = classes[n] = ""
            while ((getline line < file) > 0) {
                gsub(/[\001-\010\013-\037\177]/, "", line)
                sub(/^[ \t]+/, "", line)
                sub(/[ \t]+$/, "", line)
                if (line ~ /^#/ || !match(line, /[ \t]+/)) continue
                name = substr(line, 1, RSTART - 1)
                value = substr(line, RSTART + RLENGTH)
                if (name == "title") title[n] = value
                else if (name == "linux") linux[n] = value
                else if (name == "initrd") initrd[n] = initrd[n] " " value
                else if (name == "options") options[n] = options[n] (options[n] == "" ? "" : " ") value
                else if (name == "version") version[n] = value
                else if (name == "machine-id") machine[n] = value
                else if (name == "sort-key") key[n] = value
                else if (name == "grub_users") users[n] = value
                else if (name == "grub_class") classes[n] = classes[n] " --class " quoted(value)
            }
            close(file)
            if (linux[n] == "") { n--; return }
            linux[n] = place(linux[n])
            if (linux[n] == "" || !found) { n--; return }
        }
        function settings(file, line, timeout, pattern, i) {
            timeout = "3"
            while ((getline line < file) > 0) {
                sub(/^[ \t]+/, "", line)
                sub(/[ \t\r]+$/, "", line)
                if (line ~ /^timeout[ \t]+[0-9]+$/) timeout = line
                else if (line ~ /^timeout[ \t]+menu-force$/) timeout = "-1"
                else if (line ~ /^timeout[ \t]+menu-(hidden|disabled)$/) timeout = "0"
                else if (line ~ /^default[ \t]/) pattern = line
            }
            close(file)
            sub(/^timeout[ \t]+/, "", timeout)
            if (length(timeout) > 6) timeout = "3"
            sub(/^default[ \t]+/, "", pattern)
            print "set timeout=" timeout
            if (pattern == "" || pattern ~ /^@/ || length(pattern) > 255) return
            for (i = 1; i <= n; i++) {
                if (matches(pattern, id[sorted[i]]) || matches(pattern, id[sorted[i]] ".conf")) {
                    print "set default=" quoted(id[sorted[i]])
                    return
                }
            }
        }
        BEGIN {
            Q = "\047"
            VARIABLE = "^([A-Za-z_][A-Za-z0-9_]*|[{][A-Za-z_][A-Za-z0-9_]*[}])"
            style = ENVIRON["style"]
            subvolume = ENVIRON["subvolume"]
            mount = ENVIRON["mount"]
            if (mount == "/") mount = ""
            for (i = 1; i < ARGC; i++) read(ARGV[i])
            if (!n) exit 1
            for (i = 1; i <= n; i++) {
                for (j = i - 1; j >= 1 && before(i, sorted[j]); j--) sorted[j + 1] = sorted[j]
                sorted[j + 1] = i
            }
            print "# Written by rehost from " ENVIRON["entries"] ", and again whenever a kernel comes or goes."
            if (style == "systemd") {
                file = ENVIRON["entries"]
                sub(/\/entries$/, "/loader.conf", file)
                settings(file)
            } else {
                print "if [ -z \"${grub_users}\" ]; then"
                print "    set rehost_users=--unrestricted"
                print "else"
                print "    set rehost_users=\"--users ${grub_users}\""
                print "fi"
            }
            for (i = 1; i <= n; i++) {
                e = sorted[i]
                access = users[e] ~ /[$]/ ? "${rehost_users}" : users[e] == "" ? "--unrestricted" : "--users " quoted(users[e])
                print "menuentry " quoted(title[e] == "" ? id[e] : title[e]) classes[e] " " access " --id " quoted(id[e]) " {"
                print "    search --no-floppy --fs-uuid --set=root " ENVIRON["uuid"]
                text = options[e] == "" ? "" : words(options[e])
                if (options[e] == "" && style != "systemd") text = "${default_kernelopts}"
                print "    linux " quoted(linux[e]) (text == "" ? "" : " " text)
                files = ""
                count = split(initrd[e], list, /[ \t]+/)
                for (j = 1; j <= count; j++) {
                    if (list[j] == "") continue
                    text = list[j] ~ /^[$]/ ? words(list[j]) : place(list[j])
                    if (list[j] !~ /^[$]/ && text != "") text = quoted(text)
                    if (text != "") files = files " " text
                }
                if (files != "") print "    initrd" files
                print "}"
            }
            exit 0
        }' "$entries"/*.conf > "$new" && mv -f "$new" "$menu" && sync && exit 0
        # The old menu stays; a plugin that fails would stop what kernel-install is doing.
        rm -f "$new"
        echo "rehost: could not make '$menu' from '$entries'" >&2
        exit 0

        """#
}
