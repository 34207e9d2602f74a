/* The settings pages: the port follows the encryption until it is typed, and the save bar counts what changed.
   Without this script the server does both. */
"use strict";

/* A fingerprint that somebody was told is compared as it is typed; the server compares it again. */
document.addEventListener("input", (event) => {
  const field = event.target;
  if (!field.matches("[data-compare]")) return;
  const place = document.getElementById("fingerprint-why");
  const given = field.value.replace(/[:\s]/g, "").toLowerCase();
  const same = given === field.dataset.compare;
  field.dataset.began ??= place.textContent;
  const word = same ? field.dataset.same : field.dataset.other;
  place.textContent = given.length < 64 ? field.dataset.began : word;
  place.dataset.state = given.length < 64 ? "" : same ? "ok" : "fail";
  place.classList.toggle("state", given.length >= 64);
});

/* A sheet in the panel of the test is put away; the form beside it stays as it is. */
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-dismiss]");
  const sheet = button && document.querySelector(button.dataset.dismiss);
  if (!sheet) return;
  const empty = document.createElement("div");
  empty.id = sheet.id;
  sheet.replaceWith(empty);
  document.querySelector("[data-test]")?.focus();
});

(() => {
  const form = document.querySelector("form[data-port-defaults]");
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
  /* Whoever chooses OAuth 2.0 needs its card. */
  const oauth = document.getElementById("oauth-fields");
  const auth = form.elements.auth;
  if (oauth && auth) {
    auth.addEventListener("change", () => {
      if (chosen("auth") === "oauth2") oauth.open = true;
    });
  }
  port.addEventListener("input", mark);
  mark();

  /* What is typed is compared with what the server wrote into the page. */
  const bar = form.querySelector("[data-changed]");
  const began = bar.textContent;
  const differs = (field) => {
    if (field.type === "hidden" || field.type === "submit" || ["to", "find", "preset"].includes(field.name) || !field.name) return false;
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
  /* "Apply and repeat" changes the fields and tests again, so that what was typed, the password too, stays. */
  const apply = (key, value) => {
    const field = form.elements[key];
    if (!field) return false;
    if (field instanceof RadioNodeList) field.value = value;
    else if (field.type === "checkbox") field.checked = value === "on";
    else field.value = value;
    const one = field instanceof RadioNodeList ? [...field].find((radio) => radio.checked) : field;
    if (one) one.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-apply]");
    const again = document.querySelector("[data-test]");
    if (!button || !again) return;
    event.preventDefault();
    const changes = button.value.split(" ").map((word) => word.split("="));
    /* The port last: it would follow the encryption. */
    changes.sort(([one], [other]) => Number(one === "port") - Number(other === "port"));
    changes.forEach(([key, ...value]) => apply(key, value.join("=")));
    if (changes.some(([key]) => key === "port")) shown.value = "";
    mark();
    count();
    again.focus();  /* the button that was pressed goes with the steps */
    again.click();
  });
  form.addEventListener("input", count);
  form.addEventListener("change", count);
})();
