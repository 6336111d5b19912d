// What HTML alone cannot do. Nothing here is needed to read a page or to send a form.
(() => {
  "use strict";

  // A menu closes by Escape and by a click elsewhere.
  const menus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // A choice that takes effect at once sends its form; without a script there is a button for it.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
  });

  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.closest("[hx-post]")) return;
    for (const button of event.target.querySelectorAll("button[type=submit]")) {
      setTimeout(() => { button.disabled = true; });
    }
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const button of document.querySelectorAll("button[type=submit]")) button.disabled = false;
  });

  // The network failed, not the program: say so where other messages appear.
  document.addEventListener("htmx:sendError", () => {
    const notices = document.getElementById("notices");
    const words = document.getElementById("offline");
    if (notices && words) notices.replaceChildren(words.content.cloneNode(true));
  });
})();
