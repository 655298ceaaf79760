// Before the first paint, and as a file of its own: the content security policy allows no inline script.
(() => {
  let wanted = null;
  try {
    wanted = localStorage.getItem("theme");
  } catch {
    // Storage can be switched off; then the system decides.
  }
  const dark = wanted === "dark" || (wanted !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
