/// The page's script. Everything can be read without it.
enum HTMLScript {
    static let source = """
        "use strict";
        (function () {
          var all = function (what, inside) { return Array.from((inside || document).querySelectorAll(what)); };
          // A link into something folded opens it.
          function reveal() {
            var target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
            if (!target) return;
            var folded = false;
            for (var node = target.parentElement; node; node = node.parentElement) {
              if (node.tagName === "DETAILS" && !node.open) { node.dataset.revealed = "yes"; node.open = folded = true; }
            }
            if (target.tagName === "MARK" || folded) target.scrollIntoView({ block: "center" });
            var close = target.querySelector(".close");
            if (target.classList.contains("shot") && close) close.focus({ preventScroll: true });
          }
          addEventListener("hashchange", reveal);
          addEventListener("keydown", function (event) {
            var shot = event.key === "Escape" && document.querySelector(".shot:target");
            if (!shot) return;
            shot.querySelector(".close").click();
            shot.querySelector(".open").focus({ preventScroll: true });
          });
          all("details.serial").forEach(function (part) {
            var box = part.querySelector(".log"), text = box.querySelector("pre"), at = -1;
            var marks = all("mark", text);
            part.querySelector(".tools").hidden = false;
            part.addEventListener("toggle", function () {
              // The end of a log is what one looks for, unless a link came for a mark.
              if (part.open && !part.dataset.revealed) box.scrollTop = box.scrollHeight;
              delete part.dataset.revealed;
            });
            part.addEventListener("click", function (event) {
              var button = event.target.closest("button");
              if (!button) return;
              if (button.dataset.log === "end") box.scrollTop = box.scrollHeight;
              if (button.dataset.log === "next" && marks.length) {
                at = (at + 1) % marks.length;
                box.scrollTop += marks[at].getBoundingClientRect().top - box.getBoundingClientRect().top
                  - box.clientHeight / 3;
              }
              if (button.dataset.log === "numbers") {
                var old = box.querySelector(".gutter");
                button.setAttribute("aria-pressed", String(!old));
                if (old) { old.remove(); return; }
                var count = text.textContent.split("\\n").length - 1, numbers = [];
                for (var n = 0; n < count; n++) numbers.push(Number(box.dataset.first) + n);
                var gutter = document.createElement("pre");
                gutter.className = "gutter";
                gutter.setAttribute("aria-hidden", "true");
                gutter.textContent = numbers.join("\\n");
                box.prepend(gutter);
              }
            });
          });
          var only = document.getElementById("only-failed");
          if (only) {
            only.closest(".filter").hidden = false;
            var apply = function () {
              all("[data-outcome=passed]").forEach(function (node) { node.hidden = only.checked; });
            };
            only.addEventListener("change", apply);
            apply();
          }
          // On paper everything is open but the whole serial log: its end is printed instead.
          var opened = [];
          addEventListener("beforeprint", function () {
            opened = all("details:not([open]):not(.serial)");
            opened.forEach(function (part) { part.open = true; });
          });
          addEventListener("afterprint", function () { opened.forEach(function (part) { part.open = false; }); });
          reveal();
        })();
        """
}
