// A step is being tried again, so there is something to show of what is in process.
document.body.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful && detail.requestConfig.elt.matches("[data-retry]")) {
    document.body.dispatchEvent(new Event("activity"));
  }
});
