// Reading after reading by the keyboard: Enter goes to the next field, and from the last one sends the form.
(() => {
  "use strict";

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || !event.target.matches("[data-walk] input")) return;
    const fields = [...event.target.form.querySelectorAll("input:not([type=hidden])")];
    const next = fields[fields.indexOf(event.target) + 1];
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.select();
  });
})();
