/* What a page must keep, looked at in the browser: names, headings, ids, contrast, sizes. Gives a list of faults. */
() => {
  const faults = [];
  const name = (part) => `${part.tagName.toLowerCase()}${part.id ? "#" + part.id : ""}.${part.className?.baseVal ?? part.className}`;
  const visible = (part) => part.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && part.getBoundingClientRect().width > 1;

  const ids = [...document.querySelectorAll("[id]")].map((part) => part.id);
  ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => faults.push(`id twice: ${id}`));

  document.querySelectorAll("input:not([type=hidden]), select, textarea").forEach((control) => {
    if (!control.labels?.length && !control.getAttribute("aria-label")) faults.push(`no label: ${name(control)}`);
    (control.getAttribute("aria-describedby") || "").split(" ").filter(Boolean).forEach((id) => {
      if (!document.getElementById(id)) faults.push(`describedby leads nowhere: ${id}`);
    });
  });
  document.querySelectorAll(".field").forEach((field) => {
    const why = field.querySelector(":scope > .why");
    if (!why?.textContent.trim() || !field.querySelector("input:not([type=hidden]), select, textarea")) return;
    const tied = why.id && [field, ...field.querySelectorAll("*")].some((part) => part.getAttribute("aria-describedby")?.split(" ").includes(why.id));
    if (!tied) faults.push(`explanation tied to nothing: ${why.textContent.trim().slice(0, 40)}`);
  });
  document.querySelectorAll("button, a[href], summary").forEach((control) => {
    if (!(control.textContent.trim() || control.getAttribute("aria-label"))) faults.push(`no name: ${name(control)}`);
  });
  document.querySelectorAll('a[href^="#"]').forEach((link) => {
    const id = link.getAttribute("href").slice(1);
    if (id && !document.getElementById(id)) faults.push(`link leads nowhere: #${id}`);
  });

  const levels = [...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].filter((part) => !part.closest(".prose")).map((part) => Number(part.tagName[1]));
  if (levels.filter((level) => level === 1).length !== 1) faults.push(`h1: ${levels.join(" ")}`);
  levels.forEach((level, at) => { if (at && level > levels[at - 1] + 1) faults.push(`heading skipped: ${levels.join(" ")}`); });

  document.querySelectorAll(".btn, .input, .select, .tabs a, .bar nav a, .menu-body a").forEach((control) => {
    const box = control.getBoundingClientRect();
    if (visible(control) && box.height < 24) faults.push(`lower than 24 px: ${name(control)}`);
  });

  /* Contrast of text against the first ground below it that is not transparent. */
  const rgb = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const shine = ([red, green, blue]) => [red, green, blue]
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (part) => {
    for (let at = part; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walker.nextNode()) {
    const part = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || seen.has(part) || !visible(part) || part.closest("option, script, template")) continue;
    seen.add(part);
    const [high, low] = [shine(rgb(getComputedStyle(part).color)), shine(ground(part))].sort((one, other) => other - one);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(2)}: ${name(part)} "${walker.currentNode.data.trim().slice(0, 30)}"`);
  }
  return faults;
}
