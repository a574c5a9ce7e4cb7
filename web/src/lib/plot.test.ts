import { expect, test } from 'vitest';
import type { MetricData } from './api';
import { drawingOf, shapeOf } from './plot';

const metric = (count: number, length = 3, id?: string): MetricData => ({
  timestep: 60,
  series: Array.from({ length: count }, (_, i) => ({
    hostname: `n${i}`,
    ...(id === undefined ? {} : { id }),
    data: Array.from({ length: i === 0 ? length : 1 }, (_, at) => i + at),
  })),
});

test('few series are lines of equal length', () => {
  const d = drawingOf(metric(2));
  expect(d.isBand).toBe(false);
  expect(d.data).toEqual([
    [0, 60, 120],
    [0, 1, 2],
    [1, null, null],
  ]);
});

test('a device is named after its host', () => {
  expect(drawingOf(metric(1, 3, '4')).legend[0]?.label).toBe('n0:4');
  expect(drawingOf(metric(1, 3, '')).legend[0]?.label).toBe('n0');
});

test('many series become a band', () => {
  const d = drawingOf(metric(9, 1));
  expect(d.isBand).toBe(true);
  expect(d.data).toEqual([[0], [8], [4], [0]]);
});

test('newer samples keep the shape, another host changes it', () => {
  expect(shapeOf(drawingOf(metric(2, 3)))).toBe(shapeOf(drawingOf(metric(2, 9))));
  expect(shapeOf(drawingOf(metric(2)))).not.toBe(shapeOf(drawingOf(metric(3))));
});
