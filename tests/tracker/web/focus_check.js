/* Every control, focused one after the other as with the keyboard: its focus shows, and nothing sticks over it. */
() => {
  const faults = [];
  const name = (part) => `${part.tagName.toLowerCase()}${part.id ? "#" + part.id : ""}.${part.className} "${part.textContent.trim().slice(0, 20)}"`;
  const controls = document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, iframe, [tabindex='0']");
  controls.forEach((control) => {
    if (control.tabIndex < 0 || control.disabled || !control.checkVisibility({ checkVisibilityCSS: true })) return;
    control.focus({ focusVisible: true });
    if (document.activeElement !== control) return;
    const shown = control.closest(".choice") ?? control;
    const style = getComputedStyle(shown);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    if (!outlined && control.tagName !== "IFRAME") faults.push(`focus does not show: ${name(control)}`);
    control.scrollIntoView({ block: "nearest" });
    const box = control.getBoundingClientRect();
    const over = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height, innerHeight) / 2);
    const bar = over?.closest(".savebar");
    if (bar && !bar.contains(control)) faults.push(`under the bar that sticks: ${name(control)}`);
  });
  return faults;
}
