import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { projects } from "@/api/queries";
import { useTimeZone } from "@/app/preferences";
import { PeriodPicker } from "@/components/period-picker";
import { Select } from "@/components/ui/field";
import { today } from "@/lib/days";
import { type Period, type Preset, periodOf } from "@/lib/period";

const route = getRouteApi("/prices");

/** Which calls are meant, as the address says. */
export function useScope(fallback: Preset): { period: Period; timeZone: string; projectId: string | undefined } {
  const search = route.useSearch();
  const timeZone = useTimeZone(search.tz);
  return { period: periodOf(search, today(new Date(), timeZone), fallback), timeZone, projectId: search.project };
}

export function ScopeBar({ fallback }: { fallback: Preset }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data: known = [] } = useQuery(projects());
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, ...next }), resetScroll: false });
  return (
    <div className="flex flex-wrap items-center gap-2">
      <PeriodPicker
        search={search}
        fallback={fallback}
        onChange={(next) => change({ range: undefined, from: undefined, to: undefined, ...next })}
      />
      <Select
        aria-label="Project"
        className="w-auto max-w-56"
        value={search.project ?? ""}
        onChange={(event) => change({ project: event.target.value || undefined })}
      >
        <option value="">All projects</option>
        {known.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </Select>
    </div>
  );
}
