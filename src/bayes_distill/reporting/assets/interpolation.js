"use strict";
/* Reads the tables. The same sums as Table.at and share_below_zero in Python, and nothing of the law. */

const MISSING = 65535, STEPS = 65534;

function unpackTable(packed) {
  const bytes = Uint8Array.from(atob(packed.steps), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const size = packed.axes.reduce((n, axis) => n * axis.count, 1);
  const fields = {};
  packed.fields.forEach((field, place) => {
    const values = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      const step = view.getUint16(2 * (place * size + i), true);
      values[i] = step === MISSING ? NaN : field.from + (field.to - field.from) * (step / STEPS);
    }
    fields[field.name] = { ...field, values };
  });
  return { axes: packed.axes, fields };
}

/* Four nodes and weights of a Catmull-Rom spline on the logarithm; a parabola beyond the ends. */
function splineWeights(axis, value) {
  const share = Math.log(value / axis.low) / Math.log(axis.high / axis.low);
  const place = Math.min(1, Math.max(0, share)) * (axis.count - 1);
  const first = Math.min(Math.floor(place), axis.count - 2);
  const t = place - first;
  const w = [
    0.5 * (-t + 2 * t ** 2 - t ** 3),
    0.5 * (2 - 5 * t ** 2 + 3 * t ** 3),
    0.5 * (t + 4 * t ** 2 - 3 * t ** 3),
    0.5 * (-(t ** 2) + t ** 3),
  ];
  if (first === 0) { w[1] += 3 * w[0]; w[2] -= 3 * w[0]; w[3] += w[0]; w[0] = 0; }
  if (first === axis.count - 2) { w[0] += w[3]; w[1] -= 3 * w[3]; w[2] += 3 * w[3]; w[3] = 0; }
  return w.map((weight, i) => [Math.min(axis.count - 1, Math.max(0, first - 1 + i)), weight]);
}

/* Values of fields at one point, an object by the names of the axes. */
function interpolate(table, point, names) {
  let corners = [[0, 1]];
  for (const axis of table.axes) {
    const weights = splineWeights(axis, point[axis.name]).filter(([, weight]) => weight !== 0);
    corners = corners.flatMap(([start, product]) =>
      weights.map(([node, weight]) => [start * axis.count + node, product * weight]));
  }
  const found = {};
  for (const name of names) {
    const field = table.fields[name];
    let total = 0;
    for (const [node, weight] of corners) total += weight * field.values[node];
    if (field.log) total = Math.exp(total);
    if (field.low !== null && total < field.low) total = field.low;
    if (field.high !== null && total > field.high) total = field.high;
    found[name] = total;
  }
  return found;
}

/* Probability that a quantity is below zero, from its interpolated quantiles. */
function probabilityBelowZero(table, name, point, levels) {
  const names = levels.map((_, i) => `${name}.${i}`);
  const found = interpolate(table, point, names);
  let highest = -Infinity;
  const rising = names.map((each) => (highest = Math.max(highest, found[each])));
  if (rising.some(Number.isNaN)) return NaN;
  const below = rising.filter((value) => value < 0).length;
  if (below === 0) return 0;
  if (below === levels.length) return 1;
  const part = -rising[below - 1] / (rising[below] - rising[below - 1]);
  return levels[below - 1] + part * (levels[below] - levels[below - 1]);
}
