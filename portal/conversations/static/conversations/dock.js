// One stack at the bottom centre: what is in process, what is being sent, the player.
document.getElementById("dock").prepend(...document.querySelectorAll("#activity"));

document.body.addEventListener("htmx:afterRequest", ({ detail }) => {
  // A step is being tried again, so there is something to show.
  if (detail.successful && detail.requestConfig.elt.matches("[data-retry]")) {
    document.body.dispatchEvent(new Event("activity"));
  }
});
