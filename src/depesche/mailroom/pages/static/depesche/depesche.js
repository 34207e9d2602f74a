/* Depesche's own script. Every page works without it; it only makes things nearer or quieter. */
"use strict";

(() => {
  /* The server writes times in the reader's zone once it knows it (middleware LocalTime). */
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const known = document.cookie.split("; ").find((pair) => pair.startsWith("depesche_zone="));
  if (zone && known !== `depesche_zone=${zone}`) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `depesche_zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  }

  /* An error summary, or the verdict of a test that stopped, takes the focus once; where there is no summary, the
     first field that was refused. */
  const focusFirst = (root) => {
    const target = root.querySelector("[data-focus]") ?? root.querySelector("[aria-invalid='true']");
    if (target) {
      target.removeAttribute("data-focus");
      target.focus({ preventScroll: false });
    }
  };

  /* <button data-fill="#port" data-value="587">: a quick choice for a field. */
  const fill = (button) => {
    const field = document.querySelector(button.dataset.fill);
    if (field) {
      field.value = button.dataset.value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new Event("change", { bubbles: true }));
      field.focus();
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fill]");
    if (button) fill(button);
    const copy = event.target.closest("[data-copy]");
    if (copy && navigator.clipboard) {
      navigator.clipboard.writeText(copy.dataset.copy).then(() => {
        if (copy.dataset.copied) copy.textContent = copy.dataset.copied;
      });
    }
    /* A menu closes when one clicks elsewhere. */
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      document.querySelectorAll("details.menu[open]").forEach((menu) => {
        menu.open = false;
        menu.querySelector("summary").focus();
      });
    }
    /* Ctrl+Enter in a comment submits it. */
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea[data-submit]")) {
      event.target.form.requestSubmit();
    }
  });

  /* A filter acts as soon as a choice is made; its button stays for those without script. */
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-autosubmit] select, [data-autosubmit] input[type=checkbox]")) {
      event.target.form.requestSubmit();
    }
  });

  /* A form is submitted once, however often the button is pressed; the button stays focusable. */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("hx-post") || form.dataset.busy === undefined) return;
    if (form.dataset.busy === "yes") {
      event.preventDefault();
    } else {
      form.dataset.busy = "yes";
    }
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-busy]").forEach((form) => { form.dataset.busy = ""; });
  });

  /* What is asked for again and again stays quiet while nobody looks, or while somebody reads with the keyboard. */
  document.addEventListener("htmx:beforeRequest", (event) => {
    const poll = event.target;
    if (!poll.matches("[data-poll]")) return;
    const selection = document.getSelection();
    const reading = !selection.isCollapsed && poll.contains(selection.anchorNode);
    if (document.hidden || reading) event.preventDefault();
  });

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target.matches("[data-poll]")) event.detail.headers["X-Poll"] = "yes";
  });

  /* A form that did not arrive says so, and keeps what was typed. */
  const fault = (name) => (event) => {
    const sender = event.detail.elt;
    const template = document.getElementById(name);
    const place = document.getElementById("messages");
    if (!template || !place || (sender && sender.matches("[data-poll]"))) return;
    place.replaceChildren(template.content.cloneNode(true));
    place.scrollIntoView({ block: "nearest" });
    document.querySelectorAll("form[data-busy]").forEach((form) => { form.dataset.busy = ""; });
  };
  document.addEventListener("htmx:sendError", fault("fault-unreached"));
  document.addEventListener("htmx:responseError", fault("fault-refused"));

  /* A part that is replaced keeps open what was open in it, and the focus: htmx keeps it where there is an id,
     this where there is none (the links and buttons of a list). What renews itself and is as it was stays as it
     is, so that nobody who listens to the page is thrown back to its beginning. */
  const likeness = (part) => [part.tagName, part.getAttribute("href"), part.name, part.value, part.form?.getAttribute("action"), part.textContent.trim()].join("\n");
  const renewed = new Map();
  let open = [];
  let held = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.target;
    if (event.detail.requestConfig?.elt?.matches("[data-poll]") && part.id) {
      const text = event.detail.xhr.responseText.replace(/name="csrfmiddlewaretoken" value="[^"]*"|X-CSRFToken[^}]*/g, "");
      if (renewed.get(part.id) === text) {
        event.detail.shouldSwap = false;
        return;
      }
      renewed.set(part.id, text);
    } else {
      renewed.clear();
    }
    open = [...part.querySelectorAll("details[id][open]")].map((details) => details.id);
    const focused = document.activeElement;
    held = focused && focused !== part && part.contains(focused) && !focused.id ? { place: part.id, like: likeness(focused) } : null;
  });
  document.addEventListener("htmx:afterSwap", () => {
    open.forEach((id) => {
      const details = document.getElementById(id);
      if (details) details.open = true;
    });
    open = [];
    const place = held?.place && document.getElementById(held.place);
    if (place) {
      const same = [...place.querySelectorAll("a[href], button, summary, input, select, [tabindex]")].find((part) => likeness(part) === held.like);
      same?.focus({ preventScroll: true });
    }
    held = null;
  });

  /* What a renewed part has to say goes to the one live region that is always there: one that comes with the part
     is not heard. */
  const news = () => [...document.querySelectorAll("[data-say]")].map((part) => part.innerText).join(" ").replace(/\s+/g, " ").trim();
  let said = "";
  const say = () => {
    const text = news();
    const place = document.getElementById("say");
    if (place && text !== said) place.textContent = text;
    said = text;
  };

  /* What scrolls sideways in something that people wrote can be reached with the keyboard. */
  const reachable = () => {
    document.querySelectorAll(".prose pre, .prose table").forEach((part) => {
      if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    });
  };
  document.addEventListener("htmx:afterSettle", (event) => {
    focusFirst(event.target);
    reachable();
    say();
  });
  /* On a narrow screen a row of places scrolls: the present one is in sight. */
  const showPresent = () => {
    document.querySelectorAll(".tabs [aria-current], .bar nav [aria-current]").forEach((link) => {
      const row = link.closest(".tabs, .bar nav ul");
      const away = link.getBoundingClientRect().left - row.getBoundingClientRect().left;
      row.scrollLeft += away - (row.clientWidth - link.offsetWidth) / 2;
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    showPresent();
    focusFirst(document);
    reachable();
    said = news();
    /* "Saved." came with the page: a live region speaks only of what is put into it later. */
    const told = document.getElementById("messages");
    if (told?.childElementCount) setTimeout(() => told.replaceChildren(...[...told.children].map((one) => one.cloneNode(true))), 300);
  });
})();
