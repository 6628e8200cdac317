// Draws every chart of the page, in the colours of day or of night as the reader's system asks.
(() => {
  const night = JSON.parse(document.getElementById("night").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function specification(name) {
    const spec = JSON.parse(document.getElementById("chart-" + name).textContent);
    if (!dark.matches) return spec;
    // Only the drawing changes its colours; the data stay as they are.
    const { datasets, ...drawing } = spec;
    const text = JSON.stringify(drawing).replace(/#[0-9a-f]{6}/g, (colour) => night[colour] || colour);
    return { ...JSON.parse(text), datasets };
  }

  async function draw() {
    for (const place of document.querySelectorAll("[data-chart]")) {
      const name = place.dataset.chart;
      const spec = specification(name);
      const drawn = await vegaEmbed(place, spec, {
        renderer: "svg",
        downloadFileName: name,
        actions: { export: true, source: false, compiled: false, editor: false },
      });
      if (spec.usermeta && spec.usermeta.pages) await pagesOf(place, drawn.view, spec.usermeta.pages);
    }
    document.documentElement.dataset.charts = "drawn";
  }

  dark.addEventListener("change", draw);
  draw();
})();
