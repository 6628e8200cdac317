// Draws every chart of the page, in the colours of day or of night as the reader's system asks.
const drawing = (() => {
  const night = JSON.parse(document.getElementById("night").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function coloured(spec) {
    if (!dark.matches) return spec;
    // Only the drawing changes its colours; the data stay as they are.
    const { datasets, ...drawing } = spec;
    const text = JSON.stringify(drawing).replace(/#[0-9a-f]{6}/g, (colour) => night[colour] || colour);
    return { ...JSON.parse(text), datasets };
  }

  // What there is to say of a mark; lines without a word are left out. `clean` escapes what came from data.
  function told(value, clean) {
    if (typeof value !== "object" || value === null) return clean(String(value));
    const lines = Object.entries(value).filter(([, words]) => words !== "" && words !== null && words !== undefined);
    const cells = ([key, words]) => `<tr><td class="key">${clean(key)}</td><td class="value">${clean(String(words))}</td></tr>`;
    return `<table>${lines.map(cells).join("")}</table>`;
  }

  // Links inside a picture are for the pointer only; the keyboard gets to them, too, and Enter follows them. What has
  // no name is no symbol to be read out.
  function reachable(place) {
    for (const menu of place.querySelectorAll("summary")) menu.setAttribute("aria-label", "Save this chart");
    for (const group of place.querySelectorAll("svg [role='graphics-symbol']:not([aria-label])")) group.removeAttribute("role");
    for (const name of place.querySelectorAll("svg text")) {
      const item = name.__data__;
      if (!item || !item.href) continue;
      name.setAttribute("tabindex", "0");
      name.setAttribute("role", "link");
      name.setAttribute("aria-label", item.tooltip || item.text);
      name.onkeydown = (event) => { if (event.key === "Enter") location.assign(item.href); };
    }
  }

  async function draw(place, spec, name, renderer = "svg") {
    const drawn = await vegaEmbed(place, coloured(spec), {
      renderer,
      downloadFileName: name,
      tooltip: { formatTooltip: told },
      actions: { export: true, source: false, compiled: false, editor: false },
    });
    reachable(place);
    return drawn;
  }

  async function drawAll() {
    for (const place of document.querySelectorAll("[data-chart]")) {
      const name = place.dataset.chart;
      const spec = JSON.parse(document.getElementById("chart-" + name).textContent);
      const drawn = await draw(place, spec, name);
      if (spec.usermeta && spec.usermeta.pages) await pagesOf(place, drawn.view, spec.usermeta.pages, reachable);
    }
    document.documentElement.dataset.charts = "drawn";
  }

  dark.addEventListener("change", drawAll);
  drawAll();
  return { draw, dark };
})();
