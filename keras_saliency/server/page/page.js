import { SHARES, contour, densityOf, npy, paint, placesOf, thresholdOf } from "./density.js";

const element = (id) => document.getElementById(id);
const models = JSON.parse(element("models").textContent);
// { file, bitmap, node, figures: [{ model, node, asked, error, and, once it is known, density, lines, places }] }
const shown = [];
const LARGEST = 1600; // of a side of a canvas

for (const select of [element("first"), element("second")]) {
  for (const model of models) select.add(new Option(model, model));
}

function say(text) {
  element("status").textContent = text;
}

function chosenModels() {
  const [first, second] = [element("first").value, element("second").value];
  return second && second !== first ? [first, second] : [first];
}

async function ask(model, file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let k = 0; k < bytes.length; k += 32768) text += String.fromCharCode(...bytes.subarray(k, k + 32768));
  const answer = await fetch(`v1/models/${encodeURIComponent(model)}:predict`, {
    method: "POST",
    body: JSON.stringify({ instances: [{ b64: btoa(text) }] }),
  });
  const found = await answer.json().catch(() => ({ error: `The server answered ${answer.status}.` }));
  if (!answer.ok) throw new Error(found.error);
  return densityOf(found.predictions[0]);
}

async function add(files) {
  for (const file of files) {
    const node = element("result").content.firstElementChild.cloneNode(true);
    const item = { file, bitmap: null, node, figures: [] };
    node.querySelector("h2").textContent = file.name;
    node.querySelector(".remove").addEventListener("click", () => {
      shown.splice(shown.indexOf(item), 1);
      item.bitmap?.close();
      node.remove();
      say(`${file.name} was removed.`);
      element("files").focus();
    });
    element("results").prepend(node);
    shown.push(item);
    try {
      item.bitmap = await createImageBitmap(file);
    } catch {
      item.bitmap = null; // The server may know better, or says what is wrong.
    }
    await predict(item);
  }
}

async function predict(item) {
  item.figures = chosenModels().map((model) => item.figures.find((figure) => figure.model === model) ?? figureOf(item, model));
  item.node.querySelector(".figures").replaceChildren(...item.figures.map((figure) => figure.node));
  for (const figure of item.figures) {
    if (figure.asked) continue;
    figure.asked = true;
    say(`${figure.model} looks at ${item.file.name} …`);
    try {
      figure.density = await ask(figure.model, item.file);
      figure.lines = SHARES.map((share) => contour(figure.density, thresholdOf(figure.density, share)));
      figure.places = placesOf(figure.density, aspectOf(item, figure.density));
      say(`${item.file.name}: ${describe(item, figure)}`);
    } catch (error) {
      figure.error = error.message;
      say(`${item.file.name} could not be predicted.`);
    }
    draw(item, figure);
  }
}

function figureOf(item, model) {
  const node = element("figure").content.firstElementChild.cloneNode(true);
  const figure = { model, node, asked: false, density: null, error: null };
  node.querySelector("figcaption").textContent = model;
  node.querySelector(".png").addEventListener("click", () => {
    node.querySelector("canvas").toBlob((blob) => save(blob, `${stem(item.file)}_${model}.png`));
  });
  node.querySelector(".npy").addEventListener("click", () => {
    save(new Blob([npy(figure.density)]), `${stem(item.file)}_${model}_${figure.density.kind}.npy`);
  });
  for (const part of node.querySelectorAll("canvas, .buttons, table")) part.hidden = true;
  return figure;
}

function stem(file) {
  return file.name.replace(/\.[^.]*$/, "");
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function aspectOf(item, { width, height }) {
  return item.bitmap ? item.bitmap.width / item.bitmap.height : width / height;
}

const percent = (share) => `${Math.round(100 * share)} %`;

function describe(item, figure) {
  const first = figure.places[0];
  return `by ${figure.model}, the first place is ${percent(first.x)} from the left and ${percent(first.y)} from the top, with ${percent(first.share)} of what is looked at around it.`;
}

function draw(item, figure) {
  const node = figure.node, canvas = node.querySelector("canvas"), error = node.querySelector(".error");
  error.hidden = !figure.error;
  error.textContent = figure.error ?? "";
  for (const part of node.querySelectorAll("canvas, .buttons, table")) part.hidden = !figure.density;
  if (!figure.density) return;
  const aspect = aspectOf(item, figure.density);
  canvas.width = Math.round(Math.min(LARGEST, LARGEST * aspect));
  canvas.height = Math.round(canvas.width / aspect);
  const context = canvas.getContext("2d"), view = element("view").value;
  if (view !== "map" && item.bitmap) context.drawImage(item.bitmap, 0, 0, canvas.width, canvas.height);
  if (view !== "photograph") {
    const small = new OffscreenCanvas(figure.density.width, figure.density.height);
    small.getContext("2d").putImageData(paint(figure.density, view === "map"), 0, 0);
    context.globalAlpha = view === "map" ? 1 : element("strength").value / 100;
    context.imageSmoothingQuality = "high";
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
    context.globalAlpha = 1;
  }
  const size = Math.max(canvas.width, canvas.height);
  if (element("contours").checked) {
    figure.lines.forEach((lines, k) => {
      const colour = ["#ff5c8a", "#ffc23d", "#3fe0f0"][k];
      for (const [style, width] of [["#0009", 5], [colour, 2.5]]) {
        context.strokeStyle = style;
        context.lineWidth = (width * size) / 1000;
        context.lineCap = "round";
        context.beginPath();
        for (const [a, b] of lines) {
          context.moveTo(a[0] * canvas.width, a[1] * canvas.height);
          context.lineTo(b[0] * canvas.width, b[1] * canvas.height);
        }
        context.stroke();
      }
    });
  }
  const places = figure.places;
  if (element("places").checked) {
    context.font = `600 ${size / 45}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    places.forEach(({ x, y }, k) => {
      context.beginPath();
      context.arc(x * canvas.width, y * canvas.height, size / 50, 0, 2 * Math.PI);
      context.fillStyle = "#000b";
      context.fill();
      context.strokeStyle = "#fff";
      context.lineWidth = size / 500;
      context.stroke();
      context.fillStyle = "#fff";
      context.fillText(String(k + 1), x * canvas.width, y * canvas.height);
    });
  }
  canvas.setAttribute("aria-label", `${item.file.name}, ${describe(item, figure)}`);
  node.querySelector("tbody").replaceChildren(...places.map(({ x, y, share }, k) => {
    const row = document.createElement("tr"), head = document.createElement("th");
    head.scope = "row";
    head.textContent = String(k + 1);
    row.append(head, ...[x, y, share].map((value) => {
      const cell = document.createElement("td");
      cell.textContent = percent(value);
      return cell;
    }));
    return row;
  }));
}

function redraw() {
  for (const item of shown) for (const figure of item.figures) draw(item, figure);
}

element("settings").addEventListener("submit", (event) => event.preventDefault());
element("files").addEventListener("change", (event) => {
  add([...event.target.files]);
  event.target.value = "";
});
for (const id of ["view", "strength", "contours", "places"]) element(id).addEventListener("input", redraw);
for (const id of ["first", "second"]) {
  element(id).addEventListener("change", async () => {
    for (const item of [...shown]) await predict(item);
    redraw();
  });
}
const drop = element("drop");
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", kind === "dragover");
    if (kind === "drop") add([...event.dataTransfer.files]);
  });
}
