// What the page's own drawings do without a library: they leave as SVG, PNG, PDF and CSV, say
// the number under the pointer, hide a series by its legend, and show a part that is dragged
// over (a double click shows all again). Nothing is asked of a network.
(() => {
  const space = document.createRange().createContextualFragment("<" + "svg/>").firstChild.namespaceURI;
  const first = (x) => [].concat(x)[0];
  const figures = [...document.querySelectorAll("figure")].filter((f) => f.querySelector(".drawing svg"));

  // The drawing that is seen: of a wide page or a narrow one.
  const drawing = (figure) => {
    const all = [...figure.querySelectorAll(".drawing svg")];
    return all.find((s) => s.getClientRects().length) || all[0];
  };

  const hex = (color) => {
    const n = (color.match(/[-\d.e]+/g) || []).map(Number);
    const k = color.startsWith("color(") ? 255 : 1;
    return "#" + n.slice(0, 3).map((v) => Math.round(v * k).toString(16).padStart(2, "0")).join("");
  };

  const pen = document.createElement("canvas").getContext("2d");
  const typeface = "'Liberation Sans', Arimo, Arial, Helvetica, sans-serif"; // the style's
  const measure = (text, size) => { pen.font = size + "px " + typeface; return pen.measureText(text).width; };

  const element = (tag, attributes, text) => {
    const e = document.createElementNS(space, tag);
    for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
    if (text) e.textContent = text;
    return e;
  };

  // What a drawing has, with its colours and without what is hidden.
  const coloured = (svg) => {
    const copy = svg.cloneNode(true), from = svg.querySelectorAll("*"), to = copy.querySelectorAll("*");
    from.forEach((e, i) => {
      const style = getComputedStyle(e), c = to[i];
      if (e.classList.contains("off")) { c.remove(); return; }
      if (!e.hasAttribute("fill") && style.fill !== "none") c.setAttribute("fill", hex(style.fill));
      if (style.stroke !== "none") c.setAttribute("stroke", hex(style.stroke));
      c.removeAttribute("class");
    });
    return [...copy.childNodes];
  };

  // A file of its own, on the page's paper.
  const sheet = (width, height, content) => {
    const node = element("svg", { width, height, viewBox: "0 0 " + width + " " + height, "font-family": typeface });
    node.append(element("rect", { width, height, fill: hex(getComputedStyle(document.body).backgroundColor) }), ...content);
    return { svg: new XMLSerializer().serializeToString(node), node, width, height };
  };
  const inkOf = (name) => hex(getComputedStyle(document.querySelector(name)).color);

  // The maps of a figure's head, of all runs.
  const mapsLike = (figure) => {
    const specOf = (f) => softbench.specs.find((s) => s.id === f.id && s.from), head = (spec) => softbench.at(spec.from).layer + "/" + softbench.at(spec.from).head;
    return figures.filter((f) => specOf(f) && head(specOf(f)) === head(specOf(figure)));
  };

  // The same head's maps of all runs side by side, with their tokens on the axes: cells are as
  // large as a token is high.
  const maps = (figure) => {
    const size = 11, ink = inkOf("body"), muted = inkOf("figcaption"), content = [];
    const cut = (t) => { const r = [...t]; return r.length > 14 ? r.slice(0, 13).join("") + "\u2026" : t; };
    let x = 0, height = 0;
    for (const f of mapsLike(figure)) {
      const svg = drawing(f), tokens = softbench.chart(f.id).tokens.map(cut), box = svg.querySelector("path.stroke-grid").getBBox();
      const scale = Math.max(1, 12.5 * tokens.length / box.width), cell = scale * box.width / tokens.length;
      const longest = Math.max(...tokens.map((t) => measure(t, size))), left = x + 26 + longest, top = 24, side = scale * box.width, bottom = top + scale * box.height;
      const group = element("g", { transform: "translate(" + (left - scale * box.x).toFixed(2) + " " + (top - scale * box.y).toFixed(2) + ") scale(" + scale.toFixed(4) + ")" });
      group.append(...coloured(svg).filter((e) => e.tagName === "path"));
      const say = (text, x, y, anchor, fill, turned) =>
        content.push(element("text", { "text-anchor": anchor, x: x.toFixed(2), y: y.toFixed(2), "font-size": size, fill, ...(turned ? { transform: "rotate(-90 " + x.toFixed(2) + " " + y.toFixed(2) + ")" } : {}) }, text));
      content.push(group);
      say(f.querySelector("figcaption").textContent.trim(), left, 14, "start", ink);
      tokens.forEach((t, k) => {
        say(t, left - 6, top + cell * (k + 0.5) + 0.35 * size, "end", muted);
        say(t, left + cell * (k + 0.5) + 0.35 * size, bottom + 6, "end", muted, true);
      });
      say("query", x + size, (top + bottom) / 2, "middle", muted, true);
      say("key", left + side / 2, bottom + 10 + longest + size, "middle", muted);
      x = left + side + 14;
      height = Math.max(height, bottom + longest + 28);
    }
    return sheet(Math.ceil(x), Math.ceil(height), content);
  };

  // A drawing as it is seen, by itself: with its colours, and the legend that the page has
  // beside it.
  const alone = (figure) => {
    const spec = softbench.chart(figure.id);
    if (spec && spec.from) return maps(figure);
    const svg = drawing(figure);
    const [width, height] = (svg.getAttribute("viewBox0") || svg.getAttribute("viewBox")).split(" ").slice(2).map(Number);
    const group = element("g", {}), legend = figure.querySelector(".legend") || (figure.closest("section") || figure).querySelector(":scope > .legend");
    let x = 2, y = 0;
    const lines = spec && spec.option.series.filter((s) => s.type === "line" && s.name !== "interval" && s.name !== "reference").length > 1 && !spec.across;
    if (legend && lines) {
      y = 12;
      for (const item of legend.children) {
        if (item.classList.contains("off")) continue;
        const name = item.textContent.trim(), wide = measure(name, 11);
        if (x > 2 && x + 12 + wide > width) { x = 2; y += 16; }
        group.append(element("circle", { cx: x + 4, cy: y - 4, r: 3.5, fill: hex(getComputedStyle(item.querySelector(".swatch")).backgroundColor) }),
          element("text", { x: x + 12, y, "font-size": 11, fill: inkOf("body") }, name));
        x += 26 + wide;
      }
      y += 8;
    }
    const inner = element("g", y ? { transform: "translate(0 " + y + ")" } : {});
    inner.append(...coloured(svg));
    return sheet(width, height + y, [group, inner]);
  };

  // ---- Numbers ----

  const rowsOf = (spec) => {
    const option = spec.option, x = first(option.xAxis), y = first(option.yAxis), heat = option.series.find((s) => s.type === "heatmap");
    if (heat) {
      const weight = spec.unit === "weight";
      return [weight ? ["query", "key", "query token", "key token", "weight"] : [y.name || "row", x.name || "column", "value"],
        ...heat.data.map((d) => d.value).map(([c, r, v]) => [...(weight ? [r, c] : []), y.data[r], x.data[c], v])];
    }
    const intervals = [];
    const rows = [];
    for (const s of option.series) {
      if (s.name === "interval") { intervals.push(s.data.map((d) => d.value)); continue; }
      if (s.name === "reference") continue;
      const between = (at, by, of) => {
        const k = intervals.findIndex((i) => i[0][by] === at && (!spec.across || true));
        return k < 0 ? ["", ""] : intervals.splice(k, 1)[0].map((v) => v[of]);
      };
      for (const d of s.data || []) {
        const [a, b] = d.value;
        if (spec.across) rows.push([y.data[b], a, b]);
        else rows.push([s.name, a, b === "-" ? "" : b, ...between(a, 0, 1)]);
      }
    }
    if (!spec.across) return [["series", x.name || "x", y.name || "value", "low", "high"], ...rows];
    return [["estimate", "value", "low", "high"], ...rows.map(([name, v, k]) => {
      const i = intervals.find((of) => of[0][1] === k);
      return [name, v, ...(i ? i.map((at) => at[0]) : ["", ""])];
    })];
  };
  // Those of a figure; of a map, behind the name of its panel, of all that are saved with it.
  const numbersOf = (figure) => {
    const spec = softbench.chart(figure.id);
    if (!spec.from) return rowsOf(spec);
    const all = mapsLike(figure).map((f) => [f.querySelector("figcaption").textContent.trim(), rowsOf(softbench.chart(f.id))]);
    return [["panel", ...all[0][1][0]], ...all.flatMap(([title, rows]) => rows.slice(1).map((row) => [title, ...row]))];
  };
  const csv = (rows) => rows.map((r) => r.map((v) => (/[",\n\r]/.test(String(v)) ? '"' + String(v).replace(/"/g, '""') + '"' : v)).join(",")).join("\n") + "\n";

  // ---- PDF: the drawing's paths and words (ISO 32000-1), in one of the fonts that every reader has ----

  const windows = { "\u2212": 0x96, "\u2013": 0x96, "\u2026": 0x85, "\u202f": 0xa0, "\u2009": 0xa0, "\u2019": 0x92 };
  const escaped = (text) => [...text].map((c) => {
    const n = windows[c] || c.codePointAt(0);
    return n > 255 ? "?" : n < 32 || n > 126 || "()\\".includes(c) ? "\\" + n.toString(8).padStart(3, "0") : c;
  }).join("");
  const num = (x) => String(+(+x).toFixed(3));
  const pdf = (figure) => {
    const { node, width, height } = alone(figure), unit = 0.75;
    const page = [num(unit) + " 0 0 " + num(-unit) + " 0 " + num(height * unit) + " cm"], states = [];
    const color = (h, op) => [1, 3, 5].map((k) => num(parseInt(h.slice(k, k + 2), 16) / 255)).join(" ") + " " + op;
    const circle = (x, y, r) => {
      const k = 0.5523 * r, p = (...v) => v.map(num).join(" ");
      return [p(x - r, y) + " m", p(x - r, y - k, x - k, y - r, x, y - r) + " c", p(x + k, y - r, x + r, y - k, x + r, y) + " c",
        p(x + r, y + k, x + k, y + r, x, y + r) + " c", p(x - k, y + r, x - r, y + k, x - r, y) + " c h"].join("\n");
    };
    const path = (d) => {
      const out = [];
      let at = [0, 0], circles = 0;
      const steps = [...d.matchAll(/([MLHVaZ])([^MLHVaZ]*)/g)];
      for (const [k, [, op, rest]] of steps.entries()) {
        const n = rest.trim().split(/[ ,]+/).map(Number);
        if (op === "M") { at = n; circles = 0; if (!steps[k + 1] || steps[k + 1][1] !== "a") out.push(n.map(num).join(" ") + " m"); }
        else if ("LHV".includes(op)) { at = op === "L" ? n : op === "H" ? [n[0], at[1]] : [at[0], n[0]]; out.push(at.map(num).join(" ") + " l"); }
        else if (op === "a") { if (circles++ === 0) out.push(circle(at[0] + n[0], at[1], n[0])); }
        else if (!circles) out.push("h");
      }
      return out.join("\n");
    };
    const walk = (e, fill) => {
      const get = (k) => e.getAttribute(k);
      page.push("q");
      const move = /translate\(([-\d.]+) ([-\d.]+)\)(?: scale\(([\d.]+)\))?/.exec(get("transform") || "");
      if (move) page.push((move[3] || 1) + " 0 0 " + (move[3] || 1) + " " + num(move[1]) + " " + num(move[2]) + " cm");
      const opacity = get("fill-opacity") || get("stroke-opacity");
      if (opacity) {
        if (!states.includes(opacity)) states.push(opacity);
        page.push("/G" + states.indexOf(opacity) + " gs");
      }
      const f = get("fill") || fill, s = get("stroke");
      let shape = "";
      if (e.tagName === "rect") shape = "0 0 " + num(get("width")) + " " + num(get("height")) + " re";
      if (e.tagName === "circle") shape = circle(+get("cx"), +get("cy"), +get("r"));
      if (e.tagName === "path") shape = path(get("d"));
      if (shape && s) {
        page.push(color(s, "RG"), num(get("stroke-width") || 1) + " w" + (get("stroke-linecap") ? " 1 J 1 j" : ""), "[" + (get("stroke-dasharray") || "") + "] 0 d", shape, "S");
      }
      if (shape && f && f !== "none") page.push(color(f, "rg"), shape, "f");
      if (e.tagName === "text") {
        const size = +get("font-size"), wide = measure(e.textContent, size), anchor = get("text-anchor");
        const back = anchor === "end" ? wide : anchor === "middle" ? wide / 2 : 0, x = +get("x"), y = +get("y");
        const turned = /rotate\(-90/.test(get("transform") || "");
        page.push(color(f || "#000000", "rg"), "BT /F1 " + num(size) + " Tf " + (turned ? "0 -1 -1 0 " + num(x) + " " + num(y + back) : "1 0 0 -1 " + num(x - back) + " " + num(y)) + " Tm (" + escaped(e.textContent) + ") Tj ET");
      }
      for (const c of e.children) walk(c, f);
      page.push("Q");
    };
    for (const c of node.children) walk(c, "");
    const content = page.join("\n");
    const objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 " + num(width * unit) + " " + num(height * unit) + "] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> /ExtGState << " +
        states.map((o, i) => "/G" + i + " << /ca " + o + " /CA " + o + " >>").join(" ") + " >> >> >>",
      "<< /Length " + content.length + " >>\nstream\n" + content + "\nendstream",
      "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"];
    let out = "%PDF-1.4\n";
    const at = objects.map((o, i) => { const here = out.length; out += i + 1 + " 0 obj\n" + o + "\nendobj\n"; return here; });
    const table = out.length;
    return out + "xref\n0 6\n0000000000 65535 f \n" + at.map((n) => String(n).padStart(10, "0") + " 00000 n \n").join("") + "trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n" + table + "\n%%EOF\n";
  };

  // ---- Saving ----

  const save = (name, blob) => {
    const a = document.createElement("a");
    a.download = name;
    a.href = URL.createObjectURL(blob);
    document.body.append(a);
    a.click();
    a.remove();
    setTimeout(() => URL.revokeObjectURL(a.href), 10000);
  };
  const png = (figure) => new Promise((done, fail) => {
    const { svg, width, height } = alone(figure), image = new Image();
    image.onload = () => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 2 * width, height: Math.round(2 * height) });
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob(done, "image/png");
    };
    image.onerror = () => fail(new Error("the drawing cannot be read back"));
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
  });
  const formats = {
    SVG: (f) => new Blob([alone(f).svg], { type: "image/svg+xml" }), PNG: png,
    PDF: (f) => new Blob([pdf(f)], { type: "application/pdf" }), CSV: (f) => new Blob([csv(numbersOf(f))], { type: "text/csv" }),
  };
  for (const figure of figures) {
    const box = document.createElement("details"), summary = document.createElement("summary");
    box.className = "save screen";
    summary.textContent = "Save";
    summary.setAttribute("aria-label", "Save the chart: " + (figure.querySelector("figcaption") || figure).textContent.trim());
    box.append(summary);
    box.addEventListener("toggle", () => {
      if (box.children.length > 1) return;
      for (const [name, make] of Object.entries(formats)) {
        if (name === "CSV" && !softbench.chart(figure.id)) continue;
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = name;
        button.addEventListener("click", async () => save(figure.id + "." + name.toLowerCase(), await make(figure)));
        box.append(button);
      }
    });
    figure.append(box);
  }

  // ---- The number under the pointer ----

  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);

  // Where the points of a drawing are, with what each says: marks and cells stand in the order of
  // the numbers.
  const pointsOf = (figure, svg) => {
    const spec = softbench.chart(figure.id);
    if (!spec) return [];
    const middle = (sub) => {
      const n = sub.match(/[-\d.]+/g).map(Number);
      if (sub.includes("a")) return [n[0] + n[2], n[1]];
      const xs = n.filter((_, i) => i % 2 === 0), ys = n.filter((_, i) => i % 2);
      return [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2];
    };
    const marks = [...svg.querySelectorAll("path.stroke-paper")].map((p) => [...p.getAttribute("d").matchAll(/M[^M]*/g)].map((m) => middle(m[0])));
    const heat = spec.option.series.find((s) => s.type === "heatmap");
    if (heat) {
      const frame = svg.querySelector("path.stroke-grid").getBBox(), [l, t, r, b] = [frame.x, frame.y, frame.x + frame.width, frame.y + frame.height];
      const columns = first(spec.option.xAxis).data.length, rows = first(spec.option.yAxis).data.length;
      const cells = heat.data.map((d) => [l + (r - l) * (d.value[0] + 0.5) / columns, t + (b - t) * (d.value[1] + 0.5) / rows, d.name]);
      cells.reach = Math.hypot((r - l) / columns, (b - t) / rows) / 2;
      return cells;
    }
    const named = spec.option.series.filter((s) => s.name !== "interval" && s.name !== "reference");
    if (spec.across) return named.flatMap((s, i) => (marks[i] ? [[...marks[i][0], s.data[0].name]] : []));
    const placed = svg.closest("[data-axis=log]") ? (d) => d.value[0] > 0 : () => true;
    return named.flatMap((s, i) => s.data.filter((d) => d.value[1] !== "-" && placed(d)).flatMap((d, k) => (marks[i] && marks[i][k] ? [[...marks[i][k], d.name]] : [])));
  };
  for (const figure of figures) {
    for (const svg of figure.querySelectorAll(".drawing svg")) {
      let points = null, from = null;
      const place = (e) => new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.getScreenCTM().inverse());
      svg.addEventListener("pointermove", (e) => {
        points = points || pointsOf(figure, svg);
        const p = place(e);
        let best = null, least = points.reach || 24;
        for (const q of points) {
          const away = Math.hypot(q[0] - p.x, q[1] - p.y);
          if (away < least) [best, least] = [q, away];
        }
        tip.hidden = !best;
        if (!best) return;
        tip.textContent = best[2];
        tip.style.left = Math.max(4, Math.min(e.clientX + 12, innerWidth - tip.offsetWidth - 8)) + "px";
        tip.style.top = Math.max(4, e.clientY - tip.offsetHeight - 10) + "px";
      });
      svg.addEventListener("pointerleave", () => { tip.hidden = true; });
      svg.addEventListener("pointerdown", (e) => { if (e.pointerType === "mouse") from = place(e); });
      svg.addEventListener("pointerup", (e) => {
        const to = place(e), w = from && Math.abs(to.x - from.x), h = from && Math.abs(to.y - from.y);
        if (from && w > 15 && h > 15) {
          if (!svg.hasAttribute("viewBox0")) svg.setAttribute("viewBox0", svg.getAttribute("viewBox"));
          svg.setAttribute("viewBox", [Math.min(from.x, to.x), Math.min(from.y, to.y), w, h].map((v) => +v.toFixed(1)).join(" "));
          svg.classList.add("zoomed");
        }
        from = null;
      });
      svg.addEventListener("dblclick", () => {
        if (!svg.hasAttribute("viewBox0")) return;
        svg.setAttribute("viewBox", svg.getAttribute("viewBox0"));
        svg.removeAttribute("viewBox0");
        svg.classList.remove("zoomed");
      });
    }
  }

  // ---- Legends hide series ----

  for (const legend of document.querySelectorAll("main .legend")) {
    const scope = legend.closest("figure") || legend.closest("section");
    for (const item of legend.children) {
      const ink = [...item.querySelector(".swatch").classList].map((c) => c.replace("fill-bg-", "")).find((c) => c.startsWith("run"));
      item.setAttribute("role", "button");
      item.setAttribute("aria-pressed", "true");
      item.tabIndex = 0;
      const toggle = () => {
        const off = item.classList.toggle("off");
        item.setAttribute("aria-pressed", String(!off));
        for (const e of scope.querySelectorAll("svg .fill-" + ink + ", svg .stroke-" + ink)) e.classList.toggle("off", off);
      };
      item.addEventListener("click", toggle);
      item.addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); toggle(); } });
    }
  }
})();
