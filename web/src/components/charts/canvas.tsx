import type { EChartsCoreOption, EChartsType } from "echarts/core";
import { useEffect, useRef, useState } from "react";
import { classes } from "@/lib/classes";

export type Canvas = EChartsType;

type Props = {
  /** What the chart shows, in a sentence; the figures are in the table beside it. */
  label: string;
  option: EChartsCoreOption;
  className?: string;
  /** Days that were swept over with the pointer, first and last index. */
  onSweep?: ((first: number, last: number) => void) | undefined;
  onPick?: ((index: number) => void) | undefined;
  onReady?: (canvas: Canvas) => void;
};

/** A drawing by ECharts. */
export function ChartCanvas({ label, option, className, onSweep, onPick, onReady }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const sweepBox = useRef<HTMLDivElement>(null);
  const [canvas, setCanvas] = useState<Canvas>();
  const acts = useRef({ onSweep, onPick, onReady });
  acts.current = { onSweep, onPick, onReady };

  useEffect(() => {
    let made: Canvas | undefined;
    let gone = false;
    let watch: ResizeObserver | undefined;
    void import("./engine").then(({ init }) => {
      if (gone || !holder.current) return;
      made = init(holder.current);
      // It also tells of the size that the chart was made with, and drawing costs.
      watch = new ResizeObserver(([entry]) => {
        if (!made || !entry) return;
        const { width, height } = entry.contentRect;
        if (Math.round(width) !== made.getWidth() || Math.round(height) !== made.getHeight()) made.resize();
      });
      watch.observe(holder.current);
      setCanvas(made);
      acts.current.onReady?.(made);
    });
    return () => {
      gone = true;
      watch?.disconnect();
      made?.dispose();
    };
  }, []);

  useEffect(() => {
    // Drawn with the next frame, not within the rendering of the page that asked for it.
    canvas?.setOption(option, { notMerge: true, lazyUpdate: true });
  }, [canvas, option]);

  useEffect(() => {
    if (!canvas) return;
    const zr = canvas.getZr();
    let from: { x: number; index: number } | undefined;
    const indexAt = (x: number, y: number): number | undefined => {
      const point = canvas.convertFromPixel({ gridIndex: 0 }, [x, y]);
      return point?.[0] === undefined ? undefined : Math.round(point[0]);
    };
    const draw = (start: number, end: number) => {
      const box = sweepBox.current;
      if (!box) return;
      box.hidden = Math.abs(end - start) < 4;
      box.style.left = `${Math.min(start, end)}px`;
      box.style.width = `${Math.abs(end - start)}px`;
    };
    const down = ({ offsetX: x, offsetY: y }: { offsetX: number; offsetY: number }) => {
      const index = canvas.containPixel({ gridIndex: 0 }, [x, y]) ? indexAt(x, y) : undefined;
      from = index === undefined ? undefined : { x, index };
    };
    const move = ({ offsetX }: { offsetX: number }) => from && acts.current.onSweep && draw(from.x, offsetX);
    const up = ({ offsetX: x, offsetY: y }: { offsetX: number; offsetY: number }) => {
      if (!from) return;
      const start = from;
      from = undefined;
      if (sweepBox.current) sweepBox.current.hidden = true;
      const end = indexAt(x, y);
      if (end === undefined) return;
      if (Math.abs(x - start.x) < 4) acts.current.onPick?.(start.index);
      else acts.current.onSweep?.(Math.min(start.index, end), Math.max(start.index, end));
    };
    zr.on("mousedown", down);
    zr.on("mousemove", move);
    zr.on("mouseup", up);
    return () => {
      zr.off("mousedown", down);
      zr.off("mousemove", move);
      zr.off("mouseup", up);
    };
  }, [canvas]);

  return (
    <div className={classes("relative min-w-0 overflow-hidden", className)}>
      <div ref={holder} role="img" aria-label={label} className="absolute inset-0" />
      <div
        ref={sweepBox}
        hidden
        className="pointer-events-none absolute inset-y-0 border-x border-accent bg-accent/15"
      />
    </div>
  );
}
