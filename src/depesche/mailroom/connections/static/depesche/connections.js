/* The settings pages: the port follows the encryption until it is typed, and the save bar counts what changed.
   Without this script the server does both. */
"use strict";

(() => {
  const form = document.querySelector("form[data-settings]");
  if (!form) return;
  const port = form.elements.port;
  const shown = form.elements.port_default;
  const defaults = JSON.parse(form.dataset.portDefaults);
  const quick = form.querySelector("[data-ports]");

  const chosen = (name) => {
    const field = form.elements[name];
    return field && field.value ? field.value : "";
  };
  const defaultPort = () => {
    const key = "protocol" in form.elements ? `${chosen("protocol")}-${chosen("encryption")}` : chosen("encryption");
    return String(defaults[key] ?? "");
  };
  const mark = () => {
    const usual = defaultPort();
    quick.querySelectorAll("[data-value]").forEach((button) => {
      const value = button.dataset.value;
      button.textContent = value === usual ? `${value} ${form.dataset.defaultWord}` : value;
      button.setAttribute("aria-pressed", String(value === port.value));
    });
  };
  /* What stands there as the default was not typed: it follows. */
  const follow = () => {
    const usual = defaultPort();
    if (usual && (port.value === "" || port.value === shown.value)) {
      port.value = usual;
      shown.value = usual;
    }
    mark();
  };
  quick.hidden = false;
  form.addEventListener("change", (event) => {
    if (event.target.name === "encryption" || event.target.name === "protocol") follow();
  });
  port.addEventListener("input", mark);
  mark();

  /* What is typed is compared with what the server wrote into the page. */
  const bar = form.querySelector("[data-changed]");
  const began = bar.textContent;
  const differs = (field) => {
    if (field.type === "hidden" || field.type === "submit" || field.name === "to" || !field.name) return false;
    if (field.type === "radio" || field.type === "checkbox") return field.checked !== field.defaultChecked;
    if (field.tagName === "SELECT") return [...field.options].some((one) => one.selected !== one.defaultSelected);
    return field.value !== field.defaultValue;
  };
  const word = (holder, on) => {
    const label = holder.querySelector(".label, .check b");
    const mark = label && label.querySelector(".changed");
    if (!label || Boolean(mark) === on) return;
    if (mark) {
      mark.remove();
    } else {
      const made = document.createElement("span");
      made.className = "changed";
      made.textContent = form.dataset.changedWord;
      label.append(made);
    }
  };
  const count = () => {
    const changed = [...form.elements].filter(differs);
    const names = new Set(changed.map((field) => field.name));
    form.querySelectorAll(".field").forEach((holder) => {
      word(holder, changed.some((field) => holder.contains(field)));
    });
    if (names.size === 0) bar.textContent = began;
    else if (names.size === 1) bar.textContent = bar.dataset.one;
    else bar.textContent = bar.dataset.many.replace("#", String(names.size));
  };
  form.addEventListener("input", count);
  form.addEventListener("change", count);
})();
