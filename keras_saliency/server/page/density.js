// What is known of a map: its density, the areas that hold most of it, its likely first places.

export const SHARES = [0.1, 0.25, 0.5];
const PLACES = 5, RADIUS = 0.06, STOPS = [
  [0, 0, 4], [51, 9, 94], [120, 28, 109], [181, 54, 86], [229, 92, 48], [251, 155, 6], [247, 209, 61], [252, 255, 164],
];

// From the rows of an answer to { height, width, density, peak, given, kind }: the density sums to one, and what was given
// is a log-density or a map.
export function densityOf(answer) {
  const values = answer.log_density ?? answer.saliency ?? answer;
  const height = values.length, width = values[0].length, density = new Float64Array(height * width);
  const isLog = answer.log_density !== undefined, given = new Float32Array(height * width);
  let sum = 0;
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const value = isLog ? Math.exp(values[i][j][0]) : values[i][j][0];
      density[i * width + j] = value;
      given[i * width + j] = values[i][j][0];
      sum += value;
    }
  }
  const uniform = !(sum > 0);
  for (let k = 0; k < density.length; k++) density[k] = uniform ? 1 / density.length : density[k] / sum;
  const peak = density.reduce((a, b) => Math.max(a, b), 0);
  return { height, width, density, peak, given, kind: isLog ? "log_density" : "saliency" };
}

// The value above which lies the smallest area that holds a share of the density.
export function thresholdOf({ density }, share) {
  const sorted = Float64Array.from(density).sort();
  let held = 0, k = sorted.length;
  while (k > 0 && held < share) held += sorted[--k];
  return sorted[k];
}

// Where the density crosses a value, by marching squares: pairs of points in shares of width and height.
export function contour({ height, width, density }, value) {
  const lines = [], at = (i, j) => density[Math.min(Math.max(i, 0), height - 1) * width + Math.min(Math.max(j, 0), width - 1)];
  for (let i = -1; i < height; i++) {
    for (let j = -1; j < width; j++) {
      const inside = i >= 0 && j >= 0 && i < height - 1 && j < width - 1;
      const corners = [[i, j], [i, j + 1], [i + 1, j + 1], [i + 1, j]].map(([y, x]) => ({
        x, y, v: inside || (y >= 0 && x >= 0 && y < height && x < width) ? at(y, x) : 0,
      }));
      const points = [];
      for (let k = 0; k < 4; k++) {
        const a = corners[k], b = corners[(k + 1) % 4];
        if (a.v >= value !== b.v >= value) {
          const t = (value - a.v) / (b.v - a.v);
          points.push([(a.x + t * (b.x - a.x) + 0.5) / width, (a.y + t * (b.y - a.y) + 0.5) / height]);
        }
      }
      for (let k = 0; k + 1 < points.length; k += 2) lines.push([points[k], points[k + 1]]);
    }
  }
  return lines;
}

// The likely first places: the highest points, none near another, with the share of the density around each.
export function placesOf({ height, width, density }, aspect) {
  const left = Float64Array.from(density), found = [];
  // In units of the diagonal of a picture whose width is aspect times its height.
  const across = aspect / Math.hypot(aspect, 1) / width, down = 1 / Math.hypot(aspect, 1) / height;
  for (let n = 0; n < PLACES; n++) {
    let best = -1;
    for (let k = 0; k < left.length; k++) if (left[k] >= 0 && (best < 0 || left[k] > left[best])) best = k;
    if (best < 0) break;
    const y = Math.floor(best / width), x = best % width;
    let share = 0;
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        const distance = Math.hypot((i - y) * down, (j - x) * across);
        if (distance <= RADIUS) share += density[i * width + j];
        if (distance <= 2 * RADIUS) left[i * width + j] = -1;
      }
    }
    found.push({ x: (x + 0.5) / width, y: (y + 0.5) / height, share });
  }
  return found;
}

// A picture of the density, as ImageData: bright where people look; opaque, or as strong as it is dense.
export function paint({ height, width, density, peak }, opaque) {
  const image = new ImageData(width, height);
  for (let k = 0; k < density.length; k++) {
    const value = Math.sqrt(density[k] / peak), place = value * (STOPS.length - 1);
    const low = Math.min(Math.floor(place), STOPS.length - 2), t = place - low;
    for (let c = 0; c < 3; c++) image.data[4 * k + c] = (1 - t) * STOPS[low][c] + t * STOPS[low + 1][c];
    image.data[4 * k + 3] = opaque ? 255 : 255 * Math.min(1, 1.25 * value);
  }
  return image;
}

// The bytes of a NumPy file of float32 values.
export function npy({ height, width, given }) {
  let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${height}, ${width}), }`;
  header = header.padEnd(64 * Math.ceil((header.length + 11) / 64) - 11) + "\n";
  const data = new Uint8Array(10 + header.length + 4 * given.length), view = new DataView(data.buffer);
  data.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  view.setUint16(8, header.length, true);
  data.set(new TextEncoder().encode(header), 10);
  given.forEach((value, k) => view.setFloat32(10 + header.length + 4 * k, value, true));
  return data;
}
