// Turns the pages of a chart whose data come in pages: one is drawn, the script puts another's data in its place.
function pagesOf(place, view, pages, drawn) {
  const tag = (name, text, options = {}) => Object.assign(document.createElement(name), { textContent: text, ...options });

  // Columns become the records that the chart reads; coded words are places in the list of words.
  function records(columns, coded) {
    const fields = Object.keys(columns);
    const count = fields.length ? columns[fields[0]].length : 0;
    return Array.from({ length: count }, (_, i) => {
      const record = {};
      for (const field of fields) {
        const cell = columns[field][i];
        record[field] = coded && cell !== null && pages.coded.includes(field) ? pages.words[cell] : cell;
      }
      return record;
    });
  }

  async function show(at) {
    place.dataset.page = at;
    choice.value = at;
    before.disabled = at === 0;
    after.disabled = at === pages.of.length - 1;
    for (const [name, columns] of Object.entries(pages.of[at])) view.data(name, records(columns, name === "marks"));
    await view.runAsync();
    drawn(place);
    said.textContent = pages.names[at];
  }

  const bar = tag("div", "", { className: "pages" });
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "Pages of the chart");
  const before = tag("button", "Previous", { type: "button" });
  const after = tag("button", "Next", { type: "button" });
  const choice = tag("select", "");
  choice.setAttribute("aria-label", "Page");
  pages.names.forEach((name, i) => choice.append(tag("option", name, { value: i })));
  const said = tag("span", "", { className: "said" });
  said.setAttribute("role", "status");
  before.addEventListener("click", () => show(Number(choice.value) - 1));
  after.addEventListener("click", () => show(Number(choice.value) + 1));
  choice.addEventListener("change", () => show(Number(choice.value)));
  bar.append(before, choice, after, said);
  const old = place.previousElementSibling;
  if (old && old.classList.contains("pages")) old.remove();
  place.before(bar);
  // The colours of night draw the chart anew: the reader stays on the page.
  return show(Number(place.dataset.page || 0));
}
