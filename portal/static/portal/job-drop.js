// A file that is dropped anywhere on the form is the one that is sent.

const form = document.querySelector("[data-drop]");
const place = form.querySelector(".drop");
const input = form.querySelector("input[type=file]");

for (const kind of ["dragenter", "dragover"]) {
  form.addEventListener(kind, (event) => {
    event.preventDefault();
    place.classList.add("over");
  });
}
form.addEventListener("dragleave", () => place.classList.remove("over"));
form.addEventListener("drop", (event) => {
  event.preventDefault();
  place.classList.remove("over");
  if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
});
