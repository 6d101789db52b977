// What the page's scripts share: its numbers, its charts, and how both are read. Texts of
// documents only ever become text nodes.
"use strict";
const softbench = (() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  let tree = null;
  const report = () => tree || (tree = read("report"));
  const at = (pointer) => pointer.split("/").slice(1).reduce((node, step) => node[step], report());

  const make = (tag, cls, text) => {
    const e = document.createElement(tag);
    if (cls) e.className = cls;
    if (text !== undefined) e.textContent = text;
    return e;
  };

  // A number of the page's JSON, and where it stands there.
  const datum = (value, from, text) => {
    const d = make("data", "", text === undefined ? String(value) : text);
    d.value = value;
    d.dataset.from = from;
    return d;
  };

  // Control characters as pictures, direction overrides as the replacement
  // character; line ends and tabs stay.
  const visible = (s) =>
    s.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (c) => {
      const n = c.charCodeAt(0);
      return n < 32 ? String.fromCharCode(0x2400 + n) : n === 127 ? "\u2421" : "\ufffd";
    });

  // A weight of attention, from 0 to 1, as the page's tables write numbers.
  const weight = (x) => {
    if (x === 0 || x >= 0.1) return x.toFixed(3);
    if (x >= 1e-5) return x.toFixed(x < 1e-3 ? 6 : 4);
    return x.toExponential(2).replace(/-(\d)$/, "-0$1").replace("-", "\u2212");
  };

  // ---- Charts. The cells of an attention map are the weights of the page's JSON, to which the
  // chart points; exact zeros are blank. ----

  const specs = read("charts") || [];
  const chart = (id) => {
    const spec = specs.find((s) => s.id === id);
    if (!spec || !spec.from || spec.tokens) return spec;
    const map = at(spec.from), data = [];
    spec.tokens = map.tokens.map(visible);
    map.weights.forEach((row, q) => row.forEach((w, k) => {
      if (w !== 0) data.push({ name: spec.tokens[q] + " on " + spec.tokens[k] + ": " + weight(w), value: [k, q, w] });
    }));
    spec.option.series[0].data = data;
    for (const axis of ["xAxis", "yAxis"]) [].concat(spec.option[axis])[0].data = spec.tokens;
    return spec;
  };

  // ---- The weights of a map as a table, made when it is opened ----

  for (const box of document.querySelectorAll("details.weights")) {
    box.addEventListener("toggle", () => {
      if (!box.open || box.querySelector("table")) return;
      const figure = box.closest("figure"), { from, tokens } = chart(figure.id);
      const scroll = make("div", "scroll"), table = make("table");
      scroll.tabIndex = 0;
      scroll.setAttribute("role", "region");
      scroll.setAttribute("aria-label", figure.querySelector("figcaption").textContent + ", weights");
      const cell = (row, scope, cls, text) => { const th = make("th", cls, text); th.scope = scope; row.append(th); };
      const head = table.createTHead().insertRow(), body = table.createTBody();
      cell(head, "col", "l", "Query \\ key");
      for (const t of tokens) cell(head, "col", "code", t);
      at(from).weights.forEach((weights, q) => {
        const row = body.insertRow();
        cell(row, "row", "code", tokens[q]);
        weights.forEach((w, k) => row.insertCell().append(datum(w, from + "/weights/" + q + "/" + k, weight(w))));
      });
      scroll.append(table);
      box.append(scroll);
    });
  }

  return { report, at, make, datum, visible, specs, chart };
})();
