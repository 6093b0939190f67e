/* The pages of a site without a server. Data comes from scripts beside the pages, so that all works from the disk. */
"use strict";
(() => {
  const page = JSON.parse(document.getElementById("page").textContent);
  const words = page.words, lang = page.lang;
  const received = {}, waiting = {};
  window.chipweir = {
    receive(name, data) { received[name] = data; (waiting[name] || []).forEach((tell) => tell(data)); },
  };
  const load = (name) => new Promise((tell, fail) => {
    if (received[name]) return tell(received[name]);
    (waiting[name] ||= []).push(tell);
    if (waiting[name].length > 1) return;
    const script = document.createElement("script");
    script.src = `../data/${name}.js`;
    script.onerror = () => fail(new Error(name));
    document.head.append(script);
  });
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, key) => key in values ? values[key] : whole);
  const make = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const byId = (id) => document.getElementById(id);

  /* Numbers as the reader's language writes them. */
  const step = lang === "ko" ? 1e4 : 1e3;
  const written = (value, digits) => new Intl.NumberFormat(lang, {notation: Math.abs(value) < step ? "standard" : "compact",
    maximumSignificantDigits: digits, useGrouping: "always"}).format(value).replace("-", "−");
  const number = (value, digits = 3) => Number.isFinite(value) ? written(value, digits) : "–";
  const power = (value) => {
    if (!Number.isFinite(value) || value === 0) return value === 0 ? "0" : "–";
    const exponent = Math.floor(Math.log10(Math.abs(value)));
    const raised = String(exponent).replace(/[-\d]/g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
    return `${(value / 10 ** exponent).toFixed(1).replace("-", "−")}×10${raised}`;
  };
  const money = (value, digits = 3) => !Number.isFinite(value) ? "–" : lang === "ko"
    ? `${number(value, digits)} 달러` : `${value < 0 ? "−" : ""}$${number(Math.abs(value), digits)}`;
  const share = (value) => Number.isFinite(value) ? `${written(100 * value, 2)}%` : "–";
  const quantity = (value, kind, digits = 3) => kind === "share" ? share(value) : kind === "usd" ? money(value, digits)
    : kind === "flop" ? power(value) : number(value, digits);
  const signed = (value, kind) => !Number.isFinite(value) ? "–" : (value > 0 ? "+" : "") +
    (kind === "share" ? fill(words.points, {value: number(100 * value, 2)}) : quantity(value, kind, 2));

  /* Values of members: packed as 16-bit steps between two ends on the outcome's own scale; the last step is "missing". */
  const unpack = ([low, high, text]) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const steps = new Uint16Array(bytes.buffer);
    return Float64Array.from(steps, (step) => step === 65535 ? NaN : low + (high - low) * step / 65534);
  };
  const back = (scaled, {name, floor}) => name === "log" ? Math.max(Math.exp(scaled) - floor, 0)
    : name === "logit" ? 1 / (1 + Math.exp(-scaled)) : scaled;
  const quantile = (sorted, level) => {
    if (!sorted.length) return NaN;
    const place = level * (sorted.length - 1), below = Math.floor(place);
    return sorted[below] + (sorted[Math.min(below + 1, sorted.length - 1)] - sorted[below]) * (place - below);
  };
  const spread = (values) => {
    const sorted = Float64Array.from(values.filter(Number.isFinite)).sort();
    return {low: quantile(sorted, 0.1), median: quantile(sorted, 0.5), high: quantile(sorted, 0.9), count: sorted.length};
  };

  /* The playground. */
  const play = () => {
    const years = page.years, acting = page.acting, members = page.members;
    const cache = new Map();
    const scaled = (preset, part, key, outcome) => {
      const name = `${preset}|${key}|${outcome}`;
      if (!cache.has(name)) cache.set(name, unpack(part));
      return cache.get(name);
    };
    const state = {a: page.presets[0].name, b: page.presets[0].name, year: page.year, settings: {}};
    const read = () => {
      const asked = new URLSearchParams(location.hash.slice(1));
      const known = new Set(page.presets.map((each) => each.name));
      if (known.has(asked.get("a"))) state.a = asked.get("a");
      if (known.has(asked.get("b"))) state.b = asked.get("b");
      if (years.includes(Number(asked.get("year")))) state.year = Number(asked.get("year"));
      state.settings = {};
      for (const lever of page.levers) {
        const value = asked.get(lever.name);
        if (lever.options.some((option) => option.value === value)) state.settings[lever.name] = value;
      }
    };
    const write = () => {
      const asked = new URLSearchParams({a: state.a, b: state.b, year: state.year, ...state.settings});
      history.replaceState(null, "", `#${asked}`);
    };
    /* Members' values [member, year] of every outcome under a preset with settings: effects add on the outcome's scale. */
    const values = (preset, data, settings) => Object.fromEntries(page.outcomes.map((outcome) => {
      const base = scaled(preset, data.base[outcome.key], "", outcome.key);
      const total = Float64Array.from(base), first = years.length - acting.length;
      for (const [lever, value] of Object.entries(settings)) {
        const moved = data.moves[`${lever}=${value}`];
        if (!moved || !moved[outcome.key]) continue;
        const own = scaled(preset, moved[outcome.key], `${lever}=${value}`, outcome.key);
        for (let m = 0; m < members; m++) for (let y = 0; y < acting.length; y++) {
          const place = m * years.length + first + y;
          total[place] += own[m * acting.length + y] - base[place];
        }
      }
      return [outcome.key, total.map((each) => back(each, outcome.scale))];
    }));
    const column = (all, y) => Array.from({length: members}, (_, m) => all[m * years.length + y]);
    const chance = (change) => {
      const known = change.filter(Number.isFinite);
      if (!known.length || known.every((each) => each === 0)) return NaN;
      return known.reduce((sum, each) => sum + (each > 0 ? 1 : each === 0 ? 0.5 : 0), 0) / known.length;
    };
    const compared = (a, b, outcome, y) => {
      const first = column(a[outcome.key], y), second = column(b[outcome.key], y);
      const size = Math.max(...first.filter(Number.isFinite).map(Math.abs), 0);
      /* Steps of the packed numbers are no effects. */
      const change = second.map((each, m) => Math.abs(each - first[m]) < 3e-4 * size ? 0 : each - first[m]);
      return {a: spread(first), b: spread(second), change: spread(change), rise: chance(change)};
    };
    const kept = (data) => Object.fromEntries(Object.entries(state.settings)
      .filter(([lever, value]) => data.moves[`${lever}=${value}`]));
    const told = (outcome, found, together) => {
      const kind = outcome.kind, range = (s) => `${quantity(s.low, kind, 2)}${words.dash}${quantity(s.high, kind, 2)}`;
      const change = `${signed(found.change.low, kind)} … ${signed(found.change.high, kind)}`;
      const rise = Number.isFinite(found.rise) ? share(found.rise) : "–";
      const same = !Number.isFinite(found.rise);
      const cells = [
        [quantity(found.a.median, kind), range(found.a)], [quantity(found.b.median, kind), range(found.b)],
        same ? [words.same, ""] : [signed(found.change.median, kind), change], [rise, ""],
      ];
      const head = make("th", {scope: "row"}, outcome.label, make("span", {class: "small"}, outcome.unit));
      const row = make("tr", {"data-outcome": outcome.key}, head);
      for (const [main, small] of cells) row.append(make("td", {}, make("b", {}, main), make("span", {class: "small"}, small)));
      row.append(make("td", {class: "error"}, together ? outcome.error : ""));
      return row;
    };
    const sentences = (found) => {
      const sure = [], open = [];
      for (const [outcome, each] of found) {
        if (!Number.isFinite(each.rise)) continue;
        const surest = Math.max(each.rise, 1 - each.rise);
        if (surest < 0.9) { open.push(outcome.label); continue; }
        sure.push([surest, fill(each.rise > 0.5 ? words.higher : words.lower, {
          what: outcome.label, change: signed(each.change.median, outcome.kind), chance: surest > 0.99 ? words.certain : share(surest),
          low: signed(each.change.low, outcome.kind), high: signed(each.change.high, outcome.kind),
        })]);
      }
      const lines = sure.slice(0, 6).map(([, text]) => text);
      if (open.length) lines.push(fill(words.open, {what: open.join(", ")}));
      return lines.length ? lines : [words.nothing];
    };
    /* Ticks at round numbers, written as all numbers of the page are; powers of ten where values span a hundredfold. */
    const axis = (low, high, kind) => {
      if (low > 0 && (kind === "flop" || kind === "usd") && high / low > 200) {
        const first = Math.floor(Math.log10(low)), count = Math.ceil(Math.log10(high)) - first + 1;
        const ticks = Array.from({length: count}, (_, i) => 10 ** (first + i));
        return {type: "log", tickvals: ticks, ticktext: ticks.map((each) => quantity(each, kind, 2))};
      }
      const rough = (high || 1) / 4, unit = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 2.5, 5, 10].find((each) => each * unit >= rough) * unit;
      const ticks = Array.from({length: Math.floor((high || 1) / step + 1e-9) + 1}, (_, i) => i * step);
      return {rangemode: "tozero", tickvals: ticks, ticktext: ticks.map((each) => quantity(each, kind, 2))};
    };
    const chart = (outcome, a, b) => {
      const dark = matchMedia("(prefers-color-scheme: dark)").matches;
      const line = (all, name, colour, dash) => {
        const found = years.map((_, y) => spread(column(all[outcome.key], y)));
        const text = found.map((s) => `${quantity(s.median, outcome.kind)} (${quantity(s.low, outcome.kind, 2)}${words.dash}${quantity(s.high, outcome.kind, 2)})`);
        const band = {x: [...years, ...[...years].reverse()], y: [...found.map((s) => s.high), ...found.map((s) => s.low).reverse()],
          fill: "toself", fillcolor: `${colour}2e`, line: {width: 0}, hoverinfo: "skip", showlegend: false, type: "scatter", mode: "lines"};
        return [band, {x: years, y: found.map((s) => s.median), name, text, hovertemplate: "%{text}", type: "scatter",
          mode: "lines+markers", line: {color: colour, dash, width: 2.5}, marker: {size: 5}}];
      };
      const same = page.outcomes.every((each) => a[each.key] === b[each.key]);
      const data = same ? line(b, words.scenario_b, "#0072B2", "solid")
        : [...line(a, words.scenario_a, "#8C8C8C", "dash"), ...line(b, words.scenario_b, "#0072B2", "solid")];
      const shown = data.flatMap((trace) => trace.y).filter(Number.isFinite);
      const title = outcome.unit ? `${outcome.label} (${outcome.unit})` : outcome.label;
      const layout = {template: page.templates[dark ? "dark" : "light"], title: {text: title, font: {size: 14}}, height: 280,
        margin: {l: 60, r: 12, t: 44, b: 34}, legend: {orientation: "h", y: 1.12, x: 1, xanchor: "right"}, showlegend: !same,
        xaxis: {dtick: 2, tickformat: "d"}, yaxis: axis(Math.min(...shown), Math.max(...shown), outcome.kind)};
      Plotly.react(`chart-${outcome.key}`, data, layout, page.graph);
    };
    let turn = 0;
    const show = async () => {
      const mine = ++turn;
      byId("state").textContent = words.loading;
      let first, second;
      try { [first, second] = await Promise.all([load(state.a), load(state.b)]); } catch (error) {
        byId("state").textContent = fill(words.unread, {name: error.message});
        return;
      }
      if (mine !== turn) return;
      for (const select of document.querySelectorAll("select[data-lever]")) {
        for (const option of select.options) option.disabled = option.value !== "" && !second.moves[`${select.dataset.lever}=${option.value}`];
        select.value = state.settings[select.dataset.lever] && second.moves[`${select.dataset.lever}=${state.settings[select.dataset.lever]}`]
          ? state.settings[select.dataset.lever] : "";
        select.closest("label").classList.toggle("moved", select.value !== "");
      }
      const settings = kept(second), count = Object.keys(settings).length;
      const a = values(state.a, first, {}), b = state.a === state.b && !count ? a : values(state.b, second, settings);
      const y = years.indexOf(state.year), found = page.outcomes.map((outcome) => [outcome, compared(a, b, outcome, y)]);
      byId("numbers").replaceChildren(...found.map(([outcome, each]) => told(outcome, each, count > 1)));
      byId("findings").replaceChildren(...sentences(found).map((text) => make("li", {}, text)));
      byId("emulated").hidden = count < 2;
      byId("emulated").textContent = count > page.most_together ? words.beyond : words.emulated;
      byId("story").textContent = page.presets.find((each) => each.name === state.b).story;
      for (const [id, value] of [["a", state.a], ["b", state.b], ["year", state.year]]) byId(id).value = value;
      byId("year-shown").textContent = state.year;
      for (const outcome of page.outcomes) chart(outcome, a, b);
      write();
      byId("state").textContent = fill(words.ready, {members});
      document.body.dataset.ready = String(mine);
    };
    const controls = byId("levers");
    for (const lever of page.levers) {
      const select = make("select", {"data-lever": lever.name});
      select.append(new Option(words.as_preset, ""), ...lever.options.map((option) => new Option(option.text, option.value)));
      select.addEventListener("change", () => {
        if (select.value) state.settings[lever.name] = select.value; else delete state.settings[lever.name];
        show();
      });
      controls.append(make("label", {title: lever.text}, make("span", {}, lever.title), select));
    }
    for (const id of ["a", "b"]) {
      byId(id).append(...page.presets.map((each) => new Option(each.label, each.name)));
      byId(id).addEventListener("change", (event) => { state[id] = event.target.value; show(); });
    }
    byId("year").addEventListener("input", (event) => { state.year = Number(event.target.value); show(); });
    byId("reset").addEventListener("click", () => { state.settings = {}; show(); });
    byId("save").addEventListener("click", () => {
      const rows = [...document.querySelectorAll("#comparison tr")].map((row) => [...row.cells].map((cell) => `"${cell.innerText.replace(/"/g, '""').replace(/\s*\n\s*/g, " ")}"`).join(","));
      save(`chipweir-${state.b}-${state.year}.csv`, rows);
    });
    window.addEventListener("hashchange", () => { read(); show(); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
    read();
    show();
  };
  const save = (name, lines) => {
    const link = make("a", {download: name, href: URL.createObjectURL(new Blob(["\ufeff" + lines.join("\n")], {type: "text/csv"}))});
    link.click();
    URL.revokeObjectURL(link.href);
  };

  /* Long tables: words are searched, a click on a head sorts, a hundred rows at a time. */
  const STEP = 100;
  const table = (heads, rows, cellsOf, searchedOf, sortOf) => {
    let shown = STEP, order = null, down = false;
    const head = make("tr"), body = make("tbody"), more = make("button", {type: "button"}, words.more), count = byId("count");
    const searched = rows.map(searchedOf);
    const asked = () => byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = () => {
      const wanted = asked(), kind = byId("kind") ? byId("kind").value : "";
      let list = rows.filter((row, i) => wanted.every((word) => searched[i].includes(word)) && (!kind || String(row.kind) === kind));
      if (order !== null) {
        const key = (row) => sortOf(row, order), missing = (each) => each === null || each === undefined || each === "";
        list = [...list].sort((one, two) => {
          const [x, y] = [key(one), key(two)];
          if (missing(x) || missing(y)) return missing(x) - missing(y);
          return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
        });
      }
      return list;
    };
    const draw = () => {
      const list = found();
      body.replaceChildren(...list.slice(0, shown).map((row) => make("tr", {}, ...cellsOf(row))));
      count.textContent = fill(words.found, {count: list.length.toLocaleString(lang), shown: Math.min(shown, list.length).toLocaleString(lang)});
      more.hidden = list.length <= shown;
    };
    heads.forEach((text, i) => {
      const button = make("button", {type: "button", class: "sort"}, text), cell = make("th", {scope: "col"}, button);
      button.addEventListener("click", () => {
        down = order === i && !down; order = i;
        for (const each of head.children) each.removeAttribute("aria-sort");
        cell.setAttribute("aria-sort", down ? "descending" : "ascending");
        draw();
      });
      head.append(cell);
    });
    more.addEventListener("click", () => { shown += STEP; draw(); });
    byId("search").addEventListener("input", () => { shown = STEP; draw(); });
    if (byId("kind")) byId("kind").addEventListener("change", () => { shown = STEP; draw(); });
    byId("table").replaceChildren(make("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": document.title},
      make("table", {}, make("thead", {}, head), body)), more);
    draw();
    document.body.dataset.ready = "1";
    return found;
  };
  const cell = (content, title = "") => make("td", title ? {title} : {}, content ?? "–");
  const own = (named) => typeof named === "string" ? named : named[lang];

  const chips = async () => {
    const data = await load("chips");
    const precise = (value) => value === null || value === undefined ? "–" : Number(value.toPrecision(6)).toLocaleString(lang);
    const heads = [words.chip, words.maker, words.released, words.status, "TPP", ...page.specs];
    const cells = (row) => [make("th", {scope: "row"}, row.name), cell(own(row.maker)), cell(row.release || "–"), cell(own(row.status)),
      cell(precise(row.tpp)), ...row.values.map((value) => value ? cell(precise(value[0]) + (value[2] ? " ?" : ""), value[1]) : cell("–"))];
    const key = (row, i) => [row.name, own(row.maker), row.release, own(row.status), row.tpp][i] ?? (i > 4 && row.values[i - 5] ? row.values[i - 5][0] : null);
    table(heads, data.rows, cells, (row) => `${row.name} ${own(row.maker)} ${own(row.status)} ${row.searched}`.toLowerCase(), key);
  };

  const facts = async () => {
    const data = await load("facts");
    const rows = data.rows.map(([kind, id, title, korean, value, when, source, url, trust]) =>
      ({kind, id, title: (lang === "ko" && korean) || title, both: `${title} ${korean}`, value: data.events[lang][value] || value, when,
        source: data.sources[source], url: data.addresses[url], trust: trust.split(" ").map((word) => data.trust[lang][word] || word).join(", ")}));
    const link = (row) => row.url ? make("a", {href: row.url, rel: "noopener noreferrer", target: "_blank"}, row.source || row.url) : row.source;
    const cells = (row) => [make("th", {scope: "row"}, make("code", {}, row.id)), cell(row.title), cell(row.value), cell(row.when), cell(link(row)), cell(row.trust)];
    const found = table([words.id, words.what, words.value, words.when, words.source, words.trust], rows, cells,
      (row) => `${row.id} ${row.both} ${row.value} ${row.source}`.toLowerCase(), (row, i) => [row.id, row.title, row.value, row.when, row.source, row.trust][i]);
    byId("save").addEventListener("click", () => {
      const quoted = (text) => `"${(/^[=+\-@]/.test(text) ? "'" : "") + String(text).replace(/"/g, '""')}"`;
      save("chipweir-facts.csv", ["id,what,value,when,source,address,trust", ...found().map((row) =>
        [row.id, row.title, row.value, row.when, row.source, row.url, row.trust].map(quoted).join(","))]);
    });
  };

  const rules = async () => {
    const data = await load("rules"), day = byId("day");
    day.max = data.until; day.min = data.spells[0][0][0];
    if (!day.value) day.value = data.until;
    const on = (course) => course.filter(([since]) => since <= day.value).pop();
    const answer = (row, i) => { const spell = on(data.spells[data.cells[row][i]]); return spell && data.answers[spell[1]]; };
    const explain = (row, i) => {
      const course = data.spells[data.cells[row][i]], place = data.destinations[i][lang];
      const lines = course.map(([since, index]) => {
        const said = data.answers[index], parts = said[lang];
        const text = [parts.status, parts.practice && fill(words.practice, {what: parts.practice}), fill(words.import_stance, {what: parts.stance}),
          said.eccn, parts.basis].filter(Boolean).join(" · ");
        return make("li", on(course)[0] === since ? {"aria-current": "date"} : {}, make("b", {}, since), ` ${text}`);
      });
      byId("answer").replaceChildren(make("h2", {}, `${data.chips[row]} → ${place}`), make("ol", {}, ...lines));
      byId("answer").scrollIntoView({block: "nearest"});
    };
    const draw = () => {
      const wanted = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
      const rows = data.chips.map((_, i) => i).filter((i) => wanted.every((word) => data.chips[i].toLowerCase().includes(word)));
      const head = make("tr", {}, make("th", {scope: "col"}, words.chip), ...data.destinations.map((each) => make("th", {scope: "col"}, each[lang])));
      const body = rows.map((row) => make("tr", {}, make("th", {scope: "row"}, data.chips[row]), ...data.destinations.map((_, i) => {
        const said = answer(row, i), button = make("button", {type: "button", class: `law ${said ? said.word : ""}`}, said ? said[lang].status : "–");
        button.addEventListener("click", () => explain(row, i));
        return make("td", {}, button);
      })));
      byId("table").replaceChildren(make("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": document.title},
        make("table", {class: "matrix"}, make("thead", {}, head), make("tbody", {}, ...body))));
      byId("count").textContent = fill(words.chips_shown, {count: rows.length});
      byId("unverified").hidden = day.value <= data.verified;
      byId("unverified").textContent = fill(words.unverified, {day: data.verified});
      document.body.dataset.ready = "1";
    };
    for (const input of [day, byId("search")]) input.addEventListener("input", draw);
    draw();
  };

  ({play, chips, rules, facts, believe: () => { document.body.dataset.ready = "1"; }})[page.kind]();
})();
