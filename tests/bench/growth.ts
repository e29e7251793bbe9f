// How a measure grows with the size.

/** The slope of the line through the logarithms, by least squares: what the size's exponent is. */
export function exponent(points: readonly (readonly [size: number, value: number])[]): number {
  const logs = points
    .filter(([, value]) => value > 0)
    .map(([size, value]) => [Math.log(size), Math.log(value)] as const);
  const mean = (of: 0 | 1) => logs.reduce((sum, log) => sum + log[of], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const covariance = logs.reduce((sum, log) => sum + (log[0] - x) * (log[1] - y), 0);
  const variance = logs.reduce((sum, log) => sum + (log[0] - x) ** 2, 0);
  return covariance / variance;
}
