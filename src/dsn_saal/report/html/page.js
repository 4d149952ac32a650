
"use strict";
(() => {
  const held = JSON.parse(document.getElementById("numbers").textContent);
  const sections = [...document.querySelectorAll("main > section")];
  const links = [...document.querySelectorAll("nav a[data-view]")];
  const inside = document.querySelector("nav.inside");
  const said = document.getElementById("said");
  const views = links.map((link) => link.dataset.view);
  document.documentElement.classList.add("scripted");

  /* An element with attributes and children; text is always text. */
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
    element.append(...children.filter((child) => child !== null));
    return element;
  };

  /* Views. */
  const readersOf = (section) => section.dataset.in.split(" ");
  const isIn = (section, view) => view === "everything" || readersOf(section).includes(view);
  const show = (view) => {
    for (const section of sections) section.hidden = !isIn(section, view);
    for (const link of links) {
      if (link.dataset.view === view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    const shown = sections.filter((section) => !section.hidden);
    inside.querySelector("ul").replaceChildren(...shown.map((section) =>
      make("li", {}, make("a", { href: "#" + section.id }, section.querySelector("h2").textContent))));
    inside.hidden = false;
    document.body.dataset.view = view;
  };
  const follow = () => {
    const name = decodeURIComponent(location.hash.slice(1));
    if (views.includes(name) || name === "") {
      show(name || views[0]);
      if (name) scrollTo(0, 0);
      return;
    }
    const target = document.getElementById(name);
    const section = target && target.closest("main > section");
    if (!section) { if (!document.body.dataset.view) show(views[0]); return; }
    const now = document.body.dataset.view;
    if (!now || !isIn(section, now)) show(readersOf(section)[0]);
    if (target instanceof HTMLDetailsElement) target.open = true;
    target.scrollIntoView();
    target.setAttribute("tabindex", "-1");
    target.focus({ preventScroll: true });
  };
  addEventListener("hashchange", follow);
  follow();

  /* Sorting: by the first number of a cell, else by its text; what is missing stays last. */
  const keyOf = (cell) => {
    const text = cell.textContent.trim().replace(/−/g, "-").replace(/(\d)[\s\u202f\u00a0](?=\d{3})/g, "$1");
    if (text === "" || text === "–") return null;
    const number = text.match(/^[[(<>≥≤~]?\s*([+-]?\d+(?:\.\d+)?)(?![\w-])/);
    return number ? Number(number[1]) : text;
  };
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a === "number") return -1;
    if (typeof b === "number") return 1;
    return a.localeCompare(b, "en", { numeric: true });
  };
  const sort = (head) => {
    const heads = [...head.parentElement.children];
    const at = heads.indexOf(head);
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const body = head.closest("table").tBodies[0];
    const rows = [...body.rows].map((row) => [keyOf(row.cells[at]), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return up ? compare(a, b) : compare(b, a);
    });
    body.append(...rows.map(([, row]) => row));
    said.textContent = `Sorted by ${head.textContent}, ${up ? "ascending" : "descending"}.`;
  };
  for (const head of document.querySelectorAll("table.sortable thead th")) {
    const button = make("button", { type: "button", class: "sort" }, head.textContent);
    button.addEventListener("click", () => sort(head));
    head.replaceChildren(button);
  }
  const filter = document.getElementById("run-filter");
  filter.addEventListener("input", () => {
    const wanted = filter.value.toLowerCase();
    const rows = [...document.getElementById("run-table").tBodies[0].rows];
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    said.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} runs shown.`;
  });

  /* Explanations. */
  const printed = (value) => value === null || value === undefined ? "–" : String(Number(value.toPrecision(6))).replace("-", "−");
  const code = (text) => make("code", {}, text || "–");
  const table = (title, heads, rows) => make("div", { class: "wide", role: "region", tabindex: "0", "aria-label": title + ", table" },
    make("table", {}, make("caption", {}, title),
      make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col", class: "l" }, head)))),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", { class: "l" }, cell)))))));
  const pairs = (entries) => make("dl", { class: "pairs" },
    ...entries.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
  const files = (experiment, only) => {
    const runs = experiment.runs.filter((run) => only === undefined || run.run === only);
    return [
      make("h3", {}, `Files of ${experiment.title}`),
      pairs(experiment.files.map(([path, digest]) => [path, code(digest)])),
      ...runs.flatMap((run) => [
        make("h4", {}, `Run ${run.run}, seed ${run.seed}: ${run.state}`),
        pairs([["identity (all it was made of)", code(run.identity)], ["weights, SHA-256", code(run.weights)],
          ...Object.entries(run.earlier_weights).map(([name, digest]) => [`${name}, SHA-256`, code(digest)]),
          ["predictions, SHA-256", code(run.predictions)], ["machine", `${run.machine}, ${run.libraries}`], ["repeats", run.determinism]]),
      ]),
    ];
  };
  const again = (experiment) => [
    make("h3", {}, "To make it again"),
    make("p", {}, "From the stored weights, then from the images:"),
    make("pre", { tabindex: "0", "aria-label": "commands" }, make("code", {}, experiment.again.join("\n"))),
  ];
  const perRun = (experiment, metric) => {
    const values = experiment.metrics[metric][2];
    return experiment.runs.map((run) => {
      const at = experiment.finished.indexOf(run.run);
      return [`run ${run.run}`, String(run.seed), at < 0 ? run.state : printed(values[at])];
    });
  };
  const shared = (first, second, metric) => {
    const [a, b] = [first, second].map((one) => new Map(one.finished.map((run, at) => [run, one.metrics[metric][2][at]])));
    return [...a.keys()].filter((run) => b.has(run)).map((run) => {
      const [x, y] = [a.get(run), b.get(run)];
      return [`run ${run}`, printed(x), printed(y), x === null || y === null ? "–" : printed(x - y)];
    });
  };
  const measured = (kind, name, metric, reference) => {
    const experiment = held.experiments[name], told = held.metrics[metric], [mean, sd, , bounds] = experiment.metrics[metric];
    const parts = [make("p", {}, told.words), make("p", { class: "formula" }, told.symbols), make("p", {}, held.kinds[kind])];
    if (kind === "interval") {
      const how = experiment.interval;
      parts.push(pairs([["level", `${100 * how.level} %`], ["draws", String(how.draws)], ["drawn", `whole ${how.unit}s`],
        ["interval", bounds ? `${printed(bounds[0])} to ${printed(bounds[1])}` : "–"], ["mean over runs", printed(mean)]]));
    }
    if (reference) {
      const other = held.experiments[reference];
      parts.push(table("Run by run", ["run", experiment.title, other.title, "difference"], shared(experiment, other, metric)));
    } else {
      parts.push(table(`${told.title}, run by run`, ["run", "seed", told.title], perRun(experiment, metric)));
      if (kind !== "interval") parts.push(pairs([["mean", printed(mean)], [`standard deviation (divisor n − ${experiment.ddof})`, printed(sd)]]));
    }
    return parts;
  };
  const quantity = (kind, name, metric) => {
    const experiment = held.experiments[name], [what, of] = metric.split(".");
    const parts = [make("p", {}, held.kinds[kind])];
    if (kind === "network") parts.push(pairs([[held.quantities[what], String(experiment.network[what])]]));
    if (kind === "training") parts.push(table(held.quantities[what], ["run", "seed", held.classes[of]],
      experiment.runs.map((run) => [`run ${run.run}`, String(run.seed), String(run[what][of])])));
    if (kind === "learned") parts.push(make("p", {}, `results/train/${name}/run-*/history.csv; the formula of the class weights is in the definition of SAAL.`));
    return parts;
  };
  const titleOf = (kind, metric) => {
    if (held.metrics[metric]) return held.metrics[metric].title;
    const [what, of] = metric.split(".");
    return [held.quantities[what], held.classes[of]].filter(Boolean).join(", ");
  };
  const explain = (button) => {
    const [kind, name, metric, reference] = button.dataset.source.split(" ");
    const experiment = held.experiments[name], isRun = kind === "run";
    const body = [pairs(Object.entries(experiment.made_of))];
    if (isRun) body.unshift(make("p", {}, held.kinds.run));
    else if (held.metrics[metric]) body.unshift(...measured(kind, name, metric, reference));
    else body.unshift(...quantity(kind, name, metric));
    body.push(...files(experiment, isRun ? Number(metric) : undefined));
    if (reference) body.push(...files(held.experiments[reference]));
    body.push(...again(experiment));
    const title = isRun ? `${experiment.title}, run ${metric}` : `${button.textContent}: ${titleOf(kind, metric)} of ${experiment.title}`;
    open(document.getElementById("explanation"), title, (dialog) => dialog.querySelector(".body").replaceChildren(...body));
  };

  /* Dialogs: the browser keeps the focus inside, closes on Escape and gives the focus back. */
  const open = (dialog, title, fill) => {
    dialog.querySelector("h2").textContent = title;
    fill(dialog);
    dialog.showModal();
    dialog.querySelector("h2").focus();
    dialog.querySelector(".body, .picture").scrollTo(0, 0);
  };
  const enlarge = (button) => {
    const image = button.querySelector("img");
    open(document.getElementById("enlarged"), button.parentElement.querySelector("figcaption").textContent, (dialog) => {
      const shown = dialog.querySelector("img");
      shown.src = image.src;
      shown.alt = image.alt;
    });
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (event.target instanceof HTMLDialogElement) event.target.close();
    else if (!button) return;
    else if (button.matches(".number")) explain(button);
    else if (button.matches(".enlarge")) enlarge(button);
    else if (button.matches(".close")) button.closest("dialog").close();
    else if (button.matches(".zoom")) button.setAttribute("aria-pressed", String(button.closest("dialog").querySelector(".picture").classList.toggle("full")));
  });
  addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details")) one.open = true; });
})();
