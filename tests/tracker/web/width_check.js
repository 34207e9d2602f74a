/* What does not fit: a page that scrolls sideways, or a part that cuts off what stands in it. Gives a list. */
() => {
  const faults = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) faults.push(`the page is ${root.scrollWidth} px wide`);
  document.querySelectorAll("body *").forEach((part) => {
    const style = getComputedStyle(part);
    const cuts = ["hidden", "clip"].includes(style.overflowX) && style.textOverflow !== "ellipsis";
    if (cuts && part.clientWidth > 20 && part.scrollWidth > part.clientWidth + 1 && !part.matches("input, textarea, select")) {
      faults.push(`${part.tagName.toLowerCase()}.${part.className} cuts ${part.scrollWidth - part.clientWidth} px off`);
    }
  });
  return faults;
}
