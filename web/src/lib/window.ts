// Which rows of a long table are on the screen. Only those, and a few around them, are in the document.

export interface View {
  scrollTop: number; // within the rows, without the header
  height: number;
}

export interface Slice {
  first: number; // index of the first row in the document
  last: number; // index behind the last
  before: number; // pixels that stand for the rows above
  after: number; // pixels that stand for the rows below
}

/** Browsers stop laying out elements somewhere above 16 million pixels. */
const tallest = 8_000_000;

/**
 * sliceOf returns the rows to draw. A table that would be taller than browsers allow is drawn on a compressed scale: the
 * scroll bar then moves over more rows than pixels, and every row stays within reach.
 */
export function sliceOf(view: View, total: number, rowHeight: number, overscan = 6): Slice {
  if (total <= 0 || rowHeight <= 0) return { first: 0, last: 0, before: 0, after: 0 };
  const natural = total * rowHeight;
  const height = Math.min(natural, tallest);
  const shown = Math.max(1, Math.ceil(view.height / rowHeight));
  const scrollTop = Math.max(0, Math.min(view.scrollTop, Math.max(0, height - view.height)));
  if (natural <= tallest) {
    const top = Math.floor(scrollTop / rowHeight);
    const first = Math.max(0, top - overscan);
    const last = Math.min(total, top + shown + overscan + 1);
    return { first, last, before: first * rowHeight, after: (total - last) * rowHeight };
  }
  const way = scrollTop / Math.max(1, height - view.height);
  const top = Math.round(way * Math.max(0, total - shown));
  const first = Math.max(0, top - overscan);
  const last = Math.min(total, top + shown + overscan + 1);
  const before = Math.max(0, scrollTop - (top - first) * rowHeight);
  return { first, last, before, after: Math.max(0, height - before - (last - first) * rowHeight) };
}

/** pagesOf returns the numbers (from 1) of the pages that hold rows first to last. */
export function pagesOf(first: number, last: number, pageSize: number): number[] {
  if (last <= first) return [];
  const pages: number[] = [];
  for (let p = Math.floor(first / pageSize); p <= Math.floor((last - 1) / pageSize); p++) pages.push(p + 1);
  return pages;
}
