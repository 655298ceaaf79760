import { saveFile } from "@/api/client";
import type { Theme } from "@/lib/colours";
import type { Canvas } from "./canvas";
import { FONT, PAINT } from "./paint";

const SCALE = 2;
const MARGIN = 20;
const HEAD = 56;
const LINE = 22;
const DOT = 10;

type Named = { name: string; colour: string };

/** Saves a chart as it is seen, with its title, its period and its legend, as a picture for a document. */
export function savePicture(
  canvas: Canvas,
  { title, subtitle, legend, theme }: { title: string; subtitle: string; legend: readonly Named[]; theme: Theme },
): void {
  const paint = PAINT[theme];
  const drawn = canvas.renderToCanvas({ pixelRatio: SCALE, backgroundColor: paint.surface });
  const width = drawn.width / SCALE;
  const picture = document.createElement("canvas");
  const pen = picture.getContext("2d");
  if (!pen) return;
  pen.font = `12px ${FONT}`;
  const rows = rowsOf(legend, width, (text) => pen.measureText(text).width);
  picture.width = (width + 2 * MARGIN) * SCALE;
  picture.height = (HEAD + drawn.height / SCALE + rows.length * LINE + 2 * MARGIN) * SCALE;
  pen.scale(SCALE, SCALE);
  pen.fillStyle = paint.surface;
  pen.fillRect(0, 0, picture.width, picture.height);
  pen.fillStyle = paint.ink;
  pen.font = `600 16px ${FONT}`;
  pen.fillText(title, MARGIN, MARGIN + 14);
  pen.fillStyle = paint.muted;
  pen.font = `12px ${FONT}`;
  pen.fillText(subtitle, MARGIN, MARGIN + 34);
  pen.drawImage(drawn, MARGIN, HEAD + MARGIN / 2, width, drawn.height / SCALE);
  const top = HEAD + MARGIN + drawn.height / SCALE;
  rows.forEach((row, index) => {
    for (const { name, colour, x } of row) {
      pen.fillStyle = colour;
      pen.fillRect(MARGIN + x, top + index * LINE, DOT, DOT);
      pen.fillStyle = paint.ink;
      pen.fillText(name, MARGIN + x + DOT + 6, top + index * LINE + DOT - 1);
    }
  });
  picture.toBlob(
    (content) => content && saveFile(content, `${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}.png`),
  );
}

/** The legend in as many rows as its width takes. */
function rowsOf(legend: readonly Named[], width: number, measure: (text: string) => number) {
  const rows: (Named & { x: number })[][] = [];
  let x = Number.POSITIVE_INFINITY;
  for (const one of legend) {
    const needs = DOT + 6 + measure(one.name) + 18;
    if (x + needs > width) {
      rows.push([]);
      x = 0;
    }
    rows.at(-1)?.push({ ...one, x });
    x += needs;
  }
  return rows;
}
