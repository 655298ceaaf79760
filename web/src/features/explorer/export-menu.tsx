import { useQueryClient } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { download, saveFile } from "@/api/client";
import { analyticsOf, analyticsQuery, type Question } from "@/api/queries";
import { stringifySearch } from "@/app/search";
import { Button } from "@/components/ui/button";
import { Menu, MenuItem } from "@/components/ui/menu";
import { toast } from "@/components/ui/toasts";
import { csvOf } from "@/lib/csv";
import { durationRows } from "@/lib/durations";

type Format = "csv" | "json";
type Props = {
  /** What the table shows, and what the chart shows. */
  table: Question;
  chart: Question;
  isOfDurations: boolean;
};

const TYPES: Record<Format, string> = { csv: "text/csv", json: "application/json" };

/** What is shown as a file: the table of groups, and the chart's figures over time. */
export function ExportMenu({ table, chart, isOfDurations }: Props) {
  const client = useQueryClient();
  const name = ({ period }: Question, format: Format) =>
    `${isOfDurations ? "durations" : "costs"}-${period.start}-${period.end}.${format}`.replaceAll(":", "");
  const saveDurations = async (of: Question, format: Format) => {
    const { durations } = await client.fetchQuery(analyticsOf({ ...of, compare: undefined }, ["durations"]));
    const text = format === "csv" ? csvOf(durationRows(durations, of.by ?? [])) : JSON.stringify(durations, null, 2);
    saveFile(new Blob([text], { type: TYPES[format] }), name(of, format));
  };
  const saveCosts = (of: Question, format: Format) =>
    download(`/api/analytics/export${stringifySearch({ ...analyticsQuery(of), format })}`, name(of, format));
  const save = (of: Question, format: Format) =>
    void (isOfDurations ? saveDurations : saveCosts)(of, format).catch((failure: Error) =>
      toast(failure.message, true),
    );
  return (
    <Menu
      trigger={
        <Button>
          <Download />
          Export
        </Button>
      }
    >
      <MenuItem onSelect={() => save(table, "csv")}>This table as CSV</MenuItem>
      <MenuItem onSelect={() => save(chart, "csv")}>Over time as CSV</MenuItem>
      <MenuItem onSelect={() => save(table, "json")}>This table as JSON</MenuItem>
      <MenuItem onSelect={() => save(chart, "json")}>Over time as JSON</MenuItem>
    </Menu>
  );
}
