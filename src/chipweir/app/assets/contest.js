/* The Contest page: its levers, and the server's answers painted as they come. All of this is plain DOM and Plotly, since
   a round through Dash and its components takes as long as the simulation. */
(function () {
  "use strict";
  var page = null;

  /* ---- pieces ---- */
  function made(tag, className, text) {
    var node = document.createElement(tag);
    if (className) { node.className = className; }
    if (text !== undefined) { node.textContent = text; }
    return node;
  }
  function filled(node, children) { node.replaceChildren.apply(node, children); return node; }
  function tell(id, props) { window.dash_clientside.set_props(id, props); }
  function same(a, b) { return typeof a === "number" && typeof b === "number" ? Math.abs(a - b) < 1e-9 : a === b; }
  function written(value) { return typeof value === "number" ? String(Number(value.toPrecision(10))) : value; }

  /* ---- levers: records come from the server, `page.values` is where they stand ---- */
  function shown(record, value) {
    if (typeof value !== "number") { return ""; }
    var options = record.share ? { style: "percent", maximumFractionDigits: 0 } : { notation: "compact", maximumSignificantDigits: 3 };
    return new Intl.NumberFormat(page.lang, options).format(value);
  }
  function position(record, value) {
    if (!record.stops.length) { return value; }
    return record.stops.reduce(function (best, stop, i) {
      return Math.abs(stop - value) < Math.abs(record.stops[best] - value) ? i : best;
    }, 0);
  }
  /* The words that explain a lever stand in the row's flow, above the control: they push it down and never lie over it. */
  function explained(record) {
    var body = filled(made("div", "lever-text"), [made("p", "", record.text), made("p", "", record.today), made("code", "", record.name)]);
    body.id = "about-" + record.name;
    body.hidden = true;
    return body;
  }
  function head(record, body) {
    var help = made("button", "lever-help", "?");
    help.type = "button";
    help.title = page.words.help;
    help.setAttribute("aria-label", page.words.help + " " + record.title);
    help.setAttribute("aria-expanded", "false");
    help.setAttribute("aria-controls", body.id);
    help.addEventListener("click", function () {
      body.hidden = !body.hidden;
      help.setAttribute("aria-expanded", String(!body.hidden));
    });
    var reset = made("button", "lever-reset", "↺");
    reset.type = "button";
    reset.title = page.words.reset;
    reset.setAttribute("aria-label", page.words.reset + ": " + record.title);
    reset.addEventListener("click", function () { place(record, record.reference); moved(true); });
    return filled(made("div", "lever-head"), [made("span", "lever-title", record.title), help, reset]);
  }
  function choice(record) {
    return filled(made("div", "lever-choice"), record.choices.map(function (option) {
      var label = made("label", ""), field = made("input", "");
      field.type = "radio";
      field.name = record.name;
      field.value = option[0];
      label.append(field, option[1]);
      return label;
    }));
  }
  function slider(record) {
    var field = made("input", "lever-range"), marks = made("div", "lever-marks");
    field.type = "range";
    field.min = record.min;
    field.max = record.max;
    field.step = record.step;
    field.setAttribute("aria-label", record.title);
    record.marks.forEach(function (mark) {
      var node = made("span", mark[2] ? "today" : "", mark[1]);
      node.style.setProperty("--at", (mark[0] - record.min) / (record.max - record.min));
      marks.append(node);
    });
    marks.setAttribute("aria-hidden", "true");
    return filled(made("div", "lever-slider"), [filled(made("div", "lever-track"), [field, marks]), made("output", "lever-value")]);
  }
  function byLaw(record) {
    var label = made("label", "lever-law"), field = made("input", "");
    field.type = "checkbox";
    label.append(field, page.words.law);
    return label;
  }
  function row(record) {
    var node = made("div", "lever"), number = record.kind === "number";
    node.dataset.lever = record.name;
    node.setAttribute("role", "group");
    node.setAttribute("aria-label", record.title);
    var body = explained(record);
    record.row = filled(node, [head(record, body), body].concat(number && record.law ? [byLaw(record)] : [], [number ? slider(record) : choice(record)]));
    place(record, record.value);
    return node;
  }
  /* Put a control where a value is. */
  function place(record, value) {
    page.values[record.name] = value;
    if (record.kind === "number") {
      var field = record.row.querySelector(".lever-range"), law = record.row.querySelector(".lever-law input");
      if (law) { law.checked = value === "law"; }
      field.disabled = value === "law";
      field.value = position(record, value === "law" ? record.resting : value);
    } else {
      record.row.querySelectorAll("input").forEach(function (field) { field.checked = field.value === String(value); });
    }
    mark(record);
  }
  function mark(record) {
    var value = page.values[record.name], output = record.row.querySelector("output");
    record.row.classList.toggle("changed", !same(value, record.reference));
    if (output) {
      output.textContent = shown(record, value);
      record.row.querySelector(".lever-range").setAttribute("aria-valuetext", output.textContent || page.words.law);
    }
  }
  /* What a control says now. */
  function taken(record) {
    if (record.kind === "number") {
      var law = record.row.querySelector(".lever-law input"), field = record.row.querySelector(".lever-range");
      field.disabled = Boolean(law && law.checked);
      if (field.disabled) { return "law"; }
      var number = Number(field.value);
      return record.stops.length ? record.stops[Math.round(number)] : number;
    }
    var raw = record.row.querySelector("input:checked").value;
    return record.kind === "bool" && raw !== "law" ? Number(raw) : raw;
  }
  function group(entry) {
    var node = made("details", "lever-group");
    node.open = node.usual = entry.open;
    node.first = Boolean(entry.first);
    return filled(node, [made("summary", "", entry.title), filled(made("div", ""), entry.levers.map(row))]);
  }
  /* The field that finds a lever by its name, its text, in either language, or who holds it. */
  function finder(groups) {
    var field = made("input", "lever-find"), count = made("p", "note"), host = made("div", "lever-finder");
    field.type = "search";
    field.placeholder = page.words.find;
    field.setAttribute("aria-label", page.words.find);
    count.setAttribute("role", "status");
    field.addEventListener("input", function (event) {
      event.stopPropagation();
      var wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean), found = 0;
      groups.forEach(function (node) {
        var here = 0;
        node.querySelectorAll(".lever").forEach(function (each) {
          var record = page.levers[each.dataset.lever];
          each.hidden = !wanted.every(function (word) { return record.searched.indexOf(word) >= 0; });
          here += each.hidden ? 0 : 1;
        });
        node.hidden = here === 0;
        node.open = wanted.length ? here > 0 : node.usual;
        found += here;
      });
      count.textContent = wanted.length ? page.words.found.replace("{count}", String(found)) : "";
    });
    field.addEventListener("change", function (event) { event.stopPropagation(); });
    return filled(host, [field, count]);
  }
  function build(host) {
    var data = JSON.parse(host.dataset.page);
    page = {
      lang: data.lang, words: data.words, graph: data.graph, usual: data.usual, frame: frame(),
      levers: {}, values: {}, options: {}, following: false, followed: 0,
      latest: null, busy: false, since: 0, asked: null, giving: 0, refining: null, timer: 0, untold: null, telling: 0, later: [], waiting: false
    };
    data.groups.forEach(function (entry) { entry.levers.forEach(function (record) { page.levers[record.name] = record; }); });
    var groups = data.groups.map(group);
    filled(host, [groups[0], finder(groups)].concat(groups.slice(1)));
    host.oninput = function (event) { read(event, false); };
    host.onchange = function (event) { read(event, true); };
    ask(window.location.search.slice(1));
  }
  function read(event, done) {
    var node = event.target.closest("[data-lever]");
    if (!node) { return; }
    var record = page.levers[node.dataset.lever];
    page.values[record.name] = taken(record);
    mark(record);
    moved(done);
  }

  /* ---- the address ---- */
  var OPTIONS = { against: "a", start: "from", year: "y", tab: "tab" };
  function address() {
    var query = new URLSearchParams(window.location.search);
    Array.from(query.keys()).forEach(function (key) { if (key.indexOf("s.") === 0) { query.delete(key); } });
    Object.keys(page.levers).sort().forEach(function (name) {
      if (!same(page.values[name], page.levers[name].reference)) { query.set("s." + name, written(page.values[name])); }
    });
    Object.keys(OPTIONS).forEach(function (id) {
      var key = OPTIONS[id];
      window.dash_clientside.chipweir.set(query, key, String(page.options[id] || query.get(key) || ""), page.usual[key]);
    });
    return query;
  }
  /* A lever stands elsewhere: ask at once; a finished move is a step in the browser's history. A stored run gives way. */
  function moved(done) {
    var query = address();
    query.delete("run");
    var text = query.toString();
    if (done) { window.dash_clientside.chipweir.keep(text); }
    ask(text);
  }
  function frame() {
    var query = new URLSearchParams(window.location.search);
    return ["p", "lang", "theme"].map(function (name) { return query.get(name) || ""; }).join(" ");
  }
  /* Back and forward between views of one preset are ours alone: told to Dash as well, an older step that it has not
     rendered yet would be written over the address of the newer one. */
  window.addEventListener("popstate", function (event) {
    if (!page || !document.getElementById("levers") || window.location.pathname !== "/" || page.frame !== frame()) { return; }
    event.stopImmediatePropagation();
    var query = new URLSearchParams(window.location.search);
    Object.keys(page.levers).forEach(function (name) {
      var record = page.levers[name], text = query.get("s." + name);
      place(record, text === null ? record.reference : record.kind === "choice" || text === "law" ? text : Number(text));
    });
    page.options = {};
    page.following = true;  // the choices below come back one by one; none of them is a step of the visitor's
    clearTimeout(page.followed);
    page.followed = setTimeout(function () { page.following = false; }, 400);
    Object.keys(OPTIONS).forEach(function (id) {
      var text = query.get(OPTIONS[id]) || page.usual[OPTIONS[id]];
      tell(id, { value: id === "year" ? Number(text) : text });
    });
    ask(query.toString());
  }, true);

  /* ---- asking: one question at a time, and after it the newest, which takes the place of one that waits for long ---- */
  var PATIENCE_MS = 400, NAME = name();
  function name() {
    var bytes = new Uint8Array(12);
    window.crypto.getRandomValues(bytes);
    return Array.from(bytes, function (byte) { return byte.toString(16).padStart(2, "0"); }).join("");
  }
  function get(path, text, members, signal) {
    var headers = { "X-Chipweir-Page": NAME };
    if (members) { headers["X-Chipweir-Have"] = String(members); }
    return fetch(path + "?" + text, { headers: headers, signal: signal });
  }
  function ask(text) {
    if (text === page.latest) { return; }
    page.latest = text;
    clearTimeout(page.timer);
    clearTimeout(page.telling);
    clearTimeout(page.giving);
    if (page.refining) { page.refining.abort(); page.refining = null; }
    if (!page.busy) { send(page); return; }
    var mine = page;
    mine.giving = setTimeout(function () { mine.asked.abort(); }, Math.max(0, mine.since + PATIENCE_MS - Date.now()));
  }
  function answered(response) {
    if (response.status === 204) { return null; }
    if (response.ok || response.status === 503) { return response.json().catch(function () { throw new Error(page.words.failed); }); }
    throw new Error(response.status === 429 ? page.words.many : page.words.failed);
  }
  function send(mine) {
    var text = mine.latest;
    mine.busy = true;
    mine.since = Date.now();
    mine.asked = new AbortController();
    clearTimeout(mine.giving);
    get("/answer", text, 0, mine.asked.signal).then(answered).then(
      function (reply) { if (mine === page && reply) { paint(reply); } return reply || { done: true }; },
      function (error) {
        if (mine === page && error.name !== "AbortError") {
          paintProblems([error instanceof TypeError ? page.words.silent : error.message]);
        }
        return { done: true };
      }
    ).then(function (reply) {
      mine.busy = false;
      if (mine !== page) { return; }
      if (mine.latest !== text) { send(mine); return; }
      mine.untold = text;
      mine.telling = setTimeout(function () { tellDash(mine); }, 300);
      if (!reply.done) { refine(mine, text, reply.members); }
    });
  }
  /* Dash, which fills the column of reasons, learns of a view when the levers rest or as soon as anything else is used. */
  function tellDash(mine) {
    clearTimeout(mine.telling);
    if (mine !== page || mine.untold === null) { return; }
    tell("view", { data: mine.untold });
    mine.untold = null;
  }
  ["pointerdown", "keydown"].forEach(function (kind) {
    document.addEventListener(kind, function (event) {
      if (page && !(event.target.closest && event.target.closest("#levers"))) { tellDash(page); }
    }, true);
  });
  /* Ask for answers of more members until the full ensemble's is there or a lever moves. */
  function refine(mine, text, members) {
    clearTimeout(mine.timer);
    mine.timer = setTimeout(function () {
      if (document.hidden) { refine(mine, text, members); return; }
      mine.refining = new AbortController();
      get("/refined", text, members, mine.refining.signal).then(function (response) {
        return response.status === 200 ? response.json() : null;
      }, function () { return null; }).then(function (reply) {
        if (mine !== page || mine.latest !== text) { return; }
        if (reply === null) { refine(mine, text, members); return; }
        paint(reply);
        if (reply.done) { tell("refined", { data: text }); } else { refine(mine, text, reply.members); }
      });
    }, 600);
  }

  /* ---- painting ---- */
  function paint(reply) {
    paintProblems(reply.problems);
    if (!reply.tiles) { document.getElementById("status").textContent = ""; return; }
    paintFindings(reply.findings);
    paintTiles(reply.tiles);
    document.getElementById("status").textContent = reply.status;
    paintCharts(reply.charts);
  }
  function paintProblems(texts) {
    filled(document.getElementById("message"), texts.map(function (text) {
      var node = made("div", "problem stated");
      node.setAttribute("role", "alert");
      return filled(node, [made("strong", "", page.words.problem), made("p", "", text)]);
    }));
  }
  function paintFindings(texts) {
    filled(document.getElementById("findings"), texts.map(function (text) { return made("li", "", text); }));
  }
  function paintTiles(tiles) {
    var host = document.getElementById("tiles");
    while (host.children.length > tiles.length) { host.lastChild.remove(); }
    tiles.forEach(function (tile, i) {
      var node = host.children[i];
      if (!node) {
        node = made("button", "tile");
        node.type = "button";
        node.title = page.words.made;
        node.addEventListener("click", function () { tell("asked", { data: { key: node.dataset.key, at: Date.now() } }); });
        var value = filled(made("span", "tile-value"), [made("b", ""), made("span", "tile-unit")]);

        filled(node, [made("span", "tile-label"), value, made("span", "tile-note"), made("span", "")]);
        host.append(node);
      }
      node.dataset.key = tile.key;
      node.children[0].textContent = tile.label;
      node.children[1].firstChild.textContent = tile.value;
      node.children[1].lastChild.textContent = " " + tile.unit;
      node.children[1].lastChild.title = tile.gloss;
      node.children[2].textContent = tile.interval;
      node.children[3].textContent = tile.change || page.words.same;
      node.children[3].className = !tile.change ? "tile-note" : /^[▲▼]/.test(tile.change) ? "tile-change" : "tile-change unsure";
    });
  }
  /* The charts in sight now, the others one by one, so that a lever moved meanwhile comes first. */
  function paintCharts(charts) {
    var host = document.getElementById("charts"), mine = page;
    while (host.children.length < charts.length) {
      var figure = filled(made("div", "figure"), [made("div", "plot"), tools()]);
      figure.setAttribute("role", "group");
      host.append(filled(made("div", "slot"), [figure]));
    }
    Array.from(host.children).forEach(function (slot, i) { slot.hidden = i >= charts.length; });
    mine.later = [];
    withPlotly(function () {
      if (mine !== page) { return; }
      charts.forEach(function (chart, i) {
        var slot = host.children[i];
        if (inSight(slot)) { draw(slot, chart); } else { mine.later.push(function () { draw(slot, chart); }); }
      });
      goOn(mine);
    });
  }
  /* ---- what a chart is taken away as: its numbers, a picture, a figure for another page, its own address ---- */
  function tools() {
    var bar = made("div", "chart-tools"), said = made("span", "note");
    said.setAttribute("role", "status");
    var alone = made("a", "", page.words.alone), table = made("a", "", "CSV");
    table.setAttribute("download", "");
    var kinds = ["png", "svg"].map(function (kind) {
      var button = made("button", "", kind.toUpperCase());
      button.type = "button";
      button.addEventListener("click", function () { picture(bar, kind); });
      return button;
    });
    var embed = made("button", "", page.words.embed);
    embed.type = "button";
    embed.addEventListener("click", function () { embedded(bar, said); });
    return filled(bar, [alone, table].concat(kinds, [embed, said]));
  }
  function plotOf(bar) { return bar.parentElement.querySelector(".plot"); }
  function picture(bar, kind) {
    window.Plotly.downloadImage(plotOf(bar), { format: kind, filename: "chipweir-" + bar.dataset.name, width: 960, height: 540, scale: kind === "png" ? 2 : 1 });
  }
  /* A figure that stands by itself in any page: the picture, what it shows and where it comes from. It asks no server. */
  function embedded(bar, said) {
    window.Plotly.toImage(plotOf(bar), { format: "svg", width: 960, height: 540 }).then(function (source) {
      var figure = made("figure", ""), image = made("img", ""), caption = made("figcaption", "");
      image.src = source;
      image.alt = bar.parentElement.getAttribute("aria-label");
      image.style.maxWidth = "100%";
      caption.textContent = image.alt + ". " + bar.dataset.source;
      return window.navigator.clipboard.writeText(filled(figure, [image, caption]).outerHTML);
    }).then(function () { said.textContent = page.words.copied; }, function () { said.textContent = page.words.uncopied; });
  }
  function named(bar, chart) {
    var query = address(), whole = query.has("chart");
    query.delete("chart");
    bar.children[0].textContent = whole ? page.words.whole : page.words.alone;
    bar.children[0].href = "/" + (whole ? "?" + query.toString() : "");
    query.set("chart", chart.name);
    bar.dataset.name = chart.name;
    bar.dataset.source = chart.source;
    if (!whole) { bar.children[0].href = "/?" + query.toString(); }
    bar.children[1].href = "/chart.csv?" + query.toString();
    bar.children[1].setAttribute("download", "chipweir-" + chart.name + ".csv");
  }
  function inSight(node) {
    var box = node.getBoundingClientRect();
    return box.bottom > 0 && box.top < window.innerHeight;
  }
  function goOn(mine) {
    if (mine.waiting || !mine.later.length) { return; }
    mine.waiting = true;
    setTimeout(function () {
      mine.waiting = false;
      if (mine !== page) { return; }
      var task = mine.later.shift();
      if (task) { task(); }
      goOn(mine);
    });
  }
  function draw(slot, chart) {
    if (!document.body.contains(slot)) { return; }
    slot.firstChild.setAttribute("aria-label", chart.label);
    named(slot.firstChild.lastChild, chart);
    chart.layout.autosize = true;
    slot.classList.toggle("flows", chart.data.some(function (trace) { return trace.type === "sankey"; }));
    window.Plotly.react(slot.firstChild.firstChild, chart.data, chart.layout, page.graph);
  }
  function withPlotly(then) {
    if (window.Plotly) { then(); return; }
    var script = document.getElementById("plotly-script");
    if (!script) {
      script = made("script", "");
      script.id = "plotly-script";
      script.src = window._dashPlotlyJSURL;
      document.head.append(script);
    }
    script.addEventListener("load", then, { once: true });
  }

  /* ---- the seam to Dash ---- */
  Object.assign(window.dash_clientside.chipweir, {
    /* The choices that are Dash components: scenario A, the month, the year, the tab. */
    options: function (against, start, year, tab) {
      if (page && document.getElementById("levers") && !page.following) {
        page.options = { against: against, start: start, year: year, tab: tab };
        var text = address().toString();
        window.dash_clientside.chipweir.keep(text);
        ask(text);
      }
    },
    /* Every lever back to its preset. */
    restore: function (clicks) {
      if (!page || !clicks) { return; }
      Object.keys(page.levers).forEach(function (name) { place(page.levers[name], page.levers[name].reference); });
      moved(true);
    }
  });
  new MutationObserver(function () {
    var host = document.getElementById("levers");
    if (host && host.dataset.page !== host.builtFrom) { host.builtFrom = host.dataset.page; build(host); }
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-page"] });
}());
