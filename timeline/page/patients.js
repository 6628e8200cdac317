// Opens a patient's part when its link is followed, and draws its charts then; finds patients in the index.
(() => {
  const root = document.documentElement;
  const SVG_MARKS = 3000;
  let views = [];
  let open = null;
  let turn = 0;

  // The records of one patient's charts, by query: base64, gzip, JSON.
  async function records(part) {
    const packed = part.querySelector(".charts-of-patient");
    if (!packed) return {};
    const bytes = Uint8Array.from(atob(packed.textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  // The drawing that all share, with one patient's records put in.
  function specification(name, own) {
    const shared = JSON.parse(document.getElementById("shared-" + name).textContent);
    const { values = {}, ...keys } = own;
    const params = (shared.params || []).map((one) => (one.name in values ? { ...one, value: values[one.name] } : one));
    return { ...shared, ...(shared.params ? { params } : {}), ...keys };
  }

  function clear() {
    for (const view of views) view.finalize();
    views = [];
    for (const place of document.querySelectorAll("[data-patient-chart]")) place.replaceChildren();
  }

  async function draw(part) {
    // Whoever opens or closes a patient meanwhile has the last word.
    const own = ++turn;
    clear();
    delete part.dataset.charts;
    const found = await records(part);
    for (const place of part.querySelectorAll("[data-patient-chart]")) {
      const name = place.dataset.patientChart;
      if (own !== turn) return;
      if (!(name in found)) continue;
      const marks = found[name].datasets?.marks?.length ?? 0;
      // Thousands of marks are too many for elements; a canvas draws them while the wheel turns.
      const renderer = marks > SVG_MARKS ? "canvas" : "svg";
      const view = await drawing.draw(place, specification(name, found[name]), name, renderer);
      if (own !== turn) return view.finalize();
      views.push(view);
    }
    part.dataset.charts = "drawn";
  }

  function close() {
    if (!open) return;
    turn++;
    clear();
    delete open.dataset.charts;
    open.classList.remove("open");
    for (const link of document.querySelectorAll(".people a")) link.removeAttribute("aria-current");
    open = null;
  }

  function show() {
    // The anchor stands in the page as it stands in the link, percent signs and all.
    const part = document.getElementById(location.hash.slice(1));
    if (!part || !part.classList.contains("patient")) {
      if (!part || !open?.contains(part)) close();
      return;
    }
    if (open !== part) {
      close();
      open = part;
      part.classList.add("open");
      for (const link of document.querySelectorAll(".people a")) {
        if (link.getAttribute("href") === location.hash) link.setAttribute("aria-current", "true");
      }
      if (typeof drawing !== "undefined") draw(part);
    }
    part.scrollIntoView();
    part.querySelector("h3").focus({ preventScroll: true });
  }

  function filter() {
    const box = document.getElementById("find-patient");
    const lines = [...document.querySelectorAll(".people li")];
    const told = document.getElementById("found-patients");
    box.closest("p").hidden = false;
    box.addEventListener("input", () => {
      const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const line of lines) line.hidden = !words.every((word) => line.dataset.words.includes(word));
      const count = lines.filter((line) => !line.hidden).length;
      told.textContent = words.length ? `${count} of ${lines.length}` : "";
    });
    box.addEventListener("keydown", (event) => {
      const first = lines.find((line) => !line.hidden);
      if (event.key === "Enter" && first) first.querySelector("a").click();
    });
  }

  root.classList.add("scripted");
  filter();
  addEventListener("hashchange", show);
  if (typeof drawing !== "undefined") drawing.dark.addEventListener("change", () => open && draw(open));
  show();
  // The browser goes to the anchor once more when all is loaded, and takes the focus away.
  addEventListener("load", () => setTimeout(show));
})();
