"use strict";
// A table of many videos: sorted by any column, filtered, with the columns that are wanted.
(() => {
  const { data, byId, make, number } = page;
  if (data.kind !== "table") return;

  const PAGE = 100;
  const { columns, rows } = data;
  const host = byId("table");
  const visible = columns.map((c) => c.shown);
  let sorted = { column: null, down: false };
  let most = PAGE;
  let terms = [];

  const search = make("input", { type: "search", "aria-label": "Filter", placeholder: "Filter: x265 " +
    (data.example ? `${data.example}<80` : ""), autocomplete: "off", spellcheck: "false",
    on: { input: () => { terms = parse(search.value); most = PAGE; draw(); } } });
  const count = make("span", { class: "hint num", role: "status" });
  const table = make("table");
  const more = make("button", { type: "button", on: { click: () => { most += PAGE * 5; draw(); } } }, "Show more rows");
  const boxes = make("div", { class: "boxes" });
  columns.forEach((column, i) => {
    const box = make("input", { type: "checkbox", on: { change: () => { visible[i] = box.checked; draw(); } } });
    box.checked = visible[i];
    boxes.append(make("label", {}, box, column.name));
  });
  host.append(
    make("div", { class: "tools" }, search, count),
    make("p", { class: "hint" }, "Words must occur in a row; ", make("code", {}, "column<80"), ", ",
      make("code", {}, "column>80"), " and ", make("code", {}, "column=word"), " compare one column."),
    make("details", {}, make("summary", {}, `Columns (${columns.length})`), boxes),
    make("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Table of videos" }, table),
    make("div", { class: "tools" }, more));

  function parse(text) {
    return text.trim().split(/\s+/).filter(Boolean).map((word) => {
      const found = /^(.+?)(<=|>=|<|>|=)(.+)$/.exec(word);
      if (!found) return { word: word.toLowerCase() };
      const name = found[1].toLowerCase();
      let i = columns.findIndex((c) => c.name.toLowerCase() === name);
      if (i < 0) i = columns.findIndex((c) => c.name.toLowerCase() === `${name}_mean`);
      return i < 0 ? { word: word.toLowerCase() } : { i, op: found[2], value: found[3].toLowerCase() };
    });
  }

  // Also as rates are shown: 900k, 2.5M.
  function amount(text) {
    const found = /^([\d.]+)([kmg])$/.exec(text);
    return found ? Number(found[1]) * { k: 1e3, m: 1e6, g: 1e9 }[found[2]] : Number(text);
  }

  function fits(row, term) {
    if (term.word !== undefined) {
      return row.some((cell) => cell !== null && String(cell).toLowerCase().includes(term.word));
    }
    const cell = row[term.i];
    const value = amount(term.value);
    if (term.op === "=") return cell !== null && (String(cell).toLowerCase() === term.value || cell === value);
    if (typeof cell !== "number" || Number.isNaN(value)) return false;
    return { "<": cell < value, ">": cell > value, "<=": cell <= value, ">=": cell >= value }[term.op];
  }

  function order(a, b) {
    const [x, y] = [rows[a][sorted.column], rows[b][sorted.column]];
    if (x === null || y === null) return (x === null) - (y === null) || a - b;
    const both = typeof x === "number" && typeof y === "number";
    const by = both ? x - y : String(x).localeCompare(String(y), undefined, { numeric: true });
    return (sorted.down ? -by : by) || a - b;
  }

  function cell(value, column) {
    if (value === null) return make("td", { class: column.number ? "n" : "" }, "");
    if (typeof value === "number") {
      const text = column.rate ? page.rate(value) : Number.isInteger(value) ? String(value) : number(value);
      return make("td", { class: "n", title: String(value) }, text);
    }
    return make("td", { class: column.prose ? "text prose" : "text", title: value }, value);
  }

  function draw() {
    let found = rows.map((_, i) => i).filter((i) => terms.every((t) => fits(rows[i], t)));
    if (sorted.column !== null) found.sort(order);
    count.textContent = found.length === rows.length ? `${rows.length} rows` : `${found.length} of ${rows.length} rows`;
    const kept = columns.map((c, i) => i).filter((i) => visible[i]);
    const head = make("tr", {}, ...kept.map((i) => make("th", {
      scope: "col", class: columns[i].number ? "n" : "",
      "aria-sort": sorted.column === i ? (sorted.down ? "descending" : "ascending") : "none",
    }, make("button", { type: "button", "data-column": columns[i].name, on: { click: () => sort(i) } }, columns[i].name))));
    const body = found.slice(0, most).map((i) => make("tr", { class: data.failed.includes(i) ? "failed" : "" },
      ...kept.map((k) => cell(rows[i][k], columns[k]))));
    if (!body.length) {
      body.push(make("tr", {}, make("td", { colspan: String(Math.max(1, kept.length)) }, "No row fits the filter.")));
    }
    table.replaceChildren(make("thead", {}, head), make("tbody", {}, ...body));
    more.hidden = found.length <= most;
  }

  function sort(i) {
    sorted = { column: i, down: sorted.column === i ? !sorted.down : columns[i].number && !columns[i].rate };
    draw();
    const again = [...table.querySelectorAll("th button")].find((b) => b.dataset.column === columns[i].name);
    if (again) again.focus();
  }

  draw();
})();
