// The page's own script: theme, charts where ECharts is there, and the list of
// flipped documents. Without it the page keeps its tables and drawings.
(() => {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;
  const { make, datum, visible, specs } = softbench;

  // ---- Theme ----

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const button = $("theme");
  const showTheme = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", "Switch to the " + (isDark() ? "light" : "dark") + " theme");
    drawCharts();
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    showTheme();
  });
  dark.addEventListener("change", showTheme);

  // ---- Charts ----

  const percent = (x) => +(100 * x).toFixed(6) + "%";
  const points = (x) => (x > 0 ? "+" : "") + String(+(100 * x).toFixed(6)).replace(/-/g, "\u2212");
  const other = (x) => String(x).replace(/-/g, "\u2212");
  const signed = (x) => (x > 0 ? "+" : "") + other(+x.toPrecision(12));
  const units = { percent, points, signed };

  // The options name colours as the style does.
  const resolve = (value, style) => {
    if (typeof value === "string") {
      const m = /^var\((--[\w-]+)\)$/.exec(value);
      return m ? style.getPropertyValue(m[1]).trim() : value;
    }
    if (Array.isArray(value)) return value.map((v) => resolve(v, style));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolve(v, style)]));
    }
    return value;
  };

  // Shades from one colour of the style to another, by the square root.
  const shades = (style, from, to) => {
    const [a, b] = [from, to].map((n) => [1, 3, 5].map((k) => parseInt(style.getPropertyValue(n).trim().slice(k, k + 2), 16)));
    return Array.from({ length: 33 }, (_, k) => "rgb(" + a.map((v, c) => Math.round(v + (b[c] - v) * Math.sqrt(k / 32))).join(",") + ")");
  };

  // Text in a rich-text tooltip: braces would be markup there.
  const plain = (s) => String(s).replace(/\{/g, "\uff5b").replace(/\}/g, "\uff5d");

  const prepare = (spec, style, narrow) => {
    const option = resolve(spec.option, style);
    const font = style.getPropertyValue("font-family") || "sans-serif";
    option.textStyle = { fontFamily: getComputedStyle(document.body).fontFamily || font, color: style.getPropertyValue("--ink").trim() };
    Object.assign(option.tooltip, {
      renderMode: "richText", confine: true, formatter: (p) => plain(p.name || ""),
      textStyle: { color: option.textStyle.color, fontSize: 13 },
    });
    const [x] = [].concat(option.xAxis), [y] = [].concat(option.yAxis);
    const values = spec.across ? x : y;
    if (values.type !== "category") values.axisLabel.formatter = units[spec.unit] || other;
    if (x.type === "value") x.splitNumber = narrow ? 3 : 6;
    if (spec.step) x.interval = spec.step;
    if (spec.other_x && axisOf() !== first.dataset.axis) [x.type, x.name] = [axisOf() === "log" ? "log" : "value", spec.other_x];
    for (const a of [x, y]) if (a.name) a.nameTextStyle = { color: style.getPropertyValue("--muted").trim() };
    if (spec.unit === "weight") [].concat(option.visualMap)[0].inRange.color = shades(style, "--paper-shade", "--deep");
    if (y.type === "category") {
      // Room for the longest name, up to a share of the chart.
      const limit = narrow ? 130 : 260;
      const pen = document.createElement("canvas").getContext("2d");
      pen.font = "12px " + option.textStyle.fontFamily;
      const widest = Math.max(...y.data.map((s) => pen.measureText(s).width));
      Object.assign(y.axisLabel, { width: Math.min(limit, Math.ceil(widest) + 8), overflow: "truncate", interval: spec.across ? 0 : "auto" });
      y.axisTick = { show: false };
      const grid = [].concat(option.grid)[0];
      Object.assign(grid, { left: Math.min(limit, Math.ceil(widest) + 8) + (widest ? 12 : 20), containLabel: false, bottom: x.name ? 48 : 28 });
      if (spec.across) grid.top = 4;
    }
    for (const s of option.series) {
      if (s.type === "heatmap" && s.label && s.label.show) {
        s.label.formatter = (p) => {
          const v = Math.round(100 * p.value[2]);
          return (spec.unit === "points" && v > 0 ? "+" : "") + String(v).replace("-", "\u2212");
        };
      }
    }
    return option;
  };

  const live = new Map();
  let watch = null;

  const draw = (spec) => {
    const figure = $(spec.id);
    const box = figure && figure.querySelector(".chart");
    if (!box) return;
    figure.classList.add("drawn");
    let chart = live.get(spec.id);
    if (!chart) {
      chart = window.echarts.init(box, null, { renderer: "canvas" });
      live.set(spec.id, chart);
      new ResizeObserver(() => { if (box.clientWidth) chart.resize(); }).observe(box);
    }
    chart.setOption(prepare(spec, getComputedStyle(root), box.clientWidth < 500), true);
  };

  // Charts are drawn when they come near the window, and again for a new theme.
  function drawCharts() {
    if (!window.echarts) return;
    if (!watch) {
      watch = new IntersectionObserver((entries) => {
        for (const e of entries) {
          if (!e.isIntersecting) continue;
          watch.unobserve(e.target);
          try {
            draw(softbench.chart(e.target.id));
          } catch (err) {
            e.target.classList.remove("drawn"); // its drawing stays
            console.error("chart " + e.target.id + ": " + err.message);
          }
        }
      }, { rootMargin: "600px" });
      for (const s of specs) if ($(s.id)) watch.observe($(s.id));
      return;
    }
    for (const s of specs) if (live.has(s.id)) draw(s);
  }

  // ---- What is chosen stands in the address, so that it can be sent: filters, the page of
  // documents, one document, and what is folded open. ----

  const folds = [...document.querySelectorAll("main details:not(.save)")];
  let state = new URLSearchParams(), written = "";
  const readState = () => {
    const text = decodeURI(location.hash.slice(1));
    state = new URLSearchParams(text.includes("=") ? text : "");
  };
  const writeState = (changes) => {
    for (const [k, v] of Object.entries(changes)) v ? state.set(k, v) : state.delete(k);
    written = "#" + state;
    if (String(state) || location.hash.includes("=")) location.replace(written);
  };
  const openFolds = () => {
    const open = (state.get("open") || "").split(".").filter((k) => k).map(Number);
    folds.forEach((f, k) => { if (open.includes(k)) f.open = true; });
  };
  readState();
  openFolds();

  // The steps of a course on a linear axis or a logarithmic one: both drawings are there.
  const axes = [...document.querySelectorAll(".axis")], drawn = [...document.querySelectorAll("[data-axis]")];
  const first = drawn.find((d) => !d.hidden);
  const axisOf = () => (["linear", "log"].includes(state.get("axis")) ? state.get("axis") : first.dataset.axis);
  function showAxis() {
    if (!first) return;
    const axis = axisOf();
    for (const d of drawn) d.hidden = d.dataset.axis !== axis;
    for (const p of axes) {
      p.hidden = false;
      p.firstElementChild.textContent = axis === "log" ? "Linear step axis" : "Logarithmic step axis";
      p.firstElementChild.setAttribute("aria-pressed", String(axis !== first.dataset.axis));
    }
    drawCharts();
  }
  for (const p of axes) {
    p.firstElementChild.addEventListener("click", () => {
      const to = axisOf() === "log" ? "linear" : "log";
      writeState({ axis: to === first.dataset.axis ? "" : to });
      showAxis();
    });
  }
  addEventListener("hashchange", () => { if (first && location.hash !== written) { readState(); showAxis(); } });
  for (const f of folds) {
    f.addEventListener("toggle", () => writeState({ open: folds.map((d, k) => (d.open ? k : -1)).filter((k) => k >= 0).join(".") }));
  }

  // ---- Flipped documents ----

  const perPage = 20;
  const list = $("flip-list");
  let metrics = []; // in which a document can flip

  const number = (x, digits) => (x === null ? "\u2212\u221e" : x.toFixed(digits).replace(/^-(?=[0.]+$)/, "").replace("-", "\u2212"));

  const score = (flip, k, side) => {
    const cell = make("td", side);
    const s = flip.options[k][side];
    const divided = s.by && s.by[flip.metric] !== undefined;
    const field = divided ? "by/" + flip.metric : "loglikelihood";
    const x = divided ? s.by[flip.metric] : s.loglikelihood;
    const value = x === null ? make("span", "", "\u2212\u221e") :
      datum(x, "/flips/shown/" + flip.index + "/options/" + k + "/" + side + "/" + field);
    value.textContent = number(x, divided ? 3 : 2);
    if ((s.picked || []).includes(flip.metric)) cell.append(make("span", "tag", "answer"), " ");
    if (flip.kind === "last_word" && s.greedy) cell.append(make("span", "tag", "said it"), " ");
    const inner = make("span", (s.picked || []).includes(flip.metric) ? "picked" : "");
    inner.append(value);
    cell.append(inner);
    return cell;
  };

  // Text with the words searched for marked.
  const marked = (into, text, needle) => {
    text = visible(text);
    if (!needle) { into.append(text); return into; }
    const low = text.toLowerCase();
    let at = 0;
    for (let k = low.indexOf(needle); k >= 0 && low.length === text.length; k = low.indexOf(needle, at)) {
      into.append(text.slice(at, k), make("mark", "", text.slice(k, k + needle.length)));
      at = k + needle.length;
    }
    into.append(text.slice(at));
    return into;
  };

  // What each run wrote, what the filters took of it, and what is right.
  const answers = (flip, needle, letters) => {
    const table = make("table", "options");
    const row = table.createTHead().insertRow();
    for (const text of ["", letters[0], letters[1]]) {
      const th = make("th", "l", text);
      th.scope = "col";
      row.append(th);
    }
    const body = table.createTBody();
    const line = (name, a, b) => {
      const tr = body.insertRow();
      const th = make("th", "l", name);
      th.scope = "row";
      tr.append(th, marked(make("td", "l wrap text-cell"), a, needle), marked(make("td", "l wrap text-cell"), b, needle));
    };
    const o = flip.options[0];
    line("wrote", o.a.generated || "", o.b.generated || "");
    (o.a.taken || []).forEach((t, k) => line(t.filter + " took", t.text, ((o.b.taken || [])[k] || { text: "" }).text));
    const tr = body.insertRow();
    const th = make("th", "l", "right");
    th.scope = "row";
    const cell = marked(make("td", "l wrap text-cell gold"), (flip.targets || []).join(" | "), needle);
    cell.colSpan = 2;
    tr.append(th, cell);
    return table;
  };

  const show = (flip, needle, letters) => {
    const item = make("li");
    const head = make("h3");
    const change = flip.changes[flip.metric];
    head.append(flip.task + " \u00b7 document ", datum(flip.doc_id, "/flips/shown/" + flip.index + "/doc_id"), " \u00b7 ");
    head.append(make("span", change, change === "worse" ? letters[1] + " lost it" : letters[1] + " gained it"));
    const link = make("a", "tag", "link");
    link.href = "#" + new URLSearchParams({ doc: flip.task + "/" + flip.doc_id });
    link.setAttribute("aria-label", "Link to " + flip.task + " document " + flip.doc_id);
    for (const m of metrics) if (flip.changes[m]) head.append(make("span", "tag", m + (flip.changes[m] === change ? "" : ": other way")));
    head.append(link);
    item.append(head);
    if (flip.kind === "passkey") {
      const p = make("p");
      const at = "/flips/shown/" + flip.index;
      p.append("The key ", datum(flip.key, at + "/key"), " in ", datum(flip.length, at + "/length"), " tokens. ");
      for (const [k, side] of ["a", "b"].entries()) {
        p.append(letters[k] + " said ", marked(make("span", "code"), JSON.stringify(flip.options[0][side].generated || ""), needle), k ? "." : ", ");
      }
      item.append(p);
      return item;
    }
    if (flip.context) item.append(marked(make("div", "text" + (flip.context.length > 1200 ? " long" : "")), flip.context, needle));
    if (flip.context && flip.context.length > 1200) { item.lastChild.tabIndex = 0; item.lastChild.setAttribute("role", "region"); item.lastChild.setAttribute("aria-label", "Document"); }
    const box = make("div", "scroll");
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "Options and scores");
    if (flip.kind === "generate_until") {
      box.setAttribute("aria-label", "Answers");
      box.append(answers(flip, needle, letters));
      item.append(box);
      if (flip.cut) item.append(make("p", "note", "A text is longer than this page carries; its beginning is left out."));
      return item;
    }
    const table = make("table", "options");
    const row = table.createTHead().insertRow();
    for (const [text, cls] of [[flip.kind === "last_word" ? "Last word" : "Option", "l"], [letters[0], ""], [letters[1], ""]]) {
      const th = make("th", cls, text);
      th.scope = "col";
      row.append(th);
    }
    const body = table.createTBody();
    flip.options.forEach((o, k) => {
      const tr = body.insertRow();
      const right = flip.gold === k && flip.options.length > 1;
      const cell = make("td", "l wrap text-cell" + (right ? " gold" : ""));
      if (o.context) marked(cell, o.context, needle);
      marked(cell, o.context ? o.text : o.text.replace(/^ /, ""), needle);
      if (right) cell.append(make("span", "tag", "right"));
      tr.append(cell, score(flip, k, "a"), score(flip, k, "b"));
    });
    box.append(table);
    item.append(box);
    if (flip.cut) item.append(make("p", "note", "A text is longer than this page carries; its beginning is left out."));
    return item;
  };

  function setUpFlips() {
    const report = softbench.report();
    const flips = report.flips.shown;
    metrics = report.flips.metrics;
    const letters = ["A", String.fromCharCode(64 + Math.min(report.runs.length, 26))];
    flips.forEach((f, i) => {
      f.index = i;
      f.search = visible([f.context || "", ...f.options.flatMap((o) => [o.context || "", o.text, o.a.generated || "", o.b.generated || ""])].join("\n")).toLowerCase();
    });
    const fill = (select, first, values) => {
      select.append(new Option(first, ""));
      for (const v of values) select.append(new Option(visible(v), v));
    };
    fill($("f-task"), "all", [...new Set(flips.map((f) => f.task))]);
    fill($("f-metric"), "any", metrics.filter((m) => flips.some((f) => f.changes[m])));
    const [, worse, better] = $("f-direction").options;
    worse.textContent = letters[1] + " lost it";
    better.textContent = letters[1] + " gained it";
    $("filter").hidden = false;

    let page = 0, alone = "";
    const controls = { task: "f-task", metric: "f-metric", direction: "f-direction", text: "f-text" };
    const restore = () => {
      for (const [k, id] of Object.entries(controls)) {
        $(id).value = state.get(k) || "";
        if ($(id).value !== (state.get(k) || "")) $(id).value = ""; // no such choice on this page
      }
      page = Math.max(0, (parseInt(state.get("page"), 10) || 1) - 1);
      alone = state.get("doc") || "";
    };
    const render = () => {
      const task = $("f-task").value, metric = $("f-metric").value, direction = $("f-direction").value;
      const needle = $("f-text").value.trim().toLowerCase();
      const hits = flips.filter((f) => {
        if (alone) return f.task + "/" + f.doc_id === alone;
        const changes = metric ? [f.changes[metric]] : Object.values(f.changes);
        return (!task || f.task === task) && changes.some((c) => c && (!direction || c === direction)) && (!needle || f.search.includes(needle));
      });
      const pages = Math.max(1, Math.ceil(hits.length / perPage));
      page = Math.min(page, pages - 1);
      writeState({ task, metric, direction, text: $("f-text").value.trim(), page: page ? page + 1 : "", doc: alone });
      const from = page * perPage;
      const shown = hits.slice(from, from + perPage);
      list.replaceChildren(...shown.map((f) => {
        f.metric = metric || metrics.find((m) => f.changes[m] && (!direction || f.changes[m] === direction));
        return show(f, needle, letters);
      }));
      list.start = from + 1;
      $("f-count").textContent = hits.length === 0 ? "No document matches." :
        "Documents " + (from + 1) + " to " + (from + shown.length) + " of " + hits.length + (hits.length < flips.length ? " that match, " + flips.length + " in all" : "");
      $("pager").hidden = pages === 1;
      $("page-at").textContent = "Page " + (page + 1) + " of " + pages;
      $("prev").disabled = page === 0;
      $("next").disabled = page === pages - 1;
    };
    const again = () => { page = 0; alone = ""; render(); };
    for (const id of ["f-task", "f-metric", "f-direction"]) $(id).addEventListener("change", again);
    let timer = 0;
    $("f-text").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(again, 120); });
    $("filter").addEventListener("submit", (e) => { e.preventDefault(); again(); });
    const turn = (by) => { page += by; render(); $("f-count").scrollIntoView({ block: "nearest" }); };
    $("prev").addEventListener("click", () => turn(-1));
    $("next").addEventListener("click", () => turn(1));
    const show1 = () => { if (location.hash.includes("=") && (state.has("doc") || Object.keys(controls).some((k) => state.has(k)))) $("flips").scrollIntoView(); };
    addEventListener("hashchange", () => {
      if (location.hash === written || !location.hash.includes("=")) return;
      readState();
      openFolds();
      restore();
      render();
      show1();
    });
    restore();
    render();
    show1();
  }

  showTheme();
  showAxis();
  if (list) setUpFlips();
  if (!window.echarts && $("charts-note") && specs.length) $("charts-note").hidden = false;
  root.dataset.ready = "yes";
})();
