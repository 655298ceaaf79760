import { useId } from "react";
import { Select } from "@/components/ui/field";
import { ALL_DIMENSIONS, DIMENSIONS, type Dimension } from "@/lib/dimensions";

/** Which dimension makes the groups. */
export function GroupBy({
  label,
  value,
  onChange,
  none,
  except,
}: {
  label: string;
  value: Dimension | undefined;
  onChange: (value: Dimension | null) => void;
  none?: boolean;
  except?: Dimension;
}) {
  const id = useId();
  return (
    <div className="flex items-center gap-2 text-[13px] text-muted">
      <label htmlFor={id}>{label}</label>
      <Select
        id={id}
        className="h-8 w-auto py-0"
        value={value ?? ""}
        onChange={(event) => onChange((event.target.value || null) as Dimension | null)}
      >
        {none && <option value="">nothing else</option>}
        {ALL_DIMENSIONS.filter((one) => one !== except).map((one) => (
          <option key={one} value={one}>
            {DIMENSIONS[one].one}
          </option>
        ))}
      </Select>
    </div>
  );
}
