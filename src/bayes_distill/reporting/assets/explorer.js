"use strict";
/* The explorer: controls, the numbers that the tables give for them, and the charts. */

(() => {
  const told = JSON.parse(document.getElementById("data").textContent);
  const tables = {
    distilled: told.distilled && unpackTable(told.distilled),
    alone: unpackTable(told.alone),
    best: told.best && unpackTable(told.best),
    recipes: Object.fromEntries(
      Object.entries(told.recipes).map(([name, packed]) => [name, unpackTable(packed)])),
  };
  const teacher = tables.distilled !== null;
  const element = (id) => document.getElementById(id);
  const SUFFIXES = { T: 1e12, B: 1e9, M: 1e6, K: 1e3 };
  const POINTS = 81;
  const views = {};
  let waiting = false, drawn = Promise.resolve();

  /* ---- numbers as people write and read them ---- */

  function readQuantity(text) {
    const match = /^\s*((?:\d+(?:[_ ]\d+)*|\d{1,3}(?:,\d{3})+)?(?:\.\d*)?(?:e[+-]?\d{1,3})?)\s*([kmbgt]?)\s*$/i.exec(text);
    if (!match || !/\d/.test(match[1])) return NaN;
    const suffix = match[2].toUpperCase().replace("G", "B");
    return Number(match[1].replace(/[_, ]/g, "")) * (SUFFIXES[suffix] || 1);
  }
  function quantity(value) {
    if (!Number.isFinite(value)) return "–";
    const round = Number(value.toPrecision(3));
    if (round >= 1e15) return round.toExponential().replace("e+", "e");
    for (const [suffix, unit] of Object.entries(SUFFIXES)) {
      if (round >= unit) return `${Number((round / unit).toPrecision(3))}${suffix}`;
    }
    return String(round);
  }
  const loss = (value) => (Number.isFinite(value) ? value.toFixed(4) : "–");
  const probability = (p) =>
    (!Number.isFinite(p) ? "–" : p < 0.005 ? "below 0.01" : p > 0.995 ? "above 0.99" : p.toFixed(2));
  const between = (low, high, show) =>
    (Number.isFinite(low) && Number.isFinite(high) ? `${show(low)} to ${show(high)}` : "–");
  const small = (value) => (value < 0.00005 ? "below 0.0001" : loss(value));
  const share = (value) => `${(100 * value).toFixed(value > 0 && value < 0.1 ? 1 : 0)}%`;

  /* ---- controls ---- */

  const state = { ...told.start };
  let placed = false; // once controls stand where the address or the start has them
  const controls = Object.fromEntries(told.controls.map((c) => [c.name, c]));
  const stepsOf = (c) =>
    Math.round(c.log ? Math.log10(c.high / c.low) / c.step : (c.high - c.low) / c.step);
  function valueAt(c, place) {
    const part = place / stepsOf(c);
    const value = c.log ? c.low * (c.high / c.low) ** part : c.low + (c.high - c.low) * part;
    const round = c.log ? Number(value.toPrecision(3)) : Number(value.toFixed(3));
    return Math.min(c.high, Math.max(c.low, round));
  }
  function placeOf(c, value) {
    const part = c.log ? Math.log(value / c.low) / Math.log(c.high / c.low) : (value - c.low) / (c.high - c.low);
    return Math.round(part * stepsOf(c));
  }
  const show = (c, value) => (c.log ? quantity(value) : String(value));

  function set(c, value, text) {
    state[c.name] = value;
    const slider = element(c.name), box = element(`${c.name}-text`);
    slider.value = placeOf(c, value);
    slider.setAttribute("aria-valuetext", show(c, value));
    box.value = text === undefined ? show(c, value) : text;
    box.removeAttribute("aria-invalid");
    element("problem").textContent = "";
    refresh();
  }
  function typed(c) {
    const box = element(`${c.name}-text`), value = readQuantity(box.value);
    if (value >= c.low && value <= c.high) return set(c, value, box.value.trim());
    box.setAttribute("aria-invalid", "true");
    element("problem").textContent = Number.isNaN(value)
      ? `${c.label}: ${box.value || "nothing"} is not a number (write 1.8B, 300M or 3e21); ${show(c, state[c.name])} still holds.`
      : `${c.label}: the tables of this page reach from ${show(c, c.low)} to ${show(c, c.high)}; ${show(c, state[c.name])} still holds. Ask bayes-distill itself for more.`;
  }
  for (const c of told.controls) {
    const slider = element(c.name), box = element(`${c.name}-text`);
    slider.min = 0; slider.max = stepsOf(c); slider.step = 1;
    slider.addEventListener("input", () => set(c, valueAt(c, Number(slider.value))));
    box.addEventListener("change", () => typed(c));
    set(c, state[c.name]);
  }
  element("controls").addEventListener("submit", (event) => event.preventDefault());
  element("scenario").value = state.scenario;
  element("scenario").addEventListener("change", (event) => { state.scenario = event.target.value; refresh(); });
  element("reset").addEventListener("click", () => {
    restore(told.start);
    history.replaceState(null, "", location.pathname + location.search);
  });

  /* ---- settings in the address: #at:params=1e9&tokens=2e10&..., so that a link keeps them ---- */

  const LINK = "#at:";
  function restore(values) {
    Object.assign(state, values);
    element("scenario").value = state.scenario;
    for (const c of told.controls) set(c, state[c.name]);
  }
  function linked() {
    if (!location.hash.startsWith(LINK)) return {};
    const asked = new URLSearchParams(location.hash.slice(LINK.length)), found = {};
    for (const c of told.controls) {
      const value = Number(asked.get(c.name) || NaN);
      if (value >= c.low && value <= c.high) found[c.name] = value;
    }
    if (asked.get("scenario") in tables.recipes) found.scenario = asked.get("scenario");
    return found;
  }
  function address() {
    const names = [...told.controls.map((c) => c.name), "scenario"];
    return LINK + new URLSearchParams(names.map((name) => [name, state[name]])).toString();
  }
  function keep() {
    const moved = Object.keys(told.start).some((name) => state[name] !== told.start[name]);
    if (moved && location.hash !== address()) history.replaceState(null, "", address());
  }
  addEventListener("hashchange", () => { if (location.hash.startsWith(LINK)) restore({ ...told.start, ...linked() }); });
  element("link").addEventListener("click", async () => {
    history.replaceState(null, "", address());
    try {
      await navigator.clipboard.writeText(location.href);
      element("copied").textContent = "Link copied.";
    } catch {
      element("copied").textContent = "The address of this page has the settings now: copy it.";
    }
  });
  restore(linked());
  placed = true;
  element("copy").addEventListener("click", async () => {
    const text = shownAsText();
    try {
      await navigator.clipboard.writeText(text);
      element("copied").textContent = "Copied.";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(element("answers"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      element("copied").textContent = "Selected: copy with Ctrl+C.";
    }
  });
  function shownAsText() {
    const lines = told.controls.map((c) => `${c.label}\t${element(`${c.name}-text`).value}`);
    const who = element("scenario");
    lines.push(`Who pays for the teacher\t${who.options[who.selectedIndex].text}`);
    for (const row of element("answers").querySelectorAll("h3, .answer, tr")) {
      lines.push(row.tagName === "TR"
        ? [...row.cells].map((cell) => cell.innerText.replace(/\s+/g, " ").trim()).join("\t")
        : row.innerText);
    }
    return lines.join("\n");
  }

  /* ---- what the tables say ---- */

  const LOSSES = ["loss_mean", "loss_lower", "loss_upper", "new_run_lower", "new_run_upper"];
  const ALONE = ["supervised_mean", "supervised_lower", "supervised_upper"];
  function studentAt(point) {
    const alone = interpolate(tables.alone, point, teacher ? ALONE : [...ALONE, ...LOSSES]);
    return teacher ? { ...alone, ...interpolate(tables.distilled, point, LOSSES) } : alone;
  }
  function recipeAt(scenario, params, budget) {
    const table = tables.recipes[scenario];
    const names = Object.keys(table.fields).filter((name) => !name.includes("."));
    return interpolate(table, { params, budget }, names);
  }
  function recipeLosses(params, budget) {
    const own = recipeAt(state.scenario, params, budget), alone = recipeAt("supervised", params, budget);
    return {
      own,
      loss_mean: own.loss_mean, loss_lower: own.loss_lower, loss_upper: own.loss_upper,
      new_run_lower: own.new_run_lower, new_run_upper: own.new_run_upper,
      supervised_mean: alone.loss_mean, supervised_lower: alone.loss_lower, supervised_upper: alone.loss_upper,
    };
  }

  /* Supervised and distilled runs, each where they were; a kind without runs borrows the other's place. */
  function runsOf(distilled) {
    const [own, other] = distilled ? ["distilled", "supervised"] : ["supervised", "distilled"];
    return told.hulls ? { own: told.hulls[own], nearest: told.hulls[own] || told.hulls[other] } : {};
  }
  /* How many times beyond the hull of its kind, in size and tokens: geometry of the runs, not of the law. */
  function beyondRuns(params, tokens, runs) {
    const hull = runs.nearest && runs.nearest.points;
    if (!hull) return [1, 1];
    const p = [Math.log(params), Math.log(tokens)];
    let nearest = hull[0], least = Infinity, inside = hull.length > 3, turn = 0;
    for (let i = 0; i < hull.length; i++) {
      const a = hull[i], b = hull[(i + 1) % hull.length];
      const d = [b[0] - a[0], b[1] - a[1]], square = d[0] ** 2 + d[1] ** 2;
      const along = square ? Math.min(1, Math.max(0, ((p[0] - a[0]) * d[0] + (p[1] - a[1]) * d[1]) / square)) : 0;
      const q = [a[0] + along * d[0], a[1] + along * d[1]];
      const away = Math.hypot(p[0] - q[0], p[1] - q[1]);
      if (away < least) { least = away; nearest = q; }
      const side = Math.sign(d[0] * (p[1] - a[1]) - d[1] * (p[0] - a[0]));
      if (side && square) { if (turn && side !== turn) inside = false; turn = turn || side; }
    }
    if (inside) return [1, 1];
    return [0, 1].map((i) => (Math.abs(p[i] - nearest[i]) > 1e-6 ? Math.exp(Math.abs(p[i] - nearest[i])) : 1));
  }
  function outsideText(params, tokens, teacherLoss, distilled) {
    const runs = runsOf(distilled), kind = distilled ? "distilled" : "supervised";
    const [size, fresh] = beyondRuns(params, tokens, runs), parts = [];
    if (size > 1) parts.push(`by a factor of ${Number(size.toPrecision(2))} in size`);
    if (fresh > 1) parts.push(`by a factor of ${Number(fresh.toPrecision(2))} in tokens`);
    const range = distilled && runs.own && runs.own.teacher_loss;
    const far = range && (teacherLoss < range[0] * (1 - 1e-6) || teacherLoss > range[1] * (1 + 1e-6));
    const said = [];
    if (runs.nearest && !runs.own) said.push(`No run was ${kind}: this rests on the prior and the law.`);
    if (parts.length) said.push(`Outside the ${runs.own ? kind : "other"} runs ${parts.join(" and ")}: the intervals rest on the law being right there.`);
    if (far) said.push(`No run had a teacher this ${teacherLoss < range[0] ? "good" : "weak"} (${range[0].toFixed(3)} to ${range[1].toFixed(3)}).`);
    return said.join(" ");
  }

  /* ---- words and numbers ---- */

  const put = (id, text) => { const where = element(`n-${id}`); if (where) where.textContent = text; };
  function hurtsInWords(p) {
    if (p < 0.05) return "A slightly stronger teacher would help it, almost surely.";
    if (p < 0.35) return "A slightly stronger teacher would probably help it.";
    if (p <= 0.65) return "This teacher is about the best: a stronger one may help or hurt.";
    if (p <= 0.95) return "This teacher is probably too strong: a slightly weaker one would be better.";
    return "This teacher is too strong, almost surely: a slightly weaker one would be better.";
  }
  function showStudent() {
    const point = { params: state.params, tokens: state.tokens, teacher_loss: state.teacher_loss };
    const found = studentAt(point);
    put("mean", loss(found.loss_mean));
    put("credible", between(found.loss_lower, found.loss_upper, loss));
    put("predictive", between(found.new_run_lower, found.new_run_upper, loss));
    let words = `A ${quantity(state.params)} student on ${quantity(state.tokens)} tokens ${teacher ? `under a teacher of loss ${state.teacher_loss} ` : ""}reaches ${loss(found.loss_mean)} nats per token.`;
    if (teacher) {
      const optimal = ["mean", "lower", "upper"].map((x) => `optimal_teacher_loss_${x}`);
      const best = interpolate(tables.best, point, [...optimal, "p_boundary"]);
      const cost = interpolate(tables.distilled, point, ["excess_loss_mean", "excess_loss_lower", "excess_loss_upper"]);
      const hurts = probabilityBelowZero(tables.distilled, "slope", point, told.levels);
      put("supervised", loss(found.supervised_mean));
      put("supervised_band", between(found.supervised_lower, found.supervised_upper, loss));
      put("p_beats_supervised", probability(probabilityBelowZero(tables.distilled, "advantage", point, told.levels)));
      put("p_stronger_teacher_hurts", probability(hurts));
      put("optimal_teacher_loss", loss(best[optimal[0]]));
      put("optimal_teacher_loss_band", between(best[optimal[1]], best[optimal[2]], loss));
      put("p_boundary", probability(best.p_boundary));
      put("excess", loss(cost.excess_loss_mean));
      put("excess_band", between(cost.excess_loss_lower, cost.excess_loss_upper, loss));
      words += ` ${hurtsInWords(hurts)}`;
      found.best = { lower: best[optimal[1]], upper: best[optimal[2]] };
    }
    element("sentence").textContent = words;
    element("outside").textContent = outsideText(state.params, state.tokens, state.teacher_loss, teacher);
    return found;
  }
  const UNKNOWNS = { student_tokens: quantity, teacher_params: quantity, teacher_tokens: quantity, teacher_loss: loss };
  function showRecipe() {
    const all = recipeLosses(state.params, state.budget), own = all.own;
    for (const [name, form] of Object.entries(UNKNOWNS)) {
      const given = own[`recipe_${name}`], middle = own[`optimum_${name}_median`];
      put(`recipe_${name}`, form(given));
      put(`optimum_${name}_median`, form(middle));
      const ends = between(own[`optimum_${name}_lower`], own[`optimum_${name}_upper`], form);
      put(`optimum_${name}`, ends === "–" ? "" : `(${ends})`);
    }
    put("recipe_loss", loss(own.loss_mean));
    put("recipe_credible", between(own.loss_lower, own.loss_upper, loss));
    put("recipe_predictive", between(own.new_run_lower, own.new_run_upper, loss));
    put("recipe_supervised", loss(all.supervised_mean));
    const parts = { student: "share_student", "its logits": "share_logits", "the teacher": "share_teacher", nothing: "share_unspent" };
    put("recipe_shares", Object.entries(parts).filter(([, field]) => own[field] > 5e-4)
      .map(([words, field]) => `${share(own[field])} ${words}`).join(", "));
    put("recipe_regret", `${small(own.regret_mean)} (95th percentile ${small(own.regret_upper)})`);
    let words = `${quantity(state.budget)} FLOPs buy ${loss(own.loss_mean)} nats per token`;
    if (state.scenario === "supervised") {
      put("recipe_p_beats_supervised", "–");
      words += " by supervised training.";
    } else {
      const better = probabilityBelowZero(tables.recipes[state.scenario], "advantage", { params: state.params, budget: state.budget }, told.levels);
      put("recipe_p_beats_supervised", probability(better));
      words += better > 0.95 ? "; supervised training with the same budget would almost surely do worse."
        : better < 0.05 ? "; supervised training with the same budget would almost surely do better."
          : "; supervised training with the same budget may do as well.";
    }
    element("recipe-sentence").textContent = words;
    element("recipe-outside").textContent = outsideText(state.params, own.recipe_student_tokens, own.recipe_teacher_loss, state.scenario !== "supervised");
    return all;
  }

  /* ---- charts ---- */

  const finite = (value) => (typeof value === "string" || Number.isFinite(value) ? value : null);
  const clean = (row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, finite(v)]));
  const withEnds = (r) => `${loss(r.loss_mean ?? r.supervised_mean)} (${between(r.loss_lower, r.loss_upper, loss)})`;
  const alike = (a, b) => Math.abs(Math.log(a / b)) < 0.1;
  const labelOf = (n, d, y, t) =>
    `run: ${quantity(n)} on ${quantity(d)} tokens${t === null ? ", no teacher" : `, teacher ${loss(t)}`}: ${loss(y)}`;
  /* Runs of a size, by the column that is the chart's horizontal axis; others are not like its curve. */
  function runsLike(column) {
    const found = [];
    for (const [n, d, y, t] of told.runs) {
      if (!alike(n, state.params)) continue;
      const kind = t === null ? "supervised" : "distilled";
      if (column === "teacher" ? t === null || !alike(d, state.tokens) : t !== null && Math.abs(t / state.teacher_loss - 1) > 0.02) continue;
      found.push({ x: column === "teacher" ? t : d, y, kind, label: labelOf(n, d, y, t) });
    }
    return found;
  }
  const along = (axis, log, row) => Array.from({ length: POINTS }, (_, i) => {
    const part = i / (POINTS - 1);
    const x = log ? axis.low * (axis.high / axis.low) ** part : axis.low + (axis.high - axis.low) * part;
    return clean({ x, ...row(x) });
  });
  const axisOf = (table, name) => table.axes.find((axis) => axis.name === name);
  const chartRows = {
    teacher(found) {
      const axis = axisOf(tables.distilled, "teacher_loss");
      // far weaker teachers than any that matters would flatten the rest
      const far = Math.max(1.12 * found.supervised_mean, 1.05 * found.best.upper, 1.02 * state.teacher_loss);
      const rows = along({ low: axis.low, high: Math.min(axis.high, far) }, false,
        (x) => { const r = studentAt({ ...state, teacher_loss: x }); return { ...r, label: `teacher ${loss(x)}: ${withEnds(r)}` }; });
      const low = Math.min(...rows.map((r) => Math.min(r.new_run_lower, r.supervised_lower)));
      const high = Math.max(...rows.map((r) => Math.max(r.new_run_upper, r.supervised_upper)));
      for (const r of rows) r.same = r.x >= low && r.x <= high ? r.x : null;
      const best = { lower: Math.max(axis.low, found.best.lower), upper: Math.min(axis.high, found.best.upper) };
      return {
        curve: rows, runs: runsLike("teacher").filter((r) => r.x <= rows[rows.length - 1].x),
        here: [{ x: state.teacher_loss, y: found.loss_mean }], best: best.lower < best.upper ? [best] : [],
        about: `${quantity(state.params)} student on ${quantity(state.tokens)} tokens.`,
      };
    },
    tokens(found) {
      return {
        curve: along(axisOf(tables.alone, "tokens"), true, (x) => {
          const r = studentAt({ ...state, tokens: x });
          return { ...r, label: `${quantity(x)} tokens: ${withEnds(r)}` };
        }),
        runs: runsLike("tokens"),
        here: [{ x: state.tokens, y: found.loss_mean }],
        about: `${quantity(state.params)} student${teacher ? `, teacher of loss ${state.teacher_loss}` : ""}.`,
      };
    },
    amounts() {
      const rows = along(axisOf(tables.recipes[state.scenario], "budget"), true, (x) => {
        const own = recipeAt(state.scenario, state.params, x), row = {};
        const size = Number.isFinite(own.recipe_teacher_params) ? `; teacher of ${quantity(own.recipe_teacher_params)} on ${quantity(own.recipe_teacher_tokens)} tokens` : "";
        row.label = `${quantity(x)} FLOPs: ${quantity(own.recipe_student_tokens)} student's tokens${size}`;
        for (const name of ["student_tokens", "teacher_tokens", "teacher_params"]) {
          row[name] = own[`recipe_${name}`];
          row[`${name}_lower`] = own[`optimum_${name}_lower`];
          row[`${name}_upper`] = own[`optimum_${name}_upper`];
        }
        return row;
      });
      const known = rows.some((r) => r.teacher_params !== null);
      return {
        curve: rows, here: [{ x: state.budget, y: null }],
        about: `${quantity(state.params)} student. ${known || state.scenario === "supervised" ? "" : "A teacher that costs nothing is wanted for its loss alone, whatever its size."}`,
      };
    },
    losses() {
      const rows = along(axisOf(tables.recipes[state.scenario], "budget"), true, (x) => {
        const { own, ...row } = recipeLosses(state.params, x);
        return { ...row, label: `${quantity(x)} FLOPs: ${withEnds(row)}; supervised ${loss(row.supervised_mean)}` };
      });
      return {
        curve: rows, here: [{ x: state.budget, y: recipeLosses(state.params, state.budget).loss_mean }],
        about: `${quantity(state.params)} student.`,
      };
    },
  };
  function asText(rows) {
    const names = Object.keys(rows[0]).filter((n) => n !== "label");
    const lines = rows.map((row) => names.map((n) => (row[n] === null ? "" : Number(row[n].toPrecision(6)))).join("\t"));
    return [names.join("\t"), ...lines].join("\n");
  }
  async function embed(id, spec, data) {
    const datasets = { curve: data.curve, here: data.here, ...(data.best && { best: data.best }), ...(data.runs && { runs: data.runs }) };
    // errors only: columns of what is not determined are empty, which is none
    const options = { actions: false, renderer: "svg", tooltip: true, logLevel: 1 };
    views[id] = (await vegaEmbed(element(id), { ...spec, datasets }, options)).view;
  }
  function draw(found) {
    const done = told.charts.map(({ id, rows: kind, spec }) => {
      const { curve, here, best, runs, about } = chartRows[kind](found);
      element(`${id}-about`).textContent = about;
      const numbers = element(`${id}-numbers`);
      numbers.textContent = asText(curve);
      if (!views[id]) return embed(id, spec, { curve, here, best, runs });
      views[id].data("curve", curve).data("here", here);
      if (best) views[id].data("best", best);
      if (runs) views[id].data("runs", runs);
      return views[id].runAsync();
    });
    return Promise.all(done);
  }

  function refresh() {
    if (placed) keep();
    if (waiting) return;
    waiting = true;
    document.documentElement.dataset.state = "working";
    requestAnimationFrame(async () => {
      waiting = false;
      showRecipe();
      await (drawn = drawn.then(() => draw(showStudent())));
      if (!waiting) document.documentElement.dataset.state = "ready";
    });
  }
})();
