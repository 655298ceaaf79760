import { formatInstant } from "@/lib/days";
import type { Marker } from "@/lib/markers";
import { counted } from "@/lib/numbers";
import { ScrollRegion } from "../ui/scroll";

/** The markers of a chart, as a table: what happened, and which prices changed. */
export function MarkerTable({ markers, timeZone }: { markers: readonly Marker[]; timeZone: string }) {
  if (markers.length === 0) return null;
  return (
    <details className="mt-2 text-[13px]">
      <summary className="cursor-pointer rounded text-muted">
        {counted(markers.length, "marker")}: deploys, events and price changes
      </summary>
      <ScrollRegion label="Markers" className="mt-2 max-h-64 overflow-auto rounded-lg border">
        <table className="w-full">
          <thead className="sticky top-0 bg-sunken text-left text-muted">
            <tr>
              {["Time", "What happened", "About"].map((name) => (
                <th key={name} scope="col" className="px-3 py-2 font-medium">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {markers.map(({ id, time, title, note, link }) => (
              <tr key={id} className="border-t align-top">
                <td className="px-3 py-1.5 whitespace-nowrap">{formatInstant(time, timeZone)}</td>
                <th scope="row" className="px-3 py-1.5 text-left font-medium">
                  {link ? (
                    <a href={link} target="_blank" rel="noreferrer" className="text-accent-text hover:underline">
                      {title}
                    </a>
                  ) : (
                    title
                  )}
                </th>
                <td className="px-3 py-1.5 text-muted">{note}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </details>
  );
}
