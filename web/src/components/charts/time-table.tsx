import { ScrollRegion } from "@/components/ui/scroll";
import type { Series } from "./stacked-time";

type Props = {
  titles: readonly string[];
  series: readonly Pick<Series, "name" | "values">[];
  format: (value: number) => string;
  label: string;
  /** Opens what is under a point, in the order of `titles`. */
  onPick?: (index: number) => void;
};

/** The figures of a chart, newest first. */
export function TimeTable({ titles, series, format, label, onPick }: Props) {
  const rows = titles
    .map((title, index) => ({ title, index, values: series.map(({ values }) => values[index] ?? 0) }))
    .reverse();
  return (
    <ScrollRegion label={label} className="max-h-96 overflow-auto rounded-lg border">
      <table className="w-full text-[13px]">
        <thead className="sticky top-0 bg-sunken">
          <tr>
            <th scope="col" className="px-3 py-2 text-left font-medium text-muted">
              Time
            </th>
            {series.map(({ name }) => (
              <th key={name} scope="col" className="px-3 py-2 text-right font-medium whitespace-nowrap text-muted">
                {name}
              </th>
            ))}
            <th scope="col" className="px-3 py-2 text-right font-medium text-muted">
              Total
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ title, index: at, values }) => (
            <tr key={at} className="border-t">
              <th scope="row" className="px-3 py-1.5 text-left font-normal whitespace-nowrap">
                {onPick ? (
                  <button type="button" className="rounded hover:underline" onClick={() => onPick(at)}>
                    {title}
                  </button>
                ) : (
                  title
                )}
              </th>
              {values.map((value, index) => (
                <td key={series[index]?.name} className="px-3 py-1.5 text-right whitespace-nowrap">
                  {value === 0 ? <span className="text-muted">–</span> : format(value)}
                </td>
              ))}
              <td className="px-3 py-1.5 text-right font-medium whitespace-nowrap">
                {format(values.reduce((sum, value) => sum + value, 0))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
