// Keeps the contents at the reader's place, and opens what is folded for print.
(() => {
  const contents = document.querySelector(".contents details");

  // The line of the contents that the reader is at.
  function follow() {
    const lines = new Map([...contents.querySelectorAll("a")].map((line) => [line.hash.slice(1), line]));
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries.filter((entry) => entry.isIntersecting)) {
        for (const line of lines.values()) line.removeAttribute("aria-current");
        lines.get(entry.target.id).setAttribute("aria-current", "true");
      }
    }, { rootMargin: "-10% 0px -80% 0px" });
    for (const part of document.querySelectorAll("main article[id]")) if (lines.has(part.id)) seen.observe(part);
  }

  // Paper has no folds: what is folded opens for print and closes again.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details.folded:not([open])")];
    for (const fold of opened) fold.open = true;
  });
  addEventListener("afterprint", () => { for (const fold of opened) fold.open = false; });

  contents.open = matchMedia("(min-width: 82rem)").matches;
  follow();
})();
