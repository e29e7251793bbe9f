// The start page's lines name this server, and can be taken whole. A file of its own, since the content security policy
// allows no script in the page.
for (const origin of document.querySelectorAll(".origin")) origin.textContent = location.origin;
const steps = document.getElementById("steps");
const button = document.getElementById("copy");
button.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(`${steps.textContent}\n`);
    button.textContent = "Copied";
  } catch {
    // Without https there is no clipboard: the lines are selected instead.
    getSelection().selectAllChildren(steps);
    button.textContent = "Selected";
  }
});
